//! docs/compatibility.md, written from the declarations; a test holds the file to it.

use crate::declare::{Default, Execute, Param, Procedure, procedures};
use crate::procedures::body;
use crate::tables::tables;
use std::fmt::Write as _;
use tsql::SqlType;

/// Where Muster does something else than the pages say, or chose where they are silent.
const NOTES: &[(&str, &str)] = &[
    (
        "sp_MSdbuserpriv",
        "Knows `@mode = N'serv'` alone, which SQL Server Management Objects ask.",
    ),
    (
        "sp_MSforeachdb",
        "Each command runs as a text of its own: a question mark becomes the name of each database that the caller may use.",
    ),
    (
        "sp_MSsetalertinfo",
        "An empty text takes a value away. Whether the operator exists is not asked.",
    ),
    (
        "sp_add_alert",
        "14506 is never raised: no message number is refused. Databases are not looked up. WMI conditions are stored, but nothing here can raise them.",
    ),
    (
        "sp_add_jobschedule",
        "A known `@schedule_uid` means that schedule: it takes the timing given and is attached, so that scripts of jobs that share a schedule run one after the other. A job may have several schedules of one name.",
    ),
    (
        "sp_add_operator",
        "An operator named MSXOperator cannot be made on a target (14223).",
    ),
    (
        "sp_add_proxy",
        "`user_sid` is the SID of the login that the identity names, else 0x00: there are no Windows accounts.",
    ),
    (
        "sp_add_schedule",
        "Weekly and monthly schedules count from `@active_start_date`, not from the day they were attached. Sub-day intervals may be 10 seconds and up. An end time before the start time closes the window on the following day.",
    ),
    (
        "sp_check_for_owned_jobs",
        "Inserts one row with the number of jobs into the table named, with the caller's rights.",
    ),
    (
        "sp_configure",
        "Any option of SQL Server 2022 keeps the value it is given. What would switch on something that is not here keeps its value in use, and the caller is told.",
    ),
    ("sp_delete_backuphistory", "There is no history of backups."),
    (
        "sp_delete_database_backuphistory",
        "There is no history of backups.",
    ),
    (
        "sp_delete_job",
        "`@originating_server` deletes what is left of a master that this server has left; jobs of the present master are its own (14274). Of the schedules that no other job uses, those of the caller go, and for sysadmin all.",
    ),
    (
        "sp_delete_jobsteplog",
        "Acts at once, also within a transaction.",
    ),
    (
        "sp_delete_operator",
        "Neither MSXOperator nor the operator itself takes over (14251). Who is told of an alert already is told by the methods of both.",
    ),
    (
        "sp_delete_targetserver",
        "With `@post_defection = 1` the target loses its jobs and groups at once and stays listed until it has taken the DEFECT instruction and left; with 0 it is gone at once.",
    ),
    (
        "sp_detach_schedule",
        "`@delete_unused_schedule = 1` leaves a schedule that belongs to somebody else. The owner of the job may detach a schedule that it may not see, by number too.",
    ),
    (
        "sp_enlist_tsx",
        "For targets that speak T-SQL; Muster's own enlist by its protocol. A member of TargetServersRole speaks for targets that its login enlisted; a target with a certificate is sysadmin's alone (14260). Such a target marks its rows of sysdownloadlist by UPDATE (`status = 1`, in their order; `error_message` alone blocks its queue) and reports what it ran by sp_sqlagent_log_jobhistory.",
    ),
    (
        "sp_get_job_alerts",
        "Shape of its own: id, name, message_id, severity, enabled.",
    ),
    (
        "sp_get_sqlagent_properties",
        "History limits are those in force; without a limit -1 and 0.",
    ),
    (
        "sp_help_jobactivity",
        "Only sysadmin sees activity of others' jobs, as the page says.",
    ),
    (
        "sp_help_jobhistory",
        "SUMMARY lists outcome rows unless `@step_id` asks for those of a step. Dates and times compare as they were local to where a row was written.",
    ),
    (
        "sp_help_notification",
        "One method asked for shows that method's two columns alone. An unknown `@target_name` is 14262.",
    ),
    (
        "sp_jobhistory_row_limiter",
        "The limits are kept with every outcome; the call checks the job and does nothing more.",
    ),
    (
        "sp_msx_defect",
        "Not undone by ROLLBACK; refused (226) in a transaction that has written.",
    ),
    (
        "sp_msx_enlist",
        "Takes `host,port`; `host\\instance` needs its port. Not undone by ROLLBACK; refused (226) in a transaction that has written.",
    ),
    (
        "sp_multi_server_job_summary",
        "Shape of its own: job_id, job_name, enabled, targets, targets_current, targets_failed_last.",
    ),
    (
        "sp_muster_rehearsal",
        "Muster's own. 1 begins a rehearsal: nothing of what the session writes from then on is kept, whatever it commits. It ends with the session or at a reset of its connection; no statement ends it, and a call within it is refused (50003). 0 outside of one does nothing. Procedures that act at once say that they did not. It covers msdb, logins, roles and credentials; changes of tables and modules of databases are refused (50002).",
    ),
    (
        "sp_muster_script",
        "Muster's own: definitions as T-SQL in the order in which the scripts must run. Job and schedule as the caller sees them; the other kinds are sysadmin's. Not in a script: logins, targets, secrets, and what came from a master.",
    ),
    (
        "sp_notify_operator",
        "Ends with 14603 for an operator that could be told: there is no mail system yet.",
    ),
    (
        "sp_post_msx_operation",
        "A SCHEDULE travels with its jobs: each multiserver job that uses it is posted again, whole.",
    ),
    (
        "sp_purge_jobhistory",
        "Acts at once, also within a transaction. SQLAgentOperatorRole purges local jobs.",
    ),
    ("sp_readerrorlog", "As xp_readerrorlog."),
    (
        "sp_send_dbmail",
        "Muster sends no mail: 14618 without a recipient, 14636 without a profile, 14607 for one that is not there, 14641 (Database Mail is stopped) for one that is.",
    ),
    (
        "sp_set_sqlagent_properties",
        "`@host_login_password` and `@cmdexec_account` are refused: secrets belong into credentials. Rows per job are held against the total in force when the call gives none.",
    ),
    (
        "sp_sqlagent_check_msx_version",
        "Shape of its own: required_msx_version.",
    ),
    (
        "sp_sqlagent_has_server_access",
        "Shape of its own: has_server_access, is_sysadmin, actual_login_name.",
    ),
    (
        "sp_sqlagent_log_jobhistory",
        "The row stands as a run of its own and acts at once, also within a transaction. A row that changes sysjobservers has status 0, 1 or 3; `@server` is this server, or a target of the job, whose local time the row's date and time are; a member of TargetServersRole names a target that its login enlisted (14260).",
    ),
    (
        "sp_sqlagent_notify",
        "J starts and stops; P polls; G reads settings; L begins a new log; S, A and D have nothing left to tell. M, N and T are refused.",
    ),
    (
        "sp_sqlagent_probe_msx",
        "Shape of its own: server_id, unread_instructions. A poll counts at once, also within a transaction.",
    ),
    (
        "sp_sqlagent_refresh_job",
        "Three result sets in the shapes of sp_help_job: header, steps, schedules.",
    ),
    (
        "sp_start_job",
        "A multiserver job answers 14230 with the number posted; `@step_name` goes with the instruction.",
    ),
    (
        "sp_target_server_summary",
        "Shape of its own: server_id, server_name, local_time, last_poll_date, unread_instructions, blocked, jobs.",
    ),
    (
        "sp_update_alert",
        "Counters are reset at once, also within a transaction. A reset date or time that is none is 14287.",
    ),
    (
        "sp_update_operator",
        "The fail-safe operator stays it under its new name.",
    ),
    (
        "sp_verify_job_identifiers",
        "`TEST` and `NO_TEST` are the same: 14258 comes from the agent itself, when it is asked for something.",
    ),
    (
        "sysmail_start_sp",
        "Refused by name: Muster sends no mail. Accounts, profiles, their principals and the parameters are kept and shown.",
    ),
    (
        "xp_fixeddrives",
        "No rows: the host gives its drives no letters.",
    ),
    (
        "xp_instance_regread",
        "Values of the Agent's key are settings of the instance; of the engine's key, LoginMode and AuditLevel have values. A missing value leaves NULL and gives message 22001.",
    ),
    (
        "xp_instance_regwrite",
        "Writes values of the Agent's and the database engine's keys; those that say what this instance is (LoginMode, AuditLevel) stay as they are.",
    ),
    (
        "xp_logininfo",
        "There are no Windows accounts: no rows, and 15404 for any name.",
    ),
    (
        "xp_readerrorlog",
        "Type 1 is what the instance says of itself (`log/ERRORLOG` in the data directory), type 2 the Agent's part of it (`log/SQLAGENT.OUT`). A file that is not there has no rows.",
    ),
    ("xp_sqlagent_notify", "As sp_sqlagent_notify."),
];

