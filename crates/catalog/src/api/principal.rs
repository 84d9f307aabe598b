//! Rows about logins, roles, credentials, tokens, settings and the audit.

use jiff::Timestamp;

/// A login.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `principal_id`; given by the catalog, ignored when the login is made.
    pub id: i64,
    /// Unique, without regard to case.
    pub name: String,
    /// Unique security identifier, 16 bytes for SQL logins; 0x01 is `sa`.
    pub sid: Vec<u8>,
    /// Argon2 in PHC form; `None` can't log in with a password.
    pub password_hash: Option<String>,
    /// A disabled login can't log in.
    pub enabled: bool,
    /// Database it starts in.
    pub default_database: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// What a principal of a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrincipalKind {
    /// The user of a login.
    #[default]
    User,
    /// A user that nobody logs in as; others may act as it.
    WithoutLogin,
    /// A role that a user made.
    Role,
}

/// A user or a role of a database, or a role of the server when the database is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseUser {
    /// `principal_id`; given by the catalog, ignored when the user is made.
    pub id: i64,
    /// Database; empty for the server.
    pub database: String,
    /// Name, unique in the database without regard to case.
    pub name: String,
    /// SID of the login it is for; its own for any other.
    pub sid: Vec<u8>,
    /// What it is.
    pub kind: PrincipalKind,
    /// Schema in which its names are looked for first; `None` is `dbo`.
    pub default_schema: Option<String>,
    /// Principal that owns a role; empty is `dbo`, of a server role `sa`.
    pub owner: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// A member of a database role, or of a server role when the database is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleMember {
    /// Database; empty for server roles.
    pub database: String,
    /// Role.
    pub role: String,
    /// Database user, or login for server roles.
    pub member: String,
}

/// Whether a permission is given or withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantState {
    /// DENY.
    Denied,
    /// GRANT.
    Granted,
    /// GRANT … WITH GRANT OPTION.
    Grantable,
}

/// What a permission is on, as `class` of sys.database_permissions and sys.server_permissions numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantClass {
    /// The database itself.
    Database,
    /// An object, or a column of one.
    Object,
    /// A schema, named by [`Grant::schema`].
    Schema,
    /// A user or role, named by [`Grant::object`].
    Principal,
    /// A type.
    Type,
    /// The server.
    Server,
    /// A login or server role, named by [`Grant::object`].
    Login,
}

impl GrantClass {
    /// Every class.
    pub const ALL: [Self; 7] = [
        Self::Database,
        Self::Object,
        Self::Schema,
        Self::Principal,
        Self::Type,
        Self::Server,
        Self::Login,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Database => 0,
            Self::Object => 1,
            Self::Schema => 3,
            Self::Principal => 4,
            Self::Type => 6,
            Self::Server => 100,
            Self::Login => 101,
        }
    }
}

/// A permission on something, given to somebody or withheld. Names that do not apply are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Database; empty for the server.
    pub database: String,
    /// What it is on.
    pub class: GrantClass,
    /// Schema of the object or type, or the schema itself.
    pub schema: String,
    /// Object, type, user, role or login.
    pub object: String,
    /// Column.
    pub column: String,
    /// User or role; login or server role for the server.
    pub grantee: String,
    /// Who gave it.
    pub grantor: String,
    /// Permission in capitals, for example `EXECUTE`.
    pub permission: String,
    /// Given or withheld.
    pub state: GrantState,
}

impl Grant {
    /// One on an object, given by `dbo`.
    #[must_use]
    pub fn on_object(
        database: &str,
        (schema, object): (&str, &str),
        grantee: &str,
        permission: &str,
        state: GrantState,
    ) -> Self {
        Self {
            database: database.to_owned(),
            class: GrantClass::Object,
            schema: schema.to_owned(),
            object: object.to_owned(),
            column: String::new(),
            grantee: grantee.to_owned(),
            grantor: "dbo".to_owned(),
            permission: permission.to_owned(),
            state,
        }
    }
}

/// A stored secret with the identity it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `credential_id`; given by the catalog, ignored when the credential is made.
    pub id: i64,
    /// Unique, without regard to case.
    pub name: String,
    /// Identity.
    pub identity: String,
    /// The secret, sealed with the instance's key file.
    pub sealed_secret: Option<Vec<u8>>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A one-time enlistment token. The secret half is stored hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Public half.
    pub id: String,
    /// Hash of the secret half.
    pub hash: Vec<u8>,
    /// When it ends.
    pub expires: Timestamp,
    /// Enlistments it is still good for.
    pub uses_left: u32,
    /// Location that targets enlisted by it get.
    pub location: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .field("uses_left", &self.uses_left)
            .finish_non_exhaustive()
    }
}

/// Value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// REG_SZ and texts.
    Text(String),
    /// REG_DWORD and numbers.
    Number(i64),
    /// REG_BINARY.
    Bytes(Vec<u8>),
}

impl SettingValue {
    /// The number, when it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bytes(_) => None,
        }
    }
}

/// An act to be audited; it commits with the act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Login that acted.
    pub principal: String,
    /// What was done, for example `sp_add_job`.
    pub action: String,
    /// To what.
    pub object: String,
    /// Further values; never a secret.
    pub detail: Option<String>,
}

/// A stored audit row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Ascending number.
    pub id: i64,
    /// The act.
    pub entry: AuditEntry,
}
