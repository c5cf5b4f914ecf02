//! The way behind the gate of an edge, for testers: a unix socket, or an address on loopback,
//! where both sides may have to show a certificate (INCIDENT 7).

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection};

use crate::driver::{Lint, Target};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::gate_driver::unreadable;
use crate::http::{self, Client, Response};
use crate::tls::{self, TlsStream};

/// Name of the setting with the certificate and key (PEM, one file) that we show as a tester.
pub const TESTER: &str = "verify_as";
/// Name of the setting with the authorities (PEM) of both sides of the verification path.
pub const TESTERS_CA: &str = "verify_ca";
/// Name of the setting with the certificate and key that the edge shows there; for its
/// configuration alone.
pub const TESTERS_SHOWN: &str = "verify_shows";

/// Name of the setting with the group that may use the socket; for the configuration of an edge
/// alone, and for programs that can be told one.
pub const TESTERS_GROUP: &str = "verify_group";

/// The sockets behind the gates of an edge that any account of this machine may use: whoever may
/// write to one and enter every folder on the way to it.
pub fn open_to_others(target: &Target) -> Vec<Lint> {
    let is_open = |path: &&Path| {
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode());
        let shut = path.parent().and_then(unreadable);
        mode.is_ok_and(|mode| mode & 0o002 != 0) && shut.is_none()
    };
    let sockets = target.all().filter_map(|edge| edge.verify.as_deref());
    let sockets = sockets.filter(|path| http::loopback(path).is_none()).filter(is_open);
    let told = |path: &Path| Lint::warning("verify-open-to-others", path.display().to_string());
    sockets.map(told).collect()
}

/// The way behind the gate of one edge.
#[derive(Clone, Debug)]
pub struct Testers(Way);

#[derive(Clone, Debug)]
enum Way {
    Socket(PathBuf),
    Loopback(SocketAddr),
    Mutual(SocketAddr, Arc<ClientConfig>),
}

impl Testers {
    /// The way that an edge was registered with; none where it has no such path.
    ///
    /// # Errors
    /// `Lint` when testers are to show a certificate where there is no address on loopback, or one
    /// of the two settings is missing; `Io` when a certificate cannot be read.
    pub fn of(target: &Target) -> Result<Option<Self>, EdgeError> {
        let Some(path) = &target.verify else { return Ok(None) };
        let setting = |name: &str| target.settings.get(name).map(Path::new);
        let way = match (http::loopback(path), setting(TESTER), setting(TESTERS_CA)) {
            (None, None, None) => Way::Socket(path.clone()),
            (Some(address), None, None) => Way::Loopback(address),
            (Some(address), Some(tester), Some(authorities)) => {
                let config = mutual(tester, authorities).map_err(|error| error.at(&target.name))?;
                Way::Mutual(address, Arc::new(config))
            }
            _ => {
                let doing = format!(
                    "use `{TESTER}` and `{TESTERS_CA}`: they go together, with an address on \
                     loopback as the verification path"
                );
                return Err(EdgeError::new(EdgeErrorKind::Lint, doing).at(&target.name));
            }
        };
        Ok(Some(Self(way)))
    }

    /// A new connection.
    ///
    /// # Errors
    /// `Unreachable` when nobody accepts in time or our certificate is not taken, `Certificate`
    /// when that of the edge is not good.
    pub fn connect(&self) -> Result<Client, EdgeError> {
        match &self.0 {
            Way::Socket(path) => Client::connect_unix(path),
            Way::Loopback(address) => Client::connect(*address),
            Way::Mutual(address, config) => {
                Client::connect_tls(*address, |stream| shake(stream, *address, config))
            }
        }
    }

    /// Asks for a page of a site with GET or HEAD, on a connection of its own: nothing else is sent
    /// to a site that is being tried.
    ///
    /// # Errors
    /// As [`Testers::connect`]; `Refused` for another method, and when host or uri are not HTTP.
    pub fn ask(&self, method: &str, host: &str, uri: &str) -> Result<Response, EdgeError> {
        if !["GET", "HEAD"].contains(&method) {
            return Err(EdgeError::new(EdgeErrorKind::Refused, format!("verify with {method}")));
        }
        self.connect()?.request(method, host, uri, &[])
    }
}

/// TLS in which both sides show a certificate of the same authorities.
fn mutual(tester: &Path, authorities: &Path) -> Result<ClientConfig, EdgeError> {
    let doing = || format!("read the certificate and key in {}", tester.display());
    let unread = |cause| EdgeError::io(doing())(io::Error::other(cause));
    let chain = CertificateDer::pem_file_iter(tester).map_err(unread)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    let key = PrivateKeyDer::from_pem_file(tester).map_err(unread)?;
    let builder = tls::builder()?.with_root_certificates(tls::roots(authorities)?);
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing()).because(cause))
}

/// The certificate of the edge is good for its address: names are those of sites, and a program
/// that wants certificates refuses one that differs from what hands were shaken for.
fn shake(
    stream: TcpStream,
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> Result<TlsStream, EdgeError> {
    let doing = format!("speak TLS with {address}");
    let name = ServerName::IpAddress(address.ip().into());
    let connection = ClientConnection::new(Arc::clone(config), name)
        .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing.as_str()).because(cause))?;
    tls::shake(connection, stream, &doing)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Goal: a socket behind the gate that any account may use is told, and never refuses an order.
    /// Method: one as nginx and Caddy open it, one kept to a group, and one in a folder that others
    /// cannot enter; an address, and none.
    #[test]
    fn a_socket_that_everybody_may_use_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let told = |verify: Option<&Path>, modes: (u32, u32)| {
            for (path, mode) in [(folder.path(), modes.0), (&path, modes.1)] {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            let target = Target {
                name: "north".into(),
                kind: "nginx_file".into(),
                gate: "/gate".into(),
                listeners: Vec::new(),
                verify: verify.map(Path::to_owned),
                settings: [].into(),
                members: Vec::new(),
            };
            open_to_others(&target).len()
        };
        assert_eq!(told(Some(&path), (0o755, 0o660)), 0);
        assert_eq!(told(Some(&path), (0o755, 0o664)), 0, "to connect is to write");
        assert_eq!(told(Some(&path), (0o750, 0o666)), 0);
        // What is above the folder is the machine's.
        let above = unreadable(folder.path().parent().unwrap()).is_none();
        assert_eq!(told(Some(&path), (0o755, 0o666)), usize::from(above));
        assert_eq!(told(Some(Path::new("127.0.0.1:9443")), (0o755, 0o666)), 0);
        assert_eq!(told(Some(Path::new("/nowhere/verify.sock")), (0o755, 0o666)), 0);
        assert_eq!(told(None, (0o755, 0o666)), 0);
    }
}
