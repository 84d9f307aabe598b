//! Undocumented procedures of master that scripts and tools have called for twenty years: the alert system's settings,
//! a command for each database, what the caller is to the server, the drives.

use super::{Columns, Database, Execute, INT, Procedure, SYSNAME, char, col, int, null, nvarchar};
use super::{Param, param};
use crate::declare::Default;

/// `sp_MSgetalertinfo`
pub(crate) const ALERT_INFO: Columns = &[
    col("AlertFailSafeOperator", nvarchar(255)),
    col("AlertNotificationMethod", INT),
    col("AlertForwardingServer", nvarchar(255)),
    col("AlertForwardingSeverity", INT),
    col("AlertPagerToTemplate", nvarchar(255)),
    col("AlertPagerCCTemplate", nvarchar(255)),
    col("AlertPagerSubjectTemplate", nvarchar(255)),
    col("AlertPagerSendSubjectOnly", INT),
    col("AlertForwardAlways", INT),
];

/// What [`ALERT_INFO`] has behind it with `@includeaddresses = 1`.
pub(crate) const ALERT_INFO_ADDRESSES: Columns = &[
    col("AlertFailSafeOperator", nvarchar(255)),
    col("AlertNotificationMethod", INT),
    col("AlertForwardingServer", nvarchar(255)),
    col("AlertForwardingSeverity", INT),
    col("AlertPagerToTemplate", nvarchar(255)),
    col("AlertPagerCCTemplate", nvarchar(255)),
    col("AlertPagerSubjectTemplate", nvarchar(255)),
    col("AlertPagerSendSubjectOnly", INT),
    col("AlertForwardAlways", INT),
    col("AlertFailSafeEmailAddress", nvarchar(255)),
    col("AlertFailSafePagerAddress", nvarchar(255)),
    col("AlertFailSafeNetSendAddress", nvarchar(255)),
];

/// `xp_fixeddrives`
pub(crate) const FIXED_DRIVES: Columns = &[col("drive", char(1)), col("MB free", INT)];

const SET_ALERT_INFO: &[Param] = &[
    null("@failsafeoperator", nvarchar(255)),
    null("@notificationmethod", INT),
    null("@forwardingserver", SYSNAME),
    null("@forwardingseverity", INT),
    null("@pagertotemplate", nvarchar(255)),
    null("@pagercctemplate", nvarchar(255)),
    null("@pagersubjecttemplate", nvarchar(255)),
    null("@pagersendsubjectonly", INT),
    null("@failsafeemailaddress", nvarchar(255)),
    null("@failsafepageraddress", nvarchar(255)),
    null("@failsafenetsendaddress", nvarchar(255)),
    null("@forwardalways", INT),
];

const FOR_EACH: &[Param] = &[
    null("@command1", nvarchar(2000)),
    param("@replacechar", super::nchar(1), Default::Text("?")),
    null("@command2", nvarchar(2000)),
    null("@command3", nvarchar(2000)),
    null("@precommand", nvarchar(2000)),
    null("@postcommand", nvarchar(2000)),
];

const fn master(
    name: &'static str,
    execute: Execute,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database: Database::Master,
        execute,
        params,
        results,
    }
}

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    master("sp_MSsetalertinfo", Execute::Sysadmin, SET_ALERT_INFO, &[]),
    master(
        "sp_MSgetalertinfo",
        Execute::Public,
        &[int("@includeaddresses", INT, 0)],
        &[
            ("settings", ALERT_INFO),
            ("settings and addresses", ALERT_INFO_ADDRESSES),
        ],
    ),
    master("sp_MSforeachdb", Execute::Public, FOR_EACH, &[]),
    master(
        "sp_MSdbuserpriv",
        Execute::Public,
        &[param("@mode", nvarchar(10), Default::Text("perdb"))],
        &[],
    ),
    master(
        "xp_fixeddrives",
        Execute::Public,
        &[],
        &[("drives", FIXED_DRIVES)],
    ),
];
