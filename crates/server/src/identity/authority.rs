//! The instance's own certificate authority, and the certificates it issues.
//!
//! A master signs its targets' client certificates with it, and its own server certificate unless the
//! organisation gives one (`--tls-cert`, `--tls-key`).

use crate::platform;
use jiff::{Span, Timestamp, tz::TimeZone};
use model::{Generation, InstanceId};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Days the authority's own certificate lives.
const AUTHORITY_DAYS: i64 = 3_650;
/// Days a server certificate lives; public authorities' limit, so that no client objects.
pub(super) const SERVER_CERTIFICATE_DAYS: i64 = 397;
/// Days a target's client certificate lives.
pub const TARGET_CERTIFICATE_DAYS: i64 = 30;
/// Days before a certificate's start that it is already valid, against clocks that differ.
const BACKDATED_DAYS: i64 = 1;
/// What stands before instance and generation in the name of a target's certificate.
const TARGET_URI_PREFIX: &str = "urn:muster:target:";
/// Largest certificate request a target may send, in bytes.
pub const SIGNING_REQUEST_BYTES_MAX: usize = 8 * 1024;

/// What can go wrong with keys and certificates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file could not be read or written.
    #[error("access {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key or certificate could not be made or read.
    #[error("make or read a certificate or key")]
    Certificate(#[from] rcgen::Error),
    /// A PEM file does not hold what it should.
    #[error("{path} holds no usable {what}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What was sought in it.
        what: &'static str,
    },
    /// A certificate request is longer than allowed, or not one.
    #[error("the certificate request is not usable")]
    SigningRequest,
    /// Randomness or encryption failed.
    #[error("cryptography failed: {0}")]
    Crypto(&'static str),
}

/// A certificate authority with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A freshly signed client certificate of a target.
pub struct TargetCertificate {
    /// The certificate.
    pub der: CertificateDer<'static>,
    /// SHA-256 of `der`; how the master recognises its bearer.
    pub fingerprint: [u8; 32],
    /// When it ends.
    pub not_after: Timestamp,
}

/// The chain and key that the instance shows as a server.
pub struct ServerIdentity {
    /// Leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Key of the leaf.
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Reads the authority of a data directory, or makes it on the first call.
    ///
    /// # Errors
    /// [`IdentityError`] when files cannot be read or written, or hold something else.
    pub fn open(
        directory: &Path,
        instance_name: &str,
        now: Timestamp,
    ) -> Result<Self, IdentityError> {
        let certificate_path = directory.join("ca.pem");
        let key_path = directory.join("ca-key.pem");
        if !certificate_path.exists() {
            platform::create_private_directory(directory).map_err(file_error(directory))?;
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::default();
            params.distinguished_name = common_name(&format!("Muster CA of {instance_name}"));
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            validity(&mut params, now, AUTHORITY_DAYS);
            let certificate = params.self_signed(&key)?;
            // The key first: a certificate on disk means that its key is there too.
            write_private(&key_path, key.serialize_pem().as_bytes())?;
            write_private(&certificate_path, certificate.pem().as_bytes())?;
        }
        let pem = read_text(&certificate_path)?;
        let key = KeyPair::from_pem(&read_text(&key_path)?)?;
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| IdentityError::Pem {
                path: certificate_path,
                what: "certificate",
            })?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self {
            certificate,
            pem,
            issuer,
        })
    }

    /// The authority's certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's certificate as PEM: what `muster ca export` prints.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server certificate for DNS names and IP addresses, with a new key.
    ///
    /// # Errors
    /// [`IdentityError::Certificate`] for names that cannot stand in a certificate.
    pub fn issue_server(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<ServerIdentity, IdentityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name = common_name(names.first().map_or("muster", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, now, SERVER_CERTIFICATE_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone(), self.certificate.clone()],
            key: PrivateKeyDer::try_from(key.serialize_der())
                .map_err(|_| IdentityError::Crypto("key encoding"))?,
        })
    }

    /// Signs a target's request. Name and use are ours; only the public key comes from the request.
    ///
    /// # Errors
    /// [`IdentityError::SigningRequest`] when the request is too long, malformed or not signed by its key.
    pub fn issue_target(
        &self,
        request_der: &[u8],
        (target, generation): (InstanceId, Generation),
        name: &str,
        now: Timestamp,
    ) -> Result<TargetCertificate, IdentityError> {
        if request_der.len() > SIGNING_REQUEST_BYTES_MAX {
            return Err(IdentityError::SigningRequest);
        }
        let mut request = CertificateSigningRequestParams::from_der(
            &CertificateSigningRequestDer::from(request_der),
        )
        .map_err(|_| IdentityError::SigningRequest)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name);
        params.subject_alt_names = vec![SanType::URI(
            format!("{TARGET_URI_PREFIX}{}:{}", target.0, generation.0)
                .try_into()
                .map_err(|_| IdentityError::SigningRequest)?,
        )];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let not_after = validity(&mut params, now, TARGET_CERTIFICATE_DAYS);
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        let der = certificate.der().clone();
        Ok(TargetCertificate {
            fingerprint: fingerprint(&der),
            der,
            not_after,
        })
    }
}

