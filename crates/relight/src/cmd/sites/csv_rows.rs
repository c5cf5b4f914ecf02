//! A CSV file of sites, row by row: a bad row is told with its line and costs no other.

use csv::{ByteRecord, ReaderBuilder};
use relight_engine::store::SiteRow;
use relight_model::{Criticality, GateKey, SiteExposure, SitePart};
use relight_server::told_words::{self, Wrong};

/// Largest file, in bytes: 100,000 rows of the longest fields that make sense.
pub(super) const CSV_BYTES_MAX: u64 = 256 << 20;

/// The columns, in the order of the documentation.
pub(super) const COLUMNS: [&str; 14] = [
    "slug",
    "name_fr",
    "name_en",
    "origin",
    "organisation",
    "sector",
    "criticality",
    "edge",
    "public",
    "exposure",
    "aliases",
    "parts",
    "channel_fr",
    "channel_en",
];

/// The place of `exposure` in [`COLUMNS`].
const EXPOSURE: usize = 9;

/// The place of `aliases`.
const ALIASES: usize = 10;

/// The place of `parts`.
const PARTS: usize = 11;

/// The places of `channel_fr` and `channel_en`.
const CHANNEL: [usize; 2] = [12, 13];

/// Longest way to reach a service otherwise, in characters: it stands in a row of a list.
const CHANNEL_CHARS_MAX: usize = 200;

/// Columns without which a row says nothing.
const REQUIRED: [&str; 3] = ["slug", "origin", "organisation"];

/// A row, or the whole head, that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadRow {
    /// Line in the file, from 1.
    pub(super) line: usize,
    /// A key of the catalogue.
    pub(super) code: &'static str,
    /// The column or the value that is wrong.
    pub(super) what: String,
}

/// What a file gave.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) good: Vec<SiteRow>,
    pub(super) bad: Vec<BadRow>,
}

/// Reads a whole file: UTF-8 with or without byte-order mark, comma or semicolon.
pub(super) fn read(bytes: &[u8]) -> Rows {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter_of(bytes))
        .flexible(true)
        .has_headers(false)
        .from_reader(bytes);
    let mut rows = Rows::default();
    let mut record = ByteRecord::new();
    let mut columns: Option<Vec<Option<usize>>> = None;
    // Reading from memory cannot fail, and with `flexible` no record is refused by the reader.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        let line = line + blank_lines(bytes, &record);
        match &columns {
            None => match head_of(&record, line, &mut rows.bad) {
                Some(head) => columns = Some(head),
                None => return rows,
            },
            Some(columns) => match row(&record, columns, line) {
                Ok(row) => rows.good.push(row),
                Err(bad) => rows.bad.push(bad),
            },
        }
    }
    if columns.is_none() {
        rows.bad.push(BadRow { line: 1, code: "csv-empty", what: String::new() });
    }
    rows
}

/// What stands more often in the first line: `;` or `,`.
fn delimiter_of(bytes: &[u8]) -> u8 {
    let head = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |sign: u8| head.iter().filter(|byte| **byte == sign).count();
    if count(b';') > count(b',') { b';' } else { b',' }
}

/// The reader gives the position before the blank lines that it skips; the row is below them.
fn blank_lines(bytes: &[u8], record: &ByteRecord) -> usize {
    let at = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
    let rest = bytes.get(at..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    blank.filter(|byte| **byte == b'\n').count()
}

/// For each column of the file which of ours it is. A column that we do not know is told and
/// left out; without a required one nothing can be read.
fn head_of(head: &ByteRecord, line: usize, bad: &mut Vec<BadRow>) -> Option<Vec<Option<usize>>> {
    let names: Vec<String> =
        head.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
    let missing: Vec<&str> =
        REQUIRED.into_iter().filter(|column| !names.iter().any(|name| name == column)).collect();
    if !missing.is_empty() {
        bad.push(BadRow { line, code: "csv-column-missing", what: missing.join(", ") });
        return None;
    }
    let mut columns = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let column = COLUMNS.iter().position(|column| column == name);
        let twice = column.is_some() && names[..at].contains(name);
        if twice || (column.is_none() && !name.is_empty()) {
            let code = if twice { "csv-column-twice" } else { "csv-column-unknown" };
            bad.push(BadRow { line, code, what: name.clone() });
        }
        columns.push(column.filter(|_| !twice));
    }
    Some(columns)
}

