//! Credentials.

use super::{Context, missing};
use crate::error::Result;
use crate::messages::raise;
use catalog::{Credential, DefinitionsWrite};

impl Context<'_> {
    pub(super) fn create_credential(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        identity: &str,
        sealed_secret: Option<Vec<u8>>,
    ) -> Result<()> {
        if definitions.credential_by_name(name)?.is_some() {
            return Err(raise(15530, &["credential".into(), name.into()]).into());
        }
        definitions.create_credential(&Credential {
            id: 0,
            name: name.to_owned(),
            identity: identity.to_owned(),
            sealed_secret,
            created: self.now,
            modified: self.now,
        })?;
        Ok(())
    }

    pub(super) fn alter_credential(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        identity: &str,
        sealed_secret: Option<Vec<u8>>,
    ) -> Result<()> {
        let mut credential = definitions
            .credential_by_name(name)?
            .ok_or_else(|| missing("alter", "credential", name))?;
        identity.clone_into(&mut credential.identity);
        // Without a SECRET the old one goes, as in SQL Server.
        credential.sealed_secret = sealed_secret;
        credential.modified = self.now;
        Ok(definitions.update_credential(&credential)?)
    }
}

/// DROP CREDENTIAL
pub(super) fn drop(definitions: &mut dyn DefinitionsWrite, name: &str) -> Result<()> {
    let credential = definitions
        .credential_by_name(name)?
        .ok_or_else(|| missing("drop", "credential", name))?;
    Ok(definitions.delete_credential(credential.id)?)
}
