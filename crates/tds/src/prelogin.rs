//! PRELOGIN: versions and encryption, before anything else.
//!
//! Source: MS-TDS, "PRELOGIN".

use crate::error::TdsError;
use crate::version::ProductVersion;
use crate::wire::{Put, Reader};

const OPTION_VERSION: u8 = 0x00;
const OPTION_ENCRYPTION: u8 = 0x01;
const OPTION_INSTANCE: u8 = 0x02;
const OPTION_THREAD_ID: u8 = 0x03;
const OPTION_MARS: u8 = 0x04;
const OPTION_TRACE_ID: u8 = 0x05;
const OPTION_FED_AUTH_REQUIRED: u8 = 0x06;
const OPTION_NONCE: u8 = 0x07;
const TERMINATOR: u8 = 0xFF;

/// The encryption byte of PRELOGIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// Able, wanted for the login packet only.
    Off,
    /// Wanted for everything.
    On,
    /// Not able.
    NotSupported,
    /// Insisted on for everything.
    Required,
}

impl Encryption {
    /// The byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::On => 1,
            Self::NotSupported => 2,
            Self::Required => 3,
        }
    }

    /// The meaning of a byte; the bit that announces a client certificate is left aside.
    ///
    /// # Errors
    /// [`TdsError::Invalid`].
    pub const fn from_code(code: u8) -> Result<Self, TdsError> {
        Ok(match code & 0x7F {
            0 => Self::Off,
            1 => Self::On,
            2 => Self::NotSupported,
            3 => Self::Required,
            other => {
                return Err(TdsError::Invalid {
                    what: "PRELOGIN encryption",
                    value: other as u64,
                });
            }
        })
    }
}

/// A PRELOGIN message, of either side. An option that is `None` is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prelogin {
    /// Product version of the sender and its sub-build.
    pub version: Option<(ProductVersion, u16)>,
    /// Encryption wanted or answered.
    pub encryption: Option<Encryption>,
    /// Instance asked for, without its final NUL; in an answer empty when it fits.
    pub instance: Option<Vec<u8>>,
    /// Thread of the client; a server answers without contents.
    pub thread_id: Option<Vec<u8>>,
    /// Multiple active result sets wanted or granted.
    pub mars: Option<bool>,
    /// Connection and activity ids for traces; a server answers without contents.
    pub trace_id: Option<Vec<u8>>,
    /// Federated authentication.
    pub fed_auth_required: Option<u8>,
    /// Nonce of federated authentication.
    pub nonce: Option<[u8; 32]>,
}

impl Prelogin {
    /// Reads a message. Unknown options are skipped.
    ///
    /// # Errors
    /// [`TdsError::Truncated`] or [`TdsError::Invalid`].
    pub fn decode(payload: &[u8]) -> Result<Self, TdsError> {
        const WHAT: &str = "PRELOGIN";
        let mut table = Reader::new(payload, WHAT);
        let mut message = Self::default();
        loop {
            let option = table.u8()?;
            if option == TERMINATOR {
                return Ok(message);
            }
            let offset = table.u16_be()?;
            let length = table.u16_be()?;
            let mut data = Reader::new(payload, WHAT);
            data.take(usize::from(offset))?;
            let mut data = data.part(usize::from(length))?;
            match option {
                OPTION_VERSION => {
                    let version = ProductVersion::from_bytes(data.array()?);
                    message.version = Some((version, data.u16()?));
                }
                OPTION_ENCRYPTION => message.encryption = Some(Encryption::from_code(data.u8()?)?),
                OPTION_INSTANCE => {
                    let bytes = data.take(data.remaining())?;
                    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
                    message.instance = Some(name.to_vec());
                }
                OPTION_THREAD_ID => {
                    message.thread_id = Some(data.take(data.remaining().min(4))?.to_vec());
                }
                OPTION_MARS => message.mars = Some(data.u8()? != 0),
                OPTION_TRACE_ID => {
                    message.trace_id = Some(data.take(data.remaining().min(36))?.to_vec());
                }
                OPTION_FED_AUTH_REQUIRED => message.fed_auth_required = Some(data.u8()?),
                OPTION_NONCE => message.nonce = Some(data.array()?),
                _unknown => {}
            }
        }
    }

    /// Writes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut options: Vec<(u8, Vec<u8>)> = Vec::new();
        if let Some((version, sub_build)) = self.version {
            let mut data = version.to_bytes().to_vec();
            data.put_u16(sub_build);
            options.push((OPTION_VERSION, data));
        }
        if let Some(encryption) = self.encryption {
            options.push((OPTION_ENCRYPTION, vec![encryption.code()]));
        }
        if let Some(instance) = &self.instance {
            let mut data = instance.clone();
            data.push(0);
            options.push((OPTION_INSTANCE, data));
        }
        if let Some(thread_id) = &self.thread_id {
            options.push((OPTION_THREAD_ID, thread_id.clone()));
        }
        if let Some(mars) = self.mars {
            options.push((OPTION_MARS, vec![u8::from(mars)]));
        }
        if let Some(trace_id) = &self.trace_id {
            options.push((OPTION_TRACE_ID, trace_id.clone()));
        }
        if let Some(required) = self.fed_auth_required {
            options.push((OPTION_FED_AUTH_REQUIRED, vec![required]));
        }
        if let Some(nonce) = self.nonce {
            options.push((OPTION_NONCE, nonce.to_vec()));
        }
        let size = |length: usize| u16::try_from(length).expect("options are a few dozen bytes");
        let mut offset = options.len() * 5 + 1;
        let mut out = Vec::new();
        for (option, data) in &options {
            out.put_u8(*option);
            out.put_u16_be(size(offset));
            out.put_u16_be(size(data.len()));
            offset += data.len();
        }
        out.put_u8(TERMINATOR);
        for (_, data) in &options {
            out.put(data);
        }
        out
    }

    /// The server's answer to a client's message, with the encryption decided by [`negotiate`]. MARS and
    /// federated authentication are declined.
    #[must_use]
    pub fn answer(&self, version: ProductVersion, encryption: Encryption) -> Self {
        Self {
            version: Some((version, 0)),
            encryption: Some(encryption),
            instance: Some(Vec::new()),
            thread_id: Some(Vec::new()),
            mars: Some(false),
            trace_id: self.trace_id.as_ref().map(|_| Vec::new()),
            fed_auth_required: self.fed_auth_required.map(|_| 0),
            nonce: None,
        }
    }
}

