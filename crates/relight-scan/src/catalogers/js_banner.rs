//! Libraries of web pages, by the licence comment in front of their code.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Files that were copied into a site without a package: jQuery and its kind. What the comment says
/// may be older than the code, so it is a possible match at most; packages in `node_modules` say
/// themselves what they are.
pub(super) const PLUGIN: Reader =
    Reader { name: "js_banner", selects: &[Select::Start(".js", "node_modules/")], read };

/// What stands in front of the version at the start of a line of the comment, and the package. A
/// line that ends without a version goes on in the next one.
const BANNERS: [(&str, &str); 44] = [
    ("AngularJS v", "angular"),
    ("Backbone.js ", "backbone"),
    ("Bootstrap v", "bootstrap"),
    ("Chart.js v", "chart.js"),
    ("Chart.js Version: ", "chart.js"),
    ("DOMPurify ", "dompurify"),
    ("DataTables ", "datatables.net"),
    ("Highcharts JS v", "highcharts"),
    ("Highstock JS v", "highcharts"),
    ("Knockout JavaScript library v", "knockout"),
    ("Leaflet ", "leaflet"),
    ("Modernizr v", "modernizr"),
    ("RequireJS ", "requirejs"),
    ("React v", "react"),
    ("React DOM v", "react-dom"),
    ("Select2 ", "select2"),
    ("Socket.IO v", "socket.io-client"),
    ("Swiper ", "swiper"),
    ("TinyMCE version ", "tinymce"),
    ("Underscore.js ", "underscore"),
    ("Video.js ", "video.js"),
    ("Vue.js v", "vue"),
    ("axios v", "axios"),
    ("bootstrap.js v", "bootstrap"),
    ("bootstrap-datepicker.js v", "bootstrap-datepicker"),
    ("handlebars v", "handlebars"),
    ("handlebars.js v", "handlebars"),
    ("https://d3js.org v", "d3"),
    ("jQuery JavaScript Library v", "jquery"),
    ("jQuery Migrate v", "jquery-migrate"),
    ("jQuery Migrate - v", "jquery-migrate"),
    ("jQuery UI - v", "jquery-ui"),
    ("jQuery UI ", "jquery-ui"),
    ("jQuery Validation Plugin v", "jquery-validation"),
    ("jQuery Validation Plugin - v", "jquery-validation"),
    ("jQuery v", "jquery"),
    ("lodash ", "lodash"),
    ("modernizr ", "modernizr"),
    ("moment.js version : ", "moment"),
    ("mustache.js v", "mustache"),
    ("ua-parser-js v", "ua-parser-js"),
    ("vue v", "vue"),
    ("vue.js v", "vue"),
    ("xlsx.js v", "xlsx"),
];

/// Longest version, in bytes.
const VERSION_BYTES_MAX: usize = 32;

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = String::from_utf8_lossy(file.bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Some(comment) = comment(text) else { return };
    let mut before = "";
    for line in comment.lines() {
        let line = words(line);
        let found = library(line).or_else(|| library(&format!("{before} {line}")));
        if let Some((name, version)) = found {
            let purl = Purl::new("generic", "", name, &version);
            return reader::installed(file, purl, Basis::PathString, out);
        }
        before = if line.is_empty() { before } else { line };
    }
}

/// The comment that a file starts with.
fn comment(text: &str) -> Option<&str> {
    if let Some(block) = text.strip_prefix("/*") {
        return Some(block.split_once("*/").map_or(block, |(block, _)| block));
    }
    let lines = text.split_inclusive('\n').take_while(|line| line.starts_with("//"));
    let len: usize = lines.map(str::len).sum();
    (len > 0).then(|| &text[..len])
}

/// A line without what makes it one of a comment.
fn words(line: &str) -> &str {
    let line = line.trim_start_matches(['/', '*', '!', ' ', '\t']).trim_end();
    let mut tagged = ["@license", "@preserve", "@overview"].iter();
    tagged.find_map(|tag| line.strip_prefix(tag)).unwrap_or(line).trim_start()
}

/// The package, and the version behind its name.
fn library(line: &str) -> Option<(&'static str, String)> {
    BANNERS.iter().find_map(|(banner, name)| {
        let rest = line.strip_prefix(banner)?;
        version(rest.strip_prefix('v').unwrap_or(rest)).map(|version| (*name, version))
    })
}

fn version(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let numbers = version.split_once('.').filter(|_| version.len() <= VERSION_BYTES_MAX);
    let is_version = numbers.is_some_and(|(major, rest)| is_number(major) && is_number(rest));
    is_version.then(|| version.to_owned())
}
