//! The doors of an edge: public listeners, and the verification path.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use relight_engine::edge::config::MutualTls;
use relight_engine::edge::http::loopback;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::HEADER_BYTES_MAX;
use super::headers::Peer;
use super::serve::serve;
use super::table::Edge;
use super::testers::{self, Handshakes};
use crate::{ServerError, runtime};

/// How long a client may take for a request head, idle time of a kept connection included.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause after a failed accept (no free file descriptor), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Open connections of the verification path at once; apart from those of visitors, so that a
/// crowd cannot lock the testers out.
const VERIFY_CONNECTIONS_MAX: usize = 64;
/// Who may use the verification path: its owner and its group.
const VERIFY_SOCKET_MODE: u32 = 0o660;

/// The open doors.
#[derive(Debug)]
pub(super) struct Listeners {
    addresses: Vec<SocketAddr>,
    verify: Option<PathBuf>,
    stop: watch::Sender<bool>,
    public: Places,
    testers: Places,
}

/// Connections that may be open at once.
#[derive(Clone, Debug)]
struct Places {
    free: Arc<Semaphore>,
    all: u32,
}

impl Places {
    fn new(places_max: usize) -> Self {
        let all = u32::try_from(places_max).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }
}

/// One listening socket.
enum Door {
    Public(TcpListener),
    Verify(UnixListener),
    Mutual(TcpListener, TlsAcceptor),
}

/// One accepted connection.
enum Accepted {
    Public(TcpStream, SocketAddr),
    Verify(UnixStream),
    Mutual(TcpStream, TlsAcceptor),
}

impl Listeners {
    /// Binds every address, then starts to accept. Call it inside a runtime.
    pub(super) fn start(
        edge: &Arc<Edge>,
        listen: &[SocketAddr],
        verify: Option<&Path>,
        mutual: Option<&MutualTls>,
    ) -> Result<Self, ServerError> {
        let public = Places::new(edge.limits.connections_max);
        let testers = Places::new(VERIFY_CONNECTIONS_MAX);
        let (mut doors, mut addresses) = (Vec::new(), Vec::new());
        for &address in listen {
            let (listener, bound) = runtime::listen(address)?;
            doors.push(Door::Public(listener));
            addresses.push(bound);
        }
        if let Some(path) = verify {
            doors.push(door_behind(path, mutual)?);
        }
        let stop = watch::Sender::new(false);
        for door in doors {
            let places = if matches!(door, Door::Public(_)) { &public } else { &testers };
            let free = Arc::clone(&places.free);
            tokio::spawn(accept(Arc::clone(edge), door, free, stop.subscribe()));
        }
        let verify = verify.filter(|path| loopback(path).is_none()).map(Path::to_owned);
        Ok(Self { addresses, verify, stop, public, testers })
    }

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Closes the doors; connections finish the request they are in.
    pub(super) fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(path) = self.verify.take() {
            // When it is gone already, that is what was wanted.
            let _ = fs::remove_file(path);
        }
    }

    /// Ends when no connection is open any more.
    pub(super) fn idle(&self) -> impl Future<Output = ()> + use<> {
        let places = [self.public.clone(), self.testers.clone()];
        async move {
            for Places { free, all } in places {
                drop(free.acquire_many(all).await);
            }
        }
    }
}

/// The door of the verification path: a socket, or an address where testers show a certificate.
/// Without one, any account of this machine would come in there.
fn door_behind(path: &Path, mutual: Option<&MutualTls>) -> Result<Door, ServerError> {
    match (loopback(path), mutual) {
        (None, None) => {
            let failed =
                |cause| ServerError::caused(format!("listen on {}", path.display()), cause);
            Ok(Door::Verify(listen_unix(path).map_err(failed)?))
        }
        (Some(address), Some(mutual)) => {
            Ok(Door::Mutual(runtime::listen(address)?.0, testers::acceptor(mutual)?))
        }
        _ => Err(ServerError::new(format!(
            "verification path {}: an address on loopback and the certificates of testers go \
             together",
            path.display()
        ))),
    }
}

/// Listens on a unix socket, in place of a dead one that a killed process left behind.
fn listen_unix(path: &Path) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && StdUnixStream::connect(path).is_err_and(refused) {
        fs::remove_file(path)?;
    }
    let listener = StdUnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(VERIFY_SOCKET_MODE))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

fn refused(error: io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionRefused
}

impl Door {
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Public(listener) => {
                let (stream, from) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Public(stream, from))
            }
            Self::Verify(listener) => Ok(Accepted::Verify(listener.accept().await?.0)),
            Self::Mutual(listener, tls) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Mutual(stream, tls.clone()))
            }
        }
    }
}

async fn accept(
    edge: Arc<Edge>,
    door: Door,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    let mut handshakes = Handshakes::default();
    loop {
        let Ok(permit) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = door.accept() => accepted,
            () = runtime::stopped(&mut stop) => return,
        };
        let (edge, stop) = (Arc::clone(&edge), stop.clone());
        match accepted {
            Ok(Accepted::Public(stream, from)) => {
                tokio::spawn(connection(edge, stream, Peer::Public(from.ip()), permit, stop));
            }
            Ok(Accepted::Verify(stream)) => {
                tokio::spawn(connection(edge, stream, Peer::Verify, permit, stop));
            }
            Ok(Accepted::Mutual(stream, tls)) => {
                // Whoever has shown no certificate keeps no place of those who have.
                drop(permit);
                let places = Arc::clone(&places);
                handshakes.begin(async move {
                    let Some(stream) = testers::shake(&tls, stream).await else { return };
                    let Ok(permit) = places.acquire_owned().await else { return };
                    tokio::spawn(connection(edge, stream, Peer::Verify, permit, stop));
                });
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection to its end, or to the end of its request after `stop`.
async fn connection(
    edge: Arc<Edge>,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    permit: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| serve(Arc::clone(&edge), peer, request));
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_header_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    // A connection that breaks has told its client all that it could.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = runtime::stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(permit);
}
