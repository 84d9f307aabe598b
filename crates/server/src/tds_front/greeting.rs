//! The beginning of a connection: PRELOGIN, TLS, LOGIN7, and the session behind it.

use super::handshake::{HandshakeStream, Transport};
use super::session::{AcceptedLogin, LoginRequest};
use super::worker::Worker;
use super::{ConnectionContext, FrontError, PROGRAM_NAME, READ_BYTES};
use std::io;
use std::sync::Arc;
use tds::charset::Collation;
use tds::login::{FEATURE_UTF8_SUPPORT, Login};
use tds::packet::{
    LOGIN_MESSAGE_BYTES_MAX, Message, MessageReader, PACKET_BYTES_DEFAULT, PACKET_BYTES_MAX,
    PACKET_BYTES_MIN, PacketType, REQUEST_MESSAGE_BYTES_MAX, packets,
};
use tds::prelogin::{Channel, Encryption, EncryptionPolicy, Prelogin, negotiate};
use tds::token::{Done, DoneKind, EnvChange, TokenWriter};
use tds::{TdsError, TdsVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tsql::SqlError;
use tsql::messages::{CHANGED_DATABASE, CHANGED_LANGUAGE};
use zeroize::{Zeroize as _, Zeroizing};

/// The database that a session is in before its login says which.
const FIRST_DATABASE: &str = "master";

/// A connection's bytes after the greeting.
pub(super) type Greeted<S> = Transport<S, TlsStream<HandshakeStream<S>>>;

/// A client that has logged in.
pub(super) struct Welcomed<S> {
    pub(super) stream: Greeted<S>,
    pub(super) reader: MessageReader,
    pub(super) worker: Worker,
    pub(super) version: TdsVersion,
    pub(super) packet_size: u16,
}

/// Greets a client and opens its session. A refused client has been told why.
pub(super) async fn greet<S>(
    mut stream: S,
    context: &ConnectionContext,
) -> Result<Welcomed<S>, FrontError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut reader = MessageReader::new(LOGIN_MESSAGE_BYTES_MAX);
    let first = read_message(&mut stream, &mut reader).await?;
    let mut login_encrypted = context.strict;
    let mut stream = match first.kind {
        PacketType::PreLogin => {
            let channel = answer_prelogin(&mut stream, &first.payload, context).await?;
            match (channel, &context.front.options.tls) {
                (Channel::Plain, _) => Transport::Plain(stream),
                (Channel::LoginEncrypted | Channel::Encrypted, Some(tls)) => {
                    login_encrypted = true;
                    let early =
                        std::mem::replace(&mut reader, MessageReader::new(LOGIN_MESSAGE_BYTES_MAX));
                    let packed = HandshakeStream::new(stream, &early.into_remaining());
                    let mut tls = TlsAcceptor::from(Arc::clone(tls))
                        .accept(packed)
                        .await
                        .map_err(FrontError::Tls)?;
                    tls.get_mut().0.let_through();
                    let mut tls = Box::new(tls);
                    let login = read_message(&mut tls, &mut reader).await?;
                    let stream = if channel == Channel::LoginEncrypted {
                        Transport::Plain(tls.into_inner().0.into_inner())
                    } else {
                        Transport::Tls(tls)
                    };
                    return welcome(stream, reader, login, login_encrypted, context).await;
                }
                (Channel::LoginEncrypted | Channel::Encrypted, None) | (Channel::Refused, _) => {
                    farewell(&mut stream).await;
                    return Err(FrontError::EncryptionRequired);
                }
            }
        }
        // jTDS without encryption starts here.
        PacketType::Login7 => {
            let stream = Transport::Plain(stream);
            return welcome(stream, reader, first, login_encrypted, context).await;
        }
        PacketType::SqlBatch
        | PacketType::LegacyLogin
        | PacketType::Rpc
        | PacketType::TabularResult
        | PacketType::Attention
        | PacketType::BulkLoad
        | PacketType::FedAuthToken
        | PacketType::TransactionManager
        | PacketType::Sspi => return Err(unexpected(first.kind)),
    };
    let login = read_message(&mut stream, &mut reader).await?;
    welcome(stream, reader, login, login_encrypted, context).await
}

