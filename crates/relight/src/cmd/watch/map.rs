//! `relight watch map`: how many doors were tried in which sector, week by week.

use clap::Args;
use relight_engine::watch::Heat;
use relight_engine::{HeatMap, HeatRow, MAP_WEEKS_MAX, heat_map};
use relight_model::Timestamp;
use relight_server::web::campaign::not_judged;
use relight_server::web::number::{self, date};
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// What stands where no log was heard.
const UNHEARD: &str = "-";

/// Counts below this do not leave the house: who reads them may know of whom they tell.
const PUBLISHED_MIN: u64 = 3;

#[derive(Debug, Args)]
pub(super) struct Map {
    #[arg(long, value_name = "N", default_value_t = 12,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MAP_WEEKS_MAX)))]
    weeks: u16,
    #[arg(long, value_name = "26w", value_parser = weeks, conflicts_with = "weeks")]
    since: Option<u16>,
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = end_of_day)]
    until: Option<Timestamp>,
    #[arg(long)]
    published: bool,
}

#[derive(Serialize)]
struct Document {
    weeks: Vec<String>,
    sectors: Vec<Row>,
    sources_kept: f64,
}

#[derive(Serialize)]
struct Row {
    sector: String,
    sites: usize,
    weeks: Vec<Option<Cell>>,
}

/// Where a count is kept back, nothing stands.
#[derive(Serialize)]
struct Cell {
    contacts: Option<u64>,
    probes: Option<u64>,
    attempts: Option<u64>,
    sources: Option<u64>,
}

/// A count that may be shown; of a published map, none of one or two.
fn shown(count: u64, published: bool) -> Option<u64> {
    (!published || count == 0 || count >= PUBLISHED_MIN).then_some(count)
}

/// Weeks back, as `--since` says them elsewhere.
fn weeks(text: &str) -> Result<u16, &'static str> {
    let weeks = text.strip_suffix('w').and_then(|weeks| weeks.parse().ok());
    weeks.filter(|weeks| (1..=MAP_WEEKS_MAX).contains(weeks)).ok_or("26w")
}

/// The last second of a day.
fn end_of_day(text: &str) -> Result<Timestamp, &'static str> {
    number::day(text).map(|day| day * 86_400 + 86_399).ok_or("YYYY-MM-DD")
}

impl Map {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let until = self.until.unwrap_or_else(|| context.now());
        let map = heat_map(&store, self.since.unwrap_or(self.weeks), until);
        let map = map.map_err(|error| Failure::engine(lang, &error))?;
        if let Some(text) = not_judged(lang, map.sources_kept) {
            report.warn("watch", &text, texts::not_judged_remedy(lang));
        }
        if context.json {
            report.document("relight.heat/1", &document(map, self.published));
        } else {
            table(&map, self.published, lang).iter().for_each(|line| report.line(line));
            report.line(texts::map_legend(lang));
            if self.published {
                report.line(&texts::map_few(lang, PUBLISHED_MIN));
            }
        }
        Ok(())
    }
}

fn document(map: HeatMap, published: bool) -> Document {
    let shown = |count| shown(count, published);
    let cell = |heat: Heat| Cell {
        contacts: shown(heat.contacts),
        probes: shown(heat.probes),
        attempts: shown(heat.attempts),
        sources: shown(heat.sources),
    };
    let row = |row: HeatRow| Row {
        sector: row.sector,
        sites: row.sites,
        weeks: row.weeks.into_iter().map(|heat| heat.map(cell)).collect(),
    };
    Document {
        weeks: map.mondays.iter().map(|day| date(*day)).collect(),
        sectors: map.rows.into_iter().map(row).collect(),
        sources_kept: map.sources_kept,
    }
}

/// A head and a line a sector, in columns.
fn table(map: &HeatMap, published: bool, lang: Lang) -> Vec<String> {
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(map.mondays.iter().map(|day| date(*day)[5..].to_owned()));
    for row in &map.rows {
        let name = match row.sector.as_str() {
            "" => texts::map_no_sector(lang),
            code => words::sector(lang, code),
        };
        let number = |heat: &Option<Heat>| {
            let count = |heat: Heat| shown(heat.contacts, published);
            let few = || format!("<{PUBLISHED_MIN}");
            let told = |heat| count(heat).map_or_else(few, |count| count.to_string());
            heat.map_or_else(|| UNHEARD.to_owned(), told)
        };
        let mut line = vec![name.to_owned()];
        line.extend(row.weeks.iter().map(number));
        lines.push(line);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=map.mondays.len()).map(width).collect();
    let padded = |(at, text): (usize, &String)| match at {
        0 => format!("{text:<width$}", width = widths[0]),
        _ => format!("{text:>width$}", width = widths[at]),
    };
    let line = |line: &Vec<String>| line.iter().enumerate().map(padded).collect::<Vec<_>>();
    lines.iter().map(|it| line(it).join("  ")).collect()
}
