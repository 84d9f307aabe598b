//! What the scripts that people publish ask for beside the Agent: DBCC, options, the registry, Database Mail, upkeep.

use super::scripts::{Transcript, errors, rows, run, session};
use super::support::Fixture;
use engine::Session;
use tsql::Value;

/// The errors of a script have to be these numbers.
#[track_caller]
fn fails(session: &mut Session, script: &str, expected: &[i32]) {
    let numbers: Vec<i32> = errors(session, script).iter().map(|e| e.number).collect();
    assert_eq!(numbers, expected, "{script}");
}

fn shown(value: &Value) -> String {
    if let Value::Bit(bit) = value {
        return u8::from(*bit).to_string();
    }
    let number = value.as_i64().map(|n| n.to_string());
    let text = || value.as_str().map(str::to_owned);
    number.or_else(text).unwrap_or_else(|| "NULL".to_owned())
}

/// The rows of a script's last result set, each as one text.
#[track_caller]
fn texts(session: &mut Session, script: &str) -> Vec<String> {
    let rows = rows(session, script);
    let text = |row: &Vec<Value>| row.iter().map(shown).collect::<Vec<_>>().join("|");
    rows.iter().map(text).collect()
}

/// Names of the columns that a script's last result set has.
fn columns(transcript: &Transcript) -> String {
    transcript
        .sets
        .last()
        .map(|set| set.0.join("|"))
        .unwrap_or_default()
}

#[test]
fn dbcc_answers_truly_or_is_refused_by_name() {
    let fixture = Fixture::new();
    fixture.member("mary", None);
    let mut sa = session(&fixture, "sa");
    let done = 2528;
    for (statement, set, messages) in [
        ("DBCC FREEPROCCACHE", "", &[done][..]),
        ("DBCC DROPCLEANBUFFERS WITH NO_INFOMSGS", "", &[]),
        ("DBCC TRACEON (1204, -1)", "", &[done]),
        (
            "DBCC TRACESTATUS(-1)",
            "TraceFlag|Status|Global|Session",
            &[done],
        ),
        (
            "DBCC SQLPERF(LOGSPACE)",
            "Database Name|Log Size (MB)|Log Space Used (%)|Status",
            &[done],
        ),
        ("DBCC SQLPERF('sys.dm_os_wait_stats', CLEAR)", "", &[done]),
        ("DBCC OPENTRAN ('msdb')", "", &[7969, done]),
        (
            "DBCC INPUTBUFFER(51)",
            "EventType|Parameters|EventInfo",
            &[done],
        ),
        (
            "DECLARE @s int = 51; DBCC INPUTBUFFER(@s) WITH NO_INFOMSGS",
            "EventType|Parameters|EventInfo",
            &[],
        ),
        ("DBCC USEROPTIONS", "Set Option|Value", &[done]),
        (
            "DBCC LOGINFO",
            "RecoveryUnitId|FileId|FileSize|StartOffset|FSeqNo|Status|Parity|CreateLSN",
            &[done],
        ),
        ("DBCC CHECKDB", "", &[8989, done]),
        (
            "DBCC CHECKDB (N'tempdb', NOINDEX) WITH ALL_ERRORMSGS, PHYSICAL_ONLY",
            "",
            &[8989, done],
        ),
        ("DBCC CHECKDB ([nowhere])", "", &[2520]),
        ("DBCC CHECKTABLE ('dbo.nothing')", "", &[4902]),
        ("DBCC SHRINKFILE (N'log', 1)", "", &[40517]),
        ("DBCC SHRINKDATABASE (msdb, 10)", "", &[40517]),
        ("DBCC MEMORYSTATUS", "", &[40517]),
        ("DBCC NOSUCHTHING", "", &[2526]),
        ("DBCC SQLPERF(OTHER)", "", &[2526]),
    ] {
        let transcript = run(&mut sa, statement);
        assert_eq!(columns(&transcript), set, "{statement}");
        let numbers: Vec<i32> = transcript.messages.iter().map(|m| m.number).collect();
        assert_eq!(numbers, messages, "{statement}");
    }
    let options = texts(&mut sa, "DBCC USEROPTIONS");
    assert!(
        options.contains(&"dateformat|mdy".to_owned()),
        "{options:?}"
    );
    assert!(
        options.contains(&"isolation level|read committed".to_owned()),
        "{options:?}"
    );
    let kept = "CREATE TABLE #l (d sysname, s real, u real, t int); INSERT #l EXEC ('DBCC SQLPERF(LOGSPACE)'); SELECT COUNT(*) FROM #l WHERE d = 'msdb'";
    assert_eq!(texts(&mut sa, kept), ["1"]);
    let mut mary = session(&fixture, "mary");
    fails(&mut mary, "DBCC SQLPERF(LOGSPACE)", &[300]);
    fails(&mut mary, "DBCC CHECKDB ('msdb')", &[5011]);
}

