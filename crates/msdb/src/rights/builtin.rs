//! The permissions there are: on what, their codes, and which other permission each is a part of.
//!
//! Source: SQL Server's documentation, sys.fn_builtin_permissions and the pages of GRANT.

/// A class of securables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The server.
    Server,
    /// A login.
    Login,
    /// A role of the server.
    ServerRole,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A table, view, procedure, function or synonym.
    Object,
    /// A type.
    Type,
    /// A user of a database.
    User,
    /// A role of a database.
    Role,
}

impl Class {
    /// Every class.
    pub(crate) const ALL: [Self; 9] = [
        Self::Server,
        Self::Login,
        Self::ServerRole,
        Self::Database,
        Self::Schema,
        Self::Object,
        Self::Type,
        Self::User,
        Self::Role,
    ];

    /// Its name, as `class_desc` and `class::name` have it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Server => "SERVER",
            Self::Login => "LOGIN",
            Self::ServerRole => "SERVER ROLE",
            Self::Database => "DATABASE",
            Self::Schema => "SCHEMA",
            Self::Object => "OBJECT",
            Self::Type => "TYPE",
            Self::User => "USER",
            Self::Role => "ROLE",
        }
    }

    /// The class of a name.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.word().eq_ignore_ascii_case(word))
    }

    /// What contains it.
    pub(crate) const fn parent(self) -> Option<Self> {
        match self {
            Self::Server => None,
            Self::Login | Self::ServerRole | Self::Database => Some(Self::Server),
            Self::Schema | Self::User | Self::Role => Some(Self::Database),
            Self::Object | Self::Type => Some(Self::Schema),
        }
    }
}

/// A permission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builtin {
    /// On what.
    pub(crate) class: Class,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its code, `type` of sys.database_permissions.
    pub(crate) code: &'static str,
    /// The permission on the same securable that includes it; empty for the greatest.
    pub(crate) covered_by: &'static str,
    /// The permission on what contains the securable that includes it; empty for none.
    pub(crate) of_parent: &'static str,
}

const fn on(
    class: Class,
    name: &'static str,
    code: &'static str,
    covered_by: &'static str,
    of_parent: &'static str,
) -> Builtin {
    Builtin {
        class,
        name,
        code,
        covered_by,
        of_parent,
    }
}

const fn server(name: &'static str, code: &'static str) -> Builtin {
    on(Class::Server, name, code, "CONTROL SERVER", "")
}

/// One of a database that comes with CONTROL.
const fn controlled(name: &'static str, code: &'static str) -> Builtin {
    on(Class::Database, name, code, "CONTROL", "CONTROL SERVER")
}

/// One of a database that comes with ALTER.
const fn altered(name: &'static str, code: &'static str) -> Builtin {
    on(Class::Database, name, code, "ALTER", "CONTROL SERVER")
}

/// One of a schema that is also one of its database.
const fn schema(name: &'static str, code: &'static str) -> Builtin {
    on(Class::Schema, name, code, "CONTROL", name)
}

/// One of an object that is also one of its schema.
const fn object(name: &'static str, code: &'static str) -> Builtin {
    on(Class::Object, name, code, "CONTROL", name)
}

