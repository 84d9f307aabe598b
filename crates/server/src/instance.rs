//! One instance: opens what it stands on, wires it together, and ends it in order.

use crate::agent_runtime::{AgentRuntime, AgentRuntimeConfig, AgentRuntimeError, default_limits};
use crate::clock::{Clock, SystemClock};
use crate::control::{self, Answer, ControlHandler, Peer, Request};
use crate::enlist::apply::{Applicant, Application};
use crate::enlist::desk::{EnlistDesk, incarnation};
use crate::error_log::ErrorLogs;
use crate::fleet_membership::{Membership, RunningEnd};
use crate::identity::authority::read_certificates;
use crate::identity::own_certificate::OwnCertificate;
use crate::identity::tls::{EncryptionOption, Protocol, TlsServer};
use crate::identity::token::EnlistToken;
use crate::identity::{Authority, FileSealer, IdentityError, PasswordVault, ServerIdentity};
use crate::listener::{Connection, Conversation, Front, Protocols};
use crate::logins::{FirstLoginError, SA, SA_SID, ensure_sa};
use crate::maintenance::Maintenance;
use crate::master_end::{MasterEnd, MasterStore};
use crate::options::{HistoryDays, LISTEN_DEFAULT, ServeOptions, Settings, SettingsError};
use crate::platform;
use crate::rest::keep_small;
use crate::services::{InstanceServices, token_proof};
use crate::sessions::Sessions;
use crate::tds_front::{ConnectionContext, FrontOptions, TdsFront, serve_connection};
use catalog::{
    AuditEntry, Catalog, CatalogError, CatalogOptions, CrashPoints, HistoryLimits, NewInstance,
    Subscription, Token,
};
use console::Health;
use engine::databases::{Databases, DatabasesError};
use exec::ProgramPages;
use fleet::admission::Admission;
use fleet::master::MasterConfig;
use fleet::message::{BackoffAdvice, Proof};
use fleet::version::PROTOCOL_VERSION;
use jiff::tz::TimeZone;
use model::InstanceId;
use msdb::services::{Instance as InstanceFacts, RemoteError, Services};
use serde::Serialize;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

/// Folder of keys and certificates in the data directory.
const TLS_DIRECTORY: &str = "tls";
/// Directory of the databases that hold users' objects.
const DATABASES_DIRECTORY: &str = "databases";
/// The sealing key in the data directory.
const SECRET_KEY_FILE: &str = "secret.key";
/// Threads that carry bytes; statements and jobs have threads of their own.
const NETWORK_THREADS: usize = 2;
/// Stack of those threads and of the ones that wait for the disk.
const NETWORK_STACK_BYTES: usize = 2 * 1024 * 1024;
/// Threads that may wait for the disk at once.
const BLOCKING_THREADS_MAX: usize = 256;
/// How long such a thread stays when there is nothing to do.
const BLOCKING_THREAD_IDLE: Duration = Duration::from_secs(5);
/// Time for connections to end in order.
const CONNECTIONS_END: Duration = Duration::from_secs(5);
/// How targets wait when the connection to this master breaks.
const BACKOFF: BackoffAdvice = BackoffAdvice {
    base: Duration::from_millis(500),
    max: Duration::from_secs(30),
};