#[test]
fn database_mail_is_kept_and_shown() {
    let fixture = Fixture::new();
    fixture.member("mary", None);
    let mut sa = session(&fixture, "sa");
    fails(
        &mut sa,
        "DECLARE @a int, @p int
         EXEC msdb.dbo.sysmail_add_account_sp @account_name = 'Ops', @email_address = 'ops@example.com', @display_name = 'Operations',
           @mailserver_name = 'smtp.example.com', @port = 587, @username = 'u', @password = 'secret', @enable_ssl = 1, @account_id = @a OUTPUT
         EXEC msdb.dbo.sysmail_add_profile_sp @profile_name = 'Main', @description = 'All of it', @profile_id = @p OUTPUT
         EXEC msdb.dbo.sysmail_add_profileaccount_sp @profile_name = 'Main', @account_name = 'Ops', @sequence_number = 1
         EXEC msdb.dbo.sysmail_add_principalprofile_sp @profile_name = 'Main', @principal_name = 'public', @is_default = 1
         EXEC msdb.dbo.sysmail_configure_sp 'AccountRetryAttempts', '3'
         IF @a <> 1 OR @p <> 1 RAISERROR ('numbers', 16, 1)",
        &[],
    );
    for (query, expected) in [
        (
            "EXEC msdb.dbo.sysmail_help_account_sp",
            &["1|Ops|NULL|ops@example.com|Operations|NULL|SMTP|smtp.example.com|587|u|0|1"][..],
        ),
        ("EXEC msdb.dbo.sysmail_help_profile_sp @profile_name = 'main'", &["1|Main|All of it"]),
        ("EXEC msdb.dbo.sysmail_help_profileaccount_sp", &["1|Main|1|Ops|1"]),
        ("EXEC msdb.dbo.sysmail_help_principalprofile_sp", &["0|guest|1|Main|1"]),
        ("EXEC msdb.dbo.sysmail_help_status_sp", &["STOPPED"]),
        (
            "EXEC msdb.dbo.sysmail_help_queue_sp @queue_type = 'mail'",
            &["mail|0|INACTIVE|NULL|NULL"],
        ),
        (
            "SELECT p.name, a.name, s.servername, s.port, s.servertype FROM msdb.dbo.sysmail_profile AS p
             JOIN msdb.dbo.sysmail_profileaccount AS pa ON pa.profile_id = p.profile_id
             JOIN msdb.dbo.sysmail_account AS a ON a.account_id = pa.account_id
             JOIN msdb.dbo.sysmail_server AS s ON s.account_id = a.account_id",
            &["Main|Ops|smtp.example.com|587|SMTP"],
        ),
        (
            "SELECT paramname, paramvalue FROM msdb.dbo.sysmail_configuration WHERE paramname LIKE 'AccountRetry%' ORDER BY 1",
            &["AccountRetryAttempts|3", "AccountRetryDelay|60"],
        ),
        ("SELECT is_default FROM msdb.dbo.sysmail_principalprofile WHERE principal_sid = 0x00", &["1"]),
    ] {
        assert_eq!(texts(&mut sa, query), expected, "{query}");
    }
    let before = fixture.fingerprint();
    for (script, expected) in [
        ("EXEC msdb.dbo.sysmail_add_account_sp 'ops', 'a@b'", 2627),
        (
            "EXEC msdb.dbo.sysmail_add_account_sp 'x', 'a@b', @mailserver_type = 'POP3'",
            14266,
        ),
        ("EXEC msdb.dbo.sysmail_add_profile_sp 'MAIN'", 2627),
        (
            "EXEC msdb.dbo.sysmail_add_profileaccount_sp @profile_name = 'Main', @account_name = 'Ops', @sequence_number = 2",
            2627,
        ),
        (
            "EXEC msdb.dbo.sysmail_add_profileaccount_sp @profile_name = 'No', @account_name = 'Ops', @sequence_number = 2",
            14607,
        ),
        (
            "EXEC msdb.dbo.sysmail_add_profileaccount_sp @profile_id = 7, @account_name = 'Ops', @sequence_number = 2",
            14606,
        ),
        (
            "EXEC msdb.dbo.sysmail_update_account_sp @email_address = 'a@b'",
            14604,
        ),
        ("EXEC msdb.dbo.sysmail_delete_profileaccount_sp", 14608),
        (
            "EXEC msdb.dbo.sysmail_delete_profile_sp @profile_id = 2, @profile_name = 'Main'",
            14605,
        ),
        (
            "EXEC msdb.dbo.sysmail_add_principalprofile_sp @principal_name = 'nobody', @profile_name = 'Main'",
            14607,
        ),
        (
            "EXEC msdb.dbo.sysmail_configure_sp 'AccountRetryAttempts', 'many'",
            14266,
        ),
        ("EXEC msdb.dbo.sysmail_configure_sp 'NoSuch', '1'", 14607),
        (
            "EXEC msdb.dbo.sysmail_help_account_sp @account_name = 'No'",
            14607,
        ),
        ("EXEC msdb.dbo.sysmail_delete_mailitems_sp", 14608),
        (
            "EXEC msdb.dbo.sysmail_delete_log_sp @event_type = 'odd'",
            14266,
        ),
        ("EXEC msdb.dbo.sysmail_start_sp", 40517),
        ("EXEC msdb.dbo.sp_send_dbmail @recipients = 'a@b'", 14641),
        ("EXEC msdb.dbo.sp_send_dbmail 'Main', 'a@b'", 14641),
        ("EXEC msdb.dbo.sp_send_dbmail 'No', 'a@b'", 14607),
    ] {
        fails(&mut sa, script, &[expected]);
    }
    assert_eq!(before, fixture.fingerprint(), "wrong input changes nothing");
    fails(
        &mut sa,
        "EXEC msdb.dbo.sysmail_update_account_sp @account_id = 1, @account_name = 'Night', @port = 25
         EXEC msdb.dbo.sysmail_update_profile_sp @profile_name = 'Main', @description = 'Changed'
         EXEC msdb.dbo.sysmail_update_principalprofile_sp @principal_id = 0, @profile_id = 1, @is_default = 0
         EXEC msdb.dbo.sysmail_stop_sp
         EXEC msdb.dbo.sysmail_delete_mailitems_sp @sent_status = 'failed'
         EXEC msdb.dbo.sysmail_delete_log_sp",
        &[],
    );
    assert_eq!(
        texts(
            &mut sa,
            "SELECT name, (SELECT port FROM msdb.dbo.sysmail_server) FROM msdb.dbo.sysmail_account"
        ),
        ["Night|25"]
    );
    fails(
        &mut sa,
        "EXEC msdb.dbo.sp_send_dbmail @recipients = 'a@b'",
        &[14636],
    );
    let mut mary = session(&fixture, "mary");
    fails(
        &mut mary,
        "EXEC msdb.dbo.sysmail_delete_account_sp 1",
        &[229],
    );
    assert_eq!(
        texts(&mut mary, "SELECT COUNT(*) FROM msdb.dbo.sysmail_server"),
        ["0"]
    );
    // A transaction takes it back with the rest.
    fails(
        &mut sa,
        "BEGIN TRAN EXEC msdb.dbo.sysmail_delete_profile_sp @profile_name = 'Main' ROLLBACK",
        &[],
    );
    assert_eq!(
        texts(&mut sa, "SELECT name FROM msdb.dbo.sysmail_profile"),
        ["Main"]
    );
    fails(
        &mut sa,
        "EXEC msdb.dbo.sysmail_delete_account_sp @account_name = 'Night'",
        &[],
    );
    assert_eq!(
        texts(
            &mut sa,
            "SELECT COUNT(*) FROM msdb.dbo.sysmail_profileaccount"
        ),
        ["0"]
    );
    fails(
        &mut sa,
        "EXEC msdb.dbo.sysmail_delete_profile_sp @profile_name = 'Main'",
        &[],
    );
    assert_eq!(
        texts(
            &mut sa,
            "SELECT COUNT(*) FROM msdb.dbo.sysmail_principalprofile"
        ),
        ["0"]
    );
}

