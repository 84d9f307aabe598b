//! One port for everything: looks at a connection's first byte and hands it to its protocol.
//!
//! | first byte | protocol |
//! | --- | --- |
//! | 0x12, 0x10 | TDS pre-login, bare login |
//! | 0x16 | TLS; the protocol name in the hello decides |
//! | a capital letter | plain HTTP: redirected to https |

use crate::identity::authority::target_of;
use crate::identity::tls::{Protocol, TlsServer};
use crate::master_end::PeerCertificate;
use rustix::net::sockopt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

/// Time a client has to send its first byte.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time a client has to finish its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// Connections that have not shown their protocol yet; one more waits in the system's queue.
pub const UNDECIDED_CONNECTIONS_MAX: usize = 2_048;
/// TDS connections; one more is closed at once.
pub const TDS_CONNECTIONS_MAX: usize = 4_096;
/// Fleet connections; one more is closed at once.
pub const FLEET_CONNECTIONS_MAX: usize = 120_000;
/// Enlistments under way; one more is closed at once.
pub const ENLIST_CONNECTIONS_MAX: usize = 64;
/// Console connections; one more is closed at once.
pub const HTTP_CONNECTIONS_MAX: usize = 256;
/// Silence after which the system asks whether a peer is still there.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);
/// Pause after the system could not accept, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A byte stream of any transport.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection whose protocol is known.
pub struct Connection {
    /// Its bytes, from the first on.
    pub stream: Box<dyn Stream>,
    /// The peer.
    pub peer: SocketAddr,
    /// Whether TLS is around it already.
    pub encrypted: bool,
    /// What the client certificate says, where one was shown and verified.
    pub certificate: Option<PeerCertificate>,
}

/// What a protocol's handler gives back: runs until the connection ends.
pub type Conversation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The protocols behind the port.
pub trait Protocols: Send + Sync + 'static {
    /// Serves one connection.
    fn converse(&self, protocol: Protocol, connection: Connection) -> Conversation;
}

/// Accepts connections and counts them.
pub struct Front {
    tls: Arc<TlsServer>,
    protocols: Arc<dyn Protocols>,
    undecided: Arc<Semaphore>,
    tds: Arc<Semaphore>,
    fleet: Arc<Semaphore>,
    enlist: Arc<Semaphore>,
    http: Arc<Semaphore>,
}

