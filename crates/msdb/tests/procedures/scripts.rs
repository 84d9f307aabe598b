//! Whole scripts through the engine: what SSMS writes, and what clients ask right after login.

#![expect(unreachable_pub, reason = "a test binary has no one to reach")]

use super::support::{Fake, Fixture};
use engine::{CancelToken, ResultSink, Session, SessionOptions};
use msdb::MsdbHost;
use msdb::services::Services;
use std::path::Path;
use std::sync::Arc;
use tsql::parser::{LineScanner, go_count};
use tsql::{Column, Row, SqlError, Value};

#[derive(Default)]
pub struct Transcript {
    pub sets: Vec<(Vec<String>, Vec<Row>)>,
    pub messages: Vec<SqlError>,
}

impl ResultSink for Transcript {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        let names = columns.iter().map(|column| column.name.clone()).collect();
        self.sets.push((names, Vec::new()));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.sets.last_mut().unwrap().1.push(row);
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.messages.push(message);
    }
}

pub(super) fn session(fixture: &Fixture, login: &str) -> Session {
    let sid = fixture
        .catalog
        .definitions_read(|definitions| definitions.login(login))
        .unwrap()
        .unwrap()
        .sid;
    let services: Arc<dyn Services> = Arc::<Fake>::clone(&fixture.fake);
    let host = MsdbHost::new(fixture.catalog.clone(), services, login.to_owned(), sid);
    Session::new(Box::new(host), SessionOptions::default()).unwrap()
}

/// Runs a script batch by batch, parted by GO as clients part it. Gives what came back.
pub fn run(session: &mut Session, script: &str) -> Transcript {
    let mut transcript = Transcript::default();
    let mut batch = String::new();
    let mut scanner = LineScanner::default();
    for line in script.split_inclusive('\n').chain(["GO"]) {
        if scanner.in_code() && go_count(line.trim_end_matches(['\r', '\n'])).is_some() {
            session.execute_batch(&batch, &mut transcript, &CancelToken::new());
            batch.clear();
        } else {
            scanner.follow(line);
            batch.push_str(line);
        }
    }
    transcript
}

/// What came back of a script: rows with bars between their values, results and the numbers of errors by semicolons.
pub(super) fn shown(session: &mut Session, script: &str) -> String {
    let transcript = run(session, script);
    let value = |value: &Value| {
        if value.is_null() {
            "NULL".to_owned()
        } else if let Some(text) = value.as_str() {
            text.trim_end().to_owned()
        } else if let Value::Bit(bit) = value {
            u8::from(*bit).to_string()
        } else if let Value::Binary(bytes) = value {
            format!("{} bytes", bytes.len())
        } else {
            value
                .as_i64()
                .map_or_else(|| format!("{value:?}"), |number| number.to_string())
        }
    };
    let rows = transcript.sets.iter().flat_map(|(_, rows)| rows);
    let rows = rows.map(|row| row.iter().map(value).collect::<Vec<_>>().join("|"));
    let errors = transcript.messages.iter().filter(|error| error.is_error());
    let errors = errors.map(|error| format!("!{}", error.number));
    rows.chain(errors).collect::<Vec<_>>().join("; ")
}

/// Numbers of the errors of a script.
pub(super) fn errors(session: &mut Session, script: &str) -> Vec<SqlError> {
    let mut messages = run(session, script).messages;
    messages.retain(SqlError::is_error);
    messages
}

/// The rows of a script's last result set.
pub fn rows(session: &mut Session, script: &str) -> Vec<Row> {
    let mut transcript = run(session, script);
    transcript.messages.retain(SqlError::is_error);
    assert_eq!(transcript.messages, [], "{script}");
    transcript.sets.pop().map(|set| set.1).unwrap_or_default()
}

