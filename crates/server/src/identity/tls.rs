//! TLS as server and as client.
//!
//! As server: one certificate behind every protocol of the port, exchangeable while running; the fleet
//! protocol alone asks for a client certificate. As client: the three encryption options of a target.

pub use fleet::{ALPN_ENLIST, ALPN_FLEET};

use super::{IdentityError, ServerIdentity, authority};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    ServerConfig, SignatureScheme,
};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Protocol name of strict TDS.
pub const ALPN_TDS: &[u8] = b"tds/8.0";
/// Protocol name of the console.
pub const ALPN_HTTP: &[u8] = b"http/1.1";

/// Which protocol a TLS client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Strict TDS.
    Tds,
    /// The fleet conversation.
    Fleet,
    /// An enlistment.
    Enlist,
    /// Console, health, metrics; also for clients that name nothing.
    Http,
}

impl Protocol {
    /// The protocol of a client hello's list; `None` when the list names only unknown ones.
    #[must_use]
    pub fn choose<'a>(offered: Option<impl Iterator<Item = &'a [u8]>>) -> Option<Self> {
        let Some(offered) = offered else {
            return Some(Self::Http);
        };
        for name in offered {
            match name {
                ALPN_TDS => return Some(Self::Tds),
                ALPN_FLEET => return Some(Self::Fleet),
                ALPN_ENLIST => return Some(Self::Enlist),
                ALPN_HTTP => return Some(Self::Http),
                _ => {}
            }
        }
        None
    }
}

/// The server side of TLS, one configuration per protocol.
pub struct TlsServer {
    certificate: Arc<ExchangeableCertificate>,
    tds_strict: Arc<ServerConfig>,
    tds_prelogin: Arc<ServerConfig>,
    fleet: Arc<ServerConfig>,
    enlist: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
}

impl TlsServer {
    /// Configurations that show `identity` and, for the fleet, accept client certificates of `authority`.
    ///
    /// # Errors
    /// [`IdentityError`] when key and certificate do not fit.
    pub fn new(
        identity: ServerIdentity,
        authority: &CertificateDer<'static>,
    ) -> Result<Self, IdentityError> {
        let provider = provider();
        let certificate = Arc::new(ExchangeableCertificate::new(identity, &provider)?);
        let mut roots = RootCertStore::empty();
        roots
            .add(authority.clone())
            .map_err(|_| IdentityError::Crypto("the authority's certificate"))?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|_| IdentityError::Crypto("the client verifier"))?;
        let plain = |versions: &[&'static rustls::SupportedProtocolVersion],
                     alpn: &[&[u8]],
                     resumption: Resumption| {
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(versions)
                .map_err(|_| IdentityError::Crypto("protocol versions"))?;
            let mut config = builder
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
            config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
            resumption.apply(&mut config)?;
            Ok::<_, IdentityError>(Arc::new(config))
        };
        let mut fleet = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| IdentityError::Crypto("protocol versions"))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        fleet.alpn_protocols = vec![ALPN_FLEET.to_vec()];
        // A resumed session takes the client's chain from the ticket and asks no verifier: an expired certificate
        // would go on being accepted. Connections of targets are kept, so that little is lost; and after a restart
        // of the master, when all come at once, no ticket would have held.
        Resumption::Never.apply(&mut fleet)?;
        Ok(Self {
            tds_strict: plain(rustls::ALL_VERSIONS, &[ALPN_TDS], Resumption::Ticket)?,
            // Clients fail when 1.3 is offered inside PRELOGIN packets (clients.md, tried).
            tds_prelogin: plain(&[&rustls::version::TLS12], &[], Resumption::Remembered)?,
            fleet: Arc::new(fleet),
            enlist: plain(
                &[&rustls::version::TLS13],
                &[ALPN_ENLIST],
                Resumption::Never,
            )?,
            http: plain(rustls::ALL_VERSIONS, &[ALPN_HTTP], Resumption::Ticket)?,
            certificate,
        })
    }

    /// The configuration for a protocol.
    #[must_use]
    pub fn config(&self, protocol: Protocol) -> Arc<ServerConfig> {
        Arc::clone(match protocol {
            Protocol::Tds => &self.tds_strict,
            Protocol::Fleet => &self.fleet,
            Protocol::Enlist => &self.enlist,
            Protocol::Http => &self.http,
        })
    }

    /// The configuration for TLS inside TDS pre-login packets.
    #[must_use]
    pub fn prelogin_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tds_prelogin)
    }

    /// Shows another certificate from the next handshake on.
    ///
    /// # Errors
    /// [`IdentityError`] when key and certificate do not fit.
    pub fn replace_certificate(&self, identity: ServerIdentity) -> Result<(), IdentityError> {
        self.certificate.replace(identity, &provider())
    }

    #[cfg(test)]
    pub(super) fn leaf(&self) -> Option<CertificateDer<'static>> {
        self.certificate.current().cert.first().cloned()
    }

    /// SHA-256 of the last certificate of the chain shown: what an enlistment token pins.
    #[must_use]
    pub fn pin(&self) -> [u8; 32] {
        let current = self.certificate.current();
        current
            .cert
            .last()
            .map(|last| authority::fingerprint(last))
            .unwrap_or_default()
    }
}

