//! `relight config show`: what is set, and by whom.

use clap::{Args, Subcommand};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::settings::{Kind, Origin, all_keys};
use crate::table::{Align, Table};

/// What to do with the configuration.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(Show),
}

#[derive(Debug, Args)]
struct Show {
    #[arg(long)]
    origin: bool,
}

#[derive(Serialize)]
struct Document {
    keys: Vec<Row>,
    /// The files that were read, the weakest first.
    files: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    key: String,
    /// Null where nothing is set and there is no default.
    value: Option<String>,
    origin: &'static str,
    file: Option<String>,
    line: Option<usize>,
    variable: Option<String>,
}

impl Config {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Action::Show(show) = self.action;
        let rows: Vec<Row> = all_keys()
            .iter()
            .map(|key| {
                let setting = context.settings.values.get(&key.name);
                let words = setting.map_or(&key.default, |it| &it.words);
                let value = match (key.kind, words.is_empty()) {
                    (Kind::List, false) => Some(words.join(", ")),
                    (Kind::Flag, true) => Some("false".to_owned()),
                    (_, true) if key.name == "data" => Some(context.data.display().to_string()),
                    _ => words.first().cloned(),
                };
                row(key.name.clone(), value, setting.map(|it| &it.origin))
            })
            .collect();
        if context.json {
            let files = context.settings.files.iter().map(|path| path.display().to_string());
            report.document("relight.config/1", &Document { keys: rows, files: files.collect() });
            return Ok(());
        }
        tell(&rows, show.origin, context, report);
        Ok(())
    }
}

fn row(key: String, value: Option<String>, origin: Option<&Origin>) -> Row {
    let (mut file, mut line, mut variable) = (None, None, None);
    let origin = match origin {
        None => "default",
        Some(Origin::Option) => "option",
        Some(Origin::Variable(name)) => {
            variable = Some(name.clone());
            "variable"
        }
        Some(Origin::File(path, at)) => {
            (file, line) = (Some(path.display().to_string()), Some(*at));
            "file"
        }
    };
    Row { key, value, origin, file, line, variable }
}

fn tell(rows: &[Row], with_origin: bool, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let mut columns =
        vec![(texts::config_key(lang), Align::Left), (texts::config_value(lang), Align::Left)];
    if with_origin {
        columns.push((texts::config_origin(lang), Align::Left));
    }
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = vec![row.key.clone(), row.value.clone().unwrap_or_else(|| "—".to_owned())];
        if with_origin {
            let place = match (&row.file, row.line) {
                (Some(file), Some(line)) => Some(format!("{file}:{line}")),
                _ => row.variable.clone(),
            };
            let word = match row.origin {
                "option" => texts::settings_option(lang),
                _ => texts::settings_default(lang),
            };
            cells.push(place.unwrap_or_else(|| word.to_owned()));
        }
        table.row(cells);
    }
    table.print(report);
}
