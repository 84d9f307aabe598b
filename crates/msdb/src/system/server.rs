//! The instance: services, computer, process, servers, endpoints, messages.

use super::databases::all;
use super::sessions::ENDPOINT_TCP;
use super::view::{Fill, Filled};
use super::{LANGUAGE, LANGUAGE_ID, created, int, text};
use crate::convert::{datetime, datetimeoffset};
use crate::error::Result;
use crate::messages;
use crate::tables::Scanner;
use std::time::Duration;
use tsql::Value;

/// Counter types of `cntr_type`: a plain number, and one that only grows and is read as a rate.
/// Source: Windows Performance Data, PERF_COUNTER_LARGE_RAWCOUNT and PERF_COUNTER_BULK_COUNT.
const COUNTER_RAW: i32 = 65_792;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("dm_os_host_info", host_info),
    Filled::sys("dm_os_sys_info", sys_info).server_state(),
    Filled::sys("dm_os_sys_memory", sys_memory).server_state(),
    Filled::sys("dm_os_process_memory", process_memory).server_state(),
    Filled::sys("dm_os_performance_counters", performance_counters).server_state(),
    Filled::sys("dm_os_windows_info", nothing),
    Filled::sys("dm_server_services", services).server_state(),
    Filled::sys("dm_tcp_listener_states", listeners).server_state(),
    Filled::sys("servers", servers),
    Filled::sys("sysservers", sysservers),
    Filled::sys("endpoints", endpoints),
    Filled::sys("tcp_endpoints", tcp_endpoints),
    Filled::sys("messages", all_messages).seek(&["message_id"]),
    Filled::sys("sysmessages", sysmessages).seek(&["error"]),
    Filled::sys("syslanguages", languages),
    Filled::sys("time_zone_info", time_zones),
];

/// The zones that AT TIME ZONE takes, by Windows' names.
fn time_zones(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for zone in tsql::eval::named_zones(scan.now.as_microsecond()) {
        out.add([
            ("name", text(zone.name)),
            ("current_utc_offset", text(offset_text(zone.offset_minutes))),
            ("is_currently_dst", Value::Bit(zone.is_dst)),
        ]);
    }
    Ok(())
}

/// `+hh:mm`
pub(super) fn offset_text(minutes: i16) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Windows is not what Muster runs on.
fn nothing(_scan: &Scanner<'_>, _out: &mut Fill<'_>) -> Result<()> {
    Ok(())
}

fn kilobytes(value: u64) -> Value {
    Value::BigInt(i64::try_from(value).unwrap_or(i64::MAX))
}

fn milliseconds(value: Duration) -> Value {
    Value::BigInt(i64::try_from(value.as_millis()).unwrap_or(i64::MAX))
}

fn host_info(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let machine = scan.services.machine();
    let architecture = if cfg!(target_arch = "aarch64") {
        "ARM64"
    } else {
        "X64"
    };
    let platform = if cfg!(windows) { "Windows" } else { "Linux" };
    out.add([
        ("host_platform", text(platform)),
        ("host_distribution", text(&machine.distribution)),
        ("host_release", text(&machine.release)),
        ("host_architecture", text(architecture)),
    ]);
    Ok(())
}

fn sys_info(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let machine = scan.services.machine();
    let started = scan.services.instance().started;
    let running = scan.now.duration_since(started);
    let up = milliseconds(machine.uptime);
    let running = Duration::try_from(running).unwrap_or_default();
    out.add([
        // A tick is a nanosecond: a processor's own counter would tell no more.
        (
            "cpu_ticks",
            Value::BigInt(i64::try_from(machine.uptime.as_nanos()).unwrap_or(i64::MAX)),
        ),
        ("ms_ticks", up),
        ("cpu_count", int(i64::from(machine.processors))),
        ("hyperthread_ratio", int(1)),
        ("physical_memory_kb", kilobytes(machine.memory_kb)),
        ("virtual_memory_kb", kilobytes(machine.process_virtual_kb)),
        ("committed_kb", kilobytes(machine.process_resident_kb)),
        (
            "committed_target_kb",
            kilobytes(machine.process_resident_kb),
        ),
        ("visible_target_kb", kilobytes(machine.process_resident_kb)),
        ("scheduler_count", int(i64::from(machine.processors))),
        ("scheduler_total_count", int(i64::from(machine.processors))),
        (
            "sqlserver_start_time_ms_ticks",
            milliseconds(machine.uptime.saturating_sub(running)),
        ),
        ("sqlserver_start_time", datetime(started, &scan.zone)),
        ("affinity_type", int(2)),
        ("affinity_type_desc", text("AUTO")),
        (
            "process_kernel_time_ms",
            milliseconds(machine.process_kernel),
        ),
        ("process_user_time_ms", milliseconds(machine.process_user)),
        ("virtual_machine_type_desc", text("NONE")),
        ("softnuma_configuration_desc", text("OFF")),
        ("sql_memory_model", int(1)),
        ("sql_memory_model_desc", text("CONVENTIONAL")),
        ("socket_count", int(1)),
        ("cores_per_socket", int(i64::from(machine.processors))),
        ("numa_node_count", int(1)),
        ("container_type_desc", text("NONE")),
    ]);
    Ok(())
}

