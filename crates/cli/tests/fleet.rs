//! The fleet, with real processes: what an administrator is promised, and what must not break it.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

mod harness;

use harness::{Instance, Scratch, job_script, program, resident_kb, wait_for, wait_until};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

fn outcomes(master: &Instance, job: &str) -> usize {
    let count = master.scalar(&format!(
        "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory AS h JOIN msdb.dbo.sysjobs AS j ON j.job_id = h.job_id
         WHERE j.name = N'{job}' AND h.step_id = 0"
    ));
    count.parse().unwrap()
}

fn start(master: &Instance, job: &str) {
    master.sql(&format!("EXEC msdb.dbo.sp_start_job @job_name = N'{job}'"));
}

/// Bytes of all files below a directory.
fn kept_bytes(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                kept_bytes(&entry.path())
            } else {
                entry.metadata().map_or(0, |metadata| metadata.len())
            }
        })
        .sum()
}

/// Files and directories; sockets are left out.
fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let to = to.join(entry.file_name());
        if kind.is_dir() {
            copy_directory(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_job_reaches_every_target_and_its_whole_history_comes_back() {
    let scratch = Scratch::new("fleet");
    let master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let targets: Vec<Instance> = (1..=3)
        .map(|i| Instance::start(&scratch, &format!("TARGET{i}")))
        .collect();
    for target in &targets {
        target.enlist(&master);
    }
    master.sql(&job_script(
        "greet",
        "echo hello from $MUSTER_JOB_NAME",
        &["TARGET1", "TARGET2", "TARGET3"],
    ));
    start(&master, "greet");
    wait_until("three outcomes", || outcomes(&master, "greet") == 3);
    let rows = &master.sql(
        "SELECT server, step_id, run_status, message FROM msdb.dbo.sysjobhistory ORDER BY server, step_id",
    )[0];
    assert_eq!(rows.rows.len(), 6);
    for (i, row) in rows.rows.iter().enumerate() {
        assert_eq!(
            row[0].as_deref(),
            Some(format!("TARGET{}", i / 2 + 1).as_str())
        );
        assert_eq!(row[1].as_deref(), Some(if i % 2 == 0 { "0" } else { "1" }));
        assert_eq!(row[2].as_deref(), Some("1"));
        if i % 2 == 1 {
            assert!(
                row[3].as_deref().unwrap().contains("hello from greet"),
                "{row:?}"
            );
        }
    }

    // Stop reaches a running job; the outcome says so.
    master.sql(&job_script("endless", "sleep 600", &["TARGET1"]));
    start(&master, "endless");
    wait_until("the endless step to run", || {
        targets[0].scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobactivity WHERE start_execution_date IS NOT NULL AND stop_execution_date IS NULL") == "1"
    });
    master.sql("EXEC msdb.dbo.sp_stop_job @job_name = N'endless'");
    wait_until("the stopped outcome", || outcomes(&master, "endless") == 1);
    assert_eq!(
        master.scalar("SELECT h.run_status FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name = 'endless' AND step_id = 0"),
        "3"
    );

    // Deleted on the master, it goes from the target too.
    master.sql("EXEC msdb.dbo.sp_delete_job @job_name = N'endless'");
    wait_until("the job to leave the target", || {
        targets[0].scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE name = 'endless'") == "0"
    });

    // Nobody on the target changes what came from the master.
    let (number, _) = targets[0]
        .try_sql("EXEC msdb.dbo.sp_delete_job @job_name = N'greet'")
        .unwrap_err();
    assert_eq!(number, 14274);
}

#[test]
fn outcomes_wait_for_a_master_that_is_away() {
    let scratch = Scratch::new("away");
    let mut master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let target = Instance::start(&scratch, "TARGET1");
    target.enlist(&master);
    master.sql(&job_script("tick", "true", &["TARGET1"]));
    // Every 10 seconds is the shortest rhythm there is.
    master.sql(
        "EXEC msdb.dbo.sp_add_jobschedule @job_name = N'tick', @name = N'often', @freq_type = 4, @freq_interval = 1,
         @freq_subday_type = 2, @freq_subday_interval = 11",
    );
    wait_until("the schedule to arrive", || {
        target.scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobschedules") == "1"
    });
    master.kill();
    wait_for("two runs without a master", || {
        (outcomes(&target, "tick") >= 2).then_some(())
    });
    master.restart();
    let there = outcomes(&target, "tick");
    wait_until("their outcomes on the master", || {
        outcomes(&master, "tick") >= there
    });
    let doubled = master.scalar(
        "SELECT COUNT(*) FROM (SELECT run_date, run_time, server FROM msdb.dbo.sysjobhistory WHERE step_id = 0
         GROUP BY run_date, run_time, server HAVING COUNT(*) > 1) AS d",
    );
    assert_eq!(doubled, "0");
}

#[test]
fn enlisting_is_refused_with_its_number() {
    let scratch = Scratch::new("enlist");
    let master = Instance::start(&scratch, "MASTER");
    let other = Instance::start(&scratch, "OTHER");
    let target = Instance::start(&scratch, "TARGET1");
    let enlist = |who: &Instance, master: &Instance, token: &str| {
        who.try_enlist(master, token).unwrap_err().0
    };

    let token = master.token(1);
    assert_eq!(
        enlist(&target, &master, &token),
        14363,
        "no MSXOperator yet"
    );
    master.make_master();
    other.make_master();
    assert_eq!(enlist(&target, &master, "nonsense"), 22026, "no such token");
    assert_eq!(enlist(&master, &master, &token), 14297, "not at itself");
    target.try_enlist(&master, &token).unwrap();
    assert_eq!(
        enlist(&master, &other, &other.token(1)),
        14299,
        "a master cannot enlist"
    );
    let second = Instance::start(&scratch, "TARGET2");
    assert_eq!(enlist(&second, &master, &token), 22026, "a used token");
    assert_eq!(
        enlist(&target, &other, &other.token(1)),
        14296,
        "enlisted elsewhere"
    );

    // By T-SQL, with a login and the master's exported authority.
    master.sql("CREATE LOGIN tsx WITH PASSWORD = N'Enlist-Me-1'; USE msdb; CREATE USER tsx FOR LOGIN tsx; EXEC sp_addrolemember N'TargetServersRole', N'tsx'");
    let ca = second.data.parent().unwrap().join("master-ca.pem");
    #[expect(clippy::disallowed_methods, reason = "tests start the program itself")]
    let export = std::process::Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["ca", "export", "--data"])
        .arg(&master.data)
        .output()
        .unwrap();
    std::fs::write(&ca, export.stdout).unwrap();
    let with_ca = Instance::start_with(
        &scratch,
        "TARGET3",
        &["--master-ca", ca.to_str().unwrap()],
        &[],
    );
    let by_tsql = |who: &Instance, password: &str| {
        who.try_sql(&format!(
            "IF NOT EXISTS (SELECT 1 FROM sys.credentials WHERE name = N'msx') CREATE CREDENTIAL msx WITH IDENTITY = N'tsx', SECRET = N'{password}'
             ELSE ALTER CREDENTIAL msx WITH IDENTITY = N'tsx', SECRET = N'{password}';
             EXEC msdb.dbo.sp_msx_set_account @credential_name = N'msx';
             EXEC msdb.dbo.sp_msx_enlist N'{}', N'rack 7';", master.server()
        ))
    };
    assert_eq!(
        by_tsql(&second, "Enlist-Me-1").unwrap_err().0,
        22026,
        "an authority it does not know"
    );
    assert_eq!(
        by_tsql(&with_ca, "wrong").unwrap_err().0,
        22026,
        "wrong password"
    );
    by_tsql(&with_ca, "Enlist-Me-1").unwrap();
    let rows = &master.sql("EXEC msdb.dbo.sp_help_targetserver @server_name = N'TARGET3'")[0];
    assert_eq!(rows.rows.len(), 1);
    // Again: the same master, the same name; the location is changed.
    by_tsql(&with_ca, "Enlist-Me-1").unwrap();

    // And out again.
    with_ca.sql("EXEC msdb.dbo.sp_msx_defect");
    assert_eq!(
        with_ca
            .try_sql("EXEC msdb.dbo.sp_msx_defect")
            .unwrap_err()
            .0,
        14298
    );
    wait_until("the target to be gone", || {
        master.scalar("SELECT COUNT(*) FROM msdb.dbo.systargetservers") == "1"
    });
}

