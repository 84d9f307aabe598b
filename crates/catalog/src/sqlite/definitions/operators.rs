//! Categories, operators, alerts and notifications.

use super::Definitions;
use crate::sqlite::codec::{Bytes16, Db, decode, found, taken, uuid};
use crate::{
    Alert, BuiltInCategory, CatalogError, Category, CategoryClass, CategoryKind, Change,
    Notification, Object, Result, name_key,
};
use model::{CategoryId, JobId, Operator, OperatorId};
use rusqlite::{Row, params};

/// First number of categories that administrators make.
const FIRST_OWN_CATEGORY: i64 = 100;

fn read_category(row: &Row<'_>) -> rusqlite::Result<Category> {
    Ok(Category {
        id: CategoryId(row.get(0)?),
        class: decode(row, 1, "category class", CategoryClass::from_code)?,
        kind: decode(row, 2, "category type", CategoryKind::from_code)?,
        name: row.get(3)?,
    })
}

pub(super) fn category(db: Db<'_>, id: CategoryId) -> Result<Option<Category>> {
    db.one(
        "SELECT category_id, class, kind, name FROM categories WHERE category_id = ?1",
        [id.0],
        read_category,
    )
}

pub(super) fn category_by_name(
    db: Db<'_>,
    class: CategoryClass,
    name: &str,
) -> Result<Option<Category>> {
    db.one(
        "SELECT category_id, class, kind, name FROM categories WHERE class = ?1 AND name_key = ?2",
        params![class.code(), name_key(name)],
        read_category,
    )
}

pub(super) fn categories(db: Db<'_>) -> Result<Vec<Category>> {
    db.all(
        "SELECT category_id, class, kind, name FROM categories ORDER BY category_id",
        [],
        read_category,
    )
}

/// Writes the categories every instance has; for a new catalog.
pub(super) fn write_built_in(w: &mut Definitions<'_>) -> Result<()> {
    for category in BuiltInCategory::ALL {
        w.db.run(
            "INSERT INTO categories (category_id, class, kind, name, name_key)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                category.id,
                category.class.code(),
                category.kind.code(),
                category.name,
                name_key(category.name)
            ],
        )?;
    }
    Ok(())
}

pub(super) fn create_category(
    w: &mut Definitions<'_>,
    class: CategoryClass,
    kind: CategoryKind,
    name: &str,
) -> Result<CategoryId> {
    let last: i64 = w.db.sure(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'categories'), 0)",
        [],
        |row| row.get(0),
    )?;
    let id = (last + 1).max(FIRST_OWN_CATEGORY);
    let result = w.db.run(
        "INSERT INTO categories (category_id, class, kind, name, name_key)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, class.code(), kind.code(), name, name_key(name)],
    );
    taken(result, Object::Category, name)?;
    w.change(Change::CategoriesChanged);
    Ok(CategoryId(id))
}

pub(super) fn rename_category(w: &mut Definitions<'_>, id: CategoryId, name: &str) -> Result<()> {
    let result = w.db.run(
        "UPDATE categories SET name = ?2, name_key = ?3 WHERE category_id = ?1",
        params![id.0, name, name_key(name)],
    );
    found(taken(result, Object::Category, name)?, Object::Category, id)?;
    w.change(Change::CategoriesChanged);
    Ok(())
}

pub(super) fn delete_category(w: &mut Definitions<'_>, id: CategoryId) -> Result<()> {
    let stored =
        category(w.db, id)?.ok_or_else(|| CatalogError::not_found(Object::Category, id))?;
    if id.0 < FIRST_OWN_CATEGORY {
        return Err(CatalogError::InUse {
            object: Object::Category,
            name: stored.name,
            by: "the instance: it is built in".to_owned(),
        });
    }
    w.atomically(|w| {
        match stored.class {
            CategoryClass::Job => {
                let fallback = match stored.kind {
                    CategoryKind::Multiserver => BuiltInCategory::UNCATEGORIZED_MULTISERVER,
                    CategoryKind::Local | CategoryKind::None => {
                        BuiltInCategory::UNCATEGORIZED_LOCAL
                    }
                };
                let jobs = w.db.all(
                    "SELECT job_id FROM jobs WHERE category_id = ?1",
                    [id.0],
                    |row| Ok(JobId(uuid(row, 0)?)),
                )?;
                w.db.run(
                    "UPDATE jobs SET category_id = ?2 WHERE category_id = ?1",
                    params![id.0, fallback.0],
                )?;
                for job in jobs {
                    w.change(Change::JobChanged(job));
                }
            }
            CategoryClass::Alert => {
                w.db.run(
                    "UPDATE alerts SET category_id = ?2 WHERE category_id = ?1",
                    params![id.0, BuiltInCategory::UNCATEGORIZED_ALERT.0],
                )?;
                w.change(Change::AlertsChanged);
            }
            CategoryClass::Operator => {
                w.db.run(
                    "UPDATE operators SET category_id = ?2 WHERE category_id = ?1",
                    params![id.0, BuiltInCategory::UNCATEGORIZED_OPERATOR.0],
                )?;
            }
        }
        w.db.run("DELETE FROM categories WHERE category_id = ?1", [id.0])?;
        w.change(Change::CategoriesChanged);
        Ok(())
    })
}

