//! The enlist conversation: one request, one answer, over a connection without a client certificate.

use crate::error::{ProtocolError, Result};
use crate::frame::encode_frames;
use crate::limits::{HELLO_BYTES_MAX, HELLO_TIMEOUT, REPLY_TIMEOUT};
use crate::message::{
    EnlistAnswer, EnlistRequest, Moment, Refusal, decode_enlist_answer, encode_enlist_answer,
};
use crate::numbers;
use crate::version::judge_version;
use model::InstanceId;
use std::time::{Duration, Instant};

/// The target's end. Send what [`poll_transmit`](Self::poll_transmit) gives, then feed frames until the answer is there.
#[derive(Debug)]
pub struct EnlistCall {
    request: Option<Vec<u8>>,
    deadline: Instant,
}

impl EnlistCall {
    /// A conversation on a connection that stands.
    #[must_use]
    pub fn new(request: &EnlistRequest, now: Moment) -> Self {
        Self {
            request: Some(encode_frames(&request.encode())),
            deadline: now.instant + REPLY_TIMEOUT,
        }
    }

    /// Longest message the master may send.
    #[must_use]
    pub const fn message_bytes_max(&self) -> usize {
        HELLO_BYTES_MAX * 2
    }

    /// What to send, as frames, once.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.request.take()
    }

    /// When to give up.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Takes the master's answer. The connection is then done with.
    ///
    /// # Errors
    /// The master broke the protocol.
    pub fn handle_frame(&mut self, body: &[u8]) -> Result<EnlistAnswer> {
        decode_enlist_answer(body)
    }
}

/// The master's end. Feed the first frame, decide, send the answer, close.
#[derive(Debug)]
pub struct EnlistDesk {
    deadline: Instant,
    asked: bool,
}

/// What the master knows of itself, read in the transaction that enlists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskFacts {
    /// This instance.
    pub master: InstanceId,
    /// Newest protocol served.
    pub version: u32,
    /// Whether an operator named MSXOperator exists.
    pub ready: bool,
    /// Name of the master this instance is itself enlisted at, when it is a target.
    pub enlisted_at: Option<String>,
}

impl EnlistDesk {
    /// A desk for a connection that was just accepted.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Self {
            deadline: now.instant + HELLO_TIMEOUT,
            asked: false,
        }
    }

    /// Longest message the target may send.
    #[must_use]
    pub const fn message_bytes_max(&self) -> usize {
        HELLO_BYTES_MAX
    }

    /// When the target has taken too long to ask.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Takes the target's request: check the proof, then the rules ([`judge_request`]) and the name against
    /// the other targets ([`name_taken`]), then write the target and sign its key.
    ///
    /// # Errors
    /// The target broke the protocol.
    pub fn handle_frame(&mut self, body: &[u8]) -> Result<EnlistRequest> {
        if std::mem::replace(&mut self.asked, true) {
            return Err(ProtocolError::Unexpected {
                message: "a second request",
                state: "answering the first",
            });
        }
        EnlistRequest::decode(body)
    }

    /// The answer, as frames.
    #[must_use]
    pub fn answer(&self, answer: &EnlistAnswer) -> Vec<u8> {
        encode_frames(&encode_enlist_answer(answer))
    }
}

/// The rules of enlisting that need no catalog, in SQL Server's order: itself, role, readiness, versions,
/// name.
///
/// # Errors
/// 14297, 14296, 14299, 14363, 14541, 14306, 14271.
pub fn judge_request(
    request: &EnlistRequest,
    facts: &DeskFacts,
) -> std::result::Result<(), Refusal> {
    let name = &request.facts.name;
    if request.instance == facts.master {
        return Err(refusal(
            numbers::SELF_ENLIST,
            format!("The server '{name}' cannot enlist at itself."),
        ));
    }
    if request.enlisted_at.is_some_and(|at| at != facts.master) {
        return Err(refusal(
            numbers::ENLISTED_ELSEWHERE,
            format!(
                "The server '{name}' is enlisted at another master server; it has to defect first."
            ),
        ));
    }
    if let Some(master) = &facts.enlisted_at {
        return Err(refusal(
            numbers::IS_A_MASTER,
            format!("The server is a target of '{master}' and cannot be a master server as well."),
        ));
    }
    if !facts.ready {
        return Err(refusal(
            numbers::MASTER_NOT_READY,
            "The server is not a master server yet: it has no operator named MSXOperator."
                .to_owned(),
        ));
    }
    judge_version(request.version, facts.version)?;
    if !is_name_usable(name) {
        return Err(refusal(
            numbers::NAME_NOT_ALLOWED,
            format!("'{name}' cannot be the name of a target server."),
        ));
    }
    Ok(())
}

