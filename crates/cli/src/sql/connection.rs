//! A logged-in connection that blocks, with Ctrl-C as cancellation.

use server::tds_front::client::{Canceller, ClientError, ClientOptions, SqlClient};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tds::reply::Event;
use tokio::runtime::{Builder, Runtime};
use tsql::Value;

/// Exit status after Ctrl-C while nothing runs.
const INTERRUPTED: i32 = 130;

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The runtime could not start.
    #[error("start the network runtime")]
    Runtime(#[source] io::Error),
    /// Connecting, logging in or speaking failed.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A logged-in connection.
pub(super) struct Connection {
    runtime: Runtime,
    client: SqlClient,
    busy: Arc<AtomicBool>,
    /// The server's name, as its messages are headed.
    pub(super) server_name: String,
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub(super) fn open(options: &ClientOptions) -> Result<Self, ConnectionError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(ConnectionError::Runtime)?;
        let client = runtime.block_on(SqlClient::connect(options))?;
        let busy = Arc::new(AtomicBool::new(false));
        runtime.spawn(watch_interrupts(client.canceller(), Arc::clone(&busy)));
        let mut connection = Self {
            runtime,
            client,
            busy,
            server_name: options.host.clone(),
        };
        connection.ask_server_name()?;
        Ok(connection)
    }

    /// Errors on the wire lack the server's name, which sqlcmd shows with each.
    fn ask_server_name(&mut self) -> Result<(), ConnectionError> {
        let mut name = None;
        self.batch("SELECT @@SERVERNAME", |event| {
            if let Event::Row(row) = event
                && let Some(Value::String(text)) = row.into_iter().next()
            {
                name = Some(text);
            }
            ControlFlow::Continue(())
        })?;
        if let Some(name) = name {
            self.server_name = name;
        }
        Ok(())
    }

    /// Runs a batch to its end. Ctrl-C meanwhile cancels it.
    ///
    /// # Errors
    /// [`ConnectionError::Client`] when the connection is beyond use.
    pub(super) fn batch(
        &mut self,
        text: &str,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), ConnectionError> {
        self.busy.store(true, Ordering::SeqCst);
        let result = self.runtime.block_on(self.client.batch(text, on_event));
        self.busy.store(false, Ordering::SeqCst);
        Ok(result?)
    }

    /// Closes the connection in good order.
    pub(super) fn close(self) {
        self.runtime.block_on(self.client.close());
    }
}

async fn watch_interrupts(canceller: Canceller, busy: Arc<AtomicBool>) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if busy.load(Ordering::SeqCst) {
            canceller.cancel();
        } else {
            std::process::exit(INTERRUPTED);
        }
    }
}
