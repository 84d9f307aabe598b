//! Categories: sp_add_category, sp_update_category, sp_delete_category, sp_help_category.

use crate::call::{Call, Output, Store};
use crate::convert::{int, tinyint};
use crate::declare::{HELP_CATEGORY_CATEGORIES, HELP_CATEGORY_CATEGORIES_TEXT};
use crate::error::Result;
use crate::messages::{none_of, raise, taken};
use catalog::{BuiltInCategory, Category, CategoryClass, CategoryKind, DefinitionsRead, name_key};
use tsql::Value;

/// `sp_add_category`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let class = class(call)?;
    let kind = kind(call, class)?.unwrap_or(match class {
        CategoryClass::Job => CategoryKind::Local,
        CategoryClass::Alert | CategoryClass::Operator => CategoryKind::None,
    });
    let name = required_name(call, "@name")?;
    store.write(call, |definitions| {
        check_free(&*definitions, class, "@name", name)?;
        definitions.create_category(class, kind, name)?;
        Ok(())
    })
}

/// `sp_update_category`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let class = class(call)?;
    let new_name = required_name(call, "@new_name")?;
    store.write(call, |definitions| {
        let category = own_category(call, &*definitions, class)?;
        if name_key(&category.name) != name_key(new_name) {
            check_free(&*definitions, class, "@new_name", new_name)?;
        }
        Ok(definitions.rename_category(category.id, new_name)?)
    })
}

/// `sp_delete_category`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let class = class(call)?;
    store.write(call, |definitions| {
        let category = own_category(call, &*definitions, class)?;
        Ok(definitions.delete_category(category.id)?)
    })
}

/// `sp_help_category`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let class = class(call)?;
    let kind = kind(call, class)?;
    let suffix = call.bit("@suffix");
    let name = call.name("@name");
    let mut categories = store.read(|definitions| Ok(definitions.categories()?))?;
    categories.retain(|category| {
        category.class == class
            && kind.is_none_or(|kind| category.kind == kind)
            && name.is_none_or(|name| name_key(&category.name) == name_key(name))
    });
    categories.sort_by_key(|category| category.name.to_lowercase());
    let rows = categories
        .into_iter()
        .map(|category| {
            let kind = if suffix {
                Value::string(kind_word(category.kind))
            } else {
                tinyint(category.kind.code())
            };
            vec![int(category.id.0), kind, Value::string(category.name)]
        })
        .collect();
    let columns = if suffix {
        HELP_CATEGORY_CATEGORIES_TEXT
    } else {
        HELP_CATEGORY_CATEGORIES
    };
    out.result(columns, rows);
    Ok(())
}

const fn kind_word(kind: CategoryKind) -> &'static str {
    match kind {
        CategoryKind::Local => "LOCAL",
        CategoryKind::Multiserver => "MULTI-SERVER",
        CategoryKind::None => "NONE",
    }
}

fn class(call: &Call<'_>) -> Result<CategoryClass> {
    match call
        .name("@class")
        .unwrap_or_default()
        .to_uppercase()
        .as_str()
    {
        "JOB" => Ok(CategoryClass::Job),
        "ALERT" => Ok(CategoryClass::Alert),
        "OPERATOR" => Ok(CategoryClass::Operator),
        _ => Err(none_of("@class", "JOB, ALERT, OPERATOR").into()),
    }
}

/// The kind given: LOCAL and MULTI-SERVER for jobs, NONE for the others. sp_add_category's default of LOCAL
/// means NONE there.
fn kind(call: &Call<'_>, class: CategoryClass) -> Result<Option<CategoryKind>> {
    let Some(word) = call.name("@type") else {
        return Ok(None);
    };
    let job = class == CategoryClass::Job;
    match word.to_uppercase().as_str() {
        "LOCAL" if job => Ok(Some(CategoryKind::Local)),
        "MULTI-SERVER" if job => Ok(Some(CategoryKind::Multiserver)),
        "NONE" if !job => Ok(Some(CategoryKind::None)),
        _ if !job && !call.given("@type") => Ok(None),
        _ if job => Err(none_of("@type", "LOCAL, MULTI-SERVER").into()),
        _ => Err(none_of("@type", "NONE").into()),
    }
}

fn required_name<'c>(call: &'c Call<'_>, parameter: &str) -> Result<&'c str> {
    call.name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]).into())
}

fn check_free(
    definitions: &dyn DefinitionsRead,
    class: CategoryClass,
    parameter: &str,
    name: &str,
) -> Result<()> {
    match definitions.category_by_name(class, name)? {
        None => Ok(()),
        Some(_) => Err(taken(parameter, name).into()),
    }
}

/// The category of `@name`, made by an administrator: 14526 for none, 14276 for a built-in one.
fn own_category(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    class: CategoryClass,
) -> Result<Category> {
    let name = required_name(call, "@name")?;
    let word = match class {
        CategoryClass::Job => "JOB",
        CategoryClass::Alert => "ALERT",
        CategoryClass::Operator => "OPERATOR",
    };
    let category = definitions
        .category_by_name(class, name)?
        .ok_or_else(|| raise(14526, &[name.into(), word.into()]))?;
    if BuiltInCategory::ALL
        .iter()
        .any(|built_in| built_in.id == category.id.0)
    {
        return Err(raise(14276, &[name.into(), word.into()]).into());
    }
    Ok(category)
}
