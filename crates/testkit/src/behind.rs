//! An application behind the gate of an edge: answers whoever comes, one request a connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// What it answers with, besides the status.
const BODY: &str = "hello";

/// Starts an application. `status` is given the head of each request, from its first line to its
/// last; 0 closes the connection without an answer. It ends with the test program, for nothing
/// tells it when the last visitor came.
pub fn behind_the_gate(status: impl Fn(&str) -> u16 + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(other_end) = stream.try_clone() else { continue };
            let mut reader = BufReader::new(other_end);
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                head.push_str(&line);
                line.clear();
            }
            let status = status(&head);
            if status != 0 {
                let length = BODY.len();
                let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{BODY}");
                // Whoever asked may have gone away.
                drop(stream.write_all(text.as_bytes()));
            }
        }
    });
    address
}
