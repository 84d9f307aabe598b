//! Proxies with their grants, and the credentials behind them without their secrets.

use super::text::{Call, heading, identifier, literal};
use super::{Kind, Script};
use crate::error::Result;
use catalog::{Credential, DefinitionsRead};
use std::collections::BTreeMap;

/// The parameter that names a principal, by its kind. Source: code `proxy_principal`.
const PRINCIPALS: [&str; 3] = ["@login_name", "@fixed_server_role", "@msdb_role"];

pub(super) fn scripts(definitions: &dyn DefinitionsRead) -> Result<Vec<Script>> {
    let subsystems: BTreeMap<i64, String> = definitions
        .subsystems()?
        .into_iter()
        .map(|subsystem| (subsystem.id, subsystem.name))
        .collect();
    let mut scripts = Vec::new();
    for proxy in definitions.proxies()? {
        let mut text = heading("ProxyAccount", &proxy.name);
        let credential = definitions.credential(proxy.credential_id)?;
        if let Some(credential) = &credential {
            text.push_str(&unless_there(credential));
        }
        let call = Call::new("sp_add_proxy")
            .text("@proxy_name", &proxy.name)
            .optional(
                "@credential_name",
                credential.as_ref().map(|credential| &*credential.name),
            )
            .flag("@enabled", proxy.enabled)
            .optional("@description", proxy.description.as_deref());
        text.push_str(&call.done());
        for grant in definitions.proxy_subsystems(Some(proxy.id))? {
            if let Some(name) = subsystems.get(&grant.subsystem) {
                let call = Call::new("sp_grant_proxy_to_subsystem")
                    .text("@proxy_name", &proxy.name)
                    .text("@subsystem_name", name);
                text.push_str(&call.done());
            }
        }
        for grant in definitions.proxy_logins(Some(proxy.id))? {
            let kind = usize::try_from(grant.flags).ok();
            if let Some(parameter) = kind.and_then(|kind| PRINCIPALS.get(kind)) {
                let call = Call::new("sp_grant_login_to_proxy")
                    .text("@proxy_name", &proxy.name)
                    .text(parameter, &grant.name);
                text.push_str(&call.done());
            }
        }
        scripts.push(Script::new(Kind::Proxy, &proxy.name, text));
    }
    Ok(scripts)
}

/// Secrets leave an instance in no form: whoever applies the script sets it there.
fn unless_there(credential: &Credential) -> String {
    let secret = if credential.sealed_secret.is_some() {
        "-- The credential has a secret, which is not scripted: set it with ALTER CREDENTIAL.\n"
    } else {
        ""
    };
    format!(
        "{secret}IF NOT EXISTS (SELECT name FROM sys.credentials WHERE name={})\n    \
         CREATE CREDENTIAL {} WITH IDENTITY = {}\n",
        literal(&credential.name),
        identifier(&credential.name),
        literal(&credential.identity),
    )
}
