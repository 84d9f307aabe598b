//! LOGIN7: who connects, to what, and how results are to be laid out.
//!
//! Source: MS-TDS, "LOGIN7".

use crate::error::TdsError;
use crate::version::{TdsVersion, VersionNumber};
use crate::wire::{Put, Reader, utf16_text};
use std::fmt;

const FEATURE_FED_AUTH: u8 = 0x02;
const FEATURE_TERMINATOR: u8 = 0xFF;
/// Feature id of UTF-8 support, the one that the server answers.
pub const FEATURE_UTF8_SUPPORT: u8 = 0x0A;
/// Most feature extensions that one login may list.
pub const FEATURES_MAX: usize = 64;

const OPTION2_INTEGRATED_SECURITY: u8 = 0x80;
const OPTION3_CHANGE_PASSWORD: u8 = 0x01;
const OPTION3_EXTENSION: u8 = 0x10;

const FIXED_BYTES_7_1: usize = 86;
const FIXED_BYTES_7_2: usize = 94;

/// A login request. `Debug` leaves the passwords out.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Version asked for.
    pub version: VersionNumber,
    /// Layout that goes with it.
    pub layout: TdsVersion,
    /// Packet size asked for; 0 means the server's default.
    pub packet_size: u32,
    /// Client's program version, as it says.
    pub client_program: u32,
    /// Client's process id.
    pub client_pid: u32,
    /// Client's host name.
    pub host_name: String,
    /// Login name.
    pub user_name: String,
    /// Clear password. The holder wipes it after use.
    pub password: String,
    /// Application name.
    pub app_name: String,
    /// Server name as the client typed it.
    pub server_name: String,
    /// Client library's name.
    pub library_name: String,
    /// Language asked for; empty for the login's default.
    pub language: String,
    /// Database asked for; empty for the login's default.
    pub database: String,
    /// Clear new password, when the client asks to change it.
    pub new_password: Option<String>,
    /// Asks for Windows authentication.
    pub integrated_security: bool,
    /// Asks for federated authentication.
    pub federated: bool,
    /// Ids of the feature extensions asked for, in order.
    pub features: Vec<u8>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("version", &self.version)
            .field("packet_size", &self.packet_size)
            .field("host_name", &self.host_name)
            .field("user_name", &self.user_name)
            .field("app_name", &self.app_name)
            .field("server_name", &self.server_name)
            .field("library_name", &self.library_name)
            .field("database", &self.database)
            .field("integrated_security", &self.integrated_security)
            .field("federated", &self.federated)
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}

