//! Rules as tables: clock changes, calendar edges, windows, limits.

mod common;

use common::{at, daily, zone};
use jiff::Timestamp;
use jiff::civil::{date, time};
use model::{Frequency, RelativeWeek, Schedule, Subday};
use schedule::{ScheduleNumbers, describe, due_between, next_run, upcoming};

/// The local times of the next runs, with their offsets.
fn check(schedule: &Schedule, name: &str, after: &str, wanted: &[&str]) {
    let zone = zone(name);
    let found: Vec<String> = upcoming(schedule, at(after), &zone)
        .take(wanted.len())
        .map(|due| due.to_zoned(zone.clone()).strftime("%F %T%:z").to_string())
        .collect();
    assert_eq!(found, wanted, "{schedule:?}");
}

fn with(change: impl FnOnce(&mut Schedule)) -> Schedule {
    let mut schedule = daily();
    change(&mut schedule);
    schedule
}

#[test]
fn daylight_saving() {
    let half_past_two = with(|s| s.active_start_time = time(2, 30, 0, 0));
    // Skipped: the first valid moment after. Repeated: once, the first time.
    check(
        &half_past_two,
        "Europe/Paris",
        "2026-03-28T12:00:00Z",
        &["2026-03-29 03:00:00+02:00", "2026-03-30 02:30:00+02:00"],
    );
    check(
        &half_past_two,
        "Europe/Paris",
        "2026-10-24T12:00:00Z",
        &["2026-10-25 02:30:00+02:00", "2026-10-26 02:30:00+01:00"],
    );
    // Asked for between the two passes of 02:30: not again.
    check(
        &half_past_two,
        "Europe/Paris",
        "2026-10-25T00:45:00Z",
        &["2026-10-26 02:30:00+01:00"],
    );
    let quarter_past_two = with(|s| s.active_start_time = time(2, 15, 0, 0));
    check(
        &quarter_past_two,
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-04 02:30:00+11:00", "2026-10-05 02:15:00+11:00"],
    );
    check(
        &with(|s| s.active_start_time = time(1, 45, 0, 0)),
        "Australia/Lord_Howe",
        "2026-04-04T12:00:00Z",
        &["2026-04-05 01:45:00+11:00", "2026-04-06 01:45:00+10:30"],
    );
    // Midnight itself is skipped.
    check(
        &daily(),
        "Africa/Cairo",
        "2026-04-23T12:00:00Z",
        &["2026-04-24 01:00:00+03:00", "2026-04-25 00:00:00+03:00"],
    );
    check(
        &daily(),
        "America/Asuncion",
        "2023-09-30T12:00:00Z",
        &["2023-10-01 01:00:00-03:00", "2023-10-02 00:00:00-03:00"],
    );
}

#[test]
fn rhythm_through_clock_changes() {
    let forty = with(|s| {
        s.subday = Subday::Minutes(40);
        s.active_end_time = time(4, 0, 0, 0);
    });
    check(
        &forty,
        "Europe/Paris",
        "2026-03-29T00:00:00Z",
        &[
            "2026-03-29 01:20:00+01:00",
            "2026-03-29 03:00:00+02:00",
            "2026-03-29 03:40:00+02:00",
            "2026-03-30 00:00:00+02:00",
        ],
    );
    check(
        &forty,
        "Europe/Paris",
        "2026-10-25T00:00:00Z",
        &[
            "2026-10-25 02:40:00+02:00",
            "2026-10-25 02:20:00+01:00",
            "2026-10-25 03:00:00+01:00",
            "2026-10-25 03:40:00+01:00",
            "2026-10-26 00:00:00+01:00",
        ],
    );
    // A window that the change skips whole still runs once.
    let skipped = with(|s| {
        s.subday = Subday::Minutes(10);
        s.active_start_time = time(2, 0, 0, 0);
        s.active_end_time = time(2, 30, 0, 0);
    });
    check(
        &skipped,
        "Europe/Paris",
        "2026-03-29T00:00:00Z",
        &["2026-03-29 03:00:00+02:00", "2026-03-30 02:00:00+02:00"],
    );
    // The day's last hour is repeated.
    check(
        &with(|s| s.subday = Subday::Minutes(40)),
        "Africa/Cairo",
        "2026-10-29T20:10:00Z",
        &[
            "2026-10-29 23:20:00+03:00",
            "2026-10-29 23:00:00+02:00",
            "2026-10-29 23:40:00+02:00",
            "2026-10-30 00:00:00+02:00",
        ],
    );
    // A window that ends in the repeated hour closes when the clock first passes its end.
    let closing = with(|s| {
        s.subday = Subday::Minutes(30);
        s.active_start_time = time(1, 30, 0, 0);
        s.active_end_time = time(2, 30, 0, 0);
    });
    check(
        &closing,
        "Europe/Paris",
        "2026-10-24T22:00:00Z",
        &[
            "2026-10-25 01:30:00+02:00",
            "2026-10-25 02:00:00+02:00",
            "2026-10-25 02:30:00+02:00",
            "2026-10-26 01:30:00+01:00",
        ],
    );
}