/// The refusal for a name that another instance has.
#[must_use]
pub fn name_taken(name: &str) -> Refusal {
    refusal(
        numbers::NAME_TAKEN,
        format!(
            "Another instance is enlisted as '{name}'. Delete that target server first, or enlist under another name."
        ),
    )
}

/// Names that mean something else in msdb procedures are not usable, nor are ones with control characters.
fn is_name_usable(name: &str) -> bool {
    const RESERVED: [&str; 4] = ["ALL", "(LOCAL)", ".", "LOCALHOST"];
    let reserved = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    !reserved && name.trim() == name && !name.chars().any(char::is_control)
}

const fn refusal(number: i32, text: String) -> Refusal {
    Refusal {
        number,
        text,
        retry_after: Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Proof, TargetFacts};
    use uuid::Uuid;

    const MASTER: InstanceId = InstanceId(Uuid::from_u128(9));

    fn request() -> EnlistRequest {
        EnlistRequest {
            version: 1,
            proof: Proof::Token {
                id: "t".to_owned(),
                secret: vec![1],
            },
            instance: InstanceId(Uuid::from_u128(1)),
            facts: TargetFacts {
                name: "EDGE1".to_owned(),
                location: None,
                utc_offset_minutes: 0,
                program_version: "0.1.0".to_owned(),
            },
            request_der: vec![0x30, 0],
            previous_generation: None,
            enlisted_at: None,
            requested_by: "sa".to_owned(),
        }
    }

    fn facts() -> DeskFacts {
        DeskFacts {
            master: MASTER,
            version: 1,
            ready: true,
            enlisted_at: None,
        }
    }

    fn check(
        change: impl FnOnce(&mut EnlistRequest, &mut DeskFacts),
        number: std::result::Result<(), i32>,
    ) {
        let (mut request, mut facts) = (request(), facts());
        change(&mut request, &mut facts);
        let judged = judge_request(&request, &facts).map_err(|refusal| refusal.number);
        assert_eq!(judged, number, "{request:?}");
    }

    #[test]
    fn rules() {
        check(|_, _| {}, Ok(()));
        check(|r, _| r.instance = MASTER, Err(14_297));
        check(|_, f| f.enlisted_at = Some("TOP".to_owned()), Err(14_299));
        check(|_, f| f.ready = false, Err(14_363));
        check(|r, _| r.version = 2, Err(14_541));
        check(|_, f| f.version = 4, Err(14_306));
        for name in [
            "ALL",
            "all",
            "(local)",
            ".",
            "localhost",
            " EDGE",
            "A\u{7}B",
        ] {
            check(|r, _| r.facts.name = name.to_owned(), Err(14_271));
        }
        // Itself comes first, whatever else is wrong.
        check(
            |r, f| {
                r.instance = MASTER;
                r.version = 9;
                f.ready = false;
            },
            Err(14_297),
        );
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "any instant will do to count from"
    )]
    fn one_request_one_answer() {
        let now = Moment {
            instant: Instant::now(),
            wall: jiff::Timestamp::UNIX_EPOCH,
            utc_offset_minutes: 0,
        };
        let mut call = EnlistCall::new(&request(), now);
        let mut desk = EnlistDesk::new(now);
        let frame = call.poll_transmit().expect("the request");
        assert_eq!(call.poll_transmit(), None);
        let body = crate::FrameReader::new(desk.message_bytes_max())
            .read(&mut frame.as_slice())
            .expect("a frame")
            .expect("whole");
        assert_eq!(desk.handle_frame(&body), Ok(request()));
        assert!(desk.handle_frame(&body).is_err());
        let answer = desk.answer(&Err(name_taken("EDGE1")));
        let body = crate::FrameReader::new(call.message_bytes_max())
            .read(&mut answer.as_slice())
            .expect("a frame")
            .expect("whole");
        let refused = call.handle_frame(&body).expect("an answer").unwrap_err();
        assert_eq!(refused.number, numbers::NAME_TAKEN);
    }
}
