//! Seals secrets at rest with a key file: AES-256-GCM, a fresh nonce for each.

use super::IdentityError;
use crate::platform;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::fs;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of the sealing key.
const KEY_BYTES: usize = 32;

/// Seals with the key file of a data directory.
pub struct FileSealer {
    key: RandomizedNonceKey,
}

impl FileSealer {
    /// Reads the key file, or makes it on the first call.
    ///
    /// # Errors
    /// [`IdentityError::File`] when it cannot be read or written; [`IdentityError::Crypto`] when it holds
    /// something else.
    pub fn open(path: &Path) -> Result<Self, IdentityError> {
        let access = |source| IdentityError::File {
            path: path.to_owned(),
            source,
        };
        if !path.exists() {
            let mut fresh = Zeroizing::new([0u8; KEY_BYTES]);
            getrandom::fill(fresh.as_mut_slice())
                .map_err(|_| IdentityError::Crypto("no randomness"))?;
            platform::write_private_file(path, fresh.as_slice()).map_err(access)?;
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(access)?);
        if bytes.len() != KEY_BYTES {
            return Err(IdentityError::Crypto("the key file has the wrong size"));
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| IdentityError::Crypto("the key file is not usable"))?;
        Ok(Self { key })
    }

    /// Seals `secret`; `context` names its use and must be the same when it is opened.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`] when no nonce can be drawn.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let mut body = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| IdentityError::Crypto("sealing failed"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`FileSealer::seal`] made with the same context.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`] when it was changed, cut, or sealed with another key or context.
    pub fn open_sealed(
        &self,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let broken = IdentityError::Crypto("a sealed secret does not open with this key file");
        let Some((nonce, body)) = sealed.split_at_checked(NONCE_LEN) else {
            return Err(broken);
        };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else {
            return Err(broken);
        };
        let mut body = Zeroizing::new(body.to_vec());
        let length = match self
            .key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut body)
        {
            Ok(plain) => plain.len(),
            Err(_) => return Err(broken),
        };
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_whole_and_in_its_context() {
        let path = std::env::temp_dir().join(format!("muster-key-{}", uuid::Uuid::new_v4()));
        let sealer = FileSealer::open(&path).unwrap();
        let sealed = sealer.seal("credential", b"secret").unwrap();
        assert_eq!(
            &*FileSealer::open(&path)
                .unwrap()
                .open_sealed("credential", &sealed)
                .unwrap(),
            b"secret"
        );
        assert!(sealer.open_sealed("login", &sealed).is_err());
        assert!(
            sealer
                .open_sealed("credential", &sealed[..sealed.len() - 1])
                .is_err()
        );
        assert!(sealer.open_sealed("credential", b"").is_err());
        fs::write(&path, b"short").unwrap();
        assert!(FileSealer::open(&path).is_err());
        fs::remove_file(path).unwrap();
    }
}
