//! Masters and targets in this process, with a relay between them that can cut every connection.

use catalog::{
    Catalog, CatalogError, CatalogOptions, EnlistmentRow, HistoryFilter, NewInstance,
    NewInstruction, NewRun, RecordHistory, Subscription, Token,
};
use fleet::admission::Admission;
use fleet::frame::{FrameReader, encode_frames};
use fleet::limits::HELLO_BYTES_MAX;
use fleet::master::MasterConfig;
use fleet::message::{
    BackoffAdvice, EnlistReply, EnlistRequest, Proof, Refusal, decode_enlist_answer,
};
use fleet::version::PROTOCOL_VERSION;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{
    CategoryId, Generation, HistoryRow, InstanceId, InstructionNumber, InstructionObject, Job,
    JobId, JobStep, MSX_OPERATOR, NotifyLevel, Operation, Operator, OperatorId, RunId, RunStatus,
    ServerId, StepAction, StepUid, Subsystem,
};
use server::clock::{Clock, SystemClock};
use server::enlist::apply::{
    Applicant, Application, CLIENT_KEY_CONTEXT, EnlistError, Membership as Given,
};
use server::enlist::desk::EnlistDesk;
use server::fleet_membership::{Membership, RunningEnd};
use server::identity::authority::new_target_request;
use server::identity::tls::{EncryptionOption, Protocol, TlsServer};
use server::identity::token::EnlistToken;
use server::identity::{Authority, FileSealer, PasswordVault};
use server::listener::{Connection, Conversation, Front, Protocols};
use server::master_end::{MasterEnd, MasterStore};
use server::target_end::TargetAgent;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;
use uuid::Uuid;

/// Nothing here takes this long unless it hangs.
const BOUND: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition.
const LOOK: Duration = Duration::from_millis(5);

/// What an enlistment comes to.
pub(crate) type Outcome = Result<Given, EnlistError>;

/// Waits until a condition holds.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < BOUND, "{what}: not within {BOUND:?}");
        std::thread::sleep(LOOK);
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new(TimeZone::UTC))
}

/// Everything of one test.
pub(crate) struct Fleet {
    runtime: Runtime,
    root: PathBuf,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Passes bytes on, and can stop.
#[derive(Default)]
struct Relay {
    connections: AtomicUsize,
    running: Mutex<Vec<AbortHandle>>,
}

pub(crate) struct Master {
    pub(crate) address: String,
    pub(crate) catalog: Catalog,
    pub(crate) end: Arc<MasterEnd>,
    name: String,
    instance: InstanceId,
    tls: Arc<TlsServer>,
    desk: Arc<EnlistDesk>,
    relay: Arc<Relay>,
    _subscription: Subscription,
}

pub(crate) struct Target {
    pub(crate) instance: InstanceId,
    pub(crate) agent: Arc<Agent>,
    pub(crate) membership: Arc<Membership>,
    catalog: Catalog,
    directory: PathBuf,
    name: String,
    applicant: Arc<Applicant>,
    runtime: Handle,
    _subscription: Subscription,
}

/// Runs every job at once: a step row and an outcome.
pub(crate) struct Agent {
    catalog: Catalog,
    session: i64,
    starts: Mutex<Vec<RunId>>,
}

impl Agent {
    pub(crate) fn starts_of(&self, run: RunId) -> usize {
        let starts = self.starts.lock().unwrap();
        starts.iter().filter(|&&started| started == run).count()
    }
}

impl TargetAgent for Agent {
    fn session(&self) -> i64 {
        self.session
    }

    fn is_running(&self, _job: JobId) -> bool {
        false
    }

    fn start_recorded_run(&self, run: NewRun) {
        self.starts.lock().unwrap().push(run.id);
        self.catalog
            .runs_write(|write| {
                for (row, step_id) in [(0, 1), (1, 0)] {
                    write.record_history(RecordHistory {
                        row: &history_row(&run, row, step_id),
                        operators: [0; 3],
                        report: true,
                    })?;
                }
                Ok::<_, CatalogError>(())
            })
            .unwrap();
    }

