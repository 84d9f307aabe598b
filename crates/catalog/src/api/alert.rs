//! Rows about alerts, notifications, proxies and subsystems.

use jiff::Timestamp;
use model::{CategoryId, JobId, OperatorId};

/// An alert: what `sysalerts` holds, without its occurrences ([`AlertOccurrence`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// `sysalerts.id`; given by the catalog, ignored when the alert is made.
    pub id: i64,
    /// Unique, without regard to case.
    pub name: String,
    /// Event source.
    pub event_source: String,
    /// Reserved, stored as given.
    pub event_category_id: Option<i32>,
    /// Reserved, stored as given.
    pub event_id: Option<i32>,
    /// Error number; 0 when unused.
    pub message_id: i32,
    /// Severity; 0 when unused.
    pub severity: i32,
    /// Whether it answers.
    pub enabled: bool,
    /// Seconds between answers.
    pub delay_between_responses: i32,
    /// Extra text.
    pub notification_message: Option<String>,
    /// Bits of notification methods that include the event's text.
    pub include_event_description: i32,
    /// Restricts to a database.
    pub database_name: Option<String>,
    /// LIKE pattern on the text.
    pub event_description_keyword: Option<String>,
    /// Job that answers; [`JobId::ALL`] (all zeroes) is none.
    pub job: JobId,
    /// `object|counter|instance|comparator|value`, or a WMI query.
    pub performance_condition: Option<String>,
    /// Reserved bits.
    pub flags: i32,
    /// Category of class ALERT.
    pub category: CategoryId,
}

/// How often an alert was seen (runs file).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertOccurrence {
    /// The alert.
    pub alert: i64,
    /// Last time it was seen.
    pub last_occurrence: Option<Timestamp>,
    /// Last time it was answered.
    pub last_response: Option<Timestamp>,
    /// Times seen since the reset.
    pub count: i64,
    /// When the count was set to 0.
    pub count_reset: Option<Timestamp>,
}

/// When an operator was last told by each method (runs file).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperatorNotice {
    /// The operator.
    pub operator: OperatorId,
    /// Last mail.
    pub last_email: Option<Timestamp>,
    /// Last page.
    pub last_pager: Option<Timestamp>,
    /// Last net send.
    pub last_netsend: Option<Timestamp>,
}

/// An operator told by an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification {
    /// The alert.
    pub alert: i64,
    /// The operator.
    pub operator: OperatorId,
    /// Bits: 1 mail, 2 pager, 4 net send.
    pub method: i32,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `proxy_id`; given by the catalog, ignored when the proxy is made.
    pub id: i64,
    /// Unique, without regard to case.
    pub name: String,
    /// Credential it runs under.
    pub credential_id: i64,
    /// A disabled proxy runs nothing.
    pub enabled: bool,
    /// Free text.
    pub description: Option<String>,
    /// SID behind the credential.
    pub user_sid: Vec<u8>,
}

/// A principal that may use a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The proxy.
    pub proxy: i64,
    /// SID of the principal.
    pub sid: Vec<u8>,
    /// Kind: 0 login, 1 fixed server role, 2 msdb role.
    pub flags: i32,
    /// Name of the principal.
    pub name: String,
}

/// A subsystem that a proxy may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxySubsystem {
    /// The proxy.
    pub proxy: i64,
    /// `subsystem_id`.
    pub subsystem: i64,
}

/// A subsystem the Agent knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsystemInfo {
    /// `subsystem_id`.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Message number of its description.
    pub description_id: Option<i32>,
    /// Steps of this kind that may run at the same time.
    pub max_worker_threads: Option<i32>,
}
