//! One-time tokens: `mt1.<id>.<secret>.<pin>`, each part in hex.
//!
//! The id is public, the secret is stored hashed, and the pin is the SHA-256 of the certificate by which
//! the target recognises the master before it trusts anything else.

use super::IdentityError;
use zeroize::Zeroizing;

/// First part of a token; counts versions of the form.
const PREFIX: &str = "mt1";
/// Bytes of the public id.
const ID_BYTES: usize = 8;
/// Bytes of the secret half.
const SECRET_BYTES: usize = 32;

/// A token as its bearer has it.
pub struct EnlistToken {
    /// Public half; the master finds the token by it.
    pub id: String,
    /// Secret half.
    pub secret: Zeroizing<Vec<u8>>,
    /// SHA-256 of a certificate of the master's chain.
    pub pin: [u8; 32],
}

impl EnlistToken {
    /// A fresh token that pins a certificate.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`] when the system gives no randomness.
    pub fn generate(pin: [u8; 32]) -> Result<Self, IdentityError> {
        let mut id = [0u8; ID_BYTES];
        let mut secret = Zeroizing::new(vec![0u8; SECRET_BYTES]);
        if getrandom::fill(&mut id).is_err() || getrandom::fill(&mut secret).is_err() {
            return Err(IdentityError::Crypto("no randomness"));
        }
        Ok(Self {
            id: hex(&id),
            secret,
            pin,
        })
    }

    /// The token of a text; `None` when it isn't one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let (prefix, id, secret, pin) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if prefix != PREFIX || parts.next().is_some() || unhex(id)?.len() != ID_BYTES {
            return None;
        }
        let secret = Zeroizing::new(unhex(secret)?);
        (secret.len() == SECRET_BYTES).then_some(Self {
            id: id.to_owned(),
            secret,
            pin: unhex(pin)?.try_into().ok()?,
        })
    }

    /// The token as `muster token create` prints it.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{PREFIX}.{}.{}.{}",
            self.id,
            hex(&self.secret),
            hex(&self.pin)
        )
    }

    /// What the master stores of the secret half. It has 256 random bits, so one SHA-256 is enough.
    #[must_use]
    pub fn secret_hash(secret: &[u8]) -> Vec<u8> {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret)
            .as_ref()
            .to_vec()
    }

    /// Whether a secret is the one whose hash is stored; takes the same time for every wrong one.
    #[must_use]
    pub fn matches(secret: &[u8], stored_hash: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&Self::secret_hash(secret), stored_hash)
            .is_ok()
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The bytes of hex digits, at most as many as a secret has.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    /// Longest part of a token, in digits.
    const DIGITS_MAX: usize = 2 * SECRET_BYTES;
    if text.len() > DIGITS_MAX || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let digit = |c: u8| {
                char::from(c)
                    .to_digit(16)
                    .and_then(|d| u8::try_from(d).ok())
            };
            Some(digit(pair[0])? * 16 + digit(pair[1])?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_being_typed_and_nothing_else_is_one() {
        let token = EnlistToken::generate([7; 32]).unwrap();
        let again = EnlistToken::parse(&format!(" {}\n", token.text())).unwrap();
        assert_eq!(
            (again.id, again.secret.as_slice(), again.pin),
            (token.id.clone(), token.secret.as_slice(), [7; 32])
        );
        let hash = EnlistToken::secret_hash(&token.secret);
        assert!(EnlistToken::matches(&token.secret, &hash));
        assert!(!EnlistToken::matches(b"other", &hash));
        let text = token.text();
        for bad in [
            "",
            "mt1",
            "mt1...",
            "nonsense",
            &text[..text.len() - 1],
            &text.replace("mt1", "mt2"),
            &format!("{text}.00"),
            &text.replace('.', ":"),
            "mt1.é.é.é",
        ] {
            assert!(EnlistToken::parse(bad).is_none(), "{bad}");
        }
    }
}
