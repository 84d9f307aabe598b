//! Every message survives the wire, and nothing on the wire can do harm.

mod common;

use common::{document, history_row, instruction};
use fleet::message::{
    EnlistRequest, Instructions, ReportRow, ToMaster, ToTarget, decode_enlist_answer,
    encode_enlist_answer,
};
use fleet::{FrameReader, ProtocolError, encode_frames, limits};
use model::{Generation, InstructionBody, ReportPosition};
use proptest::prelude::*;

#[test]
fn every_message_comes_back() {
    for (name, message) in common::to_master() {
        assert_eq!(ToMaster::decode(&message.encode()), Ok(message), "{name}");
    }
    for (name, message) in common::to_target() {
        assert_eq!(ToTarget::decode(&message.encode()), Ok(message), "{name}");
    }
    for (name, request) in common::enlist_requests() {
        assert_eq!(
            EnlistRequest::decode(&request.encode()),
            Ok(request),
            "{name}"
        );
    }
    for (name, answer) in common::enlist_answers() {
        let body = encode_enlist_answer(&answer);
        assert_eq!(decode_enlist_answer(&body), Ok(answer), "{name}");
    }
}

#[test]
fn messages_of_the_other_end_are_refused() {
    for (name, message) in common::to_master() {
        let body = message.encode();
        assert_eq!(
            ToTarget::decode(&body),
            Err(ProtocolError::UnknownMessage),
            "{name}"
        );
        assert!(decode_enlist_answer(&body).is_err(), "{name}");
    }
    for (name, message) in common::to_target() {
        let refused = ToMaster::decode(&message.encode());
        assert_eq!(refused, Err(ProtocolError::UnknownMessage), "{name}");
    }
    assert_eq!(ToMaster::decode(&[]), Err(ProtocolError::UnknownMessage));
}

#[test]
fn debug_shows_no_secret() {
    for (_, request) in common::enlist_requests() {
        let shown = format!("{request:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("secret:"),
            "{shown}"
        );
    }
}

