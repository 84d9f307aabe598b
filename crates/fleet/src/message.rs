//! What the two ends say to each other, in Muster's own types.
//!
//! [`ToMaster`], [`ToTarget`] and the enlistment's messages are what machines and shells see;
//! `wire` and `convert` keep how they travel to themselves.

use crate::convert;
use crate::error::Result;
use jiff::Timestamp;
use model::{
    Cursor, Generation, HistoryRow, InstanceId, Instruction, InstructionNumber, Operator,
    ReportPosition,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// ALPN name of the fleet conversation. Client certificate required.
pub const ALPN_FLEET: &[u8] = b"muster/1";
/// ALPN name of the enlist conversation. No client certificate.
pub const ALPN_ENLIST: &[u8] = b"muster-enlist/1";

/// Now, as the shell's clocks have it: one that never goes back, and the wall's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// For time-outs and waits.
    pub instant: Instant,
    /// For peers' eyes alone; no decision rests on it.
    pub wall: Timestamp,
    /// Minutes east of UTC here, now.
    pub utc_offset_minutes: i16,
}

/// What a target says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Name of the instance.
    pub name: String,
    /// Free text.
    pub location: Option<String>,
    /// Minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// Version of its program, for people.
    pub program_version: String,
}

/// Opens the fleet conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Protocol the target speaks.
    pub version: u32,
    /// Its instance; the certificate must say the same.
    pub instance: InstanceId,
    /// About itself.
    pub facts: TargetFacts,
    /// Its enlistment.
    pub generation: Generation,
    /// The last instruction it carried out.
    pub cursor: Cursor,
    /// Highest report the master acknowledged to it.
    pub reports_acknowledged: ReportPosition,
    /// Its wall clock.
    pub clock: Timestamp,
    /// Incarnation of the master it last spoke with.
    pub incarnation_seen: Option<Uuid>,
}

/// Answers a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloReply {
    /// Protocol both speak from now on: the target's.
    pub version: u32,
    /// The master's instance.
    pub master: InstanceId,
    /// Changes when the master is restored.
    pub incarnation: Uuid,
    /// Longest silence, in seconds.
    pub poll_interval_secs: u32,
    /// Highest report of this target that is durable here.
    pub reports_durable: ReportPosition,
    /// How to wait when the connection breaks.
    pub backoff: BackoffAdvice,
    /// The master's wall clock.
    pub clock: Timestamp,
    /// The enlistment the master knows.
    pub generation: Generation,
    /// Set where the master takes reports and gives no instructions: the target has to enlist anew.
    pub reports_only: Option<Refusal>,
    /// `host,port` of every process that serves this master.
    pub addresses: Vec<String>,
}

/// How a target waits before it connects again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffAdvice {
    /// Upper bound of the first wait; each further one doubles it.
    pub base: Duration,
    /// Upper bound of every wait.
    pub max: Duration,
}

/// Why a peer is not served, in a form a DBA can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} (error {number})")]
pub struct Refusal {
    /// SQL Server's number, see [`numbers`](crate::numbers).
    pub number: i32,
    /// For the peer's eyes; never holds secrets.
    pub text: String,
    /// How long the peer should wait before it tries again; zero leaves it to its own backoff.
    pub retry_after: Duration,
}

/// An instruction that wasn't carried out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionText {
    /// Which.
    pub instruction: Cursor,
    /// Why.
    pub text: String,
}

/// How far a target came with its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Everything up to here is done and durable on the target.
    pub cursor: Cursor,
    /// STARTs, STOPs and clock settings that were refused; they don't block.
    pub refused: Vec<InstructionText>,
    /// The definition that failed, past the cursor; it blocks the queue.
    pub failed: Option<InstructionText>,
}

/// A row for the master and its place in the target's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Place, ascending; gaps are fine.
    pub position: ReportPosition,
    /// The row.
    pub row: HistoryRow,
}

/// What a target says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToMaster {
    /// Opens the conversation.
    Hello(Box<Hello>),
    /// Asks for what comes after the cursor.
    Fetch {
        /// The last instruction carried out.
        after: Cursor,
        /// At most so many.
        max: usize,
        /// Whether the answer may wait until there is something to give: the next instruction then
        /// arrives without a notice and a question before it.
        waits: bool,
    },
    /// Says how far it came.
    Results(Results),
    /// Rows in order of their positions, at least one.
    Reports(Vec<ReportRow>),
    /// Breaks the silence.
    Poll {
        /// Its wall clock.
        clock: Timestamp,
        /// Minutes east of UTC there.
        utc_offset_minutes: i16,
    },
    /// Facts that changed, or that RE-ENLIST asked for.
    Facts(TargetFacts),
    /// Asks for a new certificate.
    Renew {
        /// PKCS#10, DER.
        request_der: Vec<u8>,
    },
    /// Leaves the master.
    Leave {
        /// The enlistment that ends.
        generation: Generation,
    },
}

