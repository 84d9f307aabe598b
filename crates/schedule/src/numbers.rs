//! msdb's ten integers of a schedule, checked into types that cannot be wrong, and back.

use jiff::civil::{Date, Time};
use model::encoding::{date_from_int, date_to_int, time_from_int, time_to_int};
use model::{Frequency, RelativeWeek, Schedule, Subday};

/// Earliest `active_start_date`. Source: sp_add_schedule, `@active_start_date`.
pub const START_DATE_MIN: i32 = 19_900_101;
/// `active_end_date` of a schedule without an end.
pub const END_DATE_NONE: i32 = 99_991_231;
/// `active_end_time` unless given.
pub const END_TIME_DEFAULT: i32 = 235_959;
/// Shortest sub-day interval in seconds. The page says "longer than 10"; the field's tools offer and send 10.
pub const SUBDAY_SECONDS_MIN: i32 = 10;

/// A schedule's timing as the procedures' parameters carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleNumbers {
    /// 1, 4, 8, 16, 32, 64, 128.
    pub freq_type: i32,
    /// Meaning depends on the type.
    pub freq_interval: i32,
    /// 0 or 1 once, 2 seconds, 4 minutes, 8 hours.
    pub freq_subday_type: i32,
    /// Units between runs within a day.
    pub freq_subday_interval: i32,
    /// 1, 2, 4, 8, 16: which occurrence in the month.
    pub freq_relative_interval: i32,
    /// Weeks or months between runs.
    pub freq_recurrence_factor: i32,
    /// YYYYMMDD; `None` or 0 is today.
    pub active_start_date: Option<i32>,
    /// YYYYMMDD; `None` or 0 is no end.
    pub active_end_date: Option<i32>,
    /// HHMMSS; `None` is midnight.
    pub active_start_time: Option<i32>,
    /// HHMMSS; `None` is 235959.
    pub active_end_time: Option<i32>,
}

/// A checked timing: the part of [`Schedule`] that decides when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often.
    pub frequency: Frequency,
    /// How often within a day.
    pub subday: Subday,
    /// [`Schedule::raw`]: interval, subday type, subday interval, relative interval, recurrence factor.
    pub raw: [i32; 5],
    /// First day.
    pub active_start_date: Date,
    /// Last day.
    pub active_end_date: Date,
    /// A day's first moment.
    pub active_start_time: Time,
    /// A day's last moment.
    pub active_end_time: Time,
}

/// Why a schedule's numbers are refused. Each variant is one error of msdb; [`ScheduleFault::number`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleFault {
    /// 14266: not one of the valid values.
    #[error("{parameter} is {value}; valid: {allowed}")]
    NotAllowed {
        /// Parameter, with `@`.
        parameter: &'static str,
        /// As given.
        value: i32,
        /// The valid values, as the message lists them.
        allowed: &'static str,
    },
    /// 14295: frequency type 2 no longer exists.
    #[error("@freq_type 2 (on demand) no longer exists")]
    OnDemandGone,
    /// 14278: the numbers do not fit each other.
    #[error("schedule not valid: {reason}")]
    Invalid {
        /// Why.
        reason: InvalidReason,
    },
    /// 14287: not a date or time, or a date before 1990-01-01.
    #[error("{parameter} is {value}, which is no valid {part}")]
    BadDateOrTime {
        /// Parameter, with `@`.
        parameter: &'static str,
        /// As given.
        value: i32,
        /// `date` or `time`.
        part: &'static str,
    },
    /// 14288: the end lies before the start.
    #[error("{end} is before {start}")]
    EndBeforeStart {
        /// Parameter that is too early.
        end: &'static str,
        /// Parameter it is compared with.
        start: &'static str,
    },
}

/// The reason inside 14278; each is a message of msdb of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// 14572.
    #[error("@freq_interval must be at least 1 for a daily job")]
    DailyInterval,
    /// 14573.
    #[error("@freq_interval must be a weekday mask of 1 to 127 for a weekly job")]
    WeekdayMask,
    /// 14574.
    #[error("@freq_interval must be 1 to 31 for a monthly job")]
    MonthDay,
    /// 14575.
    #[error("@freq_relative_interval must be 1, 2, 4, 8 or 16 for a monthly relative job")]
    RelativeWeek,
    /// 14576.
    #[error("@freq_interval must be 1 to 10 for a monthly relative job")]
    RelativeDay,
    /// 14577.
    #[error("@freq_recurrence_factor must be at least 1")]
    RecurrenceFactor,
}

