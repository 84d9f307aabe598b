//! Transactions of a session: seen inside, undone by ROLLBACK, waited for with 1222.

use super::support::{Fixture, n, s};
use engine::host::Host;

#[test]
fn a_transaction_is_seen_inside_and_undone_whole() {
    let fixture = Fixture::new();
    fixture.target("t1");
    let before = fixture.fingerprint();
    let mut sa = fixture.sa();
    sa.host.begin().unwrap();
    assert_eq!(sa.rows("sysjobs").len(), 0, "reading takes no lock");
    sa.job("multi", Some("t1"));
    sa.ok("sp_start_job", &[("@job_name", s("multi"))]);
    assert_eq!(sa.rows("sysjobs").len(), 1);
    assert_eq!(sa.rows("sysdownloadlist").len(), 2);
    assert_eq!(before, fixture.fingerprint(), "others see nothing yet");
    sa.host.rollback().unwrap();
    assert_eq!(before, fixture.fingerprint());
}

#[test]
fn savepoints_before_and_after_the_first_write() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.host.begin().unwrap();
    sa.host.savepoint("start", false).unwrap();
    assert_eq!(sa.host.savepoint("never", true).unwrap_err().number, 6401);
    sa.job("a", None);
    sa.host.savepoint("a", false).unwrap();
    sa.job("b", None);
    sa.host.savepoint("a", true).unwrap();
    assert_eq!(sa.column("sysjobs", "name"), [s("a")]);
    sa.host.savepoint("start", true).unwrap();
    assert_eq!(sa.rows("sysjobs").len(), 0);
    sa.job("c", None);
    sa.host.commit().unwrap();
    assert_eq!(fixture.sa().column("sysjobs", "name"), [s("c")]);
}

#[test]
fn a_failed_statement_leaves_the_transaction_going() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.host.begin().unwrap();
    sa.job("a", None);
    sa.call("sp_add_job", &[("@job_name", s("a"))])
        .raised(14261);
    sa.job("b", None);
    sa.host.commit().unwrap();
    assert_eq!(fixture.sa().rows("sysjobs").len(), 2);
}

#[test]
fn another_writer_waits_and_gives_up() {
    let fixture = Fixture::new();
    let mut holder = fixture.sa();
    holder.host.begin().unwrap();
    holder.job("a", None);
    let mut other = fixture.sa();
    other
        .call("sp_add_job", &[("@job_name", s("b"))])
        .raised(1222);
    // Reading, and starting what runs here, go on.
    assert_eq!(other.rows("sysjobs").len(), 0);
    // A remote act would wait for this very session.
    let enlist = holder.call("sp_msx_enlist", &[("@msx_server_name", s("hq,1433"))]);
    enlist.raised(226);
    holder.host.commit().unwrap();
    other.ok("sp_add_job", &[("@job_name", s("b")), ("@enabled", n(0))]);
}
