//! SERVERPROPERTY and @@VERSION: a SQL Server 2022-compatible story that names Muster.

use crate::convert::datetime;
use crate::services::Instance;
use crate::system::COLLATION;
use jiff::tz::TimeZone;
use tsql::Value;

/// Version that clients are told: major 16 is SQL Server 2022.
pub const PRODUCT_VERSION: &str = "16.0.4135.4";
/// Edition that clients are told.
pub const EDITION: &str = "Muster Edition (64-bit)";
/// "Enterprise" among the engine editions: all features that Agent's clients ask about.
const ENGINE_EDITION: i32 = 3;
/// Enterprise (64-bit) among the edition ids.
const EDITION_ID: i64 = 1_804_890_536;

/// `@@VERSION`.
#[must_use]
pub fn version_text(instance: &Instance) -> String {
    format!(
        "Microsoft SQL Server 2022 compatible - {PRODUCT_VERSION} (X64) \n\tMuster {} on {}",
        instance.version, instance.machine
    )
}

/// A property by name, without regard to case; NULL when there is none.
#[must_use]
pub fn server_property(instance: &Instance, zone: TimeZone, name: &str) -> Value {
    let no = || Value::Int(0);
    let text = |text: &str| Value::string(text);
    match name.to_ascii_lowercase().as_str() {
        "productversion" | "resourceversion" => text(PRODUCT_VERSION),
        "productmajorversion" => text("16"),
        "productminorversion" => text("0"),
        "productbuild" => text("4135"),
        "productlevel" => text("RTM"),
        "edition" => text(EDITION),
        "editionid" => Value::BigInt(EDITION_ID),
        "engineedition" => Value::Int(ENGINE_EDITION),
        "servername" => text(&instance.name),
        "machinename" | "computernamephysicalnetbios" => text(&instance.machine),
        "instancename" => instance.instance_name().map_or(Value::Null, text),
        "collation" => text(COLLATION),
        "collationid" => Value::Int(872_468_488),
        "lcid" => Value::Int(1033),
        "comparisonstyle" => Value::Int(196_609),
        "sqlcharset" => Value::TinyInt(1),
        "sqlcharsetname" => text("iso_1"),
        "sqlsortorder" => Value::TinyInt(52),
        "sqlsortordername" => text("nocase_iso"),
        "processid" => Value::Int(i32::try_from(instance.process_id).unwrap_or(0)),
        "licensetype" => text("DISABLED"),
        "resourcelastupdatedatetime" => datetime(instance.started, &zone),
        "isclustered"
        | "ishadrenabled"
        | "isfulltextinstalled"
        | "isintegratedsecurityonly"
        | "issingleuser"
        | "isxtpsupported"
        | "ispolybaseinstalled"
        | "isadvancedanalyticsinstalled"
        | "islocaldb"
        | "isbigdatacluster"
        | "isexternalauthenticationonly"
        | "istempdbmetadatamemoryoptimized"
        | "isserversuspendedforsnapshotbackup"
        | "isexternalgovernanceenabled"
        | "suspendeddatabasecount"
        | "filestreamconfiguredlevel"
        | "filestreameffectivelevel" => no(),
        "hadrmanagerstatus" => Value::Int(2),
        "muster" => text(&instance.version),
        // The engine asks for the system variables by their own names.
        "@@version" => text(&version_text(instance)),
        "@@servicename" => instance.instance_name().map_or(Value::Null, text),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::InstanceId;
    use uuid::Uuid;

    #[test]
    fn properties() {
        let instance = Instance {
            id: InstanceId(Uuid::nil()),
            name: "HOST\\BLUE".to_owned(),
            machine: "HOST".to_owned(),
            version: "0.1.0".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            process_id: 7,
            address: "host,1433".to_owned(),
        };
        let property = |name| server_property(&instance, TimeZone::UTC, name);
        assert_eq!(property("productVERSION"), Value::string(PRODUCT_VERSION));
        assert_eq!(property("InstanceName"), Value::string("BLUE"));
        assert_eq!(property("IsClustered"), Value::Int(0));
        assert_eq!(property("nonsense"), Value::Null);
        assert!(version_text(&instance).contains("Muster"));
        assert_eq!(
            property("@@VERSION"),
            Value::string(version_text(&instance))
        );
        assert_eq!(property("@@SERVICENAME"), Value::string("BLUE"));
    }
}