impl Login {
    /// A login of Muster's own client.
    #[must_use]
    pub fn new(version: VersionNumber, user_name: &str, password: &str) -> Self {
        Self {
            version,
            layout: TdsVersion::V7_4,
            packet_size: u32::from(crate::packet::PACKET_BYTES_DEFAULT),
            client_program: 0,
            client_pid: 0,
            host_name: String::new(),
            user_name: user_name.to_owned(),
            password: password.to_owned(),
            app_name: String::new(),
            server_name: String::new(),
            library_name: "Muster".to_owned(),
            language: String::new(),
            database: String::new(),
            new_password: None,
            integrated_security: false,
            federated: false,
            features: Vec::new(),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`TdsError::UnsupportedVersion`] below 7.1; [`TdsError::Truncated`] or [`TdsError::Invalid`] for bytes
    /// that do not hold together.
    pub fn decode(payload: &[u8]) -> Result<Self, TdsError> {
        const WHAT: &str = "LOGIN7";
        let mut fixed = Reader::new(payload, WHAT);
        let length = fixed.u32()?;
        if usize::try_from(length).ok() != Some(payload.len()) {
            return Err(fixed.invalid(length));
        }
        let version = VersionNumber(fixed.u32()?);
        let layout = version.layout()?;
        let packet_size = fixed.u32()?;
        let client_program = fixed.u32()?;
        let client_pid = fixed.u32()?;
        let _connection_id = fixed.u32()?;
        let _option1 = fixed.u8()?;
        let option2 = fixed.u8()?;
        let _type_flags = fixed.u8()?;
        let option3 = fixed.u8()?;
        let _time_zone = fixed.u32()?;
        let _lcid = fixed.u32()?;

        let text = |fixed: &mut Reader<'_>| -> Result<String, TdsError> {
            let (offset, units) = (fixed.u16()?, fixed.u16()?);
            Ok(utf16_text(slice(payload, offset, usize::from(units) * 2)?))
        };
        let secret = |fixed: &mut Reader<'_>| -> Result<String, TdsError> {
            let (offset, units) = (fixed.u16()?, fixed.u16()?);
            let mut bytes = slice(payload, offset, usize::from(units) * 2)?.to_vec();
            reveal(&mut bytes);
            let clear = utf16_text(&bytes);
            bytes.fill(0);
            Ok(clear)
        };
        let host_name = text(&mut fixed)?;
        let user_name = text(&mut fixed)?;
        let password = secret(&mut fixed)?;
        let app_name = text(&mut fixed)?;
        let server_name = text(&mut fixed)?;
        let (extension_offset, extension_length) = (fixed.u16()?, fixed.u16()?);
        let library_name = text(&mut fixed)?;
        let language = text(&mut fixed)?;
        let database = text(&mut fixed)?;
        let _client_id: [u8; 6] = fixed.array()?;
        let (_sspi_offset, sspi_length) = (fixed.u16()?, fixed.u16()?);
        let _attached_file = text(&mut fixed)?;
        let new_password = if layout >= TdsVersion::V7_2 {
            let password = secret(&mut fixed)?;
            let _sspi_long_length = fixed.u32()?;
            (option3 & OPTION3_CHANGE_PASSWORD != 0).then_some(password)
        } else {
            None
        };
        let features = if layout >= TdsVersion::V7_4 && option3 & OPTION3_EXTENSION != 0 {
            let mut pointer = Reader::new(
                slice(payload, extension_offset, usize::from(extension_length))?,
                WHAT,
            );
            decode_features(payload, pointer.size32()?)?
        } else {
            Vec::new()
        };
        Ok(Self {
            version,
            layout,
            packet_size,
            client_program,
            client_pid,
            host_name,
            user_name,
            password,
            app_name,
            server_name,
            library_name,
            language,
            database,
            new_password,
            integrated_security: option2 & OPTION2_INTEGRATED_SECURITY != 0 || sspi_length != 0,
            federated: features.contains(&FEATURE_FED_AUTH),
            features,
        })
    }

    /// Writes the message, in the layout of [`Login::layout`].
    ///
    /// Feature extensions are not written: Muster's client asks for none. Texts are cut to
    /// 128 characters, as the protocol bounds them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let fixed_bytes = if self.layout >= TdsVersion::V7_2 {
            FIXED_BYTES_7_2
        } else {
            FIXED_BYTES_7_1
        };
        let mut fixed = Vec::with_capacity(fixed_bytes);
        let mut data: Vec<u8> = Vec::new();
        let integrated = if self.integrated_security {
            OPTION2_INTEGRATED_SECURITY
        } else {
            0
        };
        fixed.put_u32(self.version.0);
        fixed.put_u32(self.packet_size);
        fixed.put_u32(self.client_program);
        fixed.put_u32(self.client_pid);
        fixed.put_u32(0);
        // Little-endian, ASCII, initial database and language fatal (0xE0); ODBC (0x02).
        fixed.put(&[0xE0, 0x02 | integrated, 0, 0]);
        fixed.put_u32(0);
        fixed.put_u32(0x0409);
        let place = |fixed: &mut Vec<u8>, data: &mut Vec<u8>, text: &str, secret: bool| {
            let (text, units) = crate::wire::cut_utf16(text, 128);
            let start = data.len();
            let offset = fixed_bytes + start;
            fixed.put_u16(u16::try_from(offset).expect("ten texts of 128 characters"));
            fixed.put_u16(u16::try_from(units).expect("at most 128 units"));
            data.put_utf16(text);
            if secret {
                conceal(data.get_mut(start..).unwrap_or_default());
            }
        };
        place(&mut fixed, &mut data, &self.host_name, false);
        place(&mut fixed, &mut data, &self.user_name, false);
        place(&mut fixed, &mut data, &self.password, true);
        place(&mut fixed, &mut data, &self.app_name, false);
        place(&mut fixed, &mut data, &self.server_name, false);
        place(&mut fixed, &mut data, "", false);
        place(&mut fixed, &mut data, &self.library_name, false);
        place(&mut fixed, &mut data, &self.language, false);
        place(&mut fixed, &mut data, &self.database, false);
        fixed.put(&[0; 6]);
        place(&mut fixed, &mut data, "", false);
        place(&mut fixed, &mut data, "", false);
        if self.layout >= TdsVersion::V7_2 {
            place(&mut fixed, &mut data, "", true);
            fixed.put_u32(0);
        }
        let length = 4 + fixed.len() + data.len();
        let mut out = Vec::with_capacity(length);
        out.put_u32(u32::try_from(length).expect("ten texts of 128 characters"));
        out.put(&fixed);
        out.put(&data);
        data.fill(0);
        out
    }
}

