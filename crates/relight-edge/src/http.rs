//! A small blocking HTTP/1.1 client (RFC 9112) over TCP and unix sockets: for probes, for the
//! verification path, and as a visitor in tests and drills. Never retries by itself.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{EdgeError, EdgeErrorKind};
use crate::tls::TlsStream;

/// Longest status line and headers of an answer, in bytes.
pub const HEAD_BYTES_MAX: usize = 32 << 10;
/// Most headers of an answer.
pub const HEADERS_MAX: usize = 96;
/// Longest body that is kept, in bytes; a client can be given less.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest line that starts a chunk, in bytes.
const CHUNK_HEAD_BYTES_MAX: usize = 256;
/// Longest wait for a connection.
pub const CONNECT_WAIT_MAX: Duration = Duration::from_secs(1);
/// Longest wait for one whole answer.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);

/// The address that a verification path names instead of a unix socket, if no other machine
/// reaches it.
pub fn loopback(path: &Path) -> Option<SocketAddr> {
    let address = path.to_str()?.parse::<SocketAddr>().ok()?;
    address.ip().is_loopback().then_some(address)
}

/// One connection. After an error, or once [`Client::is_open`] is false, make a new one.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    peer: String,
    buffer: Vec<u8>,
    open: bool,
    /// Longest body that is kept, in bytes: a longer one is cut and the connection closed.
    pub body_bytes_max: usize,
    /// Longest wait for one whole answer.
    pub answer_wait_max: Duration,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names as sent, values as text (bytes that are no UTF-8 are replaced); in order.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The body was longer than the client keeps.
    pub truncated: bool,
}

impl Response {
    /// Every value of a header, by its name in any case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }

    fn lists(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    }
}

/// What a connection is made of.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(TlsStream),
    Unix(UnixStream),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Nothing,
    Length(usize),
    Chunked,
    UntilClosed,
}

impl Client {
    /// Connects to a listener.
    ///
    /// # Errors
    /// `Unreachable` when nobody accepts within [`CONNECT_WAIT_MAX`].
    pub fn connect(listener: SocketAddr) -> Result<Self, EdgeError> {
        let stream = tcp(listener).map_err(not_connected(&listener.to_string()))?;
        Ok(Self::new(listener.to_string(), Stream::Tcp(stream)))
    }

    /// The same under TLS, once hands were shaken.
    pub(crate) fn connect_tls(
        listener: SocketAddr,
        shake: impl FnOnce(TcpStream) -> Result<TlsStream, EdgeError>,
    ) -> Result<Self, EdgeError> {
        let stream = tcp(listener).map_err(not_connected(&listener.to_string()))?;
        Ok(Self::new(listener.to_string(), Stream::Tls(shake(stream)?)))
    }

    /// Connects to a unix socket.
    ///
    /// # Errors
    /// `Unreachable` when nobody accepts.
    pub fn connect_unix(socket: &Path) -> Result<Self, EdgeError> {
        let connect = || {
            let stream = UnixStream::connect(socket)?;
            stream.set_write_timeout(Some(ANSWER_WAIT_MAX))?;
            Ok(Stream::Unix(stream))
        };
        let peer = socket.display().to_string();
        let stream = connect().map_err(not_connected(&peer))?;
        Ok(Self::new(peer, stream))
    }

    fn new(peer: String, stream: Stream) -> Self {
        let (body_bytes_max, answer_wait_max) = (BODY_BYTES_MAX, ANSWER_WAIT_MAX);
        Self { stream, peer, buffer: Vec::new(), open: true, body_bytes_max, answer_wait_max }
    }