/// Why an instance does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A setting is not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The catalog on PostgreSQL was asked for.
    #[error(
        "--database is not available in this version: the catalog is kept in the data directory"
    )]
    DatabaseUnsupported,
    /// The name given is not the instance's.
    #[error(
        "this data directory belongs to the instance {stored}; it cannot be started as {given}"
    )]
    OtherName {
        /// Name in the catalog.
        stored: String,
        /// Name given.
        given: String,
    },
    /// The name is not usable.
    #[error(
        "{name:?} is not a server name: up to 128 characters, at most one backslash, no control characters"
    )]
    BadName {
        /// Name given.
        name: String,
    },
    /// No such time zone.
    #[error("{name:?} is not an IANA time zone")]
    TimeZone {
        /// Name given.
        name: String,
    },
    /// The crash point given for a test does not exist.
    #[error("there is no crash point {name:?}")]
    CrashPoint {
        /// Name given.
        name: String,
    },
    /// The data directory could not be made.
    #[error("make the data directory {path}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The catalog does not open.
    #[error("open the catalog")]
    Catalog(#[from] CatalogError),
    /// The databases of users.
    #[error("open the databases")]
    Databases(#[from] DatabasesError),
    /// Keys or certificates are not usable.
    #[error("prepare keys and certificates")]
    Identity(#[from] IdentityError),
    /// The first login could not be made.
    #[error("make the login sa")]
    FirstLogin(#[from] FirstLoginError),
    /// The agent does not start.
    #[error("start the agent")]
    Agent(#[from] AgentRuntimeError),
    /// An address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system refused something the program needs.
    #[error("{what}")]
    System {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The line on standard output that says that the instance is ready.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    name: &'a str,
    address: String,
    console: String,
    pid: u32,
}

/// Where `muster ca export` finds the authority's certificate.
#[must_use]
pub fn ca_certificate_path(data: &Path) -> PathBuf {
    data.join(TLS_DIRECTORY).join("ca.pem")
}

/// Runs an instance until it is asked to end (SIGTERM or SIGINT).
///
/// # Errors
/// [`ServeError`] when it cannot start.
pub fn serve(options: ServeOptions) -> Result<(), ServeError> {
    if options.settings.database.is_some() {
        return Err(ServeError::DatabaseUnsupported);
    }
    // While there is one thread.
    let pages = Arc::new(ProgramPages::note());
    crate::allocator::bound();
    let runtime = Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .thread_stack_size(NETWORK_STACK_BYTES)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(BLOCKING_THREAD_IDLE)
        .enable_all()
        .build()
        .map_err(|source| ServeError::System {
            what: "start the network threads",
            source,
        })?;
    let instance = Instance::open(options, runtime.handle())?;
    runtime.spawn(keep_small(pages, instance.catalog.clone()));
    let outcome = runtime.block_on(instance.run());
    shut_down(instance, runtime);
    outcome
}

fn shut_down(instance: Instance, runtime: Runtime) {
    tracing::info!("ending");
    instance.membership.stop();
    instance.master.stop();
    if !instance.agent.shut_down() {
        tracing::warn!("the agent did not end in time; what runs is taken on at the next start");
    }
    runtime.shutdown_timeout(CONNECTIONS_END);
    tracing::info!("ended");
}

/// An instance that is open and not yet reachable.
struct Instance {
    name: String,
    options: ServeOptions,
    catalog: Catalog,
    tls: Arc<TlsServer>,
    /// Signs this instance's own server certificate; `None` where the organisation gave one.
    own_certificate: Option<OwnCertificate>,
    agent: AgentRuntime,
    membership: Arc<Membership>,
    master: Arc<MasterEnd>,
    desk: Arc<EnlistDesk>,
    sessions: Arc<Sessions>,
    services: Arc<InstanceServices>,
    clock: Arc<dyn Clock>,
    maintenance: Arc<Maintenance>,
    started: Instant,
    _subscriptions: Vec<Subscription>,
    listeners: Vec<std::net::TcpListener>,
    console_listener: Option<std::net::TcpListener>,
}

impl Instance {
    fn open(options: ServeOptions, runtime: &Handle) -> Result<Self, ServeError> {
        let settings = &options.settings;
        let zone = time_zone(settings)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(zone));
        let started = clock.monotonic();
        let now = clock.now();
        let crash_points = match &options.crash_point {
            None => CrashPoints::inert(),
            Some(name) => CrashPoints::armed(name)
                .ok_or_else(|| ServeError::CrashPoint { name: name.clone() })?,
        };
        platform::create_private_directory(&options.data).map_err(|source| {
            ServeError::Directory {
                path: options.data.clone(),
                source,
            }
        })?;
        let data = options
            .data
            .canonicalize()
            .map_err(|source| ServeError::Directory {
                path: options.data.clone(),
                source,
            })?;
        let given_name = settings.name.clone().map(check_name).transpose()?;
        let catalog = Catalog::open(
            &data,
            CatalogOptions {
                new_instance: Some(NewInstance {
                    id: InstanceId(Uuid::new_v4()),
                    name: given_name
                        .clone()
                        .unwrap_or_else(|| platform::host_name().to_uppercase()),
                    created: now,
                }),
                crash_points,
                history_limits: HistoryLimits {
                    age_max: settings.job_history_max_days.map(HistoryDays::age),
                    ..HistoryLimits::default()
                },
                ..CatalogOptions::default()
            },
        )?;
        let error_logs = options
            .error_logs
            .clone()
            .unwrap_or_else(|| Arc::new(ErrorLogs::new(&data, Arc::clone(&clock))));
        error_logs.open().map_err(|source| ServeError::Directory {
            path: data.clone(),
            source,
        })?;
        msdb::settings::apply_history_limits(&catalog)?;
        let stored = catalog.definitions_read(|read| read.instance())?;
        if let Some(given) = given_name
            && !given.eq_ignore_ascii_case(&stored.name)
        {
            return Err(ServeError::OtherName {
                stored: stored.name,
                given,
            });
        }
        let name = stored.name.clone();
        if let Some(password) = ensure_sa(
            &catalog,
            options.sa_password.as_ref().map(|p| p.as_str()),
            now,
        )? {
            eprintln!("The login sa was made with the password {password}. It is not shown again.");
        }

        // Bound before names go into certificates, so that port 0 is known.
        let listeners = bind_all(&settings.listen)?;
        let console_listener = settings.console_listen.map(bind).transpose()?;
        let address = local_address(&listeners)?;
        let reached = Reached::new(settings, address);

        let tls_directory = data.join(TLS_DIRECTORY);
        let authority = Arc::new(Authority::open(&tls_directory, &name, now)?);
        let (identity, own_certificate) = match (&settings.tls_cert, &settings.tls_key) {
            (Some(certificate), Some(key)) => (ServerIdentity::from_files(certificate, key)?, None),
            (None, _) | (_, None) => {
                let own = OwnCertificate {
                    authority: Arc::clone(&authority),
                    names: reached.certificate_names(),
                };
                (own.issue(now)?, Some(own))
            }
        };
        let tls = Arc::new(TlsServer::new(identity, authority.certificate())?);
        let sealer = Arc::new(FileSealer::open(&data.join(SECRET_KEY_FILE))?);
        let vault = Arc::new(PasswordVault::new());
        let databases = Databases::open(
            &data.join(DATABASES_DIRECTORY),
            stored.created.as_microsecond(),
            &SA_SID,
        )?;
        let authorities = match &settings.master_ca {
            Some(path) => read_certificates(path)?,
            None => Vec::new(),
        };
        let sessions = Sessions::new(catalog.clone(), Arc::clone(&vault), Arc::clone(&clock));
        let agent = AgentRuntime::start(AgentRuntimeConfig {
            instance: stored.id,
            name: name.clone(),
            machine: platform::host_name(),
            data: data.clone(),
            program: std::env::current_exe().map_err(|source| ServeError::System {
                what: "find this program",
                source,
            })?,
            catalog: catalog.clone(),
            clock: Arc::clone(&clock),
            sessions: step_sessions(&sessions),
            // The change feed says so too; one way is enough.
            reports_queued: Arc::new(|| {}),
            limits: default_limits(),
        })?;
        let membership = Arc::new(Membership {
            catalog: catalog.clone(),
            agent: Arc::new(agent.handle()),
            clock: Arc::clone(&clock),
            sealer: Arc::clone(&sealer),
            authorities: authorities.clone(),
            instance: stored.id,
            name: name.clone(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            runtime: runtime.clone(),
            running: RunningEnd::default(),
        });
        let applicant = Arc::new(Applicant {
            catalog: catalog.clone(),
            clock: Arc::clone(&clock),
            sealer: Arc::clone(&sealer),
            authorities,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
        });
        let master = MasterEnd::new(
            Arc::new(MasterStore {
                catalog: catalog.clone(),
                authority: Arc::clone(&authority),
                clock: Arc::clone(&clock),
            }),
            Arc::clone(&clock),
            MasterConfig {
                master: stored.id,
                incarnation: incarnation(&stored),
                version: PROTOCOL_VERSION,
                backoff: BACKOFF,
                addresses: reached.addresses(),
            },
        );
        let desk = Arc::new(EnlistDesk {
            catalog: catalog.clone(),
            vault,
            authority,
            clock: Arc::clone(&clock),
            addresses: reached.addresses(),
            admission: Mutex::new(Admission::default().enlistments),
        });
        let services = Arc::new(InstanceServices {
            databases,
            instance: InstanceFacts {
                id: stored.id,
                name: name.clone(),
                machine: platform::host_name(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started: now,
                process_id: std::process::id(),
                address: format!("{},{}", reached.host, reached.port),
            },
            catalog: catalog.clone(),
            clock: Arc::clone(&clock),
            started,
            sealer,
            sessions: Arc::clone(&sessions),
            agent: agent.handle(),
            applicant,
            membership: Arc::clone(&membership),
            runtime: runtime.clone(),
            error_logs,
            data_directory: data.clone(),
            databases_directory: data.join(DATABASES_DIRECTORY),
        });
        services.begin_logs()?;
        sessions.attach(Arc::clone(&services) as Arc<dyn Services>);
        let maintenance = Arc::<Maintenance>::default();
        let subscriptions = vec![
            master.subscribe(&catalog),
            membership.subscribe(),
            maintenance.subscribe(&catalog),
        ];
        Ok(Self {
            name,
            options: ServeOptions { data, ..options },
            catalog,
            tls,
            own_certificate,
            agent,
            membership,
            master,
            desk,
            sessions,
            services,
            clock,
            maintenance,
            started,
            _subscriptions: subscriptions,
            listeners,
            console_listener,
        })
    }

    async fn run(&self) -> Result<(), ServeError> {
        let system = |what| move |source| ServeError::System { what, source };
        let mut terminate = signal(SignalKind::terminate()).map_err(system("watch for SIGTERM"))?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(system("watch for SIGINT"))?;
        let control_listener =
            control::bind(&self.options.data).map_err(system("bind the control socket"))?;
        let tds = Arc::new(TdsFront::new(FrontOptions {
            unencrypted_logins: self.options.settings.unencrypted_logins.unwrap_or_default(),
            ..FrontOptions::new(
                &self.name,
                Some(self.tls.prelogin_config()),
                Arc::new(Arc::clone(&self.sessions)),
            )
        }));
        let protocols = Arc::new(Port {
            tds,
            master: Arc::clone(&self.master),
            desk: Arc::clone(&self.desk),
            health: self.health(),
        });
        let front = Arc::new(Front::new(Arc::clone(&self.tls), protocols));
        let mut address = None;
        for listener in &self.listeners {
            let listener = into_tokio(listener).map_err(system("listen"))?;
            address = address.or(listener.local_addr().ok());
            tokio::spawn(Arc::clone(&front).accept(listener, false));
        }
        let mut console = address;
        if let Some(listener) = &self.console_listener {
            let listener = into_tokio(listener).map_err(system("listen"))?;
            console = listener.local_addr().ok();
            tokio::spawn(Arc::clone(&front).accept(listener, true));
        }
        let handler = Arc::new(Control {
            catalog: self.catalog.clone(),
            sessions: Arc::clone(&self.sessions),
            services: Arc::clone(&self.services),
            membership: Arc::clone(&self.membership),
            tls: Arc::clone(&self.tls),
            clock: Arc::clone(&self.clock),
        });
        tokio::spawn(control::serve(control_listener, handler));
        tokio::spawn(Arc::clone(&self.master).keep_liveness());
        if let Some(own) = self.own_certificate.clone() {
            let clock = Arc::clone(&self.clock);
            tokio::spawn(own.keep_renewed(Arc::clone(&self.tls), clock));
        }
        tokio::spawn(
            Arc::clone(&self.maintenance).run(self.catalog.clone(), Arc::clone(&self.clock)),
        );
        let membership = Arc::clone(&self.membership);
        // Reads the catalog, so off the network threads.
        let restarted = tokio::task::spawn_blocking(move || membership.restart()).await;
        if let Err(error) = restarted {
            tracing::error!(%error, "the target's end did not start");
        }
        self.say_ready(address, console)
            .map_err(system("say that the instance is ready"))?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }

    fn say_ready(
        &self,
        address: Option<SocketAddr>,
        console: Option<SocketAddr>,
    ) -> io::Result<()> {
        let shown = |address: Option<SocketAddr>| {
            address.map_or_else(String::new, |a| visible(a).to_string())
        };
        let ready = Ready {
            ready: true,
            name: &self.name,
            address: shown(address),
            console: format!("https://{}/", shown(console)),
            pid: std::process::id(),
        };
        let line = serde_json::to_string(&ready)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    fn health(&self) -> Arc<dyn Fn() -> Health + Send + Sync> {
        let catalog = self.catalog.clone();
        let clock = Arc::clone(&self.clock);
        let name = self.name.clone();
        let started = self.started;
        Arc::new(move || {
            let role = catalog.definitions_read(|read| {
                let target = read.enlistment()?.is_some();
                let master = read.target_count()? > 0
                    || read.operator_by_name(model::MSX_OPERATOR)?.is_some();
                Ok::<_, CatalogError>(match (target, master) {
                    (true, _) => "target",
                    (false, true) => "master",
                    (false, false) => "stand-alone",
                })
            });
            let mut troubles = Vec::new();
            if role.is_err() {
                troubles.push("the catalog does not answer".to_owned());
            }
            Health {
                name: name.clone(),
                role: role.unwrap_or("unknown"),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                uptime_secs: clock
                    .monotonic()
                    .saturating_duration_since(started)
                    .as_secs(),
                troubles,
            }
        })
    }
}

fn time_zone(settings: &Settings) -> Result<TimeZone, ServeError> {
    match &settings.time_zone {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).map_err(|_| ServeError::TimeZone { name: name.clone() }),
    }
}

fn check_name(name: String) -> Result<String, ServeError> {
    let parts: Vec<&str> = name.split('\\').collect();
    let good = name.encode_utf16().count() <= model::job::NAME_UNITS_MAX
        && parts.len() <= 2
        && parts.iter().all(|part| !part.trim().is_empty())
        && !name.chars().any(char::is_control);
    if good {
        Ok(name)
    } else {
        Err(ServeError::BadName { name })
    }
}

fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<std::net::TcpListener>, ServeError> {
    if addresses.is_empty() {
        let address = LISTEN_DEFAULT.parse().map_err(|_| ServeError::Listen {
            address: LISTEN_DEFAULT.to_owned(),
            source: io::ErrorKind::InvalidInput.into(),
        })?;
        return Ok(vec![bind(address)?]);
    }
    addresses.iter().copied().map(bind).collect()
}

fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    let listen = |source| ServeError::Listen {
        address: address.to_string(),
        source,
    };
    let listener = std::net::TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    Ok(listener)
}

fn into_tokio(listener: &std::net::TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.try_clone()?)
}

fn local_address(listeners: &[std::net::TcpListener]) -> Result<SocketAddr, ServeError> {
    listeners
        .first()
        .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
        .and_then(std::net::TcpListener::local_addr)
        .map_err(|source| ServeError::System {
            what: "learn the port",
            source,
        })
}

/// An address as others can use it on this machine: "any address" becomes loopback.
fn visible(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => ([127, 0, 0, 1], address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, address.port()).into()
        }
        IpAddr::V4(_) | IpAddr::V6(_) => address,
    }
}

/// Under which names and addresses others reach the instance.
struct Reached {
    host: String,
    port: u16,
    advertised: bool,
    bound: IpAddr,
}

impl Reached {
    fn new(settings: &Settings, address: SocketAddr) -> Self {
        let bound = visible(address).ip();
        match &settings.advertise {
            Some(text) => {
                let (host, port) = match text.split_once(',') {
                    Some((host, port)) => (host, port.trim().parse().ok()),
                    None => (text.as_str(), None),
                };
                Self {
                    host: host.trim().to_owned(),
                    port: port.unwrap_or(address.port()),
                    advertised: true,
                    bound,
                }
            }
            None => Self {
                host: platform::host_name(),
                port: address.port(),
                advertised: false,
                bound,
            },
        }
    }

    /// Names of the server certificate: the advertised one first, then this machine's.
    fn certificate_names(&self) -> Vec<String> {
        let mut names = vec![self.host.clone(), platform::host_name()];
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        names.push(self.bound.to_string());
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.to_lowercase()));
        names
    }

    /// What targets are told: only what an administrator said, since a host's own name may mean nothing to
    /// them.
    fn addresses(&self) -> Vec<String> {
        if self.advertised {
            vec![format!("{},{}", self.host, self.port)]
        } else {
            Vec::new()
        }
    }
}

