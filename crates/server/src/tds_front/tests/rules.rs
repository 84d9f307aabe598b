//! What existing clients need of a server, each rule for itself: negotiation, TLS, packet sizes, features.

use super::*;
use crate::identity::ServerIdentity;
use crate::identity::tls::{client_config, client_config_within_prelogin};
use crate::tds_front::handshake::HandshakeStream;
use rustls::ProtocolVersion;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tds::packet::PACKET_BYTES_MAX;
use tds::token::EnvChange as Wire;
use tokio_rustls::TlsConnector;

async fn prelogin(raw: &mut Raw, encryption: Encryption) -> Prelogin {
    let asked = Prelogin {
        encryption: Some(encryption),
        mars: Some(true),
        fed_auth_required: Some(1),
        ..Prelogin::default()
    };
    raw.send(PacketType::PreLogin, &asked.encode()).await;
    Prelogin::decode(&raw.payload().await.unwrap()).unwrap()
}

#[tokio::test]
async fn encryption_is_answered_as_clients_expect() {
    use Encryption::{NotSupported, Off, On, Required};
    for (require, allowed, asked, expected) in [
        (false, true, Off, Off),
        (false, true, On, On),
        (false, true, Required, On),
        (false, true, NotSupported, NotSupported),
        (false, false, Off, Off),
        (false, false, NotSupported, Required),
        (true, true, Off, Required),
        (true, true, On, On),
        (true, true, NotSupported, Required),
    ] {
        let bench = bench_with(|options| {
            options.require_encryption = require;
            options.unencrypted_logins = if allowed {
                UnencryptedLogins::Always
            } else {
                UnencryptedLogins::Never
            };
        });
        let (stream, served) = bench.serve(AWAY);
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        let answer = prelogin(&mut raw, asked).await;
        assert_eq!(
            answer.encryption,
            Some(expected),
            "{require} {allowed} {asked:?}"
        );
        // One request at a time on a connection, and no tokens of a directory.
        assert_eq!(answer.mars, Some(false));
        assert_eq!(answer.fed_auth_required, Some(0));
        if asked == NotSupported && expected == Required {
            assert!(raw.payload().await.is_none());
            let ended = served.await.unwrap();
            assert!(matches!(ended, Err(FrontError::EncryptionRequired)));
        }
    }
}

/// TLS inside PRELOGIN packets with a client of these versions; the version agreed on.
async fn within_prelogin(
    bench: &Bench,
    config: Arc<rustls::ClientConfig>,
) -> std::io::Result<ProtocolVersion> {
    let (stream, _served) = bench.serve(HERE);
    let mut raw = Raw::new(stream, VersionNumber::V7_4);
    prelogin(&mut raw, Encryption::On).await;
    let name = ServerName::try_from("localhost").unwrap();
    let packed = HandshakeStream::new(raw.stream, &[]);
    let tls = TlsConnector::from(config).connect(name, packed).await?;
    Ok(tls.get_ref().1.protocol_version().unwrap())
}

#[tokio::test]
async fn tls_inside_prelogin_packets_is_1_2_alone() {
    let bench = bench();
    let both = client_config(bench.trust.clone(), None, &[]).unwrap();
    let agreed = within_prelogin(&bench, both).await.unwrap();
    assert_eq!(agreed, ProtocolVersion::TLSv1_2);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let newest = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    assert!(within_prelogin(&bench, Arc::new(newest)).await.is_err());

    // Strict encryption knows 1.3, under its own name.
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let acceptor = TlsAcceptor::from(bench.tls.config(Protocol::Tds));
    let accepted = tokio::spawn(async move { acceptor.accept(far).await.unwrap() });
    let strict = client_config(bench.trust.clone(), None, b"tds/8.0").unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(strict)
        .connect(name, near)
        .await
        .unwrap();
    let session = tls.get_ref().1;
    assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(session.alpn_protocol(), Some(&b"tds/8.0"[..]));
    accepted.await.unwrap();
}

#[tokio::test]
async fn rsa_and_ecdsa_certificates_serve() {
    for algorithm in [&rcgen::PKCS_RSA_SHA256, &rcgen::PKCS_ECDSA_P256_SHA256] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let identity = ServerIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        };
        let tls = TlsServer::new(identity, certificate.der()).unwrap();
        let bench = bench_with(|options| options.tls = Some(tls.prelogin_config()));
        let trust = Trust {
            pin: Some(tls.pin()),
            ..bench.trust.clone()
        };
        let config = client_config_within_prelogin(trust).unwrap();
        within_prelogin(&bench, config).await.unwrap();
    }
}

#[tokio::test]
async fn packet_sizes_are_kept() {
    let bench = bench();
    for (asked, agreed) in [
        (0, 4096),
        (511, 512),
        (4096, 4096),
        (8000, 8000),
        (16_383, 16_383),
        (32_763, 32_763),
        (100_000, PACKET_BYTES_MAX),
    ] {
        let (stream, _served) = bench.serve(HERE);
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        let mut login = Login::new(VersionNumber::V7_4, "sa", "secret");
        login.packet_size = asked;
        raw.send(PacketType::Login7, &login.encode()).await;
        let told = raw.events().await.into_iter().find_map(|event| {
            if let Event::Environment(Wire::PacketSize { new, .. }) = event {
                Some(new)
            } else {
                None
            }
        });
        assert_eq!(told, Some(agreed), "{asked}");
        raw.batch("rows 2000").await;
        let mut longest = 0;
        loop {
            let mut header = [0; 8];
            raw.stream.read_exact(&mut header).await.unwrap();
            let length = u16::from_be_bytes([header[2], header[3]]);
            longest = longest.max(length);
            let mut payload = vec![0; usize::from(length) - 8];
            raw.stream.read_exact(&mut payload).await.unwrap();
            if header[1] & 1 != 0 {
                break;
            }
        }
        assert_eq!(longest, agreed, "{asked}");
    }
}

