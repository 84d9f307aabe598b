//! Whether this instance is a target: keeps the target's end running as long as an enlistment is stored.

use crate::clock::Clock;
use crate::enlist::apply::ENLIST_TIMEOUT;
use crate::identity::FileSealer;
use crate::services::encryption_option;
use crate::target_end::{
    MasterRoute, Orders, TargetAgent, TargetEnd, TargetStore, leave, run, told_addresses,
};
use catalog::{Catalog, CatalogError, Change, Subscription};
use fleet::message::TargetFacts;
use model::InstanceId;
use msdb::services::{Defected, RemoteError};
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// What the target's end is made of, and the one that runs.
pub struct Membership {
    /// Definitions and runs.
    pub catalog: Catalog,
    /// The agent that carries out orders.
    pub agent: Arc<dyn TargetAgent>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Opens the client key.
    pub sealer: Arc<FileSealer>,
    /// Authorities given by `--master-ca`.
    pub authorities: Vec<CertificateDer<'static>>,
    /// This instance.
    pub instance: InstanceId,
    /// Its name.
    pub name: String,
    /// Version of this program.
    pub program_version: String,
    /// Where the task runs.
    pub runtime: Handle,
    /// The running end, as only one may be.
    pub running: RunningEnd,
}

/// The target's end that runs, if any.
#[derive(Default)]
pub struct RunningEnd {
    /// Held while one end is stopped and another started.
    changing: Mutex<()>,
    end: Mutex<Option<Running>>,
}

struct Running {
    orders: Arc<Orders>,
    task: JoinHandle<()>,
}

impl Membership {
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        lock(&self.running.end)
    }

    /// Ends the running target's end, if any, and starts one for the stored enlistment, if any. Blocks until
    /// nothing of the older one is under way.
    pub fn restart(&self) {
        let _changing = lock(&self.running.changing);
        self.end_running();
        match self.prepare() {
            Ok(Some(end)) => {
                let orders = Arc::<Orders>::default();
                let task = self.runtime.spawn({
                    let orders = Arc::clone(&orders);
                    async move {
                        if let Err(error) = run(end, orders).await {
                            tracing::error!(%error, "the target's end stopped");
                        }
                    }
                });
                *self.running() = Some(Running { orders, task });
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error, "the enlistment is not usable; enlist again");
            }
        }
    }

    /// Ends the target's end. Blocks until nothing of it is under way.
    pub fn stop(&self) {
        let _changing = lock(&self.running.changing);
        self.end_running();
    }

    fn end_running(&self) {
        let Some(Running { orders, task }) = self.running().take() else {
            return;
        };
        orders.stop();
        if self.runtime.block_on(task).is_err() {
            tracing::error!("the target's end did not end in order");
        }
    }

    fn prepare(&self) -> Result<Option<TargetEnd>, String> {
        let told = |error: CatalogError| error.to_string();
        let enlistment = self.catalog.definitions_read(|read| {
            let Some(row) = read.enlistment()? else {
                return Ok(None);
            };
            let addresses = told_addresses(read, row.enlistment.generation)?;
            Ok(Some((row, addresses)))
        });
        let Some((row, addresses)) = enlistment.map_err(told)? else {
            return Ok(None);
        };
        let option = encryption_option(&self.catalog).map_err(told)?;
        let mut route = MasterRoute::new(&row, &self.sealer, &self.authorities, option)
            .map_err(|error| error.to_string())?;
        route.learn(&addresses);
        let now = self.clock.now();
        Ok(Some(TargetEnd {
            store: Arc::new(TargetStore {
                catalog: self.catalog.clone(),
                agent: Arc::clone(&self.agent),
                clock: Arc::clone(&self.clock),
                master_name: row.enlistment.master_name.clone(),
                generation: row.enlistment.generation,
            }),
            clock: Arc::clone(&self.clock),
            sealer: Arc::clone(&self.sealer),
            instance: self.instance,
            facts: TargetFacts {
                name: self.name.clone(),
                location: row.location.clone(),
                utc_offset_minutes: self.clock.offset_minutes(now),
                program_version: self.program_version.clone(),
            },
            row,
            route,
        }))
    }

    fn orders(&self) -> Option<Arc<Orders>> {
        let running = self.running();
        running.as_ref().map(|running| Arc::clone(&running.orders))
    }

    /// Speaks with the master now, if there is one.
    pub fn force_poll(&self) {
        if let Some(orders) = self.orders() {
            orders.force_poll();
        }
    }

    /// Passes on that rows wait for the master, as long as the subscription is kept.
    pub fn subscribe(self: &Arc<Self>) -> Subscription {
        let membership = Arc::clone(self);
        self.catalog.subscribe(Box::new(move |changes| {
            if changes.contains(&Change::ReportsQueued)
                && let Some(orders) = membership.orders()
            {
                orders.reports_available();
            }
        }))
    }

    /// Leaves the master. Blocks up to the login time-out, unless forced.
    ///
    /// # Errors
    /// [`RemoteError`] when the master was not told in time; then nothing changed.
    pub fn defect(&self, forced: bool) -> Result<Defected, RemoteError> {
        let failed = |cause: String| RemoteError::Failed { cause };
        let enlistment = self
            .catalog
            .definitions_read(|read| read.enlistment())
            .map_err(|error: CatalogError| failed(error.to_string()))?;
        let Some(row) = enlistment else {
            return Err(RemoteError::Refused {
                number: fleet::numbers::NOT_ENLISTED,
                text: "This server is not enlisted in a master server.".to_owned(),
            });
        };
        let master_name = row.enlistment.master_name;
        if forced {
            self.stop();
            let jobs_deleted = leave(&self.catalog, &*self.clock, None)
                .map_err(|error| failed(error.to_string()))?;
            return Ok(Defected {
                master_name,
                jobs_deleted,
            });
        }
        let orders = self.orders();
        let answered = orders.as_ref().and_then(|orders| orders.leave());
        let (Some(orders), Some(answered)) = (orders, answered) else {
            return Err(failed(
                "the connection to the master server is not running; use @forced_defection = 1 if the master server is gone for good"
                    .to_owned(),
            ));
        };
        let outcome = self
            .runtime
            .block_on(async { tokio::time::timeout(ENLIST_TIMEOUT, answered).await });
        match outcome {
            Ok(Ok(Ok(jobs_deleted))) => {
                self.stop();
                Ok(Defected {
                    master_name,
                    jobs_deleted,
                })
            }
            Ok(Ok(Err(cause))) => Err(failed(cause)),
            Ok(Err(_)) => Err(failed(
                "the connection to the master server ended".to_owned(),
            )),
            Err(_) => {
                orders.stay();
                Err(failed(format!(
                    "the master server was not reached within {} seconds; use @forced_defection = 1 if it is gone for good",
                    ENLIST_TIMEOUT.as_secs()
                )))
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
