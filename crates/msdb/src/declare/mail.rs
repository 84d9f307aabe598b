//! Database Mail: the one procedure of it that job scripts call.

use super::{
    BIT, Database, Execute, INT, NTEXT, Procedure, SYSNAME, char, int, null, nvarchar, text,
    varchar,
};
use super::{Param, SqlType};

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

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[Procedure {
    name: "sp_send_dbmail",
    database: Database::Msdb,
    execute: Execute::Sysadmin,
    params: SEND,
    results: &[],
}];