/// Feature extensions behind a login record.
fn with_features(features: &[u8]) -> Vec<u8> {
    let mut login = Login::new(VersionNumber::V7_4, "sa", "secret").encode();
    let pointer = login.len();
    let block = u32::try_from(pointer + 4).unwrap();
    login.extend(block.to_le_bytes());
    for feature in features {
        login.push(*feature);
        login.extend([1, 0, 0, 0, 1]);
    }
    login.push(0xFF);
    login[27] |= 0x10;
    login[56..58].copy_from_slice(&u16::try_from(pointer).unwrap().to_le_bytes());
    login[58..60].copy_from_slice(&4u16.to_le_bytes());
    let length = u32::try_from(login.len()).unwrap();
    login[..4].copy_from_slice(&length.to_le_bytes());
    login
}

#[tokio::test]
async fn features_are_answered_or_passed_over() {
    const SESSION_RECOVERY: u8 = 0x01;
    const COLUMN_ENCRYPTION: u8 = 0x04;
    const UTF8_SUPPORT: u8 = 0x0A;
    const JSON_SUPPORT: u8 = 0x0D;
    const VECTOR_SUPPORT: u8 = 0x0E;
    let bench = bench();
    let others = [
        SESSION_RECOVERY,
        COLUMN_ENCRYPTION,
        JSON_SUPPORT,
        VECTOR_SUPPORT,
        0x77,
    ];
    for (features, expected) in [
        (others.to_vec(), None),
        (
            [&others[..], &[UTF8_SUPPORT]].concat(),
            Some([0xAE, UTF8_SUPPORT, 1, 0, 0, 0, 0, 0xFF]),
        ),
        (vec![], None),
    ] {
        let (stream, _served) = bench.serve(HERE);
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        raw.send(PacketType::Login7, &with_features(&features))
            .await;
        let answer = raw.payload().await.unwrap();
        // The acknowledgement stands before the last DONE.
        let tail = &answer[..answer.len() - 13];
        match expected {
            Some(acknowledged) => assert!(tail.ends_with(&acknowledged), "{tail:?}"),
            None => assert!(!tail.windows(2).any(|two| two == [0xAE, UTF8_SUPPORT])),
        }
        raw.batch("rows 1").await;
        assert_eq!(raw.events().await.len(), 3);
    }
}

#[tokio::test]
async fn under_strict_encryption_a_client_gets_its_own_answer_back() {
    use Encryption::{NotSupported, Off, On, Required};
    let bench = bench_with(|options| {
        // Everything is encrypted already.
        options.require_encryption = true;
        options.unencrypted_logins = UnencryptedLogins::Never;
    });
    for asked in [NotSupported, Off, On, Required] {
        let (stream, far) = tokio::io::duplex(PIPE_BYTES);
        let served = tokio::spawn(serve_connection(far, bench.context(AWAY, true)));
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        let answer = prelogin(&mut raw, asked).await;
        assert_eq!(answer.encryption, Some(asked));
        raw.log_in(&Login::new(VersionNumber::V7_4, "sa", "secret"))
            .await;
        let request = bench.instance.last.lock().unwrap().clone().unwrap();
        assert!(request.encrypted);
        drop(raw);
        served.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn clients_of_7_1_may_come_without_a_prelogin() {
    let bench = bench();
    for version in [0x7100_0000, 0x7100_0001] {
        // impacket's and jTDS's.
        let (mut raw, _served) = bench.raw(VersionNumber(version)).await;
        raw.batch("rows 3").await;
        let payload = raw.payload().await.unwrap();
        // COLMETADATA with user types of two bytes, DONE with a count of four.
        assert_eq!(payload[..8], [0x81, 2, 0, 0, 0, 8, 0, 0x26]);
        assert_eq!(
            payload[payload.len() - 9..],
            [0xFD, 0x10, 0, 0xC1, 0, 3, 0, 0, 0]
        );
        raw.batch("fail x").await;
        let payload = raw.payload().await.unwrap();
        // An error's line number of two bytes, before the DONE.
        assert_eq!(payload[payload.len() - 11..payload.len() - 9], [1, 0]);
        assert_eq!(payload[payload.len() - 9], 0xFD);
    }
}

#[tokio::test]
async fn an_attention_behind_a_complete_answer_is_acknowledged_each_time() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    // As FreeTDS does behind each of its results.
    for _ in 0..3 {
        raw.batch("rows 2").await;
        assert_eq!(raw.events().await.len(), 4);
        raw.send(PacketType::Attention, &[]).await;
        assert_eq!(raw.events().await, [Event::Done(ACKNOWLEDGED)]);
    }
}