impl InvalidReason {
    /// Number of msdb's message for the reason, 14572..=14577.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::DailyInterval => 14_572,
            Self::WeekdayMask => 14_573,
            Self::MonthDay => 14_574,
            Self::RelativeWeek => 14_575,
            Self::RelativeDay => 14_576,
            Self::RecurrenceFactor => 14_577,
        }
    }
}

impl ScheduleFault {
    /// The error number msdb reports.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::NotAllowed { .. } => 14_266,
            Self::OnDemandGone => 14_295,
            Self::Invalid { .. } => 14_278,
            Self::BadDateOrTime { .. } => 14_287,
            Self::EndBeforeStart { .. } => 14_288,
        }
    }
}

impl ScheduleNumbers {
    /// The numbers of a schedule, as procedures and tables show them.
    #[must_use]
    pub fn of(schedule: &Schedule) -> Self {
        let [interval, subday_type, subday_interval, relative, recurrence] = schedule.raw;
        Self {
            freq_type: freq_type(schedule.frequency),
            freq_interval: interval,
            freq_subday_type: subday_type,
            freq_subday_interval: subday_interval,
            freq_relative_interval: relative,
            freq_recurrence_factor: recurrence,
            active_start_date: Some(date_to_int(schedule.active_start_date)),
            active_end_date: Some(date_to_int(schedule.active_end_date)),
            active_start_time: Some(time_to_int(schedule.active_start_time)),
            active_end_time: Some(time_to_int(schedule.active_end_time)),
        }
    }

    /// Checks the numbers. `today` is the local date that a missing start date means.
    ///
    /// An end time before the start time is no fault: the window closes on the following day.
    ///
    /// # Errors
    /// The first fault in the order type, dates and times, type's own numbers, sub-day numbers.
    pub fn check(&self, today: Date) -> Result<Timing, ScheduleFault> {
        let kind = self.kind()?;
        let (active_start_date, active_end_date) = self.dates(today)?;
        let active_start_time = time("@active_start_time", self.active_start_time.unwrap_or(0))?;
        let active_end_time = time(
            "@active_end_time",
            self.active_end_time.unwrap_or(END_TIME_DEFAULT),
        )?;
        let frequency = self.frequency(kind)?;
        let subday = self.subday(kind)?;
        let subday_type = match self.freq_subday_type {
            0 if kind.has_subday() => 1,
            other => other,
        };
        Ok(Timing {
            frequency,
            subday,
            raw: [
                self.freq_interval,
                subday_type,
                self.freq_subday_interval,
                self.freq_relative_interval,
                self.freq_recurrence_factor,
            ],
            active_start_date,
            active_end_date,
            active_start_time,
            active_end_time,
        })
    }

    fn kind(&self) -> Result<Kind, ScheduleFault> {
        match self.freq_type {
            1 => Ok(Kind::Once),
            2 => Err(ScheduleFault::OnDemandGone),
            4 => Ok(Kind::Daily),
            8 => Ok(Kind::Weekly),
            16 => Ok(Kind::Monthly),
            32 => Ok(Kind::MonthlyRelative),
            64 => Ok(Kind::AgentStart),
            128 => Ok(Kind::CpuIdle),
            value => Err(ScheduleFault::NotAllowed {
                parameter: "@freq_type",
                value,
                allowed: "1, 4, 8, 16, 32, 64, 128",
            }),
        }
    }

    fn dates(&self, today: Date) -> Result<(Date, Date), ScheduleFault> {
        let start = match self.active_start_date.unwrap_or(0) {
            0 => today,
            given => date("@active_start_date", given)?,
        };
        let end = match self.active_end_date.unwrap_or(0) {
            0 => date("@active_end_date", END_DATE_NONE)?,
            given => date("@active_end_date", given)?,
        };
        if end < start {
            return Err(ScheduleFault::EndBeforeStart {
                end: "@active_end_date",
                start: "@active_start_date",
            });
        }
        Ok((start, end))
    }

