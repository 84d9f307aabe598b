//! The tasks of `external.py` for Microsoft's crate `mssql-tds`.

use mssql_tds::connection::client_context::ClientContext;
use mssql_tds::connection::tds_client::{ExecuteOptions, ResultSet, TdsClient};
use mssql_tds::connection_provider::tds_connection_provider::TdsConnectionProvider;
use mssql_tds::core::{CancelHandle, EncryptionOptions, EncryptionSetting};
use mssql_tds::datatypes::column_values::ColumnValues;
use mssql_tds::datatypes::sql_string::SqlString;
use mssql_tds::datatypes::sqltypes::SqlType;
use mssql_tds::error::Error;
use mssql_tds::message::parameters::rpc_parameters::{RpcParameter, StatusFlags};
use serde::Deserialize;
use std::path::PathBuf;

/// Version in Cargo.toml, which asks for exactly this one.
const VERSION: &str = "0.3.0";

type Failure = Box<dyn std::error::Error>;
type Cell = Result<String, Failure>;

#[derive(Deserialize)]
struct Plan {
    host: String,
    port: u16,
    user: String,
    password: String,
    certificate: PathBuf,
    scripts: Vec<Vec<String>>,
    tables: Vec<String>,
    errors: Vec<(String, u32, String)>,
    long_sql: String,
    running_sql: String,
    megabyte: String,
    read_sql: String,
    read_bytes: usize,
    job: String,
}

fn main() {
    let text = std::io::read_to_string(std::io::stdin()).unwrap();
    say("version", &Ok(VERSION.to_owned()));
    // Asked for the version alone, the plan has nothing else.
    let Ok(plan) = serde_json::from_str::<Plan>(&text) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        say("encryption", &encryption(&plan).await);
        say("scripts", &scripts(&plan).await);
        say("tables", &tables(&plan).await);
        say("output", &output(&plan).await);
        say("errors", &errors(&plan).await);
        say("cancel", &cancel(&plan).await);
        say("send", &send(&plan).await);
        say("read", &read(&plan).await);
    });
}

fn say(task: &str, cell: &Cell) {
    let answer = match cell {
        Ok(cell) => serde_json::json!({"task": task, "cell": cell}),
        Err(error) => serde_json::json!({"task": task, "failed": error.to_string()}),
    };
    println!("{answer}");
}

async fn connect(plan: &Plan, mode: EncryptionSetting) -> Result<TdsClient, Error> {
    let mut context = ClientContext::default();
    context.user_name.clone_from(&plan.user);
    context.password.clone_from(&plan.password);
    context.database = "msdb".to_owned();
    context.encryption_options = EncryptionOptions {
        mode,
        trust_server_certificate: false,
        host_name_in_cert: None,
        server_certificate: Some(plan.certificate.clone()),
    };
    let server = format!("tcp:{},{}", plan.host, plan.port);
    TdsConnectionProvider {}
        .create_client(context, &server, None)
        .await
}

/// The rows of all results, to the end of the batch.
async fn rows(client: &mut TdsClient) -> Result<Vec<Vec<ColumnValues>>, Error> {
    let mut found = Vec::new();
    loop {
        if client.on_rows() {
            while let Some(row) = client.next_row().await? {
                found.push(row);
            }
        }
        if !client.advance_to_rows().await? {
            break;
        }
    }
    client.close_query().await?;
    Ok(found)
}

async fn batch(client: &mut TdsClient, sql: &str) -> Result<Vec<Vec<ColumnValues>>, Error> {
    client.execute(sql.to_owned(), ()).await?;
    rows(client).await
}

fn text(value: &ColumnValues) -> String {
    match value {
        ColumnValues::String(text) => text.to_utf8_string(),
        other => format!("{other:?}"),
    }
}

