//! DBCC: what can be answered truly is answered; caches and trace flags that are not there need no clearing.

use super::{End, Ended, Failure, Frame, Interpreter};
use crate::session::shared::option;
use tsql::ast::DbccArgument;
use tsql::convert::DateOrder;
use tsql::{SqlError, Value, fault, messages};

/// Commands about caches, statistics of storage, and trace flags: there is nothing that they would change.
const WITHOUT_EFFECT: &[&str] = &[
    "CLEANTABLE",
    "DBREINDEX",
    "DROPCLEANBUFFERS",
    "FLUSHAUTHCACHE",
    "FLUSHPROCINDB",
    "FREEPROCCACHE",
    "FREESESSIONCACHE",
    "FREESYSTEMCACHE",
    "INDEXDEFRAG",
    "TRACEOFF",
    "TRACEON",
    "UPDATEUSAGE",
];

/// Commands that read a file through and say what is wrong with it.
const CHECKS: &[&str] = &[
    "CHECKALLOC",
    "CHECKCATALOG",
    "CHECKDB",
    "CHECKFILEGROUP",
    "CHECKTABLE",
];

/// Commands that SQL Server has, and that are refused by their name.
const REFUSED: &[&str] = &[
    "CHECKCONSTRAINTS",
    "CHECKIDENT",
    "CLONEDATABASE",
    "HELP",
    "IND",
    "LOG",
    "MEMORYSTATUS",
    "OUTPUTBUFFER",
    "PAGE",
    "PROCCACHE",
    "SHOWCONTIG",
    "SHOWFILESTATS",
    "SHOW_STATISTICS",
    "SHRINKDATABASE",
    "SHRINKFILE",
    "STACKDUMP",
    "WRITEPAGE",
];

/// Most faults of one file that are shown.
const FAULTS_SHOWN_MAX: usize = 100;

const LOG_SPACE: &str = "SELECT d.name AS [Database Name], \
    CAST(ISNULL(f.pages, 0) / 128.0 AS real) AS [Log Size (MB)], \
    CAST(CASE WHEN f.pages > 0 THEN 100 ELSE 0 END AS real) AS [Log Space Used (%)], \
    0 AS [Status] \
    FROM sys.databases AS d LEFT JOIN (SELECT database_id, SUM(CAST(size AS bigint)) AS pages \
    FROM sys.master_files WHERE type = 1 GROUP BY database_id) AS f ON f.database_id = d.database_id \
    ORDER BY d.database_id";
const INPUT_BUFFER: &str = "SELECT event_type AS EventType, parameters AS Parameters, \
    event_info AS EventInfo FROM sys.dm_exec_input_buffer(@session, 0)";
const NO_TRACE_FLAGS: &str = "SELECT CAST(0 AS smallint) AS TraceFlag, CAST(0 AS smallint) AS Status, \
    CAST(0 AS smallint) AS [Global], CAST(0 AS smallint) AS Session WHERE 1 = 0";
const NO_LOG_FILES: &str = "SELECT 0 AS RecoveryUnitId, 0 AS FileId, CAST(0 AS bigint) AS FileSize, \
    CAST(0 AS bigint) AS StartOffset, 0 AS FSeqNo, 0 AS Status, CAST(0 AS tinyint) AS Parity, \
    CAST(0 AS numeric(25, 0)) AS CreateLSN WHERE 1 = 0";
const NO_HEADER: &str = "SELECT CAST('' AS varchar(255)) AS ParentObject, \
    CAST('' AS varchar(255)) AS Object, CAST('' AS varchar(255)) AS Field, \
    CAST('' AS varchar(255)) AS VALUE WHERE 1 = 0";