    /// The connection itself, for who speaks something else on it.
    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }

    /// Whether the peer agreed under TLS to speak this.
    pub(crate) fn has_agreed_to(&self, protocol: &[u8]) -> bool {
        self.stream.protocol() == Some(protocol)
    }

    /// Whether another request can be sent on this connection.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// GET of `uri` (path and query) at `host`.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn get(&mut self, host: &str, uri: &str) -> Result<Response, EdgeError> {
        self.request("GET", host, uri, &[])
    }

    /// A request without a body.
    ///
    /// # Errors
    /// `Refused` when a part could not be written as HTTP; else as [`Client::exchange`].
    pub fn request(
        &mut self,
        method: &str,
        host: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Result<Response, EdgeError> {
        let mut request = format!("{method} {uri} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let value = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
        let clean = [method, host, uri].iter().all(|text| plain(text) && !text.is_empty())
            && headers.iter().all(|(name, text)| plain(name) && value(text));
        if !clean {
            let doing = format!("write {method:?} {uri:?} at {host:?} as HTTP");
            return Err(EdgeError::new(EdgeErrorKind::Refused, doing));
        }
        self.exchange(request.as_bytes(), method == "HEAD")
    }

    /// Whether the peer ends the connection within `wait`. What it sends meanwhile is thrown away.
    pub fn ends_within(&mut self, wait: Duration) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            self.buffer.clear();
            match self.fill(deadline) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    let is_late =
                        matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
                    return !is_late;
                }
            }
        }
    }

    /// Sends bytes as they are and reads one answer; `headless` says that it has no body
    /// whatever its headers say (the answer to HEAD).
    ///
    /// # Errors
    /// `Unreachable` when the peer closes, is late, or answers something that is not HTTP.
    pub fn exchange(&mut self, request: &[u8], headless: bool) -> Result<Response, EdgeError> {
        let answer = self.try_exchange(request, headless);
        self.open &= answer.is_ok();
        answer.map_err(EdgeError::unreachable(format!("read an answer of {}", self.peer)))
    }

    fn try_exchange(&mut self, request: &[u8], headless: bool) -> io::Result<Response> {
        let deadline = Instant::now() + self.answer_wait_max;
        if !self.open {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.buffer.clear();
        self.stream.wait_at_most(self.answer_wait_max)?;
        self.stream.write_all(request)?;
        let (mut response, framing) = loop {
            let (response, framing) = self.read_head(headless, deadline)?;
            if !(100..200).contains(&response.status) || response.status == 101 {
                break (response, framing);
            }
        };
        match framing {
            Framing::Nothing => {}
            Framing::Length(length) => self.read_length(length, &mut response, deadline)?,
            Framing::Chunked => self.read_chunks(&mut response, deadline)?,
            Framing::UntilClosed => self.read_rest(&mut response, deadline)?,
        }
        self.open &= !response.truncated && !response.lists("connection", "close");
        Ok(response)
    }

    /// Reads one head; what follows it stays in the buffer.
    fn read_head(&mut self, headless: bool, deadline: Instant) -> io::Result<(Response, Framing)> {
        loop {
            if let Some((length, version, response)) = parse_head(&self.buffer)? {
                self.buffer.drain(..length);
                let framing = framing(&response, headless)?;
                self.open &= version == 1 && framing != Framing::UntilClosed;
                return Ok((response, framing));
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(invalid("the headers are too long"));
            }
            self.fill_or_fail(deadline)?;
        }
    }

    fn read_length(
        &mut self,
        length: usize,
        response: &mut Response,
        deadline: Instant,
    ) -> io::Result<()> {
        response.truncated = length > self.body_bytes_max;
        let wanted = length.min(self.body_bytes_max);
        while self.buffer.len() < wanted {
            self.fill_or_fail(deadline)?;
        }
        response.body.extend(self.buffer.drain(..wanted));
        Ok(())
    }

    fn read_chunks(&mut self, response: &mut Response, deadline: Instant) -> io::Result<()> {
        loop {
            let size = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((head, size))) => {
                    self.buffer.drain(..head);
                    usize::try_from(size).map_err(|_| invalid("a chunk is too long"))?
                }
                Ok(httparse::Status::Partial) if self.buffer.len() <= CHUNK_HEAD_BYTES_MAX => {
                    self.fill_or_fail(deadline)?;
                    continue;
                }
                _ => return Err(invalid("a chunk has no size")),
            };
            if size == 0 {
                return self.skip_trailers(deadline);
            }
            if size > self.body_bytes_max.saturating_sub(response.body.len()) {
                response.truncated = true;
                return Ok(());
            }
            while self.buffer.len() < size + 2 {
                self.fill_or_fail(deadline)?;
            }
            response.body.extend(self.buffer.drain(..size));
            if self.buffer.drain(..2).as_slice() != b"\r\n" {
                return Err(invalid("a chunk has no end"));
            }
        }
    }

    fn skip_trailers(&mut self, deadline: Instant) -> io::Result<()> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                self.buffer.drain(..end + 2);
                if end == 0 {
                    return Ok(());
                }
            } else if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(invalid("the trailers are too long"));
            } else {
                self.fill_or_fail(deadline)?;
            }
        }
    }

    fn read_rest(&mut self, response: &mut Response, deadline: Instant) -> io::Result<()> {
        while self.buffer.len() <= self.body_bytes_max && self.fill(deadline)? > 0 {}
        response.truncated = self.buffer.len() > self.body_bytes_max;
        self.buffer.truncate(self.body_bytes_max);
        response.body.append(&mut self.buffer);
        Ok(())
    }

    fn fill_or_fail(&mut self, deadline: Instant) -> io::Result<()> {
        match self.fill(deadline)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.wait_at_most(left)?;
        let mut chunk = [0; 16 << 10];
        let size = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..size]);
        Ok(size)
    }
}