/// Rules that no public page confirms, and what Muster does.
const CHOICES: &[(&str, &str)] = &[
    (
        "Status of a target",
        "A sum of 2 (suspected offline) and 4 (blocked), else 1. Offline is suspected after three poll intervals without a poll.",
    ),
    (
        "When a server is a master",
        "With an operator MSXOperator or with targets; a target while an enlistment is stored; else stand-alone. 14299 looks for targets alone.",
    ),
    (
        "Who posts",
        "The schedule procedures post by themselves (`@automatic_post = 1`), as installed servers do; step procedures do not, and remind with 14547. A change of MSXOperator posts RE-ENLIST to every target.",
    ),
    (
        "All jobs in the download list",
        "A DELETE with the job id 0x00.",
    ),
    (
        "Downloaded instructions",
        "The newest 100 of a target are kept for display.",
    ),
    (
        "Limits of history",
        "1,000,000 rows in all and 1,000 of a job on a target unless set. The newest outcome of a job on a target is never trimmed.",
    ),
    (
        "Names of servers",
        "Listings show them in capitals, whatever case they were given in.",
    ),
    (
        "Locks",
        "Definitions have one writer: a transaction holds it from its first write to its end, so that two cannot wait for each other and 1205 does not occur among them. SET LOCK_TIMEOUT says how long a write waits (1222); -1 means 30 seconds. A transaction that idles for 5 minutes or lasts 30 is rolled back (3998). The agent and the fleet write elsewhere and never wait.",
    ),
    ("`freq_subday_type` 0", "Once a day, as 1."),
    (
        "The last step with \"go to next step\"",
        "The job ends with that step's result.",
    ),
];