#[test]
fn upkeep_has_nothing_to_do_and_what_cannot_be_is_refused_by_name() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    for (script, expected) in [
        ("EXEC msdb.dbo.sp_delete_backuphistory '20200101'", &[][..]),
        ("EXEC msdb.dbo.sp_delete_database_backuphistory N'x'", &[]),
        (
            "EXEC msdb.dbo.sp_maintplan_delete_log NULL, NULL, '20200101'",
            &[],
        ),
        ("EXEC msdb.dbo.sp_syspolicy_purge_history", &[]),
        ("EXEC sp_updatestats", &[]),
        ("EXEC sp_recompile 'nothing'", &[15009]),
        ("EXEC sp_refreshview 'nothing'", &[15009]),
        ("EXEC sp_validatelogins", &[]),
        ("EXEC xp_cmdshell 'dir'", &[40517]),
        ("EXEC master..xp_cmdshell 'dir'", &[40517]),
        (
            "DECLARE @h int; EXEC sp_OACreate 'Scripting.FileSystemObject', @h OUTPUT",
            &[40517],
        ),
        (
            "DECLARE @t int; EXEC sp_trace_create @t OUTPUT, 0, N'x'",
            &[40517],
        ),
        ("EXEC master.dbo.sp_addlinkedserver 'OTHER'", &[40517]),
        ("EXEC sys.sp_cdc_enable_db", &[40517]),
        (
            "EXEC master.dbo.sp_add_log_shipping_primary_database @database = 'x'",
            &[40517],
        ),
        ("EXEC sp_mine", &[2812]),
        // What one makes oneself comes first.
        ("CREATE PROC sp_replay AS SELECT 1\nGO\nEXEC sp_replay", &[]),
    ] {
        fails(&mut sa, script, expected);
    }
    let refused = errors(&mut sa, "SELECT 1\n\nEXEC xp_cmdshell 'dir'");
    assert!(refused[0].message.contains("xp_cmdshell"), "{}", refused[0]);
    assert_eq!(refused[0].line, 3);
    let each = "CREATE DATABASE mine\nGO\nUSE mine\nCREATE TABLE a (n int); CREATE TABLE b (n int); INSERT a VALUES (1); CREATE TABLE #n (t sysname, n int)
        EXEC sp_MSforeachtable 'INSERT #n SELECT ''?'', COUNT(*) FROM ?'; SELECT t, n FROM #n ORDER BY t";
    assert_eq!(texts(&mut sa, each), ["[dbo].[a]|1", "[dbo].[b]|0"]);
    assert_eq!(texts(&mut sa, "EXEC sp_sqlexec 'SELECT 7'"), ["7"]);
    assert_eq!(
        texts(&mut sa, "EXEC xp_loginconfig 'login mode'"),
        ["login mode|Mixed"]
    );
    assert_eq!(texts(&mut sa, "EXEC xp_fileexist '/'"), ["0|1|0"]);
    let into = "DECLARE @e int; EXEC xp_fileexist '/no such file', @e OUTPUT; SELECT @e";
    assert_eq!(texts(&mut sa, into), ["0"]);
    assert_eq!(
        texts(&mut sa, "EXEC xp_dirtree '/no such directory', 1, 1"),
        Vec::<String>::new()
    );
}

