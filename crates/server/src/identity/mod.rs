//! Who the instance is to its peers: certificate authority, server certificate, sealing key, passwords.
//!
//! Everything secret lies in the data directory's `tls` folder or key file with mode 0600.

pub mod authority;
pub mod own_certificate;
pub mod password;
pub mod sealer;
pub mod tls;
pub mod token;

pub use authority::{Authority, IdentityError, ServerIdentity, TargetCertificate};
pub use password::{PasswordVault, VerifyError};
pub use sealer::FileSealer;
