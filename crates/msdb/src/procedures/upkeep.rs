//! What scripts of upkeep call. Where Muster keeps nothing that could be purged or brought up to date, the calls that
//! keep it small have nothing to do.

use crate::call::{Call, Output, Store};
use crate::declare::{DIRTREE, DIRTREE_FILES, FILE_EXIST, LOGIN_CONFIG, SUBDIRS, VALIDATE_LOGINS};
use crate::error::Result;
use crate::messages::raise;
use crate::system::object_named;
use std::path::{Path, PathBuf};
use tsql::{Row, SqlError, Value};

/// `sp_MSforeachtable`: each command for each table that users made in the current database.
pub(super) const FOR_EACH_TABLE: &str = "\
SET NOCOUNT ON;
IF @precommand IS NOT NULL EXEC (@precommand);
DECLARE @muster_name nvarchar(517), @muster_text nvarchar(max);
CREATE TABLE #muster_tables (place int IDENTITY, name nvarchar(517));
SET @muster_text = N'INSERT INTO #muster_tables (name) SELECT QUOTENAME(SCHEMA_NAME(o.schema_id)) + N''.'' + QUOTENAME(o.name)
    FROM sys.objects AS o WHERE o.type = ''U'' AND o.is_ms_shipped = 0 ' + ISNULL(@whereand, N'') + N' ORDER BY o.object_id';
EXEC (@muster_text);
DECLARE muster_tables CURSOR LOCAL STATIC FOR SELECT name FROM #muster_tables ORDER BY place;
OPEN muster_tables;
FETCH NEXT FROM muster_tables INTO @muster_name;
WHILE @@FETCH_STATUS = 0
BEGIN
    SET @muster_text = REPLACE(@command1, @replacechar, @muster_name);
    EXEC (@muster_text);
    SET @muster_text = REPLACE(@command2, @replacechar, @muster_name);
    IF @muster_text IS NOT NULL EXEC (@muster_text);
    SET @muster_text = REPLACE(@command3, @replacechar, @muster_name);
    IF @muster_text IS NOT NULL EXEC (@muster_text);
    FETCH NEXT FROM muster_tables INTO @muster_name;
END;
CLOSE muster_tables;
DEALLOCATE muster_tables;
IF @postcommand IS NOT NULL EXEC (@postcommand);";

/// `sp_sqlexec`
pub(super) const SQL_EXEC: &str = "DECLARE @muster_text nvarchar(max) = @p1; EXEC (@muster_text);";

/// Most entries that a directory is listed with.
const ENTRIES_MAX: usize = 100_000;
/// How deep a tree is followed.
const DEPTH_MAX: i32 = 64;

/// Nothing to do, or all that there is to do is T-SQL.
pub(super) fn nothing(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    Ok(())
}

/// 15009 unless the object is there.
fn object(call: &Call<'_>, store: &mut Store<'_>, parameter: &str) -> Result<()> {
    let name = call.name(parameter).unwrap_or_default().to_owned();
    let found = store.read(|definitions| {
        let scanner = call.scanner(definitions);
        Ok(object_named(&scanner, &name)?.is_some())
    })?;
    if found {
        Ok(())
    } else {
        Err(raise(15009, &[(&name).into(), call.database.into()]).into())
    }
}

/// `sp_recompile`: no plans are kept that could grow old.
pub(super) fn recompile(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    object(call, store, "@objname")?;
    let name = call.name("@objname").unwrap_or_default();
    let text = format!("Object '{name}' was successfully marked for recompilation.");
    out.message(SqlError::new(15070, 10, text));
    Ok(())
}

/// `sp_refreshview`: views bind anew whenever they are used.
pub(super) fn refresh_view(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    object(call, store, "@viewname")
}

/// `sp_refreshsqlmodule`
pub(super) fn refresh_module(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    object(call, store, "@name")
}

/// `sp_MS_marksystemobject`: procedures of master named `sp_…` are found from every database as it is.
pub(super) fn mark_system_object(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    object(call, store, "@objname")
}

/// `sp_validatelogins`: there are no Windows logins that could be gone.
pub(super) fn validate_logins(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(VALIDATE_LOGINS, Vec::new());
    Ok(())
}

/// `xp_sqlagent_is_starting`: it has started.
pub(super) fn agent_is_starting(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.set("@retval", Value::Int(0));
    Ok(())
}

/// `xp_loginconfig`
pub(super) fn login_config(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let machine = call.services.instance().machine;
    let settings = [
        ("login mode", "Mixed"),
        ("default login", ""),
        ("default domain", machine.as_str()),
        ("audit level", "failure"),
        ("set hostname", "false"),
        ("map _", "domain separator"),
        ("map $", "NULL"),
        ("map #", "-"),
    ];
    let wanted = call.name("@config_name");
    let rows = settings
        .into_iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name)))
        .map(|(name, value)| vec![Value::string(name), Value::string(value)]);
    out.result(LOGIN_CONFIG, rows.collect());
    Ok(())
}

/// `xp_fileexist`
pub(super) fn file_exist(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let path = Path::new(call.name("@filename").unwrap_or_default());
    let file = i32::from(path.is_file());
    if call.given("@exists") {
        out.set("@exists", Value::Int(file));
        return Ok(());
    }
    let parent = path.parent().is_some_and(Path::is_dir);
    let row = [file, i32::from(path.is_dir()), i32::from(parent)];
    out.result(FILE_EXIST, vec![row.map(Value::Int).to_vec()]);
    Ok(())
}

/// `xp_subdirs`
pub(super) fn subdirs(call: &Call<'_>, _store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let root = PathBuf::from(call.name("@path").unwrap_or_default());
    let rows = entries(&root)
        .into_iter()
        .filter(|(_, directory)| *directory)
        .map(|(name, _)| vec![Value::String(name)]);
    out.result(SUBDIRS, rows.collect());
    Ok(())
}

/// `xp_dirtree`: a path that cannot be read has no rows, as on SQL Server.
pub(super) fn dirtree(call: &Call<'_>, _store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let root = PathBuf::from(call.name("@path").unwrap_or_default());
    let files = call.int("@file").unwrap_or(0) != 0;
    let depth = match call.int("@depth").unwrap_or(0) {
        depth if depth > 0 => depth.min(DEPTH_MAX),
        _ => DEPTH_MAX,
    };
    let mut rows = Vec::new();
    tree(&root, 1, depth, files, &mut rows);
    out.result(if files { DIRTREE_FILES } else { DIRTREE }, rows);
    Ok(())
}

fn tree(directory: &Path, level: i32, depth: i32, files: bool, rows: &mut Vec<Row>) {
    for (name, is_directory) in entries(directory) {
        if rows.len() >= ENTRIES_MAX {
            return;
        }
        if is_directory || files {
            let mut row = vec![Value::string(name.as_str()), Value::Int(level)];
            if files {
                row.push(Value::Int(i32::from(!is_directory)));
            }
            rows.push(row);
        }
        if is_directory && level < depth {
            tree(&directory.join(&name), level + 1, depth, files, rows);
        }
    }
}

/// Names in a directory, and whether each is one itself; links are not followed.
fn entries(directory: &Path) -> Vec<(String, bool)> {
    let Ok(read) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut found: Vec<(String, bool)> = read
        .flatten()
        .take(ENTRIES_MAX)
        .map(|entry| {
            let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            (entry.file_name().to_string_lossy().into_owned(), directory)
        })
        .collect();
    found.sort();
    found
}
