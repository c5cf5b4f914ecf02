//! INCIDENT 8.1: 14 spellings of a host as raw bytes; none reaches the origin of a dark site.

use crate::support::{Kind, Rig, set};

/// Spellings that name `site-0`, in front of one origin, or confuse it with `site-1`, in front of
/// the other.
const VARIANTS: [(&str, &str); 14] = [
    ("plain", "GET / HTTP/1.1\r\nHost: site-0.example.qc\r\n\r\n"),
    ("upper case", "GET / HTTP/1.1\r\nHost: SITE-0.EXAMPLE.QC\r\n\r\n"),
    ("port", "GET / HTTP/1.1\r\nHost: site-0.example.qc:8080\r\n\r\n"),
    ("trailing dot", "GET / HTTP/1.1\r\nHost: site-0.example.qc.\r\n\r\n"),
    ("dot and port", "GET / HTTP/1.1\r\nHost: site-0.example.qc.:8080\r\n\r\n"),
    ("absolute form", "GET http://site-0.example.qc/ HTTP/1.1\r\nHost: site-0.example.qc\r\n\r\n"),
    (
        "other host in the URI",
        "GET http://site-1.example.qc/ HTTP/1.1\r\nHost: site-0.example.qc\r\n\r\n",
    ),
    (
        "other host in the header",
        "GET http://site-0.example.qc/ HTTP/1.1\r\nHost: site-1.example.qc\r\n\r\n",
    ),
    ("alias", "GET / HTTP/1.1\r\nHost: www.site-0.example.qc\r\n\r\n"),
    ("unknown host", "GET / HTTP/1.1\r\nHost: nobody.example.qc\r\n\r\n"),
    ("HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: site-1.example.qc\r\nHost: site-0.example.qc\r\n\r\n"),
    ("spaces", "GET / HTTP/1.1\r\nHost:   site-0.example.qc  \r\n\r\n"),
    ("POST", "POST / HTTP/1.1\r\nHost: site-0.example.qc\r\nContent-Length: 2\r\n\r\nab"),
];

/// Names of the variants after which the origin of `site-0` had one more visitor.
fn reaching(rig: &Rig) -> Vec<&'static str> {
    let reaches = |request: &str| {
        let before = rig.origins[0].visitors();
        // A refused spelling may end the connection without an answer; only the origin counts.
        let _ = rig.visitor().exchange(request.as_bytes(), false);
        rig.origins[0].visitors() > before
    };
    VARIANTS.iter().filter(|(_, request)| reaches(request)).map(|(name, _)| *name).collect()
}

#[test]
fn no_spelling_of_a_host_reaches_a_dark_origin() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        let lit = reaching(&rig);
        for name in ["plain", "upper case", "port", "trailing dot", "alias", "POST"] {
            // Caddy knows no name with a dot at its end, which is as safe.
            if kind == Kind::Caddy && name == "trailing dot" {
                continue;
            }
            assert!(lit.contains(&name), "{kind:?}: lit, {name} must work; worked: {lit:?}");
        }
        assert!(!lit.contains(&"unknown host"), "{kind:?}");
        assert!(!lit.contains(&"HTTP/1.0 without a host"), "{kind:?}");
        rig.close(1, &set([0]));
        assert_eq!(reaching(&rig), Vec::<&str>::new(), "{kind:?}");
    }
}
