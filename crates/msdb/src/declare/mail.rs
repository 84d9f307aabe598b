//! Database Mail: accounts, profiles, who may use them, parameters, and sp_send_dbmail.

use super::{
    BIT, Columns, DATETIME, Database, Execute, INT, NTEXT, Param, Procedure, SYSNAME, SqlType,
    char, col, int, null, nvarchar, required, text, varchar,
};

/// `sysmail_help_account_sp`
pub(crate) const MAIL_ACCOUNTS: Columns = &[
    col("account_id", INT),
    col("name", SYSNAME),
    col("description", nvarchar(256)),
    col("email_address", nvarchar(128)),
    col("display_name", nvarchar(128)),
    col("replyto_address", nvarchar(128)),
    col("servertype", SYSNAME),
    col("servername", SYSNAME),
    col("port", INT),
    col("username", nvarchar(128)),
    col("use_default_credentials", BIT),
    col("enable_ssl", BIT),
];

/// `sysmail_help_profile_sp`
pub(crate) const MAIL_PROFILES: Columns = &[
    col("profile_id", INT),
    col("name", SYSNAME),
    col("description", nvarchar(256)),
];

/// `sysmail_help_profileaccount_sp`
pub(crate) const MAIL_MEMBERS: Columns = &[
    col("profile_id", INT),
    col("profile_name", SYSNAME),
    col("account_id", INT),
    col("account_name", SYSNAME),
    col("sequence_number", INT),
];

/// `sysmail_help_principalprofile_sp`
pub(crate) const MAIL_PRINCIPALS: Columns = &[
    col("principal_id", INT),
    col("principal_name", SYSNAME),
    col("profile_id", INT),
    col("profile_name", SYSNAME),
    col("is_default", BIT),
];

/// `sysmail_help_configure_sp`
pub(crate) const MAIL_CONFIGURATION: Columns = &[
    col("paramname", nvarchar(256)),
    col("paramvalue", nvarchar(256)),
    col("description", nvarchar(256)),
];

/// `sysmail_help_status_sp`
pub(crate) const MAIL_STATUS: Columns = &[col("Status", nvarchar(7))];

/// `sysmail_help_queue_sp`
pub(crate) const MAIL_QUEUES: Columns = &[
    col("queue_type", nvarchar(6)),
    col("length", INT),
    col("state", nvarchar(64)),
    col("last_empty_rowset_time", DATETIME),
    col("last_activated_time", DATETIME),
];

const ADD_ACCOUNT: &[Param] = &[
    required("@account_name", SYSNAME),
    required("@email_address", nvarchar(128)),
    null("@display_name", nvarchar(128)),
    null("@replyto_address", nvarchar(128)),
    null("@description", nvarchar(256)),
    null("@mailserver_name", SYSNAME),
    text("@mailserver_type", SYSNAME, "SMTP"),
    int("@port", INT, 25),
    null("@username", nvarchar(128)),
    null("@password", nvarchar(128)),
    int("@use_default_credentials", BIT, 0),
    int("@enable_ssl", BIT, 0),
    null("@account_id", INT).output(),
];

const UPDATE_ACCOUNT: &[Param] = &[
    null("@account_id", INT),
    null("@account_name", SYSNAME),
    null("@email_address", nvarchar(128)),
    null("@display_name", nvarchar(128)),
    null("@replyto_address", nvarchar(128)),
    null("@description", nvarchar(256)),
    null("@mailserver_name", SYSNAME),
    null("@mailserver_type", SYSNAME),
    null("@port", INT),
    null("@username", nvarchar(128)),
    null("@password", nvarchar(128)),
    null("@use_default_credentials", BIT),
    null("@enable_ssl", BIT),
    null("@timeout", INT),
    int("@no_credential_change", BIT, 0),
];

const ACCOUNT: &[Param] = &[null("@account_id", INT), null("@account_name", SYSNAME)];
const PROFILE: &[Param] = &[null("@profile_id", INT), null("@profile_name", SYSNAME)];

const ADD_PROFILE: &[Param] = &[
    required("@profile_name", SYSNAME),
    null("@description", nvarchar(256)),
    null("@profile_id", INT).output(),
];

const UPDATE_PROFILE: &[Param] = &[
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
    null("@description", nvarchar(256)),
];

const DELETE_PROFILE: &[Param] = &[
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
    int("@force_delete", BIT, 1),
];

const MEMBER: &[Param] = &[
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
    null("@account_id", INT),
    null("@account_name", SYSNAME),
];

const MEMBER_IN_ORDER: &[Param] = &[
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
    null("@account_id", INT),
    null("@account_name", SYSNAME),
    required("@sequence_number", INT),
];