const USER_OPTIONS: &str = "SELECT [Set Option], Value FROM (VALUES \
    (1, CAST(N'textsize' AS nvarchar(128)), CAST(@text_size AS nvarchar(128))), \
    (2, N'language', @@LANGUAGE), (3, N'dateformat', @date_format), \
    (4, N'datefirst', CAST(@@DATEFIRST AS nvarchar(128))), \
    (5, N'lock_timeout', CAST(@@LOCK_TIMEOUT AS nvarchar(128))), \
    (6, N'quoted_identifier', CASE WHEN @@OPTIONS & 256 > 0 THEN N'SET' END), \
    (7, N'arithabort', CASE WHEN @@OPTIONS & 64 > 0 THEN N'SET' END), \
    (8, N'ansi_null_dflt_on', CASE WHEN @@OPTIONS & 1024 > 0 THEN N'SET' END), \
    (9, N'ansi_warnings', CASE WHEN @@OPTIONS & 8 > 0 THEN N'SET' END), \
    (10, N'ansi_padding', CASE WHEN @@OPTIONS & 16 > 0 THEN N'SET' END), \
    (11, N'ansi_nulls', CASE WHEN @@OPTIONS & 32 > 0 THEN N'SET' END), \
    (12, N'concat_null_yields_null', CASE WHEN @@OPTIONS & 4096 > 0 THEN N'SET' END), \
    (13, N'isolation level', @isolation)) AS o (place, [Set Option], Value) \
    WHERE Value IS NOT NULL ORDER BY place";

/// What a command answers before it says that it is done.
enum Answer<'t> {
    /// Nothing.
    Nothing,
    /// The rows of a text, which sees these variables.
    Rows(&'t str, Box<Frame>),
    /// Messages.
    Messages(Vec<SqlError>),
}

