//! The library against the brute-force oracle, around clock changes of several zones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{at, daily, oracle, zone};
use jiff::civil::{Time, time};
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{Frequency, RelativeWeek, Schedule, Subday};
use proptest::prelude::*;
use schedule::{due_between, next_run, upcoming};

/// Zones and an instant near which their clocks change; the rest of the year is reached by the offsets.
const CHANGES: [(&str, &str); 18] = [
    ("UTC", "2026-03-01T00:00:00Z"),
    ("Asia/Kathmandu", "2026-03-01T00:00:00Z"),
    ("Europe/Paris", "2026-03-29T01:00:00Z"),
    ("Europe/Paris", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Asuncion", "2023-10-01T04:00:00Z"),
    ("America/Asuncion", "2024-03-24T03:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    // The day 2011-12-30 does not exist here.
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    // From 00:01 back to 23:01 of the day before.
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    // Beyond the table of changes, by rule.
    ("Europe/Paris", "2045-03-26T01:00:00Z"),
    ("America/New_York", "2045-11-05T06:00:00Z"),
    // Sunday to Sunday, a year of two hours' difference, and a change at 23:00 local time.
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("America/Scoresbysund", "2024-03-31T01:00:00Z"),
];

fn minute() -> impl Strategy<Value = Time> {
    // Half of them at the hours where clocks change.
    prop_oneof![0..1_440i32, 0..240i32, 1_380..1_440i32].prop_map(|minutes| {
        let (hour, minute) = (minutes / 60, minutes % 60);
        time(hour.try_into().unwrap(), minute.try_into().unwrap(), 0, 0)
    })
}

fn frequency() -> impl Strategy<Value = Frequency> {
    let week = prop_oneof![
        Just(RelativeWeek::First),
        Just(RelativeWeek::Second),
        Just(RelativeWeek::Third),
        Just(RelativeWeek::Fourth),
        Just(RelativeWeek::Last)
    ];
    prop_oneof![
        1 => Just(Frequency::Once),
        4 => (1..5i32).prop_map(|every_days| Frequency::Daily { every_days }),
        2 => (1..128u8, 1..4i32).prop_map(|(weekdays, every_weeks)| Frequency::Weekly { weekdays, every_weeks }),
        1 => (1..32u8, 1..4i32).prop_map(|(day, every_months)| Frequency::Monthly { day, every_months }),
        2 => (1..11u8, week, 1..4i32).prop_map(|(day_kind, week, every_months)| {
            Frequency::MonthlyRelative { day_kind, week, every_months }
        }),
    ]
}

fn subday() -> impl Strategy<Value = Subday> {
    prop_oneof![
        Just(Subday::Once),
        (1..20i32).prop_map(|minutes| Subday::Seconds(minutes * 60)),
        (1..200i32).prop_map(Subday::Minutes),
        (1..30i32).prop_map(Subday::Hours),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    zone: &'static str,
    after: Timestamp,
    schedule: Schedule,
}

fn case() -> impl Strategy<Value = Case> {
    (
        proptest::sample::select(&CHANGES[..]),
        -4_320..4_320i64,
        0..60i64,
        (0..80i64, 0..400i64),
        frequency(),
        subday(),
        minute(),
        prop_oneof![minute(), Just(time(23, 59, 59, 0))],
    )
        .prop_map(
            |((name, change), minutes, seconds, (age, life), frequency, subday, opens, closes)| {
                let offset = SignedDuration::from_secs(minutes * 60 + seconds);
                let after = at(change).checked_add(offset).unwrap();
                let today = zone(name).to_datetime(at(change)).date();
                let mut schedule = daily();
                schedule.frequency = frequency;
                schedule.subday = subday;
                schedule.active_start_date = today.checked_sub(age.days()).unwrap();
                schedule.active_end_date =
                    schedule.active_start_date.checked_add(life.days()).unwrap();
                schedule.active_start_time = opens;
                schedule.active_end_time = closes;
                if frequency == Frequency::Once {
                    schedule.active_start_date = today.checked_sub((age % 4).days()).unwrap();
                }
                Case {
                    zone: name,
                    after,
                    schedule,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_moments_as_the_oracle(case in case()) {
        let zone = zone(case.zone);
        let until = case.after.checked_add(SignedDuration::from_hours(80)).unwrap();
        let from = case.after.checked_add(SignedDuration::from_nanos(1)).unwrap();
        let wanted = oracle(&case.schedule, from, until, &zone);
        let found: Vec<Timestamp> = upcoming(&case.schedule, case.after, &zone)
            .take_while(|due| *due < until)
            .collect();
        prop_assert_eq!(&found, &wanted);

        // The coalesced span tells the same.
        let last = until.checked_sub(SignedDuration::from_nanos(1)).unwrap();
        let span = due_between(&case.schedule, case.after, last, &zone);
        let count = span.map_or(0, |s| s.count);
        prop_assert_eq!(count, u64::try_from(wanted.len()).unwrap());
        prop_assert_eq!(span.map(|s| s.first), wanted.first().copied());
        prop_assert_eq!(span.map(|s| s.last), wanted.last().copied());
        let before_last = wanted.iter().rev().nth(1).copied();
        prop_assert_eq!(span.and_then(|s| s.before_last), before_last);
    }

    #[test]
    fn any_numbers_end_and_advance(
        after in -377_705_023_201i64..253_402_207_200,
        start in -9_000i16..9_999,
        frequency in prop_oneof![
            frequency(),
            any::<i32>().prop_map(|every_days| Frequency::Daily { every_days }),
            (any::<u8>(), any::<i32>()).prop_map(|(weekdays, every_weeks)| Frequency::Weekly { weekdays, every_weeks }),
            (any::<u8>(), any::<i32>()).prop_map(|(day, every_months)| Frequency::Monthly { day, every_months }),
        ],
        subday in prop_oneof![
            any::<i32>().prop_map(Subday::Seconds),
            any::<i32>().prop_map(Subday::Hours),
        ],
        name in proptest::sample::select(&["UTC", "Europe/Paris", "Pacific/Apia"][..]),
    ) {
        let zone = zone(name);
        let mut schedule = daily();
        schedule.frequency = frequency;
        schedule.subday = subday;
        schedule.active_start_date = jiff::civil::Date::new(start, 6, 15).unwrap();
        let mut last = Timestamp::from_second(after).unwrap();
        for _ in 0..20 {
            match next_run(&schedule, last, &zone) {
                Some(next) => {
                    prop_assert!(next > last);
                    last = next;
                }
                None => break,
            }
        }
    }
}