/// How a client's later handshake takes up an earlier one. Each configuration has its own keys and its own memory, so
/// that a session of one protocol is never resumed by another, which may ask for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resumption {
    /// A sealed ticket that the client keeps: many clients take no memory here. The keys change every six hours and
    /// end with the process. Only where no client certificate is asked for: a resumed session does not check it again.
    Ticket,
    /// A few hundred sessions in memory: what clients know inside pre-login packets.
    Remembered,
    /// Every handshake is a whole one: connections that come once, and those that show a client certificate.
    Never,
}

impl Resumption {
    fn apply(self, config: &mut ServerConfig) -> Result<(), IdentityError> {
        match self {
            Self::Ticket => {
                config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()
                    .map_err(|_| IdentityError::Crypto("session tickets"))?;
                config.send_tls13_tickets = 1;
                config.session_storage = Arc::new(NoServerSessionStorage {});
            }
            Self::Remembered => {}
            Self::Never => {
                config.send_tls13_tickets = 0;
                config.session_storage = Arc::new(NoServerSessionStorage {});
            }
        }
        Ok(())
    }
}

/// How a target checks its master. Source: `MsxEncryptChannelOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncryptionOption {
    /// 0: no encryption; the master must allow it too.
    None,
    /// 1: encryption, certificate not checked.
    Encrypt,
    /// 2: encryption, certificate and name checked; the default.
    Validate,
}

impl EncryptionOption {
    /// The option of its number.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Encrypt),
            2 => Some(Self::Validate),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Encrypt => 1,
            Self::Validate => 2,
        }
    }
}

/// What a client trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// How strictly the server's certificate is checked.
    pub option: EncryptionOption,
    /// Authorities given by file (`--master-ca`) or stored at enlistment.
    pub authorities: Vec<CertificateDer<'static>>,
    /// SHA-256 of a certificate of the server's chain, from a token; that certificate then is an authority.
    pub pin: Option<[u8; 32]>,
}

/// Certificate chain and key (PKCS#8) that a client shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// PKCS#8.
    pub key: Vec<u8>,
}

/// A client configuration for one protocol name (empty: none): the same one for the same trust and identity, so
/// that a later handshake resumes an earlier one's session.
///
/// # Errors
/// [`IdentityError`] when the client's own certificate and key do not fit.
pub fn client_config(
    trust: Trust,
    identity: Option<ClientIdentity>,
    alpn: &[u8],
) -> Result<Arc<ClientConfig>, IdentityError> {
    CLIENT_CONFIGS.find(ClientKey {
        trust,
        identity,
        alpn: alpn.to_vec(),
        within_prelogin: false,
    })
}