/// What the master says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToTarget {
    /// Admits.
    HelloReply(Box<HelloReply>),
    /// Ends the conversation.
    Refusal(Refusal),
    /// Something changed for this target, and no fetch of it waits for an answer.
    ChangeNotice {
        /// Grows within one connection.
        sequence: u64,
    },
    /// Answers a fetch.
    Instructions(Instructions),
    /// Refused instructions up to here are durable on the master.
    ResultsAck {
        /// Number.
        through: InstructionNumber,
    },
    /// Reports up to here are durable on the master.
    ReportAck {
        /// Position.
        through: ReportPosition,
    },
    /// Answers a poll.
    PollReply {
        /// Change sequence as it stands.
        sequence: u64,
        /// The master's wall clock.
        clock: Timestamp,
    },
    /// The target is enlisted here no more; it has to leave.
    Defected {
        /// Why, for its log.
        text: String,
    },
    /// Answers a request for a certificate.
    Renewed(std::result::Result<Vec<Vec<u8>>, Refusal>),
}

/// A part of a target's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    /// The enlistment they belong to.
    pub generation: Generation,
    /// In order of their numbers.
    pub list: Vec<Instruction>,
    /// Whether more wait.
    pub more: bool,
    /// Every change up to this sequence is in the answer.
    pub sequence: u64,
    /// The master's wall clock, for SYNC-TIME.
    pub clock: Timestamp,
}

/// How a target proves that it may enlist. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A one-time token.
    Token {
        /// Its public half.
        id: String,
        /// Its secret half.
        secret: Vec<u8>,
    },
    /// A login of the master that may enlist targets.
    Login {
        /// Name.
        login: String,
        /// Clear password; the channel is TLS.
        password: String,
    },
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { id, .. } => f
                .debug_struct("Token")
                .field("id", id)
                .finish_non_exhaustive(),
            Self::Login { login, .. } => f
                .debug_struct("Login")
                .field("login", login)
                .finish_non_exhaustive(),
        }
    }
}

/// Asks for membership.
///
/// A target that got no answer asks again with the same proof, instance and key; the master then gives the
/// same membership again, also for a token of one use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnlistRequest {
    /// Protocol the target speaks.
    pub version: u32,
    /// Why it may.
    pub proof: Proof,
    /// Its instance.
    pub instance: InstanceId,
    /// About itself.
    pub facts: TargetFacts,
    /// PKCS#10, DER: the key it will use.
    pub request_der: Vec<u8>,
    /// The last generation it had, here or elsewhere: what is given out now lies above it, also at a master
    /// that was restored from an older copy and has forgotten it.
    pub previous_generation: Option<Generation>,
    /// The master it is enlisted at, by instance: another master refuses with 14296, however it is spelled.
    pub enlisted_at: Option<InstanceId>,
    /// Who ran the enlistment on the target.
    pub requested_by: String,
}

/// Gives membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnlistReply {
    /// Protocol the master speaks.
    pub version: u32,
    /// Name of the master.
    pub master_name: String,
    /// Its instance.
    pub master: InstanceId,
    /// Its incarnation.
    pub incarnation: Uuid,
    /// This enlistment.
    pub generation: Generation,
    /// The target's certificate first, then what signs it; DER.
    pub chain_der: Vec<Vec<u8>>,
    /// The master's authority, to be pinned; DER.
    pub ca_der: Vec<u8>,
    /// MSXOperator.
    pub operator: Option<Operator>,
    /// Longest silence, in seconds.
    pub poll_interval_secs: u32,
    /// `host,port` of every process that serves this master.
    pub addresses: Vec<String>,
    /// The master's wall clock.
    pub clock: Timestamp,
    /// Whether the target was enlisted here before (14228 rather than 14229).
    pub moved: bool,
}

/// What the master says in an enlist conversation.
pub type EnlistAnswer = std::result::Result<EnlistReply, Refusal>;

macro_rules! codec {
    ($($(#[$doc:meta])* $ty:ty => $encode:path, $decode:path;)*) => {$(
        impl $ty {
            $(#[$doc])*
            /// The message's body, to be framed with [`encode_frames`](crate::frame::encode_frames).
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                $encode(self)
            }

            /// The message of a body.
            ///
            /// # Errors
            /// Bytes that are no message, a message of the other end, or a field that is out of range,
            /// by name.
            pub fn decode(body: &[u8]) -> Result<Self> {
                $decode(body)
            }
        }
    )*};
}

codec! {
    ToMaster => convert::encode_to_master, convert::decode_to_master;
    ToTarget => convert::encode_to_target, convert::decode_to_target;
    EnlistRequest => convert::encode_enlist_request, convert::decode_enlist_request;
}

/// Body of an answer to an enlistment.
#[must_use]
pub fn encode_enlist_answer(answer: &EnlistAnswer) -> Vec<u8> {
    convert::encode_enlist_answer(answer)
}

/// The answer of a body.
///
/// # Errors
/// As [`ToMaster::decode`].
pub fn decode_enlist_answer(body: &[u8]) -> Result<EnlistAnswer> {
    convert::decode_enlist_answer(body)
}
