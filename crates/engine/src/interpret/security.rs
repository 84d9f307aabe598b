//! Statements about principals, handed to the host.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an option has one kind of value and no other"
)]

use super::Interpreter;
use crate::host::{AdminStatement, GivenPassword, PermissionChange};
use tsql::ast::{
    Literal, NamedOption, OptionValue, Password, Permission, PermissionVerb, RoleAction,
    SecurityStatement, UserLogin,
};
use tsql::{SqlError, fault, messages};

/// The principal does not exist, or may not be seen.
const NO_SUCH_PRINCIPAL: i32 = 15_151;

impl Interpreter<'_> {
    pub(super) fn security(&mut self, statement: &SecurityStatement) -> Result<(), SqlError> {
        if let SecurityStatement::AlterAuthorization { securable, owner } = statement {
            return self.alter_authorization(securable, owner.as_ref());
        }
        let if_exists = matches!(
            statement,
            SecurityStatement::DropUser {
                if_exists: true,
                ..
            } | SecurityStatement::DropRole {
                if_exists: true,
                ..
            }
        );
        let statement = match statement {
            SecurityStatement::Permission(permission) => {
                AdminStatement::Permission(self.permission(permission)?)
            }
            other => admin(other)?,
        };
        let database = self.core.database.clone();
        let done = self.administer(&database, &statement);
        match done {
            Err(error) if if_exists && error.number == NO_SUCH_PRINCIPAL => Ok(()),
            done => done,
        }
    }

    /// Hands a statement about principals to the host.
    pub(super) fn administer(
        &mut self,
        database: &str,
        statement: &AdminStatement,
    ) -> Result<(), SqlError> {
        let lock_timeout = self.core.shared.facts().lock_timeout;
        let mut host = self.core.shared.host();
        host.set_lock_timeout(lock_timeout);
        host.administer(database, statement)
    }

    /// GRANT, DENY and REVOKE, for the host to judge.
    fn permission(&self, statement: &Permission) -> Result<PermissionChange, SqlError> {
        let text = |ident: &tsql::ast::Ident| ident.text.clone();
        let mut change = PermissionChange {
            state: match statement.verb {
                PermissionVerb::Grant => Some(true),
                PermissionVerb::Deny => Some(false),
                PermissionVerb::Revoke => None,
            },
            permissions: Vec::with_capacity(statement.permissions.len()),
            grantees: statement.principals.iter().map(text).collect(),
            grantable: statement.with_grant_option,
            option_only: statement.grant_option_for,
            cascade: statement.cascade,
            grantor: statement.grantor.as_ref().map(text),
            ..PermissionChange::default()
        };
        for permission in &statement.permissions {
            let columns = permission.columns.iter().map(text).collect();
            change.permissions.push((permission.name.clone(), columns));
        }
        let Some(securable) = &statement.securable else {
            return Ok(change);
        };
        let name = &securable.name;
        change.class = securable.class.as_deref().unwrap_or("OBJECT").to_owned();
        change.name = text(&name.name);
        change.schema = name.schema.as_ref().map(text).unwrap_or_default();
        if let Some(database) = &name.database
            && !tsql::eval::collate::same(&database.text, &self.core.database)
        {
            return Err(messages::OTHER_DATABASE.with(&[]));
        }
        for (_, columns) in &mut change.permissions {
            columns.extend(securable.columns.iter().map(text));
        }
        Ok(change)
    }
}