/// A client configuration for TLS inside TDS pre-login packets: TLS 1.2 alone, no protocol name. Kept as those of
/// [`client_config`] are.
///
/// # Errors
/// [`IdentityError`] when TLS can't be set up.
pub fn client_config_within_prelogin(trust: Trust) -> Result<Arc<ClientConfig>, IdentityError> {
    CLIENT_CONFIGS.find(ClientKey {
        trust,
        identity: None,
        alpn: Vec::new(),
        within_prelogin: true,
    })
}

/// Client configurations that are kept; the one used longest ago gives way.
const CLIENT_CONFIGS_MAX: usize = 16;

static CLIENT_CONFIGS: ClientConfigs = ClientConfigs(Mutex::new(Vec::new()));

/// What a client configuration is made from.
#[derive(PartialEq, Eq)]
struct ClientKey {
    trust: Trust,
    identity: Option<ClientIdentity>,
    alpn: Vec<u8>,
    within_prelogin: bool,
}

/// Client configurations, the one used last at the end.
struct ClientConfigs(Mutex<Vec<(ClientKey, Arc<ClientConfig>)>>);

impl ClientConfigs {
    fn find(&self, key: ClientKey) -> Result<Arc<ClientConfig>, IdentityError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = known.iter().position(|(other, _)| *other == key) {
            let entry = known.remove(at);
            let config = Arc::clone(&entry.1);
            known.push(entry);
            return Ok(config);
        }
        let versions: &[&'static rustls::SupportedProtocolVersion] = if key.within_prelogin {
            &[&rustls::version::TLS12]
        } else {
            rustls::ALL_VERSIONS
        };
        let identity = key.identity.clone();
        let made = configure_client(key.trust.clone(), identity, &key.alpn, versions)?;
        let config = Arc::new(made);
        if known.len() == CLIENT_CONFIGS_MAX {
            known.remove(0);
        }
        known.push((key, Arc::clone(&config)));
        Ok(config)
    }
}

fn configure_client(
    trust: Trust,
    identity: Option<ClientIdentity>,
    alpn: &[u8],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<ClientConfig, IdentityError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|_| IdentityError::Crypto("protocol versions"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustVerifier { trust, provider }));
    let mut config = match identity {
        Some(identity) => {
            let key = PrivateKeyDer::try_from(identity.key)
                .map_err(|_| IdentityError::Crypto("the client key"))?;
            builder
                .with_client_auth_cert(identity.chain, key)
                .map_err(|_| IdentityError::Crypto("the client certificate"))?
        }
        None => builder.with_no_client_auth(),
    };
    if !alpn.is_empty() {
        config.alpn_protocols = vec![alpn.to_vec()];
    }
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The certificate shown to clients, behind a lock so that a renewal needs no restart.
struct ExchangeableCertificate(RwLock<Arc<CertifiedKey>>);

impl ExchangeableCertificate {
    fn new(identity: ServerIdentity, provider: &CryptoProvider) -> Result<Self, IdentityError> {
        Ok(Self(RwLock::new(certified(identity, provider)?)))
    }

    fn replace(
        &self,
        identity: ServerIdentity,
        provider: &CryptoProvider,
    ) -> Result<(), IdentityError> {
        let fresh = certified(identity, provider)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn certified(
    identity: ServerIdentity,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, IdentityError> {
    CertifiedKey::from_der(identity.chain, identity.key, provider)
        .map(Arc::new)
        .map_err(|_| IdentityError::Crypto("the server certificate and its key do not fit"))
}

impl fmt::Debug for ExchangeableCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangeableCertificate")
    }
}

impl ResolvesServerCert for ExchangeableCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// Checks a server as [`Trust`] says. The name is always checked under option 2, whatever vouches for it.
#[derive(Debug)]
struct TrustVerifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl TrustVerifier {
    /// Authorities given, and those of the chain that the pin vouches for.
    fn given_roots(
        &self,
        intermediates: &[CertificateDer<'_>],
        leaf: &CertificateDer<'_>,
    ) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for certificate in &self.trust.authorities {
            // One that webpki can't use as a root vouches for nothing.
            drop(roots.add(certificate.clone()));
        }
        if let Some(pin) = self.trust.pin {
            for certificate in intermediates.iter().chain([leaf]) {
                if authority::fingerprint(certificate) == pin {
                    drop(roots.add(certificate.clone().into_owned()));
                }
            }
        }
        roots
    }