#[test]
fn windows() {
    // Through midnight: the window belongs to the day it opens on, the last day's reaches into the next.
    let night = with(|s| {
        s.frequency = Frequency::Weekly {
            weekdays: 32,
            every_weeks: 1,
        };
        s.subday = Subday::Hours(2);
        s.active_start_time = time(22, 0, 0, 0);
        s.active_end_time = time(2, 0, 0, 0);
        s.active_end_date = date(2026, 3, 6);
    });
    check(
        &night,
        "UTC",
        "2026-03-06T21:59:59Z",
        &[
            "2026-03-06 22:00:00+00:00",
            "2026-03-07 00:00:00+00:00",
            "2026-03-07 02:00:00+00:00",
        ],
    );
    assert_eq!(
        next_run(&night, at("2026-03-07T02:00:00Z"), &zone("UTC")),
        None
    );
    // Start and end at the same time: one moment.
    let point = with(|s| {
        s.subday = Subday::Seconds(10);
        s.active_start_time = time(8, 0, 0, 0);
        s.active_end_time = time(8, 0, 0, 0);
    });
    check(
        &point,
        "UTC",
        "2026-03-06T08:00:00Z",
        &["2026-03-07 08:00:00+00:00"],
    );
    // Strictly after, to the nanosecond.
    let seconds = with(|s| s.subday = Subday::Seconds(15));
    for (after, wanted) in [
        ("2026-03-06T23:59:44.999999999Z", "2026-03-06T23:59:45Z"),
        ("2026-03-06T23:59:45Z", "2026-03-07T00:00:00Z"),
        ("2026-03-07T00:00:00Z", "2026-03-07T00:00:15Z"),
    ] {
        assert_eq!(
            next_run(&seconds, at(after), &zone("UTC")),
            Some(at(wanted))
        );
    }
    // An interval longer than the window: its opening alone.
    check(
        &with(|s| s.subday = Subday::Hours(i32::MAX)),
        "UTC",
        "2026-03-06T08:00:00Z",
        &["2026-03-07 00:00:00+00:00", "2026-03-08 00:00:00+00:00"],
    );
}

