//! Both machines in one conversation: what each asks of its store, in which order, and what it answers.

mod common;

use common::{at, cursor, document, facts, history_row, instruction, start, uuid};
use fleet::master::{Kick, LoadedInstructions, TargetRecord};
use fleet::message::{InstructionText, Instructions, Refusal, ReportRow, ToMaster, ToTarget};
use fleet::{
    BackoffAdvice, DefinitionsApplied, FrameReader, MasterConfig, MasterEvent, MasterLink, Moment,
    TargetConfig, TargetEvent, TargetLink, TargetState, limits, numbers,
};
use model::{
    Cursor, Generation, InstanceId, Instruction, InstructionBody, JobId, ReportPosition, ServerId,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The two ends, a wire between them, and a store on each side that says yes to everything.
struct Pair {
    now: Moment,
    target: TargetLink,
    master: Option<MasterLink>,
    to_target: FrameReader,
    to_master: FrameReader,
    record: Option<TargetRecord>,
    queue: Vec<Instruction>,
    blocked: bool,
    reports: Vec<ReportRow>,
    /// What the next definitions end with.
    failure: Option<String>,
    /// What the next order is refused with.
    refusal: Option<String>,
    /// Everything that happened, one line each.
    log: Vec<String>,
    reader_max: usize,
}

#[expect(
    clippy::disallowed_methods,
    reason = "any instant will do to count from"
)]
fn beginning() -> Moment {
    Moment {
        instant: Instant::now(),
        wall: at(0),
        utc_offset_minutes: 60,
    }
}

fn record() -> TargetRecord {
    TargetRecord {
        server: ServerId(5),
        generation: Generation(3),
        defected: false,
        resync_due: false,
        poll_interval_secs: 60,
        confirmed: Cursor::START,
        uid_at_cursor: None,
        reports_durable: ReportPosition(0),
    }
}

fn state() -> TargetState {
    TargetState {
        cursor: Cursor::START,
        reports_acknowledged: ReportPosition(0),
        refused: Vec::new(),
        incarnation_seen: None,
    }
}

fn config() -> TargetConfig {
    TargetConfig {
        instance: InstanceId(uuid(1)),
        facts: facts(),
        master: InstanceId(uuid(9)),
        generation: Generation(3),
        poll_interval_secs: 60,
        seed: 7,
    }
}

fn master_config() -> Arc<MasterConfig> {
    Arc::new(MasterConfig {
        master: InstanceId(uuid(9)),
        incarnation: uuid(2),
        version: fleet::PROTOCOL_VERSION,
        backoff: BackoffAdvice::default(),
        addresses: Vec::new(),
    })
}

impl Pair {
    fn new(state: TargetState, record: Option<TargetRecord>) -> Self {
        let now = beginning();
        Self {
            now,
            target: TargetLink::new(config(), state, now),
            master: None,
            to_target: FrameReader::new(limits::MASTER_MESSAGE_BYTES_MAX),
            to_master: FrameReader::new(limits::HELLO_BYTES_MAX),
            record,
            queue: Vec::new(),
            blocked: false,
            reports: Vec::new(),
            failure: None,
            refusal: None,
            log: Vec::new(),
            reader_max: limits::HELLO_BYTES_MAX,
        }
    }

    /// An admitted pair, its log empty.
    fn admitted() -> Self {
        let mut pair = Self::new(state(), Some(record()));
        pair.run();
        assert!(pair.target.is_serving());
        pair.log.clear();
        pair
    }

    fn wait(&mut self, seconds: u64) {
        self.now.instant += Duration::from_secs(seconds);
    }

    fn master(&mut self) -> &mut MasterLink {
        self.master.as_mut().expect("connected")
    }

    /// Lets both ends do all they can do now, and what a target lets wait for a moment; what happened.
    fn run(&mut self) -> Vec<String> {
        self.settle();
        let settled = self.now.instant + limits::RESULTS_SETTLE;
        if self.target.poll_timeout().is_some_and(|due| due <= settled) {
            self.now.instant = settled;
            self.settle();
        }
        std::mem::take(&mut self.log)
    }

    fn settle(&mut self) {
        self.target.handle_timeout(self.now);
        if let Some(master) = &mut self.master {
            master.handle_timeout(self.now);
        }
        loop {
            let before = self.log.len();
            let moved = self.step_target() | self.step_master();
            if !moved && self.log.len() == before {
                break;
            }
        }
    }