/// What a server asks of connections that are not inside strict encryption already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncryptionPolicy {
    /// Whether TLS is configured at all.
    pub tls_available: bool,
    /// Insist on encryption of everything.
    pub insist: bool,
    /// Let clients in that can't encrypt: their passwords cross the network readable.
    pub allow_unencrypted: bool,
}

/// How the connection goes on after PRELOGIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// No TLS.
    Plain,
    /// TLS for the login packet alone.
    LoginEncrypted,
    /// TLS until the end.
    Encrypted,
    /// The answer tells the client that it can't come in; nothing may follow.
    Refused,
}

/// The server's answer to a client's encryption byte.
///
/// Clients break on other pairs than these: On→Off (ODBC, python-tds), NotSupported→Off (Go),
/// Off→NotSupported (tiberius).
#[must_use]
pub fn negotiate(client: Encryption, policy: EncryptionPolicy) -> (Encryption, Channel) {
    if !policy.tls_available {
        return match client {
            Encryption::Off | Encryption::NotSupported if policy.allow_unencrypted => {
                (Encryption::NotSupported, Channel::Plain)
            }
            Encryption::Off | Encryption::On | Encryption::NotSupported | Encryption::Required => {
                (Encryption::NotSupported, Channel::Refused)
            }
        };
    }
    match client {
        Encryption::On | Encryption::Required => (Encryption::On, Channel::Encrypted),
        Encryption::Off if policy.insist => (Encryption::Required, Channel::Encrypted),
        Encryption::Off => (Encryption::Off, Channel::LoginEncrypted),
        Encryption::NotSupported if policy.allow_unencrypted && !policy.insist => {
            (Encryption::NotSupported, Channel::Plain)
        }
        Encryption::NotSupported => (Encryption::Required, Channel::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_specifications_example_decodes() {
        // MS-TDS, "Pre-Login Request": version, encryption, instance, thread id, MARS.
        let payload = [
            0x00, 0x00, 0x1A, 0x00, 0x06, 0x01, 0x00, 0x20, 0x00, 0x01, 0x02, 0x00, 0x21, 0x00,
            0x01, 0x03, 0x00, 0x22, 0x00, 0x04, 0x04, 0x00, 0x26, 0x00, 0x01, 0xFF, 0x09, 0x00,
            0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0xB8, 0x0D, 0x00, 0x00, 0x01,
        ];
        let message = Prelogin::decode(&payload).unwrap();
        assert_eq!(
            message,
            Prelogin {
                version: Some((
                    ProductVersion {
                        major: 9,
                        minor: 0,
                        build: 0
                    },
                    0
                )),
                encryption: Some(Encryption::On),
                instance: Some(Vec::new()),
                thread_id: Some(vec![0xB8, 0x0D, 0, 0]),
                mars: Some(true),
                ..Prelogin::default()
            }
        );
        assert_eq!(message.encode(), payload);
    }

    #[test]
    fn the_answer_declines_mars_and_federated_authentication() {
        let asked = Prelogin {
            mars: Some(true),
            fed_auth_required: Some(1),
            nonce: Some([7; 32]),
            trace_id: Some(vec![1; 36]),
            ..Prelogin::default()
        };
        let answer = asked.answer(ProductVersion::SERVER, Encryption::On);
        assert_eq!(answer.mars, Some(false));
        assert_eq!(answer.fed_auth_required, Some(0));
        assert_eq!(answer.nonce, None);
        let bytes = answer.encode();
        assert_eq!(Prelogin::decode(&bytes).unwrap(), answer);
    }

    #[test]
    fn encryption_is_negotiated_as_clients_expect() {
        use Channel::{Encrypted, LoginEncrypted, Plain, Refused};
        use Encryption::{NotSupported, Off, On, Required};
        let check = |tls: bool, insist: bool, allow: bool, client, expected| {
            let policy = EncryptionPolicy {
                tls_available: tls,
                insist,
                allow_unencrypted: allow,
            };
            assert_eq!(negotiate(client, policy), expected, "{policy:?} {client:?}");
        };
        check(true, false, true, Off, (Off, LoginEncrypted));
        check(true, false, true, On, (On, Encrypted));
        check(true, false, true, Required, (On, Encrypted));
        check(true, false, true, NotSupported, (NotSupported, Plain));
        check(true, false, false, Off, (Off, LoginEncrypted));
        check(true, false, false, NotSupported, (Required, Refused));
        check(true, true, true, Off, (Required, Encrypted));
        check(true, true, true, On, (On, Encrypted));
        check(true, true, true, NotSupported, (Required, Refused));
        check(false, false, true, Off, (NotSupported, Plain));
        check(false, false, true, NotSupported, (NotSupported, Plain));
        check(false, false, true, On, (NotSupported, Refused));
        check(false, false, false, Off, (NotSupported, Refused));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _outcome = Prelogin::decode(&bytes);
        }
    }
}