#[test]
fn a_job_that_a_target_cannot_take_blocks_it_and_says_why() {
    let scratch = Scratch::new("blocked");
    let master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let target = Instance::start(&scratch, "TARGET1");
    target.enlist(&master);
    // Matching proxies by name is off on a target unless it says otherwise.
    master.sql(
        "CREATE CREDENTIAL elsewhere WITH IDENTITY = N'somebody', SECRET = N'Secret-1';
         EXEC msdb.dbo.sp_add_proxy @proxy_name = N'other account', @credential_name = N'elsewhere';
         EXEC msdb.dbo.sp_grant_proxy_to_subsystem @proxy_name = N'other account', @subsystem_name = N'CmdExec'",
    );
    master.sql(&job_script("by proxy", "true", &[]));
    master.sql(
        "EXEC msdb.dbo.sp_update_jobstep @job_name = N'by proxy', @step_id = 1, @proxy_name = N'other account';
         EXEC msdb.dbo.sp_add_jobserver @job_name = N'by proxy', @server_name = N'TARGET1'",
    );
    wait_until("the reason on the master", || {
        let reasons = "SELECT COALESCE(MAX(error_message), N'') FROM msdb.dbo.sysdownloadlist WHERE operation_code = 1";
        master.scalar(reasons).contains("proxy")
    });
    let state = "SELECT CASE WHEN status & 4 = 4 THEN 'blocked' ELSE 'free' END FROM msdb.dbo.systargetservers";
    assert_eq!(master.scalar(state), "blocked");

    // What comes later waits behind it, until the administrator takes the job away.
    master.sql(&job_script("fine", "true", &["TARGET1"]));
    start(&master, "fine");
    assert_eq!(target.scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobs"), "0");
    master.sql("EXEC msdb.dbo.sp_delete_job @job_name = N'by proxy'");
    wait_until("the outcome", || outcomes(&master, "fine") == 1);
    assert_eq!(master.scalar(state), "free");

    // Or takes it off this target alone.
    master.sql(&job_script("by proxy", "true", &[]));
    master.sql(
        "EXEC msdb.dbo.sp_update_jobstep @job_name = N'by proxy', @step_id = 1, @proxy_name = N'other account';
         EXEC msdb.dbo.sp_add_jobserver @job_name = N'by proxy', @server_name = N'TARGET1'",
    );
    wait_until("blocked again", || master.scalar(state) == "blocked");
    master.sql(
        "EXEC msdb.dbo.sp_delete_jobserver @job_name = N'by proxy', @server_name = N'TARGET1'",
    );
    wait_until("free again", || master.scalar(state) == "free");
}

#[test]
fn a_hundred_megabytes_of_output_disturb_nobody() {
    let scratch = Scratch::new("flood");
    let master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let target = Instance::start(&scratch, "TARGET1");
    target.enlist(&master);
    master.sql(&job_script(
        "flood",
        "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end",
        &["TARGET1"],
    ));
    master.sql(&job_script("beside", "true", &["TARGET1"]));
    start(&master, "flood");
    start(&master, "beside");
    wait_until("both outcomes", || {
        outcomes(&master, "flood") == 1 && outcomes(&master, "beside") == 1
    });
    let step = "FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id
                WHERE j.name = N'flood' AND h.step_id = 1";
    assert_eq!(master.scalar(&format!("SELECT h.run_status {step}")), "1");
    let message = master.scalar(&format!("SELECT h.message {step}"));
    assert!(message.chars().count() <= 4_000, "{}", message.len());
    assert!(message.contains("xxx"), "{message}");
    for instance in [&master, &target] {
        assert!(
            resident_kb(instance.process_id()) < 128 * 1024,
            "{}",
            instance.name
        );
        assert!(
            kept_bytes(&instance.data) < 20_000_000,
            "{} kept it all",
            instance.name
        );
    }
}

#[test]
fn a_master_restored_from_an_older_copy_is_brought_up_to_date() {
    let scratch = Scratch::new("restored");
    let mut master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let target = Instance::start(&scratch, "TARGET1");
    target.enlist(&master);
    master.sql(&job_script("before", "true", &["TARGET1"]));
    start(&master, "before");
    wait_until("the first outcome", || outcomes(&master, "before") == 1);

    assert!(master.stop().success());
    let copy = scratch.path().join("copy");
    copy_directory(&master.data, &copy);
    master.restart();
    master.sql(&job_script("after", "true", &["TARGET1"]));
    for job in ["before", "after"] {
        start(&master, job);
        wait_until("the second outcomes", || outcomes(&target, job) >= 1);
    }
    wait_until("both runs of the first job", || {
        outcomes(&master, "before") == 2
    });
    master.kill();
    std::fs::remove_dir_all(&master.data).unwrap();
    copy_directory(&copy, &master.data);
    master.restart();

    // The target gives again what the copy does not know, once, and drops the job that never was.
    wait_until("the outcome that the copy lacks", || {
        outcomes(&master, "before") == 2
    });
    wait_until("the later job to leave the target", || {
        target.scalar("SELECT COUNT(*) FROM msdb.dbo.sysjobs WHERE name = N'after'") == "0"
    });
    start(&master, "before");
    wait_until("a run of the restored master's", || {
        outcomes(&master, "before") == 3
    });
    assert_eq!(outcomes(&target, "before"), 3, "no start ran twice");
}

#[test]
fn garbage_and_silence_do_not_disturb_the_service() {
    let scratch = Scratch::new("garbage");
    let master = Instance::start(&scratch, "MASTER");
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(TcpStream::connect(master.address).unwrap());
    }
    for seed in 0..16u8 {
        let mut stream = TcpStream::connect(master.address).unwrap();
        let first = [0x12, 0x10, 0x16, 0x00, b'G', 0xff, 0x01, 0x03][usize::from(seed % 8)];
        let mut garbage = vec![first];
        garbage.extend(
            (0..65_535u32).map(|i| (i.wrapping_mul(2_654_435_761) >> (8 + seed % 8)) as u8),
        );
        // The server may hang up in the middle.
        let _ = stream.write_all(&garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read(&mut [0; 64]);
    }
    assert_eq!(master.scalar("SELECT 1"), "1");
    let resident = resident_kb(master.process_id());
    assert!(resident < 200 * 1024, "{resident} kB resident");
}

#[test]
fn a_second_serve_on_the_same_directory_and_another_name_are_refused() {
    let scratch = Scratch::new("second");
    let mut first = Instance::start(&scratch, "ONE");
    let mut serve = program();
    serve
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--name",
            "ONE",
            "--data",
        ])
        .arg(&first.data);
    let output = serve.output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("in use"),
        "{output:?}"
    );
    assert!(first.stop().success());
    let mut renamed = program();
    renamed
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--name",
            "TWO",
            "--data",
        ])
        .arg(&first.data);
    let output = renamed.output().unwrap();
    assert!(!output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("ONE"),
        "{output:?}"
    );
}
