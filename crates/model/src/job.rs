//! Jobs, steps, schedules and operators as an administrator defines them.
//!
//! Codes follow msdb (`sysjobs`, `sysjobsteps`, `sysschedules`); `code()`/`from_code()` convert.

use crate::id::{CategoryId, JobId, OperatorId, ScheduleUid, StepUid};
use jiff::Timestamp;
use jiff::civil::{Date, Time};

/// Longest name of a job, step, schedule, category, operator (`sysname`), in UTF-16 units.
pub const NAME_UNITS_MAX: usize = 128;
/// Steps a job may have.
pub const JOB_STEPS_MAX: usize = 1_000;
/// Schedules a job may have.
pub const JOB_SCHEDULES_MAX: usize = 1_000;
/// Longest step command, in bytes of UTF-8.
pub const STEP_COMMAND_BYTES_MAX: usize = 4 * 1024 * 1024;

macro_rules! coded_enum {
    ($(#[$doc:meta])* $name:ident : $int:ty { $($(#[$vdoc:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The code as msdb stores it.
            #[must_use]
            pub const fn code(self) -> $int {
                match self { $(Self::$variant => $code),* }
            }

            /// The value of a code; `None` when there is none.
            #[must_use]
            pub const fn from_code(code: $int) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use coded_enum;

coded_enum! {
    /// When to notify, log or delete: `notify_level_*`, `delete_level`.
    NotifyLevel: i32 {
        /// Never.
        Never = 0,
        /// When the job succeeds.
        OnSuccess = 1,
        /// When the job fails.
        OnFailure = 2,
        /// Whenever it ends.
        Always = 3,
    }
}

coded_enum! {
    /// What follows a step: `on_success_action`, `on_fail_action`. The goto number is stored beside it.
    StepAction: u8 {
        /// The job ends, successful.
        QuitWithSuccess = 1,
        /// The job ends, failed.
        QuitWithFailure = 2,
        /// The next step runs.
        GoToNextStep = 3,
        /// The step of the number stored beside it runs.
        GoToStep = 4,
    }
}

/// What carries a step out. Names are msdb's; comparison ignores case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subsystem {
    /// T-SQL in the instance's own engine.
    TSql,
    /// An operating-system command.
    CmdExec,
    /// A subsystem this version knows by name and cannot run here.
    Other(String),
}

impl Subsystem {
    /// The name as msdb spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::TSql => "TSQL",
            Self::CmdExec => "CmdExec",
            Self::Other(name) => name,
        }
    }

    /// The subsystem of a name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        if name.eq_ignore_ascii_case("TSQL") {
            Self::TSql
        } else if name.eq_ignore_ascii_case("CmdExec") {
            Self::CmdExec
        } else {
            Self::Other(name.to_owned())
        }
    }
}

/// A job's header: what `sysjobs` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Identity on the master and every target.
    pub id: JobId,
    /// Name of the master the job was downloaded from; `None` for a job made here.
    pub originating_server: Option<String>,
    /// Unique per originating server, without regard to case.
    pub name: String,
    /// A disabled job starts only by hand.
    pub enabled: bool,
    /// Free text.
    pub description: Option<String>,
    /// Step a run begins with.
    pub start_step_id: i32,
    /// Category, of class JOB.
    pub category: CategoryId,
    /// SID of the owning login.
    pub owner_sid: Vec<u8>,
    /// When an event is written.
    pub notify_level_eventlog: NotifyLevel,
    /// When mail is sent.
    pub notify_level_email: NotifyLevel,
    /// When a net send is made.
    pub notify_level_netsend: NotifyLevel,
    /// When a page is sent.
    pub notify_level_page: NotifyLevel,
    /// Who gets the mail.
    pub notify_email_operator: OperatorId,
    /// Who gets the net send.
    pub notify_netsend_operator: OperatorId,
    /// Who is paged.
    pub notify_page_operator: OperatorId,
    /// When the job deletes itself.
    pub delete_level: NotifyLevel,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Starts at 1, raised by every change.
    pub version: i64,
}

/// A step: what `sysjobsteps` holds, without the outcome of its last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStep {
    /// Place in the job, from 1 without gaps.
    pub step_id: i32,
    /// Identity that step logs hang on.
    pub uid: StepUid,
    /// Unique in the job.
    pub name: String,
    /// What carries it out.
    pub subsystem: Subsystem,
    /// What to run.
    pub command: Option<String>,
    /// Output bits: 0, 2, 4, 8, 16, 32, 64.
    pub flags: i32,
    /// Reserved, stored as given.
    pub additional_parameters: Option<String>,
    /// Exit code that means success for CmdExec.
    pub cmdexec_success_code: i32,
    /// What follows success.
    pub on_success: StepAction,
    /// Step that [`StepAction::GoToStep`] of `on_success` names; else 0.
    pub on_success_step_id: i32,
    /// What follows failure.
    pub on_fail: StepAction,
    /// Step that [`StepAction::GoToStep`] of `on_fail` names; else 0.
    pub on_fail_step_id: i32,
    /// Reserved, stored as given.
    pub server: Option<String>,
    /// Database a TSQL step starts in.
    pub database_name: Option<String>,
    /// User a TSQL step runs as.
    pub database_user_name: Option<String>,
    /// Further tries after a failed one.
    pub retry_attempts: i32,
    /// Minutes between tries.
    pub retry_interval_minutes: i32,
    /// Reserved, stored as given.
    pub os_run_priority: i32,
    /// File that receives the output.
    pub output_file_name: Option<String>,
    /// Name of the proxy it runs under.
    pub proxy_name: Option<String>,
}