fn tcp(listener: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&listener, CONNECT_WAIT_MAX)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(ANSWER_WAIT_MAX))?;
    Ok(stream)
}

fn not_connected(peer: &str) -> impl FnOnce(io::Error) -> EdgeError {
    EdgeError::unreachable(format!("connect to {peer}"))
}

impl Stream {
    /// What was agreed to under TLS, if anything was.
    fn protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Tls(stream) => stream.conn.alpn_protocol(),
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }

    /// The next read waits no longer; under TLS neither does whatever it takes to be able to read.
    pub(crate) fn wait_at_most(&mut self, wait: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(wait)),
            Self::Tls(stream) => {
                stream.sock.wait_at_most(wait);
                Ok(())
            }
            Self::Unix(stream) => stream.set_read_timeout(Some(wait)),
        }
    }

    pub(crate) fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
            Self::Unix(stream) => stream.read(bytes),
        }
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }
}

/// A whole head in front of `bytes`: its length, its minor version, and the answer it begins.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, u8, Response)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let unread = |cause| io::Error::new(io::ErrorKind::InvalidData, cause);
    let length = match head.parse(bytes).map_err(unread)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = head.headers.iter().map(|header| (header.name.to_owned(), text(header.value)));
    let response = Response {
        status: head.code.unwrap_or_default(),
        headers: headers.collect(),
        body: Vec::new(),
        truncated: false,
    };
    Ok(Some((length, head.version.unwrap_or_default(), response)))
}

/// RFC 9112, section 6.3.
fn framing(response: &Response, headless: bool) -> io::Result<Framing> {
    if headless || response.status < 200 || [204, 304].contains(&response.status) {
        return Ok(Framing::Nothing);
    }
    if response.lists("transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    let mut lengths = response.values("content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(Framing::UntilClosed),
        (Some(length), None) => {
            let length = length.trim().parse().map_err(|_| invalid("the length is no number"))?;
            Ok(Framing::Length(length))
        }
        (Some(_), Some(_)) => Err(invalid("there are two lengths")),
    }
}

