//! What a peer may say, and what it says that is none of that.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::http::Client;

/// No test waits so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// `:status` 503 (RFC 7541, section 6.2.2), and one header, packed (appendix B).
const DARK: &[u8] = b"\x08\x03503\x00\x01a\x82\x94\xe7";

/// A frame that means nothing here: more may be sent (RFC 9113, section 6.9).
const OTHER: u8 = 8;

/// What comes of a request to a peer that says this, and then nothing until we go.
fn ask(says: Vec<u8>) -> io::Result<Said> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&says).unwrap();
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        heard
    });
    let stream = Client::connect(address).unwrap().into_stream();
    let fields = [(":method", "GET"), (":authority", "a.example")];
    let said = Http2::begin(stream, PATIENCE).and_then(|begun| begun.ask(&fields, b"ab"));
    let heard = peer.join().unwrap();
    assert!(heard.starts_with(PREFACE), "{heard:?}");
    said
}

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]).unwrap()
}

/// After its settings.
fn after_settings(frames: &[(u8, u8, u32, &[u8])]) -> io::Result<Said> {
    let rest =
        frames.iter().flat_map(|(kind, flags, of, it)| frame(*kind, *flags, *of, it).unwrap());
    ask(settings().into_iter().chain(rest).collect())
}

fn status(said: io::Result<Said>) -> u16 {
    match said.unwrap() {
        Said::Answer(answer) => answer.status,
        Said::Refused => 0,
    }
}

/// Goal: a head is read in whatever frames it comes. Method: alone, in pieces, with padding, after
/// a hint and after what has to be answered.
#[test]
fn a_head_is_read_in_all_of_its_forms() {
    let dark = Response {
        status: 503,
        headers: vec![("a".to_owned(), "foo".to_owned())],
        body: Vec::new(),
        truncated: true,
    };
    let whole = after_settings(&[(HEADERS, END_HEADERS, 1, DARK)]).unwrap();
    assert_eq!(whole, Said::Answer(dark));
    let (first, rest) = DARK.split_at(3);
    let padded = [&b"\x02\0\0\0\0\0"[..], DARK, b"\0\0"].concat();
    let both = END_HEADERS | END_STREAM;
    for frames in [
        &[(HEADERS, END_STREAM, 1, first), (CONTINUATION, END_HEADERS, 1, rest)][..],
        &[(HEADERS, both | PADDED | PRIORITY, 1, &padded[..])],
        &[(HEADERS, END_HEADERS, 1, b"\x08\x03103"), (HEADERS, both, 1, DARK)],
        &[
            (PING, 0, 0, &[7; 8]),
            (SETTINGS, 0, 0, &[]),
            (OTHER, 0, 0, &[0, 0, 0, 1]),
            (SETTINGS, ACK, 0, &[]),
            (GOAWAY, 0, 0, &[0; 8]),
            (HEADERS, both, 1, DARK),
        ],
    ] {
        assert_eq!(status(after_settings(frames)), 503, "{frames:?}");
    }
    assert_eq!(status(after_settings(&[(HEADERS, both, 1, &[0x88])])), 200);
}

/// Goal: what the peer calls no request is told from what merely ended. Method: endings of the
/// stream and of the connection, with each kind of code.
#[test]
fn a_refusal_is_not_any_ending() {
    let code = |code: u8| [0, 0, 0, code];
    let gone = |code: u8| [0, 0, 0, 0, 0, 0, 0, code];
    for (kind, of, payload) in [(RST_STREAM, 1, &code(1)[..]), (GOAWAY, 0, &gone(1))] {
        assert_eq!(after_settings(&[(kind, 0, of, payload)]).unwrap(), Said::Refused, "{kind}");
    }
    for (kind, of, payload) in [
        (RST_STREAM, 1, &code(0)[..]),
        (RST_STREAM, 1, &code(2)),
        (RST_STREAM, 1, &code(7)),
        (RST_STREAM, 1, &[0, 0]),
        (GOAWAY, 0, &gone(2)),
        (GOAWAY, 0, &[0; 3]),
    ] {
        assert!(after_settings(&[(kind, 0, of, payload)]).is_err(), "{kind} {payload:?}");
    }
    for (number, shows_nothing) in [(0, false), (2, false), (7, true), (8, false), (11, true)] {
        let ended = after_settings(&[(RST_STREAM, 0, 1, &code(number))]).unwrap_err();
        let shown = ended.kind() == io::ErrorKind::InvalidData;
        assert_eq!(shown, shows_nothing, "{number}");
    }
}

