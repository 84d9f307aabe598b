//! Messages of the fleet conversation.

use super::definition::{document, history, operator, wire_document, wire_history, wire_operator};
use super::{
    addresses, bad, bounded, bytes_of, chain, cursor_of, cut, decode, encode, instant,
    milliseconds, name, offset, optional_text, poll_interval, required, text, uuid_of, wire_cursor,
};
use crate::error::{ProtocolError, Result};
use crate::limits::{
    BACKOFF_ADVICE_MAX, CERTIFICATE_BYTES_MAX, DOWNLOAD_BATCH_ROWS_MAX, LOCATION_UNITS_MAX,
    REFUSALS_PENDING_MAX, REPORT_BATCH_ROWS_MAX, SHORT_TEXT_UNITS_MAX, TEXT_UNITS_MAX,
};
use crate::message::{
    BackoffAdvice, Hello, HelloReply, InstructionText, Instructions, Refusal, ReportRow, Results,
    TargetFacts, ToMaster, ToTarget,
};
use crate::wire;
use model::job::NAME_UNITS_MAX;
use model::{
    Generation, InstanceId, Instruction, InstructionBody, InstructionNumber, JobDocument, JobId,
    ReportPosition, RunId,
};
use prost::Message as _;
use std::time::Duration;

pub(crate) fn encode_to_master(message: &ToMaster) -> Vec<u8> {
    encode(match message {
        ToMaster::Hello(hello) => wire::Body::Hello(wire::Hello {
            version: hello.version,
            instance: bytes_of(hello.instance.0),
            facts: Some(wire_facts(&hello.facts)),
            generation: hello.generation.0,
            cursor: Some(wire_cursor(hello.cursor)),
            reports_acknowledged: hello.reports_acknowledged.0,
            clock_us: hello.clock.as_microsecond(),
            incarnation_seen: hello.incarnation_seen.map(bytes_of),
        }),
        ToMaster::Fetch { after, max, waits } => wire::Body::Fetch(wire::Fetch {
            after: Some(wire_cursor(*after)),
            max: u32::try_from(*max).unwrap_or(u32::MAX),
            waits: *waits,
        }),
        ToMaster::Results(results) => wire::Body::Results(wire::Results {
            cursor: Some(wire_cursor(results.cursor)),
            refused: results.refused.iter().map(wire_instruction_text).collect(),
            failed: results.failed.as_ref().map(wire_instruction_text),
        }),
        ToMaster::Reports(rows) => wire::Body::Reports(wire::Reports {
            rows: rows.iter().map(wire_report).collect(),
        }),
        ToMaster::Poll {
            clock,
            utc_offset_minutes,
        } => wire::Body::Poll(wire::Poll {
            clock_us: clock.as_microsecond(),
            utc_offset_minutes: i32::from(*utc_offset_minutes),
        }),
        ToMaster::Facts(facts) => wire::Body::Facts(wire_facts(facts)),
        ToMaster::Renew { request_der } => wire::Body::Renew(wire::Renew {
            request_der: request_der.clone(),
        }),
        ToMaster::Leave { generation } => wire::Body::Leave(wire::Leave {
            generation: generation.0,
        }),
    })
}

pub(crate) fn decode_to_master(body: &[u8]) -> Result<ToMaster> {
    Ok(match decode(body)? {
        wire::Body::Hello(wire) => ToMaster::Hello(Box::new(Hello {
            version: wire.version,
            instance: InstanceId(uuid_of(&wire.instance, "hello.instance")?),
            facts: facts(required(wire.facts, "hello.facts")?)?,
            generation: Generation(wire.generation),
            cursor: cursor_of(wire.cursor, "hello.cursor")?,
            reports_acknowledged: ReportPosition(wire.reports_acknowledged),
            clock: instant(wire.clock_us, "hello.clock")?,
            incarnation_seen: wire
                .incarnation_seen
                .map(|bytes| uuid_of(&bytes, "hello.incarnation_seen"))
                .transpose()?,
        })),
        wire::Body::Fetch(wire) => ToMaster::Fetch {
            after: cursor_of(wire.after, "fetch.after")?,
            max: usize::try_from(wire.max)
                .ok()
                .filter(|max| (1..=DOWNLOAD_BATCH_ROWS_MAX).contains(max))
                .ok_or(bad("fetch.max"))?,
            waits: wire.waits,
        },
        wire::Body::Results(wire) => {
            if wire.refused.len() > REFUSALS_PENDING_MAX {
                return Err(bad("results.refused"));
            }
            let cursor = cursor_of(wire.cursor, "results.cursor")?;
            let refused: Vec<_> = wire
                .refused
                .into_iter()
                .map(instruction_text)
                .collect::<Result<_>>()?;
            let failed = wire.failed.map(instruction_text).transpose()?;
            if refused.iter().any(|r| r.instruction.number > cursor.number) {
                return Err(bad("results.refused"));
            }
            if failed
                .as_ref()
                .is_some_and(|failed| failed.instruction.number <= cursor.number)
            {
                return Err(bad("results.failed"));
            }
            ToMaster::Results(Results {
                cursor,
                refused,
                failed,
            })
        }
        wire::Body::Reports(wire) => ToMaster::Reports(reports(wire)?),
        wire::Body::Poll(wire) => ToMaster::Poll {
            clock: instant(wire.clock_us, "poll.clock")?,
            utc_offset_minutes: offset(wire.utc_offset_minutes, "poll.utc_offset_minutes")?,
        },
        wire::Body::Facts(wire) => ToMaster::Facts(facts(wire)?),
        wire::Body::Renew(wire) => ToMaster::Renew {
            request_der: bounded(wire.request_der, CERTIFICATE_BYTES_MAX, "renew.request_der")?,
        },
        wire::Body::Leave(wire) => ToMaster::Leave {
            generation: Generation(wire.generation),
        },
        wire::Body::HelloReply(_)
        | wire::Body::Refusal(_)
        | wire::Body::ChangeNotice(_)
        | wire::Body::Instructions(_)
        | wire::Body::ResultsAck(_)
        | wire::Body::ReportAck(_)
        | wire::Body::PollReply(_)
        | wire::Body::Defected(_)
        | wire::Body::Renewed(_)
        | wire::Body::EnlistRequest(_)
        | wire::Body::EnlistReply(_) => return Err(ProtocolError::UnknownMessage),
    })
}