impl ServerIdentity {
    /// The organisation's own certificate chain and key, from PEM files.
    ///
    /// # Errors
    /// [`IdentityError`] when a file cannot be read or does not hold what it should.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let chain = read_certificates(certificate)?;
        let key_bytes = fs::read(key).map_err(file_error(key))?;
        let key = PrivateKeyDer::from_pem_slice(&key_bytes).map_err(|_| IdentityError::Pem {
            path: key.to_owned(),
            what: "private key",
        })?;
        Ok(Self { chain, key })
    }
}

/// All certificates of a PEM file; at least one.
///
/// # Errors
/// [`IdentityError::Pem`] when there is none.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let bytes = fs::read(path).map_err(file_error(path))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    if certificates.is_empty() {
        return Err(IdentityError::Pem {
            path: path.to_owned(),
            what: "certificate",
        });
    }
    Ok(certificates)
}

/// A new client key and the request for its certificate: (request DER, key PKCS#8 DER).
///
/// # Errors
/// [`IdentityError::Certificate`] when no key can be made.
pub fn new_target_request(name: &str) -> Result<(Vec<u8>, Vec<u8>), IdentityError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    let request = params.serialize_request(&key)?;
    Ok((request.der().to_vec(), key.serialize_der()))
}

/// The instance and the enlistment that a target's certificate was issued for; `None` for any other
/// certificate. Who signed it is checked by the handshake.
#[must_use]
pub fn target_of(certificate: &[u8]) -> Option<(InstanceId, Generation)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| {
        let x509_parser::extensions::GeneralName::URI(uri) = name else {
            return None;
        };
        let (instance, generation) = uri.strip_prefix(TARGET_URI_PREFIX)?.split_once(':')?;
        Some((
            InstanceId(instance.parse().ok()?),
            Generation(generation.parse().ok()?),
        ))
    })
}

/// SHA-256 of a certificate.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

fn common_name(text: &str) -> DistinguishedName {
    /// Longest common name X.509 allows.
    const COMMON_NAME_CHARS_MAX: usize = 64;
    let mut name = DistinguishedName::new();
    name.push(
        DnType::CommonName,
        text.chars().take(COMMON_NAME_CHARS_MAX).collect::<String>(),
    );
    name
}

/// Sets the days of a certificate (whole days, UTC) and gives its end.
fn validity(params: &mut CertificateParams, now: Timestamp, days: i64) -> Timestamp {
    let today = now.to_zoned(TimeZone::UTC).date();
    let start = today.saturating_sub(Span::new().days(BACKDATED_DAYS));
    let end = today.saturating_add(Span::new().days(days));
    let instant = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(
            i32::from(date.year()),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        )
    };
    params.not_before = instant(start);
    params.not_after = instant(end);
    end.to_zoned(TimeZone::UTC)
        .map_or(now, |moment| moment.timestamp())
}

fn read_text(path: &Path) -> Result<String, IdentityError> {
    fs::read_to_string(path).map_err(file_error(path))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    platform::write_private_file(path, bytes).map_err(file_error(path))
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    let path = path.to_owned();
    move |source| IdentityError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_authority_is_made_once_and_its_key_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = std::env::temp_dir().join(format!("muster-ca-{}", uuid::Uuid::new_v4()));
        let first = Authority::open(&directory, "MASTER", now()).unwrap();
        let second = Authority::open(&directory, "MASTER", now()).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        let mode = fs::metadata(directory.join("ca-key.pem"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn only_a_sound_request_is_signed() {
        let directory = std::env::temp_dir().join(format!("muster-ca-{}", uuid::Uuid::new_v4()));
        let authority = Authority::open(&directory, "MASTER", now()).unwrap();
        let id = InstanceId(uuid::Uuid::new_v4());
        let (request, _key) = new_target_request("TARGET1").unwrap();
        let issued = authority
            .issue_target(&request, (id, Generation(7)), "TARGET1", now())
            .unwrap();
        assert_eq!(issued.fingerprint, fingerprint(&issued.der));
        assert_eq!(issued.not_after, "2026-12-23T00:00:00Z".parse().unwrap());

        let mut forged = request.clone();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        for bad in [forged, vec![0; SIGNING_REQUEST_BYTES_MAX + 1], Vec::new()] {
            assert!(
                authority
                    .issue_target(&bad, (id, Generation(7)), "TARGET1", now())
                    .is_err()
            );
        }
        fs::remove_dir_all(directory).unwrap();
    }
}
