//! The addresses that a master tells beside the one enlisted at, kept for the next start: the first may be the
//! one that is down then.

use catalog::{Catalog, CatalogError, DefinitionsRead, SettingValue};
use model::Generation;

/// Setting that holds them: the generation they belong to, then a line for each.
const ADDRESSES_SETTING: &str = "fleet/master-addresses";

/// What the master of this enlistment told last; none before it did.
///
/// # Errors
/// What the catalog says.
pub fn told_addresses(
    read: &dyn DefinitionsRead,
    generation: Generation,
) -> Result<Vec<String>, CatalogError> {
    let value = read.setting(ADDRESSES_SETTING)?;
    let text = value.as_ref().and_then(SettingValue::as_text);
    let mut lines = text.unwrap_or_default().lines();
    let theirs = lines.next() == Some(generation.0.to_string().as_str());
    Ok(lines.filter(|_| theirs).map(ToOwned::to_owned).collect())
}

/// Keeps what the master told; writes nothing where it is known.
///
/// # Errors
/// What the catalog says.
pub(super) fn keep_addresses(
    catalog: &Catalog,
    generation: Generation,
    addresses: &[String],
) -> Result<(), CatalogError> {
    if catalog.definitions_read(|read| told_addresses(read, generation))? == addresses {
        return Ok(());
    }
    let lines = std::iter::once(generation.0.to_string()).chain(addresses.iter().cloned());
    let value = SettingValue::Text(lines.collect::<Vec<_>>().join("\n"));
    catalog.definitions_write(|write| write.set_setting(ADDRESSES_SETTING, Some(&value)))
}
