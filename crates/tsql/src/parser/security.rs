//! Logins, users, roles, credentials, permissions.

use super::{Parsed, Parser};
use crate::ast::{
    Ident, NamedOption, OptionValue, Password, Permission, PermissionName, PermissionVerb,
    RoleAction, Secret, Securable, SecurityStatement, StatementKind, UserLogin,
};
use crate::lexer::{Keyword, TokenKind};

/// Parts of a password option.
type PasswordOption = (Option<Password>, Vec<NamedOption>);

impl Parser<'_> {
    fn security(statement: SecurityStatement) -> StatementKind {
        StatementKind::Security(Box::new(statement))
    }

    /// Behind CREATE, from LOGIN on.
    pub(super) fn create_login(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let name = self.ident()?;
        let mut password = None;
        let mut options = Vec::new();
        if self.eat_keyword(Keyword::From) {
            let token = self.peek();
            if !matches!(
                token.kind,
                TokenKind::Word | TokenKind::Keyword(Keyword::External)
            ) {
                return Err(self.unexpected());
            }
            self.advance();
            let word = self.ident_of(token);
            options.push(NamedOption {
                name: "FROM".to_owned(),
                value: OptionValue::Name(word),
                span: token.span,
            });
            // CERTIFICATE name, ASYMMETRIC KEY name, EXTERNAL PROVIDER
            self.eat_keyword(Keyword::Key);
            if Self::is_name(self.kind()) {
                self.ident()?;
            }
            if self.eat_keyword(Keyword::With) {
                options.extend(self.comma_list(Self::named_option)?);
            }
        } else {
            self.expect_keyword(Keyword::With)?;
            let (found, more) = self.login_options()?;
            password = found;
            options = more;
            if password.is_none() {
                return Err(self.unexpected());
            }
        }
        Ok(Self::security(SecurityStatement::CreateLogin {
            name,
            password,
            options,
        }))
    }

    /// `PASSWORD = … [HASHED] [MUST_CHANGE] [OLD_PASSWORD = …], option = value, …`
    fn login_options(&mut self) -> Parsed<PasswordOption> {
        let mut password = None;
        let mut options = Vec::new();
        self.comma_list(|parser| {
            if !parser.at_word("PASSWORD") {
                options.push(parser.named_option()?);
                return Ok(());
            }
            parser.advance();
            parser.expect(TokenKind::Equal)?;
            password = Some(parser.password()?);
            if parser.at_word("OLD_PASSWORD") {
                let span = parser.advance().span;
                parser.expect(TokenKind::Equal)?;
                let secret = Secret::new(parser.string()?);
                options.push(NamedOption {
                    name: "OLD_PASSWORD".to_owned(),
                    value: OptionValue::Secret(secret),
                    span,
                });
            }
            Ok(())
        })?;
        Ok((password, options))
    }

    fn password(&mut self) -> Parsed<Password> {
        let token = self.peek();
        let text = if self.eat(TokenKind::Binary) {
            self.text_of(token).to_owned()
        } else {
            self.string()?
        };
        let (mut hashed, mut must_change) = (false, false);
        loop {
            if self.eat_word("HASHED") {
                hashed = true;
            } else if self.eat_word("MUST_CHANGE") {
                must_change = true;
            } else if self.eat_word("UNLOCK") {
                // Behind a password only; a login is never locked here.
            } else {
                break;
            }
        }
        Ok(Password {
            text: Secret::new(text),
            hashed,
            must_change,
        })
    }

    /// Behind ALTER, from LOGIN on.
    pub(super) fn alter_login(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let name = self.ident()?;
        let mut enable = None;
        let mut password = None;
        let mut options = Vec::new();
        if self.eat_word("ENABLE") {
            enable = Some(true);
        } else if self.eat_word("DISABLE") {
            enable = Some(false);
        } else if self.at_keyword(Keyword::Add) || self.at_keyword(Keyword::Drop) {
            let verb = self.advance();
            self.expect_word("CREDENTIAL")?;
            let credential = self.ident()?;
            options.push(NamedOption {
                name: format!("{} CREDENTIAL", self.text_of(verb).to_ascii_uppercase()),
                value: OptionValue::Name(credential),
                span: verb.span,
            });
        } else {
            self.expect_keyword(Keyword::With)?;
            (password, options) = self.login_options()?;
        }
        Ok(Self::security(SecurityStatement::AlterLogin {
            name,
            enable,
            password,
            options,
        }))
    }

    /// Behind CREATE, from USER on.
    pub(super) fn create_user(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let name = self.ident()?;
        let mut login = UserLogin::SameName;
        if self.eat_keyword(Keyword::For) || self.eat_keyword(Keyword::From) {
            if self.eat_word("LOGIN") {
                login = UserLogin::Named(self.ident()?);
            } else {
                let token = self.peek();
                login = UserLogin::Unsupported(self.text_of(token).to_ascii_uppercase());
                self.skip_statement();
            }
        } else if self.eat_word("WITHOUT") {
            self.expect_word("LOGIN")?;
            login = UserLogin::Without;
        }
        let mut options = Vec::new();
        if self.eat_keyword(Keyword::With) {
            let (password, more) = self.login_options()?;
            options = more;
            if password.is_some() {
                login = UserLogin::Unsupported("PASSWORD".to_owned());
            }
        }
        Ok(Self::security(SecurityStatement::CreateUser {
            name,
            login,
            options,
        }))
    }

    /// Behind ALTER, from USER on.
    pub(super) fn alter_user(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let name = self.ident()?;
        self.expect_keyword(Keyword::With)?;
        let options = self.comma_list(Self::named_option)?;
        Ok(Self::security(SecurityStatement::AlterUser {
            name,
            options,
        }))
    }

    /// Behind DROP, from USER on.
    pub(super) fn drop_user(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let if_exists = self.if_exists()?;
        let name = self.ident()?;
        Ok(Self::security(SecurityStatement::DropUser {
            if_exists,
            name,
        }))
    }

    /// Behind CREATE, from [SERVER] ROLE on.
    pub(super) fn create_role(&mut self) -> Parsed<StatementKind> {
        let server = self.eat_word("SERVER");
        self.advance();
        let name = self.ident()?;
        let owner = if self.eat_keyword(Keyword::Authorization) {
            Some(self.ident()?)
        } else {
            None
        };
        Ok(Self::security(SecurityStatement::CreateRole {
            server,
            name,
            owner,
        }))
    }

    /// Behind ALTER, from [SERVER] ROLE on.
    pub(super) fn alter_role(&mut self) -> Parsed<StatementKind> {
        let server = self.eat_word("SERVER");
        self.advance();
        let name = self.ident()?;
        let action = if self.eat_keyword(Keyword::Add) {
            self.expect_word("MEMBER")?;
            RoleAction::AddMember(self.ident()?)
        } else if self.eat_keyword(Keyword::Drop) {
            self.expect_word("MEMBER")?;
            RoleAction::DropMember(self.ident()?)
        } else {
            self.expect_keyword(Keyword::With)?;
            self.expect_word("NAME")?;
            self.expect(TokenKind::Equal)?;
            RoleAction::Rename(self.ident()?)
        };
        Ok(Self::security(SecurityStatement::AlterRole {
            server,
            name,
            action,
        }))
    }

    /// Behind DROP, from LOGIN, ROLE, SERVER ROLE or CREDENTIAL on.
    pub(super) fn drop_principal(&mut self) -> Parsed<StatementKind> {
        if self.eat_word("LOGIN") {
            let name = self.ident()?;
            return Ok(Self::security(SecurityStatement::DropLogin { name }));
        }
        if self.eat_word("CREDENTIAL") {
            let name = self.ident()?;
            return Ok(Self::security(SecurityStatement::DropCredential { name }));
        }
        let server = self.eat_word("SERVER");
        self.expect_word("ROLE")?;
        let if_exists = self.if_exists()?;
        let name = self.ident()?;
        Ok(Self::security(SecurityStatement::DropRole {
            server,
            if_exists,
            name,
        }))
    }

    /// Behind CREATE or ALTER, from CREDENTIAL on.
    pub(super) fn credential(&mut self, alter: bool) -> Parsed<StatementKind> {
        self.advance();
        let name = self.ident()?;
        self.expect_keyword(Keyword::With)?;
        self.expect_keyword(Keyword::Identity)?;
        self.expect(TokenKind::Equal)?;
        let identity = self.string()?;
        let secret = if self.eat(TokenKind::Comma) {
            self.expect_word("SECRET")?;
            self.expect(TokenKind::Equal)?;
            Some(Secret::new(self.string()?))
        } else {
            None
        };
        if self.at_keyword(Keyword::For) {
            self.skip_statement();
            let feature = "CREATE CREDENTIAL … FOR CRYPTOGRAPHIC PROVIDER".to_owned();
            return Ok(StatementKind::Unsupported { feature });
        }
        Ok(Self::security(SecurityStatement::Credential {
            alter,
            name,
            identity,
            secret,
        }))
    }

    /// Behind ALTER, from AUTHORIZATION on.
    pub(super) fn alter_authorization(&mut self) -> Parsed<StatementKind> {
        self.advance();
        self.expect_keyword(Keyword::On)?;
        let securable = self.securable()?;
        self.expect_keyword(Keyword::To)?;
        let owner = if self.at_keyword(Keyword::Schema) && self.word_at(1, "OWNER") {
            self.skip(2);
            None
        } else {
            Some(self.ident()?)
        };
        Ok(Self::security(SecurityStatement::AlterAuthorization {
            securable,
            owner,
        }))
    }

    /// `[class::]name`
    fn securable(&mut self) -> Parsed<Securable> {
        // A class is one or several words: `OBJECT`, `SERVER ROLE`, `XML SCHEMA COLLECTION`.
        let mut ahead = 0;
        while matches!(self.kind_at(ahead), TokenKind::Word | TokenKind::Keyword(_)) {
            ahead += 1;
        }
        if ahead > 0 && self.kind_at(ahead) == TokenKind::DoubleColon {
            let words = (0..ahead).map(|at| self.text_of(self.peek_at(at)).to_ascii_uppercase());
            let class = Some(words.collect::<Vec<_>>().join(" "));
            self.skip(ahead + 1);
            let name = self.object_name()?;
            return Ok(Securable {
                class,
                name,
                columns: Vec::new(),
            });
        }
        let name = self.object_name()?;
        Ok(Securable {
            class: None,
            name,
            columns: Vec::new(),
        })
    }

    /// `GRANT | DENY | REVOKE …`
    pub(super) fn permission(&mut self, keyword: Keyword) -> Parsed<StatementKind> {
        self.advance();
        let verb = match keyword {
            Keyword::Grant => PermissionVerb::Grant,
            Keyword::Deny => PermissionVerb::Deny,
            _ => PermissionVerb::Revoke,
        };
        let mut grant_option_for = false;
        if verb == PermissionVerb::Revoke && self.at_keyword(Keyword::Grant) {
            self.advance();
            self.expect_keyword(Keyword::Option)?;
            self.expect_keyword(Keyword::For)?;
            grant_option_for = true;
        }
        let permissions = self.comma_list(Self::permission_name)?;
        let securable = if self.eat_keyword(Keyword::On) {
            let mut securable = self.securable()?;
            if self.at(TokenKind::LeftParen) {
                securable.columns = self.name_list()?;
            }
            Some(securable)
        } else {
            None
        };
        let from = verb == PermissionVerb::Revoke && self.eat_keyword(Keyword::From);
        if !from {
            self.expect_keyword(Keyword::To)?;
        }
        let principals = self.comma_list(Self::principal)?;
        let mut permission = Permission {
            verb,
            grant_option_for,
            permissions,
            securable,
            principals,
            with_grant_option: false,
            cascade: false,
            grantor: None,
        };
        loop {
            if self.at_keyword(Keyword::With) && self.keyword_at(1, Keyword::Grant) {
                self.skip(2);
                self.expect_keyword(Keyword::Option)?;
                permission.with_grant_option = true;
            } else if self.eat_keyword(Keyword::Cascade) {
                permission.cascade = true;
            } else if self.eat_keyword(Keyword::As) {
                permission.grantor = Some(self.principal()?);
            } else {
                break;
            }
        }
        Ok(Self::security(SecurityStatement::Permission(permission)))
    }

    /// A name, or PUBLIC, which is reserved.
    fn principal(&mut self) -> Parsed<Ident> {
        if self.at_keyword(Keyword::Public) {
            let token = self.advance();
            return Ok(self.ident_of(token));
        }
        self.ident()
    }

    /// Words up to ON, TO, FROM, a comma or columns.
    fn permission_name(&mut self) -> Parsed<PermissionName> {
        let mut words: Vec<String> = Vec::new();
        loop {
            let token = self.peek();
            let ends = matches!(
                token.kind,
                TokenKind::Keyword(Keyword::On | Keyword::To | Keyword::From)
            );
            let word = matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_));
            if ends || !word {
                break;
            }
            self.advance();
            words.push(self.text_of(token).to_ascii_uppercase());
        }
        if words.is_empty() {
            return Err(self.unexpected());
        }
        let columns = if self.at(TokenKind::LeftParen) {
            self.name_list()?
        } else {
            Vec::new()
        };
        let name = match words.join(" ").as_str() {
            "EXEC" => "EXECUTE".to_owned(),
            "ALL PRIVILEGES" => "ALL".to_owned(),
            words => words.to_owned(),
        };
        Ok(PermissionName { name, columns })
    }
}