#[test]
fn every_example_runs_and_runs_into_14261_the_second_time() {
    let fixture = Fixture::new();
    for name in ["TARGET1", "TARGET2", "TARGET3"] {
        fixture.target(name);
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut scripts: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 6);
    let mut sa = session(&fixture, "sa");
    for path in &scripts {
        let script = std::fs::read_to_string(path).unwrap();
        assert_eq!(errors(&mut sa, &script), [], "{path:?}");
        let before = fixture.fingerprint();
        let again: Vec<i32> = errors(&mut sa, &script).iter().map(|e| e.number).collect();
        if path.ends_with("one_time_notice.sql") {
            assert!(again.is_empty(), "it replaces its job");
        } else {
            assert_eq!(again.first(), Some(&14261), "{path:?}");
            assert_eq!(before, fixture.fingerprint(), "{path:?} rolled back");
        }
        assert_eq!(sa.transaction_count(), 0, "{path:?}");
    }
    let jobs = rows(&mut sa, "SELECT COUNT(*) FROM msdb.dbo.sysjobs");
    assert_eq!(jobs, [[Value::Int(i32::try_from(scripts.len()).unwrap())]]);
    let posted = rows(
        &mut sa,
        "SELECT target_server FROM msdb.dbo.sysdownloadlist WHERE operation_code = 1 ORDER BY target_server",
    );
    assert_eq!(posted.len(), 3);
}

#[test]
fn what_clients_ask_after_login() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    for (script, expected) in [
        (
            "SELECT SERVERPROPERTY('ServerName')",
            Value::string("Master"),
        ),
        (
            "SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int)",
            Value::Int(16),
        ),
        (
            "SELECT CASE transaction_isolation_level WHEN 2 THEN 'READ COMMITTED' END \
             FROM sys.dm_exec_sessions WHERE session_id = @@SPID",
            Value::string("READ COMMITTED"),
        ),
        (
            "SELECT name FROM sys.databases WHERE database_id = DB_ID('msdb')",
            Value::string("msdb"),
        ),
        (
            "SELECT name FROM sys.system_views WHERE name IN ('dm_exec_sessions', 'dm_pdw_nodes_exec_sessions')",
            Value::string("dm_exec_sessions"),
        ),
        (
            "SELECT host_platform FROM sys.dm_os_host_info",
            Value::string("Linux"),
        ),
        ("SELECT IS_SRVROLEMEMBER('sysadmin')", Value::Int(1)),
        (
            "USE msdb; SELECT IS_MEMBER('SQLAgentUserRole')",
            Value::Int(1),
        ),
    ] {
        assert_eq!(rows(&mut sa, script), [[expected]], "{script}");
    }
    let none = "SELECT COUNT(*) FROM fn_listextendedproperty(default, default, default, default, default, default, default)";
    assert_eq!(rows(&mut sa, none), [[Value::Int(0)]]);
}

#[test]
fn output_return_codes_and_registry_values_reach_variables() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    let script = "
DECLARE @id BINARY(16), @rc INT, @value INT, @text NVARCHAR(50)
EXEC @rc = msdb.dbo.sp_add_job @job_name = N'j', @job_id = @id OUTPUT
EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE',
     N'SOFTWARE\\Microsoft\\MSSQLServer\\SQLServerAgent', N'MsxEncryptChannelOptions', @value OUTPUT
SELECT @rc, @value, (SELECT name FROM msdb.dbo.sysjobs WHERE job_id = @id),
       msdb.dbo.agent_datetime(20261103, 120000)";
    let noon = Value::DateTime {
        days: 46_327,
        ticks: 12_960_000,
    };
    assert_eq!(
        rows(&mut sa, script),
        [[Value::Int(0), Value::Int(2), Value::string("j"), noon]]
    );
    let failed = "