pub(crate) fn encode_to_target(message: &ToTarget) -> Vec<u8> {
    encode(match message {
        ToTarget::HelloReply(reply) => wire::Body::HelloReply(wire::HelloReply {
            version: reply.version,
            master: bytes_of(reply.master.0),
            incarnation: bytes_of(reply.incarnation),
            poll_interval_secs: reply.poll_interval_secs,
            reports_durable: reply.reports_durable.0,
            backoff_base_ms: milliseconds(reply.backoff.base),
            backoff_max_ms: milliseconds(reply.backoff.max),
            clock_us: reply.clock.as_microsecond(),
            generation: reply.generation.0,
            reports_only: reply.reports_only.as_ref().map(wire_refusal),
            addresses: reply.addresses.clone(),
        }),
        ToTarget::Refusal(refusal) => wire::Body::Refusal(wire_refusal(refusal)),
        ToTarget::ChangeNotice { sequence } => wire::Body::ChangeNotice(wire::ChangeNotice {
            sequence: *sequence,
        }),
        ToTarget::Instructions(instructions) => wire::Body::Instructions(wire::Instructions {
            generation: instructions.generation.0,
            list: instructions.list.iter().map(wire_instruction).collect(),
            more: instructions.more,
            sequence: instructions.sequence,
            clock_us: instructions.clock.as_microsecond(),
        }),
        ToTarget::ResultsAck { through } => {
            wire::Body::ResultsAck(wire::ResultsAck { through: through.0 })
        }
        ToTarget::ReportAck { through } => {
            wire::Body::ReportAck(wire::ReportAck { through: through.0 })
        }
        ToTarget::PollReply { sequence, clock } => wire::Body::PollReply(wire::PollReply {
            sequence: *sequence,
            clock_us: clock.as_microsecond(),
        }),
        ToTarget::Defected { text } => wire::Body::Defected(wire::Defected {
            text: cut(text, TEXT_UNITS_MAX),
        }),
        ToTarget::Renewed(Ok(chain)) => wire::Body::Renewed(wire::Renewed {
            chain_der: chain.clone(),
            refusal: None,
        }),
        ToTarget::Renewed(Err(refusal)) => wire::Body::Renewed(wire::Renewed {
            chain_der: Vec::new(),
            refusal: Some(wire_refusal(refusal)),
        }),
    })
}

