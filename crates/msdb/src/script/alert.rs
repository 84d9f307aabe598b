//! Alerts and their notifications.

use super::text::{Call, heading};
use super::{Kind, Script};
use crate::error::Result;
use crate::lookup::category_name;
use catalog::DefinitionsRead;
use model::JobId;

/// `event_source` of alerts on WMI events.
const WMI_SOURCE: &str = "WMI";

pub(super) fn scripts(definitions: &dyn DefinitionsRead) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for alert in definitions.alerts()? {
        let job = match alert.job {
            JobId::ALL => None,
            id => definitions.job(id)?.map(|job| job.name),
        };
        let call = Call::new("sp_add_alert")
            .text("@name", &alert.name)
            .number("@message_id", alert.message_id)
            .number("@severity", alert.severity)
            .flag("@enabled", alert.enabled)
            .number("@delay_between_responses", alert.delay_between_responses)
            .number(
                "@include_event_description_in",
                alert.include_event_description,
            )
            .optional(
                "@notification_message",
                alert.notification_message.as_deref(),
            )
            .optional(
                "@event_description_keyword",
                alert.event_description_keyword.as_deref(),
            )
            .text(
                "@category_name",
                &category_name(definitions, alert.category)?,
            );
        // A WMI alert keeps its namespace and its query in the columns of the other kinds.
        let (database, condition) = if alert.event_source == WMI_SOURCE {
            ("@wmi_namespace", "@wmi_query")
        } else {
            ("@database_name", "@performance_condition")
        };
        let call = call
            .optional(database, alert.database_name.as_deref())
            .optional(condition, alert.performance_condition.as_deref())
            .optional("@job_name", job.as_deref());
        let mut text = heading("Alert", &alert.name) + &call.done();
        for notification in definitions.notifications(Some(alert.id), None)? {
            let Some(operator) = definitions.operator(notification.operator)? else {
                continue;
            };
            let call = Call::new("sp_add_notification")
                .text("@alert_name", &alert.name)
                .text("@operator_name", &operator.name)
                .number("@notification_method", notification.method);
            text.push_str(&call.done());
        }
        scripts.push(Script::new(Kind::Alert, &alert.name, text));
    }
    Ok(scripts)
}