fn row(record: &ByteRecord, columns: &[Option<usize>], line: usize) -> Result<SiteRow, BadRow> {
    let bad = |code, what: &str| BadRow { line, code, what: what.to_owned() };
    if record.len() != columns.len() {
        let what = format!("{} / {}", record.len(), columns.len());
        return Err(bad("csv-fields", &what));
    }
    let mut fields = [""; COLUMNS.len()];
    for (field, column) in record.iter().zip(columns) {
        let Some(column) = column else { continue };
        let text = std::str::from_utf8(field).map_err(|_| bad("csv-utf8", COLUMNS[*column]))?;
        fields[*column] = text.trim();
    }
    let [slug, name_fr, name_en, origin, organisation, sector, criticality, rest @ ..] = fields;
    let [edge, public, exposure, aliases, parts, channel @ ..] = rest;
    let key = GateKey::new(slug).map_err(|_| bad("csv-slug", slug))?;
    let criticality = match criticality {
        "" => Some(Criticality::Normal),
        text => text.parse().ok().and_then(Criticality::from_number),
    }
    .ok_or_else(|| bad("csv-criticality", criticality))?;
    let public = yes_or_no(public).ok_or_else(|| bad("csv-public", public))?;
    let exposure = if columns.contains(&Some(EXPOSURE)) {
        Some(exposure_of(exposure).ok_or_else(|| bad("csv-exposure", exposure))?)
    } else {
        None
    };
    // Names with blanks between them, so that neither kind of separator tears them apart.
    let names = || aliases.split_ascii_whitespace().map(str::to_owned).collect();
    let aliases = columns.contains(&Some(ALIASES)).then(names);
    let parts = columns.contains(&Some(PARTS)).then(|| parts_of(parts));
    let parts = parts.transpose().map_err(|word| bad("csv-part", word))?;
    if let Some((code, what)) = channel.into_iter().find_map(unfit_channel) {
        return Err(bad(code, &what));
    }
    let [channel_fr, channel_en] =
        [0, 1].map(|at| columns.contains(&Some(CHANNEL[at])).then(|| channel[at].to_owned()));
    let or_slug = |name: &str| if name.is_empty() { slug } else { name }.to_owned();
    Ok(SiteRow {
        line,
        slug: key,
        name_fr: or_slug(name_fr),
        name_en: or_slug(name_en),
        origin: origin.to_owned(),
        aliases,
        parts,
        organisation: organisation.to_owned(),
        sector: sector.to_owned(),
        criticality,
        exposure,
        edge: edge.to_owned(),
        public,
        channel_fr,
        channel_en,
    })
}

/// Why a way to reach a service otherwise is not for the public page, beside a service that is
/// dark: it is no short line, hides signs in it, or says what no visitor is told there.
fn unfit_channel(text: &str) -> Option<(&'static str, String)> {
    let is_odd = |sign: char| sign.is_control() || is_format(sign);
    if text.chars().any(is_odd) || text.chars().count() > CHANNEL_CHARS_MAX {
        return Some(("csv-channel", text.chars().take(40).filter(|it| !is_odd(*it)).collect()));
    }
    let (Wrong::NamesFlaw(word) | Wrong::AboutData(word)) = told_words::wrong(&[text], false)?;
    Some(("csv-channel-words", word))
}

/// Signs that are not seen, or change how those around them are read: format characters and
/// separators of lines.
pub(crate) fn is_format(sign: char) -> bool {
    matches!(
        sign,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Parts with blanks between them.
fn parts_of(cell: &str) -> Result<Vec<SitePart>, &str> {
    let part = |word| SitePart::parse(word).map_err(|_| word);
    cell.split_ascii_whitespace().map(part).collect()
}

/// As spreadsheets in either language write it; empty is yes, the default of the register.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "" | "true" | "yes" | "1" | "oui" | "vrai" => Some(true),
        "false" | "no" | "0" | "non" | "faux" => Some(false),
        _ => None,
    }
}

