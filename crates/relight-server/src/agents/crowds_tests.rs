//! Many at one door: who is let in is not shut out by the others.

use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned, version};

use super::*;

/// Somebody without a certificate, handshake included.
fn stranger(world: &World) -> StreamOwned<ClientConnection, TcpStream> {
    let roots = authority::believing(world.desk.authority.certificate()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(&[&version::TLS13]).unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from(authority::SERVER_NAME).unwrap();
    let mut stream = TcpStream::connect(world.listener.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    connection.complete_io(&mut stream).unwrap();
    StreamOwned::new(connection, stream)
}

/// What is read until the other side closes.
fn heard(stream: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    // It may close without a word of TLS.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An agent kept its connection until its next turn, and 1,024 of them shut the others out.
#[test]
fn an_agent_that_has_its_answer_gives_its_place_to_the_next() {
    let world = World::with(clock::now_ms, AgentLimits { connections: 1, ..Default::default() });
    let (first, second) = (world.agent("web-1"), world.agent("web-2"));
    let began = Instant::now();
    for _ in 0..3 {
        first.turn(&[]).unwrap();
        second.turn(&[]).unwrap();
    }
    assert!(began.elapsed() < crate::listen::HEAD_WAIT_MAX, "{:?}", began.elapsed());
}

/// Goal: who shows no certificate has few places, one request, and little time. Method: one
/// stranger stays, another one comes, and an agent has its turn beside them; then the first one is
/// answered.
#[test]
fn strangers_have_few_places_and_little_time() {
    let (connections, strangers) = (2, 1);
    let limits = AgentLimits { connections, strangers, ..Default::default() };
    let world = World::with(clock::now_ms, limits);
    let agent = world.agent("web-1");
    let mut stays = stranger(&world);
    let body = "{\"key\":\"\",\"proof\":\"\"}";
    let head =
        format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n", wire::RENEW, body.len());
    stays.write_all(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes()).unwrap();
    // It waits for the body: it has the one place.
    let mut go_on = [0; 25];
    stays.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut said = heard(&mut stranger(&world));
    assert_eq!(said, "", "no place is left");
    agent.turn(&[]).unwrap();
    // One request, and nothing is kept alive.
    stays.write_all(body.as_bytes()).unwrap();
    said = heard(&mut stays);
    assert!(said.starts_with("HTTP/1.1 403"), "{said}");
    agent.turn(&[]).unwrap();
}

#[test]
fn a_stranger_that_dawdles_is_cut() {
    let stranger_wait = Duration::from_millis(200);
    let world = World::with(clock::now_ms, AgentLimits { stranger_wait, ..Default::default() });
    let mut slow = stranger(&world);
    slow.write_all(b"POST /agent/v1/turn HTTP/1.1\r\n").unwrap();
    let began = Instant::now();
    assert_eq!(heard(&mut slow), "");
    assert!(began.elapsed() < crate::listen::HEAD_WAIT_MAX, "{:?}", began.elapsed());
}

/// Anybody on the way told all agents that they were revoked, in seven bytes.
#[test]
fn an_alert_of_somebody_else_revokes_nobody() {
    let world = World::new();
    let agent = world.agent("web-1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            stream.read_exact(&mut hello).unwrap();
            stream.write_all(&[0x15, 3, 3, 0, 2, 2, 112]).unwrap();
            let _ = stream.read_to_end(&mut hello);
        }
    });
    let mut document: Value =
        serde_json::from_slice(&fs::read(world.path("web-1")).unwrap()).unwrap();
    document["server"] = address.to_string().into();
    let path = world.path("moved");
    super::super::identity::write_own(&path, document.to_string().as_bytes()).unwrap();
    let moved = AgentClient::new(Identity::read(&path).unwrap(), &path).unwrap();
    assert_eq!(code(moved.turn(&[])), "other-server");
    let url = format!("https://{address}");
    let enrolled = enrol(&url, &world.code("web-2"), "web-2", &world.path("web-2"));
    assert_eq!(code(enrolled), "other-server");
    answers.join().unwrap();
    agent.turn(&[]).unwrap();
}

/// Goal: connections that say nothing take no place of an agent that comes from the same address,
/// as all do behind a proxy. Method: many more of them than there are places, for as long as the
/// test; the oldest are cut.
#[test]
fn who_says_nothing_takes_nobodys_place() {
    let handshake = Duration::from_secs(3_600);
    let (connections, of_one, greetings) = (8, 2, 4);
    let limits =
        AgentLimits { connections, of_one, greetings, handshake, ..AgentLimits::default() };
    let world = World::with(clock::now_ms, limits);
    let address = world.listener.address();
    let silent =
        || -> Vec<TcpStream> { (0..12).map(|_| TcpStream::connect(address).unwrap()).collect() };
    let mut before = silent();
    let agent = world.agent("web-1");
    let after = silent();
    for _ in 0..3 {
        agent.turn(&[]).unwrap();
    }
    before[0].set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut byte = [0];
    assert_eq!(before[0].read(&mut byte).unwrap(), 0, "the oldest was cut");
    drop((before, after));
}
