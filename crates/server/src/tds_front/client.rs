//! Muster as a TDS client: of a SQL Server, or of another instance.

use super::handshake::HandshakeStream;
use crate::identity::IdentityError;
use crate::identity::tls::{
    ALPN_TDS, EncryptionOption, Trust, client_config, client_config_within_prelogin,
};
use crate::listener::Stream;
use rustls::pki_types::ServerName;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tds::login::Login;
use tds::packet::{MessageReader, PACKET_BYTES_DEFAULT, PacketReader, PacketType, packets};
use tds::prelogin::{Encryption, Prelogin};
use tds::reply::{Event, ReplyReader};
use tds::request::{RpcCall, SqlBatch, encode_rpc};
use tds::token::EnvChange;
use tds::{ProductVersion, TdsError, TdsVersion, VersionNumber};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tsql::SqlError;
use zeroize::{Zeroize as _, Zeroizing};

/// Port of SQL Server and Muster when none is named.
pub const PORT_DEFAULT: u16 = 1433;
/// Time from the first byte to the end of the login, unless the options say otherwise.
pub const CLIENT_LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer to PRELOGIN.
const PRELOGIN_ANSWER_BYTES_MAX: usize = 8 * 1024;
const READ_BYTES: usize = 16 * 1024;

/// What is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientEncryption {
    /// TLS before everything (TDS 8.0).
    Strict,
    /// Everything after PRELOGIN.
    #[default]
    Mandatory,
    /// What the server insists on; else the login packet alone, and the server's certificate is then not
    /// checked. A server that can't encrypt is refused.
    Optional,
    /// Nothing. The password crosses the network readable.
    None,
}

/// Where to connect, as whom.
#[derive(Clone)]
pub struct ClientOptions {
    /// Host name or address; also the name that the certificate must bear.
    pub host: String,
    /// Port.
    pub port: u16,
    /// SQL login.
    pub login: String,
    /// Its clear password.
    pub password: Zeroizing<String>,
    /// Database to start in; the login's default when `None`.
    pub database: Option<String>,
    /// What is encrypted.
    pub encryption: ClientEncryption,
    /// What certificates are believed.
    pub trust: Trust,
    /// Name that the certificate must bear instead of `host`.
    pub certificate_host: Option<String>,
    /// Application name to tell.
    pub application: String,
    /// Host name to tell.
    pub host_name: String,
    /// Packet size to ask for.
    pub packet_size: u16,
    /// Time for connecting and logging in.
    pub login_timeout: Duration,
}

impl ClientOptions {
    /// Mandatory encryption with a certificate that the system's authorities vouch for.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: u16,
        login: impl Into<String>,
        password: &str,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            login: login.into(),
            password: Zeroizing::new(password.to_owned()),
            database: None,
            encryption: ClientEncryption::default(),
            trust: Trust {
                option: EncryptionOption::Validate,
                authorities: Vec::new(),
                pin: None,
            },
            certificate_host: None,
            application: "muster".to_owned(),
            host_name: String::new(),
            packet_size: PACKET_BYTES_DEFAULT,
            login_timeout: CLIENT_LOGIN_TIMEOUT,
        }
    }
}