/// Goal: nobody is believed who does not speak it. Method: other protocols, and frames that are cut
/// or out of place.
#[test]
fn what_is_not_http2_is_an_error() {
    let http1 = ask(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert_eq!(http1.unwrap_err().kind(), io::ErrorKind::InvalidData);
    let first = ask(frame(PING, 0, 0, &[0; 8]).unwrap());
    assert_eq!(first.unwrap_err().kind(), io::ErrorKind::InvalidData);
    let long = u8::try_from(DARK.len()).unwrap() + 1;
    let padded = [&[long], DARK].concat();
    for frames in [
        &[(DATA, END_STREAM, 1, DARK)][..],
        &[(PUSH_PROMISE, END_HEADERS, 1, DARK)],
        &[(HEADERS, END_HEADERS, 3, DARK)],
        &[(CONTINUATION, END_HEADERS, 1, DARK)],
        &[(HEADERS, 0, 1, DARK), (PING, 0, 0, &[0; 8])],
        &[(HEADERS, 0, 1, DARK), (CONTINUATION, END_HEADERS, 3, DARK)],
        &[(HEADERS, END_HEADERS | PADDED, 1, &padded)],
        &[(HEADERS, END_HEADERS | PADDED, 1, &[])],
        &[(HEADERS, END_HEADERS | PRIORITY, 1, &[0; 4])],
        &[(HEADERS, END_HEADERS, 1, b"\x00\x01a\x01b")],
        &[(HEADERS, END_HEADERS, 1, b"\x88\x88")],
        &[(HEADERS, END_HEADERS, 1, b"\x08\x0299")],
        &[(HEADERS, END_HEADERS, 1, b"\x88\x02\x01a")],
        &[(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff")],
    ] {
        assert!(after_settings(frames).is_err(), "{frames:?}");
    }
}

/// Goal: no peer makes a probe read on and on. Method: one over each limit, and at it.
#[test]
fn frames_and_heads_have_limits() {
    let pings = |count| {
        let mut frames = vec![(PING, ACK, 0, &[0; 8][..]); count];
        frames.push((HEADERS, END_HEADERS, 1, DARK));
        after_settings(&frames)
    };
    assert_eq!(status(pings(FRAMES_MAX - 2)), 503);
    assert!(pings(FRAMES_MAX - 1).is_err());
    let long = [settings(), vec![1, 0, 0, PING, ACK, 0, 0, 0, 0]].concat();
    assert_eq!(FRAME_BYTES_MAX, 0x4000);
    assert!(ask(long).is_err(), "64 KiB");
    let headers = |count| {
        let block = [&b"\x88"[..], &b"\x00\x01a\x01b".repeat(count - 1)].concat();
        after_settings(&[(HEADERS, END_HEADERS, 1, &block)])
    };
    assert_eq!(status(headers(HEADERS_MAX)), 200);
    let many = headers(HEADERS_MAX + 1).unwrap_err();
    assert_eq!(many.kind(), io::ErrorKind::InvalidData);
    // Each of them says that the table of the decoder has no room.
    let sizes = |count| {
        let block = [&b"\x20".repeat(count)[..], b"\x88"].concat();
        after_settings(&[(HEADERS, END_HEADERS, 1, &block)])
    };
    assert_eq!(status(sizes(HEADERS_MAX - 1)), 200);
    assert_eq!(sizes(HEADERS_MAX).unwrap_err().to_string(), "there are too many headers");
    let piece = &vec![0; FRAME_BYTES_MAX][..];
    let pieces = [(HEADERS, 0, 1, piece), (CONTINUATION, 0, 1, piece), (CONTINUATION, 0, 1, piece)];
    assert_eq!(after_settings(&pieces).unwrap_err().to_string(), "the headers are too long");
}

/// Goal: a peer that says nothing is given up in time. Method: no time at all.
#[test]
fn a_late_answer_is_an_error_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stream = Client::connect(listener.local_addr().unwrap()).unwrap().into_stream();
    let late = Http2::begin(stream, Duration::ZERO).unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut);
}

/// Goal: neither is one that began and then says nothing, or never ends what it says, and to begin
/// gives no more time. Method: its settings, and then nothing, or a byte each twentieth of a
/// second.
#[test]
fn one_time_is_for_the_beginning_and_the_answer() {
    let begin = |wait, drips: bool| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(&settings()).unwrap();
            // The head of a long frame, and of its bytes one at a time.
            let mut next: &[u8] = &[0, 0x40, 0, HEADERS, END_HEADERS, 0, 0, 0, 1];
            while drips && stream.write_all(next).is_ok() {
                next = &[0];
                thread::park_timeout(Duration::from_millis(50));
            }
            drop(stream.read_to_end(&mut Vec::new()));
        });
        Http2::begin(Client::connect(address).unwrap().into_stream(), wait)
    };
    let is_late = |said: io::Result<Said>| {
        let kind = said.unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock), "{kind}");
    };
    let began = Instant::now();
    for drips in [false, true] {
        let begun = begin(Duration::from_secs(1), drips);
        is_late(begun.and_then(|begun| begun.ask(&[], b"")));
    }
    // All bytes of that frame would take a quarter of an hour.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let over = Http2 { until: Instant::now(), ..begin(PATIENCE, false).unwrap() };
    is_late(over.ask(&[], b""));
}

/// Goal: no block of headers ends the thread that reads it. Method: a good one cut at every byte,
/// with each byte replaced, and noise from a seed.
#[test]
fn no_block_of_headers_is_too_much() {
    let good = [DARK, b"\x40\x01b\x01c\xbe\x3f\x01\x88\x7f\x81\x01\x01x"].concat();
    let read = |block: &[u8]| drop(head(&mut Decoder::default(), block.to_vec()));
    for end in 0..good.len() {
        read(&good[..end]);
        for byte in 0..=255 {
            let mut other = good.clone();
            other[end] = byte;
            read(&other);
            read(&other[..=end]);
        }
    }
    let mut seed: u64 = 1;
    for _ in 0..20_000 {
        let noise: Vec<u8> = (0..40)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed.to_be_bytes()[0]
            })
            .collect();
        read(&noise);
    }
}
