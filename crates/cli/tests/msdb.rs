//! msdb on a real instance: what needs the program itself around the procedures.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

mod harness;

use harness::{Instance, Scratch};

/// The texts of a log's file, oldest first.
fn log(instance: &Instance, archive: u32, kind: u32) -> Vec<String> {
    let results = instance.sql(&format!("EXEC xp_readerrorlog {archive}, {kind}"));
    let rows = &results[0].rows;
    rows.iter().map(|row| row[2].clone().unwrap()).collect()
}

#[test]
fn the_error_logs_begin_anew_at_every_start_and_when_asked() {
    let scratch = Scratch::new("error-logs");
    let mut instance = Instance::start(&scratch, "MASTER");
    for kind in [1, 2] {
        let first = log(&instance, 0, kind).remove(0);
        assert!(
            first.starts_with("Muster ") && first.contains(" as MASTER on "),
            "{first}"
        );
    }
    instance.sql("EXEC msdb.dbo.sp_cycle_agent_errorlog");
    assert!(log(&instance, 0, 2).is_empty());
    assert_eq!(log(&instance, 1, 2).len(), 1);
    instance.stop();
    instance.restart();
    assert_eq!(log(&instance, 0, 2).len(), 1);
    assert_eq!(log(&instance, 2, 2).len(), 1);
    let ended =
        "IF EXISTS (SELECT 1 FROM #log WHERE text = N'ended') SELECT 'yes' ELSE SELECT 'no'";
    let read = "CREATE TABLE #log (at datetime, source nvarchar(100), text nvarchar(max))
        INSERT INTO #log EXEC xp_readerrorlog 1, 1, N'ended'";
    assert_eq!(instance.scalar(&format!("{read} {ended}")), "yes");
}

/// Runs the program against an instance, by its directory or by a login. Standard output, or standard error.
fn muster(arguments: &[&str]) -> Result<String, String> {
    let output = harness::program()
        .args(arguments)
        .env("SQLCMDPASSWORD", harness::PASSWORD)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

#[test]
fn scripts_go_out_and_come_in() {
    let scratch = Scratch::new("as-code");
    let one = Instance::start(&scratch, "ONE");
    let two = Instance::start(&scratch, "TWO");
    let server = format!("{},{}", two.address.ip(), two.address.port());
    let by_login = ["-S", &server, "-U", "sa", "-C"];
    let by_directory = ["--data", one.data.to_str().unwrap()];
    one.sql(
        "EXEC msdb.dbo.sp_add_operator @name = N'o''r é'
         EXEC msdb.dbo.sp_add_job @job_name = N'nightly'
         EXEC msdb.dbo.sp_add_jobstep @job_name = N'nightly', @step_name = N's', @command = N'PRINT ''x''
GO
-- $(ESCAPE_NONE(JOBID))'
         EXEC msdb.dbo.sp_add_jobserver @job_name = N'nightly'",
    );
    let with = |head: &[&str], place: &[&str]| muster(&[head, place].concat());

    let all = with(&["script", "all"], &by_directory).unwrap();
    let job = with(&["script", "job", "NIGHTLY"], &by_directory).unwrap();
    assert!(
        all.contains(job.trim()) && job.contains("QuitWithRollback"),
        "{job}"
    );
    let missing = with(&["script", "job", "none"], &by_directory).unwrap_err();
    assert!(missing.contains("14262"), "{missing}");

    let file = scratch.path().join("all.sql");
    std::fs::write(&file, &all).unwrap();
    let file = file.to_str().unwrap();
    let shown = with(&["apply", file, "--dry-run"], &by_login).unwrap();
    assert_eq!(shown, "+ JOB nightly\n+ OPERATOR o'r é\n");
    assert_eq!(two.scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobs"), "0");
    let shown = with(&["apply", file], &by_login).unwrap();
    assert_eq!(shown, "+ JOB nightly\n+ OPERATOR o'r é\napplied\n");
    assert_eq!(with(&["script", "all"], &by_login).unwrap(), all);

    // A script that fails halfway, and one that would leave the rehearsal.
    let bad = scratch.path().join("bad.sql");
    let bad_path = bad.to_str().unwrap().to_owned();
    std::fs::write(&bad, "EXEC msdb.dbo.sp_delete_job @job_name = N'nightly'\nGO\nEXEC msdb.dbo.sp_delete_job @job_name = N'x'").unwrap();
    let refused = with(&["apply", &bad_path], &by_directory).unwrap_err();
    assert!(
        refused.contains("nothing was changed") && refused.contains("14262"),
        "{refused}"
    );
    assert_eq!(with(&["script", "all"], &by_directory).unwrap(), all);
    for place in [&by_directory[..], &by_login[..]] {
        let named = "DECLARE @p sysname = N'msdb.dbo.sp_muster_' + N'rehearsal' EXEC @p 0";
        let built = "EXEC(N'EXEC msdb.dbo.sp_muster_' + N'rehearsal 0')";
        let add = "EXEC msdb.dbo.sp_add_job @job_name = N'escaped'";
        for leave in ["EXEC msdb..SP_muster_rehearsal 0", named, built] {
            std::fs::write(&bad, format!("{leave}\nGO\n{add}")).unwrap();
            for arguments in [
                &["apply", &bad_path][..],
                &["apply", &bad_path, "--dry-run"],
            ] {
                let refused = with(arguments, place).unwrap_err();
                assert!(refused.contains("50003"), "{leave}: {refused}");
                assert_eq!(with(&["script", "all"], place).unwrap(), all, "{leave}");
            }
            let caught = format!("BEGIN TRY {leave} END TRY BEGIN CATCH END CATCH\nGO\n{add}");
            std::fs::write(&bad, caught).unwrap();
            let shown = with(&["apply", &bad_path, "--dry-run"], place).unwrap();
            assert_eq!(shown, "+ JOB escaped\n", "{leave}");
            assert_eq!(with(&["script", "all"], place).unwrap(), all, "{leave}");
        }
    }
}
