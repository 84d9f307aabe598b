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
