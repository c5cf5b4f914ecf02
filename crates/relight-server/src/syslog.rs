//! Sends lines to another system as syslog over TLS (RFC 5424 in the frames of RFC 5425).
//!
//! Syslog has no acknowledgement: what was sent counts as received once the connection lived on
//! for longer than the system waits for the other side's (`SILENCE_MAX`), and what a broken
//! connection may have lost is sent again.

use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relight_web::number::rfc3339;
use rustix::net::sockopt;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::{ServerError, authorities};

/// The port of syslog over TLS (RFC 5425, 4.1).
const PORT: u16 = 6_514;

/// Longest wait for the other side, to connect, to shake hands and to take what is sent.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest wait for the other machine to acknowledge what was sent: then the connection is broken,
/// which [`SyslogSender::check`] says. Without it, that of a machine that vanished lives for a
/// quarter of an hour.
pub const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Facility 13 (log audit), severity 5 (notice).
const PRIORITY: u32 = 13 * 8 + 5;

/// Longest name of a kind of message, in bytes (RFC 5424, 6).
const KIND_BYTES_MAX: usize = 32;

/// Whom lines are sent to.
pub struct SyslogPlace {
    host: String,
    port: u16,
    tls: Arc<ClientConfig>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogLine<'a> {
    /// When, in seconds since 1970.
    pub at: i64,
    /// What kind of message it is; another one than of letters and signs of ASCII is left out.
    pub kind: &'a str,
    /// What it says.
    pub text: &'a str,
}

impl std::fmt::Debug for SyslogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl SyslogPlace {
    /// `HOST` or `HOST:PORT`, whose certificate these authorities vouch for, or those of the
    /// system. Nobody is asked.
    ///
    /// # Errors
    /// It is no such place, or the certificates cannot be used.
    pub fn parse(text: &str, authorities: Option<&Path>) -> Result<Self, ServerError> {
        let wrong = || ServerError::new(format!("send to {text}: it is no HOST[:PORT]"));
        let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bare {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| wrong()))?;
        ServerName::try_from(host.to_owned()).map_err(|_| wrong())?;
        Ok(Self { host: host.to_owned(), port, tls: authorities::believing(authorities)? })
    }

    /// Connects and shakes hands.
    ///
    /// # Errors
    /// Nobody answers there in time, or nobody vouches for whoever does.
    pub fn connect(&self) -> Result<SyslogSender, ServerError> {
        let failed = |error: io::Error| ServerError::caused(format!("send to {self:?}"), error);
        let stream = self.stream().map_err(failed)?;
        let name = ServerName::try_from(self.host.clone())
            .map_err(|error| failed(io::Error::other(error)))?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name);
        let session = session.map_err(|error| failed(io::Error::other(error)))?;
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(failed)?;
        }
        Ok(SyslogSender { place: format!("{self:?}"), stream })
    }

    fn stream(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, WAIT_MAX) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(WAIT_MAX))?;
                    stream.set_write_timeout(Some(WAIT_MAX))?;
                    let silence = u32::try_from(SILENCE_MAX.as_millis()).unwrap_or(u32::MAX);
                    sockopt::set_tcp_user_timeout(&stream, silence)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// An open connection.
pub struct SyslogSender {
    place: String,
    stream: StreamOwned<ClientConnection, TcpStream>,
}

impl std::fmt::Debug for SyslogSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SyslogSender({})", self.place)
    }
}

impl SyslogSender {
    /// Sends lines, all of them or an error; after one the connection is of no use.
    ///
    /// # Errors
    /// The other side does not take them in time.
    pub fn send(&mut self, lines: &[SyslogLine<'_>]) -> Result<(), ServerError> {
        let mut sent = || {
            for line in lines {
                self.stream.write_all(&framed(line))?;
            }
            self.stream.flush()
        };
        let done: io::Result<()> = sent();
        done.map_err(|error| ServerError::caused(format!("send to {}", self.place), error))
    }

    /// Whether the other side has not gone, as far as anybody knows here.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> Result<(), ServerError> {
        let alive = self.look();
        alive.map_err(|error| ServerError::caused(format!("send to {}", self.place), error))
    }

    /// Takes what came without waiting for it: only the end of the connection means anything.
    fn look(&mut self) -> io::Result<()> {
        self.stream.sock.set_nonblocking(true)?;
        let (session, socket) = (&mut self.stream.conn, &mut self.stream.sock);
        let looked = loop {
            match session.read_tls(socket) {
                Ok(0) => break Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                Ok(_) => match session.process_new_packets() {
                    Ok(state) if state.peer_has_closed() => {
                        break Err(io::Error::from(io::ErrorKind::ConnectionReset));
                    }
                    Ok(_) => {}
                    Err(error) => break Err(io::Error::other(error)),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.stream.sock.set_nonblocking(false)?;
        looked
    }
}

impl Drop for SyslogSender {
    fn drop(&mut self) {
        self.stream.conn.send_close_notify();
        // Whoever is gone need not be told.
        let _ = self.stream.flush();
    }
}

/// A line with its length before it.
fn framed(line: &SyslogLine<'_>) -> Vec<u8> {
    let is_kind = |kind: &str| {
        (1..=KIND_BYTES_MAX).contains(&kind.len()) && kind.bytes().all(|it| it.is_ascii_graphic())
    };
    let kind = if is_kind(line.kind) { line.kind } else { "-" };
    let at = rfc3339(line.at);
    let message = format!("<{PRIORITY}>1 {at} - relight - {kind} - {}", line.text);
    format!("{} {message}", message.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/receive/certificate.pem")
    }

    /// What a system does with it is its own: here it counts that each connection asks for it.
    #[test]
    fn a_connection_breaks_when_the_other_machine_is_silent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let stream = SyslogPlace::parse(&place, Some(&authority())).unwrap().stream().unwrap();
        let silence = sockopt::tcp_user_timeout(&stream).unwrap();
        assert_eq!(u128::from(silence), SILENCE_MAX.as_millis());
    }

    #[test]
    fn places_and_lines_are_those_of_the_standards() {
        let parse = |text: &str| SyslogPlace::parse(text, Some(&authority()));
        for (text, wanted) in [
            ("logs.example", "logs.example:6514"),
            ("logs.example:10514", "logs.example:10514"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]", "::1:6514"),
            ("[::1]:9", "::1:9"),
        ] {
            assert_eq!(format!("{:?}", parse(text).unwrap()), wanted);
        }
        for bad in ["", ":6514", "logs.example:x", "logs.example:70000", "[::1]x", "a b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(
            SyslogPlace::parse("logs.example", Some(&authority().with_file_name("key.pem")))
                .is_err()
        );
        let line = SyslogLine { at: 0, kind: "access", text: "{\"a\":\"é\"}" };
        let framed_text = String::from_utf8(framed(&line)).unwrap();
        assert_eq!(
            framed_text,
            "59 <109>1 1970-01-01T00:00:00Z - relight - access - {\"a\":\"é\"}"
        );
        for kind in ["", "a b", "é", &"x".repeat(KIND_BYTES_MAX + 1)] {
            let text = String::from_utf8(framed(&SyslogLine { kind, ..line.clone() })).unwrap();
            assert!(text.contains(" relight - - - {"), "{text}");
        }
    }
}