    fn verify_with(
        &self,
        roots: RootCertStore,
        (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if roots.is_empty() {
            return Err(TlsError::InvalidCertificate(
                CertificateError::UnknownIssuer,
            ));
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| TlsError::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }
}

impl ServerCertVerifier for TrustVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if self.trust.option != EncryptionOption::Validate {
            return Ok(ServerCertVerified::assertion());
        }
        let chain = (end_entity, intermediates);
        let given = self.given_roots(intermediates, end_entity);
        match self.verify_with(given, chain, server_name, ocsp_response, now) {
            // The system's authorities come last, since reading them touches many files; and not at all
            // beside a pin, which names the one certificate that counts.
            Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer))
                if self.trust.pin.is_none() =>
            {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                self.verify_with(roots, chain, server_name, ocsp_response, now)
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Authority;
    use jiff::Timestamp;
    use rustls::time_provider::TimeProvider;
    use std::time::Duration;

    /// When the certificates of these tests are issued.
    const ISSUED: &str = "2026-11-23T12:00:00Z";

    /// A clock that stands still.
    #[derive(Debug)]
    struct Still(Timestamp);

    impl TimeProvider for Still {
        fn current_time(&self) -> Option<UnixTime> {
            let seconds = u64::try_from(self.0.as_second()).ok()?;
            Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
        }
    }

    /// A handshake when the certificates were issued.
    fn handshake(
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
        name: &str,
    ) -> Result<bool, TlsError> {
        let issued = ISSUED.parse().unwrap();
        handshake_at((issued, issued), client, server, name)
    }

    /// Runs both ends of a handshake in memory, the client's clock and the server's as given; `Ok` tells whether it
    /// took up an earlier one.
    fn handshake_at(
        (client_now, server_now): (Timestamp, Timestamp),
        client: Arc<ClientConfig>,
        server: Arc<ServerConfig>,
        name: &str,
    ) -> Result<bool, TlsError> {
        // Copies share tickets and remembered sessions with what they are copied from.
        let mut client = Arc::unwrap_or_clone(client);
        client.time_provider = Arc::new(Still(client_now));
        let client = Arc::new(client);
        let mut server = Arc::unwrap_or_clone(server);
        server.time_provider = Arc::new(Still(server_now));
        let server = Arc::new(server);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = rustls::ClientConnection::new(client, name)?;
        let mut server = rustls::ServerConnection::new(server)?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            wire.clear();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        // Tickets come behind the handshake.
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
        let kinds = [client.handshake_kind(), server.handshake_kind()];
        assert_eq!(kinds[0], kinds[1]);
        Ok(kinds[0] == Some(rustls::HandshakeKind::Resumed))
    }

    fn trust(option: EncryptionOption) -> Trust {
        Trust {
            option,
            authorities: Vec::new(),
            pin: None,
        }
    }

    #[test]
    fn a_target_believes_only_what_its_option_allows() {
        let now = ISSUED.parse().unwrap();
        let directory = std::env::temp_dir().join(format!("muster-tls-{}", uuid::Uuid::new_v4()));
        let ours = Authority::open(&directory.join("a"), "MASTER", now).unwrap();
        let other = Authority::open(&directory.join("b"), "OTHER", now).unwrap();
        let names = ["master.example.com".to_owned(), "127.0.0.1".to_owned()];
        let server =
            TlsServer::new(ours.issue_server(&names, now).unwrap(), ours.certificate()).unwrap();
        let enlist = server.config(Protocol::Enlist);
        let validate = |authorities: &[&Authority], pin| Trust {
            authorities: authorities
                .iter()
                .map(|a| a.certificate().clone())
                .collect(),
            pin,
            ..trust(EncryptionOption::Validate)
        };
        let good = "master.example.com";
        let cases = [
            ("authority known", validate(&[&ours], None), good, true),
            (
                "pinned by a token",
                validate(&[], Some(server.pin())),
                good,
                true,
            ),
            ("by address", validate(&[&ours], None), "127.0.0.1", true),
            ("another authority", validate(&[&other], None), good, false),
            ("another pin", validate(&[], Some([7; 32])), good, false),
            (
                "pinned, wrong name",
                validate(&[], Some(server.pin())),
                "other.example.com",
                false,
            ),
            (
                "wrong name",
                validate(&[&ours], None),
                "other.example.com",
                false,
            ),
            ("nothing known", validate(&[], None), good, false),
            (
                "not checked",
                trust(EncryptionOption::Encrypt),
                "other.example.com",
                true,
            ),
        ];
        for (what, trust, name, works) in cases {
            let client = client_config(trust, None, ALPN_ENLIST).unwrap();
            let result = handshake(client, Arc::clone(&enlist), name);
            assert_eq!(result.is_ok(), works, "{what}: {result:?}");
        }

        // The fleet conversation needs a certificate of the master's own authority.
        let (request, key) = authority::new_target_request("TARGET1").unwrap();
        let id = model::InstanceId(uuid::Uuid::new_v4());
        for (authority, works) in [(Some(&ours), true), (Some(&other), false), (None, false)] {
            let identity = authority.map(|authority| ClientIdentity {
                chain: vec![
                    authority
                        .issue_target(&request, (id, model::Generation(1)), "TARGET1", now)
                        .unwrap()
                        .der,
                ],
                key: key.clone(),
            });
            let client = client_config(validate(&[&ours], None), identity, ALPN_FLEET).unwrap();
            let result = handshake(client, server.config(Protocol::Fleet), good);
            assert_eq!(result.is_ok(), works, "{result:?}");
        }
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn sessions_are_resumed_within_their_protocol() {
        let now = ISSUED.parse().unwrap();
        let directory = std::env::temp_dir().join(format!("muster-tls-{}", uuid::Uuid::new_v4()));
        let ours = Authority::open(&directory, "MASTER", now).unwrap();
        let names = ["master.example.com".to_owned()];
        let identity = || ours.issue_server(&names, now).unwrap();
        let server = TlsServer::new(identity(), ours.certificate()).unwrap();
        let trust = || Trust {
            option: EncryptionOption::Validate,
            authorities: vec![ours.certificate().clone()],
            pin: None,
        };
        let (request, key) = authority::new_target_request("TARGET1").unwrap();
        let id = model::InstanceId(uuid::Uuid::new_v4());
        let issued = ours
            .issue_target(&request, (id, model::Generation(1)), "TARGET1", now)
            .unwrap();
        let first = ClientIdentity {
            chain: vec![issued.der],
            key,
        };
        let shake = |protocol: Protocol, alpn: &[u8], identity: Option<&ClientIdentity>| {
            let client = client_config(trust(), identity.cloned(), alpn).unwrap();
            handshake(client, server.config(protocol), "master.example.com").unwrap()
        };
        for (protocol, alpn, identity, resumed) in [
            (Protocol::Fleet, ALPN_FLEET, Some(&first), false),
            (Protocol::Tds, ALPN_TDS, None, true),
            (Protocol::Http, ALPN_HTTP, None, true),
            (Protocol::Enlist, ALPN_ENLIST, None, false),
        ] {
            assert!(!shake(protocol, alpn, identity), "{protocol:?}");
            assert_eq!(shake(protocol, alpn, identity), resumed, "{protocol:?}");
        }
        let within = || client_config_within_prelogin(trust()).unwrap();
        let prelogin = || server.prelogin_config();
        assert!(!handshake(within(), prelogin(), "master.example.com").unwrap());
        assert!(handshake(within(), prelogin(), "master.example.com").unwrap());

        // Other keys of the server: all begins anew.
        let renewed = TlsServer::new(identity(), ours.certificate()).unwrap();
        let client = client_config(trust(), None, ALPN_TDS).unwrap();
        let config = renewed.config(Protocol::Tds);
        assert!(!handshake(client, config, "master.example.com").unwrap());
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn an_expired_target_is_refused_though_it_conversed_before() {
        let now = ISSUED.parse().unwrap();
        let directory = std::env::temp_dir().join(format!("muster-tls-{}", uuid::Uuid::new_v4()));
        let ours = Authority::open(&directory, "MASTER", now).unwrap();
        let name = "master.example.com";
        let identity = ours.issue_server(&[name.to_owned()], now).unwrap();
        let server = TlsServer::new(identity, ours.certificate()).unwrap();
        let (request, key) = authority::new_target_request("TARGET1").unwrap();
        let id = model::InstanceId(uuid::Uuid::new_v4());
        let issued = ours
            .issue_target(&request, (id, model::Generation(1)), "TARGET1", now)
            .unwrap();
        let trust = Trust {
            authorities: vec![ours.certificate().clone()],
            ..trust(EncryptionOption::Validate)
        };
        let shown = ClientIdentity {
            chain: vec![issued.der],
            key,
        };
        let client = client_config(trust, Some(shown), ALPN_FLEET).unwrap();
        let second = jiff::SignedDuration::from_secs(1);
        // The target's clock stands still: a ticket, had it one, would be young.
        for (master_now, works) in [
            (now, true),
            (issued.not_after - second, true),
            (issued.not_after + second, false),
        ] {
            let result = handshake_at(
                (now, master_now),
                Arc::clone(&client),
                server.config(Protocol::Fleet),
                name,
            );
            if works {
                assert_eq!(result, Ok(false), "{master_now}");
            } else {
                assert!(
                    matches!(
                        result,
                        Err(TlsError::InvalidCertificate(
                            CertificateError::Expired | CertificateError::ExpiredContext { .. }
                        ))
                    ),
                    "{master_now}: {result:?}"
                );
            }
        }
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn client_configurations_are_kept_in_a_bounded_number() {
        let configs = ClientConfigs(Mutex::default());
        let find = |number: u8| {
            let key = ClientKey {
                trust: Trust {
                    pin: Some([number; 32]),
                    ..trust(EncryptionOption::Validate)
                },
                identity: None,
                alpn: Vec::new(),
                within_prelogin: false,
            };
            configs.find(key).unwrap()
        };
        let first = find(0);
        for number in 1..16 {
            find(number);
            assert!(Arc::ptr_eq(&first, &find(0)));
        }
        // The one used longest ago gives way.
        let second = find(1);
        find(16);
        assert!(Arc::ptr_eq(&first, &find(0)));
        assert!(Arc::ptr_eq(&second, &find(1)));
        assert_eq!(configs.0.lock().unwrap().len(), CLIENT_CONFIGS_MAX);
        for number in 17..40 {
            find(number);
        }
        assert!(!Arc::ptr_eq(&first, &find(0)));
    }

    #[test]
    fn the_first_known_protocol_name_decides() {
        let choose = |names: &[&[u8]]| Protocol::choose(Some(names.iter().copied()));
        assert_eq!(choose(&[ALPN_TDS]), Some(Protocol::Tds));
        assert_eq!(choose(&[b"h2", ALPN_HTTP]), Some(Protocol::Http));
        assert_eq!(choose(&[b"h3"]), None);
        assert_eq!(
            Protocol::choose(None::<std::iter::Empty<&[u8]>>),
            Some(Protocol::Http)
        );
    }
}
