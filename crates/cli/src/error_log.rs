//! What the program says, into the instance's error logs as well as to standard error.

use server::error_log::{ErrorLog, ErrorLogs, LogSeverity};
use std::fmt::Write as _;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Modules whose words belong to the Agent: runs of jobs, and the conversation with the master.
const AGENT_MODULES: [&str; 6] = [
    "agent",
    "exec",
    "fleet",
    "server::agent_runtime",
    "server::fleet_membership",
    "server::target_end",
];

/// A layer that adds every event to the error log it belongs to.
pub(crate) struct ErrorLogLayer(pub(crate) Arc<ErrorLogs>);

impl<S: Subscriber> Layer<S> for ErrorLogLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let severity = match *metadata.level() {
            Level::ERROR => LogSeverity::Error,
            Level::WARN => LogSeverity::Warning,
            _ => LogSeverity::Information,
        };
        let mut words = Words::default();
        event.record(&mut words);
        let source = metadata.target();
        self.0
            .add(log_of(source), severity, source, &words.into_text());
    }
}

/// The log that a module's words belong to.
fn log_of(target: &str) -> ErrorLog {
    let within = |module: &str| {
        target
            .strip_prefix(module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if AGENT_MODULES.iter().any(|module| within(module)) {
        ErrorLog::Agent
    } else {
        ErrorLog::Server
    }
}

/// An event's message, then its fields as `name=value`.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Words {
    fn into_text(self) -> String {
        self.message + &self.fields
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_belong_to_one_log() {
        for (target, log) in [
            ("server::agent_runtime::store", ErrorLog::Agent),
            ("agent", ErrorLog::Agent),
            ("agents", ErrorLog::Server),
            ("server::listener", ErrorLog::Server),
            ("muster", ErrorLog::Server),
        ] {
            assert_eq!(log_of(target), log, "{target}");
        }
    }
}
