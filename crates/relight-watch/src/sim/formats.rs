//! One request in the words of each product, as that product escapes it.

use std::fmt::Write as _;

use relight_model::Timestamp;

use super::writer::Request;
use crate::civil;

/// How a site's server writes its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Combined,
    VhostCombined,
    Traefik,
    Haproxy,
    Alb,
    Cloudfront,
    Iis,
    Zeek,
    NginxJson,
    CaddyJson,
    EcsJson,
    OcsfHttp,
    Eve,
    CloudflareJson,
}

impl Product {
    /// Every product.
    pub(super) const ALL: [Self; 14] = [
        Self::Combined,
        Self::VhostCombined,
        Self::Traefik,
        Self::Haproxy,
        Self::Alb,
        Self::Cloudfront,
        Self::Iis,
        Self::Zeek,
        Self::NginxJson,
        Self::CaddyJson,
        Self::EcsJson,
        Self::OcsfHttp,
        Self::Eve,
        Self::CloudflareJson,
    ];

    /// The parser that reads it.
    pub(super) const fn parser(self) -> &'static str {
        match self {
            Self::Combined => "combined",
            Self::VhostCombined => "vhost_combined",
            Self::Traefik => "traefik",
            Self::Haproxy => "haproxy",
            Self::Alb => "aws_alb",
            Self::Cloudfront => "cloudfront",
            Self::Iis => "iis_w3c",
            Self::Zeek => "zeek_http",
            Self::NginxJson => "nginx_json",
            Self::CaddyJson => "caddy_json",
            Self::EcsJson => "ecs_json",
            Self::OcsfHttp => "ocsf_http",
            Self::Eve => "suricata_eve",
            Self::CloudflareJson => "cloudflare_json",
        }
    }

    /// What stands at the beginning of the file.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Cloudfront => {
                "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method \
                 cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query \
                 x-host-header\n"
            }
            Self::Iis => {
                "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: \
                 date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                 cs(User-Agent) cs(Referer) cs-host sc-status time-taken\n"
            }
            Self::Zeek => {
                "#separator \\x09\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\t\
                 id.resp_h\tid.resp_p\ttrans_depth\tmethod\thost\turi\treferrer\tuser_agent\t\
                 response_body_len\tstatus_code\n"
            }
            _ => "",
        }
    }

    /// One line with its end.
    pub(super) fn line(self, host: &str, east: bool, request: &Request<'_>) -> String {
        let line = match self {
            Self::Combined | Self::VhostCombined | Self::Traefik => {
                self.clf_line(host, east, request)
            }
            Self::Haproxy => haproxy(host, request),
            Self::Alb => alb(host, request),
            Self::Cloudfront => cloudfront(host, request),
            Self::Iis => iis(host, request),
            Self::Zeek => zeek(host, request),
            _ => self.json_line(host, request),
        };
        line + "\n"
    }

    fn clf_line(self, host: &str, east: bool, request: &Request<'_>) -> String {
        let Request { source, method, target, status, bytes, referer, agent, .. } = request;
        let stamp = clf(request.at, east);
        let line = format!(
            "{source} - - [{stamp}] \"{method} {target} HTTP/1.1\" {status} {bytes} \
             \"{referer}\" \"{agent}\""
        );
        match self {
            Self::VhostCombined => format!("{host}:443 {line}"),
            Self::Traefik => format!("{line} 7 \"web@file\" \"http://10.0.0.2:8080\" 3ms"),
            _ => line,
        }
    }

    fn json_line(self, host: &str, request: &Request<'_>) -> String {
        let Request { at, source, method, target, status, bytes, .. } = request;
        let [target, referer, agent] =
            [target, &request.referer, &request.agent].map(|it| json(it));
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let time = iso(*at);
        match self {
            Self::CaddyJson => format!(
                "{{\"level\":\"info\",\"ts\":{at}.25,\"msg\":\"handled request\",\"request\":{{\
                 \"remote_ip\":\"{source}\",\"method\":\"{method}\",\"host\":\"{host}\",\"uri\":\
                 \"{target}\",\"headers\":{{\"User-Agent\":[\"{agent}\"],\"Referer\":\
                 [\"{referer}\"]\
                 }}}},\"size\":{bytes},\"status\":{status}}}"
            ),
            Self::EcsJson => format!(
                "{{\"@timestamp\":\"{time}\",\"source\":{{\"ip\":\"{source}\"}},\"url\":{{\
                 \"domain\":\"{host}\",\"path\":\"{path}\",\"query\":\"{query}\"}},\"http\":{{\
                 \"request\":{{\"method\":\"{method}\",\"referrer\":\"{referer}\"}},\"response\":{{\
                 \"status_code\":{status},\"bytes\":{bytes}}}}},\"user_agent\":{{\"original\":\
                 \"{agent}\"}}}}"
            ),
            Self::OcsfHttp => format!(
                "{{\"class_uid\":4002,\"time\":{at}000,\"src_endpoint\":{{\"ip\":\"{source}\"}},\
                 \"http_request\":{{\"http_method\":\"{method}\",\"url\":{{\"hostname\":\"{host}\",\
                 \"path\":\"{path}\",\"query_string\":\"{query}\"}},\"user_agent\":\"{agent}\",\
                 \"referrer\":\"{referer}\"}},\"http_response\":{{\"code\":{status}}}}}"
            ),
            Self::Eve => format!(
                "{{\"timestamp\":\"{time}\",\"event_type\":\"http\",\"src_ip\":\"{source}\",\
                 \"dest_ip\":\"10.0.0.2\",\"dest_port\":80,\"proto\":\"TCP\",\"http\":{{\
                 \"hostname\":\"{host}\",\"url\":\"{target}\",\"http_user_agent\":\"{agent}\",\
                 \"http_refer\":\
                 \"{referer}\",\"http_method\":\"{method}\",\"status\":{status},\
                 \"length\":{bytes}}}}}"
            ),
            Self::CloudflareJson => format!(
                "{{\"EdgeStartTimestamp\":\"{time}\",\"ClientIP\":\"{source}\",\
                 \"ClientRequestHost\":\"{host}\",\"ClientRequestMethod\":\"{method}\",\
                 \"ClientRequestURI\":\"{target}\",\"ClientRequestUserAgent\":\"{agent}\",\
                 \"ClientRequestReferer\":\"{referer}\",\"EdgeResponseStatus\":{status},\
                 \"EdgeResponseBytes\":{bytes}}}"
            ),
            _ => format!(
                "{{\"time_iso8601\":\"{time}\",\"remote_addr\":\"{source}\",\"host\":\"{host}\",\
                 \"request\":\"{method} {target} HTTP/1.1\",\"status\":{status},\
                 \"body_bytes_sent\":{bytes},\"http_referer\":\"{referer}\",\"http_user_agent\":\
                 \"{agent}\"}}"
            ),
        }
    }
}