    fn frequency(&self, kind: Kind) -> Result<Frequency, ScheduleFault> {
        let factor = self.freq_recurrence_factor;
        let at_least_one = |value: i32, reason| {
            if value >= 1 {
                Ok(value)
            } else {
                Err(ScheduleFault::Invalid { reason })
            }
        };
        let within = |max: u8, reason| {
            u8::try_from(self.freq_interval)
                .ok()
                .filter(|value| (1..=max).contains(value))
                .ok_or(ScheduleFault::Invalid { reason })
        };
        Ok(match kind {
            Kind::Once => Frequency::Once,
            Kind::AgentStart => Frequency::AgentStart,
            Kind::CpuIdle => Frequency::CpuIdle,
            Kind::Daily => Frequency::Daily {
                every_days: at_least_one(self.freq_interval, InvalidReason::DailyInterval)?,
            },
            Kind::Weekly => Frequency::Weekly {
                weekdays: within(127, InvalidReason::WeekdayMask)?,
                every_weeks: at_least_one(factor, InvalidReason::RecurrenceFactor)?,
            },
            Kind::Monthly => Frequency::Monthly {
                day: within(31, InvalidReason::MonthDay)?,
                every_months: at_least_one(factor, InvalidReason::RecurrenceFactor)?,
            },
            Kind::MonthlyRelative => Frequency::MonthlyRelative {
                day_kind: within(10, InvalidReason::RelativeDay)?,
                week: RelativeWeek::from_code(self.freq_relative_interval).ok_or(
                    ScheduleFault::Invalid {
                        reason: InvalidReason::RelativeWeek,
                    },
                )?,
                every_months: at_least_one(factor, InvalidReason::RecurrenceFactor)?,
            },
        })
    }

    fn subday(&self, kind: Kind) -> Result<Subday, ScheduleFault> {
        if !kind.has_subday() {
            return Ok(Subday::Once);
        }
        let interval = |min: i32, allowed| {
            let value = self.freq_subday_interval;
            if value >= min {
                Ok(value)
            } else {
                Err(ScheduleFault::NotAllowed {
                    parameter: "@freq_subday_interval",
                    value,
                    allowed,
                })
            }
        };
        match self.freq_subday_type {
            0 | 1 => Ok(Subday::Once),
            2 => interval(SUBDAY_SECONDS_MIN, "10 and more seconds").map(Subday::Seconds),
            4 => interval(1, "1 and more minutes").map(Subday::Minutes),
            8 => interval(1, "1 and more hours").map(Subday::Hours),
            value => Err(ScheduleFault::NotAllowed {
                parameter: "@freq_subday_type",
                value,
                allowed: "0, 1, 2, 4, 8",
            }),
        }
    }
}