impl Front {
    /// A front before the given protocols.
    #[must_use]
    pub fn new(tls: Arc<TlsServer>, protocols: Arc<dyn Protocols>) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self {
            tls,
            protocols,
            undecided: places(UNDECIDED_CONNECTIONS_MAX),
            tds: places(TDS_CONNECTIONS_MAX),
            fleet: places(FLEET_CONNECTIONS_MAX),
            enlist: places(ENLIST_CONNECTIONS_MAX),
            http: places(HTTP_CONNECTIONS_MAX),
        }
    }

    /// Accepts until the task is dropped. `console_only` serves nothing but https.
    pub async fn accept(self: Arc<Self>, listener: TcpListener, console_only: bool) {
        loop {
            let Ok(place) = Arc::clone(&self.undecided).acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the port does not accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let front = Arc::clone(&self);
            tokio::spawn(async move {
                // Boxed, so that its 4 KB do not stay with a connection that may idle for days.
                let decided = Box::pin(front.decide(stream, peer, console_only)).await;
                drop(place);
                match decided {
                    Ok(Some((protocol, connection))) => front.serve(protocol, connection).await,
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%peer, %error, "a connection ended early"),
                }
            });
        }
    }

    async fn serve(&self, protocol: Protocol, connection: Connection) {
        let places = match protocol {
            Protocol::Tds => &self.tds,
            Protocol::Fleet => &self.fleet,
            Protocol::Enlist => &self.enlist,
            Protocol::Http => &self.http,
        };
        let Ok(_place) = Arc::clone(places).try_acquire_owned() else {
            tracing::warn!(peer = %connection.peer, ?protocol, "too many connections of this kind");
            return;
        };
        self.protocols.converse(protocol, connection).await;
    }

    async fn decide(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        console_only: bool,
    ) -> io::Result<Option<(Protocol, Connection)>> {
        stream.set_nodelay(true)?;
        // A peer that is gone without a word is noticed by the system.
        sockopt::set_socket_keepalive(&stream, true)?;
        sockopt::set_tcp_keepidle(&stream, KEEP_ALIVE_AFTER)?;
        let mut first = [0u8; 1];
        let read = tokio::time::timeout(FIRST_BYTE_TIMEOUT, stream.peek(&mut first)).await??;
        let plain = |stream: TcpStream| Connection {
            stream: Box::new(stream),
            peer,
            encrypted: false,
            certificate: None,
        };
        match (read, first[0]) {
            (0, _) => Ok(None),
            (_, 0x16) => self.decide_tls(stream, peer, console_only).await,
            (_, 0x10 | 0x12) if !console_only => Ok(Some((Protocol::Tds, plain(stream)))),
            (_, b'A'..=b'Z') => {
                crate::console_front::redirect(stream).await?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    async fn decide_tls(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        console_only: bool,
    ) -> io::Result<Option<(Protocol, Connection)>> {
        let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let handshake = async {
            let start = acceptor.await?;
            let hello = start.client_hello();
            let protocol = Protocol::choose(hello.alpn());
            let Some(protocol) = protocol.filter(|&p| !console_only || p == Protocol::Http) else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "no protocol of the client is served here",
                ));
            };
            let stream = start.into_stream(self.tls.config(protocol)).await?;
            Ok((protocol, stream))
        };
        let (protocol, stream) = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await??;
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| target_of(chain.first()?))
            .map(|(instance, generation)| PeerCertificate {
                instance,
                generation,
            });
        Ok(Some((
            protocol,
            Connection {
                stream: Box::new(stream),
                peer,
                encrypted: true,
                certificate,
            },
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Authority;
    use crate::identity::tls::{EncryptionOption, Trust, client_config};
    use std::sync::Mutex;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    #[derive(Default)]
    struct Recorder {
        seen: Mutex<Vec<(Protocol, bool)>>,
    }

    impl Protocols for Recorder {
        fn converse(&self, protocol: Protocol, mut connection: Connection) -> Conversation {
            self.seen
                .lock()
                .unwrap()
                .push((protocol, connection.encrypted));
            Box::pin(async move {
                let _ = connection
                    .stream
                    .write_all(format!("{protocol:?}").as_bytes())
                    .await;
                let _ = connection.stream.shutdown().await;
            })
        }
    }

    async fn answer(address: SocketAddr, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut text = Vec::new();
        // A connection reset is an answer too: the port wants nothing of this client.
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn tls_answer(address: SocketAddr, alpn: &[u8]) -> Option<String> {
        let trust = Trust {
            option: EncryptionOption::Encrypt,
            authorities: vec![],
            pin: None,
        };
        let connector = TlsConnector::from(client_config(trust, None, alpn).unwrap());
        let stream = TcpStream::connect(address).await.unwrap();
        let name = "localhost".to_owned().try_into().unwrap();
        let mut stream = connector.connect(name, stream).await.ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.ok()?;
        Some(text)
    }

    #[tokio::test]
    async fn the_first_bytes_choose_the_protocol() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let directory = std::env::temp_dir().join(format!("muster-port-{}", uuid::Uuid::new_v4()));
        let authority = Authority::open(&directory, "MASTER", now).unwrap();
        let identity = authority
            .issue_server(&["localhost".to_owned()], now)
            .unwrap();
        let tls = Arc::new(TlsServer::new(identity, authority.certificate()).unwrap());
        let recorder = Arc::<Recorder>::default();
        let front = Arc::new(Front::new(
            Arc::clone(&tls),
            Arc::clone(&recorder) as Arc<dyn Protocols>,
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(front.accept(listener, false));
        assert_eq!(answer(address, &[0x12, 1]).await, "Tds");
        assert_eq!(answer(address, &[0x10, 1]).await, "Tds");
        assert_eq!(answer(address, &[0, 0, 0, 9]).await, "");
        assert!(
            answer(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                .await
                .contains("https://a/")
        );
        assert_eq!(answer(address, &[0xff; 1_000]).await, "");
        assert_eq!(
            tls_answer(address, b"tds/8.0").await.as_deref(),
            Some("Tds")
        );
        assert_eq!(
            tls_answer(address, b"muster-enlist/1").await.as_deref(),
            Some("Enlist")
        );
        assert_eq!(
            tls_answer(address, b"http/1.1").await.as_deref(),
            Some("Http")
        );
        assert_eq!(tls_answer(address, b"").await.as_deref(), Some("Http"));
        assert_eq!(tls_answer(address, b"h3").await, None);
        assert_eq!(
            tls_answer(address, b"muster/1").await,
            None,
            "no client certificate"
        );
        task.abort();
        std::fs::remove_dir_all(directory).unwrap();
    }
}