    fn step_target(&mut self) -> bool {
        let mut moved = false;
        while let Some(bytes) = self.target.poll_transmit() {
            moved = true;
            let Some(master) = &mut self.master else {
                continue;
            };
            self.to_master.set_message_bytes_max(self.reader_max);
            let mut input = bytes.as_slice();
            while let Some(body) = self.to_master.read(&mut input).expect("frames") {
                let _ = master.handle_frame(&body, self.now);
                self.reader_max = master.message_bytes_max();
            }
        }
        while let Some(event) = self.target.poll_event() {
            moved = true;
            self.on_target(event);
        }
        moved
    }

    fn step_master(&mut self) -> bool {
        let mut moved = false;
        while let Some(master) = &mut self.master {
            let Some(bytes) = master.poll_transmit() else {
                break;
            };
            moved = true;
            let mut input = bytes.as_slice();
            while let Some(body) = self.to_target.read(&mut input).expect("frames") {
                if let Err(error) = self.target.handle_frame(&body, self.now) {
                    self.log.push(format!("target: {error}"));
                }
            }
        }
        while let Some(event) = self.master.as_mut().and_then(MasterLink::poll_event) {
            moved = true;
            self.on_master(event);
        }
        moved
    }

    fn on_target(&mut self, event: TargetEvent) {
        let now = self.now;
        let line = match event {
            TargetEvent::Connect { attempt } => {
                self.master = Some(MasterLink::new(
                    master_config(),
                    Some(InstanceId(uuid(1))),
                    now,
                ));
                self.reader_max = limits::HELLO_BYTES_MAX;
                self.target.connected(now);
                format!("connect {attempt}")
            }
            TargetEvent::Disconnect => {
                self.master = None;
                "disconnect".to_owned()
            }
            TargetEvent::Admitted { enlist_anew, .. } => match enlist_anew {
                None => "admitted".to_owned(),
                Some(refusal) => format!("enlist anew: {}", refusal.number),
            },
            TargetEvent::Refused(refusal) => format!("refused: {}", refusal.number),
            TargetEvent::ApplyDefinitions { instructions } => {
                let numbers: Vec<u64> = instructions.iter().map(|i| i.number.0).collect();
                let failure = self.failure.take();
                let applied = if failure.is_some() { 0 } else { numbers.len() };
                self.target
                    .definitions_applied(DefinitionsApplied { applied, failure }, now);
                format!("define {numbers:?}")
            }
            TargetEvent::MoveCursor { cursor } => {
                self.target.cursor_moved(now);
                format!("cursor {}", cursor.number)
            }
            TargetEvent::CarryOut { orders, cursor, .. } => {
                let numbers: Vec<u64> = orders.iter().map(|order| order.number.0).collect();
                let refusals = orders.iter().map(|_| self.refusal.take()).collect();
                self.target.orders_carried_out(refusals, now);
                format!("order {numbers:?} cursor {}", cursor.number)
            }
            TargetEvent::Blocked(failed) => format!("blocked at {}", failed.instruction.number),
            TargetEvent::Defect { .. } => "defect".to_owned(),
            TargetEvent::LoadReports { after, .. } => {
                let rows = self.reports.iter().filter(|row| row.position > after);
                self.target
                    .reports_loaded(after, rows.cloned().collect(), false, now);
                format!("reports after {after}")
            }
            TargetEvent::ReportsAcknowledged { through } => format!("reports safe to {through}"),
            TargetEvent::RefusalsAcknowledged { through } => format!("refusals safe to {through}"),
            TargetEvent::CertificateRenewed(_) => "certificate".to_owned(),
            TargetEvent::CertificateRefused(refusal) => {
                format!("no certificate: {}", refusal.number)
            }
        };
        self.log.push(format!("target: {line}"));
    }