/// All of them, in the order of their classes.
pub(crate) const BUILTIN: &[Builtin] = &[
    server("CONNECT SQL", "COSQ"),
    server("SHUTDOWN", "SHDN"),
    on(
        Class::Server,
        "CREATE ANY DATABASE",
        "CRDB",
        "ALTER ANY DATABASE",
        "",
    ),
    server("ALTER ANY LOGIN", "ALLG"),
    server("ALTER ANY CREDENTIAL", "ALCD"),
    server("ALTER ANY CONNECTION", "ALCO"),
    server("ALTER ANY LINKED SERVER", "ALLS"),
    server("ALTER ANY DATABASE", "ALDB"),
    server("ALTER RESOURCES", "ALRS"),
    server("ALTER SETTINGS", "ALST"),
    server("ALTER TRACE", "ALTR"),
    server("ADMINISTER BULK OPERATIONS", "ADBO"),
    server("AUTHENTICATE SERVER", "AUTH"),
    server("VIEW ANY DATABASE", "VWDB"),
    server("VIEW ANY DEFINITION", "VWAD"),
    on(
        Class::Server,
        "VIEW SERVER STATE",
        "VWSS",
        "ALTER SERVER STATE",
        "",
    ),
    server("ALTER SERVER STATE", "ALSS"),
    server("ALTER ANY SERVER ROLE", "ALSR"),
    on(
        Class::Server,
        "CREATE SERVER ROLE",
        "CRSR",
        "ALTER ANY SERVER ROLE",
        "",
    ),
    server("CONNECT ANY DATABASE", "CADB"),
    server("IMPERSONATE ANY LOGIN", "IAL"),
    server("SELECT ALL USER SECURABLES", "SUS"),
    on(Class::Server, "CONTROL SERVER", "CL", "", ""),
    on(
        Class::Login,
        "IMPERSONATE",
        "IM",
        "CONTROL",
        "IMPERSONATE ANY LOGIN",
    ),
    on(
        Class::Login,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW ANY DEFINITION",
    ),
    on(Class::Login, "ALTER", "AL", "CONTROL", "ALTER ANY LOGIN"),
    on(Class::Login, "CONTROL", "CL", "", "CONTROL SERVER"),
    on(
        Class::ServerRole,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW ANY DEFINITION",
    ),
    on(
        Class::ServerRole,
        "TAKE OWNERSHIP",
        "TO",
        "CONTROL",
        "CONTROL SERVER",
    ),
    on(
        Class::ServerRole,
        "ALTER",
        "AL",
        "CONTROL",
        "ALTER ANY SERVER ROLE",
    ),
    on(Class::ServerRole, "CONTROL", "CL", "", "CONTROL SERVER"),
    altered("CREATE TABLE", "CRTB"),
    altered("CREATE VIEW", "CRVW"),
    altered("CREATE PROCEDURE", "CRPR"),
    altered("CREATE FUNCTION", "CRFN"),
    altered("CREATE RULE", "CRRU"),
    altered("CREATE DEFAULT", "CRDF"),
    controlled("BACKUP DATABASE", "BADB"),
    controlled("BACKUP LOG", "BALO"),
    on(
        Class::Database,
        "CREATE DATABASE",
        "CRDB",
        "CONTROL",
        "CREATE ANY DATABASE",
    ),
    altered("CREATE TYPE", "CRTY"),
    altered("CREATE SYNONYM", "CRSN"),
    on(
        Class::Database,
        "CREATE ROLE",
        "CRRL",
        "ALTER ANY ROLE",
        "CONTROL SERVER",
    ),
    on(
        Class::Database,
        "CREATE SCHEMA",
        "CRSM",
        "ALTER ANY SCHEMA",
        "CONTROL SERVER",
    ),
    altered("ALTER ANY USER", "ALUS"),
    altered("ALTER ANY ROLE", "ALRL"),
    altered("ALTER ANY APPLICATION ROLE", "ALAR"),
    altered("ALTER ANY SCHEMA", "ALSM"),
    altered("ALTER ANY DATABASE DDL TRIGGER", "ALTG"),
    on(
        Class::Database,
        "AUTHENTICATE",
        "AUTH",
        "CONTROL",
        "AUTHENTICATE SERVER",
    ),
    on(
        Class::Database,
        "CONNECT",
        "CO",
        "CONTROL",
        "CONNECT ANY DATABASE",
    ),
    controlled("REFERENCES", "RF"),
    on(
        Class::Database,
        "SELECT",
        "SL",
        "CONTROL",
        "SELECT ALL USER SECURABLES",
    ),
    controlled("INSERT", "IN"),
    controlled("UPDATE", "UP"),
    controlled("DELETE", "DL"),
    controlled("EXECUTE", "EX"),
    controlled("CHECKPOINT", "CP"),
    on(
        Class::Database,
        "SHOWPLAN",
        "SPLN",
        "CONTROL",
        "ALTER TRACE",
    ),
    on(
        Class::Database,
        "VIEW DATABASE STATE",
        "VWDS",
        "CONTROL",
        "VIEW SERVER STATE",
    ),
    on(
        Class::Database,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW ANY DEFINITION",
    ),
    controlled("TAKE OWNERSHIP", "TO"),
    on(
        Class::Database,
        "ALTER",
        "AL",
        "CONTROL",
        "ALTER ANY DATABASE",
    ),
    on(Class::Database, "CONTROL", "CL", "", "CONTROL SERVER"),
    schema("REFERENCES", "RF"),
    schema("EXECUTE", "EX"),
    schema("SELECT", "SL"),
    schema("INSERT", "IN"),
    schema("UPDATE", "UP"),
    schema("DELETE", "DL"),
    schema("VIEW DEFINITION", "VW"),
    on(Class::Schema, "TAKE OWNERSHIP", "TO", "CONTROL", "CONTROL"),
    on(
        Class::Schema,
        "CREATE SEQUENCE",
        "CRSO",
        "ALTER",
        "ALTER ANY SCHEMA",
    ),
    on(Class::Schema, "ALTER", "AL", "CONTROL", "ALTER ANY SCHEMA"),
    on(Class::Schema, "CONTROL", "CL", "", "CONTROL"),
    object("SELECT", "SL"),
    object("UPDATE", "UP"),
    object("REFERENCES", "RF"),
    object("INSERT", "IN"),
    object("DELETE", "DL"),
    object("EXECUTE", "EX"),
    object("VIEW DEFINITION", "VW"),
    on(Class::Object, "TAKE OWNERSHIP", "TO", "CONTROL", "CONTROL"),
    object("ALTER", "AL"),
    on(Class::Object, "CONTROL", "CL", "", "CONTROL"),
    on(Class::Type, "REFERENCES", "RF", "CONTROL", "REFERENCES"),
    on(Class::Type, "EXECUTE", "EX", "CONTROL", "EXECUTE"),
    on(
        Class::Type,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW DEFINITION",
    ),
    on(Class::Type, "TAKE OWNERSHIP", "TO", "CONTROL", "CONTROL"),
    on(Class::Type, "CONTROL", "CL", "", "CONTROL"),
    on(Class::User, "IMPERSONATE", "IM", "CONTROL", "CONTROL"),
    on(
        Class::User,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW DEFINITION",
    ),
    on(Class::User, "ALTER", "AL", "CONTROL", "ALTER ANY USER"),
    on(Class::User, "CONTROL", "CL", "", "CONTROL"),
    on(
        Class::Role,
        "VIEW DEFINITION",
        "VW",
        "CONTROL",
        "VIEW DEFINITION",
    ),
    on(Class::Role, "TAKE OWNERSHIP", "TO", "CONTROL", "CONTROL"),
    on(Class::Role, "ALTER", "AL", "CONTROL", "ALTER ANY ROLE"),
    on(Class::Role, "CONTROL", "CL", "", "CONTROL"),
];

