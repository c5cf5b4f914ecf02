//! `relight public export`: the public page as files, from the register as it is; `public serve`
//! serves such a folder without a console, so that the page lives when nothing else does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use relight_engine::board_of;
use relight_engine::store::Store;
use relight_server::web::views::Theme;
use relight_server::web::{Lang, texts};
use relight_server::{PublicFolder, ServerError, Signer, WebServer, export_public};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::plain::Plain;
use crate::report::Report;
use crate::stage;
use crate::stop::stop_on_interrupt;

/// The folder of the page inside of the data folder.
pub(crate) const PUBLIC_FOLDER: &str = "public";

/// The key that signs certificates, inside of the data folder.
pub(crate) const CERTIFICATE_KEY: &str = "certificate-key";

/// Where the register keeps the languages in which the page was last written.
const LANGUAGES_META: &str = "public-languages";

/// Address in feeds and certificates when nobody says another one.
const URL_DEFAULT: &str = "http://localhost/";

/// How soon a signal ends it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What to do with the public page.
#[derive(Debug, Args)]
pub(crate) struct Public {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Export(Export),
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Export {
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_name = "URL", default_value = URL_DEFAULT)]
    url: String,
    #[arg(long, value_name = "THEME", default_value = "neutral", value_parser = theme_names())]
    theme: String,
    #[command(flatten)]
    languages: Languages,
}

/// In which languages the public page is.
#[derive(Debug, Args)]
pub(crate) struct Languages {
    #[arg(long, value_name = "LANGUAGES", default_value = "fr", value_parser = language_names())]
    languages: String,
}

impl Languages {
    /// The languages, the first one first.
    pub(crate) fn all(&self) -> Vec<Lang> {
        languages_of(&self.languages)
    }

    /// Keeps them in the register: words that are published from the command line go by them. A
    /// disk without room keeps no page from being written.
    pub(crate) fn keep(&self, context: &Context, store: &Store, report: &mut Report) {
        let kept = store.meta_get(LANGUAGES_META).and_then(|known| {
            let is_known = known.as_ref() == Some(&self.languages);
            if is_known { Ok(()) } else { store.meta_put(LANGUAGES_META, &self.languages) }
        });
        if let Err(error) = kept {
            report.fail(&context.store_failure(&error));
        }
    }
}

/// Whether the public page was last written in a language; it was not where nobody wrote one.
pub(crate) fn is_published_in(
    lang: Lang,
    context: &Context,
    store: &Store,
) -> Result<bool, Failure> {
    let known = store.meta_get(LANGUAGES_META).map_err(|error| context.store_failure(&error))?;
    Ok(known.is_some_and(|known| known.split(',').any(|tag| Lang::parse(tag) == Some(lang))))
}

/// The languages of a list of tags, in its order.
pub(crate) fn languages_of(list: &str) -> Vec<Lang> {
    list.split(',').filter_map(Lang::parse).collect()
}

/// French is always one of them; which stands first is the operator's choice.
pub(crate) fn language_names() -> PossibleValuesParser {
    PossibleValuesParser::new(["fr", "fr,en", "en,fr"])
}

#[derive(Debug, Args)]
struct Serve {
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8421")]
    listen: SocketAddr,
    #[command(flatten)]
    plain: Plain,
}

#[derive(Serialize)]
struct ExportDocument {
    folder: String,
    files: usize,
}

#[derive(Serialize)]
struct ServeDocument {
    public: String,
    folder: String,
}

impl Public {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Export(export) => export.run(context, report),
            Action::Serve(serve) => serve.run(context, report),
        }
    }
}

impl Export {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let stage = stage::told(context, &store, report)?;
        self.languages.keep(context, &store, report);
        let board = board_of(&store).map_err(|error| Failure::engine(lang, &error))?;
        let root = self.folder.unwrap_or_else(|| context.data.join(PUBLIC_FOLDER));
        let failed = |error: ServerError| cannot_write(lang, &root, &error);
        let signer = Signer::load_or_create(&context.secret(CERTIFICATE_KEY)).map_err(failed)?;
        let folder = PublicFolder::open(&root).map_err(failed)?;
        let current = folder.current().display().to_string();
        let url = with_slash(self.url);
        let look = (stage, Theme::parse(&self.theme).unwrap_or_default());
        let files = export_public(board, self.languages.all(), url, look, signer, folder)
            .map_err(failed)?;
        if context.json {
            let document = ExportDocument { folder: current, files };
            report.document("relight.public-export/1", &document);
        } else {
            report.line(&texts::public_exported(lang, files, &current));
        }
        Ok(())
    }
}

/// The names of the themes, as values of an option.
pub(crate) fn theme_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Theme::ALL.map(Theme::as_str))
}

/// A URL to which a path can be added.
pub(crate) fn with_slash(url: String) -> String {
    if url.ends_with('/') { url } else { format!("{url}/") }
}

fn cannot_write(lang: Lang, root: &Path, error: &ServerError) -> Failure {
    Failure::new(texts::public_cannot_write(lang, &root.display().to_string()))
        .because(lang, error)
        .hint(texts::public_cannot_write_remedy(lang))
}

impl Serve {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        self.plain.check(std::iter::once(self.listen), lang)?;
        let folder = self.folder.unwrap_or_else(|| context.data.join(PUBLIC_FOLDER));
        let current = PublicFolder::current_of(&folder);
        let shown = current.display().to_string();
        if !current.join("index.html").is_file() {
            return Err(Failure::new(texts::public_nothing_there(lang, &shown))
                .hint(texts::public_nothing_there_remedy(lang)));
        }
        let stop = stop_on_interrupt();
        let served = WebServer::public_only(current, self.listen).map_err(|error| {
            Failure::new(texts::serve_cannot_listen(lang, &self.listen.to_string()))
                .because(lang, &error)
                .hint(texts::public_cannot_listen_remedy(lang))
        })?;
        let address = format!("http://{}/", served.address());
        if context.json {
            let document = ServeDocument { public: address, folder: shown };
            report.document_line("relight.public-serve/1", &document);
        } else {
            report.line(&texts::serve_public(lang, &address));
        }
        report.flush();
        while !stop.load(Ordering::Relaxed) {
            // The listener has threads of its own; this one waits for the signal.
            thread::sleep(LOOK_EVERY);
        }
        served.stop();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_can_be_added_to_an_address() {
        assert_eq!(with_slash("https://etat.example".into()), "https://etat.example/");
        assert_eq!(with_slash(URL_DEFAULT.into()), URL_DEFAULT);
    }
}