/// As people write it in either language; an empty cell says that nobody knows.
fn exposure_of(text: &str) -> Option<SiteExposure> {
    match text.to_lowercase().as_str() {
        "" | "inconnue" => Some(SiteExposure::Unknown),
        "contrôlée" | "controlee" => Some(SiteExposure::Controlled),
        "interne" => Some(SiteExposure::Internal),
        name => SiteExposure::parse(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public";

    fn codes(rows: &Rows) -> Vec<(usize, &'static str, &str)> {
        rows.bad.iter().map(|bad| (bad.line, bad.code, bad.what.as_str())).collect()
    }

    #[test]
    fn either_sign_with_or_without_mark_in_any_order() {
        let comma =
            format!("{HEAD}\nsan-005,Clinique,Clinic,https://c.qc,Santé,health,2,north,no\n");
        let semicolon = "\u{feff}\
            PUBLIC;slug;organisation;origin;name_fr;name_en;sector;criticality;edge\r\n\
            non;san-005;Santé;https://c.qc;Clinique;Clinic;health;2;north\r\n";
        let [a, b] = [comma.as_bytes(), semicolon.as_bytes()].map(read);
        assert_eq!(codes(&a), []);
        assert_eq!(codes(&b), []);
        assert_eq!(a.good, b.good);
        assert_eq!((a.good[0].line, a.good[0].public), (2, false));
    }

    #[test]
    fn a_bad_row_costs_no_other() {
        let text = format!(
            "{HEAD}\n\na,,,a.qc,O,s,,,\n-b,,,b.qc,O,s,1,,\nc,,,c.qc,O,s,9,,\n\
             d,,,d.qc,O,s,1,,perhaps\ne,x\n\"f\",\"two\nlines\",,f.qc,O,s,1,,\ng,,,g.qc,O,s,1,,\n"
        );
        let mut bytes = text.into_bytes();
        bytes.extend(b"h,\xe9t\xe9,,h.qc,O,s,1,,\ni,,,i.qc,O,s,1,,");
        let rows = read(&bytes);
        let good: Vec<_> = rows.good.iter().map(|row| (row.line, row.slug.as_str())).collect();
        assert_eq!(good, [(3, "a"), (8, "f"), (10, "g"), (12, "i")]);
        assert_eq!(
            codes(&rows),
            [
                (4, "csv-slug", "-b"),
                (5, "csv-criticality", "9"),
                (6, "csv-public", "perhaps"),
                (7, "csv-fields", "2 / 9"),
                (11, "csv-utf8", "name_fr"),
            ]
        );
        assert_eq!(rows.good[0].name_fr, "a");
        assert_eq!(rows.good[0].criticality, Criticality::Normal);
    }

    #[test]
    fn other_names_stand_in_one_cell_with_blanks_between_them() {
        let of = |cell: &str| {
            let text = format!("{HEAD},aliases\na,,,a.qc,O,s,,,,{cell}\n");
            read(text.as_bytes()).good[0].aliases.clone().map(|names| names.join("|"))
        };
        assert_eq!(of("www.a.qc  old.a.qc ").as_deref(), Some("www.a.qc|old.a.qc"));
        assert_eq!(of("").as_deref(), Some(""), "an empty cell says that there are none");
        let silent = read(format!("{HEAD}\na,,,a.qc,O,s,,,\n").as_bytes());
        assert_eq!(silent.good[0].aliases, None);
    }

    #[test]
    fn parts_stand_in_one_cell_and_a_bad_one_is_told() {
        let of = |cell: &str| read(format!("{HEAD},parts\na,,,a.qc,O,s,,,,{cell}\n").as_bytes());
        let parts = |rows: &Rows| {
            let parts = rows.good[0].parts.as_deref().unwrap_or_default();
            parts.iter().map(SitePart::to_string).collect::<Vec<_>>().join("|")
        };
        let rows = of("booking=/booking @write  @internet");
        assert_eq!(parts(&rows), "booking=/booking|@write|@internet");
        assert_eq!(
            of("").good[0].parts,
            Some(Vec::new()),
            "an empty cell says that there are none"
        );
        let silent = read(format!("{HEAD}\na,,,a.qc,O,s,,,\n").as_bytes());
        assert_eq!(silent.good[0].parts, None);
        let bad = of("@write booking=/../x");
        assert_eq!((bad.good.len(), codes(&bad)), (0, vec![(2, "csv-part", "booking=/../x")]));
    }

    #[test]
    fn how_else_a_service_is_reached_is_one_short_line() {
        let of = |head: &str, cells: &str| {
            read(format!("{HEAD},{head}\na,,,a.qc,O,s,,,,{cells}\n").as_bytes())
        };
        let channel = |rows: &Rows| {
            let row = rows.good[0].clone();
            [row.channel_fr, row.channel_en]
        };
        let both = of("channel_fr,channel_en", "Téléphone,Counter");
        assert_eq!(channel(&both), ["Téléphone", "Counter"].map(|it| Some(it.into())));
        let one = of("channel_en", "Counter");
        assert_eq!(channel(&one), [None, Some("Counter".into())], "the other one stays");
        assert_eq!(channel(&of("edge2", "x")), [None, None], "a file that says nothing leaves it");
        let turned = "Call \u{202e}0010-555".to_owned();
        for bad in ["\"two\nlines\"".to_owned(), "é".repeat(201), turned, "a\u{200b}b".into()] {
            let rows = of("channel_fr", &bad);
            assert_eq!((rows.good.len(), rows.bad[0].code), (0, "csv-channel"), "{bad}");
        }
        assert_eq!(of("channel_fr", &"é".repeat(200)).good.len(), 1);
        let flaw = of("channel_fr", "vulnérable à Log4Shell: appelez le 311");
        assert_eq!(
            (flaw.good.len(), codes(&flaw)),
            (0, vec![(2, "csv-channel-words", "Log4Shell")])
        );
        let data = of("channel_en", "hacked - call 311");
        assert_eq!((data.good.len(), codes(&data)), (0, vec![(2, "csv-channel-words", "hacked")]));
    }

    #[test]
    fn exposure_is_said_by_its_column_only() {
        let of = |cell: &str| {
            let text = format!("{HEAD},Exposure\na,,,a.qc,O,s,,,,{cell}\n");
            read(text.as_bytes()).good.first().map(|row| row.exposure)
        };
        assert_eq!(of("Internet"), Some(Some(SiteExposure::Internet)));
        assert_eq!(of("contrôlée"), Some(Some(SiteExposure::Controlled)));
        assert_eq!(of("internal"), Some(Some(SiteExposure::Internal)));
        assert_eq!(of(""), Some(Some(SiteExposure::Unknown)));
        assert_eq!(of("public"), None, "refused, not taken for another one");
        let silent = read(format!("{HEAD}\na,,,a.qc,O,s,,,\n").as_bytes());
        assert_eq!(silent.good[0].exposure, None);
        let bad = read(format!("{HEAD},exposure\na,,,a.qc,O,s,,,,moon\n").as_bytes());
        assert_eq!(codes(&bad), [(2, "csv-exposure", "moon")]);
    }

    #[test]
    fn a_head_that_cannot_be_used_says_why() {
        assert_eq!(codes(&read(b"")), [(1, "csv-empty", "")]);
        let missing = read(b"slug;nom\na;b\n");
        assert_eq!(codes(&missing), [(1, "csv-column-missing", "origin, organisation")]);
        let odd = read(b"slug,origin,organisation,colour,slug\na,a.qc,O,red,z\n");
        assert_eq!(odd.good[0].slug.as_str(), "a");
        assert_eq!(
            codes(&odd),
            [(1, "csv-column-unknown", "colour"), (1, "csv-column-twice", "slug")]
        );
    }
}