    fn on_master(&mut self, event: MasterEvent) {
        let now = self.now;
        let record = self.record.clone();
        let Some(master) = &mut self.master else {
            return;
        };
        let line = match event {
            MasterEvent::Admit(_) => {
                master.admit(record.as_ref(), now);
                "admit".to_owned()
            }
            MasterEvent::Admitted { instructions, .. } => {
                self.reader_max = limits::TARGET_MESSAGE_BYTES_MAX;
                format!("admitted, instructions {instructions}")
            }
            MasterEvent::Resync { after } => {
                master.resynced(now);
                format!("re-sync after {}", after.number)
            }
            MasterEvent::LoadInstructions {
                after, rows_max, ..
            } => {
                let past = self.queue.iter().filter(|i| i.number > after.number);
                let list: Vec<Instruction> = past.clone().take(rows_max).cloned().collect();
                let more = past.count() > list.len();
                let blocked = self.blocked;
                master.instructions_loaded(
                    LoadedInstructions {
                        blocked,
                        list,
                        more,
                    },
                    now,
                );
                format!("load after {}", after.number)
            }
            MasterEvent::StoreResults(whose, results) => {
                master.results_stored(whose);
                let refused: Vec<u64> = results
                    .refused
                    .iter()
                    .map(|text| text.instruction.number.0)
                    .collect();
                let failed = results.failed.map(|text| text.instruction.number.0);
                self.blocked |= failed.is_some();
                format!(
                    "results to {} refused {refused:?} failed {failed:?}",
                    results.cursor.number
                )
            }
            MasterEvent::StoreReports(rows) => {
                master.reports_stored();
                format!("store {} reports", rows.len())
            }
            MasterEvent::StoreFacts(facts) => format!("facts of {}", facts.name),
            MasterEvent::Seen { .. } => "seen".to_owned(),
            MasterEvent::IssueCertificate { .. } => {
                master.certificate_issued(Ok(vec![vec![0x30, 0]]));
                "issue".to_owned()
            }
            MasterEvent::RemoveTarget => {
                master.removed();
                "remove".to_owned()
            }
            MasterEvent::Close(reason) => format!("close: {reason:?}"),
        };
        self.log.push(format!("master: {line}"));
    }
}

fn insert(number: u64) -> Instruction {
    instruction(number, InstructionBody::Insert(Some(Box::new(document()))))
}

fn report(position: u64) -> ReportRow {
    ReportRow {
        position: ReportPosition(position),
        row: history_row(u32::try_from(position).expect("small")),
    }
}

#[test]
fn a_first_conversation() {
    let mut pair = Pair::new(state(), Some(record()));
    pair.queue = vec![
        insert(1),
        insert(2),
        start(3, 100),
        instruction(4, InstructionBody::SetPoll(30)),
    ];
    pair.reports = vec![report(1)];
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    target: connect 0
    master: admit
    master: admitted, instructions true
    target: admitted
    target: reports after 0
    master: load after 0
    master: store 1 reports
    target: define [1, 2]
    target: order [3] cursor 3
    target: define [4]
    target: cursor 4
    target: reports safe to 1
    master: results to 4 refused [] failed None
    ");
    assert_eq!(pair.target.cursor(), cursor(4));
}

#[test]
fn a_change_is_told_once_and_fetched_once() {
    let mut pair = Pair::admitted();
    pair.queue = vec![start(1, 100)];
    for _ in 0..3 {
        pair.master().raise_change();
    }
    // The last look is for the changes that came while the first one was under way. That orders were carried
    // out is told a moment later.
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    target: order [1] cursor 1
    master: load after 1
    master: results to 1 refused [] failed None
    ");
    // A change that falls between what was loaded and the answer to it is not lost: it is looked for again.
    pair.master().raise_change();
    let event = pair.master().poll_event();
    assert!(
        matches!(event, Some(MasterEvent::LoadInstructions { .. })),
        "{event:?}"
    );
    pair.queue.push(start(2, 100));
    pair.master().raise_change();
    let nothing_yet = LoadedInstructions {
        blocked: false,
        list: Vec::new(),
        more: false,
    };
    let now = pair.now;
    pair.master().instructions_loaded(nothing_yet, now);
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 1
    target: order [2] cursor 2
    master: results to 2 refused [] failed None
    ");
    assert_eq!(pair.target.cursor(), cursor(2));
}

/// The target's fetch waits at the master: what is posted goes out with the next message, and the word
/// that it is done costs no look at a queue that is known to have ended.
#[test]
fn an_instruction_needs_no_notice() {
    let mut pair = Pair::admitted();
    for number in 1..=3 {
        pair.queue.push(start(number, 100));
        pair.master().raise_change();
        let event = pair.master().poll_event();
        assert!(
            matches!(event, Some(MasterEvent::LoadInstructions { .. })),
            "{event:?}"
        );
        let list = vec![start(number, 100)];
        let loaded = LoadedInstructions {
            blocked: false,
            list,
            more: false,
        };
        let now = pair.now;
        pair.master().instructions_loaded(loaded, now);
        let mut expected = vec![format!("target: order [{number}] cursor {number}")];
        expected.push(format!(
            "master: results to {number} refused [] failed None"
        ));
        assert_eq!(pair.run(), expected);
    }
}

