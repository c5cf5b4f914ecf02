//! `relight watch catalogue`: the doors that are known, those of the operator among them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use relight_engine::watch::catalogue::{
    CATALOGUE_BYTES_MAX, CatalogueFault, Entry, NucleiTemplate, add_local, entries, entries_text,
    left_out, read_entries, read_nuclei,
};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::{Exit, Report, Style};

/// The folder of the operator's own entries inside the data folder.
const LOCAL_FOLDER: &str = "catalogue";

/// Templates that are read of one folder, those of its folders included.
const TEMPLATES_MAX: usize = 50_000;

/// Deepest folder below the one that is imported.
const DEPTH_MAX: usize = 16;

#[derive(Debug, Args)]
pub(super) struct Catalogue {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(List),
    Check(Check),
    Import(Import),
}

#[derive(Debug, Args)]
struct List {
    #[arg(value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
}

#[derive(Debug, Args)]
struct Check {
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct Import {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Serialize)]
struct CatalogueDocument<'a> {
    entries: Vec<EntryRow<'a>>,
}

#[derive(Serialize)]
struct EntryRow<'a> {
    id: &'a str,
    kind: &'static str,
    product: &'a str,
    title_fr: &'a str,
    title_en: &'a str,
    products: &'a [String],
    cves: &'a [String],
    attack: &'a [String],
    reference: &'a str,
    since: &'a str,
    local: bool,
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    entries: usize,
    faults: Vec<FaultRow<'a>>,
}

#[derive(Serialize)]
struct FaultRow<'a> {
    file: &'a str,
    entry: &'a str,
    code: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct ImportDocument {
    templates: usize,
    entries: usize,
    left_out: BTreeMap<&'static str, usize>,
    file: String,
}

/// Adds the operator's own entries, before any line is read; what is wrong with them is told.
pub(crate) fn load(context: &Context, report: &mut Report) {
    let folder = context.data.join(LOCAL_FOLDER);
    let mut unreadable = |path: &Path, error: std::io::Error| {
        let place = path.display().to_string();
        let what = texts::cannot_read(context.lang, &place);
        report.warn_in_detail(&place, &what, &error.to_string(), "");
    };
    let files = local_files(&folder).unwrap_or_else(|error| {
        unreadable(&folder, error);
        Vec::new()
    });
    let mut own = OwnEntries::default();
    for path in files {
        match read_file(&path) {
            Ok(text) => own.add(&path, &text),
            Err(error) => unreadable(&path, error),
        }
    }
    let (entries, faults) = own.checked();
    faults.iter().for_each(|fault| tell(fault, context.lang, report));
    if !entries.is_empty() && !add_local(entries) {
        let what = texts::catalogue_late(context.lang);
        report.warn(&folder.display().to_string(), what, "");
    }
}

/// The TOML files of a folder, sorted; none when it is not there.
fn local_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found?,
    };
    let mut files = Vec::new();
    for entry in found {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Entries of several files, and what is wrong with others.
#[derive(Default)]
struct OwnEntries {
    entries: Vec<Entry>,
    /// The last file that has an entry of this id.
    files: BTreeMap<String, String>,
    faults: Vec<CatalogueFault>,
}

impl OwnEntries {
    fn add(&mut self, path: &Path, text: &str) {
        let file = path.display().to_string();
        let (read, faults) = read_entries(&file, text, true);
        self.files.extend(read.iter().map(|entry| (entry.id.clone(), file.clone())));
        self.entries.extend(read);
        self.faults.extend(faults);
    }

    /// The entries, and all faults: an entry that does not count beside ours is one too.
    fn checked(mut self) -> (Vec<Entry>, Vec<CatalogueFault>) {
        for Entry { id, .. } in left_out(self.entries.iter().cloned()) {
            let file = self.files.get(&id).cloned().unwrap_or_default();
            let (code, detail) = ("catalogue-left-out", id.clone());
            self.faults.push(CatalogueFault { file, entry: id, code, detail });
        }
        (self.entries, self.faults)
    }
}

/// A file up to just over the limit, so that a longer one is refused as such.
fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    fs::File::open(path)?.take(CATALOGUE_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn tell(fault: &CatalogueFault, lang: Lang, report: &mut Report) {
    let (what, remedy) = coded(lang, fault.code);
    let place = if fault.entry.is_empty() {
        fault.file.clone()
    } else {
        format!("{} [{}]", fault.file, fault.entry)
    };
    report.warn_in_detail(&place, what, &fault.detail, remedy);
}

impl Catalogue {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::List(list) => {
                list.run(context, report);
                Ok(())
            }
            Action::Check(check) => check.run(context, report),
            Action::Import(import) => import.run(context, report),
        }
    }
}

