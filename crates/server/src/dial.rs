//! Reaching a master: its address as administrators write it, and the encrypted connection to it.

use crate::identity::IdentityError;
use crate::identity::tls::{ClientIdentity, Trust, client_config};
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::str::FromStr;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// TDS's own port.
const PORT_DEFAULT: u16 = 1433;
/// Longest host name. Source: RFC 1035, section 2.3.4.
const HOST_BYTES_MAX: usize = 255;

/// Where a master listens: `host`, `host,port`, `tcp:host,port` or `host\instance,port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterAddress {
    /// Name or IP address; what the certificate is checked against.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Why a text is not a master's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// An instance name without a port: nobody here could look the port up.
    #[error("a named instance needs its port: host\\instance,port")]
    PortMissing,
    /// Not a port.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Not a host.
    #[error("the host name is not usable")]
    Host,
}

impl FromStr for MasterAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let text = text.strip_prefix("tcp:").unwrap_or(text);
        let (name, port) = match text.rsplit_once(',') {
            Some((name, port)) => {
                let port = port.trim().parse().ok().filter(|&port| port != 0);
                (name.trim(), Some(port.ok_or(AddressError::Port)?))
            }
            None => (text, None),
        };
        let (host, instance) = match name.split_once('\\') {
            Some((host, instance)) => (host, Some(instance)),
            None => (name, None),
        };
        if instance.is_some() && port.is_none() {
            return Err(AddressError::PortMissing);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.len() > HOST_BYTES_MAX || ServerName::try_from(host).is_err() {
            return Err(AddressError::Host);
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(PORT_DEFAULT),
        })
    }
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.host, self.port)
    }
}

/// Why a master could not be reached. `Display` tells the whole cause: it is shown to administrators.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// No connection.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: MasterAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The TLS handshake failed: no TLS there, or the certificate is not trusted or of another name.
    #[error("SSL/TLS with {address} failed: {source}")]
    Tls {
        /// Where to.
        address: MasterAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Our own certificate or key is not usable.
    #[error("the client certificate is not usable: {0}")]
    Identity(#[from] IdentityError),
}

/// Connects and finishes the handshake. The caller sets the time limit.
///
/// # Errors
/// [`DialError`].
pub async fn dial(
    address: &MasterAddress,
    trust: Trust,
    identity: Option<ClientIdentity>,
    alpn: &[u8],
) -> Result<TlsStream<TcpStream>, DialError> {
    let config = client_config(trust, identity, alpn)?;
    let stream = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|source| DialError::Connect {
            address: address.clone(),
            source,
        })?;
    let tls = |source| DialError::Tls {
        address: address.clone(),
        source,
    };
    stream.set_nodelay(true).map_err(tls)?;
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| tls(io::ErrorKind::InvalidInput.into()))?;
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let at = |host: &str, port| {
            Ok(MasterAddress {
                host: host.to_owned(),
                port,
            })
        };
        for (text, expected) in [
            ("master", at("master", 1433)),
            (
                " master.example.com , 1444 ",
                at("master.example.com", 1444),
            ),
            ("tcp:127.0.0.1,1444", at("127.0.0.1", 1444)),
            ("HOST\\ONE,1444", at("HOST", 1444)),
            ("[::1],5", at("::1", 5)),
            ("HOST\\ONE", Err(AddressError::PortMissing)),
            ("master,0", Err(AddressError::Port)),
            ("master,70000", Err(AddressError::Port)),
            ("", Err(AddressError::Host)),
            ("a b", Err(AddressError::Host)),
            (",1433", Err(AddressError::Host)),
        ] {
            assert_eq!(text.parse(), expected, "{text:?}");
        }
    }
}
