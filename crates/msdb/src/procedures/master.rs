//! sp_MSsetalertinfo, sp_MSgetalertinfo, sp_MSforeachdb, sp_MSdbuserpriv, xp_fixeddrives.

use crate::call::{Call, Output, Store};
use crate::convert::int;
use crate::declare::{ALERT_INFO, ALERT_INFO_ADDRESSES, FIXED_DRIVES};
use crate::error::Result;
use crate::messages::{none_of, raise};
use crate::settings::agent_key;
use catalog::SettingValue;
use tsql::{SqlType, Value};

/// Parameters of `sp_MSsetalertinfo`, and the registry values that they set.
const ALERT_VALUES: &[(&str, &str)] = &[
    ("@failsafeoperator", "AlertFailSafeOperator"),
    ("@notificationmethod", "AlertNotificationMethod"),
    ("@forwardingserver", "AlertForwardingServer"),
    ("@forwardingseverity", "AlertForwardingSeverity"),
    ("@pagertotemplate", "AlertPagerToTemplate"),
    ("@pagercctemplate", "AlertPagerCCTemplate"),
    ("@pagersubjecttemplate", "AlertPagerSubjectTemplate"),
    ("@pagersendsubjectonly", "AlertPagerSendSubjectOnly"),
    ("@failsafeemailaddress", "AlertFailSafeEmailAddress"),
    ("@failsafepageraddress", "AlertFailSafePagerAddress"),
    ("@failsafenetsendaddress", "AlertFailSafeNetSendAddress"),
    ("@forwardalways", "AlertForwardAlways"),
];

/// Bounds of the numbers among them.
const NUMBERS: &[(&str, std::ops::RangeInclusive<i32>)] = &[
    ("@notificationmethod", 0..=7),
    ("@forwardingseverity", 0..=25),
    ("@pagersendsubjectonly", 0..=1),
    ("@forwardalways", 0..=1),
];

/// `sp_MSforeachdb`: each command in the caller's database, the name of each database that the caller may use in the
/// place of the character.
pub(super) const FOR_EACH_DATABASE: &str = "\
SET NOCOUNT ON;
IF @precommand IS NOT NULL EXEC (@precommand);
DECLARE @muster_name sysname, @muster_text nvarchar(max);
DECLARE muster_databases CURSOR LOCAL STATIC FOR
    SELECT name FROM master.sys.databases WHERE HAS_DBACCESS(name) = 1 ORDER BY database_id;
OPEN muster_databases;
FETCH NEXT FROM muster_databases INTO @muster_name;
WHILE @@FETCH_STATUS = 0
BEGIN
    SET @muster_text = REPLACE(@command1, @replacechar, @muster_name);
    EXEC (@muster_text);
    SET @muster_text = REPLACE(@command2, @replacechar, @muster_name);
    IF @muster_text IS NOT NULL EXEC (@muster_text);
    SET @muster_text = REPLACE(@command3, @replacechar, @muster_name);
    IF @muster_text IS NOT NULL EXEC (@muster_text);
    FETCH NEXT FROM muster_databases INTO @muster_name;
END;
CLOSE muster_databases;
DEALLOCATE muster_databases;
IF @postcommand IS NOT NULL EXEC (@postcommand);";

/// `sp_MSdbuserpriv`: what SQL Server Management Objects call a login's profile: 1 for sa, 2 for who may create
/// databases, 4 for who may create extended procedures. Source: SQL Server Management Objects, `ServerUserProfiles`.
pub(super) const USER_PRIVILEGES: &str = "\
SET NOCOUNT ON;
SELECT CASE WHEN IS_SRVROLEMEMBER(N'sysadmin') = 1 THEN 7 WHEN IS_SRVROLEMEMBER(N'dbcreator') = 1 THEN 2 ELSE 0 END;";

/// `sp_MSsetalertinfo`: values of the Agent's registry key; an empty text takes one away.
pub(super) fn set_alert_info(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    for (parameter, range) in NUMBERS {
        if call
            .int(parameter)
            .is_some_and(|number| !range.contains(&number))
        {
            let valid = format!("{} to {}", range.start(), range.end());
            return Err(none_of(parameter, &valid).into());
        }
    }
    store.write(call, |definitions| {
        for (parameter, name) in ALERT_VALUES {
            let value = call.value(parameter);
            if value.is_null() {
                continue;
            }
            let value = match (value.as_i64(), value.as_str()) {
                (Some(number), _) => Some(SettingValue::Number(number)),
                (None, Some(text)) if !text.is_empty() => Some(SettingValue::Text(text.to_owned())),
                (None, _) => None,
            };
            definitions.set_setting(&agent_key(name), value.as_ref())?;
        }
        Ok(())
    })?;
    if !store.in_transaction() {
        call.services.settings_changed();
    }
    Ok(())
}

/// `sp_MSgetalertinfo`: one row.
pub(super) fn alert_info(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let columns = match call.int("@includeaddresses").unwrap_or(0) {
        0 => ALERT_INFO,
        1 => ALERT_INFO_ADDRESSES,
        _ => return Err(none_of("@includeaddresses", "0, 1").into()),
    };
    let row = store.read(|definitions| {
        let mut row = Vec::with_capacity(columns.len());
        for (name, ty) in columns {
            let value = definitions.setting(&agent_key(name))?;
            row.push(match value {
                Some(SettingValue::Number(number)) if *ty == SqlType::Int => int(number),
                Some(SettingValue::Text(text)) if *ty != SqlType::Int => Value::String(text),
                None | Some(SettingValue::Text(_)) if *ty == SqlType::Int => Value::Int(0),
                _ => Value::Null,
            });
        }
        Ok(row)
    })?;
    out.result(columns, vec![row]);
    Ok(())
}

/// `sp_MSforeachdb`, as far as it is not T-SQL.
pub(super) fn for_each_database(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    if call.text("@command1").is_none() {
        return Err(raise(14200, &["@command1".into()]).into());
    }
    Ok(())
}

/// `sp_MSdbuserpriv`, as far as it is not T-SQL: of its modes the tools use one.
pub(super) fn user_privileges(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let mode = call.text("@mode").unwrap_or_default();
    if !mode.eq_ignore_ascii_case("serv") {
        return Err(none_of("@mode", "serv").into());
    }
    Ok(())
}

/// `xp_fixeddrives`: drives have letters where the host gives them some; this one does not.
pub(super) fn fixed_drives(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(FIXED_DRIVES, Vec::new());
    Ok(())
}
