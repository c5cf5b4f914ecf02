//! Accepts the connections of a router, and waits for no client that does not say what it wants,
//! or does not take what it asked for. Whoever finds no place is told so.

mod patience;
mod room;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use self::patience::Patience;
pub(crate) use self::room::{Room, handles};

/// How long a client may take for the head of a request, idle time of a kept connection included.
pub(crate) const HEAD_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a client may take nothing of what is written to it, or so little that [`KEPT_BYTES`]
/// never have room: that is less than about 3 KB in a second.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long is waited for a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For the head of a request: [`HEAD_WAIT_MAX`].
    pub(crate) head_max: Duration,
    /// Until it takes something of what is written to it: [`WRITE_WAIT_MAX`].
    pub(crate) write_max: Duration,
}

/// For clients of people.
pub(crate) const WAITS: Waits = Waits { head_max: HEAD_WAIT_MAX, write_max: WRITE_WAIT_MAX };

/// What the system keeps of one connection, in bytes, before it takes no more; it takes more again
/// when a third of that has left. Without a bound these are megabytes, and whoever reads slowly but
/// steadily would look like somebody who does not read.
const KEPT_BYTES: usize = 128 << 10;

/// Longest head of a request, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long accepting waits when the system has no more handles: nothing tells when it has.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Takes the next connection.
pub(crate) async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        if let Ok((stream, peer)) = listener.accept().await {
            // An answer is written whole: nothing is gained by waiting for more. A connection on
            // which this fails is as good as before.
            let _ = stream.set_nodelay(true);
            return (stream, peer);
        }
        sleep(ACCEPT_AGAIN).await;
    }
}

/// Takes connections for ever, as many at a time as there is room for.
pub(crate) async fn serve(listener: TcpListener, router: Router, waits: Waits, room: Room) {
    let router = TowerToHyperService::new(router);
    loop {
        let (stream, peer) = accepted(&listener).await;
        let Some(place) = room.take(peer.ip()) else {
            room.turn_away(stream);
            continue;
        };
        // A connection on which this fails is as good as before.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(&stream, KEPT_BYTES);
        let router = Peered { router: router.clone(), peer: ConnectInfo(peer) };
        tokio::spawn(async move {
            connection(stream, router, waits).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, router: Peered<ConnectInfo<SocketAddr>>, waits: Waits) {
    let stream = Patience::new(stream, waits.write_max);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(waits.head_max)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), router);
    // Whoever breaks off, or is too slow, has no answer to get.
    let _ = served.await;
}

/// The router with who asks on one connection, for which handlers ask by its type.
pub(crate) struct Peered<T> {
    pub(crate) router: TowerToHyperService<Router>,
    pub(crate) peer: T,
}

impl<T: Clone + Send + Sync + 'static> Service<Request<Incoming>> for Peered<T> {
    type Response = Response;
    type Error = Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::time::Instant;

    use axum::routing::get;

    use super::*;
    use crate::runtime;

    /// What a client gets until the connection ends: it sends these pieces, with pauses as long as
    /// the server is willing to wait.
    fn got(pieces: &[&[u8]], wait: Duration, pause: Duration) -> (String, Duration) {
        let runtime = runtime::start("test").unwrap();
        let entered = runtime.enter();
        let (listener, address) = runtime::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let peer = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string();
        let waits = Waits { head_max: wait, ..WAITS };
        let router = Router::new().route("/", get(peer));
        runtime.spawn(serve(listener, router, waits, Room::of(8)));
        drop(entered);
        // The server begins to wait after this, however late this thread is.
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for piece in pieces {
            // The other side may have had enough.
            if stream.write_all(piece).is_err() {
                break;
            }
            // Waiting for an answer that does not come is the pause.
            stream.set_read_timeout(Some(pause)).unwrap();
            let mut byte = [0];
            if stream.peek(&mut byte).is_ok() {
                break;
            }
        }
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        (String::from_utf8_lossy(&text).into_owned(), began.elapsed())
    }

    const WHOLE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    /// Goal: a client that says nothing, half of it, or a byte now and then is let go. Method: the
    /// wait is short; a whole request beside them is answered.
    #[test]
    fn a_client_that_is_slow_with_its_head_is_let_go() {
        let (wait, pause) = (Duration::from_millis(300), Duration::from_millis(100));
        let (text, _) = got(&[WHOLE], Duration::from_secs(20), pause);
        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("127.0.0.1"), "{text}");
        let half: &[u8] = b"GET / HT";
        let unfinished = &WHOLE[..WHOLE.len() - 2];
        let long = [WHOLE[..16].to_vec(), b"X: ".to_vec(), vec![b'x'; 400], b"\r\n\r\n".to_vec()];
        let long = long.concat();
        let drops: Vec<&[u8]> = long.chunks(1).collect();
        for pieces in [vec![], vec![half], vec![unfinished], drops] {
            let (text, took) = got(&pieces, wait, pause);
            assert!(!text.contains("200"), "{text}");
            // Not before its time, and long before all of the bytes were there.
            let all = pause * u32::try_from(long.len()).unwrap();
            assert!(took + pause >= wait && took < all, "{took:?}: {text}");
        }
    }

    #[test]
    fn a_head_without_an_end_is_refused() {
        let endless =
            [b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec(), vec![b'x'; 2 * HEAD_BYTES_MAX]];
        let (text, _) = got(&[&endless.concat()], Duration::from_secs(20), Duration::from_secs(20));
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    }
}