const PRINCIPAL: &[Param] = &[
    null("@principal_id", INT),
    null("@principal_name", SYSNAME),
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
];

const ADD_PRINCIPAL: &[Param] = &[
    null("@principal_id", INT),
    null("@principal_name", SYSNAME),
    null("@profile_id", INT),
    null("@profile_name", SYSNAME),
    int("@is_default", BIT, 0),
];

const CONFIGURE_MAIL: &[Param] = &[
    required("@parameter_name", nvarchar(256)),
    required("@parameter_value", nvarchar(256)),
    null("@description", nvarchar(256)),
];

const PARAMETER: &[Param] = &[null("@parameter_name", nvarchar(256))];
const QUEUE: &[Param] = &[null("@queue_type", nvarchar(6))];

const DELETE_ITEMS: &[Param] = &[
    null("@sent_before", DATETIME),
    null("@sent_status", varchar(8)),
];

const DELETE_LOG: &[Param] = &[
    null("@logged_before", DATETIME),
    null("@event_type", varchar(15)),
];

/// varchar(max)
const MAX: SqlType = SqlType::VARCHAR_MAX;

const SEND: &[Param] = &[
    null("@profile_name", SYSNAME),
    null("@recipients", MAX),
    null("@copy_recipients", MAX),
    null("@blind_copy_recipients", MAX),
    null("@from_address", MAX),
    null("@reply_to", MAX),
    null("@subject", nvarchar(255)),
    null("@body", NTEXT),
    null("@body_format", varchar(20)),
    text("@importance", varchar(6), "NORMAL"),
    text("@sensitivity", varchar(12), "NORMAL"),
    null("@file_attachments", NTEXT),
    null("@query", NTEXT),
    null("@execute_query_database", SYSNAME),
    int("@attach_query_result_as_file", BIT, 0),
    null("@query_attachment_filename", nvarchar(260)),
    int("@query_result_header", BIT, 1),
    int("@query_result_width", INT, 256),
    text("@query_result_separator", char(1), " "),
    int("@exclude_query_output", BIT, 0),
    int("@append_query_error", BIT, 0),
    int("@query_no_truncate", BIT, 0),
    int("@query_result_no_padding", BIT, 0),
    null("@mailitem_id", INT).output(),
];

const fn mail(
    name: &'static str,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params,
        results,
    }
}

/// The declarations.
#[rustfmt::skip]
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure { execute: Execute::MailUser, ..mail("sp_send_dbmail", SEND, &[]) },
    mail("sysmail_add_account_sp", ADD_ACCOUNT, &[]),
    mail("sysmail_update_account_sp", UPDATE_ACCOUNT, &[]),
    mail("sysmail_delete_account_sp", ACCOUNT, &[]),
    mail("sysmail_help_account_sp", ACCOUNT, &[("accounts", MAIL_ACCOUNTS)]),
    mail("sysmail_add_profile_sp", ADD_PROFILE, &[]),
    mail("sysmail_update_profile_sp", UPDATE_PROFILE, &[]),
    mail("sysmail_delete_profile_sp", DELETE_PROFILE, &[]),
    mail("sysmail_help_profile_sp", PROFILE, &[("profiles", MAIL_PROFILES)]),
    mail("sysmail_add_profileaccount_sp", MEMBER_IN_ORDER, &[]),
    mail("sysmail_update_profileaccount_sp", MEMBER_IN_ORDER, &[]),
    mail("sysmail_delete_profileaccount_sp", MEMBER, &[]),
    mail("sysmail_help_profileaccount_sp", MEMBER, &[("accounts", MAIL_MEMBERS)]),
    mail("sysmail_add_principalprofile_sp", ADD_PRINCIPAL, &[]),
    mail("sysmail_update_principalprofile_sp", ADD_PRINCIPAL, &[]),
    mail("sysmail_delete_principalprofile_sp", PRINCIPAL, &[]),
    mail("sysmail_help_principalprofile_sp", PRINCIPAL, &[("principals", MAIL_PRINCIPALS)]),
    mail("sysmail_configure_sp", CONFIGURE_MAIL, &[]),
    mail("sysmail_help_configure_sp", PARAMETER, &[("parameters", MAIL_CONFIGURATION)]),
    mail("sysmail_start_sp", &[], &[]),
    mail("sysmail_stop_sp", &[], &[]),
    mail("sysmail_help_status_sp", &[], &[("status", MAIL_STATUS)]),
    mail("sysmail_help_queue_sp", QUEUE, &[("queues", MAIL_QUEUES)]),
    mail("sysmail_delete_mailitems_sp", DELETE_ITEMS, &[]),
    mail("sysmail_delete_log_sp", DELETE_LOG, &[]),
];