pub(crate) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A peer that answers each request of one connection with the next of these, and closes.
    fn peer(answers: Vec<String>) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut out = stream.try_clone().unwrap();
            let mut lines = std::io::BufRead::lines(BufReader::new(stream));
            for answer in answers {
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                // In two pieces, so that every reader meets a part of an answer.
                let (head, tail) = answer.as_bytes().split_at(answer.len() / 2);
                let _ = out.write_all(head).and_then(|()| out.write_all(tail));
            }
        });
        address
    }

    /// A client that gives a busy machine time; a peer that closes is an error at once.
    fn patient(address: SocketAddr) -> Client {
        let mut client = Client::connect(address).unwrap();
        client.answer_wait_max = Duration::from_secs(30);
        client
    }

    fn one(answer: impl Into<String>) -> Result<Response, EdgeError> {
        patient(peer(vec![answer.into()])).get("a", "/")
    }

    fn body(answer: &str) -> String {
        String::from_utf8(one(answer).unwrap().body).unwrap()
    }

    #[test]
    fn bodies_in_every_framing() {
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"), "ab");
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "until the end");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(body(&format!("{chunked}2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: v\r\n\r\n")), "abc");
        assert_eq!(body("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n"), "");
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        assert_eq!(body(hints), "x");
    }

    #[test]
    fn a_connection_is_kept_until_somebody_closes_it() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab".to_owned();
        let last = answer.replace("OK\r\n", "OK\r\nConnection: close\r\n");
        let mut client = patient(peer(vec![answer.clone(), answer, last]));
        for open in [true, true, false] {
            assert_eq!(client.get("a", "/").unwrap().body, b"ab");
            assert_eq!(client.is_open(), open);
        }
        assert_eq!(client.get("a", "/").unwrap_err().kind, EdgeErrorKind::Unreachable);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for answer in [
            String::new(),
            "SSH-2.0-server\r\n\r\n".into(),
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n".into(),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".into(),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".into(),
            format!("{chunked}zz\r\n"),
            format!("{chunked}{}\r\n", "0".repeat(CHUNK_HEAD_BYTES_MAX)),
            format!("{chunked}2\r\nabcd"),
        ] {
            let error = one(answer.clone()).unwrap_err();
            assert_eq!(error.kind, EdgeErrorKind::Unreachable, "{answer:?}");
        }
    }

    #[test]
    fn heads_have_limits() {
        let headers = |count: usize| {
            let lines: String = (0..count).map(|n| format!("h{n}: v\r\n")).collect();
            format!("HTTP/1.1 204 No Content\r\n{lines}\r\n")
        };
        assert_eq!(one(headers(HEADERS_MAX)).unwrap().headers.len(), HEADERS_MAX);
        assert!(one(headers(HEADERS_MAX + 1)).is_err());
        let long = "x".repeat(2 * HEAD_BYTES_MAX);
        assert!(one(format!("HTTP/1.1 204 No Content\r\nh: {long}")).is_err());
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nh: ";
        assert!(one(format!("{chunked}{long}")).is_err());
    }

    #[test]
    fn a_long_body_is_cut_and_the_connection_closed() {
        let page = "x".repeat(30);
        for (framing, body) in [
            ("Content-Length: 30", page.clone()),
            ("Transfer-Encoding: chunked", format!("1e\r\n{page}\r\n0\r\n\r\n")),
            ("Connection: close", page),
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{body}");
            let mut client = patient(peer(vec![answer]));
            assert_eq!(client.body_bytes_max, BODY_BYTES_MAX);
            client.body_bytes_max = 20;
            let answer = client.get("a", "/").unwrap();
            assert!(answer.truncated && answer.body.len() <= 20, "{framing}");
            assert!(!client.is_open(), "{framing}");
        }
    }

    #[test]
    fn a_late_answer_is_an_error_in_time() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(client.answer_wait_max, ANSWER_WAIT_MAX);
        client.answer_wait_max = Duration::from_millis(30);
        let start = Instant::now();
        assert_eq!(client.get("a", "/").unwrap_err().kind, EdgeErrorKind::Unreachable);
        // It would never come: any end is one, however busy the machine is.
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    /// A host name out of a register must not become a second request.
    #[test]
    fn nothing_but_http_is_written() {
        let mut client = Client::connect(peer(Vec::new())).unwrap();
        for (host, uri) in [("a\r\nX: y", "/"), ("a", "/ HTTP/1.1\r\n"), ("", "/"), ("a b", "/")] {
            assert_eq!(client.get(host, uri).unwrap_err().kind, EdgeErrorKind::Refused);
        }
        let bad = client.request("GET", "a", "/", &[("name", "value\r\nother: x")]);
        assert_eq!(bad.unwrap_err().kind, EdgeErrorKind::Refused);
    }
}