fn document() -> String {
    let mut text = String::from(
        "# Compatibility with msdb\n\n\
         Written by a test from the declarations; do not edit. `=` gives a parameter's default, `OUT` marks \
         OUTPUT parameters.\n\n\
         `sysjobhistory.instance_id` and `sysjobactivity.job_history_id` show the low 31 bits of a 64-bit id \
         (docs/adr/0004). The grammar of names, blanks and case follows SQL Server: names are compared without \
         regard to case and trailing blanks.\n\n\
         ## Procedures\n\n\
         | procedure | parameters | result sets | may execute | status | notes |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for (name, declared) in procedures() {
        let procedure = declared.procedure;
        let parameters: Vec<String> = procedure.params.iter().map(parameter).collect();
        let results: Vec<String> = procedure
            .results
            .iter()
            .map(|(result, columns)| format!("{result} ({} columns)", columns.len()))
            .collect();
        let status = if body(name).is_some() {
            "works"
        } else {
            "refused by name (40515)"
        };
        let note = NOTES
            .iter()
            .find(|(of, _)| *of == procedure.name)
            .map_or("", |(_, note)| note);
        writeln!(
            text,
            "| {} | {} | {} | {} | {status} | {note} |",
            procedure.name,
            parameters.join(", "),
            results.join(", "),
            roles(procedure),
        )
        .unwrap();
    }
    text.push_str(
        "\n## Choices\n\nWhat no public page says, or pages say in two ways.\n\n| subject | what Muster does |\n| --- | --- |\n",
    );
    for (subject, choice) in CHOICES {
        writeln!(text, "| {subject} | {choice} |").unwrap();
    }
    text.push_str("\n## Tables and views\n\n| name | columns |\n| --- | --- |\n");
    for declared in tables().values() {
        let columns: Vec<&str> = declared.table.columns.iter().map(|c| c.0).collect();
        writeln!(text, "| {} | {} |", declared.table.name, columns.join(", ")).unwrap();
    }
    text
}

fn parameter(param: &Param) -> String {
    let ty = if param.ty == SqlType::SYSNAME {
        "sysname".to_owned()
    } else {
        param.ty.to_string()
    };
    let default = match param.default {
        Default::Required => String::new(),
        Default::Null => " = NULL".to_owned(),
        Default::Int(number) => format!(" = {number}"),
        Default::Text(text) => format!(" = '{text}'"),
    };
    let output = if param.output { " OUT" } else { "" };
    format!("`{} {ty}{default}{output}`", param.name)
}

const fn roles(procedure: &Procedure) -> &'static str {
    match procedure.execute {
        Execute::Public => "public",
        Execute::User => "SQLAgentUserRole and up",
        Execute::Reader => "SQLAgentReaderRole and up",
        Execute::Operator => "SQLAgentOperatorRole, sysadmin",
        Execute::TargetServers => "TargetServersRole, sysadmin",
        Execute::MailUser => "DatabaseMailUserRole, sysadmin",
        Execute::Sysadmin => "sysadmin",
    }
}

#[test]
fn notes_are_about_declared_procedures_in_order() {
    assert!(NOTES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for (name, _) in NOTES {
        assert!(procedures().contains_key(&name.to_lowercase()), "{name}");
    }
    for (name, declared) in procedures() {
        let noted = NOTES.iter().any(|(of, _)| *of == declared.procedure.name);
        assert!(
            body(name).is_some() || noted,
            "{name} is refused without a reason"
        );
    }
}

/// `MUSTER_WRITE_DOCS=1` writes the file anew.
#[test]
fn the_document_is_what_the_declarations_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let document = document();
    if std::env::var_os("MUSTER_WRITE_DOCS").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap();
    assert!(
        stored == document,
        "{path} is out of date: run this test with MUSTER_WRITE_DOCS=1"
    );
}