macro_rules! operator_columns {
    () => {
        "operator_id, name, enabled, email_address, pager_address, netsend_address, pager_days, \
         weekday_pager_start_time, weekday_pager_end_time, saturday_pager_start_time, \
         saturday_pager_end_time, sunday_pager_start_time, sunday_pager_end_time, category_id"
    };
}

fn read_operator(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        id: OperatorId(row.get(0)?),
        name: row.get(1)?,
        enabled: row.get(2)?,
        email_address: row.get(3)?,
        pager_address: row.get(4)?,
        netsend_address: row.get(5)?,
        pager_days: row.get(6)?,
        weekday_pager_start_time: row.get(7)?,
        weekday_pager_end_time: row.get(8)?,
        saturday_pager_start_time: row.get(9)?,
        saturday_pager_end_time: row.get(10)?,
        sunday_pager_start_time: row.get(11)?,
        sunday_pager_end_time: row.get(12)?,
        category: CategoryId(row.get(13)?),
    })
}

pub(super) fn operator(db: Db<'_>, id: OperatorId) -> Result<Option<Operator>> {
    db.one(
        concat!(
            "SELECT ",
            operator_columns!(),
            " FROM operators WHERE operator_id = ?1"
        ),
        [id.0],
        read_operator,
    )
}

pub(super) fn operator_by_name(db: Db<'_>, name: &str) -> Result<Option<Operator>> {
    db.one(
        concat!(
            "SELECT ",
            operator_columns!(),
            " FROM operators WHERE name_key = ?1"
        ),
        [name_key(name)],
        read_operator,
    )
}

pub(super) fn operators(db: Db<'_>) -> Result<Vec<Operator>> {
    db.all(
        concat!(
            "SELECT ",
            operator_columns!(),
            " FROM operators ORDER BY operator_id"
        ),
        [],
        read_operator,
    )
}

fn put_operator(
    w: &Definitions<'_>,
    operator: &Operator,
    id: Option<OperatorId>,
    sql: &'static str,
) -> Result<usize> {
    let result = w.db.run(
        sql,
        params![
            id.map(|id| id.0),
            operator.name,
            operator.enabled,
            operator.email_address,
            operator.pager_address,
            operator.netsend_address,
            operator.pager_days,
            operator.weekday_pager_start_time,
            operator.weekday_pager_end_time,
            operator.saturday_pager_start_time,
            operator.saturday_pager_end_time,
            operator.sunday_pager_start_time,
            operator.sunday_pager_end_time,
            operator.category.0,
            name_key(&operator.name),
        ],
    );
    taken(result, Object::Operator, &operator.name)
}