#[test]
fn values_of_the_engines_key_are_kept() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    let key = "N'HKEY_LOCAL_MACHINE', N'Software\\Microsoft\\MSSQLServer\\MSSQLServer";
    let read = |sa: &mut Session, below: &str, name: &str| {
        let script = format!(
            "DECLARE @v nvarchar(260); EXEC master.dbo.xp_instance_regread {key}{below}', N'{name}', @v OUTPUT, 'no_output'; SELECT @v"
        );
        texts(sa, &script)
    };
    fails(
        &mut sa,
        &format!("EXEC xp_instance_regwrite {key}', N'NumErrorLogs', REG_DWORD, 30"),
        &[],
    );
    assert_eq!(read(&mut sa, "", "NumErrorLogs"), ["30"]);
    let tcp = "\\SuperSocketNetLib\\Tcp";
    assert_eq!(read(&mut sa, tcp, "NumErrorLogs"), ["NULL"]);
    // What this instance is stays so.
    assert_eq!(read(&mut sa, "", "LoginMode"), ["2"]);
    fails(
        &mut sa,
        &format!("EXEC xp_instance_regwrite {key}', N'LoginMode', REG_DWORD, 2"),
        &[],
    );
    fails(
        &mut sa,
        &format!("EXEC xp_instance_regwrite {key}', N'LoginMode', REG_DWORD, 1"),
        &[22001],
    );
    fails(
        &mut sa,
        &format!("EXEC xp_instance_regdeletevalue {key}', N'NumErrorLogs'"),
        &[],
    );
    assert_eq!(read(&mut sa, "", "NumErrorLogs"), ["NULL"]);
}