#[test]
fn calendar() {
    let on = |frequency| {
        with(|s| {
            s.frequency = frequency;
            s.active_start_date = date(2026, 1, 1);
        })
    };
    let rows: [(Frequency, [&str; 3]); 9] = [
        (
            Frequency::Daily { every_days: 3 },
            ["2026-01-04", "2026-01-07", "2026-01-10"],
        ),
        // 2026-01-01 is a Thursday: its week began on Sunday 2025-12-28.
        (
            Frequency::Weekly {
                weekdays: 1 | 16,
                every_weeks: 2,
            },
            ["2026-01-11", "2026-01-15", "2026-01-25"],
        ),
        (
            Frequency::Monthly {
                day: 31,
                every_months: 1,
            },
            ["2026-01-31", "2026-03-31", "2026-05-31"],
        ),
        (
            Frequency::Monthly {
                day: 31,
                every_months: 5,
            },
            // January, (June), (November), (April), (September), (February), July 2028, December 2028, …
            ["2026-01-31", "2028-07-31", "2028-12-31"],
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 3,
                week: RelativeWeek::Second,
                every_months: 1,
            },
            ["2026-01-13", "2026-02-10", "2026-03-10"],
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 9,
                week: RelativeWeek::Last,
                every_months: 1,
            },
            ["2026-01-30", "2026-02-27", "2026-03-31"],
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 10,
                week: RelativeWeek::Fourth,
                every_months: 1,
            },
            ["2026-01-11", "2026-02-14", "2026-03-14"],
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 8,
                week: RelativeWeek::Last,
                every_months: 1,
            },
            ["2026-01-31", "2026-02-28", "2026-03-31"],
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 1,
                week: RelativeWeek::Last,
                every_months: 12,
            },
            ["2026-01-25", "2027-01-31", "2028-01-30"],
        ),
    ];
    for (frequency, wanted) in rows {
        let schedule = on(frequency);
        let found: Vec<String> = upcoming(&schedule, at("2026-01-01T00:00:00Z"), &zone("UTC"))
            .take(3)
            .map(|due| zone("UTC").to_datetime(due).date().to_string())
            .collect();
        assert_eq!(found, wanted, "{frequency:?}");
    }
}

#[test]
fn what_never_comes() {
    let never = [
        Frequency::Monthly {
            day: 30,
            every_months: 12,
        },
        Frequency::Monthly {
            day: 31,
            every_months: 12,
        },
        Frequency::Monthly {
            day: 0,
            every_months: 1,
        },
        Frequency::Weekly {
            weekdays: 0,
            every_weeks: 1,
        },
        Frequency::AgentStart,
        Frequency::CpuIdle,
    ];
    for frequency in never {
        let schedule = with(|s| {
            s.frequency = frequency;
            s.active_start_date = date(2026, 2, 1);
        });
        assert_eq!(
            next_run(&schedule, at("2026-01-01T00:00:00Z"), &zone("UTC")),
            None
        );
        let all = due_between(
            &schedule,
            at("2026-01-01T00:00:00Z"),
            Timestamp::MAX,
            &zone("UTC"),
        );
        assert_eq!(all, None, "{frequency:?}");
    }
    // A leap day every hundred years does come.
    let leap = with(|s| {
        s.frequency = Frequency::Monthly {
            day: 29,
            every_months: 1_200,
        };
        s.active_start_date = date(2100, 2, 1);
    });
    check(
        &leap,
        "UTC",
        "2026-01-01T00:00:00Z",
        &["2400-02-29 00:00:00+00:00"],
    );
    // Past and future lives, and the end of the calendar.
    let past = with(|s| s.active_end_date = date(2021, 1, 1));
    assert_eq!(
        next_run(&past, at("2026-01-01T00:00:00Z"), &zone("UTC")),
        None
    );
    for name in ["UTC", "Europe/Paris", "Pacific/Apia", "America/New_York"] {
        for after in [Timestamp::MAX, Timestamp::MIN] {
            let hourly = with(|s| s.subday = Subday::Hours(1));
            let next = next_run(&hourly, after, &zone(name));
            assert_eq!(next.is_some(), after == Timestamp::MIN, "{name} {after}");
        }
    }
}

#[test]
fn once() {
    let once = with(|s| {
        s.frequency = Frequency::Once;
        s.active_start_date = date(2026, 3, 29);
        s.active_start_time = time(2, 30, 0, 0);
        // Not used by this type.
        s.subday = Subday::Minutes(1);
    });
    let due = at("2026-03-29T01:00:00Z");
    let paris = zone("Europe/Paris");
    assert_eq!(
        next_run(&once, at("2026-01-01T00:00:00Z"), &paris),
        Some(due)
    );
    assert_eq!(next_run(&once, due, &paris), None);
}

