//! How the target reaches its master: addresses, trust and its certificate, as the catalog has them.

use crate::dial::{DialError, MasterAddress, dial};
use crate::enlist::apply::CLIENT_KEY_CONTEXT;
use crate::identity::tls::{ALPN_FLEET, ClientIdentity, EncryptionOption, Trust};
use crate::identity::{FileSealer, IdentityError};
use catalog::EnlistmentRow;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What a connection to the master needs; made anew when the enlistment changes.
#[derive(Clone)]
pub struct MasterRoute {
    addresses: Vec<MasterAddress>,
    trust: Trust,
    identity: ClientIdentity,
}

impl MasterRoute {
    /// The route of an enlistment. `authorities` are those of `--master-ca`, `option` the encryption option
    /// as it is set now.
    ///
    /// # Errors
    /// [`IdentityError`] when the stored key or certificates are not usable.
    pub fn new(
        row: &EnlistmentRow,
        sealer: &FileSealer,
        authorities: &[CertificateDer<'static>],
        option: EncryptionOption,
    ) -> Result<Self, IdentityError> {
        let address = row
            .enlistment
            .master_address
            .parse()
            .map_err(|_| IdentityError::Crypto("the stored address of the master"))?;
        let mut trusted = certificates(&row.pinned_ca_pem);
        trusted.extend_from_slice(authorities);
        Ok(Self {
            addresses: vec![address],
            trust: Trust {
                option,
                authorities: trusted,
                pin: None,
            },
            identity: identity(row, sealer)?,
        })
    }

    /// The same route with the certificate of another row.
    ///
    /// # Errors
    /// As [`MasterRoute::new`].
    pub fn with_identity(
        &self,
        row: &EnlistmentRow,
        sealer: &FileSealer,
    ) -> Result<Self, IdentityError> {
        Ok(Self {
            identity: identity(row, sealer)?,
            ..self.clone()
        })
    }

    /// Takes the addresses that the master tells beside the one enlisted at; those that cannot be used are
    /// left out, and those told earlier forgotten.
    pub fn learn(&mut self, addresses: &[String]) {
        self.addresses.truncate(1);
        for address in addresses.iter().filter_map(|text| text.parse().ok()) {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
        }
    }

    /// Connects to the address whose turn it is.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn connect(self, attempt: u32) -> Result<TlsStream<TcpStream>, DialError> {
        let turn = usize::try_from(attempt).unwrap_or(0) % self.addresses.len();
        dial(
            &self.addresses[turn],
            self.trust,
            Some(self.identity),
            ALPN_FLEET,
        )
        .await
    }
}

fn identity(row: &EnlistmentRow, sealer: &FileSealer) -> Result<ClientIdentity, IdentityError> {
    Ok(ClientIdentity {
        chain: certificates(&row.certificate_pem),
        key: sealer
            .open_sealed(CLIENT_KEY_CONTEXT, &row.sealed_key)?
            .to_vec(),
    })
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .collect()
}