/// A master that does not let a fetch wait answers at once that there is nothing; then its notice is waited
/// for, and not asked again and again.
#[test]
fn an_empty_answer_is_followed_by_a_notice() {
    let mut pair = Pair::admitted();
    let now = pair.now;
    let nothing = ToTarget::Instructions(Instructions {
        generation: Generation(3),
        list: Vec::new(),
        more: false,
        sequence: 0,
        clock: now.wall,
    });
    pair.target.handle_frame(&nothing.encode(), now).unwrap();
    assert_eq!(pair.target.poll_transmit(), None);
    let notice = ToTarget::ChangeNotice { sequence: 1 };
    pair.target.handle_frame(&notice.encode(), now).unwrap();
    let asked = pair.target.poll_transmit().expect("a fetch");
    let mut reader = FrameReader::new(limits::TARGET_MESSAGE_BYTES_MAX);
    let body = reader.read(&mut asked.as_slice()).unwrap().unwrap();
    assert!(
        matches!(ToMaster::decode(&body), Ok(ToMaster::Fetch { after, .. }) if after == Cursor::START)
    );
}

/// However long nothing is posted, the fetch that waits is no answer that is due.
#[test]
fn a_waiting_fetch_is_not_late() {
    let mut pair = Pair::admitted();
    for _ in 0..3 {
        pair.wait(50);
        pair.run();
        assert!(pair.target.is_serving());
    }
    // A poll without an answer is: that is how a dead master shows.
    pair.target.force_poll(pair.now);
    while pair.target.poll_transmit().is_some() {}
    pair.wait(limits::REPLY_TIMEOUT.as_secs() + 1);
    pair.target.handle_timeout(pair.now);
    assert!(!pair.target.is_serving());
}

#[test]
fn a_poll_with_nothing_new_touches_no_storage() {
    let mut pair = Pair::admitted();
    for _ in 0..5 {
        pair.wait(60);
        assert_eq!(pair.run(), ["master: seen"]);
    }
    pair.target.force_poll(pair.now);
    assert_eq!(pair.run(), ["master: seen"]);
    // The longest silence is bounded whatever the interval says.
    pair.queue = vec![instruction(1, InstructionBody::SetPoll(28_800))];
    pair.master().raise_change();
    pair.run();
    let due = pair.target.poll_timeout().expect("a poll is due");
    assert_eq!(due - pair.now.instant, limits::KEEP_ALIVE);
}

#[test]
fn a_failed_definition_blocks_until_the_master_changes_something() {
    let mut pair = Pair::admitted();
    pair.queue = vec![insert(1), start(2, 100)];
    pair.failure = Some("Proxy not found.".to_owned());
    pair.master().raise_change();
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    target: define [1]
    target: blocked at 1
    master: results to 0 refused [] failed Some(1)
    master: load after 0
    ");
    // Later instructions wait.
    pair.queue.push(start(3, 100));
    pair.master().raise_change();
    assert_eq!(pair.run(), ["master: load after 0"]);
    // The administrator clears the error: the same instruction comes again, then the others.
    pair.blocked = false;
    pair.master().raise_change();
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    target: define [1]
    target: order [2, 3] cursor 3
    master: results to 3 refused [] failed None
    ");
}

#[test]
fn a_refused_order_is_a_result_and_blocks_nothing() {
    let mut pair = Pair::admitted();
    pair.queue = vec![start(1, 100), insert(2)];
    pair.refusal = Some("The job runs already.".to_owned());
    pair.master().raise_change();
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    target: order [1] cursor 1
    target: define [2]
    target: cursor 2
    master: results to 1 refused [1] failed None
    target: refusals safe to 1
    master: results to 2 refused [] failed None
    ");
    // A refusal that the master may not have is told after a restart.
    let mut pair = Pair::new(
        TargetState {
            cursor: cursor(1),
            // The second is of an earlier enlistment.
            refused: [1, 90]
                .map(|number| InstructionText {
                    instruction: cursor(number),
                    text: "no".to_owned(),
                })
                .to_vec(),
            ..state()
        },
        Some(TargetRecord {
            uid_at_cursor: Some(cursor(1).uid),
            ..record()
        }),
    );
    let log = pair.run();
    assert!(log.contains(&"master: results to 1 refused [1] failed None".to_owned()));
    assert!(log.contains(&"target: refusals safe to 1".to_owned()));
}