async fn answer_prelogin<S>(
    stream: &mut S,
    payload: &[u8],
    context: &ConnectionContext,
) -> Result<Channel, FrontError>
where
    S: AsyncWrite + Unpin,
{
    let asked = Prelogin::decode(payload)?;
    let client = asked.encryption.unwrap_or(Encryption::NotSupported);
    let options = &context.front.options;
    let (answer, channel) = if context.strict {
        // Everything is encrypted already; the byte means nothing, and clients expect their own back.
        (client, Channel::Plain)
    } else {
        negotiate(
            client,
            EncryptionPolicy {
                tls_available: options.tls.is_some(),
                insist: options.require_encryption,
                allow_unencrypted: context.front.allows_unencrypted(context.peer),
            },
        )
    };
    let payload = asked.answer(options.version, answer).encode();
    let bytes = packets(PacketType::TabularResult, PACKET_BYTES_DEFAULT, 0, &payload);
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    Ok(channel)
}

async fn welcome<S>(
    mut stream: Greeted<S>,
    mut reader: MessageReader,
    mut message: Message,
    login_encrypted: bool,
    context: &ConnectionContext,
) -> Result<Welcomed<S>, FrontError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if message.kind != PacketType::Login7 {
        return Err(unexpected(message.kind));
    }
    let decoded = Login::decode(&message.payload);
    message.payload.zeroize();
    let mut login = decoded?;
    let password = Zeroizing::new(std::mem::take(&mut login.password));
    let wanted = u16::try_from(login.packet_size).unwrap_or(u16::MAX);
    let packet_size = match wanted {
        0 => PACKET_BYTES_DEFAULT,
        size => size.clamp(PACKET_BYTES_MIN, PACKET_BYTES_MAX),
    };
    let wholly_encrypted = context.strict || matches!(stream, Transport::Tls(_));
    let opened = match objection(&login, login_encrypted, context) {
        Some(error) => Err(error),
        None => open_session(&login, password, wholly_encrypted, context).await?,
    };
    if let Some(mut new_password) = login.new_password.take() {
        new_password.zeroize();
    }
    let (worker, accepted) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let number = error.number;
            refuse(&mut stream, login.layout, &error, context).await;
            return Err(FrontError::LoginRefused { number });
        }
    };
    let tokens = login_answer(&login, &accepted, packet_size, context);
    let bytes = packets(
        PacketType::TabularResult,
        packet_size.min(PACKET_BYTES_DEFAULT),
        worker.spid,
        &tokens,
    );
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    reader.set_limit(REQUEST_MESSAGE_BYTES_MAX);
    Ok(Welcomed {
        stream,
        reader,
        worker,
        version: login.layout,
        packet_size,
    })
}

/// What speaks against a login before its password is looked at.
fn objection(
    login: &Login,
    login_encrypted: bool,
    context: &ConnectionContext,
) -> Option<SqlError> {
    let options = &context.front.options;
    if !login_encrypted
        && (options.require_encryption || !context.front.allows_unencrypted(context.peer))
    {
        let text =
            "Encryption is required here, and the client did not offer it. The connection ends.";
        return Some(SqlError::new(17_835, 20, text));
    }
    if login.federated {
        return Some(refused_for(
            login,
            "federated authentication is not supported",
        ));
    }
    if login.integrated_security {
        let text = "Login failed. Windows authentication is not supported here; use a SQL login.";
        return Some(SqlError::new(18_452, 14, text));
    }
    if login.new_password.is_some() {
        return Some(refused_for(login, "passwords are changed by ALTER LOGIN"));
    }
    None
}

fn refused_for(login: &Login, reason: &str) -> SqlError {
    let name = &login.user_name;
    SqlError::new(
        18_456,
        14,
        format!("Login failed for user '{name}'. Reason: {reason}."),
    )
}

