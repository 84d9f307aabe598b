//! Rows about target servers, their instructions, and this instance's own enlistment.

use jiff::Timestamp;
use model::{
    Cursor, Enlistment, Generation, InstanceId, InstructionNumber, InstructionObject, JobId,
    Operation, RunId, ServerId,
};
use uuid::Uuid;

/// A target server enlisted at this master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetServer {
    /// `server_id`, never reused.
    pub id: ServerId,
    /// Name as the target gives it; unique without regard to case.
    pub name: String,
    /// Free text.
    pub location: Option<String>,
    /// Minutes east of UTC of its clock at its last enlistment.
    pub utc_offset_minutes: i32,
    /// When it enlisted.
    pub enlisted: Timestamp,
    /// Who ran the enlistment.
    pub enlisted_by: String,
    /// Seconds between polls.
    pub poll_interval_secs: u32,
    /// Its enlistment's number.
    pub generation: Generation,
    /// Its instance.
    pub instance: InstanceId,
    /// SHA-256 of its current certificate.
    pub fingerprint: Option<Vec<u8>>,
    /// Serial number of its current certificate.
    pub certificate_serial: Option<Vec<u8>>,
    /// When its current certificate ends.
    pub certificate_expires: Option<Timestamp>,
    /// Version of its program.
    pub version: String,
    /// Number of its newest instruction; 0 before the first.
    pub last_number: InstructionNumber,
}

/// An enlistment as the master stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// Name.
    pub name: String,
    /// Free text.
    pub location: Option<String>,
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// When.
    pub enlisted: Timestamp,
    /// Who ran it.
    pub enlisted_by: String,
    /// Seconds between polls.
    pub poll_interval_secs: u32,
    /// Its instance.
    pub instance: InstanceId,
    /// Version of its program.
    pub version: String,
    /// The last generation it says it had, here or elsewhere. The new one is above it, so that a master
    /// restored from an older copy never gives an instance the same generation twice.
    pub previous_generation: Option<Generation>,
}

/// Conditions on targets; all of them hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetFilter {
    /// Targeted by this job.
    pub job: Option<JobId>,
    /// Only servers above this number: the last of the page before.
    pub after: Option<ServerId>,
    /// Rows at most; everything when `None`.
    pub limit: Option<usize>,
}

/// A target server group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// `servergroup_id`.
    pub id: i64,
    /// Unique, without regard to case.
    pub name: String,
}

/// A member of a target server group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetGroupMember {
    /// The group.
    pub group: i64,
    /// The target.
    pub server: ServerId,
}

/// An instruction to be posted. Its number is given by the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstruction {
    /// Identity of this instruction at one target; drawn by the caller.
    pub uid: Uuid,
    /// What to do.
    pub operation: Operation,
    /// What it concerns.
    pub object: InstructionObject,
    /// Job id, schedule uid, or nil for all jobs or the server.
    pub object_id: Uuid,
    /// The run of a START.
    pub run: Option<RunId>,
    /// Login that asked.
    pub login: String,
    /// Step that a START begins with.
    pub step_name: Option<String>,
    /// New interval of a SET-POLL, in seconds.
    pub poll_interval_secs: Option<u32>,
    /// Name of the object, kept for when it is deleted.
    pub deleted_object_name: Option<String>,
    /// When.
    pub posted: Timestamp,
}

/// What posting gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedInstruction {
    /// Place in the target's queue.
    pub number: InstructionNumber,
    /// Place in `sysdownloadlist`.
    pub instance_id: i64,
}

/// An instruction as posted. Its download state is in the runs file ([`DownloadState`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadRow {
    /// `sysdownloadlist.instance_id`, ascending over all targets.
    pub instance_id: i64,
    /// The target.
    pub server: ServerId,
    /// Place in the target's queue.
    pub number: InstructionNumber,
    /// The instruction.
    pub instruction: NewInstruction,
}

/// Conditions on instructions; all of them hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DownloadFilter {
    /// For this target.
    pub server: Option<ServerId>,
    /// About this job, schedule or server.
    pub object_id: Option<Uuid>,
    /// Doing this.
    pub operation: Option<Operation>,
    /// About this kind of object.
    pub object: Option<InstructionObject>,
    /// Only rows above this `instance_id`: the last of the page before.
    pub after: Option<i64>,
    /// Rows at most; everything when `None`.
    pub limit: Option<usize>,
}

/// How far a target is with an instruction (runs file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadState {
    /// The target.
    pub server: ServerId,
    /// The instruction.
    pub number: InstructionNumber,
    /// When the target took it; `None` while an error blocks it.
    pub downloaded: Option<Timestamp>,
    /// What the target said: the error that blocks it, or why a START or STOP was refused.
    pub error: Option<String>,
}

impl DownloadState {
    /// Whether the target's queue waits behind this instruction.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        self.downloaded.is_none() && self.error.is_some()
    }
}

/// How far this instance is with its master's instructions (runs file).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetCursor {
    /// The enlistment.
    pub generation: Generation,
    /// The last instruction done.
    pub cursor: Cursor,
}

/// An instruction this instance refused without blocking (runs file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionRefusal {
    /// The instruction.
    pub number: InstructionNumber,
    /// Its identity.
    pub uid: Uuid,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// This instance's enlistment with the keys it needs.
#[derive(Clone, PartialEq, Eq)]
pub struct EnlistmentRow {
    /// The membership.
    pub enlistment: Enlistment,
    /// Location told to the master.
    pub location: Option<String>,
    /// `MsxEncryptChannelOptions` at enlistment: 0, 1, 2.
    pub encryption: u8,
    /// Certificates the master is checked against, PEM; empty when none is pinned.
    pub pinned_ca_pem: String,
    /// This target's certificate chain, PEM.
    pub certificate_pem: String,
    /// When the certificate ends.
    pub certificate_expires: Option<Timestamp>,
    /// The certificate's private key, sealed with the instance's key file.
    pub sealed_key: Vec<u8>,
}

impl std::fmt::Debug for EnlistmentRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnlistmentRow")
            .field("enlistment", &self.enlistment)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// A server that jobs came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginatingServer {
    /// `originating_server_id`, from 1.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Whether it is the master.
    pub master: bool,
}
