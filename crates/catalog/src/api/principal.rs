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

/// A user of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUser {
    /// `principal_id`; given by the catalog, ignored when the user is made.
    pub id: i64,
    /// Database.
    pub database: String,
    /// Name, unique in the database without regard to case.
    pub name: String,
    /// SID of the login it is for.
    pub sid: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
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
    /// GRANT.
    Granted,
    /// DENY.
    Denied,
}

/// A permission on an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Database.
    pub database: String,
    /// Object, as `schema.name`.
    pub object: String,
    /// User or role.
    pub grantee: String,
    /// Permission, for example `EXECUTE`.
    pub permission: String,
    /// Given or withheld.
    pub state: GrantState,
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