/// The permission of a name on a class of securables.
pub(crate) fn find(class: Class, name: &str) -> Option<&'static Builtin> {
    BUILTIN
        .iter()
        .find(|builtin| builtin.class == class && builtin.name.eq_ignore_ascii_case(name))
}

/// Permissions on a class of securables.
pub(crate) fn of_class(class: Class) -> impl Iterator<Item = &'static Builtin> {
    BUILTIN.iter().filter(move |builtin| builtin.class == class)
}

/// The permission itself and all that include it, on the securable and on what contains it.
pub(crate) fn covering(class: Class, name: &str) -> Vec<(Class, &'static str)> {
    let mut found: Vec<(Class, &'static str)> = Vec::new();
    let mut open: Vec<(Class, &str)> = vec![(class, name)];
    while let Some((class, name)) = open.pop() {
        let Some(builtin) = find(class, name) else {
            continue;
        };
        if found.contains(&(class, builtin.name)) {
            continue;
        }
        found.push((class, builtin.name));
        open.push((class, builtin.covered_by));
        if let Some(parent) = class.parent() {
            open.push((parent, builtin.of_parent));
        }
    }
    found
}

/// What members of a fixed role of a database may do in it.
///
/// Source: SQL Server's documentation, "Database-Level Roles".
pub(crate) fn of_database_role(role: &str) -> &'static [&'static str] {
    match role {
        "db_owner" => &["CONTROL"],
        "db_accessadmin" => &["ALTER ANY USER", "CREATE SCHEMA", "CONNECT"],
        "db_securityadmin" => &[
            "ALTER ANY APPLICATION ROLE",
            "ALTER ANY ROLE",
            "CREATE SCHEMA",
            "VIEW DEFINITION",
        ],
        "db_ddladmin" => &[
            "ALTER ANY DATABASE DDL TRIGGER",
            "ALTER ANY SCHEMA",
            "CHECKPOINT",
            "CREATE DEFAULT",
            "CREATE FUNCTION",
            "CREATE PROCEDURE",
            "CREATE RULE",
            "CREATE SCHEMA",
            "CREATE SYNONYM",
            "CREATE TABLE",
            "CREATE TYPE",
            "CREATE VIEW",
            "REFERENCES",
            "VIEW DEFINITION",
        ],
        "db_backupoperator" => &["BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"],
        "db_datareader" => &["SELECT"],
        "db_datawriter" => &["INSERT", "UPDATE", "DELETE"],
        _ => &[],
    }
}