impl List {
    fn run(self, context: &Context, report: &mut Report) {
        let (text, lang) = (self.text.to_lowercase(), context.lang);
        let holds = |entry: &&Entry| {
            let Entry { id, product, title_fr, title_en, products, cves, .. } = entry;
            let own = [id, product, title_fr, title_en];
            let mut all = own.into_iter().chain(products).chain(cves);
            all.any(|it| it.to_lowercase().contains(&text))
        };
        let found: Vec<&Entry> = entries().iter().filter(holds).collect();
        if context.json {
            let entries = found.iter().map(|entry| row(entry)).collect();
            return report.document("relight.catalogue/1", &CatalogueDocument { entries });
        }
        for entry in &found {
            let title = if lang == Lang::Fr { &entry.title_fr } else { &entry.title_en };
            let id = report.paint(Style::Strong, &entry.id);
            let kind = texts::by_code(lang, &format!("door-{}", entry.kind.as_str()));
            let kind = kind.unwrap_or_default();
            let text = texts::labelled(lang, &entry.product, title);
            report.line(format!("{id}  {kind}  {text}  {}", entry.cves.join(" ")).trim_end());
            report.line(&format!("  {}", entry.reference));
        }
        report.line(&texts::catalogue_entries(lang, found.len()));
    }
}

fn row(entry: &Entry) -> EntryRow<'_> {
    EntryRow {
        id: &entry.id,
        kind: entry.kind.as_str(),
        product: &entry.product,
        title_fr: &entry.title_fr,
        title_en: &entry.title_en,
        products: &entry.products,
        cves: &entry.cves,
        attack: &entry.attack,
        reference: &entry.reference,
        since: &entry.since,
        local: entry.is_local,
    }
}

impl Check {
    /// Files of entries, or the operator's own; every example must be found and every near miss
    /// not.
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let unreadable = |path: &Path, error: std::io::Error| {
            Failure::new(texts::cannot_read(lang, &path.display().to_string()))
                .because(lang, &error)
                .hint(texts::cannot_read_remedy(lang))
        };
        let folder = context.data.join(LOCAL_FOLDER);
        let files = if self.files.is_empty() {
            local_files(&folder).map_err(|error| unreadable(&folder, error))?
        } else {
            self.files
        };
        let mut own = OwnEntries::default();
        for path in &files {
            let text = read_file(path).map_err(|error| unreadable(path, error))?;
            own.add(path, &text);
        }
        let (entries, all) = own.checked();
        let doubled = all.iter().filter(|fault| fault.code == "catalogue-left-out").count();
        let count = entries.len() - doubled;
        if !all.is_empty() {
            report.raise(Exit::Failed);
        }
        if context.json {
            let faults = all.iter().map(|CatalogueFault { file, entry, code, detail }| FaultRow {
                file,
                entry,
                code,
                detail,
            });
            let document = CheckDocument { entries: count, faults: faults.collect() };
            report.document("relight.catalogue-check/1", &document);
            return Ok(());
        }
        all.iter().for_each(|fault| tell(fault, lang, report));
        report.line(&texts::catalogue_checked(lang, count, all.len()));
        Ok(())
    }
}

impl Import {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let mut found = Vec::new();
        let name = self.folder.display().to_string();
        templates(&self.folder, 0, &mut found).map_err(|error| {
            Failure::new(texts::cannot_read(lang, &name))
                .because(lang, &error)
                .hint(texts::cannot_read_remedy(lang))
        })?;
        let (read, left_out) = read_templates(&found);
        let today = rfc3339(context.now());
        let (text, count) = entries_text(&read, &today[..10]);
        let folder = context.data.join(LOCAL_FOLDER);
        let path = folder.join("nuclei.toml");
        let file = path.display().to_string();
        if text.len() > CATALOGUE_BYTES_MAX {
            return Err(Failure::new(texts::catalogue_too_many(lang, &name))
                .hint(texts::catalogue_too_many_remedy(lang)));
        }
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, text));
        written.map_err(|error| {
            let failure = Failure::new(texts::catalogue_cannot_write(lang, &file));
            failure.because(lang, &error).hint(texts::cannot_write_remedy(lang))
        })?;
        if context.json {
            let document =
                ImportDocument { templates: found.len(), entries: count, left_out, file };
            report.document("relight.catalogue-import/1", &document);
            return Ok(());
        }
        report.line(&texts::catalogue_imported(lang, count, &file, found.len()));
        for (code, count) in left_out {
            let (what, _) = coded(lang, code);
            report.line(&format!("  {}", texts::labelled(lang, what, &count.to_string())));
        }
        report.next("relight watch catalogue check");
        Ok(())
    }
}

/// The YAML files below a folder, sorted.
fn templates(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    for path in paths {
        let is_template = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        if path.is_dir() && depth < DEPTH_MAX {
            templates(&path, depth + 1, found)?;
        } else if is_template && found.len() < TEMPLATES_MAX {
            found.push(path);
        }
    }
    Ok(())
}

/// What templates say, and how many say nothing that can be used, by code.
fn read_templates(paths: &[PathBuf]) -> (Vec<NucleiTemplate>, BTreeMap<&'static str, usize>) {
    let (mut read, mut left_out) = (Vec::new(), BTreeMap::new());
    for path in paths {
        let template = read_file(path).map_err(|_| "nuclei-unreadable");
        match template.and_then(|text| read_nuclei(&text)) {
            Ok(template) => read.push(template),
            Err(code) => *left_out.entry(code).or_insert(0) += 1,
        }
    }
    (read, left_out)
}
