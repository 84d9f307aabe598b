//! Jobs of one owner: sp_manage_jobs_by_login, sp_check_for_owned_jobs.

use super::job::delete_job_of_owner;
use crate::call::{Call, Output, Store};
use crate::caller::sid_is_sysadmin;
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise};
use crate::post;
use catalog::{JobFilter, OriginFilter};
use model::Operation;

/// `sp_manage_jobs_by_login`: deletes a login's jobs, or gives them to another login.
pub(super) fn manage(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let reassign = match call
        .name("@action")
        .unwrap_or_default()
        .to_uppercase()
        .as_str()
    {
        "DELETE" => false,
        "REASSIGN" => true,
        _ => return Err(none_of("@action", "DELETE, REASSIGN").into()),
    };
    let current = call
        .name("@current_owner_login_name")
        .ok_or_else(|| raise(14200, &["@current_owner_login_name".into()]))?;
    let new = call.name("@new_owner_login_name");
    if reassign && new.is_none() {
        return Err(raise(14237, &[]).into());
    }
    let count = store.write(call, |definitions| {
        let owner = lookup::login_sid(&*definitions, "@current_owner_login_name", current)?;
        let jobs = definitions.jobs(&JobFilter {
            owner_sid: Some(owner),
            origin: Some(OriginFilter::Local),
            ..JobFilter::default()
        })?;
        let count = jobs.len();
        let Some(new) = new.filter(|_| reassign) else {
            for job in jobs {
                delete_job_of_owner(call, definitions, &job)?;
            }
            return Ok(count);
        };
        let sid = lookup::login_sid(&*definitions, "@new_owner_login_name", new)?;
        let sysadmin = sid_is_sysadmin(&*definitions, &sid)?;
        for mut job in jobs {
            let multiserver = lookup::is_multiserver(&*definitions, job.id)?;
            if multiserver && !sysadmin {
                return Err(raise(14543, &[current.into()]).into());
            }
            job.owner_sid.clone_from(&sid);
            job.modified = call.now;
            definitions.update_job(&job)?;
            post::change(call, definitions, job.id, Operation::Update)?;
        }
        Ok(count)
    })?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match new {
        Some(new) if reassign => out.message(raise(14239, &[count.into(), new.into()])),
        Some(_) => {
            out.message(raise(14281, &[]));
            out.message(raise(14238, &[count.into()]));
        }
        None => out.message(raise(14238, &[count.into()])),
    }
    Ok(())
}

/// What sp_check_for_owned_jobs writes into the table of its caller: one row with the number of jobs.
pub(super) const INSERT_OWNED: &str = "
DECLARE @text nvarchar(max) = N'INSERT INTO ' + @table_name
    + N' SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE owner_sid = SUSER_SID(@login_name)'
EXEC sp_executesql @text, N'@login_name sysname', @login_name";

/// `sp_check_for_owned_jobs`: checks the login and the table's name; [`INSERT_OWNED`] does the rest.
pub(super) fn check_owned(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let login = call
        .name("@login_name")
        .ok_or_else(|| raise(14200, &["@login_name".into()]))?;
    // The name becomes part of a statement: nothing else may come with it.
    let in_names = |c: char| c.is_alphanumeric() || "_#@$.[] ".contains(c);
    let table = call.name("@table_name").unwrap_or_default();
    if table.is_empty() || !table.chars().all(in_names) {
        return Err(raise(14200, &["@table_name".into()]).into());
    }
    store.read(|definitions| {
        lookup::login_sid(definitions, "@login_name", login)?;
        Ok(())
    })
}
