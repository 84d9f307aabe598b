//! What Database Mail is set up with: one document among the catalog's settings. It is read and written whole; nothing
//! else in the catalog refers to it.

use crate::error::{Fault, Result};
use catalog::{DefinitionsRead, DefinitionsWrite, SettingValue, name_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tsql::SqlError;

/// Where the document lies.
const KEY: &str = "DatabaseMail";
/// Most accounts, profiles, and grants, each.
pub(crate) const ENTRIES_MAX: usize = 1_000;

/// The document.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// The number given last, to an account or a profile each.
    last_account: i32,
    last_profile: i32,
    pub(crate) accounts: Vec<Account>,
    pub(crate) profiles: Vec<Profile>,
    /// Accounts of profiles.
    pub(crate) members: Vec<Member>,
    /// Principals that may use a profile.
    pub(crate) principals: Vec<Principal>,
    /// Parameters that have been set, by name.
    pub(crate) configuration: BTreeMap<String, Parameter>,
}

/// Who changed an entry last, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Touched {
    /// Microseconds since 1970 UTC.
    micros: i64,
    /// Login.
    pub(crate) user: String,
}

impl Touched {
    pub(crate) fn new(at: Timestamp, user: &str) -> Self {
        Self {
            micros: at.as_microsecond(),
            user: user.to_owned(),
        }
    }

    /// When.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros).unwrap_or_default()
    }
}

/// An account, with the server it sends by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) email_address: String,
    pub(crate) display_name: Option<String>,
    pub(crate) replyto_address: Option<String>,
    pub(crate) server: String,
    pub(crate) port: i32,
    pub(crate) username: Option<String>,
    /// Sealed by the instance's key.
    pub(crate) sealed_password: Option<Vec<u8>>,
    pub(crate) use_default_credentials: bool,
    pub(crate) enable_ssl: bool,
    pub(crate) timeout: Option<i32>,
    pub(crate) touched: Touched,
}

/// A profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) touched: Touched,
}

/// An account of a profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) profile: i32,
    pub(crate) account: i32,
    pub(crate) sequence: i32,
    pub(crate) touched: Touched,
}

/// A principal that may use a profile; 0x00 stands for everybody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) profile: i32,
    pub(crate) sid: Vec<u8>,
    pub(crate) is_default: bool,
    pub(crate) touched: Touched,
}

/// A parameter that has been set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) value: String,
    pub(crate) touched: Touched,
}

impl Mail {
    /// Reads the document; an empty one where nothing is set up.
    ///
    /// # Errors
    /// What the catalog raises; a document that cannot be read.
    pub(crate) fn load(definitions: &dyn DefinitionsRead) -> Result<Self> {
        match definitions.setting(KEY)? {
            Some(SettingValue::Text(text)) => {
                serde_json::from_str(&text).map_err(|error| broken(&error))
            }
            Some(SettingValue::Number(_) | SettingValue::Bytes(_)) | None => Ok(Self::default()),
        }
    }

    /// Writes the document.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn save(&self, definitions: &mut dyn DefinitionsWrite) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|error| broken(&error))?;
        Ok(definitions.set_setting(KEY, Some(&SettingValue::Text(text)))?)
    }

    /// A number for a new account.
    pub(crate) fn next_account(&mut self) -> i32 {
        self.last_account += 1;
        self.last_account
    }

    /// A number for a new profile.
    pub(crate) fn next_profile(&mut self) -> i32 {
        self.last_profile += 1;
        self.last_profile
    }

    pub(crate) fn profile_named(&self, name: &str) -> Option<&Profile> {
        let mut all = self.profiles.iter();
        all.find(|profile| name_key(&profile.name) == name_key(name))
    }

    pub(crate) fn account_named(&self, name: &str) -> Option<&Account> {
        let mut all = self.accounts.iter();
        all.find(|account| name_key(&account.name) == name_key(name))
    }
}

fn broken(error: &serde_json::Error) -> Fault {
    tracing::error!(%error, "read or write what Database Mail is set up with");
    SqlError::new(
        14603,
        16,
        "What Database Mail is set up with cannot be read.",
    )
    .into()
}