DECLARE @rc INT
EXEC @rc = msdb.dbo.sp_add_job @job_name = N'j'
SELECT @rc";
    let transcript = run(&mut sa, failed);
    assert_eq!(transcript.messages[0].number, 14261);
    assert_eq!(transcript.messages[0].procedure, "sp_add_job");
    assert_eq!(transcript.sets[0].1, [[Value::Int(1)]]);
    let numbers = |session: &mut Session, script: &str| -> Vec<i32> {
        errors(session, script)
            .iter()
            .map(|error| error.number)
            .collect()
    };
    for (script, expected) in [
        ("EXEC msdb.dbo.sp_add_job", 201),
        (
            "EXEC msdb.dbo.sp_add_job @job_name = N'x', @colour = 1",
            8145,
        ),
        (
            "EXEC msdb.dbo.sp_add_job @job_name = N'x', @enabled = 'yes'",
            8114,
        ),
        ("EXEC msdb.dbo.sp_msx_get_account 1", 8146),
        ("EXEC msdb.dbo.sp_delete_alert N'a', N'b'", 8144),
        ("EXEC msdb.dbo.sp_no_such_procedure", 2812),
    ] {
        assert_eq!(numbers(&mut sa, script), [expected], "{script}");
    }
}

#[test]
fn roles_hold_in_t_sql() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut user = session(&fixture, "user");
    let denied: Vec<i32> = [
        "SELECT * FROM msdb.dbo.sysjobs",
        "EXEC msdb.dbo.sp_msx_defect",
        "CREATE LOGIN eve WITH PASSWORD = 'Correct horse 1'",
    ]
    .iter()
    .map(|script| errors(&mut user, script)[0].number)
    .collect();
    assert_eq!(denied, [229, 229, 15247]);
    assert_eq!(
        errors(&mut user, "EXEC msdb.dbo.sp_add_job @job_name = N'mine'"),
        []
    );
    let seen = rows(&mut user, "SELECT name FROM msdb.dbo.sysjobs_view");
    assert_eq!(seen, [[Value::string("mine")]]);
}

#[test]
fn help_procedures_fill_temp_tables() {
    let fixture = Fixture::new();
    fixture.sa().job("a", Some("(local)"));
    let mut sa = session(&fixture, "sa");
    let script = "
CREATE TABLE #t (job_id UNIQUEIDENTIFIER, last_run_date INT, last_run_time INT, next_run_date INT,
    next_run_time INT, next_run_schedule_id INT, requested_to_run INT, request_source INT,
    request_source_id SYSNAME NULL, running INT, current_step INT, current_retry_attempt INT, job_state INT)
INSERT INTO #t EXEC master.dbo.xp_sqlagent_enum_jobs 1, N'sa'
SELECT j.name, t.job_state FROM #t t JOIN msdb.dbo.sysjobs j ON j.job_id = t.job_id
DROP TABLE #t";
    assert_eq!(rows(&mut sa, script), [[Value::string("a"), Value::Int(4)]]);
}

#[test]
fn owned_jobs_are_counted_into_the_callers_table() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    for job in ["a", "b"] {
        fixture.session("user").job(job, Some("(local)"));
    }
    let mut sa = session(&fixture, "sa");
    let script = "
CREATE TABLE #owned (jobs int)
EXEC msdb.dbo.sp_check_for_owned_jobs N'user', N'#owned'
EXEC msdb.dbo.sp_check_for_owned_jobs N'sa', N'[#owned]'
SELECT jobs FROM #owned ORDER BY jobs DESC";
    assert_eq!(rows(&mut sa, script), [[Value::Int(2)], [Value::Int(0)]]);
    for (call, number) in [
        ("N'nobody', N'#owned'", 14262),
        ("N'sa', N'#owned; DROP TABLE #owned'", 14200),
        ("N'sa', N'#owned DEFAULT VALUES --'", 14200),
        ("N'sa', N'#missing'", 208),
    ] {
        let raised = errors(
            &mut sa,
            &format!("EXEC msdb.dbo.sp_check_for_owned_jobs {call}"),
        );
        assert_eq!(
            raised.first().map(|error| error.number),
            Some(number),
            "{call}"
        );
    }
    let mut user = session(&fixture, "user");
    let denied = errors(
        &mut user,
        "EXEC msdb.dbo.sp_check_for_owned_jobs N'user', N'#t'",
    );
    assert_eq!(denied[0].number, 229);
}