/// Why a client's act failed. Errors of statements are events, not these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server can't be reached, or the connection broke.
    #[error("connection to {address}")]
    Io {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS failed: an untrusted certificate, a wrong name, no common version.
    #[error("TLS with {address}")]
    Tls {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS could not be set up.
    #[error("set up TLS")]
    TlsSetup(#[from] IdentityError),
    /// The host is no name that a certificate can bear.
    #[error("{0:?} is not a host name")]
    HostName(String),
    /// The server does not encrypt, and the options ask for it.
    #[error("{address} does not encrypt")]
    NotEncrypted {
        /// Host and port.
        address: String,
    },
    /// The server insists on encryption, and the options forbid it.
    #[error("{address} insists on encryption")]
    EncryptionRequired {
        /// Host and port.
        address: String,
    },
    /// No login in time.
    #[error("no login at {address} within {limit:?}")]
    Timeout {
        /// Host and port.
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// The server refused the login; its words.
    #[error("login refused: {0}")]
    LoginRefused(SqlError),
    /// The server broke the protocol, or a parameter could not be written.
    #[error("TDS")]
    Protocol(#[from] TdsError),
}

/// Asks a running request to stop, from anywhere.
#[derive(Debug, Clone, Default)]
pub struct Canceller(Arc<Notify>);

impl Canceller {
    /// Sends an attention for the request that runs; without one, for the next.
    pub fn cancel(&self) {
        self.0.notify_one();
    }
}

/// A logged-in connection. One request at a time; dropping it closes the connection.
pub struct SqlClient {
    stream: Box<dyn Stream>,
    address: String,
    incoming: PacketReader,
    reply: ReplyReader,
    packet_size: u16,
    transaction: u64,
    database: String,
    product: ProductVersion,
    program: String,
    login_messages: Vec<SqlError>,
    canceller: Canceller,
}

impl SqlClient {
    /// Connects and logs in.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::LoginRefused`] when the server said no.
    pub async fn connect(options: &ClientOptions) -> Result<Self, ClientError> {
        let address = format!("{},{}", options.host, options.port);
        let connecting = Box::pin(async {
            let stream = TcpStream::connect((options.host.as_str(), options.port))
                .await
                .map_err(io_error(&address))?;
            stream.set_nodelay(true).map_err(io_error(&address))?;
            Self::greet(stream, options, address.clone()).await
        });
        tokio::time::timeout(options.login_timeout, connecting)
            .await
            .map_err(|_| ClientError::Timeout {
                address: address.clone(),
                limit: options.login_timeout,
            })?
    }

    /// Logs in over a stream that leads to the server. The login time-out covers it.
    ///
    /// # Errors
    /// As [`SqlClient::connect`].
    pub async fn over<S>(stream: S, options: &ClientOptions) -> Result<Self, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = format!("{},{}", options.host, options.port);
        let greeting = Box::pin(Self::greet(stream, options, address.clone()));
        tokio::time::timeout(options.login_timeout, greeting)
            .await
            .map_err(|_| ClientError::Timeout {
                address,
                limit: options.login_timeout,
            })?
    }

    async fn greet<S>(
        mut stream: S,
        options: &ClientOptions,
        address: String,
    ) -> Result<Self, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let asked = match options.encryption {
            ClientEncryption::Strict => {
                let config = client_config(options.trust.clone(), None, ALPN_TDS)?;
                let mut stream = connect_tls(stream, config, options, &address).await?;
                prelogin(&mut stream, Encryption::NotSupported, &address).await?;
                send_login(&mut stream, VersionNumber::V8_0, options, &address).await?;
                return Self::finish(Box::new(stream), address).await;
            }
            ClientEncryption::Mandatory => Encryption::On,
            ClientEncryption::Optional => Encryption::Off,
            ClientEncryption::None => Encryption::NotSupported,
        };
        let answer = prelogin(&mut stream, asked, &address).await?;
        let whole = match (asked, answer) {
            (Encryption::NotSupported, Encryption::NotSupported | Encryption::Off) => {
                send_login(&mut stream, VersionNumber::V7_4, options, &address).await?;
                return Self::finish(Box::new(stream), address).await;
            }
            (Encryption::NotSupported, Encryption::On | Encryption::Required) => {
                return Err(ClientError::EncryptionRequired { address });
            }
            (Encryption::Off, Encryption::Off) => false,
            (
                Encryption::Off | Encryption::On | Encryption::Required,
                Encryption::On | Encryption::Required,
            ) => true,
            (Encryption::On | Encryption::Required, Encryption::Off)
            | (Encryption::Off | Encryption::On | Encryption::Required, Encryption::NotSupported) =>
            {
                return Err(ClientError::NotEncrypted { address });
            }
        };
        let mut trust = options.trust.clone();
        if !whole {
            trust.option = EncryptionOption::Encrypt;
        }
        let config = client_config_within_prelogin(trust)?;
        let packed = HandshakeStream::new(stream, &[]);
        let mut tls = connect_tls(packed, config, options, &address).await?;
        tls.get_mut().0.let_through();
        send_login(&mut tls, VersionNumber::V7_4, options, &address).await?;
        if whole {
            Self::finish(Box::new(tls), address).await
        } else {
            Self::finish(Box::new(tls.into_inner().0.into_inner()), address).await
        }
    }

    /// Reads the answer to the login.
    async fn finish(stream: Box<dyn Stream>, address: String) -> Result<Self, ClientError> {
        let mut client = Self {
            stream,
            address,
            incoming: PacketReader::new(),
            reply: ReplyReader::new(TdsVersion::V7_4),
            packet_size: PACKET_BYTES_DEFAULT,
            transaction: 0,
            database: String::new(),
            product: ProductVersion::SERVER,
            program: String::new(),
            login_messages: Vec::new(),
            canceller: Canceller::default(),
        };
        let mut accepted = None;
        let mut messages = Vec::new();
        client
            .answer(|event| {
                if let Event::LoginAck {
                    program, product, ..
                } = event
                {
                    accepted = Some((program, product));
                } else if let Event::Message(message) = event {
                    messages.push(message);
                }
                ControlFlow::Continue(())
            })
            .await?;
        let Some((program, product)) = accepted else {
            let error = messages
                .into_iter()
                .find(SqlError::is_error)
                .unwrap_or_else(|| SqlError::new(18_456, 14, "The login was not acknowledged."));
            return Err(ClientError::LoginRefused(error));
        };
        client.program = program;
        client.product = product;
        client.login_messages = messages;
        Ok(client)
    }

    /// Runs a batch. `on_event` gets results as they arrive, errors of statements included; `Break` cancels.
    ///
    /// # Errors
    /// [`ClientError`] when the connection is beyond use.
    pub async fn batch(
        &mut self,
        text: &str,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let payload = SqlBatch::encode(text, self.transaction, TdsVersion::V7_4);
        self.request(PacketType::SqlBatch, &payload).await?;
        self.answer(on_event).await
    }

    /// Runs a remote procedure call, as [`SqlClient::batch`] runs a batch. For statements with parameters see
    /// [`tds::request::execute_sql`].
    ///
    /// # Errors
    /// As [`SqlClient::batch`]; [`ClientError::Protocol`] also for a parameter whose value does not go with its
    /// type (nothing is sent then).
    pub async fn call(
        &mut self,
        call: &RpcCall,
        on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let payload = encode_rpc(call, self.transaction, TdsVersion::V7_4)?;
        self.request(PacketType::Rpc, &payload).await?;
        self.answer(on_event).await
    }

    /// A handle that cancels the request that runs.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Current database, as the server said last.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Name of the server program.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Version of the server program.
    #[must_use]
    pub fn product(&self) -> ProductVersion {
        self.product
    }

    /// What the server said at the login.
    #[must_use]
    pub fn login_messages(&self) -> &[SqlError] {
        &self.login_messages
    }

    /// Closes the connection in good order.
    pub async fn close(mut self) {
        let _gone = self.stream.shutdown().await;
    }

    async fn request(&mut self, kind: PacketType, payload: &[u8]) -> Result<(), ClientError> {
        let bytes = packets(kind, self.packet_size, 0, payload);
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(io_error(&self.address))
    }

    /// Reads one answer to its end; after a cancellation, to its acknowledgement.
    async fn answer(
        &mut self,
        mut on_event: impl FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), ClientError> {
        let mut buffer = vec![0; READ_BYTES];
        let mut cancelled = false;
        loop {
            let mut cancel = false;
            while let Some(packet) = self.incoming.next_packet()? {
                if packet.header.kind != PacketType::TabularResult {
                    return Err(ClientError::Protocol(TdsError::Invalid {
                        what: "an answer",
                        value: packet.header.kind.code().into(),
                    }));
                }
                let last = packet.header.is_last();
                let mut acknowledged = false;
                self.reply.feed(packet.payload)?;
                while let Some(event) = self.reply.next_event()? {
                    if let Event::Done(done) = &event {
                        acknowledged |= done.attention;
                    } else if let Event::Environment(change) = &event {
                        match change {
                            EnvChange::Database { new, .. } => self.database.clone_from(new),
                            EnvChange::PacketSize { new, .. } => self.packet_size = *new,
                            EnvChange::BeginTransaction(id) => self.transaction = *id,
                            EnvChange::CommitTransaction(_) | EnvChange::RollbackTransaction(_) => {
                                self.transaction = 0;
                            }
                            EnvChange::Language { .. }
                            | EnvChange::Collation(_)
                            | EnvChange::ResetDone
                            | EnvChange::Other(_) => {}
                        }
                    }
                    if !cancelled && !cancel {
                        cancel = on_event(event).is_break();
                    }
                }
                if last && self.reply.is_inside_token() {
                    return Err(ClientError::Protocol(TdsError::Truncated {
                        what: "an answer",
                    }));
                }
                if last && (acknowledged || !(cancelled || cancel)) {
                    return Ok(());
                }
            }
            if cancel {
                cancelled = true;
                self.request(PacketType::Attention, &[]).await?;
            }
            tokio::select! {
                read = self.stream.read(&mut buffer) => {
                    let count = read.map_err(io_error(&self.address))?;
                    if count == 0 {
                        let source = io::Error::from(io::ErrorKind::UnexpectedEof);
                        return Err(io_error(&self.address)(source));
                    }
                    self.incoming.feed(buffer.get(..count).unwrap_or_default());
                }
                () = self.canceller.0.notified(), if !cancelled => {
                    cancelled = true;
                    self.request(PacketType::Attention, &[]).await?;
                }
            }
        }
    }
}

/// Sends PRELOGIN and reads what the server answers about encryption.
async fn prelogin<S>(
    stream: &mut S,
    encryption: Encryption,
    address: &str,
) -> Result<Encryption, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asked = Prelogin {
        version: Some((ProductVersion::SERVER, 0)),
        encryption: Some(encryption),
        instance: Some(Vec::new()),
        thread_id: Some(vec![0; 4]),
        mars: Some(false),
        ..Prelogin::default()
    };
    let bytes = packets(
        PacketType::PreLogin,
        PACKET_BYTES_DEFAULT,
        0,
        &asked.encode(),
    );
    let mut reader = MessageReader::new(PRELOGIN_ANSWER_BYTES_MAX);
    let exchanged = async {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        let mut buffer = [0; 512];
        loop {
            match reader.next_message() {
                Ok(Some(message)) => return Ok(Ok(message)),
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            reader.feed(buffer.get(..count).unwrap_or_default());
        }
    };
    let message = exchanged.await.map_err(io_error(address))??;
    let answer = Prelogin::decode(&message.payload)?;
    Ok(answer.encryption.unwrap_or(Encryption::NotSupported))
}

async fn send_login<S>(
    stream: &mut S,
    version: VersionNumber,
    options: &ClientOptions,
    address: &str,
) -> Result<(), ClientError>
where
    S: AsyncWrite + Unpin,
{
    let mut login = Login::new(version, &options.login, &options.password);
    login.database = options.database.clone().unwrap_or_default();
    login.app_name.clone_from(&options.application);
    login.host_name.clone_from(&options.host_name);
    login.server_name.clone_from(&options.host);
    login.packet_size = u32::from(options.packet_size);
    login.client_pid = std::process::id();
    let payload = Zeroizing::new(login.encode());
    login.password.zeroize();
    let bytes = Zeroizing::new(packets(
        PacketType::Login7,
        PACKET_BYTES_DEFAULT,
        0,
        &payload,
    ));
    let sent = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    sent.await.map_err(io_error(address))
}

async fn connect_tls<S>(
    stream: S,
    config: Arc<rustls::ClientConfig>,
    options: &ClientOptions,
    address: &str,
) -> Result<TlsStream<S>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let host = options.certificate_host.as_ref().unwrap_or(&options.host);
    let name =
        ServerName::try_from(host.clone()).map_err(|_| ClientError::HostName(host.clone()))?;
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|source| ClientError::Tls {
            address: address.to_owned(),
            source,
        })
}

fn io_error(address: &str) -> impl Fn(io::Error) -> ClientError {
    move |source| ClientError::Io {
        address: address.to_owned(),
        source,
    }
}