pub(super) fn create_operator(w: &mut Definitions<'_>, operator: &Operator) -> Result<OperatorId> {
    put_operator(
        w,
        operator,
        None,
        concat!(
            "INSERT INTO operators (",
            operator_columns!(),
            ", name_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        ),
    )?;
    let id = OperatorId(w.db.0.last_insert_rowid());
    w.change(Change::OperatorChanged(id));
    Ok(id)
}

pub(super) fn update_operator(w: &mut Definitions<'_>, operator: &Operator) -> Result<()> {
    let changed = put_operator(
        w,
        operator,
        Some(operator.id),
        "UPDATE operators SET name = ?2, enabled = ?3, email_address = ?4, pager_address = ?5, \
         netsend_address = ?6, pager_days = ?7, weekday_pager_start_time = ?8, \
         weekday_pager_end_time = ?9, saturday_pager_start_time = ?10, saturday_pager_end_time = ?11, \
         sunday_pager_start_time = ?12, sunday_pager_end_time = ?13, category_id = ?14, \
         name_key = ?15 WHERE operator_id = ?1",
    )?;
    found(changed, Object::Operator, operator.id)?;
    w.change(Change::OperatorChanged(operator.id));
    Ok(())
}

pub(super) fn delete_operator(
    w: &mut Definitions<'_>,
    id: OperatorId,
    reassign_to: Option<OperatorId>,
) -> Result<()> {
    w.atomically(|w| {
        if operator(w.db, id)?.is_none() {
            return Err(CatalogError::not_found(Object::Operator, id));
        }
        let next = reassign_to.unwrap_or_default();
        if next.0 != 0 && operator(w.db, next)?.is_none() {
            return Err(CatalogError::not_found(Object::Operator, next));
        }
        let jobs = super::jobs::jobs_notifying(w.db, id)?;
        w.db.run(
            "UPDATE jobs SET notify_email_operator = ?2
             WHERE notify_email_operator = ?1 AND notify_email_operator <> 0",
            params![id.0, next.0],
        )?;
        w.db.run(
            "UPDATE jobs SET notify_netsend_operator = ?2
             WHERE notify_netsend_operator = ?1 AND notify_netsend_operator <> 0",
            params![id.0, next.0],
        )?;
        w.db.run(
            "UPDATE jobs SET notify_page_operator = ?2
             WHERE notify_page_operator = ?1 AND notify_page_operator <> 0",
            params![id.0, next.0],
        )?;
        if next.0 != 0 {
            w.db.run(
                "INSERT INTO notifications (alert_id, operator_id, method)
                 SELECT alert_id, ?2, method FROM notifications WHERE operator_id = ?1
                 ON CONFLICT (alert_id, operator_id) DO UPDATE SET method = method | excluded.method",
                params![id.0, next.0],
            )?;
        }
        w.db.run("DELETE FROM operators WHERE operator_id = ?1", [id.0])?;
        w.change(Change::OperatorChanged(id));
        w.change(Change::AlertsChanged);
        for job in jobs {
            w.change(Change::JobChanged(job.id));
        }
        Ok(())
    })
}

macro_rules! alert_columns {
    () => {
        "alert_id, name, event_source, event_category_id, event_id, message_id, severity, enabled, \
         delay_between_responses, notification_message, include_event_description, database_name, \
         event_description_keyword, job_id, performance_condition, flags, category_id"
    };
}

fn read_alert(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        id: row.get(0)?,
        name: row.get(1)?,
        event_source: row.get(2)?,
        event_category_id: row.get(3)?,
        event_id: row.get(4)?,
        message_id: row.get(5)?,
        severity: row.get(6)?,
        enabled: row.get(7)?,
        delay_between_responses: row.get(8)?,
        notification_message: row.get(9)?,
        include_event_description: row.get(10)?,
        database_name: row.get(11)?,
        event_description_keyword: row.get(12)?,
        job: JobId(uuid(row, 13)?),
        performance_condition: row.get(14)?,
        flags: row.get(15)?,
        category: CategoryId(row.get(16)?),
    })
}

pub(super) fn alert(db: Db<'_>, id: i64) -> Result<Option<Alert>> {
    db.one(
        concat!(
            "SELECT ",
            alert_columns!(),
            " FROM alerts WHERE alert_id = ?1"
        ),
        [id],
        read_alert,
    )
}

pub(super) fn alert_by_name(db: Db<'_>, name: &str) -> Result<Option<Alert>> {
    db.one(
        concat!(
            "SELECT ",
            alert_columns!(),
            " FROM alerts WHERE name_key = ?1"
        ),
        [name_key(name)],
        read_alert,
    )
}

pub(super) fn alerts(db: Db<'_>) -> Result<Vec<Alert>> {
    db.all(
        concat!(
            "SELECT ",
            alert_columns!(),
            " FROM alerts ORDER BY alert_id"
        ),
        [],
        read_alert,
    )
}

fn put_alert(
    w: &Definitions<'_>,
    alert: &Alert,
    id: Option<i64>,
    sql: &'static str,
) -> Result<usize> {
    let result = w.db.run(
        sql,
        params![
            id,
            alert.name,
            alert.event_source,
            alert.event_category_id,
            alert.event_id,
            alert.message_id,
            alert.severity,
            alert.enabled,
            alert.delay_between_responses,
            alert.notification_message,
            alert.include_event_description,
            alert.database_name,
            alert.event_description_keyword,
            Bytes16(alert.job.0),
            alert.performance_condition,
            alert.flags,
            alert.category.0,
            name_key(&alert.name),
        ],
    );
    taken(result, Object::Alert, &alert.name)
}

