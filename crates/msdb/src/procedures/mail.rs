//! `sp_send_dbmail` where no mail system is set up.

use crate::call::{Call, Output, Store};
use crate::error::Result;
use crate::messages::{none_of, raise};

/// `sp_send_dbmail`: checks what it is given and ends with the error of an instance without mail profiles.
pub(super) fn send(call: &Call<'_>, _store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let recipients = ["@recipients", "@copy_recipients", "@blind_copy_recipients"];
    if recipients.iter().all(|name| call.name(name).is_none()) {
        let names = recipients.join(", ");
        return Err(raise(14618, &[(&names).into()]).into());
    }
    for (parameter, valid) in [
        ("@body_format", &["TEXT", "HTML"][..]),
        ("@importance", &["LOW", "NORMAL", "HIGH"]),
        (
            "@sensitivity",
            &["NORMAL", "PERSONAL", "PRIVATE", "CONFIDENTIAL"],
        ),
    ] {
        let fits = |word: &str| valid.iter().any(|known| known.eq_ignore_ascii_case(word));
        if call.name(parameter).is_some_and(|word| !fits(word)) {
            return Err(none_of(parameter, &valid.join(", ")).into());
        }
    }
    Err(match call.name("@profile_name") {
        // There is no profile at all, so that no name is one.
        Some(_) => raise(14607, &["profile name".into()]),
        None => raise(14636, &[]),
    }
    .into())
}
