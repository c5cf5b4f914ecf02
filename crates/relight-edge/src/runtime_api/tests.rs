//! Replies of a runtime API, and sockets that give none.

use std::os::unix::net::UnixListener;
use std::thread;

use super::*;

/// What the API makes of a reply of these bytes to any command.
fn after(reply: Vec<u8>) -> (RuntimeApi, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut command = String::new();
            let _ = stream.read_to_string(&mut command);
            let _ = stream.write_all(&reply);
        }
    });
    (RuntimeApi::of(socket), folder)
}

#[test]
fn a_reply_that_does_not_end_is_no_reply() {
    for reply in [&b""[..], b"0x1 a 1\n", b"0x1 a 1\n0x2 b"] {
        let (api, _folder) = after(reply.to_vec());
        let shown = api.show_map(None, "m", |shown| shown.len());
        assert_eq!(shown.unwrap_err().kind, EdgeErrorKind::Unreachable);
        assert_eq!(api.change("add").unwrap_err().kind, EdgeErrorKind::Unreachable);
    }
    let (api, _folder) = after(b"0x1 a 1\n0x2 b \n0x3 c\n\n".to_vec());
    let entries = [("a", "1"), ("b", ""), ("c", "")];
    api.show_map(None, "m", |shown| assert_eq!(shown, entries)).unwrap();
}

/// Goal: a process that was stopped is waited for no longer than is allowed, however many wait
/// there already. Method: a socket that lets one wait, and does; nobody accepts.
#[test]
fn a_socket_that_takes_no_more_connections_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    net::listen(&socket, 0).unwrap();
    let _waits = UnixStream::connect(&path).unwrap();
    let api = RuntimeApi { wait_max: Duration::from_millis(50), ..RuntimeApi::of(path) };
    let cause = api.connect().unwrap_err();
    assert_eq!(cause.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(api.run("show info").unwrap_err().kind, EdgeErrorKind::Unreachable);
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_program() {
    let (api, _folder) = after(b"Unknown map identifier.\n\n".to_vec());
    for error in [
        api.change("commit map @1 m").unwrap_err(),
        api.show_map(None, "m", |shown| shown.len()).unwrap_err(),
        api.prepare("m").unwrap_err(),
        api.has("m", "a").unwrap_err(),
    ] {
        assert_eq!(error.kind, EdgeErrorKind::Refused);
        assert!(error.to_string().ends_with("accepted: Unknown map identifier."), "{error}");
    }
}

#[test]
fn a_reply_without_end_is_given_up() {
    let size = usize::try_from(REPLY_BYTES_MAX).unwrap();
    let (api, _folder) = after(vec![b'\n'; size]);
    assert_eq!(api.run("show stat").unwrap().len(), size);
    let (api, _folder) = after(vec![b'\n'; size + 1]);
    assert_eq!(api.run("show stat").unwrap_err().kind, EdgeErrorKind::Unreachable);
}

#[test]
fn a_value_is_read_where_the_key_is_there_and_a_strange_reply_is_none() {
    let head = "type=str, case=sensitive, found=";
    let found = format!("{head}yes, idx=tree, key=\"k\", value=\"1-2\", type=\"str\"\n\n");
    let (api, _folder) = after(found.into_bytes());
    assert_eq!(api.value("m", "k").unwrap().as_deref(), Some("1-2"));
    let (api, _folder) = after(format!("{head}no\n\n").into_bytes());
    assert_eq!(api.value("m", "k").unwrap(), None);
    for bad in ["\n", "Unknown map identifier.\n\n", "found=yes\n\n"] {
        let (api, _folder) = after(bad.into());
        assert_eq!(api.value("m", "k").unwrap_err().kind, EdgeErrorKind::Refused, "{bad}");
    }
}

/// Goal: what is not told is not guessed. Method: replies of 2.6.12, and some that lack a part.
#[test]
fn a_process_and_the_versions_of_a_map_are_read_by_their_names() {
    let info = "Name: HAProxy\nVersion: 2.6.12-1+deb12u1\nPid: 7\nUptime_sec: 3\n\
                Start_time_sec: 1700000000\n\n";
    let (api, _folder) = after(info.into());
    let release = [2, 6, 12];
    let serving = Serving { pid: 7, started: 1_700_000_000, release };
    assert_eq!(api.serving().unwrap(), Some(serving));
    for part in ["Version", "Pid", "Start_time_sec"] {
        let (api, _folder) = after(info.replace(part, "Other").into());
        assert_eq!(api.serving().unwrap(), None, "{part}");
    }
    let release = ["2.8", "2.9-dev3", "3.0.12-4f0a", "new", ""].map(super::release);
    let numbers = [Some([2, 8, 0]), Some([2, 9, 0]), Some([3, 0, 12]), None, None];
    assert_eq!(release, numbers);
    let head = "# id (file) description\n-1 (/o.map) by map. curr_ver=9 next_ver=9 entry_cnt=0\n";
    let line = "-1 (/m) pattern by map at (/o.map) file. curr_ver=1 next_ver=3 entry_cnt=2\n\n";
    let (api, _folder) = after(format!("{head}{line}").into());
    assert_eq!(api.versions("/m").unwrap(), (1, 3));
    assert_eq!(api.versions("/other").unwrap_err().kind, EdgeErrorKind::Refused);
}

#[test]
fn connections_are_read_by_their_place_and_a_strange_line_is_none() {
    let head = "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max\n";
    let rest = "5000 3 7 0 0 0 -1 0 0 0";
    let text = format!("{head}a/origin 4/1 127.0.0.1 9 - {rest}\na/other 4/2 - 0 - {rest}\n\n");
    let (api, _folder) = after(text.into_bytes());
    assert_eq!(api.connections("origin").unwrap(), [("a".to_owned(), 3)].into());
    for bad in
        ["a/origin 4/1 127.0.0.1 9 - 5000\n\n", "origin 1 2 3 4 5 6 7\n\n", "a/b 1 2 3 4 5 x\n\n"]
    {
        let (api, _folder) = after(bad.into());
        assert_eq!(api.connections("origin").unwrap_err().kind, EdgeErrorKind::Refused, "{bad}");
    }
}

#[test]
fn a_line_more_than_a_payload_takes_goes_into_the_next() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let shared = std::sync::Arc::clone(&seen);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut command = String::new();
            let _ = stream.read_to_string(&mut command);
            shared.lock().unwrap().push(command);
            let _ = stream.write_all(b"\n");
        }
    });
    let api = RuntimeApi::of(socket);
    // Head, line, its end and the blank line fill a payload to the last byte.
    let head = "add map @1 m <<\n".len();
    let line = "k".repeat(PAYLOAD_BYTES_MAX - head - 2);
    api.add(1, "m", [line.clone(), "l 1".to_owned()].into_iter()).unwrap();
    let commands = seen.lock().unwrap().clone();
    assert_eq!(commands[0].len(), PAYLOAD_BYTES_MAX);
    assert_eq!(commands[1], "add map @1 m <<\nl 1\n\n");
    assert_eq!(commands.len(), 2);
}