#[test]
fn what_monitoring_reads_of_other_features_is_there_and_empty() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    for from in [
        "sys.dm_db_index_operational_stats(DB_ID(), NULL, NULL, NULL)",
        "sys.dm_os_buffer_pool_extension_configuration",
        "sys.dm_db_xtp_index_stats",
        "sys.dm_exec_cursors(0)",
        "sys.dm_db_missing_index_columns(1)",
        "sys.index_resumable_operations WHERE last_max_dop_used > 0",
        "master..sysperfinfo",
        "msdb.dbo.syscollector_config_store_internal",
        "sys.dm_db_missing_index_group_stats_query",
        "msdb.dbo.sysmaintplan_plans",
        "msdb.dbo.sysssispackages",
        "msdb.dbo.sysdbmaintplan_jobs",
        "msdb.dbo.log_shipping_monitor_error_detail",
        "msdb.dbo.syspolicy_policies",
        "msdb.dbo.syscollector_collection_sets",
        "msdb.dbo.restorefile",
        "msdb.dbo.cdc_jobs",
        "msdb.dbo.sysmail_mailitems",
    ] {
        assert_eq!(
            texts(&mut sa, &format!("SELECT COUNT(*) FROM {from}")),
            ["0"],
            "{from}"
        );
    }
    // Of no rows, every one can be changed.
    fails(
        &mut sa,
        "DELETE FROM msdb.dbo.backupset WHERE backup_set_id < 5",
        &[],
    );
    fails(
        &mut sa,
        "UPDATE msdb.dbo.suspect_pages SET error_count = 0",
        &[],
    );
    fails(&mut sa, "DELETE FROM msdb.dbo.sysmail_account", &[40517]);
    // Some divide by a tick's length.
    let ticks = "SELECT cpu_ticks / (cpu_ticks / ms_ticks) - ms_ticks FROM sys.dm_os_sys_info";
    assert!(rows(&mut sa, ticks).len() == 1);
}
