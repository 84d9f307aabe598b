//! Statements about principals, handed to the host.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a SID is a binary constant and nothing else"
)]

use super::Interpreter;
use crate::host::AdminStatement;
use tsql::ast::{
    Literal, NamedOption, OptionValue, Permission, PermissionVerb, RoleAction, SecurityStatement,
    UserLogin,
};
use tsql::{SqlError, fault, messages};

/// The principal does not exist, or may not be seen.
const NO_SUCH_PRINCIPAL: i32 = 15_151;

impl Interpreter<'_> {
    pub(super) fn security(&mut self, statement: &SecurityStatement) -> Result<(), SqlError> {
        if let SecurityStatement::Permission(permission) = statement {
            return self.permission(permission);
        }
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

/// Permissions on objects that mean something here.
const PERMISSIONS: &[&str] = &[
    "EXECUTE",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "REFERENCES",
    "ALTER",
    "CONTROL",
    "VIEW DEFINITION",
];

/// What ALL stands for.
const ALL: &[&str] = &[
    "EXECUTE",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "REFERENCES",
];

impl Interpreter<'_> {
    /// GRANT, DENY and REVOKE of permissions on objects.
    fn permission(&mut self, statement: &Permission) -> Result<(), SqlError> {
        let verb = match statement.verb {
            PermissionVerb::Grant => "GRANT",
            PermissionVerb::Deny => "DENY",
            PermissionVerb::Revoke => "REVOKE",
        };
        let refused = |what: &str| Err(fault::not_supported(&format!("{verb} … {what}")));
        let Some(securable) = &statement.securable else {
            return refused("without ON an object");
        };
        if let Some(class) = securable.class.as_ref().filter(|class| *class != "OBJECT") {
            return refused(&format!("ON {class}::"));
        }
        if statement.with_grant_option || statement.grant_option_for {
            return refused("WITH GRANT OPTION");
        }
        if statement.grantor.is_some() {
            return refused("AS");
        }
        let mut permissions: Vec<&str> = Vec::new();
        for permission in &statement.permissions {
            if !permission.columns.is_empty() {
                return refused("of columns");
            }
            match permission.name.as_str() {
                "ALL" | "ALL PRIVILEGES" => permissions.extend(ALL),
                name if PERMISSIONS.contains(&name) => permissions.push(name),
                other => return refused(other),
            }
        }
        let name = &securable.name;
        let here = name.database.as_ref();
        let here = here.map_or(self.core.database.as_str(), |part| &part.text);
        let database = self
            .core
            .shared
            .host()
            .database(here)
            .ok_or_else(|| messages::UNKNOWN_DATABASE.with(&[here]))?;
        let schema = name.schema.as_ref().map_or("dbo", |part| &part.text);
        let object = &name.name.text;
        let known = {
            let host = self.core.shared.host();
            let places = [(database.as_str(), schema), ("master", "sys")];
            places.iter().any(|(database, schema)| {
                host.table(database, schema, object).is_some()
                    || host.procedure(database, schema, object).is_some()
                    || host.function(database, schema, object).is_some()
            })
        } || self
            .core
            .shared
            .permanent
            .find(&database, schema, object)?
            .is_some();
        if !known {
            let shown = name.to_string();
            return Err(SqlError::new(
                NO_SUCH_PRINCIPAL,
                16,
                format!(
                    "Cannot find the object '{shown}', because it does not exist or you do not have permission."
                ),
            ));
        }
        for grantee in &statement.principals {
            for permission in &permissions {
                let statement = AdminStatement::Permission {
                    state: match statement.verb {
                        PermissionVerb::Grant => Some(true),
                        PermissionVerb::Deny => Some(false),
                        PermissionVerb::Revoke => None,
                    },
                    permission: (*permission).to_owned(),
                    object: format!("{schema}.{object}"),
                    grantee: grantee.text.clone(),
                };
                let shared = std::sync::Arc::clone(&self.core.shared);
                shared.host().administer(&database, &statement)?;
            }
        }
        Ok(())
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