pub(crate) fn decode_to_target(body: &[u8]) -> Result<ToTarget> {
    Ok(match decode(body)? {
        wire::Body::HelloReply(wire) => ToTarget::HelloReply(Box::new(HelloReply {
            version: wire.version,
            master: InstanceId(uuid_of(&wire.master, "hello_reply.master")?),
            incarnation: uuid_of(&wire.incarnation, "hello_reply.incarnation")?,
            poll_interval_secs: poll_interval(
                wire.poll_interval_secs,
                "hello_reply.poll_interval_secs",
            )?,
            reports_durable: ReportPosition(wire.reports_durable),
            backoff: BackoffAdvice {
                base: advice(wire.backoff_base_ms),
                max: advice(wire.backoff_max_ms),
            },
            clock: instant(wire.clock_us, "hello_reply.clock")?,
            generation: Generation(wire.generation),
            reports_only: wire.reports_only.map(refusal).transpose()?,
            addresses: addresses(wire.addresses, "hello_reply.addresses")?,
        })),
        wire::Body::Refusal(wire) => ToTarget::Refusal(refusal(wire)?),
        wire::Body::ChangeNotice(wire) => ToTarget::ChangeNotice {
            sequence: wire.sequence,
        },
        wire::Body::Instructions(wire) => ToTarget::Instructions(instructions(wire)?),
        wire::Body::ResultsAck(wire) => ToTarget::ResultsAck {
            through: InstructionNumber(wire.through),
        },
        wire::Body::ReportAck(wire) => ToTarget::ReportAck {
            through: ReportPosition(wire.through),
        },
        wire::Body::PollReply(wire) => ToTarget::PollReply {
            sequence: wire.sequence,
            clock: instant(wire.clock_us, "poll_reply.clock")?,
        },
        wire::Body::Defected(wire) => ToTarget::Defected {
            text: text(wire.text, TEXT_UNITS_MAX, "defected.text")?,
        },
        wire::Body::Renewed(wire) => ToTarget::Renewed(match wire.refusal {
            Some(wire) => Err(refusal(wire)?),
            None => Ok(chain(wire.chain_der, "renewed.chain_der")?),
        }),
        wire::Body::Hello(_)
        | wire::Body::Fetch(_)
        | wire::Body::Results(_)
        | wire::Body::Reports(_)
        | wire::Body::Poll(_)
        | wire::Body::Facts(_)
        | wire::Body::Renew(_)
        | wire::Body::Leave(_)
        | wire::Body::EnlistRequest(_)
        | wire::Body::EnlistReply(_) => return Err(ProtocolError::UnknownMessage),
    })
}

fn advice(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds).min(BACKOFF_ADVICE_MAX)
}

pub(super) fn wire_facts(facts: &TargetFacts) -> wire::Facts {
    wire::Facts {
        name: facts.name.clone(),
        location: facts.location.clone(),
        utc_offset_minutes: i32::from(facts.utc_offset_minutes),
        program_version: facts.program_version.clone(),
    }
}

pub(super) fn facts(wire: wire::Facts) -> Result<TargetFacts> {
    Ok(TargetFacts {
        name: name(wire.name, NAME_UNITS_MAX, "facts.name")?,
        location: optional_text(wire.location, LOCATION_UNITS_MAX, "facts.location")?,
        utc_offset_minutes: offset(wire.utc_offset_minutes, "facts.utc_offset_minutes")?,
        program_version: text(
            wire.program_version,
            SHORT_TEXT_UNITS_MAX,
            "facts.program_version",
        )?,
    })
}

pub(super) fn wire_refusal(refusal: &Refusal) -> wire::Refusal {
    wire::Refusal {
        number: refusal.number,
        text: cut(&refusal.text, TEXT_UNITS_MAX),
        retry_after_ms: milliseconds(refusal.retry_after),
    }
}

pub(super) fn refusal(wire: wire::Refusal) -> Result<Refusal> {
    Ok(Refusal {
        number: wire.number,
        text: text(wire.text, TEXT_UNITS_MAX, "refusal.text")?,
        retry_after: advice(wire.retry_after_ms),
    })
}

fn wire_instruction_text(entry: &InstructionText) -> wire::InstructionText {
    wire::InstructionText {
        instruction: Some(wire_cursor(entry.instruction)),
        text: cut(&entry.text, TEXT_UNITS_MAX),
    }
}

fn instruction_text(wire: wire::InstructionText) -> Result<InstructionText> {
    Ok(InstructionText {
        instruction: cursor_of(wire.instruction, "instruction_text.instruction")?,
        text: text(wire.text, TEXT_UNITS_MAX, "instruction_text.text")?,
    })
}

fn wire_report(report: &ReportRow) -> wire::ReportRow {
    wire::ReportRow {
        position: report.position.0,
        history: Some(wire_history(&report.row)),
    }
}

/// Bytes that a row adds to a message, about.
pub(crate) fn encoded_report_len(report: &ReportRow) -> usize {
    // Strings make the size; the other fields stay below the allowance.
    const OTHER_FIELDS: usize = 160;
    let row = &report.row;
    row.step_name.len()
        + row.message.len()
        + row.server.len()
        + row.output.as_ref().map_or(0, String::len)
        + OTHER_FIELDS
}

fn reports(wire: wire::Reports) -> Result<Vec<ReportRow>> {
    if wire.rows.is_empty() || wire.rows.len() > REPORT_BATCH_ROWS_MAX {
        return Err(bad("reports.rows"));
    }
    let mut last = 0;
    wire.rows
        .into_iter()
        .map(|row| {
            if row.position <= last {
                return Err(bad("report_row.position"));
            }
            last = row.position;
            Ok(ReportRow {
                position: ReportPosition(row.position),
                row: history(required(row.history, "report_row.history")?)?,
            })
        })
        .collect()
}