#[test]
fn long_absences_are_counted_exactly() {
    let schedule = with(|s| s.subday = Subday::Seconds(10));
    let span = due_between(
        &schedule,
        at("2026-01-01T00:00:05Z"),
        at("2027-01-01T00:00:05Z"),
        &zone("Europe/Paris"),
    )
    .unwrap();
    assert_eq!(span.count, 365 * 8_640);
    assert_eq!(span.first, at("2026-01-01T00:00:10Z"));
    assert_eq!(span.last, at("2027-01-01T00:00:00Z"));
    assert_eq!(span.before_last, Some(at("2026-12-31T23:59:50Z")));
}

#[test]
fn numbers_there_and_back() {
    let today = date(2026, 3, 4);
    for (freq_type, interval, subday_type, subday_interval, relative, recurrence) in [
        (1, 0, 0, 0, 0, 0),
        (4, 3, 4, 15, 0, 0),
        (8, 62, 8, 2, 0, 2),
        (16, 31, 1, 0, 0, 6),
        (32, 10, 2, 10, 16, 1),
        (64, 0, 0, 0, 0, 0),
        (128, 0, 0, 0, 0, 0),
    ] {
        let numbers = ScheduleNumbers {
            freq_type,
            freq_interval: interval,
            freq_subday_type: subday_type,
            freq_subday_interval: subday_interval,
            freq_relative_interval: relative,
            freq_recurrence_factor: recurrence,
            active_start_date: Some(20_260_304),
            active_end_date: Some(99_991_231),
            active_start_time: Some(83_000),
            active_end_time: Some(173_059),
        };
        let schedule = with(|s| numbers.check(today).unwrap().apply_to(s));
        assert_eq!(ScheduleNumbers::of(&schedule), numbers);
    }
}

#[test]
fn descriptions() {
    let weekly = |s: &mut Schedule| {
        s.frequency = Frequency::Weekly {
            weekdays: 2 | 32,
            every_weeks: 1,
        };
        s.active_start_time = time(2, 30, 0, 0);
    };
    let rows: [(&str, Schedule); 8] = [
        (
            "Occurs every week on Monday, Friday at 02:30:00. Schedule will be used starting on 2020-01-01.",
            with(weekly),
        ),
        (
            "Occurs every day every 15 minutes between 08:00:00 and 18:00:00. Schedule will be used between \
             2020-01-01 and 2026-12-31.",
            with(|s| {
                s.subday = Subday::Minutes(15);
                s.active_start_time = time(8, 0, 0, 0);
                s.active_end_time = time(18, 0, 0, 0);
                s.active_end_date = date(2026, 12, 31);
            }),
        ),
        (
            "Occurs every 2 days every hour between 00:00:00 and 23:59:59. Schedule will be used starting on \
             2020-01-01.",
            with(|s| {
                s.frequency = Frequency::Daily { every_days: 2 };
                s.subday = Subday::Hours(1);
            }),
        ),
        (
            "Occurs every 3 months on day 31 at 00:00:00. Schedule will be used starting on 2020-01-01.",
            with(|s| {
                s.frequency = Frequency::Monthly {
                    day: 31,
                    every_months: 3,
                }
            }),
        ),
        (
            "Occurs every month on the last weekend day at 00:00:00. Schedule will be used starting on \
             2020-01-01.",
            with(|s| {
                s.frequency = Frequency::MonthlyRelative {
                    day_kind: 10,
                    week: RelativeWeek::Last,
                    every_months: 1,
                };
            }),
        ),
        (
            "Occurs on 2020-01-01 at 00:00:00.",
            with(|s| s.frequency = Frequency::Once),
        ),
        (
            "Starts automatically when SQLServerAgent starts.",
            with(|s| s.frequency = Frequency::AgentStart),
        ),
        (
            "Starts whenever the CPUs become idle.",
            with(|s| s.frequency = Frequency::CpuIdle),
        ),
    ];
    for (wanted, schedule) in rows {
        assert_eq!(describe(&schedule), wanted);
    }
    let longest = describe(&with(|s| {
        s.frequency = Frequency::Weekly {
            weekdays: 127,
            every_weeks: i32::MAX,
        };
        s.subday = Subday::Seconds(i32::MAX);
        s.active_end_date = date(9999, 12, 30);
    }));
    assert!(longest.chars().count() <= schedule::DESCRIPTION_CHARS_MAX);
}