#[test]
fn the_alert_system_a_command_for_each_database_and_empty_procedures() {
    let fixture = Fixture::new();
    let mut session = session(&fixture, "sa");
    let transcript = run(
        &mut session,
        "EXEC master.dbo.sp_MSsetalertinfo @failsafeoperator = N'night', @notificationmethod = 1, @forwardingserver = N''
GO
EXEC master.dbo.sp_MSgetalertinfo @includeaddresses = 0
GO
DECLARE @operator nvarchar(255)
EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\\Microsoft\\MSSQLServer\\SQLServerAgent',
    N'AlertFailSafeOperator', @param = @operator OUT, @no_output = N'no_output'
SELECT @operator AS operator
GO
USE msdb
EXEC sp_MSforeachdb @command1 = 'IF ''?'' IN (''master'', ''msdb'') SELECT ''?'' AS name, DB_NAME() AS here',
    @postcommand = 'SELECT ''end'' AS name'
GO
EXEC master.dbo.xp_fixeddrives
GO
EXEC master.dbo.sp_MSdbuserpriv N'serv'
GO
EXEC master.dbo.sp_MSsetalertinfo @notificationmethod = 8
",
    );
    let text = |set: usize, row: usize, column: usize| {
        let value = &transcript.sets[set].1[row][column];
        value.as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(transcript.sets[0].0.len(), 9);
    assert_eq!(text(0, 0, 0), "night");
    assert_eq!(transcript.sets[0].1[0][1], Value::Int(1));
    assert_eq!(transcript.sets[0].1[0][2], Value::Null);
    assert_eq!(text(1, 0, 0), "night");
    assert_eq!(
        (text(2, 0, 0), text(2, 0, 1)),
        ("master".into(), "msdb".into())
    );
    assert_eq!(
        (text(3, 0, 0), text(3, 0, 1)),
        ("msdb".into(), "msdb".into())
    );
    assert_eq!(text(4, 0, 0), "end");
    assert_eq!(transcript.sets[5].0, ["drive", "MB free"]);
    assert_eq!(transcript.sets[6].1[0][0], Value::Int(7));
    let numbers: Vec<i32> = transcript
        .messages
        .iter()
        .map(|message| message.number)
        .collect();
    assert!(numbers.contains(&14266), "{numbers:?}");
}

/// The numbers of the errors of a script, in order.
fn numbers(transcript: &Transcript) -> Vec<i32> {
    let messages = transcript.messages.iter();
    messages
        .filter(|message| message.severity > 10)
        .map(|message| message.number)
        .collect()
}

#[test]
fn sysadmins_change_tables_as_procedures_do() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentOperatorRole"));
    let mut sa = session(&fixture, "sa");
    let transcript = run(
        &mut sa,
        "USE msdb
EXEC sp_add_job @job_name = 'one'; EXEC sp_add_job @job_name = 'two', @enabled = 0
EXEC sp_add_jobstep @job_name = 'one', @step_name = 's', @command = 'SELECT old'
EXEC sp_add_jobstep @job_name = 'one', @step_name = 't', @command = 'SELECT other'
EXEC sp_add_operator @name = 'night'
GO
UPDATE sysjobsteps SET command = REPLACE(command, 'old', 'new') FROM sysjobsteps js
    INNER JOIN sysjobs j ON j.job_id = js.job_id WHERE j.name LIKE 'o%' AND js.command LIKE '%old%'
SELECT @@ROWCOUNT AS n
GO
UPDATE j SET j.enabled = 1 - j.enabled, description = N'by hand', notify_level_email = 2,
    notify_email_operator_id = (SELECT id FROM sysoperators WHERE name = 'night') FROM msdb.dbo.sysjobs AS j
UPDATE msdb.dbo.sysoperators SET email_address = 'a@example.com' WHERE name = 'night'
GO
SELECT name, enabled, version_number, notify_email_operator_id FROM sysjobs ORDER BY name
SELECT command FROM sysjobsteps ORDER BY step_id
GO
DELETE FROM sysjobs WHERE name = 'two'
SELECT COUNT(*) AS n FROM sysjobs
GO
BEGIN TRANSACTION
UPDATE sysjobs SET enabled = 1
ROLLBACK
SELECT enabled FROM sysjobs
GO
",
    );
    assert_eq!(numbers(&transcript), [0; 0], "{:?}", transcript.messages);
    assert_eq!(transcript.sets[0].1, [[Value::Int(1)]]);
    let jobs: Vec<Vec<Value>> = transcript.sets[1].1.clone();
    assert_eq!(jobs[0][..2], [Value::string("one"), Value::TinyInt(0)]);
    assert_eq!(jobs[1][..2], [Value::string("two"), Value::TinyInt(1)]);
    assert_eq!(jobs[0][3], Value::Int(1), "the operator's number");
    assert_eq!(
        transcript.sets[2].1,
        [
            [Value::string("SELECT new")],
            [Value::string("SELECT other")]
        ]
    );
    assert_eq!(transcript.sets[3].1, [[Value::Int(1)]]);
    assert_eq!(transcript.sets[4].1, [[Value::TinyInt(0)]]);

    // What would not be what the tables promise, and who may not.
    for (sql, number) in [
        ("UPDATE msdb.dbo.sysjobs SET version_number = 1", 40517),
        ("UPDATE msdb.dbo.sysjobs SET enabled = NULL", 515),
        (
            "UPDATE msdb.dbo.sysjobactivity SET stop_execution_date = GETDATE()",
            40517,
        ),
        ("DELETE msdb.dbo.sysjobhistory", 40517),
        ("UPDATE msdb.dbo.sysjobs SET nothing = 1", 207),
        ("UPDATE msdb.dbo.sysjobs SET category_id = 4711", 14262),
        (
            "UPDATE msdb.dbo.sysjobs SET name = 'x' OUTPUT inserted.name",
            40517,
        ),
    ] {
        assert_eq!(numbers(&run(&mut sa, sql)), [number], "{sql}");
    }
    let mut user = session(&fixture, "user");
    for sql in [
        "UPDATE msdb.dbo.sysjobs SET enabled = 1",
        "DELETE msdb.dbo.sysjobs WHERE 1 = 0",
    ] {
        assert_eq!(numbers(&run(&mut user, sql)), [229], "{sql}");
    }
}