fn step_sessions(sessions: &Arc<Sessions>) -> crate::agent_runtime::SessionFactory {
    let sessions = Arc::clone(sessions);
    Arc::new(move |step| sessions.step_session(step))
}

/// The protocols behind the port.
struct Port {
    tds: Arc<TdsFront>,
    master: Arc<MasterEnd>,
    desk: Arc<EnlistDesk>,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
}

impl Protocols for Port {
    fn converse(&self, protocol: Protocol, connection: Connection) -> Conversation {
        let Connection {
            stream,
            peer,
            encrypted,
            certificate,
        } = connection;
        match protocol {
            Protocol::Tds => {
                let context = ConnectionContext {
                    front: Arc::clone(&self.tds),
                    peer,
                    strict: encrypted,
                };
                Box::pin(async move {
                    if let Err(error) = serve_connection(stream, context).await {
                        tracing::debug!(%peer, %error, "a TDS connection ended");
                    }
                })
            }
            Protocol::Fleet => match certificate {
                Some(certificate) => {
                    Box::pin(Arc::clone(&self.master).converse(stream, peer, certificate))
                }
                None => Box::pin(async move {
                    tracing::warn!(%peer, "a target's certificate names no target");
                }),
            },
            Protocol::Enlist => Box::pin(Arc::clone(&self.desk).converse(stream, peer.ip())),
            Protocol::Http => {
                let health = Arc::clone(&self.health);
                Box::pin(crate::console_front::serve(stream, move || health()))
            }
        }
    }
}