/// What a fixed role of a database keeps its members from.
pub(crate) fn denied_by_role(role: &str) -> &'static [&'static str] {
    match role {
        "db_denydatareader" => &["SELECT"],
        "db_denydatawriter" => &["INSERT", "UPDATE", "DELETE"],
        _ => &[],
    }
}

/// What members of a fixed role of the server may do, beside sysadmin, which may do everything.
///
/// Source: SQL Server's documentation, "Server-Level Roles".
pub(crate) fn of_server_role(role: &str) -> &'static [&'static str] {
    match role {
        "securityadmin" => &["ALTER ANY LOGIN"],
        "serveradmin" => &[
            "ALTER RESOURCES",
            "ALTER SERVER STATE",
            "ALTER SETTINGS",
            "SHUTDOWN",
        ],
        "setupadmin" => &["ALTER ANY LINKED SERVER"],
        "processadmin" => &["ALTER ANY CONNECTION", "ALTER SERVER STATE"],
        "diskadmin" => &["ALTER RESOURCES"],
        "dbcreator" => &["ALTER ANY DATABASE", "CREATE ANY DATABASE"],
        "bulkadmin" => &["ADMINISTER BULK OPERATIONS"],
        "public" => &["VIEW ANY DATABASE", "CONNECT SQL"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_includes_a_permission_is_one_too() {
        for builtin in BUILTIN {
            let same =
                builtin.covered_by.is_empty() || find(builtin.class, builtin.covered_by).is_some();
            let parent = match builtin.class.parent() {
                Some(parent) => find(parent, builtin.of_parent).is_some(),
                None => builtin.of_parent.is_empty(),
            };
            assert!(same && parent, "{builtin:?}");
        }
    }

    #[test]
    fn everything_is_included_in_control_of_the_server() {
        for builtin in BUILTIN {
            let covering = covering(builtin.class, builtin.name);
            assert!(
                covering.contains(&(Class::Server, "CONTROL SERVER")),
                "{builtin:?}"
            );
        }
    }

    #[test]
    fn roles_name_permissions() {
        for role in crate::caller::DATABASE_ROLES {
            for name in of_database_role(role).iter().chain(denied_by_role(role)) {
                assert!(find(Class::Database, name).is_some(), "{name} of {role}");
            }
        }
        for role in crate::caller::SERVER_ROLES {
            for name in of_server_role(role) {
                assert!(find(Class::Server, name).is_some(), "{name} of {role}");
            }
        }
    }
}