#[test]
fn a_failed_change_of_several_rows_changes_none() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    let transcript = run(
        &mut sa,
        "USE msdb
EXEC sp_add_operator @name = 'a'; EXEC sp_add_operator @name = 'b'
GO
UPDATE sysoperators SET name = 'c'
GO
SELECT name FROM sysoperators ORDER BY name
",
    );
    assert_eq!(numbers(&transcript), [14261]);
    assert_eq!(
        transcript.sets[0].1,
        [[Value::string("a")], [Value::string("b")]]
    );
}

#[test]
fn what_was_never_backed_up_or_mailed_is_empty() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    let transcript = run(
        &mut sa,
        "SELECT d.name FROM sys.databases AS d LEFT JOIN msdb.dbo.backupset AS b
    ON b.database_name = d.name AND b.type = 'D' WHERE d.name = 'msdb' GROUP BY d.name
    HAVING ISNULL(MAX(b.backup_finish_date), '19000101') < DATEADD(day, -1, GETDATE())
SELECT COUNT(*) AS n FROM msdb..sysmail_profile AS p JOIN msdb.dbo.sysmail_profileaccount AS a ON a.profile_id = p.profile_id
USE msdb
SELECT COUNT(*) AS n FROM backupmediafamily
SELECT COUNT(*) AS n FROM sysmail_faileditems
USE master
SELECT COUNT(*) AS n FROM backupset
",
    );
    let rows: Vec<&Vec<Row>> = transcript.sets.iter().map(|set| &set.1).collect();
    assert_eq!(*rows[0], [[Value::string("msdb")]]);
    for set in &rows[1..] {
        assert_eq!(**set, [[Value::Int(0)]]);
    }
    assert_eq!(rows.len(), 4);
    assert_eq!(numbers(&transcript), [208], "they are msdb's alone");
}