/// Answers the control socket.
struct Control {
    catalog: Catalog,
    sessions: Arc<Sessions>,
    services: Arc<InstanceServices>,
    membership: Arc<Membership>,
    tls: Arc<TlsServer>,
    clock: Arc<dyn Clock>,
}

impl ControlHandler for Control {
    fn handle(&self, request: Request, peer: Peer) -> Answer {
        let (action, object) = match &request {
            Request::TokenCreate { .. } => ("token create", String::new()),
            Request::Enlist { master, .. } => ("enlist", master.clone()),
            Request::Defect { .. } => ("defect", String::new()),
            Request::Query { .. } => ("query", String::new()),
        };
        // Reading tables changes nothing; whatever a query changes has its own audit.
        if action != "query" {
            let entry = AuditEntry {
                at: self.clock.now(),
                principal: format!("operating-system user {}", peer.user),
                action: format!("control: {action}"),
                object,
                detail: None,
            };
            if let Err(error) = self.catalog.definitions_write(|write| write.audit(&entry)) {
                let error: CatalogError = error;
                return failure(None, error.to_string());
            }
        }
        match request {
            Request::TokenCreate {
                ttl_secs,
                uses,
                location,
            } => self.create_token(ttl_secs, uses, location, peer),
            Request::Enlist {
                master,
                token,
                login,
                password,
                location,
                encryption,
            } => {
                let proof = match (token, login, password) {
                    (Some(token), _, _) => {
                        token_proof(&token).map(|(proof, pin)| (proof, Some(pin)))
                    }
                    (None, Some(login), Some(password)) => {
                        Ok((Proof::Login { login, password }, None))
                    }
                    (None, _, _) => Err(RemoteError::Failed {
                        cause: "give a token, or a login with its password".to_owned(),
                    }),
                };
                self.enlist(proof, master, location, encryption)
            }
            Request::Defect { force } => match self.membership.defect(force) {
                Ok(defected) => Answer::Text {
                    text: format!(
                        "defected from {}; {} jobs deleted",
                        defected.master_name, defected.jobs_deleted
                    ),
                },
                Err(error) => remote_failure(&error),
            },
            Request::Query { sql } => self.query(&sql),
        }
    }
}

