//! A real receiver of ours at the other end of a line that can lose what it carries; the time is
//! that of the tests.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use relight_engine::EngineOptions;
use relight_engine::incident::Entry;
use relight_engine::store::Store;
use relight_server::receive::{ReceiveConfig, ReceiveLimits, Receiver, TlsFiles};

use super::*;

/// How long something may take that is waited for.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Long after everything that was sent before.
const LATER: Duration = Duration::from_hours(1);

/// What a line that loses everything swallowed, and the ends that its users hold.
#[derive(Default)]
struct Line {
    loses: AtomicBool,
    swallowed: AtomicUsize,
    ends: Mutex<Vec<TcpStream>>,
}

impl Line {
    /// Its port. It takes what it loses, as the buffers on the way to a machine that vanished do.
    fn to(address: SocketAddr) -> (u16, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, line) = (listener.local_addr().unwrap().port(), Arc::new(Self::default()));
        let own = Arc::clone(&line);
        thread::spawn(move || {
            for mut near in listener.incoming().map_while(Result::ok) {
                let mut far = TcpStream::connect(address).unwrap();
                let ends = (far.try_clone().unwrap(), near.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut { ends.0 }, &mut { ends.1 }));
                own.ends.lock().unwrap().push(near.try_clone().unwrap());
                let own = Arc::clone(&own);
                thread::spawn(move || {
                    let mut bytes = [0; 4_096];
                    while let Ok(count @ 1..) = near.read(&mut bytes) {
                        if own.loses.load(Ordering::SeqCst) {
                            own.swallowed.fetch_add(count, Ordering::SeqCst);
                        } else if far.write_all(&bytes[..count]).is_err() {
                            break;
                        }
                    }
                    let _ = far.shutdown(Shutdown::Both);
                });
            }
        });
        (port, line)
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            end.shutdown(Shutdown::Both).unwrap();
        }
    }
}

/// What sends a journal, what takes it, and the line between them.
struct Rig {
    folder: tempfile::TempDir,
    _receiver: Receiver,
    line: Arc<Line>,
    work: Work,
}

impl Rig {
    /// The register knows the other end by this name.
    fn new(place: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixtures = "../relight-server/fixtures/receive";
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixtures);
        let (key, certificate) = (folder.path().join("key.pem"), fixtures.join("certificate.pem"));
        fs::copy(fixtures.join("key.pem"), &key).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let files = TlsFiles { certificate: certificate.clone(), key };
        let receiver = Receiver::start(&ReceiveConfig {
            folder: folder.path().join("spool"),
            syslog_udp: None,
            syslog_tcp: None,
            syslog_tls: Some((([127, 0, 0, 1], 0).into(), files)),
            flows: None,
            limits: ReceiveLimits::default(),
        });
        let receiver = receiver.unwrap();
        let (port, line) = Line::to(receiver.addresses()[0].1);
        let to = SyslogPlace::parse(&format!("localhost:{port}"), Some(&certificate)).unwrap();
        let store = Arc::new(Store::open(&folder.path().join("data")).unwrap());
        let holder = "test".to_owned();
        let options = EngineOptions { holder, clock: || 1_000, inventory_ttl_s: 1 };
        let engine = Arc::new(Engine::open(store, options).unwrap());
        let work = Work::new(engine, place, to, 0, Lang::En);
        Self { folder, _receiver: receiver, line, work }
    }

    /// One more entry in the journal.
    fn write(&self) {
        let entry = Entry::CanaryTried { edge: "n".into(), passed: true, what: String::new() };
        self.work.engine.record("test", "", entry).unwrap();
    }

    /// How often this entry came, at the other end.
    fn count(&self, seq: u64) -> usize {
        let files = fs::read_dir(self.folder.path().join("spool")).into_iter().flatten();
        let texts = files.map(|row| fs::read_to_string(row.unwrap().path()).unwrap_or_default());
        texts.map(|text| text.matches(&format!("{{\"seq\":{seq},")).count()).sum()
    }

    /// What the register has been told.
    fn kept(&self) -> u64 {
        confirmed(&self.work.engine, &self.work.place).unwrap()
    }
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Goal: what goes to a machine that vanished is sent again. Method: the line swallows an entry
/// while the connection lives, as buffers do, and breaks before the system would have noticed.
#[test]
fn what_a_silent_peer_did_not_take_is_sent_again() {
    let (mut rig, start) = (Rig::new("elsewhere"), Instant::now());
    rig.write();
    assert!(rig.work.look(start).is_none());
    wait("the first entry comes", || rig.count(1) == 1);
    let after = start + LATER;
    assert!(rig.work.look(after).is_none());
    assert_eq!(rig.kept(), 1, "the connection lived on");
    rig.line.loses.store(true, Ordering::SeqCst);
    rig.write();
    assert!(rig.work.look(after).is_none());
    wait("the line swallows it", || rig.line.swallowed.load(Ordering::SeqCst) > 0);
    assert!(rig.work.look(after + SILENCE_MAX).is_none(), "nothing is known yet");
    assert_eq!((rig.work.confirmed, rig.kept()), (1, 1), "it may be lost");
    rig.line.cut();
    let broken = after + SILENCE_MAX;
    wait("it is told", || matches!(rig.work.look(broken), Some(Told::Failed(_))));
    rig.line.loses.store(false, Ordering::SeqCst);
    assert!(matches!(rig.work.look(broken + RETRY), Some(Told::Again)));
    wait("it is sent again", || rig.count(2) == 1);
    assert_eq!(rig.count(1), 1, "and nothing else");
    assert!(rig.work.look(broken + LATER).is_none());
    assert_eq!(rig.kept(), 2);
}

/// Goal: a full disk here is no failure of the other system. Method: the register takes nothing
/// that is as long as the name of this place.
#[test]
fn a_register_that_takes_nothing_sends_nothing_twice() {
    let (mut rig, start) = (Rig::new(&"x".repeat(1 << 20)), Instant::now());
    rig.write();
    assert!(rig.work.look(start).is_none());
    rig.work.engine.store().limit_pages(Some(0)).unwrap();
    for more in 1..=5 {
        assert!(rig.work.look(start + more * LATER).is_none(), "nobody failed");
    }
    assert_eq!((rig.work.confirmed, rig.kept()), (1, 0));
    rig.work.engine.store().limit_pages(None).unwrap();
    rig.write();
    assert!(rig.work.look(start + 6 * LATER).is_none());
    assert_eq!(rig.kept(), 1, "it is kept as soon as there is room");
    wait("the second entry comes", || rig.count(2) == 1);
    assert_eq!(rig.count(1), 1);
}
