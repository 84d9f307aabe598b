//! SELECT statements and query expressions.

use super::{Parsed, Parser};
use crate::ast::{
    AssignOp, Cte, Expr, ExprKind, ForClause, ForJson, ForXml, GroupBy, GroupItem, GroupWith,
    OffsetFetch, OrderItem, Query, QueryBody, QueryHint, Select, SelectItem, SelectStatement,
    SetOperand, SetOperator, Span, Top, With, XmlMode, XmlNamespace,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

impl Parser<'_> {
    /// `[WITH …] query [OPTION (…)]`
    pub(super) fn select_statement(&mut self) -> Parsed<SelectStatement> {
        let with = self.with_clause()?;
        self.select_with(with)
    }

    /// `query [OPTION (…)]` behind WITH.
    pub(super) fn select_with(&mut self, with: Option<With>) -> Parsed<SelectStatement> {
        let query = self.query()?;
        let options = self.query_hints()?;
        Ok(SelectStatement {
            with,
            query,
            options,
        })
    }

    /// `WITH [XMLNAMESPACES (…),] cte, …` when it follows.
    pub(super) fn with_clause(&mut self) -> Parsed<Option<With>> {
        if !self.eat_keyword(Keyword::With) {
            return Ok(None);
        }
        let mut with = With {
            namespaces: Vec::new(),
            ctes: Vec::new(),
        };
        if self.at_word("XMLNAMESPACES") && self.kind_at(1) == TokenKind::LeftParen {
            self.advance();
            with.namespaces = self.paren_list(Self::xml_namespace)?;
            if !self.eat(TokenKind::Comma) {
                return Ok(Some(with));
            }
        }
        with.ctes = self.comma_list(Self::cte)?;
        Ok(Some(with))
    }

    fn xml_namespace(&mut self) -> Parsed<XmlNamespace> {
        if self.eat_keyword(Keyword::Default) {
            let uri = self.string()?;
            return Ok(XmlNamespace { uri, prefix: None });
        }
        let uri = self.string()?;
        self.expect_keyword(Keyword::As)?;
        let prefix = Some(self.ident()?);
        Ok(XmlNamespace { uri, prefix })
    }

    fn cte(&mut self) -> Parsed<Cte> {
        let name = self.ident()?;
        let columns = if self.at(TokenKind::LeftParen) {
            self.name_list()?
        } else {
            Vec::new()
        };
        self.expect_keyword(Keyword::As)?;
        let query = self.paren_query()?;
        Ok(Cte {
            name,
            columns,
            query,
        })
    }

    /// A query expression with ORDER BY, OFFSET and FOR.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let start = self.peek().span;
        let first = self.query_operand()?;
        self.query_rest(first, start)
    }

    /// The rest of a query whose first operand has been taken.
    pub(super) fn query_after(&mut self, first: QueryBody) -> Parsed<Query> {
        let start = self.previous();
        self.query_rest(first, start)
    }

    fn query_rest(&mut self, first: QueryBody, start: Span) -> Parsed<Query> {
        let first = self.intersections(first)?;
        let body = self.unions(first)?;
        let order_by = if self.eat_keyword(Keyword::Order) {
            self.expect_keyword(Keyword::By)?;
            self.comma_list(Self::order_item)?
        } else {
            Vec::new()
        };
        let offset = self.offset_fetch()?;
        let for_clause = self.for_clause()?;
        Ok(Query {
            body,
            order_by,
            offset,
            for_clause,
            span: self.since(start),
        })
    }

    fn unions(&mut self, first: QueryBody) -> Parsed<QueryBody> {
        let mut rest = Vec::new();
        loop {
            let span = self.peek().span;
            let op = if self.eat_keyword(Keyword::Union) {
                if self.eat_keyword(Keyword::All) {
                    SetOperator::UnionAll
                } else {
                    SetOperator::Union
                }
            } else if self.eat_keyword(Keyword::Except) {
                SetOperator::Except
            } else {
                return Ok(chain(first, rest));
            };
            let operand = self.query_operand()?;
            let operand = self.intersections(operand)?;
            rest.push(SetOperand { op, operand, span });
        }
    }

    fn intersections(&mut self, first: QueryBody) -> Parsed<QueryBody> {
        let mut rest = Vec::new();
        while self.at_keyword(Keyword::Intersect) {
            let span = self.advance().span;
            let operand = self.query_operand()?;
            let op = SetOperator::Intersect;
            rest.push(SetOperand { op, operand, span });
        }
        Ok(chain(first, rest))
    }

    fn query_operand(&mut self) -> Parsed<QueryBody> {
        if self.at(TokenKind::LeftParen) {
            return Ok(QueryBody::Nested(Box::new(self.paren_query()?)));
        }
        Ok(QueryBody::Select(self.select_body()?))
    }

    fn select_body(&mut self) -> Parsed<Box<Select>> {
        let start = self.expect_keyword(Keyword::Select)?.span;
        let distinct = self.eat_keyword(Keyword::Distinct);
        if !distinct {
            self.eat_keyword(Keyword::All);
        }
        let top = self.top()?;
        let items = self.comma_list(Self::select_item)?;
        self.check_assignments(&items, start);
        // A query within another makes no table.
        let into = if self.enclosing_queries == 0 && self.eat_keyword(Keyword::Into) {
            let name = self.object_name()?;
            if self.eat_keyword(Keyword::On) {
                self.ident()?;
            }
            Some(name)
        } else {
            None
        };
        let from = self.sources()?;
        let filter = self.where_clause()?;
        let group_by = self.group_by()?;
        let having = if self.eat_keyword(Keyword::Having) {
            Some(self.condition()?)
        } else {
            None
        };
        Ok(Box::new(Select {
            distinct,
            top,
            items,
            into,
            from,
            filter,
            group_by,
            having,
            span: self.since(start),
        }))
    }

    /// `SELECT @a = 1, b` violates 141.
    fn check_assignments(&mut self, items: &[SelectItem], start: Span) {
        let assigns = |item: &&SelectItem| matches!(item, SelectItem::Assign { .. });
        let count = items.iter().filter(assigns).count();
        if count > 0 && count < items.len() {
            self.violate(messages::MIXED_ASSIGNMENT.at(start.line, &[]));
        }
    }

    /// WHERE, when it follows.
    pub(super) fn where_clause(&mut self) -> Parsed<Option<Expr>> {
        if self.eat_keyword(Keyword::Where) {
            Ok(Some(self.condition()?))
        } else {
            Ok(None)
        }
    }

    /// `TOP (n) [PERCENT] [WITH TIES]`, when it follows.
    pub(super) fn top(&mut self) -> Parsed<Option<Top>> {
        if !self.eat_keyword(Keyword::Top) {
            return Ok(None);
        }
        let count = if self.eat(TokenKind::LeftParen) {
            let count = self.expr()?;
            self.expect(TokenKind::RightParen)?;
            count
        } else if self.at(TokenKind::Variable) {
            self.variable_expr()?
        } else {
            // A bare number: nothing behind it belongs to it.
            match self.literal()? {
                Some(number) => number,
                None => return Err(self.unexpected()),
            }
        };
        let percent = self.eat_keyword(Keyword::Percent);
        let with_ties = self.at_keyword(Keyword::With) && self.word_at(1, "TIES");
        if with_ties {
            self.skip(2);
        }
        Ok(Some(Top {
            count: Box::new(count),
            percent,
            with_ties,
        }))
    }

    /// One part of a select list or OUTPUT clause.
    pub(super) fn select_item(&mut self) -> Parsed<SelectItem> {
        if let Some(wildcard) = self.wildcard()? {
            return Ok(wildcard);
        }
        if self.at(TokenKind::Variable)
            && let Some(op) = assign_op(self.kind_at(1))
        {
            let variable = self.declared_variable()?;
            self.advance();
            let value = self.expr()?;
            return Ok(SelectItem::Assign {
                variable,
                op,
                value,
            });
        }
        if self.at_alias() && self.kind_at(1) == TokenKind::Equal {
            let alias = Some(self.alias()?);
            self.advance();
            let expr = self.expr()?;
            return Ok(SelectItem::Expr { expr, alias });
        }
        let expr = self.expr()?;
        let alias = if self.eat_keyword(Keyword::As) || self.at_alias() && !self.at_label() {
            Some(self.alias()?)
        } else {
            None
        };
        Ok(SelectItem::Expr { expr, alias })
    }

    fn at_alias(&self) -> bool {
        Self::is_name(self.kind()) || Self::is_string(self.kind())
    }

    /// `*` or `name.*`, when it follows.
    fn wildcard(&mut self) -> Parsed<Option<SelectItem>> {
        let start = self.peek().span;
        if self.eat(TokenKind::Star) {
            return Ok(Some(SelectItem::Wildcard {
                qualifier: None,
                span: start,
            }));
        }
        let mut ahead = 0;
        while Self::is_name(self.kind_at(ahead)) && self.kind_at(ahead + 1) == TokenKind::Dot {
            ahead += 2;
            while self.kind_at(ahead) == TokenKind::Dot {
                ahead += 1;
            }
        }
        if ahead == 0 || self.kind_at(ahead) != TokenKind::Star {
            return Ok(None);
        }
        let qualifier = Some(self.object_name()?);
        self.expect(TokenKind::Dot)?;
        self.expect(TokenKind::Star)?;
        Ok(Some(SelectItem::Wildcard {
            qualifier,
            span: self.since(start),
        }))
    }

    fn group_by(&mut self) -> Parsed<Option<GroupBy>> {
        if !self.eat_keyword(Keyword::Group) {
            return Ok(None);
        }
        self.expect_keyword(Keyword::By)?;
        let all = self.eat_keyword(Keyword::All);
        let items = self.comma_list(Self::group_item)?;
        let rollup = self.word_at(1, "ROLLUP");
        let with = if self.at_keyword(Keyword::With) && (rollup || self.word_at(1, "CUBE")) {
            self.skip(2);
            Some(if rollup {
                GroupWith::Rollup
            } else {
                GroupWith::Cube
            })
        } else {
            None
        };
        Ok(Some(GroupBy { all, items, with }))
    }

    fn group_item(&mut self) -> Parsed<GroupItem> {
        let call_follows = self.kind_at(1) == TokenKind::LeftParen;
        if self.at_word("ROLLUP") && call_follows {
            self.advance();
            return Ok(GroupItem::Rollup(self.paren_list(Self::group_set)?));
        }
        if self.at_word("CUBE") && call_follows {
            self.advance();
            return Ok(GroupItem::Cube(self.paren_list(Self::group_set)?));
        }
        if self.at_word("GROUPING") && self.word_at(1, "SETS") {
            self.skip(2);
            let sets = self.nested(|parser| parser.paren_list(Self::grouping_set))?;
            return Ok(GroupItem::GroupingSets(sets));
        }
        if self.at(TokenKind::LeftParen) && self.kind_at(1) == TokenKind::RightParen {
            self.skip(2);
            return Ok(GroupItem::Set(Vec::new()));
        }
        Ok(GroupItem::Expr(self.expr()?))
    }

    fn grouping_set(&mut self) -> Parsed<GroupItem> {
        if self.at(TokenKind::LeftParen) {
            return Ok(GroupItem::Set(self.group_set()?));
        }
        self.group_item()
    }

    /// `a` or `(a, b)` or `()`
    fn group_set(&mut self) -> Parsed<Vec<Expr>> {
        if !self.eat(TokenKind::LeftParen) {
            return Ok(vec![self.expr()?]);
        }
        if self.eat(TokenKind::RightParen) {
            return Ok(Vec::new());
        }
        let set = self.comma_list(Self::expr)?;
        self.expect(TokenKind::RightParen)?;
        Ok(set)
    }

    /// `expr [ASC | DESC]`
    pub(super) fn order_item(&mut self) -> Parsed<OrderItem> {
        let expr = self.expr()?;
        let descending = self.eat_keyword(Keyword::Desc);
        if !descending {
            self.eat_keyword(Keyword::Asc);
        }
        Ok(OrderItem { expr, descending })
    }

    fn offset_fetch(&mut self) -> Parsed<Option<OffsetFetch>> {
        if !self.eat_word("OFFSET") {
            return Ok(None);
        }
        let offset = Box::new(self.expr()?);
        self.row_word()?;
        let fetch = if self.at_keyword(Keyword::Fetch)
            && (self.word_at(1, "NEXT") || self.word_at(1, "FIRST"))
        {
            self.skip(2);
            let count = Box::new(self.expr()?);
            self.row_word()?;
            self.expect_word("ONLY")?;
            Some(count)
        } else {
            None
        };
        Ok(Some(OffsetFetch { offset, fetch }))
    }

    fn row_word(&mut self) -> Parsed<()> {
        if self.eat_word("ROW") {
            return Ok(());
        }
        self.expect_word("ROWS")
    }

    /// FOR XML, FOR JSON, FOR BROWSE, when one follows.
    fn for_clause(&mut self) -> Parsed<Option<ForClause>> {
        if !self.at_keyword(Keyword::For) {
            return Ok(None);
        }
        let start = self.peek().span;
        if self.keyword_at(1, Keyword::Browse) {
            self.skip(2);
            return Ok(Some(ForClause::Browse));
        }
        if self.word_at(1, "XML") {
            self.skip(2);
            return Ok(Some(ForClause::Xml(self.for_xml(start)?)));
        }
        if self.word_at(1, "JSON") {
            self.skip(2);
            return Ok(Some(ForClause::Json(self.for_json(start)?)));
        }
        Ok(None)
    }

    fn for_xml(&mut self, start: Span) -> Parsed<ForXml> {
        let mode = if self.eat_word("RAW") {
            XmlMode::Raw(self.element_name()?)
        } else if self.eat_word("AUTO") {
            XmlMode::Auto
        } else if self.eat_word("EXPLICIT") {
            XmlMode::Explicit
        } else {
            self.expect_word("PATH")?;
            XmlMode::Path(self.element_name()?)
        };
        let mut clause = ForXml {
            mode,
            typed: false,
            root: None,
            elements: false,
            xsinil: false,
            binary_base64: false,
            schema: false,
            span: start,
        };
        while self.eat(TokenKind::Comma) {
            if self.eat_word("TYPE") {
                clause.typed = true;
            } else if self.eat_word("ROOT") {
                clause.root = Some(self.element_name()?);
            } else if self.eat_word("ELEMENTS") {
                clause.elements = true;
                clause.xsinil = self.eat_word("XSINIL");
                if !clause.xsinil {
                    self.eat_word("ABSENT");
                }
            } else if self.eat_word("BINARY") {
                self.expect_word("BASE64")?;
                clause.binary_base64 = true;
            } else if self.eat_word("XMLSCHEMA") || self.eat_word("XMLDATA") {
                clause.schema = true;
                self.element_name()?;
            } else {
                return Err(self.unexpected());
            }
        }
        clause.span = self.since(start);
        Ok(clause)
    }

    fn for_json(&mut self, start: Span) -> Parsed<ForJson> {
        let auto = self.eat_word("AUTO");
        if !auto {
            self.expect_word("PATH")?;
        }
        let mut clause = ForJson {
            auto,
            root: None,
            include_nulls: false,
            without_array: false,
            span: start,
        };
        while self.eat(TokenKind::Comma) {
            if self.eat_word("ROOT") {
                clause.root = Some(self.element_name()?);
            } else if self.eat_word("INCLUDE_NULL_VALUES") {
                clause.include_nulls = true;
            } else {
                self.expect_word("WITHOUT_ARRAY_WRAPPER")?;
                clause.without_array = true;
            }
        }
        clause.span = self.since(start);
        Ok(clause)
    }

    /// `('name')`, when it follows.
    fn element_name(&mut self) -> Parsed<Option<String>> {
        if !self.eat(TokenKind::LeftParen) {
            return Ok(None);
        }
        let name = self.string()?;
        self.expect(TokenKind::RightParen)?;
        Ok(Some(name))
    }

    /// `OPTION (hint, …)`, when it follows.
    pub(super) fn query_hints(&mut self) -> Parsed<Vec<QueryHint>> {
        if !self.eat_keyword(Keyword::Option) {
            return Ok(Vec::new());
        }
        self.paren_list(Self::query_hint)
    }

    fn query_hint(&mut self) -> Parsed<QueryHint> {
        let start = self.peek().span;
        let mut words: Vec<String> = Vec::new();
        let mut value = None;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Word | TokenKind::Keyword(_) => {
                    words.push(self.text_of(token).to_ascii_uppercase());
                    self.advance();
                }
                _ if words.is_empty() => return Err(self.unexpected()),
                TokenKind::Comma | TokenKind::RightParen => {
                    return Ok(QueryHint {
                        name: words.join(" "),
                        value,
                        span: self.since(start),
                    });
                }
                TokenKind::LeftParen => {
                    self.skip_parens()?;
                }
                TokenKind::Equal => {
                    self.advance();
                }
                _ => match self.literal()?.map(|expr| expr.kind) {
                    Some(ExprKind::Literal(literal)) => value = Some(literal),
                    _ => return Err(self.unexpected()),
                },
            }
        }
    }
}

fn chain(first: QueryBody, rest: Vec<SetOperand>) -> QueryBody {
    if rest.is_empty() {
        first
    } else {
        QueryBody::Chain {
            first: Box::new(first),
            rest,
        }
    }
}

/// The operator of assignment that a token is.
pub(super) fn assign_op(kind: TokenKind) -> Option<AssignOp> {
    match kind {
        TokenKind::Equal => Some(AssignOp::Set),
        TokenKind::PlusEqual => Some(AssignOp::Add),
        TokenKind::MinusEqual => Some(AssignOp::Subtract),
        TokenKind::StarEqual => Some(AssignOp::Multiply),
        TokenKind::SlashEqual => Some(AssignOp::Divide),
        TokenKind::PercentEqual => Some(AssignOp::Modulo),
        TokenKind::AmpersandEqual => Some(AssignOp::BitAnd),
        TokenKind::PipeEqual => Some(AssignOp::BitOr),
        TokenKind::CaretEqual => Some(AssignOp::BitXor),
        _ => None,
    }
}
