//! Time zones by the names that Windows gives them: AT TIME ZONE and the list behind `sys.time_zone_info`.
//!
//! Source: "AT TIME ZONE (Transact-SQL)"; Unicode CLDR, "windowsZones", territory 001. A name of the IANA database
//! is taken too: hosts without Windows have no other.

use super::{Call, dates};
use crate::convert::calendar::{self, Civil};
use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Windows' names and the IANA zone of each, in the order of the names.
const ZONES: &[(&str, &str)] = &[
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Aleutian Standard Time", "America/Adak"),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Argentina Standard Time", "America/Argentina/Buenos_Aires"),
    ("Astrakhan Standard Time", "Europe/Astrakhan"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Bahia Standard Time", "America/Bahia"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("Chatham Islands Standard Time", "Pacific/Chatham"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Cuba Standard Time", "America/Havana"),
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Easter Island Standard Time", "Pacific/Easter"),
    ("Eastern Standard Time", "America/New_York"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenland Standard Time", "America/Nuuk"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Libya Standard Time", "Africa/Tripoli"),
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    ("Mauritius Standard Time", "Indian/Mauritius"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
    ("Myanmar Standard Time", "Asia/Yangon"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Nepal Standard Time", "Asia/Kathmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Paraguay Standard Time", "America/Asuncion"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Russia Time Zone 11", "Asia/Kamchatka"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tasmania Standard Time", "Australia/Hobart"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("US Eastern Standard Time", "America/Indiana/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("UTC+12", "Etc/GMT-12"),
    ("UTC+13", "Etc/GMT-13"),
    ("UTC-02", "Etc/GMT+2"),
    ("UTC-08", "Etc/GMT+8"),
    ("UTC-09", "Etc/GMT+9"),
    ("UTC-11", "Etc/GMT+11"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Vladivostok Standard Time", "Asia/Vladivostok"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("West Asia Standard Time", "Asia/Tashkent"),
    ("West Bank Standard Time", "Asia/Hebron"),
    ("West Pacific Standard Time", "Pacific/Port_Moresby"),
    ("Yakutsk Standard Time", "Asia/Yakutsk"),
    ("Yukon Standard Time", "America/Whitehorse"),
];

/// A time zone that AT TIME ZONE takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedZone {
    /// Windows' name.
    pub name: &'static str,
    /// Minutes east of UTC at the moment asked about.
    pub offset_minutes: i16,
    /// Whether summer time holds at that moment.
    pub is_dst: bool,
}

/// All zones as they are at a moment, given in microseconds since 1970; those that this host's database lacks are
/// left out.
#[must_use]
pub fn named_zones(now_micros: i64) -> Vec<NamedZone> {
    let now = Timestamp::from_microsecond(now_micros).unwrap_or(Timestamp::UNIX_EPOCH);
    ZONES
        .iter()
        .filter_map(|(name, iana)| {
            let info = TimeZone::get(iana).ok()?;
            let info = info.to_offset_info(now);
            Some(NamedZone {
                name,
                offset_minutes: i16::try_from(info.offset().seconds() / 60).ok()?,
                is_dst: info.dst().is_dst(),
            })
        })
        .collect()
}

/// Windows' name of a zone of the IANA database.
#[must_use]
pub fn windows_name(iana: &str) -> Option<&'static str> {
    ZONES
        .iter()
        .find(|(_, zone)| zone.eq_ignore_ascii_case(iana))
        .map(|(name, _)| *name)
}

/// 9820 for a name that is no zone's.
fn zone_named(name: &str) -> Result<TimeZone, SqlError> {
    let iana = ZONES
        .iter()
        .find(|(windows, _)| windows.eq_ignore_ascii_case(name.trim_end()))
        .map_or(name, |(_, iana)| iana);
    // A path into the database's folder is no name of a zone.
    TimeZone::get(iana)
        .ok()
        .filter(|_| !iana.contains(".."))
        .ok_or_else(|| m::BAD_TIME_ZONE.with(&[name, "AT TIME ZONE"]))
}

/// Local days since 0001-01-01 and 100 ns of the day as a civil time of whole seconds, and what is left of a second.
fn civil(days: i32, ticks: u64) -> Option<DateTime> {
    let Civil { year, month, day } = calendar::civil_of(days);
    let date = Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    );
    let seconds = ticks / calendar::TICKS_PER_SECOND;
    let part = |n: u64| i8::try_from(n).ok();
    let time = Time::new(
        part(seconds / 3600)?,
        part(seconds / 60 % 60)?,
        part(seconds % 60)?,
        0,
    );
    Some(date.ok()?.to_datetime(time.ok()?))
}

/// `x AT TIME ZONE zone`. A local time that summer time skips is moved on by the hour skipped; one that comes twice
/// is the first of the two.
pub(super) fn at_time_zone(call: &Call<'_>) -> Result<Value, SqlError> {
    let (Some((days, ticks, own_offset)), Some(name)) =
        (dates::moment(&call.args[0]), call.text(1))
    else {
        return Ok(Value::Null);
    };
    let zone = zone_named(&name)?;
    let overflow = || crate::fault::date_overflow(call.ty);
    let local = civil(days, ticks).ok_or_else(overflow)?;
    let instant = if let Value::DateTimeOffset { .. } = call.args[0] {
        let own = jiff::tz::Offset::from_seconds(i32::from(own_offset) * 60);
        own.and_then(|own| own.to_timestamp(local))
    } else {
        zone.to_timestamp(local)
    }
    .map_err(|_| overflow())?;
    let offset = zone.to_offset(instant).seconds();
    // Offsets of old have seconds, which a datetimeoffset cannot hold: they are left out of the moment too, so that
    // its local time stays.
    let odd = if let Value::DateTimeOffset { .. } = call.args[0] {
        0
    } else {
        i64::from(offset % 60)
    };
    let since_1970 = i128::from(instant.as_second() + odd) * i128::from(calendar::TICKS_PER_SECOND)
        + i128::from(ticks % calendar::TICKS_PER_SECOND);
    let (days, ticks) = dates::since_1970(since_1970).ok_or_else(overflow)?;
    let value = Value::DateTimeOffset {
        days,
        ticks,
        offset_minutes: i16::try_from(offset / 60).map_err(|_| overflow())?,
    };
    convert::convert(value, SqlType::DateTimeOffset(7), call.ty, Style::PLAIN)
}
