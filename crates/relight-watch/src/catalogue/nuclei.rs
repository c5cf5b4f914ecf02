//! Templates of Nuclei that the operator has, to entries that stay on that machine: the requests
//! that a template makes, and what it says about itself. Of YAML just the subset that templates
//! keep to; what is written otherwise is left out and counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::rule::Request;
use crate::path_class::normalised;

/// Largest template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 1 << 20;

/// Paths that say nothing about a product.
const GENERAL: [&str; 8] =
    ["/", "/index.php", "/index.html", "/index.jsp", "/login", "/login.php", "/admin", "/api"];

/// What a template says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NucleiTemplate {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Flaws that it looks for.
    pub cves: Vec<String>,
    /// CPE names of the product.
    pub products: Vec<String>,
    /// Requests, `[METHOD ]/path[?query]`.
    pub requests: Vec<String>,
    /// What the tags say that it looks for.
    pub tags: Vec<String>,
}

/// Reads one template.
///
/// # Errors
/// A stable code: it is too large, or not a template, or makes no request that says something
/// about a product.
pub fn read_nuclei(text: &str) -> Result<NucleiTemplate, &'static str> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err("nuclei-large");
    }
    let (mut template, mut method, mut in_paths) = (NucleiTemplate::default(), "", None);
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if let Some(item) = trimmed.strip_prefix("- ")
            && in_paths.is_some_and(|above| indent >= above)
            && item.contains("{{BaseURL}}")
        {
            template.requests.extend(request(method, plain(item)));
            continue;
        }
        let Some((key, value)) = trimmed.trim_start_matches("- ").split_once(':') else { continue };
        in_paths = (key == "path" && value.trim().is_empty()).then_some(indent);
        let value = plain(value);
        match key {
            "id" if indent == 0 => value.clone_into(&mut template.id),
            "name" if template.name.is_empty() => value.clone_into(&mut template.name),
            "cve-id" => template.cves.extend(list(value).map(str::to_uppercase)),
            "cpe" => template.products.push(value.to_owned()),
            "tags" => template.tags.extend(list(value).map(str::to_owned)),
            "method" => method = value,
            _ => {}
        }
    }
    if template.id.is_empty() {
        return Err("nuclei-no-template");
    }
    if template.requests.is_empty() { Err("nuclei-no-request") } else { Ok(template) }
}

/// A value without quotes.
fn plain(text: &str) -> &str {
    let text = text.trim();
    let quoted = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text)
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// The request without the address; `None` when it is of a kind that every product answers, or
/// holds what is filled in later.
fn request(method: &str, item: &str) -> Option<String> {
    let target = item.split_once("{{BaseURL}}")?.1;
    let path = target.split('?').next().unwrap_or_default().to_lowercase();
    if target.contains("{{") || path.len() < 5 || GENERAL.contains(&path.as_str()) {
        return None;
    }
    Some(if method.is_empty() || method == "GET" {
        target.to_owned()
    } else {
        format!("{method} {target}")
    })
}

/// A file of entries for templates; gives it with the number of entries.
///
/// Imported entries are never of kind `exploit`: what they raise is seen as reconnaissance.
pub fn entries_text(templates: &[NucleiTemplate], since: &str) -> (String, usize) {
    let mut text = String::from("product = \"Nuclei\"\nproducts = []\n");
    let mut rules = BTreeSet::new();
    let mut count = 0;
    for template in templates {
        for (number, example) in template.requests.iter().enumerate() {
            let Some(rule) = rule(example).filter(|rule| rules.insert(rule.clone())) else {
                continue;
            };
            count += 1;
            write_entry(&mut text, template, number, &rule, example, since);
        }
    }
    (text, count)
}

fn rule(example: &str) -> Option<String> {
    let request = Request::parse(example);
    let path = normalised(request.path).to_lowercase();
    let path = path.trim_end_matches('/');
    let mut rule = format!("exact = {}", quoted(path));
    // Something of the query by which it is known; what is escaped differs from log to log.
    let query = crate::decode::decoded(request.query).to_lowercase();
    match query.len() {
        0 => {}
        1..4 => return None,
        _ => {
            let _ = write!(rule, ", query = {}", quoted(&query));
        }
    }
    if !request.method.is_empty() {
        let _ = write!(rule, ", method = {}", quoted(request.method));
    }
    (path.len() >= 4).then_some(rule)
}

fn write_entry(
    text: &mut String,
    template: &NucleiTemplate,
    number: usize,
    rule: &str,
    example: &str,
    since: &str,
) {
    let has = |tag: &str| template.tags.iter().any(|it| it == tag);
    let kind = match () {
        () if has("panel") || has("tech") => "presence",
        () if has("detect") => "version",
        () => "exposure",
    };
    let cves: Vec<String> = template.cves.iter().map(|cve| quoted(cve)).collect();
    let id = format!("nuclei-{}-{}", letters(&template.id), letters_of(number));
    let name = quoted(&template.name);
    let _ = write!(
        text,
        "\n[[entry]]\nid = \"{id}\"\nkind = \"{kind}\"\nfr = {name}\nen = {name}\n\
         match = {{ {rule} }}\ncves = [{}]\nattack = [\"T1595.002\"]\n\
         reference = \"https://github.com/projectdiscovery/nuclei-templates\"\n\
         since = \"{since}\"\nhit = {}\nmiss = \"/\"\n",
        cves.join(", "),
        quoted(example)
    );
}

/// Ids may not differ in numbers only, so digits become letters.
fn letters(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' => char::from(b'a' + (byte - b'0')),
        byte if byte.is_ascii_alphabetic() => char::from(byte.to_ascii_lowercase()),
        _ => '-',
    };
    text.bytes().map(letter).take(48).collect()
}

fn letters_of(number: usize) -> String {
    letters(&number.to_string())
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
