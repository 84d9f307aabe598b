//! Who may log in: SQL logins of the catalog behind the password vault, and the first `sa`.

use crate::identity::{IdentityError, PasswordVault, VerifyError, password};
use catalog::{Catalog, CatalogError, Login, RoleMember};
use jiff::Timestamp;
use std::net::IpAddr;
use std::time::Instant;
use tsql::SqlError;

/// The login that an instance is born with.
pub const SA: &str = "sa";
/// Its SID. Source: `sys.server_principals`, sid of sa.
pub(crate) const SA_SID: [u8; 1] = [1];
/// The server role whose members may do everything.
pub const SYSADMIN: &str = "sysadmin";
/// Shortest password the first `sa` may have, in characters.
const SA_PASSWORD_CHARS_MIN: usize = 8;

/// Why somebody was not let in. Clients are told 18456 without the reason; the log has it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginRefused {
    /// Unknown login or wrong password.
    #[error("unknown login or wrong password")]
    Wrong,
    /// The login is disabled.
    #[error("the login is disabled")]
    Disabled,
    /// CONNECT SQL is denied to it.
    #[error("the login may not connect")]
    Denied,
    /// What it may do could not be read.
    #[error("read the rights of the login")]
    Rights(#[source] SqlError),
    /// Too many wrong ones before, or too many at once.
    #[error(transparent)]
    Braked(VerifyError),
    /// The catalog did not answer.
    #[error("read the login")]
    Catalog(#[from] CatalogError),
}

/// Checks a login's password. Blocks for the computation and for its turn.
///
/// # Errors
/// [`LoginRefused`].
pub fn authenticate(
    catalog: &Catalog,
    vault: &PasswordVault,
    (name, clear): (&str, &str),
    address: IpAddr,
    now: Instant,
) -> Result<Login, LoginRefused> {
    let login = catalog.definitions_read(|read| read.login(name))?;
    let stored = login
        .as_ref()
        .and_then(|login| login.password_hash.as_deref());
    match vault.verify(name, address, clear, stored, now) {
        Ok(()) => {}
        Err(VerifyError::Wrong) => return Err(LoginRefused::Wrong),
        Err(other @ (VerifyError::Braked | VerifyError::Busy)) => {
            return Err(LoginRefused::Braked(other));
        }
    }
    match login {
        Some(login) if login.enabled => match msdb::may_connect(catalog, &login) {
            Ok(true) => Ok(login),
            Ok(false) => Err(LoginRefused::Denied),
            Err(error) => Err(LoginRefused::Rights(error)),
        },
        Some(_) => Err(LoginRefused::Disabled),
        None => Err(LoginRefused::Wrong),
    }
}

/// Why the first `sa` could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FirstLoginError {
    /// The given password is too short.
    #[error("the password for sa needs at least {SA_PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Hashing or randomness failed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The catalog did not take it.
    #[error("store the login sa")]
    Catalog(#[from] CatalogError),
}

/// Makes `sa` when there is none. Returns the password when one had to be made up, to be shown once.
///
/// # Errors
/// [`FirstLoginError`].
pub fn ensure_sa(
    catalog: &Catalog,
    given: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, FirstLoginError> {
    if catalog.definitions_read(|read| read.login(SA))?.is_some() {
        return Ok(None);
    }
    let (clear, made_up) = match given {
        Some(given) if given.chars().count() < SA_PASSWORD_CHARS_MIN => {
            return Err(FirstLoginError::TooShort);
        }
        Some(given) => (given.to_owned(), false),
        None => (password::random_password()?, true),
    };
    let login = Login {
        id: 0,
        name: SA.to_owned(),
        sid: SA_SID.to_vec(),
        password_hash: Some(password::hash(&clear)?),
        enabled: true,
        default_database: "master".to_owned(),
        created: now,
        modified: now,
    };
    catalog.definitions_write(|write| {
        write.create_login(&login)?;
        write.add_role_member(&RoleMember {
            database: String::new(),
            role: SYSADMIN.to_owned(),
            member: SA.to_owned(),
        })?;
        Ok::<_, CatalogError>(())
    })?;
    Ok(made_up.then_some(clear))
}