fn haproxy(host: &str, request: &Request<'_>) -> String {
    let Request { at, source, method, target, status, bytes, agent, .. } = request;
    let (stamp, target, agent) = (clf(*at, false), hash(target), hash(agent));
    let stamp = stamp.trim_end_matches(" +0000");
    format!(
        "<134>1 {} lb haproxy 312 - - {source}:40123 [{stamp}.123] www~ app/srv1 0/0/1/12/13 \
         {status} {bytes} - - ---- 2/2/0/0/0 0/0 {{{host}|{agent}}} \"{method} {target} HTTP/1.1\"",
        iso(*at)
    )
}

fn alb(host: &str, request: &Request<'_>) -> String {
    let Request { at, source, method, target, status, bytes, agent, .. } = request;
    format!(
        "https {} app/lb/50dc6c495c0c9188 {source}:40123 10.0.0.2:80 0.000 0.012 0.000 {status} \
         {status} 310 {bytes} \"{method} https://{host}:443{target} HTTP/1.1\" \"{agent}\" - - - \
         \"-\" \"{host}\"",
        iso(*at)
    )
}

fn cloudfront(host: &str, request: &Request<'_>) -> String {
    let Request { at, source, method, target, status, bytes, referer, agent } = request;
    let (path, query) = target.split_once('?').unwrap_or((target, "-"));
    let [path, query, referer, agent] = [path, query, referer, agent].map(percent);
    let (day, clock) = date_and_clock(*at);
    format!(
        "{day}\t{clock}\tYUL62-C1\t{bytes}\t{source}\t{method}\td1.cloudfront.net\t{path}\t\
         {status}\t{referer}\t{agent}\t{query}\t{host}"
    )
}

fn iis(host: &str, request: &Request<'_>) -> String {
    let Request { at, source, method, target, status, referer, agent, .. } = request;
    let (path, query) = target.split_once('?').unwrap_or((target, "-"));
    let [path, query, referer, agent] =
        [path, query, referer, agent].map(|text| text.replace(' ', "+"));
    let (day, clock) = date_and_clock(*at);
    format!(
        "{day} {clock} 10.0.0.2 {method} {path} {query} 443 - {source} {agent} {referer} {host} \
         {status} 13"
    )
}

fn zeek(host: &str, request: &Request<'_>) -> String {
    let Request { at, source, method, target, status, bytes, referer, agent } = request;
    format!(
        "{at}.250000\tC1\t{source}\t40123\t10.0.0.2\t80\t1\t{method}\t{host}\t{target}\t{referer}\t\
         {agent}\t{bytes}\t{status}"
    )
}

/// `10/Dec/2021:02:05:58 +0000`; in the east of the country five hours earlier.
pub(super) fn clf(at: Timestamp, east: bool) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (offset, zone) = if east { (-18_000, "-0500") } else { (0, "+0000") };
    let (year, month, day) = civil::date(at + offset);
    let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
    let (_, clock) = date_and_clock(at + offset);
    format!("{day:02}/{}/{year:04}:{clock} {zone}", month.unwrap_or(&"Jan"))
}

fn date_and_clock(at: Timestamp) -> (String, String) {
    let second = at.rem_euclid(civil::DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (civil::day(at), format!("{hour:02}:{minute:02}:{second:02}"))
}

fn iso(at: Timestamp) -> String {
    let (day, clock) = date_and_clock(at);
    format!("{day}T{clock}.250Z")
}

/// Inside a JSON string; a dash, which stands for nothing elsewhere, is left out.
fn json(text: &str) -> String {
    if text == "-" { String::new() } else { text.replace('\\', "\\\\").replace('"', "\\\"") }
}

fn percent(text: &str) -> String {
    encoded(text, '%', |byte| byte.is_ascii_alphanumeric() || b"/-_.~:".contains(&byte))
}

fn hash(text: &str) -> String {
    encoded(text, '#', |byte| byte.is_ascii_graphic() && !b"\"{}|#".contains(&byte) || byte == b' ')
}

fn encoded(text: &str, sign: char, keeps: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keeps(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "{sign}{byte:02X}");
        }
    }
    out
}
