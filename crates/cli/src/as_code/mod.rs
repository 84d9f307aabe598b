//! `muster script` and `muster apply`: definitions as T-SQL, out and in.
//!
//! The instance writes the scripts (`sp_muster_script`) and rehearses what is to be applied
//! (`sp_muster_rehearsal`): the differences are those between the definitions before and within the rehearsal.

mod difference;

use crate::at::InstanceArgs;
use crate::commands::{fail, print};
use clap::{Args, ValueEnum};
use difference::{Definition, differences};
use server::control::ResultTable;
use std::path::PathBuf;
use std::process::ExitCode;

/// Kinds of definitions that can be scripted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Job,
    Schedule,
    Operator,
    Alert,
    Proxy,
    Category,
    #[value(name = "targetgroup")]
    TargetGroup,
    All,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Job => "JOB",
            Self::Schedule => "SCHEDULE",
            Self::Operator => "OPERATOR",
            Self::Alert => "ALERT",
            Self::Proxy => "PROXY",
            Self::Category => "CATEGORY",
            Self::TargetGroup => "TARGETGROUP",
            Self::All => "ALL",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScriptArgs {
    /// What to script
    kind: Kind,
    /// Its name; every one of the kind when not given
    name: Option<String>,
    #[command(flatten)]
    at: InstanceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Scripts, applied in this order in one session; their $(NAME) stay as they are
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only show what would differ
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    at: InstanceArgs,
}

/// `muster script`
pub(crate) fn script(args: &ScriptArgs) -> ExitCode {
    let name = match &args.name {
        Some(name) => format!("N'{}'", name.replace('\'', "''")),
        None => "NULL".to_owned(),
    };
    let sql = format!(
        "EXEC msdb.dbo.sp_muster_script @object_type = '{}', @name = {name}",
        args.kind.word()
    );
    match args
        .at
        .run(&sql)
        .and_then(|results| definitions(results.first()))
    {
        Ok(found) => {
            let texts: Vec<String> = found.into_iter().map(|one| one.script).collect();
            print(texts.join("\n").trim_end())
        }
        Err(message) => fail(&message),
    }
}

/// `muster apply`: shows the differences, then applies the scripts as they stand.
pub(crate) fn apply(args: &ApplyArgs) -> ExitCode {
    match applied(args) {
        Ok(text) => print(&text),
        Err(message) => fail(&message),
    }
}

fn applied(args: &ApplyArgs) -> Result<String, String> {
    let mut script = String::new();
    for path in &args.files {
        let text = crate::sql::read_script(path)?;
        script.push_str(&text);
        script.push_str("\nGO\n");
    }
    // The rehearsal ends with its session: nothing that the script runs can leave it.
    let rehearsal = format!(
        "EXEC msdb.dbo.sp_muster_rehearsal 1\nGO\nEXEC msdb.dbo.sp_muster_script\nGO\n{script}\
         USE msdb\nGO\nEXEC msdb.dbo.sp_muster_script\nGO\n"
    );
    let results = args.at.run(&rehearsal).map_err(|message| {
        format!("the scripts do not apply, and nothing was changed: {message}")
    })?;
    let before = definitions(results.first())?;
    let after = definitions(results.last())?;
    let found = differences(&before, &after);
    let shown = if found.is_empty() {
        "no differences".to_owned()
    } else {
        found
    };
    if args.dry_run {
        return Ok(shown);
    }
    if print(&shown) != ExitCode::SUCCESS {
        return Err("the differences could not be shown; nothing was changed".to_owned());
    }
    args.at
        .run(&script)
        .map_err(|message| format!("the scripts were not applied to their end: {message}"))?;
    Ok("applied".to_owned())
}

/// The rows of `sp_muster_script`.
fn definitions(result: Option<&ResultTable>) -> Result<Vec<Definition>, String> {
    let unlike = || "the instance answered something else; is it another version?".to_owned();
    let result = result.ok_or_else(unlike)?;
    result
        .rows
        .iter()
        .map(|row| match row.as_slice() {
            [Some(kind), Some(name), Some(script)] => Ok(Definition {
                kind: kind.clone(),
                name: name.clone(),
                script: script.clone(),
            }),
            _ => Err(unlike()),
        })
        .collect()
}
