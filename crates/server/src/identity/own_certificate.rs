//! The server certificate that the instance issues to itself, and its renewal while the process runs.

use super::authority::{Authority, SERVER_CERTIFICATE_DAYS};
use super::tls::TlsServer;
use super::{IdentityError, ServerIdentity};
use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How often the certificate's age is looked at. The wall clock decides, so a machine that slept is found
/// out within this time.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);
/// Age at which it is renewed: two thirds of its life.
const RENEW_AGE: SignedDuration = SignedDuration::from_hours(SERVER_CERTIFICATE_DAYS * 24 * 2 / 3);

/// What the certificate is made from.
#[derive(Clone)]
pub struct OwnCertificate {
    /// Signs it.
    pub authority: Arc<Authority>,
    /// The names it is for.
    pub names: Vec<String>,
}

impl OwnCertificate {
    /// A fresh certificate with a key of its own.
    ///
    /// # Errors
    /// [`IdentityError`] when it can't be signed.
    pub fn issue(&self, now: Timestamp) -> Result<ServerIdentity, IdentityError> {
        self.authority.issue_server(&self.names, now)
    }

    /// Shows a fresh certificate whenever the present one has reached two thirds of its life, until the
    /// task is dropped. Connections that stand keep what they have.
    pub async fn keep_renewed(self, tls: Arc<TlsServer>, clock: Arc<dyn Clock>) {
        let mut issued = clock.now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.renew_when_due(&tls, &mut issued, clock.now());
        }
    }

    fn renew_when_due(&self, tls: &TlsServer, issued: &mut Timestamp, now: Timestamp) {
        if now.duration_since(*issued) < RENEW_AGE {
            return;
        }
        match self
            .issue(now)
            .and_then(|identity| tls.replace_certificate(identity))
        {
            Ok(()) => {
                *issued = now;
                tracing::info!("the server certificate was renewed");
            }
            Err(error) => tracing::error!(%error, "the server certificate was not renewed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_renewed_at_two_thirds_of_its_life_and_the_pin_stays() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let directory = std::env::temp_dir().join(format!("muster-own-{}", uuid::Uuid::new_v4()));
        let authority = Arc::new(Authority::open(&directory, "MASTER", now).unwrap());
        let own = OwnCertificate {
            authority: Arc::clone(&authority),
            names: vec!["localhost".to_owned()],
        };
        let tls = TlsServer::new(own.issue(now).unwrap(), authority.certificate()).unwrap();
        let (first, pin) = (tls.leaf(), tls.pin());
        let mut issued = now;
        let day = |days: i64| now + SignedDuration::from_hours(24 * days);
        own.renew_when_due(&tls, &mut issued, day(264));
        assert_eq!(tls.leaf(), first);
        own.renew_when_due(&tls, &mut issued, day(265));
        assert_ne!(tls.leaf(), first);
        assert_eq!(issued, day(265));
        assert_eq!(tls.pin(), pin, "tokens that are out stay good");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
