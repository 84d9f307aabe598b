//! The last use of each enlistment token, so that a target whose answer was lost may ask again.
//!
//! A token is good for one use. A use that became durable while its answer was lost (the master died, the
//! connection broke) must not cost the token: the same request, from the same instance, with the same
//! key, is answered again until the token's own end. Whoever else has seen the token lacks the key.

use crate::identity::authority::fingerprint;
use crate::identity::token::{EnlistToken, hex, unhex};
use catalog::{CatalogError, DefinitionsRead, DefinitionsWrite, SettingValue, Token};
use fleet::message::EnlistRequest;
use jiff::Timestamp;
use model::InstanceId;

/// Settings that hold uses, by the token's public half.
const USED_SETTINGS: &str = "fleet/token-used/";

/// A use that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsedToken {
    expires: Timestamp,
    instance: InstanceId,
    secret_hash: Vec<u8>,
    /// SHA-256 of the signing request, which its key has signed.
    request_hash: [u8; 32],
}

impl UsedToken {
    pub(super) fn new(token: &Token, request: &EnlistRequest) -> Self {
        Self {
            expires: token.expires,
            instance: request.instance,
            secret_hash: token.hash.clone(),
            request_hash: fingerprint(&request.request_der),
        }
    }

    pub(super) fn find(read: &dyn DefinitionsRead, id: &str) -> Result<Option<Self>, CatalogError> {
        let value = read.setting(&format!("{USED_SETTINGS}{id}"))?;
        Ok(value.and_then(|value| Self::parse(value.as_text()?)))
    }

    pub(super) fn remember(
        &self,
        write: &mut dyn DefinitionsWrite,
        id: &str,
    ) -> Result<(), CatalogError> {
        let value = SettingValue::Text(self.text());
        write.set_setting(&format!("{USED_SETTINGS}{id}"), Some(&value))
    }

    /// Whether a request is the one that used the token.
    pub(super) fn is_repeated_by(
        &self,
        request: &EnlistRequest,
        secret: &[u8],
        now: Timestamp,
    ) -> bool {
        EnlistToken::matches(secret, &self.secret_hash)
            && self.expires > now
            && self.instance == request.instance
            && self.request_hash == fingerprint(&request.request_der)
    }

    fn text(&self) -> String {
        format!(
            "{} {} {} {}",
            self.expires,
            self.instance.0,
            hex(&self.secret_hash),
            hex(&self.request_hash)
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        Some(Self {
            expires: parts.next()?.parse().ok()?,
            instance: InstanceId(parts.next()?.parse().ok()?),
            secret_hash: unhex(parts.next()?)?,
            request_hash: unhex(parts.next()?)?.try_into().ok()?,
        })
    }
}

/// Forgets uses of tokens that are past their end.
pub(super) fn forget_expired(
    write: &mut dyn DefinitionsWrite,
    now: Timestamp,
) -> Result<(), CatalogError> {
    for (key, value) in write.settings(USED_SETTINGS)? {
        let used = value.as_text().and_then(UsedToken::parse);
        if used.is_none_or(|used| used.expires <= now) {
            write.set_setting(&key, None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_survives_being_stored() {
        let used = UsedToken {
            expires: "2026-11-23T12:00:00.5Z".parse().unwrap(),
            instance: InstanceId(uuid::Uuid::from_u128(7)),
            secret_hash: vec![1; 32],
            request_hash: [2; 32],
        };
        assert_eq!(UsedToken::parse(&used.text()), Some(used));
        assert_eq!(UsedToken::parse("2026-11-23T12:00:00Z"), None);
    }
}