/// Verifies the login on a blocking thread and starts the session's own.
async fn open_session(
    login: &Login,
    password: Zeroizing<String>,
    encrypted: bool,
    context: &ConnectionContext,
) -> Result<Result<(Worker, Accepted), SqlError>, FrontError> {
    let front = &context.front;
    let turn = Arc::clone(&front.logins)
        .acquire_owned()
        .await
        .map_err(|_| FrontError::SessionLost)?;
    let Some(spid) = front.spids.take() else {
        let text = "The server has as many sessions as it can serve. The connection ends.";
        return Ok(Err(SqlError::new(17_809, 20, text)));
    };
    let request = LoginRequest {
        login: login.user_name.clone(),
        password,
        database: login.database.clone(),
        language: login.language.clone(),
        application: login.app_name.clone(),
        host_name: login.host_name.clone(),
        library: login.library_name.clone(),
        client_pid: login.client_pid,
        peer: context.peer,
        encrypted,
        spid: spid.number,
        version: login.version,
    };
    let sessions = Arc::clone(&front.options.sessions);
    let verified = tokio::task::spawn_blocking(move || {
        // Held for as long as the verification takes, even when the client has gone.
        let _turn = turn;
        sessions.login(request)
    })
    .await
    .map_err(|_| FrontError::SessionLost)?;
    let AcceptedLogin {
        database,
        language,
        open,
    } = match verified {
        Ok(accepted) => accepted,
        Err(error) => return Ok(Err(error)),
    };
    let server_name = front.options.server_name.clone();
    let started = Worker::start(open, spid, login.layout, server_name).await?;
    Ok(started.map(|worker| (worker, Accepted { database, language })))
}

struct Accepted {
    database: String,
    language: String,
}

fn login_answer(
    login: &Login,
    accepted: &Accepted,
    packet_size: u16,
    context: &ConnectionContext,
) -> Vec<u8> {
    let options = &context.front.options;
    let mut tokens = TokenWriter::new(login.layout);
    let info = |mut message: SqlError, state: u8| {
        message.severity = 0;
        message.with_state(state).at_line(1)
    };
    tokens.environment(&EnvChange::Database {
        new: accepted.database.clone(),
        old: FIRST_DATABASE.to_owned(),
    });
    tokens.message(
        &info(CHANGED_DATABASE.with(&[&accepted.database]), 2),
        &options.server_name,
    );
    tokens.environment(&EnvChange::Collation(Collation::SERVER));
    tokens.environment(&EnvChange::Language {
        new: accepted.language.clone(),
        old: String::new(),
    });
    tokens.message(
        &info(CHANGED_LANGUAGE.with(&[&accepted.language]), 1),
        &options.server_name,
    );
    tokens.login_ack(login.version, PROGRAM_NAME, options.version);
    tokens.environment(&EnvChange::PacketSize {
        new: packet_size,
        old: PACKET_BYTES_DEFAULT,
    });
    if login.features.contains(&FEATURE_UTF8_SUPPORT) {
        tokens.feature_ack(&[(FEATURE_UTF8_SUPPORT, &[0])]);
    }
    tokens.done(Done::new(DoneKind::Done));
    tokens.take()
}

/// Tells the client why it can't come in. What the client does with it no longer matters.
async fn refuse<S>(
    stream: &mut S,
    version: TdsVersion,
    error: &SqlError,
    context: &ConnectionContext,
) where
    S: AsyncWrite + Unpin,
{
    let mut tokens = TokenWriter::new(version);
    tokens.message(error, &context.front.options.server_name);
    tokens.done(Done {
        error: true,
        ..Done::new(DoneKind::Done)
    });
    let bytes = packets(
        PacketType::TabularResult,
        PACKET_BYTES_DEFAULT,
        0,
        &tokens.take(),
    );
    let _gone = stream.write_all(&bytes).await;
    farewell(stream).await;
}

async fn farewell<S: AsyncWrite + Unpin>(stream: &mut S) {
    let _gone = stream.flush().await;
    let _gone = stream.shutdown().await;
}

/// The next whole message of the client.
async fn read_message<S>(stream: &mut S, reader: &mut MessageReader) -> Result<Message, FrontError>
where
    S: AsyncRead + Unpin,
{
    let mut buffer = vec![0; READ_BYTES];
    let message = loop {
        if let Some(message) = reader.next_message()? {
            break message;
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        reader.feed(buffer.get(..count).unwrap_or_default());
    };
    // It may hold a password, lightly disguised.
    buffer.zeroize();
    Ok(message)
}

fn unexpected(kind: PacketType) -> FrontError {
    FrontError::Protocol(TdsError::Invalid {
        what: "a message before the login",
        value: kind.code().into(),
    })
}
