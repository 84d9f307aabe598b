//! Statements about principals, handed to the host.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a SID is a binary constant and nothing else"
)]

use super::Interpreter;
use crate::host::AdminStatement;
use tsql::ast::{Literal, NamedOption, OptionValue, RoleAction, SecurityStatement, UserLogin};
use tsql::{SqlError, fault};

/// The principal does not exist, or may not be seen.
const NO_SUCH_PRINCIPAL: i32 = 15_151;

impl Interpreter<'_> {
    pub(super) fn security(&mut self, statement: &SecurityStatement) -> Result<(), SqlError> {
        let if_exists = matches!(
            statement,
            SecurityStatement::DropUser {
                if_exists: true,
                ..
            }
        );
        let statement = admin(statement)?;
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
                return refused("CREATE LOGIN without a password");
            };
            if password.hashed {
                return refused("CREATE LOGIN with a HASHED password");
            }
            AdminStatement::CreateLogin {
                name: name.text.clone(),
                password: password.text.reveal().to_owned(),
                sid: sid(options),
            }
        }
        SecurityStatement::AlterLogin {
            name,
            enable,
            password,
            options,
        } => {
            // Defaults and policies of a login have nothing to act on; a rename or a credential would.
            let unknown = options.iter().find(|option| {
                matches!(
                    option.name.as_str(),
                    "NAME" | "ADD CREDENTIAL" | "DROP CREDENTIAL"
                )
            });
            if let Some(option) = unknown {
                return refused(&format!("ALTER LOGIN … {}", option.name));
            }
            if password.as_ref().is_some_and(|password| password.hashed) {
                return refused("ALTER LOGIN with a HASHED password");
            }
            AdminStatement::AlterLogin {
                name: name.text.clone(),
                password: password.as_ref().map(|p| p.text.reveal().to_owned()),
                enabled: *enable,
            }
        }
        SecurityStatement::DropLogin { name } => AdminStatement::DropLogin {
            name: name.text.clone(),
        },
        SecurityStatement::CreateUser { name, login, .. } => AdminStatement::CreateUser {
            name: name.text.clone(),
            login: match login {
                UserLogin::SameName => name.text.clone(),
                UserLogin::Named(login) => login.text.clone(),
                UserLogin::Without => return refused("CREATE USER WITHOUT LOGIN"),
                UserLogin::Unsupported(feature) => return refused(feature),
            },
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
                RoleAction::Rename(_) => return refused("ALTER ROLE … WITH NAME"),
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
        SecurityStatement::AlterUser { .. } => return refused("ALTER USER"),
        SecurityStatement::CreateRole { .. } => return refused("CREATE ROLE"),
        SecurityStatement::DropRole { .. } => return refused("DROP ROLE"),
        SecurityStatement::Permission(_) => return refused("GRANT, DENY and REVOKE"),
        SecurityStatement::AlterAuthorization { .. } => return refused("ALTER AUTHORIZATION"),
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
