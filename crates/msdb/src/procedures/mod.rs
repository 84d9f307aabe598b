//! What each procedure does, one file per noun. [`body`] finds it by name.

mod activity;
mod agent;
mod alert;
mod category;
mod download;
pub(crate) mod download_marks;
mod driver;
mod enlist;
mod error_log;
mod external_history;
mod help;
mod history;
mod job;
mod job_help;
mod jobserver;
mod jobstep;
mod mail;
mod master;
mod notification;
mod operator;
mod owner;
mod proxy;
mod registry;
mod run;
mod schedule;
mod schedule_help;
mod script;
mod security;
mod steplog;
mod target;
mod tsx;
mod upkeep;

use crate::call::{Call, Output, Store};
use crate::error::Result;

/// A procedure's body. The return code is 0 when it succeeds, 1 when it raises.
pub(crate) type Body = fn(&Call<'_>, &mut Store<'_>, &mut Output<'_>) -> Result<()>;

/// The body of a declared procedure, by its name in any case; `None` while it is declared only.
pub(crate) fn body(name: &str) -> Option<Body> {
    BODIES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, body)| *body)
}

/// Every procedure that has a body.
const BODIES: &[(&str, Body)] = &[
    ("sp_add_job", job::add),
    ("sp_update_job", job::update),
    ("sp_delete_job", job::delete),
    ("sp_help_job", job_help::help),
    ("sp_help_jobactivity", activity::help),
    ("sp_add_jobstep", jobstep::add),
    ("sp_update_jobstep", jobstep::update),
    ("sp_delete_jobstep", jobstep::delete),
    ("sp_help_jobstep", jobstep::help),
    ("sp_add_schedule", schedule::add),
    ("sp_update_schedule", schedule::update),
    ("sp_delete_schedule", schedule::delete),
    ("sp_attach_schedule", schedule::attach),
    ("sp_detach_schedule", schedule::detach),
    ("sp_help_schedule", schedule_help::help),
    ("sp_add_jobschedule", schedule::add_to_job),
    ("sp_update_jobschedule", schedule::update_of_job),
    ("sp_delete_jobschedule", schedule::delete_of_job),
    ("sp_help_jobschedule", schedule_help::help_of_job),
    ("sp_get_schedule_description", schedule_help::description),
    ("sp_help_jobs_in_schedule", job_help::help_in_schedule),
    ("sp_help_jobcount", schedule_help::job_count),
    ("sp_add_jobserver", jobserver::add),
    ("sp_delete_jobserver", jobserver::delete),
    ("sp_help_jobserver", jobserver::help),
    ("sp_apply_job_to_targets", jobserver::apply),
    ("sp_remove_job_from_targets", jobserver::remove),
    ("sp_start_job", run::start),
    ("sp_stop_job", run::stop),
    ("sp_help_jobhistory", history::help),
    ("sp_purge_jobhistory", history::purge),
    ("sp_add_category", category::add),
    ("sp_update_category", category::update),
    ("sp_delete_category", category::delete),
    ("sp_help_category", category::help),
    ("sp_add_operator", operator::add),
    ("sp_update_operator", operator::update),
    ("sp_delete_operator", operator::delete),
    ("sp_help_operator", operator::help),
    ("sp_help_operator_jobs", operator::help_jobs),
    ("sp_notify_operator", operator::notify),
    ("sp_add_alert", alert::add),
    ("sp_update_alert", alert::update),
    ("sp_delete_alert", alert::delete),
    ("sp_help_alert", alert::help),
    ("sp_get_job_alerts", alert::of_job),
    ("sp_add_notification", notification::add),
    ("sp_update_notification", notification::update),
    ("sp_delete_notification", notification::delete),
    ("sp_help_notification", notification::help),
    ("sp_add_proxy", proxy::add),
    ("sp_update_proxy", proxy::update),
    ("sp_delete_proxy", proxy::delete),
    ("sp_help_proxy", proxy::help),
    ("sp_grant_proxy_to_subsystem", proxy::grant_subsystem),
    ("sp_revoke_proxy_from_subsystem", proxy::revoke_subsystem),
    ("sp_grant_login_to_proxy", proxy::grant_login),
    ("sp_revoke_login_from_proxy", proxy::revoke_login),
    ("sp_enum_login_for_proxy", proxy::enum_logins),
    ("sp_enum_proxy_for_subsystem", proxy::enum_subsystem_proxies),
    ("sp_enum_sqlagent_subsystems", proxy::enum_subsystems),
    ("sp_get_sqlagent_properties", agent::get_properties),
    ("sp_set_sqlagent_properties", agent::set_properties),
    ("xp_sqlagent_enum_jobs", agent::enum_jobs),
    ("sp_sqlagent_notify", agent::notify),
    ("xp_sqlagent_notify", agent::notify),
    ("sp_sqlagent_has_server_access", agent::has_server_access),
    ("sp_verify_job_identifiers", agent::verify_job_identifiers),
    ("sp_help_jobsteplog", steplog::help),
    ("sp_delete_jobsteplog", steplog::delete),
    ("sp_manage_jobs_by_login", owner::manage),
    ("sp_multi_server_job_summary", jobserver::summary),
    ("sp_target_server_summary", target::summary),
    ("sp_downloaded_row_limiter", target::limit_downloaded),
    ("sp_jobhistory_row_limiter", history::limit),
    ("sp_cycle_agent_errorlog", error_log::cycle_agent),
    ("sp_cycle_errorlog", error_log::cycle_server),
    ("xp_readerrorlog", error_log::read),
    ("sp_readerrorlog", error_log::read),
    ("xp_enumerrorlogs", error_log::list),
    ("sp_enumerrorlogs", error_log::list),
    ("xp_logininfo", error_log::login_info),
    ("sp_send_dbmail", mail::send),
    ("sysmail_add_account_sp", mail::add_account),
    ("sysmail_update_account_sp", mail::update_account),
    ("sysmail_delete_account_sp", mail::delete_account),
    ("sysmail_help_account_sp", mail::help_account),
    ("sysmail_add_profile_sp", mail::add_profile),
    ("sysmail_update_profile_sp", mail::update_profile),
    ("sysmail_delete_profile_sp", mail::delete_profile),
    ("sysmail_help_profile_sp", mail::help_profile),
    ("sysmail_add_profileaccount_sp", mail::add_profile_account),
    (
        "sysmail_update_profileaccount_sp",
        mail::update_profile_account,
    ),
    (
        "sysmail_delete_profileaccount_sp",
        mail::delete_profile_account,
    ),
    (
        "sysmail_help_profileaccount_sp",
        mail::help_profile_accounts,
    ),
    ("sysmail_add_principalprofile_sp", mail::add_principal),
    ("sysmail_update_principalprofile_sp", mail::update_principal),
    ("sysmail_delete_principalprofile_sp", mail::delete_principal),
    ("sysmail_help_principalprofile_sp", mail::help_principals),
    ("sysmail_configure_sp", mail::configure),
    ("sysmail_help_configure_sp", mail::help_configuration),
    ("sysmail_start_sp", mail::start),
    ("sysmail_stop_sp", mail::stop),
    ("sysmail_help_status_sp", mail::help_status),
    ("sysmail_help_queue_sp", mail::help_queue),
    ("sysmail_delete_mailitems_sp", mail::delete_items),
    ("sysmail_delete_log_sp", mail::delete_log),
    ("sp_MSsetalertinfo", master::set_alert_info),
    ("sp_MSgetalertinfo", master::alert_info),
    ("sp_tables", driver::tables),
    ("sp_tableswc", driver::tables),
    ("sp_columns", driver::columns),
    ("sp_columns_100", driver::columns),
    ("sp_datatype_info", driver::types::info),
    ("sp_datatype_info_100", driver::types::info),
    ("sp_stored_procedures", driver::stored_procedures),
    ("sp_sproc_columns", driver::sproc_columns),
    ("sp_sproc_columns_100", driver::sproc_columns),
    ("sp_pkeys", driver::pkeys),
    ("sp_fkeys", driver::fkeys),
    ("sp_statistics", driver::statistics),
    ("sp_statistics_100", driver::statistics),
    ("sp_special_columns", driver::special_columns),
    ("sp_special_columns_100", driver::special_columns),
    ("sp_databases", driver::databases),
    ("sp_server_info", driver::server_info),
    ("sp_help", help::help),
    ("sp_helptext", help::helptext),
    ("sp_helpindex", help::helpindex),
    ("sp_helpdb", help::helpdb),
    ("sp_helpfile", help::helpfile),
    ("sp_spaceused", help::spaceused),
    ("sp_who", help::who),
    ("sp_who2", help::who2),
    ("sp_lock", help::lock),
    ("sp_configure", help::configure),
    ("sp_helpuser", help::helpuser),
    ("sp_helprole", help::helprole),
    ("sp_helprolemember", help::helprolemember),
    ("sp_helpsrvrole", help::helpsrvrole),
    ("sp_helpsrvrolemember", help::helpsrvrolemember),
    ("sp_helpserver", help::helpserver),
    ("sp_linkedservers", help::linkedservers),
    ("sp_helpsort", help::helpsort),
    ("xp_msver", help::msver),
    ("sp_MSforeachdb", master::for_each_database),
    ("sp_MSdbuserpriv", master::user_privileges),
    ("xp_fixeddrives", master::fixed_drives),
    ("sp_MSforeachtable", upkeep::nothing),
    ("sp_MS_marksystemobject", upkeep::mark_system_object),
    ("sp_sqlexec", upkeep::nothing),
    ("sp_recompile", upkeep::recompile),
    ("sp_refreshview", upkeep::refresh_view),
    ("sp_refreshsqlmodule", upkeep::refresh_module),
    ("sp_updatestats", upkeep::nothing),
    ("sp_validatelogins", upkeep::validate_logins),
    ("xp_fileexist", upkeep::file_exist),
    ("xp_subdirs", upkeep::subdirs),
    ("xp_dirtree", upkeep::dirtree),
    ("xp_loginconfig", upkeep::login_config),
    ("xp_sqlagent_is_starting", upkeep::agent_is_starting),
    ("sp_delete_backuphistory", upkeep::nothing),
    ("sp_delete_database_backuphistory", upkeep::nothing),
    ("sp_maintplan_delete_log", upkeep::nothing),
    ("sp_syspolicy_purge_history", upkeep::nothing),
    ("sp_muster_script", script::script),
    ("sp_muster_rehearsal", script::rehearsal),
    ("sp_sqlagent_log_jobhistory", external_history::log),
    ("sp_enlist_tsx", tsx::enlist),
    ("sp_sqlagent_probe_msx", tsx::probe),
    ("sp_sqlagent_refresh_job", tsx::refresh_job),
    ("sp_sqlagent_check_msx_version", tsx::check_version),
    ("sp_check_for_owned_jobs", owner::check_owned),
    ("sp_msx_enlist", enlist::enlist),
    ("sp_msx_defect", enlist::defect),
    ("sp_msx_set_account", enlist::set_account),
    ("sp_msx_get_account", enlist::get_account),
    ("sp_help_targetserver", target::help),
    ("sp_delete_targetserver", target::delete),
    ("sp_resync_targetserver", target::resync),
    ("sp_add_targetservergroup", target::add_group),
    ("sp_update_targetservergroup", target::update_group),
    ("sp_delete_targetservergroup", target::delete_group),
    ("sp_help_targetservergroup", target::help_group),
    ("sp_add_targetsvrgrp_member", target::add_member),
    ("sp_delete_targetsvrgrp_member", target::delete_member),
    ("sp_help_downloadlist", download::help),
    ("sp_post_msx_operation", download::post),
    ("xp_instance_regread", registry::read),
    ("xp_regread", registry::read),
    ("xp_instance_regwrite", registry::write),
    ("xp_regwrite", registry::write),
    ("xp_instance_regdeletevalue", registry::delete),
    ("xp_regdeletevalue", registry::delete),
    ("sp_addlogin", security::add_login),
    ("sp_addrole", security::add_role),
    ("sp_adduser", security::add_user),
    ("sp_defaultdb", security::default_database),
    ("sp_droplogin", security::drop_login),
    ("sp_droprole", security::drop_role),
    ("sp_dropuser", security::drop_user),
    ("sp_grantdbaccess", security::grant_access),
    ("sp_helpdbfixedrole", help::helpdbfixedrole),
    ("sp_helplogins", help::helplogins),
    ("sp_helprotect", help::helprotect),
    ("sp_password", security::password),
    ("sp_revokedbaccess", security::drop_user),
    ("sp_addrolemember", security::add_role_member),
    ("sp_droprolemember", security::drop_role_member),
    ("sp_addsrvrolemember", security::add_server_role_member),
    ("sp_dropsrvrolemember", security::drop_server_role_member),
];

/// T-SQL that the engine runs after a procedure's body, with the caller's rights: what is written into the caller's
/// own tables.
pub(crate) fn procedure_text(name: &str) -> Option<&'static str> {
    match name {
        "sp_check_for_owned_jobs" => Some(owner::INSERT_OWNED),
        "sp_MSforeachdb" => Some(master::FOR_EACH_DATABASE),
        "sp_MSdbuserpriv" => Some(master::USER_PRIVILEGES),
        "sp_MSforeachtable" => Some(upkeep::FOR_EACH_TABLE),
        "sp_sqlexec" => Some(upkeep::SQL_EXEC),
        _ => None,
    }
}

/// Whether SQL Server has a procedure of a name that Muster refuses.
pub(crate) fn is_refused(name: &str) -> bool {
    const SHEET: &str = include_str!("../../facts/refused-procedures.txt");
    let name = name.to_ascii_lowercase();
    SHEET
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .any(|line| match line.strip_suffix('*') {
            Some(start) => name.starts_with(&start.to_ascii_lowercase()),
            None => name == line.to_ascii_lowercase(),
        })
}

pub(crate) use jobstep::proxy_id;
pub(crate) use mail::MAIL_PARAMETERS;
pub(crate) use schedule_help::timing as schedule_timing;