/// Bytes that an instruction adds to a message.
///
/// # Errors
/// A field that a target would not take.
pub(crate) fn check_instruction(own: &Instruction) -> Result<usize> {
    let wire = wire_instruction(own);
    let length = wire.encoded_len();
    instruction(wire).map(|_| length)
}

fn wire_instruction(instruction: &Instruction) -> wire::Instruction {
    let maybe = |document: &Option<Box<JobDocument>>| wire::MaybeJob {
        document: document.as_deref().map(wire_document),
    };
    let body = match &instruction.body {
        InstructionBody::Insert(document) => wire::InstructionBody::Insert(maybe(document)),
        InstructionBody::Update(document) => wire::InstructionBody::Update(maybe(document)),
        InstructionBody::Delete(job) => wire::InstructionBody::Delete(wire::JobRef {
            job: bytes_of(job.0),
        }),
        InstructionBody::Start {
            job,
            run,
            login,
            step_name,
        } => wire::InstructionBody::Start(wire::Start {
            job: bytes_of(job.0),
            run: bytes_of(run.0),
            login: login.clone(),
            step_name: step_name.clone(),
        }),
        InstructionBody::Stop { job, login } => wire::InstructionBody::Stop(wire::Stop {
            job: bytes_of(job.0),
            login: login.clone(),
        }),
        InstructionBody::ReEnlist { operator } => wire::InstructionBody::ReEnlist(wire::ReEnlist {
            operator: operator.as_deref().map(wire_operator),
        }),
        InstructionBody::Defect => wire::InstructionBody::Defect(wire::Empty {}),
        InstructionBody::SyncTime => wire::InstructionBody::SyncTime(wire::Empty {}),
        InstructionBody::SetPoll(interval_secs) => wire::InstructionBody::SetPoll(wire::SetPoll {
            interval_secs: *interval_secs,
        }),
    };
    wire::Instruction {
        number: instruction.number.0,
        uid: bytes_of(instruction.uid),
        body: Some(body),
    }
}

fn instructions(wire: wire::Instructions) -> Result<Instructions> {
    if wire.list.len() > DOWNLOAD_BATCH_ROWS_MAX {
        return Err(bad("instructions.list"));
    }
    let mut last = 0;
    let list = wire
        .list
        .into_iter()
        .map(|wire| {
            if wire.number <= last {
                return Err(bad("instruction.number"));
            }
            last = wire.number;
            instruction(wire)
        })
        .collect::<Result<_>>()?;
    Ok(Instructions {
        generation: Generation(wire.generation),
        list,
        more: wire.more,
        sequence: wire.sequence,
        clock: instant(wire.clock_us, "instructions.clock")?,
    })
}

fn instruction(wire: wire::Instruction) -> Result<Instruction> {
    let maybe = |wire: wire::MaybeJob| -> Result<Option<Box<JobDocument>>> {
        Ok(wire.document.map(document).transpose()?.map(Box::new))
    };
    let login = |login, field| text(login, SHORT_TEXT_UNITS_MAX, field);
    let body = match required(wire.body, "instruction.body")? {
        wire::InstructionBody::Insert(wire) => InstructionBody::Insert(maybe(wire)?),
        wire::InstructionBody::Update(wire) => InstructionBody::Update(maybe(wire)?),
        wire::InstructionBody::Delete(wire) => {
            InstructionBody::Delete(JobId(uuid_of(&wire.job, "delete.job")?))
        }
        wire::InstructionBody::Start(wire) => InstructionBody::Start {
            job: JobId(uuid_of(&wire.job, "start.job")?),
            run: RunId(uuid_of(&wire.run, "start.run")?),
            login: login(wire.login, "start.login")?,
            step_name: optional_text(wire.step_name, NAME_UNITS_MAX, "start.step_name")?,
        },
        wire::InstructionBody::Stop(wire) => InstructionBody::Stop {
            job: JobId(uuid_of(&wire.job, "stop.job")?),
            login: login(wire.login, "stop.login")?,
        },
        wire::InstructionBody::ReEnlist(wire) => InstructionBody::ReEnlist {
            operator: wire.operator.map(operator).transpose()?.map(Box::new),
        },
        wire::InstructionBody::Defect(wire::Empty {}) => InstructionBody::Defect,
        wire::InstructionBody::SyncTime(wire::Empty {}) => InstructionBody::SyncTime,
        wire::InstructionBody::SetPoll(wire) => {
            InstructionBody::SetPoll(poll_interval(wire.interval_secs, "set_poll.interval_secs")?)
        }
    };
    Ok(Instruction {
        number: InstructionNumber(wire.number),
        uid: uuid_of(&wire.uid, "instruction.uid")?,
        body,
    })
}