pub(super) fn create_alert(w: &mut Definitions<'_>, alert: &Alert) -> Result<i64> {
    put_alert(
        w,
        alert,
        None,
        concat!(
            "INSERT INTO alerts (",
            alert_columns!(),
            ", name_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
             ?16, ?17, ?18)"
        ),
    )?;
    w.change(Change::AlertsChanged);
    Ok(w.db.0.last_insert_rowid())
}

pub(super) fn update_alert(w: &mut Definitions<'_>, alert: &Alert) -> Result<()> {
    let changed = put_alert(
        w,
        alert,
        Some(alert.id),
        "UPDATE alerts SET name = ?2, event_source = ?3, event_category_id = ?4, event_id = ?5, \
         message_id = ?6, severity = ?7, enabled = ?8, delay_between_responses = ?9, \
         notification_message = ?10, include_event_description = ?11, database_name = ?12, \
         event_description_keyword = ?13, job_id = ?14, performance_condition = ?15, flags = ?16, \
         category_id = ?17, name_key = ?18 WHERE alert_id = ?1",
    )?;
    found(changed, Object::Alert, alert.id)?;
    w.change(Change::AlertsChanged);
    Ok(())
}

pub(super) fn delete_alert(w: &mut Definitions<'_>, id: i64) -> Result<()> {
    let removed = w.db.run("DELETE FROM alerts WHERE alert_id = ?1", [id])?;
    found(removed, Object::Alert, id)?;
    w.change(Change::AlertsChanged);
    Ok(())
}

pub(super) fn notifications(
    db: Db<'_>,
    alert: Option<i64>,
    operator: Option<OperatorId>,
) -> Result<Vec<Notification>> {
    let read = |row: &Row<'_>| {
        Ok(Notification {
            alert: row.get(0)?,
            operator: OperatorId(row.get(1)?),
            method: row.get(2)?,
        })
    };
    match (alert, operator) {
        (None, None) => db.all(
            "SELECT alert_id, operator_id, method FROM notifications ORDER BY alert_id, operator_id",
            [],
            read,
        ),
        (Some(alert), None) => db.all(
            "SELECT alert_id, operator_id, method FROM notifications WHERE alert_id = ?1
             ORDER BY operator_id",
            [alert],
            read,
        ),
        (None, Some(operator)) => db.all(
            "SELECT alert_id, operator_id, method FROM notifications WHERE operator_id = ?1
             ORDER BY alert_id",
            [operator.0],
            read,
        ),
        (Some(alert), Some(operator)) => db.all(
            "SELECT alert_id, operator_id, method FROM notifications
             WHERE alert_id = ?1 AND operator_id = ?2",
            params![alert, operator.0],
            read,
        ),
    }
}

pub(super) fn create_notification(
    w: &mut Definitions<'_>,
    notification: &Notification,
) -> Result<()> {
    if alert(w.db, notification.alert)?.is_none() {
        return Err(CatalogError::not_found(Object::Alert, notification.alert));
    }
    if operator(w.db, notification.operator)?.is_none() {
        return Err(CatalogError::not_found(
            Object::Operator,
            notification.operator,
        ));
    }
    let result = w.db.run(
        "INSERT INTO notifications (alert_id, operator_id, method) VALUES (?1, ?2, ?3)",
        params![
            notification.alert,
            notification.operator.0,
            notification.method
        ],
    );
    taken(result, Object::Notification, notification.operator)?;
    w.change(Change::AlertsChanged);
    Ok(())
}

pub(super) fn update_notification(
    w: &mut Definitions<'_>,
    notification: &Notification,
) -> Result<()> {
    let changed = w.db.run(
        "UPDATE notifications SET method = ?3 WHERE alert_id = ?1 AND operator_id = ?2",
        params![
            notification.alert,
            notification.operator.0,
            notification.method
        ],
    )?;
    found(changed, Object::Notification, notification.operator)?;
    w.change(Change::AlertsChanged);
    Ok(())
}

pub(super) fn delete_notification(
    w: &mut Definitions<'_>,
    alert: i64,
    operator: OperatorId,
) -> Result<()> {
    let removed = w.db.run(
        "DELETE FROM notifications WHERE alert_id = ?1 AND operator_id = ?2",
        params![alert, operator.0],
    )?;
    found(removed, Object::Notification, operator)?;
    w.change(Change::AlertsChanged);
    Ok(())
}