/// How often a schedule comes due. Source: `sysschedules.freq_type` and kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// `1`: once, at the active start date and time.
    Once,
    /// `4`: every so many days.
    Daily {
        /// ≥ 1.
        every_days: i32,
    },
    /// `8`: on the weekdays of a mask, every so many weeks.
    Weekly {
        /// 1 Sunday, 2 Monday … 64 Saturday; 1..=127.
        weekdays: u8,
        /// ≥ 1.
        every_weeks: i32,
    },
    /// `16`: on a day of the month, every so many months; months without it are skipped.
    Monthly {
        /// 1..=31.
        day: u8,
        /// ≥ 1.
        every_months: i32,
    },
    /// `32`: on the nth day of a kind, every so many months.
    MonthlyRelative {
        /// 1 Sunday .. 7 Saturday, 8 day, 9 weekday, 10 weekend day.
        day_kind: u8,
        /// Which occurrence.
        week: RelativeWeek,
        /// ≥ 1.
        every_months: i32,
    },
    /// `64`: at each start of the Agent.
    AgentStart,
    /// `128`: when the processors are idle.
    CpuIdle,
}

coded_enum! {
    /// `freq_relative_interval`: which occurrence within the month.
    RelativeWeek: i32 {
        /// First.
        First = 1,
        /// Second.
        Second = 2,
        /// Third.
        Third = 4,
        /// Fourth.
        Fourth = 8,
        /// Last.
        Last = 16,
    }
}

/// How often within a day: `freq_subday_type` and `freq_subday_interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subday {
    /// `1` (or 0): once, at the active start time.
    Once,
    /// `2`: every so many seconds.
    Seconds(i32),
    /// `4`: every so many minutes.
    Minutes(i32),
    /// `8`: every so many hours.
    Hours(i32),
}

/// A schedule: what `sysschedules` holds. Dates and times are local to the instance that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Identity on the master and every target.
    pub uid: ScheduleUid,
    /// Name; need not be unique.
    pub name: String,
    /// Name of the master it was downloaded from; `None` when made here.
    pub originating_server: Option<String>,
    /// SID of the owning login.
    pub owner_sid: Vec<u8>,
    /// A disabled schedule starts nothing.
    pub enabled: bool,
    /// How often.
    pub frequency: Frequency,
    /// How often within a day.
    pub subday: Subday,
    /// The five numbers as given, shown unchanged even where the frequency leaves them unused:
    /// interval, subday type, subday interval, relative interval, recurrence factor.
    pub raw: [i32; 5],
    /// First day of its life.
    pub active_start_date: Date,
    /// Last day of its life; 9999-12-31 is no end.
    pub active_end_date: Date,
    /// First moment of a day's runs.
    pub active_start_time: Time,
    /// Last moment of a day's runs.
    pub active_end_time: Time,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
    /// Starts at 1, raised by every change.
    pub version: i64,
}

/// A whole job, as an INSERT instruction carries it and as the agent runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDocument {
    /// The header.
    pub job: Job,
    /// Steps in order of their ids.
    pub steps: Vec<JobStep>,
    /// Schedules attached, in order of their identities.
    pub schedules: Vec<Schedule>,
    /// Login name of the owner.
    pub owner_login: String,
    /// Name of the category on the server that wrote the document.
    pub category_name: String,
}

/// An operator: what `sysoperators` holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operator {
    /// `sysoperators.id`.
    pub id: OperatorId,
    /// Unique name.
    pub name: String,
    /// A disabled operator is told nothing.
    pub enabled: bool,
    /// Mail address.
    pub email_address: Option<String>,
    /// Pager address.
    pub pager_address: Option<String>,
    /// Net send address.
    pub netsend_address: Option<String>,
    /// Pager days and times as msdb encodes them: mask, then start and end for weekday, Saturday, Sunday.
    pub pager_days: i32,
    /// HHMMSS.
    pub weekday_pager_start_time: i32,
    /// HHMMSS.
    pub weekday_pager_end_time: i32,
    /// HHMMSS.
    pub saturday_pager_start_time: i32,
    /// HHMMSS.
    pub saturday_pager_end_time: i32,
    /// HHMMSS.
    pub sunday_pager_start_time: i32,
    /// HHMMSS.
    pub sunday_pager_end_time: i32,
    /// Category, of class OPERATOR.
    pub category: CategoryId,
}
