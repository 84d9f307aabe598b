//! The Rust client `tiberius` against the real program: logins, scripts, types, errors, parameters.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::large_futures,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

mod harness;

use harness::{Instance, PASSWORD, Scratch};
use std::path::Path;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

async fn connect(
    instance: &Instance,
    encryption: EncryptionLevel,
) -> tiberius::Result<Client<Compat<TcpStream>>> {
    let mut config = Config::new();
    config.host(instance.address.ip().to_string());
    config.port(instance.address.port());
    config.database("msdb");
    config.authentication(AuthMethod::sql_server("sa", PASSWORD));
    config.encryption(encryption);
    config.trust_cert();
    let stream = TcpStream::connect(instance.address).await?;
    stream.set_nodelay(true)?;
    Client::connect(config, stream.compat_write()).await
}

fn examples() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 6, "{paths:?}");
    paths
}

#[tokio::test]
async fn tiberius_runs_the_examples_and_sees_types_and_errors() {
    let scratch = Scratch::new("tiberius");
    let master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let targets: Vec<Instance> = (1..=3)
        .map(|i| Instance::start(&scratch, &format!("TARGET{i}")))
        .collect();
    for target in &targets {
        target.enlist(&master);
    }
    for encryption in [EncryptionLevel::Required, EncryptionLevel::Off] {
        let mut client = connect(&master, encryption).await.unwrap();
        for path in examples() {
            let script = std::fs::read_to_string(&path).unwrap();
            for batch in tsql::parser::split_batches(&script) {
                client
                    .simple_query(batch.text)
                    .await
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                    .into_results()
                    .await
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        let row = client
            .query(
                "SELECT COUNT(*) AS jobs, @P1 AS text, GETDATE() AS moment, NEWID() AS id FROM msdb.dbo.sysjobs",
                &[&"O'Brien ❤"],
            )
            .await
            .unwrap()
            .into_row()
            .await
            .unwrap()
            .unwrap();
        assert!(row.get::<i32, _>("jobs").unwrap() >= 6);
        assert_eq!(row.get::<&str, _>("text"), Some("O'Brien ❤"));
        // The error may come with the first token or behind the first result.
        let missing = "EXEC msdb.dbo.sp_start_job @job_name = N'there is none'";
        let error = match client.simple_query(missing).await {
            Ok(stream) => stream.into_results().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.code(), Some(14262), "{error}");
        for job in client
            .simple_query("SELECT name FROM msdb.dbo.sysjobs")
            .await
            .unwrap()
            .into_first_result()
            .await
            .unwrap()
        {
            let name: &str = job.get(0).unwrap();
            client
                .execute("EXEC msdb.dbo.sp_delete_job @job_name = @P1", &[&name])
                .await
                .unwrap();
        }
        client.close().await.unwrap();
    }
    let mut wrong = Config::new();
    wrong.authentication(AuthMethod::sql_server("sa", "wrong"));
    wrong.trust_cert();
    let stream = TcpStream::connect(master.address).await.unwrap();
    let error = Client::connect(wrong, stream.compat_write())
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), Some(18456), "{error}");
}
