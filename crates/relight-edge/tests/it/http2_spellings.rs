//! INCIDENT 8.1 over HTTP/2, as the program itself asks: on what we print nothing leads past the
//! gate, and what does where a gate looks at what a visitor sent is found and named.

use std::time::{Duration, Instant};

use relight_edge::config::{CANARY_HOST, CANARY_KEY};
use relight_edge::spelling::{
    HTTP2_UNSPOKEN, Spelled, lacks_http2, open_to_nobody, spell_canary, spell_site, without_http2,
};
use relight_edge::{Listener, ProbeTarget};
use relight_model::GateKey;

use crate::support::{Kind, Rig, key, set};
use crate::tls::{HOST, start};

const KINDS: [Kind; 4] = [Kind::Nginx, Kind::Haproxy, Kind::Apache, Kind::Caddy];

/// How HAProxy asks whether a visitor speaks it.
const HTTP2: &str = "fc_http_major 2";

/// Longest time for all spellings at one listener, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the spellings of the site, or of the canary, show at each listener: in plain text, then
/// under TLS.
fn spelled(rig: &Rig, is_canary: bool) -> Vec<Spelled> {
    let canary = GateKey::new(CANARY_KEY).unwrap();
    let canary = ProbeTarget::site(canary, CANARY_HOST.to_owned(), None);
    let site = ProbeTarget::site(key(0), HOST.to_owned(), Some(2));
    let ask = |listener: Listener| {
        let until = Instant::now() + PATIENCE;
        match is_canary {
            true => spell_canary(&listener, &canary, until),
            false => spell_site(&listener, &site, until),
        }
    };
    Listener::all(&rig.target).unwrap().into_iter().map(ask).collect()
}

/// Closes the gates of the site and of the canary.
fn close(rig: &mut Rig, seq: u64) {
    let mut dark = set([0]);
    dark.insert(GateKey::new(CANARY_KEY).unwrap());
    rig.close(seq, &dark);
}

/// Goal: on the configuration that we print no spelling of HTTP/2 or HTTP/1 reaches a dark site,
/// and each proxy is asked in HTTP/2. Method: a site and the canary at both listeners of each
/// proxy; the origin counts.
#[test]
fn no_spelling_that_is_asked_for_leads_past_what_we_print() {
    for kind in KINDS {
        let mut rig = start(kind);
        close(&mut rig, 1);
        let before = rig.origins[0].visitors();
        assert_eq!(spelled(&rig, false), [Spelled::Shut, Spelled::Shut], "{kind:?}");
        assert_eq!(spelled(&rig, true), [Spelled::Shut, Spelled::Shut], "{kind:?}");
        assert_eq!(rig.origins[0].visitors(), before, "{kind:?}");
        assert_eq!(open_to_nobody(&rig.target).unwrap(), [], "{kind:?}");
        assert_eq!(without_http2(&rig.target).unwrap(), [], "{kind:?}");
        let lacks: Vec<bool> =
            Listener::all(&rig.target).unwrap().iter().map(lacks_http2).collect();
        // HAProxy takes the beginning of it in plain text as well.
        assert_eq!(lacks, [kind != Kind::Haproxy, false], "{kind:?}");
    }
}

/// Goal: a spelling that leads past the gate over HTTP/2 alone is found and named, of a site and of
/// the canary. Method: gates that let visitors in who write a capital in `:authority`.
#[test]
fn a_gate_that_looks_at_the_authority_is_found() {
    for kind in KINDS {
        let mut rig = start(kind);
        rig.restart_spoiled(match kind {
            Kind::Haproxy => |text| {
                let capital = "req.hdr(host) -m reg [A-Z]";
                let sees = format!(
                    "  http-request set-var(txn.x) str(1) if {{ {HTTP2} }} {{ {capital} }}\n"
                );
                let resolve = "  http-request set-var(txn.h)";
                let text = text.replace(resolve, &format!("{sees}{resolve}"));
                let unseen = "!{ so_name verify } !{ var(txn.x) -m found }";
                text.replace("!{ so_name verify }", unseen)
            },
            Kind::Apache => |text| {
                let sent = "\"%{SERVER_PROTOCOL} %{HTTP_HOST}\" \"!^HTTP/2.0 .*[A-Z]\"";
                let cond = "  RewriteCond ${relight_dark:";
                text.replace(cond, &format!("  RewriteCond {sent}\n{cond}"))
            },
            Kind::Caddy => |text| {
                let sent = "{http.request.proto} == 'HTTP/2.0' && \
                            {http.request.host}.matches('[A-Z]')";
                let not = serde_json::json!([{"expression": sent}]);
                text.replace("\"file\": {", &format!("\"not\": {not}, \"file\": {{"))
            },
            _ => |text| {
                let sent = "set $relight_sent \"$server_protocol $http_host\";
  if ($relight_sent ~ \"^HTTP/2.0 .*[A-Z]\") { set $relight_gate \"\"; }";
                let unix = "if ($remote_addr = \"unix:\")";
                text.replace(unix, &format!("{sent}\n  {unix}"))
            },
        });
        close(&mut rig, 1);
        let before = rig.origins[0].visitors();
        for is_canary in [false, true] {
            let all = spelled(&rig, is_canary);
            let place = format!("{}: HTTP/2, upper case: 200", rig.config.listen[1]);
            assert_eq!(all[1], Spelled::Past(place), "{kind:?}, canary: {is_canary}");
            let is_spoken = kind == Kind::Haproxy;
            assert_eq!(all[0] != Spelled::Shut, is_spoken, "{kind:?}, canary: {is_canary}");
        }
        assert!(rig.origins[0].visitors() > before, "{kind:?}");
    }
}

/// Goal: a listener under TLS that does not speak HTTP/2 is named, and what is known of it is what
/// HTTP/1 shows. Method: proxies that are told not to; the origin counts.
#[test]
fn a_listener_that_does_not_speak_http2_is_told() {
    for kind in KINDS {
        let mut rig = start(kind);
        rig.restart_spoiled(match kind {
            Kind::Haproxy => |text| text.replace("alpn h2,http/1.1", "alpn http/1.1"),
            Kind::Apache => |text| text.replace("Protocols h2 http/1.1", "Protocols http/1.1"),
            Kind::Caddy => |text| {
                let servers = "\"tls_connection_policies\": [";
                text.replace(servers, &format!("\"protocols\": [\"h1\"], {servers}"))
            },
            _ => |text| text.replace(" ssl http2", " ssl"),
        });
        close(&mut rig, 1);
        let found = without_http2(&rig.target).unwrap();
        let named: Vec<_> = found.iter().map(|it| (it.code, it.place.clone())).collect();
        let listener = rig.config.listen[1].to_string();
        assert_eq!(named, [(HTTP2_UNSPOKEN, listener)], "{kind:?}");
        for is_canary in [false, true] {
            assert_eq!(spelled(&rig, is_canary)[1], Spelled::Shut, "{kind:?}");
        }
        rig.open(2, &set([]));
        assert!(matches!(&spelled(&rig, false)[1], Spelled::Untold(_)), "{kind:?}: it is open");
    }
}