fn sys_memory(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let machine = scan.services.machine();
    out.add([
        ("total_physical_memory_kb", kilobytes(machine.memory_kb)),
        (
            "available_physical_memory_kb",
            kilobytes(machine.memory_available_kb),
        ),
        ("total_page_file_kb", kilobytes(machine.commit_limit_kb)),
        (
            "available_page_file_kb",
            kilobytes(machine.commit_available_kb),
        ),
        ("system_cache_kb", kilobytes(machine.cache_kb)),
    ]);
    Ok(())
}

fn process_memory(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let machine = scan.services.machine();
    let used = machine.process_resident_kb;
    out.add([
        ("physical_memory_in_use_kb", kilobytes(used)),
        (
            "virtual_address_space_committed_kb",
            kilobytes(machine.process_virtual_kb),
        ),
        (
            "memory_utilization_percentage",
            kilobytes(used.saturating_mul(100) / machine.memory_kb.max(1)),
        ),
        (
            "available_commit_limit_kb",
            kilobytes(machine.commit_available_kb),
        ),
    ]);
    Ok(())
}

/// The counters that Muster keeps, under the names that SQL Server gives them.
fn performance_counters(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let instance = scan.services.instance();
    let prefix = match instance.instance_name() {
        Some(name) => format!("MSSQL${name}"),
        None => "SQLServer".to_owned(),
    };
    let sessions = scan.services.sessions();
    let machine = scan.services.machine();
    let count = |n: usize| Value::BigInt(i64::try_from(n).unwrap_or(i64::MAX));
    let mut logins: Vec<&str> = sessions.iter().map(|s| s.login.as_str()).collect();
    logins.sort_unstable();
    logins.dedup();
    let open = sessions.iter().filter(|s| s.transaction.is_some()).count();
    let memory = kilobytes(machine.process_resident_kb);
    let mut counters = vec![
        (
            "General Statistics",
            "User Connections",
            "",
            count(sessions.len()),
        ),
        ("General Statistics", "Processes blocked", "", count(0)),
        ("Transactions", "Transactions", "", count(open)),
        ("Memory Manager", "Total Server Memory (KB)", "", memory),
    ];
    let files = scan.services.files();
    let databases = all(scan);
    for info in &databases {
        let bytes: u64 = files
            .iter()
            .filter(|file| file.database == info.name)
            .map(|file| file.bytes)
            .sum();
        if bytes > 0 {
            let size = kilobytes(bytes / 1024);
            counters.push(("Databases", "Data File(s) Size (KB)", &info.name, size));
        }
    }
    for (object, counter, instance, value) in counters {
        out.add([
            ("object_name", text(format!("{prefix}:{object}"))),
            ("counter_name", text(counter)),
            ("instance_name", text(instance)),
            ("cntr_value", value),
            ("cntr_type", int(COUNTER_RAW)),
        ]);
    }
    Ok(())
}

/// The engine and the agent, which are one process here.
fn services(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let instance = scan.services.instance();
    let machine = scan.services.machine();
    let name = instance.instance_name().unwrap_or("MSSQLSERVER");
    let started = datetimeoffset(instance.started, &scan.zone);
    for service in ["SQL Server", "SQL Server Agent"] {
        out.add([
            ("servicename", text(format!("{service} ({name})"))),
            ("status", int(4)),
            ("status_desc", text("Running")),
            ("process_id", int(i64::from(instance.process_id))),
            ("last_startup_time", started.clone()),
            ("service_account", text(&machine.account)),
            ("filename", text(&machine.program)),
            ("is_clustered", text("N")),
            ("instant_file_initialization_enabled", text("N")),
        ]);
    }
    Ok(())
}

