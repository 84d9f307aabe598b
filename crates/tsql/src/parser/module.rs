//! Views, procedures, functions and triggers.

use super::scope::{Frame, VariableKind};
use super::{Parsed, Parser};
use crate::ast::{
    CreateFunction, CreateProcedure, CreateTrigger, CreateView, FunctionReturns, ModuleBody,
    ModuleOption, ModulePrincipal, ModuleVerb, Parameter, Span, StatementKind, TriggerTarget,
};
use crate::lexer::{Keyword, TokenKind};
use crate::messages;

impl Parser<'_> {
    /// `VIEW | PROCEDURE | FUNCTION | TRIGGER …`, behind the verb that began at `start`.
    pub(super) fn module(&mut self, verb: ModuleVerb, start: Span) -> Parsed<StatementKind> {
        let TokenKind::Keyword(kind) = self.kind() else {
            return Err(self.unexpected());
        };
        let label = match kind {
            Keyword::View => "CREATE VIEW",
            Keyword::Proc | Keyword::Procedure => "CREATE/ALTER PROCEDURE",
            Keyword::Function => "CREATE FUNCTION",
            Keyword::Trigger => "CREATE TRIGGER",
            _ => return Err(self.unexpected()),
        };
        self.check_first(start, label)?;
        self.advance();
        match kind {
            Keyword::View => self.view(verb),
            Keyword::Function => self.function(verb),
            Keyword::Trigger => self.trigger(verb),
            _ => self.procedure(verb),
        }
    }

    /// A statement that must be the first of its batch: 111 behind another, a syntax error inside one.
    pub(super) fn check_first(&mut self, start: Span, label: &str) -> Parsed<()> {
        if self.depth > 1 {
            return Err(self.unexpected());
        }
        let before = self
            .tokens
            .list
            .iter()
            .take_while(|token| token.span.start < start.start);
        let mut before = before.filter(|token| token.kind != TokenKind::Semicolon);
        if before.next().is_some() {
            self.violate(messages::NOT_FIRST_IN_BATCH.at(start.line, &[label]));
        }
        Ok(())
    }

    fn view(&mut self, verb: ModuleVerb) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        let columns = if self.at(TokenKind::LeftParen) {
            self.name_list()?
        } else {
            Vec::new()
        };
        let mut options = Vec::new();
        if self.eat_keyword(Keyword::With) {
            options = self.comma_list(|parser| {
                let token = parser.expect(TokenKind::Word)?;
                Ok(parser.text_of(token).to_ascii_uppercase())
            })?;
        }
        self.expect_keyword(Keyword::As)?;
        let query = Box::new(self.nested(Self::select_statement)?);
        let check_option = self.at_keyword(Keyword::With) && self.keyword_at(1, Keyword::Check);
        if check_option {
            self.skip(2);
            self.expect_keyword(Keyword::Option)?;
        }
        while self.eat(TokenKind::Semicolon) {}
        self.expect(TokenKind::End)?;
        Ok(StatementKind::CreateView(Box::new(CreateView {
            verb,
            name,
            columns,
            query,
            options,
            check_option,
        })))
    }

    fn procedure(&mut self, verb: ModuleVerb) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        if self.at(TokenKind::Semicolon) && self.kind_at(1) == TokenKind::Number {
            let line = self.peek().span.line;
            return Err(self.fail(messages::NOT_SUPPORTED.at(line, &["numbered procedures"])));
        }
        self.scope.frame = Frame::Procedure;
        let mut params = Vec::new();
        if self.at(TokenKind::LeftParen) {
            self.advance();
            if !self.at(TokenKind::RightParen) {
                params = self.comma_list(Self::parameter)?;
            }
            self.expect(TokenKind::RightParen)?;
        } else if self.at(TokenKind::Variable) {
            params = self.comma_list(Self::parameter)?;
        }
        let mut options = self.module_options()?;
        if self.eat_keyword(Keyword::For) {
            self.expect_keyword(Keyword::Replication)?;
            options.push(ModuleOption::Other("FOR REPLICATION".to_owned()));
        }
        self.expect_keyword(Keyword::As)?;
        // A procedure may do nothing: installers make it so, to fill it by ALTER.
        let body = if self.at(TokenKind::End) {
            ModuleBody::Statements(Vec::new())
        } else {
            self.module_body()?
        };
        Ok(StatementKind::CreateProcedure(Box::new(CreateProcedure {
            verb,
            name,
            params,
            options,
            body,
        })))
    }

    /// `@name [AS] type [VARYING] [NULL] [= default] [OUTPUT] [READONLY]`
    fn parameter(&mut self) -> Parsed<Parameter> {
        let name = self.variable()?;
        self.eat_keyword(Keyword::As);
        let cursor = self.peek();
        let ty = if self.eat_keyword(Keyword::Cursor) {
            crate::ast::TypeName {
                name: crate::ast::ObjectName::bare(self.ident_of(cursor)),
                args: crate::ast::TypeArgs::None,
                span: cursor.span,
            }
        } else {
            self.type_name()?
        };
        let varying = self.eat_keyword(Keyword::Varying);
        let nullable = self.nullability()?;
        let default = if self.eat(TokenKind::Equal) {
            Some(self.parameter_default()?)
        } else {
            None
        };
        let (mut output, mut readonly) = (false, false);
        loop {
            if self.eat_word("OUTPUT") || self.eat_word("OUT") {
                output = true;
            } else if self.eat_word("READONLY") {
                readonly = true;
            } else {
                break;
            }
        }
        let kind = if varying {
            VariableKind::Cursor
        } else if readonly {
            VariableKind::Table
        } else {
            VariableKind::Scalar
        };
        self.declare(&name, kind);
        Ok(Parameter {
            name,
            ty,
            varying,
            nullable,
            default,
            output,
            readonly,
        })
    }

    /// A constant, with or without a sign, or a bare word, which is a string.
    fn parameter_default(&mut self) -> Parsed<crate::ast::Expr> {
        let token = self.peek();
        let word = Self::is_name(token.kind)
            || matches!(token.kind, TokenKind::Keyword(Keyword::On | Keyword::Off));
        if word {
            self.advance();
            let text = self.ident_of(token).text;
            return Ok(super::name::string_expr(text, token.span));
        }
        self.expr()
    }

    /// `WITH option, …`, when it follows.
    fn module_options(&mut self) -> Parsed<Vec<ModuleOption>> {
        if !self.eat_keyword(Keyword::With) {
            return Ok(Vec::new());
        }
        self.comma_list(|parser| {
            let execute = parser.at_keyword(Keyword::Execute) || parser.at_keyword(Keyword::Exec);
            if execute && parser.keyword_at(1, Keyword::As) {
                parser.skip(2);
                return Ok(ModuleOption::ExecuteAs(parser.module_principal()?));
            }
            if parser.at_word("RETURNS") {
                // RETURNS NULL ON NULL INPUT
                parser.advance();
                parser.expect_keyword(Keyword::Null)?;
                parser.expect_keyword(Keyword::On)?;
                parser.expect_keyword(Keyword::Null)?;
                parser.expect_word("INPUT")?;
                let words = "RETURNS NULL ON NULL INPUT".to_owned();
                return Ok(ModuleOption::Other(words));
            }
            if parser.at_word("CALLED") {
                parser.advance();
                parser.expect_keyword(Keyword::On)?;
                parser.expect_keyword(Keyword::Null)?;
                parser.expect_word("INPUT")?;
                return Ok(ModuleOption::Other("CALLED ON NULL INPUT".to_owned()));
            }
            let token = parser.expect(TokenKind::Word)?;
            let word = parser.text_of(token).to_ascii_uppercase();
            if parser.eat(TokenKind::Equal) {
                parser.on_off()?;
            }
            Ok(ModuleOption::Other(word))
        })
    }

    fn module_principal(&mut self) -> Parsed<ModulePrincipal> {
        if self.eat_word("CALLER") {
            return Ok(ModulePrincipal::Caller);
        }
        if self.eat_word("SELF") {
            return Ok(ModulePrincipal::Myself);
        }
        if self.eat_word("OWNER") {
            return Ok(ModulePrincipal::Owner);
        }
        Ok(ModulePrincipal::User(self.string()?))
    }

    /// The rest of the batch.
    fn module_body(&mut self) -> Parsed<ModuleBody> {
        if self.eat_keyword(Keyword::External) {
            self.expect_word("NAME")?;
            self.object_name()?;
            return Ok(ModuleBody::External);
        }
        let mut statements = Vec::new();
        self.statements_until(&mut statements, |kind| kind == TokenKind::End)?;
        if statements.is_empty() {
            return Err(self.unexpected());
        }
        Ok(ModuleBody::Statements(statements))
    }

    fn function(&mut self, verb: ModuleVerb) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        self.scope.frame = Frame::Function;
        self.expect(TokenKind::LeftParen)?;
        let mut params = Vec::new();
        if !self.at(TokenKind::RightParen) {
            params = self.comma_list(Self::parameter)?;
        }
        self.expect(TokenKind::RightParen)?;
        self.expect_word("RETURNS")?;
        let inline = self.at_keyword(Keyword::Table) && self.kind_at(1) != TokenKind::LeftParen;
        if inline {
            self.advance();
            let options = self.module_options()?;
            let query = self.inline_query()?;
            return Ok(StatementKind::CreateFunction(Box::new(CreateFunction {
                verb,
                name,
                params,
                returns: FunctionReturns::InlineTable(Box::new(query)),
                options,
                body: ModuleBody::Statements(Vec::new()),
            })));
        }
        let returns = if self.at(TokenKind::Variable) {
            let variable = self.variable()?;
            self.expect_keyword(Keyword::Table)?;
            let definition = self.table_definition()?;
            self.declare(&variable, VariableKind::Table);
            FunctionReturns::Table {
                variable,
                definition,
            }
        } else if self.at_keyword(Keyword::Table) {
            // A CLR table function: `RETURNS TABLE (…) AS EXTERNAL NAME …`
            self.skip_statement();
            let feature = "CREATE FUNCTION … EXTERNAL NAME".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        } else {
            FunctionReturns::Scalar(self.type_name()?)
        };
        let options = self.module_options()?;
        self.eat_keyword(Keyword::As);
        let body = self.module_body()?;
        Ok(StatementKind::CreateFunction(Box::new(CreateFunction {
            verb,
            name,
            params,
            returns,
            options,
            body,
        })))
    }

    /// `[AS] RETURN [(] select [)]`
    fn inline_query(&mut self) -> Parsed<crate::ast::SelectStatement> {
        self.eat_keyword(Keyword::As);
        self.expect_keyword(Keyword::Return)?;
        let parens = self.at(TokenKind::LeftParen) && self.keyword_at(1, Keyword::With);
        if parens {
            self.advance();
        }
        let query = self.nested(Self::select_statement)?;
        if parens {
            self.expect(TokenKind::RightParen)?;
        }
        while self.eat(TokenKind::Semicolon) {}
        self.expect(TokenKind::End)?;
        Ok(query)
    }

    fn trigger(&mut self, verb: ModuleVerb) -> Parsed<StatementKind> {
        let name = self.object_name()?;
        self.scope.frame = Frame::Trigger;
        self.expect_keyword(Keyword::On)?;
        let target = if self.eat_keyword(Keyword::Database) {
            TriggerTarget::Database
        } else if self.eat_keyword(Keyword::All) {
            self.expect_word("SERVER")?;
            TriggerTarget::AllServer
        } else {
            TriggerTarget::Table(self.object_name()?)
        };
        let options = self.module_options()?;
        let instead_of = self.eat_word("INSTEAD");
        if instead_of {
            self.expect_keyword(Keyword::Of)?;
        } else if !self.eat_keyword(Keyword::For) {
            self.expect_word("AFTER")?;
        }
        let events = self.comma_list(|parser| {
            let token = parser.peek();
            let event = matches!(
                token.kind,
                TokenKind::Word
                    | TokenKind::Keyword(Keyword::Insert | Keyword::Update | Keyword::Delete)
            );
            if !event {
                return Err(parser.unexpected());
            }
            parser.advance();
            Ok(parser.text_of(token).to_ascii_uppercase())
        })?;
        if self.at_keyword(Keyword::With) && self.word_at(1, "APPEND") {
            self.skip(2);
        }
        if self.at_keyword(Keyword::Not) && self.keyword_at(1, Keyword::For) {
            self.skip(2);
            self.expect_keyword(Keyword::Replication)?;
        }
        self.expect_keyword(Keyword::As)?;
        let body = self.module_body()?;
        Ok(StatementKind::CreateTrigger(Box::new(CreateTrigger {
            verb,
            name,
            target,
            instead_of,
            events,
            options,
            body,
        })))
    }

    /// `ENABLE | DISABLE TRIGGER name, … | ALL ON target`
    pub(super) fn toggle_trigger(&mut self) -> Parsed<StatementKind> {
        let enable = self.at_word("ENABLE");
        self.skip(2);
        let names = if self.eat_keyword(Keyword::All) {
            Vec::new()
        } else {
            self.comma_list(Self::object_name)?
        };
        self.expect_keyword(Keyword::On)?;
        let target = if self.eat_keyword(Keyword::All) {
            self.expect_word("SERVER")?;
            None
        } else if self.eat_keyword(Keyword::Database) {
            None
        } else {
            Some(self.object_name()?)
        };
        Ok(StatementKind::ToggleTrigger {
            enable,
            names,
            target,
        })
    }
}