/// What a hello leads to, on both sides.
fn check_hello(state: TargetState, record: Option<TargetRecord>, expected: &[&str]) {
    let mut pair = Pair::new(state, record);
    let log = pair.run();
    let seen: Vec<&str> = log
        .iter()
        .map(String::as_str)
        .filter(|line| {
            !line.contains("connect") && !line.contains("load") && !line.contains("reports after")
        })
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn hellos() {
    let member = record;
    check_hello(
        state(),
        None,
        &[
            "master: admit",
            "master: close: Refused(14298)",
            "target: refused: 14298",
        ],
    );
    check_hello(
        state(),
        Some(TargetRecord {
            defected: true,
            ..member()
        }),
        &["master: admit", "master: close: Defected", "target: defect"],
    );
    check_hello(
        state(),
        Some(TargetRecord {
            generation: Generation(4),
            ..member()
        }),
        &[
            "master: admit",
            "master: admitted, instructions false",
            "target: enlist anew: 14298",
        ],
    );
    // The master was restored, or this target was.
    for (cursor_here, confirmed, resync_due) in [
        (cursor(9), cursor(7), false),
        (cursor(5), cursor(7), false),
        (cursor(7), cursor(7), true),
    ] {
        check_hello(
            TargetState {
                cursor: cursor_here,
                ..state()
            },
            Some(TargetRecord {
                confirmed,
                resync_due,
                ..member()
            }),
            &[
                "master: admit",
                &format!("master: re-sync after {}", cursor_here.number),
                "master: admitted, instructions true",
                "target: admitted",
            ],
        );
    }
}

#[test]
fn a_newer_target_is_refused_with_both_versions() {
    let (_, hello) = common::to_master().swap_remove(0);
    let ToMaster::Hello(mut hello) = hello else {
        panic!("the first sample is a hello")
    };
    hello.version = 7;
    let now = beginning();
    let mut master = MasterLink::new(master_config(), Some(hello.instance), now);
    master
        .handle_frame(&ToMaster::Hello(hello.clone()).encode(), now)
        .expect("a proper hello");
    let frame = master.poll_transmit().expect("an answer");
    let body = FrameReader::new(1_000)
        .read(&mut frame.as_slice())
        .expect("a frame")
        .expect("whole");
    insta::assert_debug_snapshot!(fleet::message::ToTarget::decode(&body), @r#"
    Ok(
        Refusal(
            Refusal {
                number: 14541,
                text: "The master server speaks version 1 of the protocol; this target server needs 7 or later.",
                retry_after: 0ns,
            },
        ),
    )
    "#);
    // A certificate of another instance is no pass.
    let mut master = MasterLink::new(master_config(), Some(InstanceId(uuid(66))), now);
    hello.version = 1;
    let refused = master.handle_frame(&ToMaster::Hello(hello).encode(), now);
    assert_eq!(
        refused.expect_err("refused").to_string(),
        "field hello.instance is missing or out of range"
    );
}

#[test]
fn reports_rewind_for_a_restored_master_and_are_told_safe_once() {
    let mut pair = Pair::new(
        TargetState {
            reports_acknowledged: ReportPosition(3),
            ..state()
        },
        Some(TargetRecord {
            reports_durable: ReportPosition(1),
            ..record()
        }),
    );
    pair.reports = (1..=4).map(report).collect();
    let log = pair.run();
    assert!(log.contains(&"target: reports after 1".to_owned()));
    assert!(log.contains(&"master: store 3 reports".to_owned()));
    assert!(log.contains(&"target: reports safe to 4".to_owned()));
    // A target that was restored sends what it has past its own mark, whatever the master knows.
    let mut pair = Pair::new(
        state(),
        Some(TargetRecord {
            reports_durable: ReportPosition(500),
            ..record()
        }),
    );
    pair.reports = vec![report(1)];
    assert!(pair.run().contains(&"target: reports safe to 1".to_owned()));
}

#[test]
fn a_large_backlog_goes_in_batches() {
    let mut pair = Pair::admitted();
    pair.reports = (1..=1_200).map(report).collect();
    pair.target.reports_available(pair.now);
    let log = pair.run();
    let stored: Vec<&String> = log.iter().filter(|line| line.contains("store")).collect();
    assert_eq!(
        stored,
        [
            "master: store 512 reports",
            "master: store 512 reports",
            "master: store 176 reports"
        ]
    );
    // Large rows fill a batch sooner, but never to nothing.
    pair.reports = (1_201..=1_203)
        .map(|position| {
            let mut row = report(position);
            row.row.output = Some("x".repeat(limits::REPORT_BATCH_BYTES_MAX));
            row
        })
        .collect();
    pair.target.reports_available(pair.now);
    let log = pair.run();
    let stored = log.iter().filter(|line| line.contains("store 1 reports"));
    assert_eq!(stored.count(), 3);
}

#[test]
fn a_dead_master_is_noticed_and_called_again_with_growing_waits() {
    let mut pair = Pair::admitted();
    // The master's process is gone, and nobody told.
    pair.master = None;
    pair.wait(60);
    assert!(pair.run().is_empty());
    pair.wait(limits::REPLY_TIMEOUT.as_secs());
    assert_eq!(pair.run(), ["target: disconnect"]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let due = pair.target.poll_timeout().expect("it will try again");
        waits.push((due - pair.now.instant).as_secs_f64());
        pair.now.instant = due;
        pair.target.handle_timeout(pair.now);
        while pair.target.poll_event().is_some() {}
        pair.target.disconnected(pair.now);
    }
    let max = limits::BACKOFF_MAX_DEFAULT.as_secs_f64();
    assert!(waits[0] <= 1.0 && waits[7] >= max / 2.0, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= max), "{waits:?}");
}

#[test]
fn a_silent_target_is_dropped() {
    let mut pair = Pair::admitted();
    pair.wait((limits::KEEP_ALIVE + limits::SILENCE_GRACE).as_secs());
    let now = pair.now;
    pair.master().handle_timeout(now);
    assert_eq!(
        pair.master().poll_event().map(|event| format!("{event:?}")),
        Some("Close(Silent)".to_owned())
    );
    // One that never says hello, sooner.
    let mut mute = MasterLink::new(master_config(), None, now);
    assert_eq!(
        mute.poll_timeout(),
        Some(now.instant + limits::HELLO_TIMEOUT)
    );
    mute.handle_timeout(Moment {
        instant: now.instant + limits::HELLO_TIMEOUT,
        ..now
    });
    assert!(mute.poll_event().is_some());
}

#[test]
fn defections() {
    // By an instruction: the master removes the target first, then the target lets go.
    let mut pair = Pair::admitted();
    pair.queue = vec![instruction(1, InstructionBody::Defect), start(2, 100)];
    pair.master().raise_change();
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    master: remove
    master: close: Defected
    target: disconnect
    target: defect
    ");
    assert_eq!(pair.target.poll_timeout(), None);
    // By the target.
    let mut pair = Pair::admitted();
    pair.target.leave(pair.now);
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: remove
    master: close: Defected
    target: disconnect
    target: defect
    ");
    // By a deletion on the master.
    let mut pair = Pair::admitted();
    pair.master().kick(Kick::Defected);
    assert_eq!(
        pair.run(),
        [
            "master: close: Defected",
            "target: disconnect",
            "target: defect"
        ]
    );
    // Nothing is applied while the target leaves, and staying fetches what came meanwhile.
    let mut pair = Pair::new(state(), Some(record()));
    pair.target.leave(pair.now);
    pair.target.stay();
    pair.queue = vec![start(1, 100)];
    pair.run();
    assert_eq!(pair.target.cursor(), cursor(1));
}

#[test]
fn a_store_that_fails_is_asked_again() {
    let mut pair = Pair::admitted();
    pair.queue = vec![insert(1)];
    pair.master().raise_change();
    // Carry the messages without answering the store.
    loop {
        let moved = pair.step_master();
        while let Some(bytes) = pair.target.poll_transmit() {
            let mut input = bytes.as_slice();
            let body = pair.to_master.read(&mut input).unwrap().unwrap();
            let now = pair.now;
            pair.master().handle_frame(&body, now).unwrap();
        }
        if let Some(TargetEvent::ApplyDefinitions { .. }) = pair.target.poll_event() {
            break;
        }
        assert!(moved, "nothing left to do");
    }
    pair.target.store_failed(pair.now);
    pair.log.clear();
    assert!(pair.run().is_empty());
    pair.wait(limits::STORE_RETRY.as_secs());
    let log = pair.run();
    assert!(log.contains(&"target: define [1]".to_owned()), "{log:?}");
    assert_eq!(pair.target.cursor(), cursor(1));
    // The master's store fails: the target is sent away for a while.
    pair.master().store_failed();
    let log = pair.run();
    let refused = format!("target: refused: {}", numbers::CONVERSATION_FAILED);
    assert!(log.contains(&refused), "{log:?}");
}

#[test]
fn what_no_target_takes_blocks_the_queue_with_a_reason() {
    let mut pair = Pair::admitted();
    let mut bad = document();
    bad.job.name = String::new();
    pair.queue = vec![
        start(1, 100),
        instruction(2, InstructionBody::Insert(Some(Box::new(bad)))),
        start(3, 100),
    ];
    pair.master().raise_change();
    insta::assert_snapshot!(pair.run().join("\n"), @r"
    master: load after 0
    target: order [1] cursor 1
    master: load after 1
    master: results to 1 refused [] failed Some(2)
    master: load after 1
    master: results to 1 refused [] failed None
    ");
    // A job that vanished is nothing to do.
    let mut pair = Pair::admitted();
    pair.queue = vec![
        instruction(1, InstructionBody::Insert(None)),
        instruction(2, InstructionBody::Delete(JobId::ALL)),
    ];
    pair.master().raise_change();
    pair.run();
    assert_eq!(pair.target.cursor(), cursor(2));
}

#[test]
fn a_certificate_is_renewed_within_the_conversation() {
    let mut pair = Pair::admitted();
    assert!(pair.target.renew(vec![0x30, 0], pair.now));
    assert!(!pair.target.renew(vec![0x30, 0], pair.now));
    assert_eq!(pair.run(), ["master: issue", "target: certificate"]);
    assert!(pair.target.renew(vec![0x30, 0], pair.now));
}

/// A peer that sends what it may not is cut off, and nothing of it reaches the store.
fn check_misconduct(messages: &[ToMaster], expected: &str) {
    let mut pair = Pair::admitted();
    let now = pair.now;
    // The fetch that waits is answered, so that the next one is in its place.
    pair.queue = vec![start(1, 100)];
    pair.master().raise_change();
    pair.step_master();
    pair.step_master();
    let master = pair.master();
    let result = messages
        .iter()
        .try_for_each(|message| master.handle_frame(&message.encode(), now));
    assert_eq!(result.expect_err("refused").to_string(), expected);
    let last = std::iter::from_fn(|| master.poll_event()).last();
    assert!(matches!(last, Some(MasterEvent::Close(_))), "{last:?}");
}

#[test]
fn misconduct() {
    let poll = ToMaster::Poll {
        clock: at(1),
        utc_offset_minutes: 0,
    };
    check_misconduct(
        &vec![poll; limits::OUTBOX_MESSAGES_MAX + 1],
        "more than 64 messages wait for a peer that does not read",
    );
    let fetch = |number| ToMaster::Fetch {
        after: cursor(number),
        max: 1,
        waits: false,
    };
    check_misconduct(&[fetch(8)], "field fetch.after is missing or out of range");
    let honest = ToMaster::Fetch {
        after: Cursor::START,
        max: 1,
        waits: false,
    };
    check_misconduct(
        &[honest.clone(), honest],
        "fetch is out of place while fetching, or taking reports only",
    );
    let reports = ToMaster::Reports(vec![report(1)]);
    check_misconduct(
        &[reports.clone(), reports],
        "reports is out of place while storing reports",
    );
    let (_, hello) = common::to_master().swap_remove(0);
    check_misconduct(&[hello], "hello is out of place while admitted");
}

#[test]
fn admission_control_sends_a_target_away_for_as_long_as_it_says() {
    let now = beginning();
    let mut target = TargetLink::new(config(), state(), now);
    target.handle_timeout(now);
    target.connected(now);
    let refusal = ToTarget::Refusal(Refusal {
        number: numbers::CONVERSATION_FAILED,
        text: "busy".to_owned(),
        retry_after: Duration::from_secs(30),
    });
    target.handle_frame(&refusal.encode(), now).unwrap();
    let wait = target.poll_timeout().unwrap() - now.instant;
    assert!((30..=45).contains(&wait.as_secs()), "{wait:?}");
}
