//! Categories.

use super::text::{Call, heading, literal};
use super::{Kind, Script};
use crate::error::Result;
use catalog::{Category, CategoryClass, CategoryKind, DefinitionsRead};

/// Ids of categories made by administrators begin here. Source: `syscategories`, built-in rows.
const FIRST_OWN: i64 = 100;

pub(super) fn scripts(definitions: &dyn DefinitionsRead) -> Result<Vec<Script>> {
    let categories = definitions.categories()?.into_iter();
    Ok(categories
        .filter(|category| category.id.0 >= FIRST_OWN)
        .map(|category| {
            let text = unless_there(
                &category,
                &adding(Call::new("sp_add_category"), &category).done(),
            );
            Script::new(Kind::Category, &category.name, text)
        })
        .collect())
}

pub(super) fn adding(call: Call, category: &Category) -> Call {
    call.text("@class", class(category.class))
        .text("@type", kind(category.kind))
        .text("@name", &category.name)
}

/// The statements, run only where the category is not there yet.
pub(super) fn unless_there(category: &Category, statements: &str) -> String {
    let name = literal(&category.name);
    let class = category.class.code();
    format!(
        "{}IF NOT EXISTS (SELECT name FROM msdb.dbo.syscategories WHERE name={name} AND category_class={class})\n\
         BEGIN\n{statements}\nEND\n",
        heading("JobCategory", &category.name),
    )
}

const fn class(class: CategoryClass) -> &'static str {
    match class {
        CategoryClass::Job => "JOB",
        CategoryClass::Alert => "ALERT",
        CategoryClass::Operator => "OPERATOR",
    }
}

const fn kind(kind: CategoryKind) -> &'static str {
    match kind {
        CategoryKind::Local => "LOCAL",
        CategoryKind::Multiserver => "MULTI-SERVER",
        CategoryKind::None => "NONE",
    }
}