impl Interpreter<'_> {
    /// `DBCC command (arguments) WITH options`
    pub(super) fn dbcc(
        &mut self,
        command: &str,
        arguments: &[DbccArgument],
        options: &[String],
        frame: &Frame,
    ) -> Ended {
        let arguments = self.dbcc_arguments(arguments, frame)?;
        let quiet = options.iter().any(|word| word == "NO_INFOMSGS");
        let line = self.line;
        match self.dbcc_answer(command, &arguments)? {
            Answer::Nothing => {}
            Answer::Rows(text, frame) => {
                if let (End::Abort, _) = self.dynamic(text, *frame)? {
                    return Ok(End::Abort);
                }
            }
            Answer::Messages(found) => {
                for message in found {
                    if message.is_error() {
                        self.report(message.at_line(line));
                    } else if !quiet {
                        self.sink.message(message.at_line(line));
                    }
                }
            }
        }
        if !quiet {
            let text = "DBCC execution completed. If DBCC printed error messages, contact your system administrator.";
            self.sink
                .message(SqlError::new(2528, 10, text).at_line(line));
        }
        Ok(End::Next)
    }

    fn dbcc_answer(
        &mut self,
        command: &str,
        arguments: &[Value],
    ) -> Result<Answer<'static>, Failure> {
        if CHECKS.contains(&command) {
            return Ok(Answer::Messages(self.check_file(command, arguments)?));
        }
        let rows = |text| Ok(Answer::Rows(text, Box::default()));
        match command {
            "SQLPERF" => match arguments.first().and_then(Value::as_str) {
                Some(text) if text.eq_ignore_ascii_case("LOGSPACE") => {
                    self.state_wanted()?;
                    rows(LOG_SPACE)
                }
                // `('sys.dm_os_wait_stats', CLEAR)`
                Some(_) if arguments.len() == 2 => Ok(Answer::Nothing),
                _ => Err(unknown().into()),
            },
            "LOGINFO" => rows(NO_LOG_FILES),
            "DBINFO" => rows(NO_HEADER),
            "TRACESTATUS" => rows(NO_TRACE_FLAGS),
            "INPUTBUFFER" => {
                let session = arguments.first().and_then(Value::as_i64);
                let session = session.and_then(|n| i16::try_from(n).ok());
                let session = session.ok_or_else(unknown)?;
                let mut frame = Frame::default();
                frame.declare(
                    "@session",
                    tsql::SqlType::SmallInt,
                    Value::SmallInt(session),
                );
                Ok(Answer::Rows(INPUT_BUFFER, Box::new(frame)))
            }
            "OPENTRAN" if self.core.shared.facts().tran_count > 0 => {
                Err(fault::not_supported("DBCC OPENTRAN in a transaction").into())
            }
            "OPENTRAN" => Ok(Answer::Messages(vec![SqlError::new(
                7969,
                10,
                "No active open transactions.",
            )])),
            "USEROPTIONS" => Ok(Answer::Rows(USER_OPTIONS, Box::new(self.user_options()))),
            _ if WITHOUT_EFFECT.contains(&command) => Ok(Answer::Nothing),
            _ if REFUSED.contains(&command) => {
                Err(fault::not_supported(&format!("DBCC {command}")).into())
            }
            _ => Err(unknown().into()),
        }
    }

    /// 300 unless the caller may see what is about the whole server.
    fn state_wanted(&self) -> Result<(), SqlError> {
        if self.core.shared.host().principal().sysadmin {
            return Ok(());
        }
        let text = "VIEW SERVER STATE permission was denied on object 'server', database 'master'.";
        Err(SqlError::new(300, 14, text))
    }

    fn user_options(&self) -> Frame {
        let facts = self.core.shared.facts();
        let date_format = match facts.date_order {
            DateOrder::MonthDayYear => "mdy",
            DateOrder::DayMonthYear => "dmy",
            DateOrder::YearMonthDay => "ymd",
            DateOrder::YearDayMonth => "ydm",
            DateOrder::MonthYearDay => "myd",
            DateOrder::DayYearMonth => "dym",
        };
        let isolation = match facts.isolation {
            1 => "read uncommitted",
            3 => "repeatable read",
            4 => "serializable",
            5 => "snapshot",
            _ => "read committed",
        };
        let mut frame = Frame::default();
        for (name, value) in [
            ("@text_size", facts.text_size.to_string()),
            ("@date_format", date_format.to_owned()),
            ("@isolation", isolation.to_owned()),
        ] {
            frame.declare(name, tsql::SqlType::nvarchar(128), Value::String(value));
        }
        debug_assert_eq!(option::QUOTED_IDENTIFIER, 256, "as the text has it");
        frame
    }

    fn dbcc_arguments(
        &mut self,
        arguments: &[DbccArgument],
        frame: &Frame,
    ) -> Result<Vec<Value>, SqlError> {
        arguments
            .iter()
            .map(|argument| match argument {
                DbccArgument::Text(text) => Ok(Value::string(text.as_str())),
                DbccArgument::Number(number) => Ok(Value::BigInt(*number)),
                DbccArgument::Variable(variable) => {
                    let slot = frame.scope.slot(&variable.name);
                    let slot = slot.ok_or_else(|| fault::undeclared_variable(&variable.name))?;
                    Ok(frame.values[slot].clone())
                }
            })
            .collect()
    }

    /// Reads a database's file through. What users made lies there; a check of a table is one of its file.
    fn check_file(
        &mut self,
        command: &str,
        arguments: &[Value],
    ) -> Result<Vec<SqlError>, SqlError> {
        let databases = self.databases()?;
        let here = self.core.database.clone();
        let whole = matches!(command, "CHECKDB" | "CHECKALLOC" | "CHECKCATALOG");
        let info = match arguments.first() {
            Some(Value::String(name)) if whole => databases.named(name),
            Some(number) if whole && number.as_i64().is_some_and(|n| n != 0) => number
                .as_i64()
                .and_then(|n| i32::try_from(n).ok())
                .and_then(|id| databases.numbered(id)),
            _ => databases.named(&here),
        };
        let info = info.ok_or_else(|| {
            let name = arguments.first().and_then(Value::as_str).unwrap_or_default();
            let text = format!(
                "Could not find database '{name}'. The database either does not exist, or was dropped before a statement tried to use it."
            );
            SqlError::new(2520, 16, text)
        })?;
        self.may_administer(&info)?;
        if command == "CHECKTABLE" {
            let table = arguments
                .first()
                .and_then(Value::as_str)
                .unwrap_or_default();
            let named = super::execute::Named::parse(table);
            let schema = named.schema.as_deref().unwrap_or("dbo");
            let host = self.core.shared.host();
            if host.object_id(&info.name, schema, &named.name).is_none() {
                return Err(messages::OBJECT_NOT_FOUND.with(&[table]));
            }
        }
        let faults = databases.check(info.id, FAULTS_SHOWN_MAX)?;
        let number = faults.len();
        let mut found: Vec<SqlError> = faults
            .into_iter()
            .map(|text| SqlError::new(8928, 16, text))
            .collect();
        if command != "CHECKCATALOG" {
            found.push(SqlError::new(
                8989,
                10,
                format!(
                    "{command} found 0 allocation errors and {number} consistency errors in database '{}'.",
                    info.name
                ),
            ));
        }
        Ok(found)
    }
}

/// 2526: a command that nobody has, or one without what it asks for.
fn unknown() -> SqlError {
    let text = "Incorrect DBCC statement. Check the documentation for the correct DBCC syntax and options.";
    SqlError::new(2526, 16, text)
}