/// Sends a changed message; says what the other end makes of it.
fn refusal_of(change: impl FnOnce(&mut Instructions)) -> String {
    let mut instructions = Instructions {
        generation: Generation(1),
        list: vec![
            instruction(1, InstructionBody::Insert(Some(Box::new(document())))),
            instruction(2, InstructionBody::SyncTime),
        ],
        more: false,
        sequence: 0,
        clock: common::at(0),
    };
    change(&mut instructions);
    match ToTarget::decode(&ToTarget::Instructions(instructions).encode()) {
        Ok(_) => "taken".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn change_document(change: impl FnOnce(&mut model::JobDocument)) -> String {
    refusal_of(|instructions| {
        let mut changed = document();
        change(&mut changed);
        instructions.list[0].body = InstructionBody::Insert(Some(Box::new(changed)));
    })
}

#[test]
fn fields_out_of_range_are_named() {
    let shown = [
        refusal_of(|_| {}),
        refusal_of(|i| i.list.swap(0, 1)),
        refusal_of(|i| i.list[1].number = i.list[0].number),
        refusal_of(|i| i.list[1].body = InstructionBody::SetPoll(9)),
        refusal_of(|i| i.list[1].body = InstructionBody::SetPoll(28_801)),
        change_document(|d| d.job.name = " ".to_owned()),
        change_document(|d| d.job.name = "ä".repeat(128)),
        change_document(|d| d.job.name = "ä".repeat(129)),
        change_document(|d| d.job.owner_sid = vec![0; 86]),
        change_document(|d| d.steps[1].step_id = 7),
        change_document(|d| d.steps[0].command = Some("x".repeat(4 * 1024 * 1024 + 1))),
        change_document(|d| d.schedules[1].frequency = model::Frequency::Daily { every_days: 0 }),
        change_document(|d| d.schedules[1].subday = model::Subday::Hours(-1)),
    ]
    .join("\n");
    insta::assert_snapshot!(shown, @r"
    taken
    field instruction.number is missing or out of range
    field instruction.number is missing or out of range
    field set_poll.interval_secs is missing or out of range
    field set_poll.interval_secs is missing or out of range
    field job.name is missing or out of range
    taken
    field job.name is missing or out of range
    field job.owner_sid is missing or out of range
    field job_step.step_id is missing or out of range
    field job_step.command is missing or out of range
    field schedule.interval is missing or out of range
    field schedule.subday_interval is missing or out of range
    ");
}

/// A row that breaks a bound is cut, so that the master takes it and what comes after it.
#[test]
fn long_report_rows_are_cut_not_refused() {
    let mut row = history_row(0);
    row.message = "🚀".repeat(2_001);
    row.output = Some("é".repeat(limits::REPORT_OUTPUT_BYTES_MAX));
    let sent = ToMaster::Reports(vec![ReportRow {
        position: ReportPosition(1),
        row,
    }]);
    let Ok(ToMaster::Reports(rows)) = ToMaster::decode(&sent.encode()) else {
        panic!("not taken")
    };
    assert_eq!(rows[0].row.message.encode_utf16().count(), 4_000);
    let output = rows[0].row.output.as_deref().unwrap();
    assert!(output.len() <= limits::REPORT_OUTPUT_BYTES_MAX);
    assert!(output.ends_with("[the rest of the output was not sent to the master]"));
}

#[test]
fn a_large_job_travels_in_several_frames() {
    let mut large = document();
    large.steps[0].command = Some("x".repeat(3 * 1024 * 1024));
    let message = ToTarget::Instructions(Instructions {
        generation: Generation(1),
        list: vec![instruction(
            1,
            InstructionBody::Insert(Some(Box::new(large))),
        )],
        more: false,
        sequence: 0,
        clock: common::at(0),
    });
    let bytes = encode_frames(&message.encode());
    let mut reader = FrameReader::new(limits::MASTER_MESSAGE_BYTES_MAX);
    let mut taken = None;
    for mut chunk in bytes.chunks(10_000) {
        if let Some(body) = reader.read(&mut chunk).unwrap() {
            taken = Some(body);
        }
    }
    assert_eq!(ToTarget::decode(&taken.unwrap()), Ok(message));
}

fn all_bodies() -> Vec<Vec<u8>> {
    let to_master = common::to_master().into_iter().map(|(_, m)| m.encode());
    let to_target = common::to_target().into_iter().map(|(_, m)| m.encode());
    let requests = common::enlist_requests()
        .into_iter()
        .map(|(_, m)| m.encode());
    let answers = common::enlist_answers()
        .into_iter()
        .map(|(_, m)| encode_enlist_answer(&m));
    to_master
        .chain(to_target)
        .chain(requests)
        .chain(answers)
        .collect()
}

fn decode_everything(body: &[u8]) {
    // What decodes must encode to something that decodes to the same.
    if let Ok(message) = ToMaster::decode(body) {
        assert_eq!(ToMaster::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = ToTarget::decode(body) {
        assert_eq!(ToTarget::decode(&message.encode()), Ok(message));
    }
    if let Ok(request) = EnlistRequest::decode(body) {
        assert_eq!(EnlistRequest::decode(&request.encode()), Ok(request));
    }
    if let Ok(answer) = decode_enlist_answer(body) {
        assert_eq!(
            decode_enlist_answer(&encode_enlist_answer(&answer)),
            Ok(answer)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..400)) {
        decode_everything(&body);
    }

    #[test]
    fn damaged_messages_never_panic(which in any::<prop::sample::Index>(), places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>()) {
        let bodies = all_bodies();
        let mut body = bodies[which.index(bodies.len())].clone();
        for (place, byte) in places {
            let place = place.index(body.len());
            body[place] = byte;
        }
        decode_everything(&body);
        body.truncate(cut.index(body.len()));
        decode_everything(&body);
    }
}