fn slice(payload: &[u8], offset: u16, length: usize) -> Result<&[u8], TdsError> {
    // Clients write any offset for an empty item.
    if length == 0 {
        return Ok(&[]);
    }
    let start = usize::from(offset);
    payload
        .get(start..start + length)
        .ok_or(TdsError::Truncated { what: "LOGIN7" })
}

fn decode_features(payload: &[u8], offset: usize) -> Result<Vec<u8>, TdsError> {
    let mut reader = Reader::new(payload, "LOGIN7 feature extensions");
    reader.take(offset)?;
    let mut features = Vec::new();
    loop {
        let id = reader.u8()?;
        if id == FEATURE_TERMINATOR {
            return Ok(features);
        }
        if features.len() == FEATURES_MAX {
            return Err(reader.invalid(id));
        }
        let length = reader.size32()?;
        reader.take(length)?;
        features.push(id);
    }
}

/// Undoes the password's disguise: each byte was nibble-swapped, then XORed with 0xA5.
fn reveal(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = (*byte ^ 0xA5).rotate_left(4);
    }
}

fn conceal(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.rotate_left(4) ^ 0xA5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put_text(fixed: &mut Vec<u8>, data: &mut Vec<u8>, base: u16, bytes: &[u8], units: u16) {
        fixed.extend((base + u16::try_from(data.len()).unwrap()).to_le_bytes());
        fixed.extend(units.to_le_bytes());
        data.extend(bytes);
    }

    /// LOGIN7 as jTDS writes it: version 7.1, 86 fixed bytes, nothing of 7.2.
    #[test]
    fn a_login_of_7_1_is_read() {
        let mut fixed = vec![1, 0, 0, 0x71];
        fixed.extend([0; 12]);
        fixed.extend([7, 0, 0, 0]);
        fixed.extend([0xE0, 3, 0, 0]);
        fixed.extend([0; 8]);
        // "sa" twice: as login, and as password: s = 73 00, a = 61 00.
        let mut data = Vec::new();
        put_text(&mut fixed, &mut data, 86, &[], 0);
        put_text(&mut fixed, &mut data, 86, b"s\0a\0", 2);
        // 0x73 -> 0x37 ^ 0xA5 = 0x92; 0x00 -> 0xA5; 0x61 -> 0x16 ^ 0xA5 = 0xB3.
        put_text(&mut fixed, &mut data, 86, &[0x92, 0xA5, 0xB3, 0xA5], 2);
        put_text(&mut fixed, &mut data, 86, b"j\0", 1);
        for _ in 0..4 {
            put_text(&mut fixed, &mut data, 86, &[], 0);
        }
        put_text(&mut fixed, &mut data, 86, b"m\0s\0d\0b\0", 4);
        fixed.extend([0; 6]);
        put_text(&mut fixed, &mut data, 86, &[], 0);
        put_text(&mut fixed, &mut data, 86, &[], 0);
        let length = u32::try_from(4 + fixed.len() + data.len()).unwrap();
        let mut payload = length.to_le_bytes().to_vec();
        payload.extend(&fixed);
        assert_eq!(payload.len(), FIXED_BYTES_7_1);
        payload.extend(&data);

        let login = Login::decode(&payload).unwrap();
        assert_eq!(login.layout, TdsVersion::V7_1);
        assert_eq!(login.packet_size, 0);
        assert_eq!(login.user_name, "sa");
        assert_eq!(login.password, "sa");
        assert_eq!(login.app_name, "j");
        assert_eq!(login.database, "msdb");
        assert!(!login.integrated_security);
        assert_eq!(login.new_password, None);
    }

    #[test]
    fn features_are_listed_and_federated_authentication_is_seen() {
        let mut login = Login::new(VersionNumber::V7_4, "u", "p");
        login.host_name = "h".to_owned();
        let mut payload = login.encode();
        let block = payload.len() + 4;
        payload.extend(u32::try_from(block).unwrap().to_le_bytes());
        payload.extend([FEATURE_UTF8_SUPPORT, 0, 0, 0, 0]);
        payload.extend([FEATURE_FED_AUTH, 2, 0, 0, 0, 9, 9, 0xFF]);
        payload[27] |= OPTION3_EXTENSION;
        payload[56..58].copy_from_slice(&u16::try_from(block - 4).unwrap().to_le_bytes());
        payload[58..60].copy_from_slice(&4u16.to_le_bytes());
        let length = u32::try_from(payload.len()).unwrap();
        payload[..4].copy_from_slice(&length.to_le_bytes());
        let found = Login::decode(&payload).unwrap();
        assert_eq!(found.features, [FEATURE_UTF8_SUPPORT, FEATURE_FED_AUTH]);
        assert!(found.federated);
        assert!(!format!("{found:?}").contains("password"));
    }

    #[test]
    fn bad_lengths_and_old_versions_are_refused() {
        let good = Login::new(VersionNumber::V7_4, "u", "p").encode();
        let mut long = good.clone();
        long.push(0);
        assert!(Login::decode(&long).is_err());
        let mut far = good.clone();
        far[40] = 0xFF;
        far[41] = 0xFF;
        assert!(Login::decode(&far).is_err());
        let mut old = good;
        old[4..8].copy_from_slice(&0x7000_0000u32.to_le_bytes());
        assert_eq!(
            Login::decode(&old),
            Err(TdsError::UnsupportedVersion(0x7000_0000))
        );
    }

    proptest! {
        #[test]
        fn logins_round_trip(
            user in "\\PC{0,40}", password in "\\PC{0,60}", database in "\\PC{0,60}", app in "\\PC{0,60}",
            size in any::<u32>(), old in any::<bool>(),
        ) {
            let mut login = Login::new(VersionNumber::V7_4, &user, &password);
            if old {
                login.version = VersionNumber(0x7100_0001);
                login.layout = TdsVersion::V7_1;
            }
            login.database = database;
            login.app_name = app;
            login.packet_size = size;
            prop_assert_eq!(Login::decode(&login.encode()).unwrap(), login);
        }

        #[test]
        fn damaged_logins_never_panic(at in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
            let mut bytes = Login::new(VersionNumber::V7_4, "someone", "secret").encode();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _outcome = Login::decode(&bytes);
            bytes.truncate(cut);
            let _outcome = Login::decode(&bytes);
        }
    }
}