    fn stop(&self, _job: JobId, _login: &str) {}
}

fn history_row(run: &NewRun, row: u32, step_id: i32) -> HistoryRow {
    HistoryRow {
        run_id: run.id,
        row,
        job_id: run.job,
        step_id,
        step_name: if step_id == 0 {
            "(Job outcome)".to_owned()
        } else {
            "step".to_owned()
        },
        step_uid: (step_id > 0).then_some(StepUid(run.job.0)),
        sql_message_id: 0,
        sql_severity: 0,
        message: "It succeeded.".to_owned(),
        status: RunStatus::Succeeded,
        started: run.started,
        utc_offset_minutes: 0,
        duration_ms: 1,
        retries_attempted: 0,
        server: "TARGET".to_owned(),
        output: (step_id > 0).then(|| "output".repeat(1_000)),
    }
}

/// The two protocols of the fleet.
struct Ends {
    end: Arc<MasterEnd>,
    desk: Arc<EnlistDesk>,
}

impl Protocols for Ends {
    fn converse(&self, protocol: Protocol, connection: Connection) -> Conversation {
        let Connection {
            stream,
            peer,
            certificate,
            ..
        } = connection;
        match (protocol, certificate) {
            (Protocol::Fleet, Some(certificate)) => {
                Box::pin(Arc::clone(&self.end).converse(stream, peer, certificate))
            }
            (Protocol::Enlist, _) => Box::pin(Arc::clone(&self.desk).converse(stream, peer.ip())),
            (Protocol::Fleet | Protocol::Tds | Protocol::Http, _) => Box::pin(async {}),
        }
    }
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let root = std::env::temp_dir().join(format!("muster-fleet-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&root).unwrap();
        Self {
            runtime: Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            root,
        }
    }

    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let directory = self.root.join(format!("{name}-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    pub(crate) fn master(&self, name: &str) -> Master {
        let directory = self.directory(name);
        let catalog = open(&directory, name);
        let instance = catalog
            .definitions_write(|write| {
                write.create_operator(&Operator {
                    name: MSX_OPERATOR.to_owned(),
                    ..Operator::default()
                })?;
                write.instance()
            })
            .unwrap();
        let authority = Arc::new(Authority::open(&directory.join("tls"), name, now()).unwrap());
        let identity = authority
            .issue_server(&["127.0.0.1".to_owned()], now())
            .unwrap();
        let tls = Arc::new(TlsServer::new(identity, authority.certificate()).unwrap());
        // Reachable under a name that the certificate does not have, too.
        let outside = self
            .runtime
            .block_on(TcpListener::bind("0.0.0.0:0"))
            .unwrap();
        let address = format!("127.0.0.1,{}", outside.local_addr().unwrap().port());
        let end = MasterEnd::new(
            Arc::new(MasterStore {
                catalog: catalog.clone(),
                authority: Arc::clone(&authority),
                clock: clock(),
            }),
            clock(),
            MasterConfig {
                master: instance.id,
                incarnation: server::enlist::desk::incarnation(&instance),
                version: PROTOCOL_VERSION,
                backoff: BackoffAdvice {
                    base: Duration::from_millis(20),
                    max: Duration::from_millis(200),
                },
                addresses: vec![address.clone()],
            },
        );
        let desk = Arc::new(EnlistDesk {
            catalog: catalog.clone(),
            vault: Arc::new(PasswordVault::new()),
            authority,
            clock: clock(),
            addresses: vec![address.clone()],
            admission: Mutex::new(Admission::default().enlistments),
        });
        let ends = Arc::new(Ends {
            end: Arc::clone(&end),
            desk: Arc::clone(&desk),
        });
        let front = Arc::new(Front::new(Arc::clone(&tls), ends));
        let relay = Arc::<Relay>::default();
        self.runtime.block_on(async {
            let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let master = port.local_addr().unwrap();
            tokio::spawn(front.accept(port, false));
            tokio::spawn(pass_on(outside, master, Arc::clone(&relay)));
        });
        let subscription = end.subscribe(&catalog);
        self.runtime.spawn(Arc::clone(&end).keep_liveness());
        Master {
            address,
            catalog,
            end,
            name: name.to_owned(),
            instance: instance.id,
            tls,
            desk,
            relay,
            _subscription: subscription,
        }
    }

    pub(crate) fn target(&self, name: &str, _of: &Master) -> Target {
        let directory = self.directory(name);
        let catalog = open(&directory, name);
        self.target_on(directory, catalog, name)
    }

    /// The same instance once more, from a copy of its data directory; it does not run yet.
    pub(crate) fn copy_of(&self, target: &Target, _of: &Master) -> Target {
        let directory = self.directory("copy");
        for entry in std::fs::read_dir(&target.directory).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let shared_memory = name.to_string_lossy().ends_with("-shm");
            if entry.file_type().unwrap().is_file() && !shared_memory {
                std::fs::copy(entry.path(), directory.join(name)).unwrap();
            }
        }
        let catalog = open(&directory, &target.name);
        self.target_on(directory, catalog, &target.name)
    }

    fn target_on(&self, directory: PathBuf, catalog: Catalog, name: &str) -> Target {
        let instance = catalog
            .definitions_read(|read| read.instance())
            .map_err(|error: CatalogError| error)
            .unwrap();
        let session = catalog
            .runs_write(|write| write.open_session(now(), &[]))
            .map_err(|error: CatalogError| error)
            .unwrap();
        let sealer = Arc::new(FileSealer::open(&directory.join("secret.key")).unwrap());
        let agent = Arc::new(Agent {
            catalog: catalog.clone(),
            session: session.id,
            starts: Mutex::default(),
        });
        let membership = Arc::new(Membership {
            catalog: catalog.clone(),
            agent: Arc::clone(&agent) as Arc<dyn TargetAgent>,
            clock: clock(),
            sealer: Arc::clone(&sealer),
            authorities: Vec::new(),
            instance: instance.id,
            name: name.to_owned(),
            program_version: "0".to_owned(),
            runtime: self.runtime.handle().clone(),
            running: RunningEnd::default(),
        });
        Target {
            instance: instance.id,
            agent,
            applicant: Arc::new(Applicant {
                catalog: catalog.clone(),
                clock: clock(),
                sealer,
                authorities: Vec::new(),
                program_version: "0".to_owned(),
            }),
            runtime: self.runtime.handle().clone(),
            name: name.to_owned(),
            _subscription: membership.subscribe(),
            membership,
            catalog,
            directory,
        }
    }

    /// Breaks every connection of the master.
    pub(crate) fn cut(&self, master: &Master) {
        for connection in master.relay.running.lock().unwrap().drain(..) {
            connection.abort();
        }
    }

    /// How many connections the master has had.
    pub(crate) fn connections(&self, master: &Master) -> usize {
        master.relay.connections.load(Ordering::SeqCst)
    }

    /// One enlist conversation without a network.
    pub(crate) fn ask(
        &self,
        master: &Master,
        request: &EnlistRequest,
    ) -> Result<EnlistReply, Refusal> {
        self.runtime.block_on(async {
            let (mut ours, theirs) = tokio::io::duplex(HELLO_BYTES_MAX);
            let desk = Arc::clone(&master.desk);
            tokio::spawn(desk.converse(theirs, [127, 0, 0, 1].into()));
            ours.write_all(&encode_frames(&request.encode()))
                .await
                .unwrap();
            let mut bytes = Vec::new();
            ours.read_to_end(&mut bytes).await.unwrap();
            let body = FrameReader::new(HELLO_BYTES_MAX)
                .read(&mut bytes.as_slice())
                .unwrap();
            decode_enlist_answer(&body.unwrap()).unwrap()
        })
    }
}

async fn pass_on(outside: TcpListener, master: std::net::SocketAddr, relay: Arc<Relay>) {
    while let Ok((mut client, _)) = outside.accept().await {
        relay.connections.fetch_add(1, Ordering::SeqCst);
        let passing = tokio::spawn(async move {
            let mut server = TcpStream::connect(master).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
        relay.running.lock().unwrap().push(passing.abort_handle());
    }
}

fn open(directory: &Path, name: &str) -> Catalog {
    let options = CatalogOptions {
        new_instance: Some(NewInstance {
            id: InstanceId(Uuid::new_v4()),
            name: name.to_owned(),
            created: now(),
        }),
        ..CatalogOptions::default()
    };
    Catalog::open(directory, options).unwrap()
}

impl Master {
    /// The text of a token that is good for one enlistment.
    pub(crate) fn token(&self, life: Duration) -> String {
        let token = EnlistToken::generate(self.tls.pin()).unwrap();
        self.write(|write| {
            write.create_token(&Token {
                id: token.id.clone(),
                hash: EnlistToken::secret_hash(&token.secret),
                expires: now() + life,
                uses_left: 1,
                location: None,
                created: now(),
                created_by: "sa".to_owned(),
            })
        });
        token.text()
    }

    /// This master as it would enlist elsewhere.
    pub(crate) fn as_target(&self, fleet: &Fleet) -> Target {
        let directory = fleet.directory("as-target");
        let target = fleet.target_on(directory, self.catalog.clone(), &self.name);
        assert_eq!(target.instance, self.instance);
        target
    }

    fn write<T>(
        &self,
        act: impl FnOnce(&mut dyn catalog::DefinitionsWrite) -> Result<T, CatalogError>,
    ) -> T {
        self.catalog.definitions_write(|write| act(write)).unwrap()
    }

    fn read<T>(
        &self,
        look: impl FnOnce(&dyn catalog::DefinitionsRead) -> Result<T, CatalogError>,
    ) -> T {
        self.catalog.definitions_read(|read| look(read)).unwrap()
    }

    fn runs<T>(&self, look: impl FnOnce(&dyn catalog::RunsRead) -> Result<T, CatalogError>) -> T {
        self.catalog.runs_read(|read| look(read)).unwrap()
    }

    fn server(&self, target: &Target) -> ServerId {
        let known = self.read(|read| read.target_by_instance(target.instance));
        known.unwrap().id
    }

    /// A job of one step.
    pub(crate) fn job(&self, name: &str, shape: impl FnOnce(&mut JobStep)) -> JobId {
        let id = JobId(Uuid::new_v4());
        let mut step = job_step();
        shape(&mut step);
        self.write(|write| {
            write.create_job(&job_header(id, name))?;
            write.append_step(id, &step)
        });
        id
    }

    pub(crate) fn rename_job(&self, id: JobId, name: &str) {
        self.write(|write| {
            let job = write.job(id)?.unwrap();
            write.update_job(&Job {
                name: name.to_owned(),
                ..job
            })
        });
    }

    /// Adds a target to a job. Gives the number of the INSERT.
    pub(crate) fn target_job(&self, job: JobId, target: &Target) -> InstructionNumber {
        let server = self.server(target);
        let insert = instruction(Operation::Insert, InstructionObject::Job, job.0);
        let posted = self.write(|write| write.add_job_server(job, server, Some(&insert)));
        posted.unwrap().number
    }

    pub(crate) fn post(
        &self,
        target: &Target,
        operation: Operation,
        job: JobId,
    ) -> InstructionNumber {
        let server = self.server(target);
        let one = instruction(operation, InstructionObject::Job, job.0);
        self.write(|write| write.post_instruction(server, &one))
            .number
    }

    pub(crate) fn post_to_server(&self, target: &Target, operation: Operation) {
        let server = self.server(target);
        let one = instruction(operation, InstructionObject::Server, Uuid::nil());
        self.write(|write| write.post_instruction(server, &one));
    }

    pub(crate) fn start(&self, target: &Target, job: JobId) -> RunId {
        let server = self.server(target);
        let run = RunId(Uuid::new_v4());
        let start = NewInstruction {
            run: Some(run),
            ..instruction(Operation::Start, InstructionObject::Job, job.0)
        };
        self.write(|write| write.post_instruction(server, &start));
        run
    }

    pub(crate) fn delete_instruction(&self, target: &Target, number: InstructionNumber) {
        let server = self.server(target);
        self.write(|write| {
            let row = write.instruction(server, number)?.unwrap();
            write.delete_instruction(row.instance_id)
        });
    }

    pub(crate) fn delete_target(&self, target: &Target) {
        let server = self.server(target);
        self.write(|write| write.delete_target(server));
    }

    pub(crate) fn targets(&self) -> u64 {
        self.read(|read| read.target_count())
    }

    pub(crate) fn error_of(&self, target: &Target, number: InstructionNumber) -> Option<String> {
        let server = self.server(target);
        let states = self.runs(|read| read.download_states(Some(server)));
        states
            .into_iter()
            .find(|state| state.number == number)
            .and_then(|state| state.error)
    }

    pub(crate) fn acknowledged(&self, target: &Target) -> InstructionNumber {
        let server = self.server(target);
        self.runs(|read| read.acknowledged_instruction(server))
    }

    fn history(&self, run: RunId, step_id: Option<i32>) -> usize {
        let filter = HistoryFilter {
            run: Some(run),
            step_id,
            ..HistoryFilter::default()
        };
        self.runs(|read| read.history(&filter, None, 100)).len()
    }

    pub(crate) fn outcomes(&self, run: RunId) -> usize {
        self.history(run, Some(0))
    }

    pub(crate) fn rows(&self, run: RunId) -> usize {
        self.history(run, None)
    }

    pub(crate) fn audited(&self, action: &str) -> bool {
        let rows = self.read(|read| read.audit_rows(0, 1_000));
        rows.iter().any(|row| row.entry.action == action)
    }
}

impl Target {
    pub(crate) fn enlist(&self, master: &Master) -> Outcome {
        self.enlist_with(&master.address, &master.token(Duration::from_secs(600)))
    }

    pub(crate) fn enlist_with(&self, address: &str, token: &str) -> Outcome {
        let pin = EnlistToken::parse(token).unwrap().pin;
        self.apply(address, token, Some(pin))
    }

    /// Believes no certificate in particular.
    pub(crate) fn enlist_unpinned(&self, master: &Master, token: &str) -> Outcome {
        self.apply(&master.address, token, None)
    }

    fn apply(&self, address: &str, token: &str, pin: Option<[u8; 32]>) -> Outcome {
        let token = EnlistToken::parse(token).unwrap();
        let given = self
            .runtime
            .block_on(Arc::clone(&self.applicant).enlist(Application {
                master: address.to_owned(),
                proof: Proof::Token {
                    id: token.id,
                    secret: token.secret.to_vec(),
                },
                pin,
                encryption: EncryptionOption::Validate,
                location: None,
                requested_by: "sa".to_owned(),
            }))?;
        self.membership.restart();
        Ok(given)
    }

    /// What is kept of the addresses that the master told.
    pub(crate) fn told_addresses(&self) -> Vec<String> {
        self.read(|read| {
            let row = read.enlistment()?.unwrap();
            server::target_end::told_addresses(read, row.enlistment.generation)
        })
    }

    fn read<T>(
        &self,
        look: impl FnOnce(&dyn catalog::DefinitionsRead) -> Result<T, CatalogError>,
    ) -> T {
        self.catalog.definitions_read(|read| look(read)).unwrap()
    }

    fn row(&self) -> Option<EnlistmentRow> {
        self.read(|read| read.enlistment())
    }

    fn set_row(&self, row: &EnlistmentRow) {
        self.catalog
            .definitions_write(|write| write.set_enlistment(row))
            .map_err(|error: CatalogError| error)
            .unwrap();
    }

    pub(crate) fn is_enlisted(&self) -> bool {
        self.row().is_some()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.row().unwrap().enlistment.generation
    }

    pub(crate) fn job(&self, job: JobId) -> Option<Job> {
        self.read(|read| read.job(job))
    }

    pub(crate) fn has_job(&self, job: JobId) -> bool {
        self.job(job).is_some()
    }

    pub(crate) fn operators(&self) -> Vec<Operator> {
        self.read(|read| read.operators())
    }

    pub(crate) fn certificate(&self) -> String {
        self.row().unwrap().certificate_pem
    }

    /// Lets the certificate look as if it ended tomorrow. Gives the certificate.
    pub(crate) fn age_certificate(&self) -> String {
        let mut row = self.row().unwrap();
        row.certificate_expires = Some(now() + SignedDuration::from_hours(24));
        self.set_row(&row);
        row.certificate_pem
    }

    /// Shows a certificate of this authority from the next start on.
    pub(crate) fn certify_with(&self, authority: &Authority) {
        let mut row = self.row().unwrap();
        let (request, key) = new_target_request(&self.name).unwrap();
        let bearer = (self.instance, row.enlistment.generation);
        let issued = authority
            .issue_target(&request, bearer, &self.name, now())
            .unwrap();
        row.certificate_pem = pem::encode(&pem::Pem::new("CERTIFICATE", issued.der.to_vec()));
        let sealer = FileSealer::open(&self.directory.join("secret.key")).unwrap();
        row.sealed_key = sealer.seal(CLIENT_KEY_CONTEXT, &key).unwrap();
        self.set_row(&row);
    }
}

fn instruction(operation: Operation, object: InstructionObject, object_id: Uuid) -> NewInstruction {
    NewInstruction {
        uid: Uuid::new_v4(),
        operation,
        object,
        object_id,
        run: None,
        login: "sa".to_owned(),
        step_name: None,
        poll_interval_secs: None,
        deleted_object_name: None,
        posted: now(),
    }
}

fn job_header(id: JobId, name: &str) -> Job {
    Job {
        id,
        originating_server: None,
        name: name.to_owned(),
        enabled: true,
        description: None,
        start_step_id: 1,
        category: CategoryId(0),
        owner_sid: vec![1],
        notify_level_eventlog: NotifyLevel::Never,
        notify_level_email: NotifyLevel::Never,
        notify_level_netsend: NotifyLevel::Never,
        notify_level_page: NotifyLevel::Never,
        notify_email_operator: OperatorId(0),
        notify_netsend_operator: OperatorId(0),
        notify_page_operator: OperatorId(0),
        delete_level: NotifyLevel::Never,
        created: now(),
        modified: now(),
        version: 1,
    }
}

fn job_step() -> JobStep {
    JobStep {
        step_id: 1,
        uid: StepUid(Uuid::new_v4()),
        name: "step".to_owned(),
        subsystem: Subsystem::CmdExec,
        command: Some("true".to_owned()),
        flags: 0,
        additional_parameters: None,
        cmdexec_success_code: 0,
        on_success: StepAction::QuitWithSuccess,
        on_success_step_id: 0,
        on_fail: StepAction::QuitWithFailure,
        on_fail_step_id: 0,
        server: None,
        database_name: None,
        database_user_name: None,
        retry_attempts: 0,
        retry_interval_minutes: 0,
        os_run_priority: 0,
        output_file_name: None,
        proxy_name: None,
    }
}
