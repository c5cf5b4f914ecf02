//! A visitor that speaks HTTP/2 (RFC 9113) over TLS, frame by frame: it can say what no library
//! would, such as one name in `:authority` and another in `Host`.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::DEADLINE;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// One connection.
pub(crate) struct Http2 {
    stream: StreamOwned<ClientConnection, TcpStream>,
    next: u32,
}

impl Http2 {
    /// Connects under the name that the hello of TLS says; whatever certificate is shown will do.
    pub(crate) fn connect(listener: SocketAddr, name: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(listener)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(DEADLINE))?;
        let provider = Arc::new(default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let verifier = Arc::new(Anybody);
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut this = Self { stream: StreamOwned::new(session, socket), next: 1 };
        this.stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        // No dynamic table: each answer can be read by itself.
        this.frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0])?;
        // Room for the answers of a whole test.
        this.frame(WINDOW_UPDATE, 0, 0, &[0x3f, 0, 0, 0])?;
        this.stream.flush()?;
        let protocol = this.stream.conn.alpn_protocol();
        match protocol == Some(b"h2") {
            true => Ok(this),
            false => Err(io::Error::other(format!("it speaks {protocol:?}"))),
        }
    }

    /// GET of a site, as everybody asks.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> io::Result<Option<u16>> {
        let scheme = (":scheme", "https");
        self.ask(&[(":method", "GET"), scheme, (":authority", host), (":path", path)])
    }

    /// A request with exactly these headers, and what it was answered; none when the edge refused
    /// to look at it.
    pub(crate) fn ask(&mut self, headers: &[(&str, &str)]) -> io::Result<Option<u16>> {
        let stream = self.next;
        self.next += 2;
        let mut block = Vec::new();
        for (name, value) in headers {
            // A literal that is not indexed, with a new name (RFC 7541, section 6.2.2).
            block.push(0);
            text(&mut block, name);
            text(&mut block, value);
        }
        self.frame(HEADERS, END_STREAM | END_HEADERS, stream, &block)?;
        self.stream.flush()?;
        let mut status = None;
        loop {
            let (kind, flags, of, payload) = self.read_frame()?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[])?,
                PING if flags & ACK == 0 => self.frame(PING, ACK, 0, &payload)?,
                GOAWAY => return Err(io::ErrorKind::ConnectionReset.into()),
                RST_STREAM if of == stream => return Ok(status),
                HEADERS if of == stream && status.is_none() => {
                    status = Some(status_of(&payload, flags).ok_or(io::ErrorKind::InvalidData)?);
                }
                _ => {}
            }
            let is_end = [DATA, HEADERS].contains(&kind) && flags & END_STREAM != 0;
            if is_end && of == stream {
                return Ok(status);
            }
        }
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let head = [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.stream.write_all(&[&head, payload].concat())
    }

    fn read_frame(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, s0, s1, s2, s3] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload)?;
        Ok((kind, flags, u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]), payload))
    }
}

/// A text of HPACK, not packed (RFC 7541, section 5.2).
fn text(block: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    block.push(length.min(127) as u8);
    if length >= 127 {
        length -= 127;
        while length >= 128 {
            block.push((length % 128 + 128) as u8);
            length /= 128;
        }
        block.push(length as u8);
    }
    block.extend_from_slice(text.as_bytes());
}

/// `:status`, which comes first: an entry of the static table, or a literal under its name.
fn status_of(payload: &[u8], flags: u8) -> Option<u16> {
    let skipped = usize::from(flags & PADDED != 0) + if flags & PRIORITY != 0 { 5 } else { 0 };
    let mut block = payload.get(skipped..)?;
    while block.first()? & 0xe0 == 0x20 {
        block = &block[1..];
    }
    let [first, rest @ ..] = block else { return None };
    if first & 0x80 != 0 {
        let known = [200, 204, 206, 304, 400, 404, 500];
        return known.get(usize::from(first & 0x7f).checked_sub(8)?).copied();
    }
    let name = if first & 0x40 != 0 { first & 0x3f } else { first & 0x0f };
    let [length, value @ ..] = rest else { return None };
    let value = value.get(..usize::from(length & 0x7f))?;
    let is_status = (8..=14).contains(&name);
    let digits =
        if length & 0x80 != 0 { unpacked(value) } else { str::from_utf8(value).ok()?.to_owned() };
    is_status.then(|| digits.parse().ok()).flatten()
}

/// Three digits in the code of HPACK (RFC 7541, appendix B): 0 to 2 take five bits, the rest six.
fn unpacked(value: &[u8]) -> String {
    let bits: Vec<u32> = value
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u32::from(byte >> at & 1)))
        .collect();
    let number = |bits: &[u32]| bits.iter().fold(0, |sum, bit| 2 * sum + bit);
    let (mut digits, mut rest) = (String::new(), bits.as_slice());
    while digits.len() < 3 && rest.len() >= 5 {
        let five = number(&rest[..5]);
        let (digit, taken) = match five {
            0..=2 => (five, 5),
            _ if rest.len() >= 6 => (number(&rest[..6]).wrapping_sub(22), 6),
            _ => return digits,
        };
        digits.extend(char::from_digit(digit, 10));
        rest = &rest[taken..];
    }
    digits
}

/// Certificates are what other tests are about.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[test]
fn a_status_is_read_in_each_of_its_forms() {
    for (block, status) in [
        (&[0x88][..], Some(200)),
        (&[0x20, 0x8d], Some(404)),
        (&[0x48, 3, b'5', b'0', b'3'], Some(503)),
        (&[0x08, 3, b'4', b'2', b'1'], Some(421)),
        // 302 as in RFC 7541, C.6.1.
        (&[0x48, 0x82, 0x64, 0x02], Some(302)),
        (&[0xbe], None),
        (&[0x40, 1, b'x', 1, b'y'], None),
        (&[], None),
    ] {
        assert_eq!(status_of(block, 0), status, "{block:x?}");
    }
}
