//! Target servers and the instructions that reach them.

use crate::id::{Generation, InstanceId, InstructionNumber, JobId, RunId};
use crate::job::{JobDocument, Operator, coded_enum};
use jiff::Timestamp;
use uuid::Uuid;

/// The operator whose existence makes an instance ready to be a master.
pub const MSX_OPERATOR: &str = "MSXOperator";
/// Seconds between polls unless SET-POLL says otherwise.
pub const POLL_INTERVAL_SECS_DEFAULT: u32 = 60;
/// Poll intervals a target accepts, in seconds.
pub const POLL_INTERVAL_SECS_RANGE: std::ops::RangeInclusive<u32> = 10..=28_800;

coded_enum! {
    /// `sysdownloadlist.operation_code`.
    Operation: u8 {
        /// Fetch the whole job.
        Insert = 1,
        /// Fetch the header.
        Update = 2,
        /// Remove the job; all multiserver jobs for [`JobId::ALL`].
        Delete = 3,
        /// Run it now.
        Start = 4,
        /// Stop it.
        Stop = 5,
        /// Send enlistment data again and fetch MSXOperator again.
        ReEnlist = 6,
        /// Leave the master.
        Defect = 7,
        /// Set the clock from the master.
        SyncTime = 8,
        /// Take a new poll interval.
        SetPoll = 9,
    }
}

coded_enum! {
    /// `sysdownloadlist.object_type`.
    InstructionObject: u8 {
        /// A job.
        Job = 1,
        /// The target server itself.
        Server = 2,
        /// A schedule.
        Schedule = 3,
    }
}

impl Operation {
    /// The word procedures use: `INSERT`, `SET-POLL`, …
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Start => "START",
            Self::Stop => "STOP",
            Self::ReEnlist => "RE-ENLIST",
            Self::Defect => "DEFECT",
            Self::SyncTime => "SYNC-TIME",
            Self::SetPoll => "SET-POLL",
        }
    }

    /// The operation of a word, without regard to case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        (1..=9)
            .filter_map(Self::from_code)
            .find(|operation| operation.word().eq_ignore_ascii_case(word))
    }
}

/// What a target does with an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstructionBody {
    /// Replace or create the job. `None`: the job vanished meanwhile; nothing to do.
    Insert(Option<Box<JobDocument>>),
    /// Take the header only. `None` as for INSERT.
    Update(Option<Box<JobDocument>>),
    /// Remove the job, or all downloaded jobs for [`JobId::ALL`].
    Delete(JobId),
    /// Run the job now. The run id is the instruction's own, so a second delivery can't start a second run.
    Start {
        /// Job to run.
        job: JobId,
        /// The run.
        run: RunId,
        /// Login on the master that asked.
        login: String,
        /// Step to begin with; the job's own start step when `None`.
        step_name: Option<String>,
    },
    /// Stop the job.
    Stop {
        /// Job to stop.
        job: JobId,
        /// Login on the master that asked.
        login: String,
    },
    /// Send enlistment data again; take this operator.
    ReEnlist {
        /// MSXOperator as the master has it now.
        operator: Option<Box<Operator>>,
    },
    /// Leave the master.
    Defect,
    /// Set the clock.
    SyncTime,
    /// Take a poll interval, in seconds.
    SetPoll(u32),
}

/// One instruction of one target's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Place in the queue.
    pub number: InstructionNumber,
    /// Identity; with the number it makes the cursor, and a mismatch reveals a restored master.
    pub uid: Uuid,
    /// What to do.
    pub body: InstructionBody,
}

/// How far a target has carried out its queue: the last instruction that took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Its number; 0 before the first.
    pub number: InstructionNumber,
    /// Its identity; nil before the first. The master compares both, so that a queue whose numbers were
    /// given twice (a restored master) is noticed.
    pub uid: Uuid,
}

impl Cursor {
    /// Before the first instruction of an enlistment.
    pub const START: Self = Self {
        number: InstructionNumber(0),
        uid: Uuid::nil(),
    };
}

impl Instruction {
    /// The cursor once this instruction has taken effect.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        Cursor {
            number: self.number,
            uid: self.uid,
        }
    }
}

/// A target's membership, as the target stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enlistment {
    /// Name of the master.
    pub master_name: String,
    /// `host,port` the target connects to.
    pub master_address: String,
    /// The master's instance.
    pub master_id: InstanceId,
    /// Number the master gave this enlistment.
    pub generation: Generation,
    /// When.
    pub enlisted: Timestamp,
    /// Longest silence between polls, in seconds.
    pub poll_interval_secs: u32,
}

/// `sp_help_targetserver.status`: a set of bits.
///
/// Source: public client enumeration TargetServerStatus: 1 normal, 2 suspected offline, 4 blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetStatus {
    /// No poll for more than three poll intervals.
    pub suspected_offline: bool,
    /// An instruction failed; later ones wait.
    pub blocked: bool,
}

impl TargetStatus {
    /// The number procedures show.
    #[must_use]
    pub const fn code(self) -> i32 {
        let trouble = (self.suspected_offline as i32) * 2 + (self.blocked as i32) * 4;
        if trouble == 0 { 1 } else { trouble }
    }
}