impl Timing {
    /// Puts the timing into `schedule`; its identity, name and versions stay.
    pub fn apply_to(&self, schedule: &mut Schedule) {
        schedule.frequency = self.frequency;
        schedule.subday = self.subday;
        schedule.raw = self.raw;
        schedule.active_start_date = self.active_start_date;
        schedule.active_end_date = self.active_end_date;
        schedule.active_start_time = self.active_start_time;
        schedule.active_end_time = self.active_end_time;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Once,
    Daily,
    Weekly,
    Monthly,
    MonthlyRelative,
    AgentStart,
    CpuIdle,
}

impl Kind {
    const fn has_subday(self) -> bool {
        match self {
            Self::Daily | Self::Weekly | Self::Monthly | Self::MonthlyRelative => true,
            Self::Once | Self::AgentStart | Self::CpuIdle => false,
        }
    }
}

const fn freq_type(frequency: Frequency) -> i32 {
    match frequency {
        Frequency::Once => 1,
        Frequency::Daily { .. } => 4,
        Frequency::Weekly { .. } => 8,
        Frequency::Monthly { .. } => 16,
        Frequency::MonthlyRelative { .. } => 32,
        Frequency::AgentStart => 64,
        Frequency::CpuIdle => 128,
    }
}

fn date(parameter: &'static str, value: i32) -> Result<Date, ScheduleFault> {
    date_from_int(value)
        .filter(|_| value >= START_DATE_MIN)
        .ok_or(ScheduleFault::BadDateOrTime {
            parameter,
            value,
            part: "date",
        })
}

fn time(parameter: &'static str, value: i32) -> Result<Time, ScheduleFault> {
    time_from_int(value).ok_or(ScheduleFault::BadDateOrTime {
        parameter,
        value,
        part: "time",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    const TODAY: Date = date(2026, 3, 4);
    const DAILY: ScheduleNumbers = ScheduleNumbers {
        freq_type: 4,
        freq_interval: 1,
        freq_subday_type: 1,
        freq_subday_interval: 0,
        freq_relative_interval: 0,
        freq_recurrence_factor: 0,
        active_start_date: None,
        active_end_date: None,
        active_start_time: None,
        active_end_time: None,
    };

    #[test]
    fn defaults() {
        let timing = DAILY.check(TODAY).unwrap();
        assert_eq!(timing.frequency, Frequency::Daily { every_days: 1 });
        assert_eq!(timing.active_start_date, TODAY);
        assert_eq!(timing.active_end_date, date(9999, 12, 31));
        assert_eq!(timing.active_start_time, Time::midnight());
        assert_eq!(timing.active_end_time, time(23, 59, 59, 0));
    }

    #[test]
    fn missing_subday_type_is_once() {
        for (freq_type, shown) in [(4, 1), (1, 0)] {
            let timing = ScheduleNumbers {
                freq_type,
                freq_subday_type: 0,
                ..DAILY
            }
            .check(TODAY)
            .unwrap();
            assert_eq!((timing.subday, timing.raw[1]), (Subday::Once, shown));
        }
    }

    #[test]
    fn faults() {
        let check = |change: fn(&mut ScheduleNumbers), number: i32, reason: Option<i32>| {
            let mut numbers = DAILY;
            change(&mut numbers);
            let fault = numbers.check(TODAY).unwrap_err();
            assert_eq!(fault.number(), number, "{fault}");
            let found = match fault {
                ScheduleFault::Invalid { reason } => Some(reason.number()),
                ScheduleFault::NotAllowed { .. }
                | ScheduleFault::OnDemandGone
                | ScheduleFault::BadDateOrTime { .. }
                | ScheduleFault::EndBeforeStart { .. } => None,
            };
            assert_eq!(found, reason, "{fault}");
        };
        check(|n| n.freq_type = 0, 14_266, None);
        check(|n| n.freq_type = 3, 14_266, None);
        check(|n| n.freq_type = 2, 14_295, None);
        check(|n| n.freq_interval = 0, 14_278, Some(14_572));
        check(|n| n.freq_interval = -1, 14_278, Some(14_572));
        check(
            |n| (n.freq_type, n.freq_recurrence_factor, n.freq_interval) = (8, 1, 0),
            14_278,
            Some(14_573),
        );
        check(
            |n| (n.freq_type, n.freq_recurrence_factor, n.freq_interval) = (8, 1, 128),
            14_278,
            Some(14_573),
        );
        check(|n| n.freq_type = 8, 14_278, Some(14_577));
        check(
            |n| (n.freq_type, n.freq_recurrence_factor, n.freq_interval) = (16, 1, 32),
            14_278,
            Some(14_574),
        );
        check(|n| n.freq_type = 16, 14_278, Some(14_577));
        check(
            |n| (n.freq_type, n.freq_recurrence_factor) = (32, 1),
            14_278,
            Some(14_575),
        );
        check(
            |n| (n.freq_type, n.freq_relative_interval, n.freq_interval) = (32, 1, 11),
            14_278,
            Some(14_576),
        );
        check(
            |n| (n.freq_type, n.freq_relative_interval) = (32, 1),
            14_278,
            Some(14_577),
        );
        check(|n| n.freq_subday_type = 3, 14_266, None);
        check(
            |n| (n.freq_subday_type, n.freq_subday_interval) = (2, 9),
            14_266,
            None,
        );
        check(
            |n| (n.freq_subday_type, n.freq_subday_interval) = (4, 0),
            14_266,
            None,
        );
        check(|n| n.active_start_date = Some(19_891_231), 14_287, None);
        check(|n| n.active_start_date = Some(20_260_230), 14_287, None);
        check(|n| n.active_end_date = Some(-1), 14_287, None);
        check(|n| n.active_start_time = Some(240_000), 14_287, None);
        check(|n| n.active_end_time = Some(1_260), 14_287, None);
        check(|n| n.active_end_date = Some(20_260_303), 14_288, None);
    }

    #[test]
    fn unused_numbers_are_kept_and_not_checked() {
        let numbers = ScheduleNumbers {
            freq_type: 64,
            freq_interval: -5,
            freq_subday_type: 99,
            ..DAILY
        };
        let timing = numbers.check(TODAY).unwrap();
        assert_eq!(timing.frequency, Frequency::AgentStart);
        assert_eq!(timing.raw, [-5, 99, 0, 0, 0]);
    }
}