/// The port that the instance tells others to use.
fn port(scan: &Scanner<'_>) -> Option<i64> {
    let address = scan.services.instance().address;
    address.rsplit(',').next()?.parse().ok()
}

fn listeners(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    if let Some(port) = port(scan) {
        out.add([
            ("listener_id", int(1)),
            ("ip_address", text("::")),
            ("port", int(port)),
            ("type_desc", text("TSQL")),
            ("state_desc", text("ONLINE")),
            (
                "start_time",
                datetime(scan.services.instance().started, &scan.zone),
            ),
        ]);
    }
    Ok(())
}

fn servers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("name", text(&scan.server)),
        ("product", text("SQL Server")),
        ("provider", text("SQLNCLI")),
        ("data_source", text(&scan.server)),
        ("connect_timeout", int(0)),
        ("query_timeout", int(0)),
        ("uses_remote_collation", Value::Bit(true)),
        ("modify_date", created(scan)?),
    ]);
    Ok(())
}

fn sysservers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("srvid", int(0)),
        ("srvname", text(&scan.server)),
        ("srvproduct", text("SQL Server")),
        ("providername", text("SQLOLEDB")),
        ("datasource", text(&scan.server)),
        ("srvnetname", text(&scan.server)),
        ("schemadate", created(scan)?),
        ("useremotecollation", Value::Bit(true)),
    ]);
    Ok(())
}

fn endpoint() -> Vec<(&'static str, Value)> {
    vec![
        ("name", text("TSQL Default TCP")),
        ("endpoint_id", int(ENDPOINT_TCP)),
        ("principal_id", int(1)),
        ("protocol", int(2)),
        ("protocol_desc", text("TCP")),
        ("type", int(2)),
        ("type_desc", text("TSQL")),
        ("state", int(0)),
        ("state_desc", text("STARTED")),
    ]
}

fn endpoints(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add(endpoint());
    Ok(())
}

fn tcp_endpoints(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let mut row = endpoint();
    row.push(("port", int(port(scan).unwrap_or(0))));
    out.add(row);
    Ok(())
}

/// Number, severity and text of each message that Muster has.
fn known_messages() -> impl Iterator<Item = (i32, u8, &'static str)> {
    let agent = messages::all().iter().copied();
    let mut all: Vec<(i32, u8, &'static str)> = agent.collect();
    for message in tsql::messages::ALL {
        if !all.iter().any(|known| known.0 == message.number) {
            all.push((message.number, message.severity, message.text));
        }
    }
    all.sort_unstable_by_key(|known| known.0);
    all.into_iter()
}

fn all_messages(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let sought = scan.number("message_id");
    for (number, severity, words) in known_messages() {
        if sought.is_none_or(|sought| sought == i64::from(number)) {
            out.add([
                ("message_id", int(number)),
                ("language_id", int(LANGUAGE_ID)),
                ("severity", int(i64::from(severity))),
                ("text", text(words)),
            ]);
        }
    }
    Ok(())
}

fn sysmessages(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let sought = scan.number("error");
    for (number, severity, words) in known_messages() {
        if sought.is_none_or(|sought| sought == i64::from(number)) {
            out.add([
                ("error", int(number)),
                ("severity", int(i64::from(severity))),
                ("dlevel", int(0)),
                ("description", text(words)),
                ("msglangid", int(LANGUAGE_ID)),
            ]);
        }
    }
    Ok(())
}

fn languages(_scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("langid", int(0)),
        ("dateformat", text("mdy")),
        ("datefirst", int(7)),
        ("upgrade", int(0)),
        ("name", text(LANGUAGE)),
        ("alias", text("English")),
        (
            "months",
            text("January,February,March,April,May,June,July,August,September,October,November,December"),
        ),
        (
            "shortmonths",
            text("Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"),
        ),
        (
            "days",
            text("Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday"),
        ),
        ("lcid", int(LANGUAGE_ID)),
        ("msglangid", int(LANGUAGE_ID)),
    ]);
    Ok(())
}