async fn encryption(plan: &Plan) -> Cell {
    let modes = [
        ("login", EncryptionSetting::PreferOff, "FALSE"),
        ("all", EncryptionSetting::On, "TRUE"),
        ("strict", EncryptionSetting::Strict, "TRUE"),
    ];
    for (name, mode, expected) in modes {
        let mut client = connect(plan, mode).await?;
        let sql = "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID";
        let found = batch(&mut client, sql).await?;
        let found = text(&found[0][0]);
        if found != expected {
            return Err(format!("{name}: {found}").into());
        }
        client.close_connection().await?;
    }
    Ok(modes.map(|(name, ..)| name).join(", "))
}

async fn scripts(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    for script in &plan.scripts {
        for text in script {
            batch(&mut client, text).await?;
        }
    }
    Ok(String::new())
}

async fn tables(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    for table in &plan.tables {
        batch(&mut client, &format!("SELECT * FROM msdb.dbo.{table}")).await?;
    }
    Ok(plan.tables.len().to_string())
}

async fn output(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    let named = |name: &str, flags, value| RpcParameter::new(Some(name.to_owned()), flags, value);
    let job = SqlString::from_utf8_string(plan.job.clone());
    let parameters = vec![
        named("@job_name", StatusFlags::NONE, SqlType::NVarchar(Some(job), 128)),
        named("@job_id", StatusFlags::BY_REF_VALUE, SqlType::Uuid(None)),
    ];
    client
        .execute_stored_procedure("msdb.dbo.sp_add_job".to_owned(), None, Some(parameters), ())
        .await?;
    rows(&mut client).await?;
    if client.get_return_status() != Some(0) {
        return Err(format!("return status {:?}", client.get_return_status()).into());
    }
    match client.get_return_values().first().map(|found| &found.value) {
        Some(ColumnValues::Uuid(id)) => Ok(id.to_string()),
        other => Err(format!("{other:?}").into()),
    }
}

async fn errors(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    for (sql, number, text) in &plan.errors {
        match batch(&mut client, sql).await {
            Err(Error::SqlServerError { diagnostics }) => {
                let first = &diagnostics.errors[0];
                if first.number != *number || !first.message.contains(text) {
                    return Err(format!("{sql}: {first:?}").into());
                }
            }
            other => return Err(format!("{sql}: {other:?}").into()),
        }
    }
    Ok(String::new())
}

async fn cancel(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    let mut other = connect(plan, EncryptionSetting::On).await?;
    let handle = CancelHandle::new();
    let options = ExecuteOptions {
        cancel: Some(&handle),
        ..ExecuteOptions::default()
    };
    let watch = async {
        loop {
            let found = batch(&mut other, &plan.running_sql).await?;
            if matches!(found[0][0], ColumnValues::Int(running) if running > 1) {
                handle.cancel();
                return Ok::<(), Error>(());
            }
        }
    };
    let (ended, watched) = tokio::join!(client.execute(plan.long_sql.clone(), options), watch);
    watched?;
    match ended {
        Err(Error::OperationCancelledError(_)) => {}
        other => return Err(format!("{other:?}").into()),
    }
    match batch(&mut client, "SELECT 1").await?.as_slice() {
        [row] if matches!(row[0], ColumnValues::Int(1)) => Ok(String::new()),
        other => Err(format!("{other:?}").into()),
    }
}

async fn send(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    let value = SqlString::from_utf8_string(plan.megabyte.clone());
    let parameter = RpcParameter::new(
        Some("@text".to_owned()),
        StatusFlags::NONE,
        SqlType::NVarcharMax(Some(value)),
    );
    client
        .execute_sp_executesql("SELECT @text".to_owned(), vec![parameter], ())
        .await?;
    let found = rows(&mut client).await?;
    if text(&found[0][0]) == plan.megabyte {
        Ok(String::new())
    } else {
        Err("the text came back changed".into())
    }
}

async fn read(plan: &Plan) -> Cell {
    let mut client = connect(plan, EncryptionSetting::On).await?;
    let found = batch(&mut client, &plan.read_sql).await?;
    match text(&found[0][0]).len() {
        length if length == plan.read_bytes => Ok(String::new()),
        length => Err(format!("{length} bytes").into()),
    }
}