impl Control {
    fn create_token(
        &self,
        ttl_secs: u64,
        uses: u32,
        location: Option<String>,
        peer: Peer,
    ) -> Answer {
        let made = EnlistToken::generate(self.tls.pin());
        let now = self.clock.now();
        let expires = now.checked_add(Duration::from_secs(ttl_secs));
        let (Ok(token), Ok(expires)) = (made, expires) else {
            return failure(None, "no token could be made".to_owned());
        };
        let stored = self.catalog.definitions_write(|write| {
            if write.enlistment()?.is_some() {
                return Ok(false);
            }
            write.trim_tokens(now)?;
            write.create_token(&Token {
                id: token.id.clone(),
                hash: EnlistToken::secret_hash(&token.secret),
                expires,
                uses_left: uses,
                location,
                created: now,
                created_by: format!("operating-system user {}", peer.user),
            })?;
            Ok::<_, CatalogError>(true)
        });
        match stored {
            Ok(true) => Answer::Text { text: token.text() },
            Ok(false) => failure(
                Some(fleet::numbers::IS_A_MASTER),
                "this server is a target server; only a master gives tokens".to_owned(),
            ),
            Err(error) => failure(None, error.to_string()),
        }
    }

    fn enlist(
        &self,
        proof: Result<(Proof, Option<[u8; 32]>), RemoteError>,
        master: String,
        location: Option<String>,
        encryption: Option<u8>,
    ) -> Answer {
        let enlisted = proof.and_then(|(proof, pin)| {
            let encryption = match encryption {
                Some(code) => EncryptionOption::from_code(i64::from(code)).ok_or_else(|| {
                    RemoteError::Failed {
                        cause: format!("{code} is no encryption option; use 1 or 2"),
                    }
                })?,
                None => self
                    .services
                    .encryption_option()
                    .map_err(|error| RemoteError::Failed {
                        cause: error.to_string(),
                    })?,
            };
            self.services.enlist_with(Application {
                master,
                proof,
                pin,
                encryption,
                location,
                requested_by: SA.to_owned(),
            })
        });
        match enlisted {
            Ok(enlisted) => Answer::Text {
                text: format!("enlisted in {}", enlisted.master_name),
            },
            Err(error) => remote_failure(&error),
        }
    }

    fn query(&self, sql: &str) -> Answer {
        let login = match self.catalog.definitions_read(|read| read.login(SA)) {
            Ok(Some(login)) => login,
            Ok(None) => return failure(None, "there is no login sa".to_owned()),
            Err(error) => {
                let error: CatalogError = error;
                return failure(None, error.to_string());
            }
        };
        match self.sessions.run(&login, sql) {
            Ok(results) => Answer::Results { results },
            Err(error) => failure(Some(error.number), error.message),
        }
    }
}

/// How RemoteError reaches the control socket: with the number T-SQL would raise.
fn remote_failure(error: &RemoteError) -> Answer {
    let (number, text) = match error {
        RemoteError::Refused { number, text } => (*number, text.clone()),
        RemoteError::Failed { cause } => (fleet::numbers::CONVERSATION_FAILED, cause.clone()),
        other => (fleet::numbers::CONVERSATION_FAILED, other.to_string()),
    };
    failure(Some(number), text)
}

fn failure(number: Option<i32>, message: String) -> Answer {
    Answer::Error { number, message }
}