fn admin(statement: &SecurityStatement) -> Result<AdminStatement, SqlError> {
    let refused = |what: &str| Err(fault::not_supported(what));
    Ok(match statement {
        SecurityStatement::CreateLogin {
            name,
            password,
            options,
        } => {
            let Some(password) = password else {
                let from = name_of(options, "FROM").unwrap_or_default();
                return refused(&format!("CREATE LOGIN … FROM {}", from.to_uppercase()));
            };
            AdminStatement::CreateLogin {
                name: name.text.clone(),
                password: given(password)?,
                sid: sid(options),
                default_database: name_of(options, "DEFAULT_DATABASE"),
            }
        }
        SecurityStatement::AlterLogin {
            name,
            enable,
            password,
            options,
        } => {
            // Policies and languages of a login have nothing to act on; a credential would.
            let unknown = options.iter().find(|option| {
                matches!(
                    option.name.as_str(),
                    "ADD CREDENTIAL" | "DROP CREDENTIAL" | "CREDENTIAL"
                )
            });
            if let Some(option) = unknown {
                return refused(&format!("ALTER LOGIN … {}", option.name));
            }
            let old = options.iter().find_map(|option| match &option.value {
                OptionValue::Secret(secret) if option.name == "OLD_PASSWORD" => {
                    Some(GivenPassword {
                        text: secret.reveal().to_owned(),
                        hashed: false,
                    })
                }
                _ => None,
            });
            AdminStatement::AlterLogin {
                name: name.text.clone(),
                password: password.as_ref().map(given).transpose()?,
                old_password: old,
                enabled: *enable,
                rename: name_of(options, "NAME"),
                default_database: name_of(options, "DEFAULT_DATABASE"),
            }
        }
        SecurityStatement::DropLogin { name } => AdminStatement::DropLogin {
            name: name.text.clone(),
        },
        SecurityStatement::CreateUser {
            name,
            login,
            options,
        } => AdminStatement::CreateUser {
            name: name.text.clone(),
            login: match login {
                UserLogin::SameName => Some(name.text.clone()),
                UserLogin::Named(login) => Some(login.text.clone()),
                UserLogin::Without => None,
                UserLogin::Unsupported(feature) => {
                    return refused(&format!("CREATE USER … {feature}"));
                }
            },
            default_schema: name_of(options, "DEFAULT_SCHEMA"),
        },
        SecurityStatement::AlterUser { name, options } => AdminStatement::AlterUser {
            name: name.text.clone(),
            rename: name_of(options, "NAME"),
            login: name_of(options, "LOGIN"),
            default_schema: options
                .iter()
                .find(|option| option.name == "DEFAULT_SCHEMA")
                .map(|_| name_of(options, "DEFAULT_SCHEMA")),
        },
        SecurityStatement::DropUser { name, .. } => AdminStatement::DropUser {
            name: name.text.clone(),
        },
        SecurityStatement::AlterRole {
            server,
            name,
            action,
        } => {
            let (member, add) = match action {
                RoleAction::AddMember(member) => (member.text.clone(), true),
                RoleAction::DropMember(member) => (member.text.clone(), false),
                RoleAction::Rename(new) => {
                    return Ok(AdminStatement::RenameRole {
                        server: *server,
                        name: name.text.clone(),
                        new: new.text.clone(),
                    });
                }
            };
            let role = name.text.clone();
            if *server {
                AdminStatement::AlterServerRole { role, member, add }
            } else {
                AdminStatement::AlterRole { role, member, add }
            }
        }
        SecurityStatement::Credential {
            alter,
            name,
            identity,
            secret,
        } => {
            let name = name.text.clone();
            let identity = identity.clone();
            let secret = secret.as_ref().map(|secret| secret.reveal().to_owned());
            if *alter {
                AdminStatement::AlterCredential {
                    name,
                    identity,
                    secret,
                }
            } else {
                AdminStatement::CreateCredential {
                    name,
                    identity,
                    secret,
                }
            }
        }
        SecurityStatement::DropCredential { name } => AdminStatement::DropCredential {
            name: name.text.clone(),
        },
        SecurityStatement::CreateRole {
            server,
            name,
            owner,
        } => AdminStatement::CreateRole {
            server: *server,
            name: name.text.clone(),
            owner: owner.as_ref().map(|owner| owner.text.clone()),
        },
        SecurityStatement::DropRole { server, name, .. } => AdminStatement::DropRole {
            server: *server,
            name: name.text.clone(),
        },
        SecurityStatement::Permission(_) | SecurityStatement::AlterAuthorization { .. } => {
            return Err(fault::internal("a statement of another kind"));
        }
    })
}

/// A password as it was given; one that its owner has to change at once is refused, for nothing would make them.
fn given(password: &Password) -> Result<GivenPassword, SqlError> {
    if password.must_change {
        return Err(fault::not_supported("MUST_CHANGE"));
    }
    Ok(GivenPassword {
        text: password.text.reveal().to_owned(),
        hashed: password.hashed,
    })
}

/// The name that an option has as its value.
fn name_of(options: &[NamedOption], name: &str) -> Option<String> {
    options
        .iter()
        .find(|option| option.name == name)
        .and_then(|option| match &option.value {
            OptionValue::Name(value) => Some(value.text.clone()),
            _ => None,
        })
}

fn sid(options: &[NamedOption]) -> Option<Vec<u8>> {
    options
        .iter()
        .find(|option| option.name == "SID")
        .and_then(|option| match &option.value {
            OptionValue::Literal(Literal::Binary(bytes)) => Some(bytes.clone()),
            _ => None,
        })
}
