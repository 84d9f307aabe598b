//! Reads XPath, and the part of XQuery around it that scripts use.
//!
//! Paths with axes, name and kind tests and predicates; comparisons, arithmetic, `and`, `or`; functions; the prolog's
//! namespace declarations; `sql:variable` and `sql:column`. Anything else is refused by its name.
//!
//! Source: "XQuery Language Reference (SQL Server)".

use crate::error::SqlError;
use crate::fault;
use crate::messages as m;

/// Deepest nesting of parentheses and predicates.
const DEPTH_MAX: usize = 64;

/// A query with what it needs from outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) expr: Expr,
    pub(super) externals: Vec<External>,
}

/// A value of T-SQL inside a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum External {
    /// `sql:variable("@x")`
    Variable(String),
    /// `sql:column("t.c")`
    Column(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Text(String),
    Number(f64),
    /// The n-th of [`Query::externals`].
    External(usize),
    Sequence(Vec<Expr>),
    Or(Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Call(String, Vec<Expr>),
    Path(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) start: Start,
    /// Predicates of the start itself: `(…)[1]`.
    pub(super) predicates: Vec<Expr>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Start {
    /// `/…`
    Root,
    /// The context node.
    Context,
    /// `(…)/…`
    Expr(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    Attribute,
    Own,
    Parent,
    Descendant,
    DescendantOrSelf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// `*:local`, `*`, `p:*`, `p:local`: URI and local name, where they matter.
    Name {
        uri: Option<String>,
        local: Option<String>,
    },
    Text,
    Comment,
    Instruction,
    Node,
}

impl Query {
    /// Reads the argument of a method.
    ///
    /// # Errors
    /// 2205 for what cannot be read, 2229 for a prefix without a namespace, 40517 for what Muster does not have.
    pub(super) fn parse(text: &str, method: &'static str) -> Result<Self, SqlError> {
        let mut reader = Reader::new(text, method);
        reader.prolog()?;
        let expr = reader.expr()?;
        reader.end()?;
        Ok(Self {
            expr,
            externals: reader.externals,
        })
    }

    /// Whether it gives one value at most, by its shape alone: what value() asks for.
    pub(super) fn is_single(&self) -> bool {
        single(&self.expr)
    }
}

fn single(expr: &Expr) -> bool {
    match expr {
        Expr::Sequence(items) => items.len() < 2 && items.iter().all(single),
        Expr::Path(path) => {
            let chosen = |predicates: &[Expr]| {
                predicates.iter().any(|predicate| match predicate {
                    Expr::Number(_) => true,
                    Expr::Call(name, args) => name == "last" && args.is_empty(),
                    _ => false,
                })
            };
            let starts = match &path.start {
                Start::Root | Start::Context => true,
                Start::Expr(inner) => chosen(&path.predicates) || single(inner),
            };
            starts
                && path.steps.iter().all(|step| {
                    let named = matches!(&step.test, Test::Name { local: Some(_), .. });
                    match step.axis {
                        Axis::Own | Axis::Parent => true,
                        Axis::Attribute => named || chosen(&step.predicates),
                        Axis::Child => chosen(&step.predicates),
                        Axis::Descendant | Axis::DescendantOrSelf => false,
                    }
                })
        }
        _ => true,
    }
}

/// Reads the text of a query; also the words of XML DML around it.
pub(super) struct Reader<'t> {
    rest: &'t str,
    method: &'static str,
    namespaces: Vec<(String, String)>,
    default: String,
    depth: usize,
    pub(super) externals: Vec<External>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, method: &'static str) -> Self {
        let known = [
            ("xml", "http://www.w3.org/XML/1998/namespace"),
            ("xs", "http://www.w3.org/2001/XMLSchema"),
            ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ];
        let known = known.iter();
        Self {
            rest: text,
            method,
            namespaces: known
                .map(|(p, u)| ((*p).to_owned(), (*u).to_owned()))
                .collect(),
            default: String::new(),
            depth: 0,
            externals: Vec::new(),
        }
    }

    pub(super) fn error(&self) -> SqlError {
        let near: String = self.rest.trim_start().chars().take(20).collect();
        let reason = if near.is_empty() {
            "Unexpected end of the expression.".to_owned()
        } else {
            format!("Syntax error near '{near}'.")
        };
        m::XQUERY_SYNTAX.with(&[self.method, &reason])
    }

    fn unsupported(&self, what: &str) -> SqlError {
        fault::not_supported(&format!("XQuery {what} in {}()", self.method))
    }

    /// Blanks and comments.
    fn blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let Some(comment) = self.rest.strip_prefix("(:") else {
                return;
            };
            self.rest = comment.split_once(":)").map_or("", |(_, rest)| rest);
        }
    }

    /// What is left, blanks skipped.
    pub(super) fn rest(&mut self) -> &'t str {
        self.blanks();
        self.rest
    }

    /// Goes on behind that many bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    pub(super) fn end(&mut self) -> Result<(), SqlError> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: &str) -> Result<(), SqlError> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// A word that ends here.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(word) {
            Some(rest) if !rest.starts_with(is_name_char) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), SqlError> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// A name without a colon.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        self.blanks();
        self.name_here()
    }

    fn name_here(&mut self) -> Option<&'t str> {
        let starts = self
            .rest
            .starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !starts {
            return None;
        }
        let end = self
            .rest
            .find(|c: char| !is_name_char(c))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(name)
    }

    /// A text in quotes; a doubled quote stands for one.
    pub(super) fn text(&mut self) -> Result<Option<String>, SqlError> {
        self.blanks();
        let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Ok(None);
        };
        let mut out = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some((before, after)) = rest.split_once(quote) else {
                return Err(self.error());
            };
            out.push_str(before);
            match after.strip_prefix(quote) {
                Some(more) => {
                    out.push(quote);
                    rest = more;
                }
                None => {
                    self.rest = after;
                    break;
                }
            }
        }
        for (entity, c) in [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&amp;", "&"),
        ] {
            out = out.replace(entity, c);
        }
        Ok(Some(out))
    }

    /// `declare namespace p="u";` and `declare default element namespace "u";`
    pub(super) fn prolog(&mut self) -> Result<(), SqlError> {
        while self.eat_word("declare") {
            if self.eat_word("default") {
                self.expect_word("element")?;
                self.expect_word("namespace")?;
                self.default = self.text()?.ok_or_else(|| self.error())?;
            } else if self.eat_word("namespace") {
                let prefix = self.name().ok_or_else(|| self.error())?.to_owned();
                self.expect("=")?;
                let uri = self.text()?.ok_or_else(|| self.error())?;
                self.namespaces.push((prefix, uri));
            } else {
                return Err(self.unsupported("prolog declaration"));
            }
            self.expect(";")?;
        }
        Ok(())
    }

    /// The declarations of the prolog, for XML written out in the query.
    pub(super) fn declared(&self) -> impl Iterator<Item = &(String, String)> {
        self.namespaces.iter().skip(3)
    }

    /// `a, b`
    pub(super) fn expr(&mut self) -> Result<Expr, SqlError> {
        let first = self.single()?;
        if !self.eat(",") {
            return Ok(first);
        }
        let mut items = vec![first, self.single()?];
        while self.eat(",") {
            items.push(self.single()?);
        }
        Ok(Expr::Sequence(items))
    }

    pub(super) fn single(&mut self) -> Result<Expr, SqlError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(m::TOO_COMPLEX.with(&[]));
        }
        let start = self.rest();
        for (word, next, what) in [
            ("for", "$", "FLWOR expression"),
            ("let", "$", "FLWOR expression"),
            ("some", "$", "quantified expression"),
            ("every", "$", "quantified expression"),
            ("if", "(", "if expression"),
        ] {
            if self.eat_word(word) {
                if self.rest().starts_with(next) {
                    return Err(self.unsupported(what));
                }
                self.rest = start;
            }
        }
        let mut left = self.and()?;
        while self.eat_word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.comparison()?;
        while self.eat_word("and") {
            left = Expr::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, SqlError> {
        let left = self.sum()?;
        let symbols = [
            ("!=", Compare::NotEqual),
            ("<=", Compare::LessOrEqual),
            (">=", Compare::GreaterOrEqual),
            ("=", Compare::Equal),
            ("<", Compare::Less),
            (">", Compare::Greater),
        ];
        let words = [
            ("eq", Compare::Equal),
            ("ne", Compare::NotEqual),
            ("lt", Compare::Less),
            ("le", Compare::LessOrEqual),
            ("gt", Compare::Greater),
            ("ge", Compare::GreaterOrEqual),
        ];
        for (symbol, op) in symbols {
            if self.eat(symbol) {
                return Ok(Expr::Compare(op, Box::new(left), Box::new(self.sum()?)));
            }
        }
        for (word, op) in words {
            if self.eat_word(word) {
                return Ok(Expr::Compare(op, Box::new(left), Box::new(self.sum()?)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.product()?;
        loop {
            let op = if self.eat("+") {
                Operator::Add
            } else if self.eat("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(op, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.unary()?;
        loop {
            let op = if self.eat("*") {
                Operator::Multiply
            } else if self.eat_word("div") {
                Operator::Divide
            } else if self.eat_word("mod") {
                Operator::Modulo
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(op, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Expr, SqlError> {
        if self.eat("-") {
            let operand = self.path()?;
            return Ok(Expr::Negate(Box::new(operand)));
        }
        self.path()
    }

    fn path(&mut self) -> Result<Expr, SqlError> {
        self.blanks();
        let mut path = Path {
            start: Start::Context,
            predicates: Vec::new(),
            steps: Vec::new(),
        };
        if self.rest.starts_with('/') {
            path.start = Start::Root;
            if !self.rest.starts_with("//") {
                self.eat("/");
                // A path may be the root alone.
                let more = self
                    .rest
                    .starts_with(|c: char| c.is_alphabetic() || "_@*.".contains(c));
                if !more {
                    return Ok(Expr::Path(path));
                }
                let step = self.step()?;
                path.steps.push(step);
            }
        } else if let Some(start) = self.primary()? {
            path.predicates = self.predicates()?;
            if path.predicates.is_empty() && !self.rest.trim_start().starts_with('/') {
                return Ok(start);
            }
            path.start = Start::Expr(Box::new(start));
        } else {
            let step = self.step()?;
            path.steps.push(step);
        }
        loop {
            if self.eat("//") {
                path.steps.push(Step {
                    axis: Axis::DescendantOrSelf,
                    test: Test::Node,
                    predicates: Vec::new(),
                });
            } else if !self.eat("/") {
                return Ok(Expr::Path(path));
            }
            let step = self.step()?;
            path.steps.push(step);
        }
    }

    /// What may stand at the start of a path besides a step: a constant, parentheses, a function.
    fn primary(&mut self) -> Result<Option<Expr>, SqlError> {
        if let Some(text) = self.text()? {
            return Ok(Some(Expr::Text(text)));
        }
        let first = self.rest.chars().next();
        match first {
            Some('(') => {
                self.eat("(");
                if self.eat(")") {
                    return Ok(Some(Expr::Sequence(Vec::new())));
                }
                let inner = self.expr()?;
                self.expect(")")?;
                return Ok(Some(Expr::Sequence(vec![inner])));
            }
            Some('0'..='9') => {
                let end = self
                    .rest
                    .find(|c: char| !c.is_ascii_digit() && c != '.')
                    .unwrap_or(self.rest.len());
                let (digits, rest) = self.rest.split_at(end);
                let number = digits.parse().map_err(|_| self.error())?;
                self.rest = rest;
                return Ok(Some(Expr::Number(number)));
            }
            Some('$') => return Err(self.unsupported("variable")),
            Some('<') => return Err(self.unsupported("element constructor")),
            _ => {}
        }
        let start = self.rest;
        let Some(name) = self.name() else {
            return Ok(None);
        };
        let mut whole = name.to_owned();
        if let Some(rest) = self.rest.strip_prefix(':')
            && !rest.starts_with(':')
        {
            self.rest = rest;
            if let Some(local) = self.name_here() {
                whole = format!("{whole}:{local}");
            }
        }
        let is_test = matches!(
            whole.as_str(),
            "text" | "node" | "comment" | "processing-instruction"
        );
        let is_axis = self.rest.starts_with("::");
        if is_test || is_axis || !self.rest.trim_start().starts_with('(') {
            self.rest = start;
            return Ok(None);
        }
        self.call(whole).map(Some)
    }

    fn call(&mut self, name: String) -> Result<Expr, SqlError> {
        self.expect("(")?;
        let mut args = Vec::new();
        if !self.eat(")") {
            args.push(self.single()?);
            while self.eat(",") {
                args.push(self.single()?);
            }
            self.expect(")")?;
        }
        let external = match (name.as_str(), args.as_slice()) {
            ("sql:variable", [Expr::Text(text)]) => External::Variable(text.clone()),
            ("sql:column", [Expr::Text(text)]) => External::Column(text.clone()),
            _ => {
                let name = name.strip_prefix("fn:").unwrap_or(&name).to_owned();
                let (least, most) = super::eval::arity(&name)
                    .ok_or_else(|| self.unsupported(&format!("function {name}()")))?;
                if !(least..=most).contains(&args.len()) {
                    return Err(self.error());
                }
                return Ok(Expr::Call(name, args));
            }
        };
        let known = self.externals.iter().position(|other| *other == external);
        let at = known.unwrap_or_else(|| {
            self.externals.push(external);
            self.externals.len() - 1
        });
        Ok(Expr::External(at))
    }

    fn predicates(&mut self) -> Result<Vec<Expr>, SqlError> {
        let mut out = Vec::new();
        while self.eat("[") {
            out.push(self.expr()?);
            self.expect("]")?;
        }
        Ok(out)
    }

    fn step(&mut self) -> Result<Step, SqlError> {
        self.blanks();
        let (axis, test) = if self.eat("..") {
            (Axis::Parent, Test::Node)
        } else if self.eat(".") {
            (Axis::Own, Test::Node)
        } else if self.eat("@") {
            (Axis::Attribute, self.test(Axis::Attribute)?)
        } else {
            let axes = [
                ("child::", Axis::Child),
                ("attribute::", Axis::Attribute),
                ("self::", Axis::Own),
                ("parent::", Axis::Parent),
                ("descendant::", Axis::Descendant),
                ("descendant-or-self::", Axis::DescendantOrSelf),
            ];
            let axis = axes
                .iter()
                .find(|(word, _)| self.eat(word))
                .map_or(Axis::Child, |(_, axis)| *axis);
            (axis, self.test(axis)?)
        };
        Ok(Step {
            axis,
            test,
            predicates: self.predicates()?,
        })
    }

    fn test(&mut self, axis: Axis) -> Result<Test, SqlError> {
        if self.eat("*") {
            let local = match self.rest.strip_prefix(':') {
                Some(rest) => {
                    self.rest = rest;
                    Some(self.name_here().ok_or_else(|| self.error())?.to_owned())
                }
                None => None,
            };
            return Ok(Test::Name { uri: None, local });
        }
        let name = self.name().ok_or_else(|| self.error())?;
        if let Some(rest) = self.rest.strip_prefix("::") {
            self.rest = rest;
            return Err(self.unsupported(&format!("axis {name}")));
        }
        if let Some(rest) = self.rest.strip_prefix(':') {
            self.rest = rest;
            let known = self.namespaces.iter().rev();
            let uri = known
                .filter(|(prefix, _)| prefix == name)
                .map(|(_, uri)| uri.clone())
                .next()
                .ok_or_else(|| m::XQUERY_NAMESPACE.with(&[self.method, name]))?;
            let local = if self.eat("*") {
                None
            } else {
                Some(self.name_here().ok_or_else(|| self.error())?.to_owned())
            };
            return Ok(Test::Name {
                uri: Some(uri),
                local,
            });
        }
        let test = match name {
            "text" => Some(Test::Text),
            "node" => Some(Test::Node),
            "comment" => Some(Test::Comment),
            "processing-instruction" => Some(Test::Instruction),
            _ => None,
        };
        if let Some(test) = test
            && self.eat("(")
        {
            self.expect(")")?;
            return Ok(test);
        }
        // The default namespace is the elements' alone.
        let uri = if axis == Axis::Attribute {
            String::new()
        } else {
            self.default.clone()
        };
        Ok(Test::Name {
            uri: Some(uri),
            local: Some(name.to_owned()),
        })
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}
