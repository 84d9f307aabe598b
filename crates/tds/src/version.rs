//! Protocol versions and the product version that both ends tell each other.

use crate::error::TdsError;

/// The layouts of TDS 7.x, oldest first. TDS 8.0 uses the layout of 7.4 inside TLS.
///
/// Source: MS-TDS, LOGINACK, table of TDSVersion values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TdsVersion {
    /// 7.1: no ALL_HEADERS, 4-byte row counts, 2-byte line numbers and user types, no `max` types.
    V7_1,
    /// 7.2: ALL_HEADERS, 8-byte row counts, `max` types, xml.
    V7_2,
    /// 7.3 revision A: date, time, datetime2, datetimeoffset.
    V7_3A,
    /// 7.3 revision B: rows with a null bitmap.
    V7_3B,
    /// 7.4: feature extensions.
    V7_4,
}

/// The version number as LOGIN7 and LOGINACK carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionNumber(pub u32);

impl VersionNumber {
    /// 7.4, what Muster's client asks for inside PRELOGIN encryption or none.
    pub const V7_4: Self = Self(0x7400_0004);
    /// 8.0, what Muster's client asks for inside strict encryption.
    pub const V8_0: Self = Self(0x0800_0000);

    /// The layout to use with a client that asks for this version.
    ///
    /// # Errors
    /// [`TdsError::UnsupportedVersion`] below 7.1.
    pub fn layout(self) -> Result<TdsVersion, TdsError> {
        match self.0 {
            0x0800_0000..=0x08FF_FFFF => Ok(TdsVersion::V7_4),
            0x7100_0000..=0x71FF_FFFF => Ok(TdsVersion::V7_1),
            0x7200_0000..=0x72FF_FFFF => Ok(TdsVersion::V7_2),
            0x7300_0000..=0x730A_FFFF => Ok(TdsVersion::V7_3A),
            0x730B_0000..=0x73FF_FFFF => Ok(TdsVersion::V7_3B),
            0x7400_0000.. => Ok(TdsVersion::V7_4),
            other => Err(TdsError::UnsupportedVersion(other)),
        }
    }

    /// The four bytes of LOGINACK that accept this version.
    ///
    /// A client ahead of 7.4 is answered 7.4; 7.1 without its revision has a spelling of its own.
    #[must_use]
    pub fn acknowledged(self) -> [u8; 4] {
        match self.0 {
            0x7100_0000 => [0x07, 0x01, 0x00, 0x00],
            other if other > Self::V7_4.0 => Self::V7_4.0.to_be_bytes(),
            other => other.to_be_bytes(),
        }
    }

    /// The version that a server's LOGINACK names.
    #[must_use]
    pub fn from_acknowledged(bytes: [u8; 4]) -> Self {
        match bytes {
            [0x07, 0x01, 0x00, 0x00] => Self(0x7100_0000),
            other => Self(u32::from_be_bytes(other)),
        }
    }
}

/// A product version: major, minor, build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProductVersion {
    /// Major, 16 for the compatibility that Muster tells.
    pub major: u8,
    /// Minor.
    pub minor: u8,
    /// Build.
    pub build: u16,
}

impl ProductVersion {
    /// What Muster's server tells clients: SQL Server 2022's family.
    pub const SERVER: Self = Self {
        major: 16,
        minor: 0,
        build: 1000,
    };

    /// The four bytes of LOGINACK and the first four of PRELOGIN's version: build in network order.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.build.to_be_bytes();
        [self.major, self.minor, high, low]
    }

    /// The inverse of [`ProductVersion::to_bytes`].
    #[must_use]
    pub fn from_bytes([major, minor, high, low]: [u8; 4]) -> Self {
        Self {
            major,
            minor,
            build: u16::from_be_bytes([high, low]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_map_to_layouts() {
        let check = |number: u32, expected: Option<TdsVersion>| {
            assert_eq!(
                VersionNumber(number).layout().ok(),
                expected,
                "0x{number:08X}"
            );
        };
        check(0x7000_0000, None);
        check(0x0402_0000, None);
        check(0x7100_0000, Some(TdsVersion::V7_1));
        check(0x7100_0001, Some(TdsVersion::V7_1));
        check(0x7209_0002, Some(TdsVersion::V7_2));
        check(0x730A_0003, Some(TdsVersion::V7_3A));
        check(0x730B_0003, Some(TdsVersion::V7_3B));
        check(0x7400_0004, Some(TdsVersion::V7_4));
        check(0x0800_0000, Some(TdsVersion::V7_4));
        check(0x7500_0000, Some(TdsVersion::V7_4));
    }

    #[test]
    fn acknowledged_versions_are_those_of_the_specification() {
        let check = |number: u32, expected: [u8; 4]| {
            assert_eq!(VersionNumber(number).acknowledged(), expected);
        };
        check(0x7100_0000, [0x07, 0x01, 0, 0]);
        check(0x7100_0001, [0x71, 0, 0, 1]);
        check(0x7209_0002, [0x72, 9, 0, 2]);
        check(0x730B_0003, [0x73, 0x0B, 0, 3]);
        check(0x7400_0004, [0x74, 0, 0, 4]);
        check(0x0800_0000, [0x08, 0, 0, 0]);
        check(0x7600_0000, [0x74, 0, 0, 4]);
    }
}
