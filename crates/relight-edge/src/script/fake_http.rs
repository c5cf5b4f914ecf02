//! A listener on loopback that answers as a fake of a program does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// Status, headers and body.
pub(super) type Answer = (u16, Vec<(String, String)>, String);

/// Answers one request a connection, with method, uri and body, until the test process ends.
pub(super) fn serve(answer: impl Fn(&str, &str, &str) -> Answer + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) < 3 {
                    break;
                }
                lines.push(line.trim().to_owned());
            }
            let length = lines.iter().find_map(|line| line.strip_prefix("Content-Length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            if reader.read_exact(&mut body).is_err() || lines.is_empty() {
                continue;
            }
            let words: Vec<&str> = lines[0].split(' ').collect();
            let body = String::from_utf8_lossy(&body);
            let (status, headers, text) = answer(words[0], words[1], &body);
            let headers: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!(
                "HTTP/1.1 {status} x\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
                text.len()
            );
            let _ = stream.write_all((head + &text).as_bytes());
        }
    });
    address
}
