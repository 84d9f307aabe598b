//! Logins, users, roles, credentials, permissions.

use super::{Ident, Literal, ObjectName, Span};

/// A statement about principals and their permissions.
#[derive(Debug, Clone, PartialEq)]
pub enum SecurityStatement {
    /// `CREATE LOGIN name WITH PASSWORD = '…' [, …]` or `FROM WINDOWS`
    CreateLogin {
        /// Its name.
        name: Ident,
        /// `None` is FROM WINDOWS, CERTIFICATE and kin, which `options` names.
        password: Option<Password>,
        /// SID, DEFAULT_DATABASE, CHECK_POLICY, …; `FROM` with WINDOWS, CERTIFICATE, …
        options: Vec<NamedOption>,
    },
    /// `ALTER LOGIN name ENABLE | DISABLE | WITH …`
    AlterLogin {
        /// Its name.
        name: Ident,
        /// ENABLE is true, DISABLE false.
        enable: Option<bool>,
        /// PASSWORD
        password: Option<Password>,
        /// NAME, OLD_PASSWORD, DEFAULT_DATABASE, …; `ADD CREDENTIAL`, `DROP CREDENTIAL`.
        options: Vec<NamedOption>,
    },
    /// `DROP LOGIN name`
    DropLogin {
        /// Its name.
        name: Ident,
    },
    /// `CREATE USER name [FOR LOGIN login | WITHOUT LOGIN] [WITH …]`
    CreateUser {
        /// Its name.
        name: Ident,
        /// The login.
        login: UserLogin,
        /// DEFAULT_SCHEMA, …
        options: Vec<NamedOption>,
    },
    /// `ALTER USER name WITH …`
    AlterUser {
        /// Its name.
        name: Ident,
        /// NAME, LOGIN, DEFAULT_SCHEMA, …
        options: Vec<NamedOption>,
    },
    /// `DROP USER [IF EXISTS] name`
    DropUser {
        /// IF EXISTS
        if_exists: bool,
        /// Its name.
        name: Ident,
    },
    /// `CREATE [SERVER] ROLE name [AUTHORIZATION owner]`
    CreateRole {
        /// SERVER ROLE
        server: bool,
        /// Its name.
        name: Ident,
        /// AUTHORIZATION
        owner: Option<Ident>,
    },
    /// `ALTER [SERVER] ROLE name ADD MEMBER x | DROP MEMBER x | WITH NAME = x`
    AlterRole {
        /// SERVER ROLE
        server: bool,
        /// Its name.
        name: Ident,
        /// What changes.
        action: RoleAction,
    },
    /// `DROP [SERVER] ROLE [IF EXISTS] name`
    DropRole {
        /// SERVER ROLE
        server: bool,
        /// IF EXISTS
        if_exists: bool,
        /// Its name.
        name: Ident,
    },
    /// `CREATE | ALTER CREDENTIAL name WITH IDENTITY = '…' [, SECRET = '…']`
    Credential {
        /// ALTER rather than CREATE.
        alter: bool,
        /// Its name.
        name: Ident,
        /// IDENTITY
        identity: String,
        /// SECRET
        secret: Option<Secret>,
    },
    /// `DROP CREDENTIAL name`
    DropCredential {
        /// Its name.
        name: Ident,
    },
    /// GRANT, DENY, REVOKE
    Permission(Permission),
    /// `ALTER AUTHORIZATION ON [class::]name TO principal`
    AlterAuthorization {
        /// What changes hands.
        securable: Securable,
        /// The new owner; `None` is SCHEMA OWNER.
        owner: Option<Ident>,
    },
}

/// A clear secret from a statement. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a clear text out of sight.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The clear text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `PASSWORD = …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// The password, or the hash as `0x…` text.
    pub text: Secret,
    /// HASHED
    pub hashed: bool,
    /// MUST_CHANGE
    pub must_change: bool,
}

/// Whose user CREATE USER makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLogin {
    /// The login of the same name.
    SameName,
    /// FOR LOGIN
    Named(Ident),
    /// WITHOUT LOGIN
    Without,
    /// FROM EXTERNAL PROVIDER, CERTIFICATE, …: to be refused.
    Unsupported(String),
}

/// What ALTER ROLE does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleAction {
    /// ADD MEMBER
    AddMember(Ident),
    /// DROP MEMBER
    DropMember(Ident),
    /// WITH NAME
    Rename(Ident),
}

/// `name = value` or `name value` in an options list.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedOption {
    /// In capitals.
    pub name: String,
    /// Its value.
    pub value: OptionValue,
    /// Where it stands.
    pub span: Span,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionValue {
    /// None was written.
    None,
    /// ON is true, OFF false.
    Switch(bool),
    /// A constant.
    Literal(Literal),
    /// A name.
    Name(Ident),
    /// A clear secret (OLD_PASSWORD).
    Secret(Secret),
}

/// `GRANT | DENY | REVOKE permissions [ON securable] TO | FROM principals`
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    /// Which of the three.
    pub verb: PermissionVerb,
    /// GRANT OPTION FOR, of a REVOKE.
    pub grant_option_for: bool,
    /// What is allowed: the words in capitals, one blank between (`EXECUTE`, `VIEW SERVER STATE`,
    /// `ALL`).
    pub permissions: Vec<PermissionName>,
    /// ON; the server or the database when not given.
    pub securable: Option<Securable>,
    /// To or from whom.
    pub principals: Vec<Ident>,
    /// WITH GRANT OPTION
    pub with_grant_option: bool,
    /// CASCADE
    pub cascade: bool,
    /// AS grantor
    pub grantor: Option<Ident>,
}

/// Which permission statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionVerb {
    /// GRANT
    Grant,
    /// DENY
    Deny,
    /// REVOKE
    Revoke,
}

/// A permission and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionName {
    /// In capitals; `EXEC` is `EXECUTE`.
    pub name: String,
    /// Columns, when given.
    pub columns: Vec<Ident>,
}

/// `[class::]name`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Securable {
    /// In capitals: OBJECT, SCHEMA, DATABASE, LOGIN, …; `None` is OBJECT.
    pub class: Option<String>,
    /// Its name.
    pub name: ObjectName,
    /// Columns behind the name of an object.
    pub columns: Vec<Ident>,
}
