//! `relight affected --like FILE...`: which sites have archives like these, before there is a CVE
//! or a name. Only the examples are read; the sites are answered for from the inventory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use relight_engine::alike::{Alike, AlikeAnswer, AskAlike};
use relight_model::{Answer, Site, UnknownReason, Values, Verdict};
use relight_scan::{Options, Profiles, Target, file_values};
use relight_server::web::number::{percent, rfc3339};
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use super::{Affected, number};
use crate::cmd::scan::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::{INVENTORY_AGE_MAX_S, Register};
use crate::report::{Exit, Report};
use crate::table::{Align, Table};

/// Rows shown when nobody asked for every place.
const ROWS_SHOWN_MAX: usize = 20;

/// `relight.alike/1`; items are sorted by site, matches by likeness.
#[derive(Serialize)]
struct Document<'a> {
    examples: Vec<ExampleRow<'a>>,
    /// The part of the examples that was asked about; null when it is all.
    part: Option<&'a str>,
    min_similarity: f64,
    /// When it was asked.
    at: String,
    /// Number of the newest change of the register.
    seq: u64,
    total: super::Total,
    /// Unknown sites by their first reason.
    reasons: BTreeMap<&'static str, usize>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct ExampleRow<'a> {
    file: &'a str,
    /// What is compared: `classes`, or `members` where there is no code of Java.
    compared: &'static str,
    /// How many different ones.
    count: usize,
    /// All of the example could be read.
    complete: bool,
}

#[derive(Serialize)]
struct Item<'a> {
    site: &'a str,
    verdict: &'static str,
    reasons: Vec<&'static str>,
    matches: Vec<MatchRow<'a>>,
}

/// Shares are from 0 to 1, in thousandths.
#[derive(Serialize)]
struct MatchRow<'a> {
    place: &'a str,
    example: &'a str,
    /// The share of the example that is inside the place.
    of_example: f64,
    /// The share of the place that is inside the example.
    of_place: f64,
}

/// An example as it was read.
pub(crate) struct Example {
    pub(crate) file: String,
    pub(crate) values: Values,
    pub(crate) complete: bool,
    /// Archives in it.
    archives: usize,
}

impl Example {
    pub(crate) fn read(
        file: &Path,
        part: Option<&str>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let lang = context.lang;
        let profiles = part.map_or(Profiles::All, |part| Profiles::Part(part.to_owned()));
        let look = Look { options: Options { profiles, ..Options::default() }, ..Look::default() };
        let scanned = look.at(&Target::File(file.to_owned()), context)?;
        let name = file.display().to_string();
        let (archives, mut values) = (scanned.profiles.len(), Values::default());
        scanned.profiles.into_iter().for_each(|profile| values.merge(profile.values));
        if scanned.archives == 0 && values.is_empty() && part.is_none() {
            values = file_values(file).map_err(|error| {
                let failure = Failure::new(texts::cannot_read(lang, &name));
                failure.because(lang, &error).hint(texts::cannot_read_remedy(lang))
            })?;
        }
        if values.is_empty() {
            let failure = Failure::new(texts::alike_nothing(lang, &name));
            return Err(failure.hint(texts::alike_nothing_remedy(lang)));
        }
        Ok(Self { file: name, values, complete: scanned.sbom.is_complete(), archives })
    }

    fn row(&self) -> ExampleRow<'_> {
        let Values { classes, members, .. } = &self.values;
        let (compared, count) = match classes.len() {
            0 => ("members", members.len()),
            count => ("classes", count),
        };
        ExampleRow { file: &self.file, compared, count, complete: self.complete }
    }
}

/// The answer with what is needed to tell it.
struct Told<'a> {
    examples: &'a [Example],
    sites: Vec<&'a Site>,
    answers: Vec<AlikeAnswer>,
    lang: Lang,
}

/// Answers which sites have archives like the examples.
pub(super) fn run(
    command: &Affected,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let read = |file: &PathBuf| Example::read(file, command.part.as_deref(), context);
    let examples: Vec<Example> = command.like.iter().map(read).collect::<Result<_, _>>()?;
    let register = Register::open(context)?;
    let sites = register.select(&command.sites, None, INVENTORY_AGE_MAX_S, lang)?;
    let values: Vec<Values> = examples.iter().map(|example| example.values.clone()).collect();
    let ask = AskAlike {
        examples: &values,
        least: command.min_similarity,
        index: &register.index,
        now: register.now,
        age_max: INVENTORY_AGE_MAX_S,
    };
    let answers = ask.sites(&register.store, sites.iter().map(|site| site.id));
    let answers = answers.map_err(|error| context.store_failure(&error))?;
    let told = Told { examples: &examples, sites, answers, lang };
    if context.json {
        report.document("relight.alike/1", &told.document(command, &register, context)?);
    } else {
        told.text(command.paths, report);
    }
    told.notes(command.part.is_none(), report);
    if told.count(Verdict::Unknown) > 0 || examples.iter().any(|example| !example.complete) {
        report.raise(Exit::Incomplete);
    }
    if command.fail && told.count(Verdict::Affected) > 0 {
        report.raise(Exit::Threshold);
    }
    Ok(())
}

impl Told<'_> {
    fn count(&self, verdict: Verdict) -> usize {
        self.answers.iter().filter(|answer| answer.answer.verdict() == verdict).count()
    }

    fn first_reasons(&self) -> BTreeMap<UnknownReason, usize> {
        let mut counts = BTreeMap::new();
        for answer in &self.answers {
            if let Answer::Unknown(reason) = answer.answer {
                *counts.entry(reason).or_default() += 1;
            }
        }
        counts
    }

    fn pairs(&self) -> impl Iterator<Item = (&Site, &AlikeAnswer)> {
        self.sites.iter().copied().zip(&self.answers)
    }

    fn text(&self, all_places: bool, report: &mut Report) {
        let lang = self.lang;
        let (affected, unknown) = (self.count(Verdict::Affected), self.count(Verdict::Unknown));
        let clear = self.count(Verdict::Clear);
        report.line(&texts::alike_summary(lang, affected, clear, self.sites.len(), unknown));
        let mut table = Table::new(&[
            (texts::column_site(lang), Align::Left),
            (texts::column_of_example(lang), Align::Right),
            (texts::column_of_place(lang), Align::Right),
            (texts::column_place(lang), Align::Left),
        ]);
        // The most alike of each site, or all of them.
        let of_a_site = if all_places { usize::MAX } else { 1 };
        let mut rows: Vec<(&Site, &Alike)> = Vec::new();
        for (site, answer) in self.pairs() {
            rows.extend(answer.found.iter().take(of_a_site).map(|it| (site, it)));
        }
        let shown = if all_places { rows.len() } else { ROWS_SHOWN_MAX };
        for (site, it) in rows.iter().take(shown) {
            let share = |share| percent(lang, u64::from(thousandths(share)), 1000);
            let (of_example, of_place) = (share(it.of_example), share(it.of_container));
            table.row(vec![site.slug.to_string(), of_example, of_place, it.place.clone()]);
        }
        table.print(report);
        if rows.len() > shown {
            report.line(&texts::alike_more(lang, rows.len() - shown));
        }
        for (reason, count) in self.first_reasons() {
            let why = words::reason(lang, reason);
            report.line(&format!(" ? {}", texts::labelled(lang, why, &number(lang, count))));
        }
    }

    /// What limits the answer, and what to do about it.
    fn notes(&self, is_whole: bool, report: &mut Report) {
        let lang = self.lang;
        for Example { file, values, complete, archives } in self.examples {
            if !complete {
                report.warn(file, texts::alike_example_incomplete(lang), "");
            }
            if values.classes.is_empty() {
                report.note(&texts::alike_only_archives(lang, file));
            }
            if is_whole && *archives > 1 {
                report.hint(&texts::alike_part(lang, *archives, file));
            }
        }
        let is_code = self.examples.iter().all(|example| !example.values.classes.is_empty());
        if is_code && self.first_reasons().contains_key(&UnknownReason::NotObservable) {
            report.hint(texts::alike_unknown_remedy(lang));
        }
    }

    fn document<'b>(
        &'b self,
        command: &'b Affected,
        register: &Register,
        context: &Context,
    ) -> Result<Document<'b>, Failure> {
        let plan =
            register.store.plan_import(&[]).map_err(|error| context.store_failure(&error))?;
        let reasons = self.first_reasons().into_iter();
        Ok(Document {
            examples: self.examples.iter().map(Example::row).collect(),
            part: command.part.as_deref(),
            min_similarity: command.min_similarity,
            at: rfc3339(register.now),
            seq: plan.base,
            total: super::Total {
                affected: self.count(Verdict::Affected),
                clear: self.count(Verdict::Clear),
                unknown: self.count(Verdict::Unknown),
            },
            reasons: reasons.map(|(reason, count)| (reason.as_str(), count)).collect(),
            items: self.pairs().map(|(site, answer)| self.item(site, answer)).collect(),
        })
    }

    fn item<'b>(&'b self, site: &'b Site, answer: &'b AlikeAnswer) -> Item<'b> {
        let told = !matches!(answer.answer, Answer::Clear(_));
        let reasons = answer.reasons.iter().filter(|_| told);
        let share = |share| f64::from(thousandths(share)) / 1000.0;
        let row = |it: &'b Alike| MatchRow {
            place: &it.place,
            example: &self.examples[it.example].file,
            of_example: share(it.of_example),
            of_place: share(it.of_container),
        };
        Item {
            site: site.slug.as_str(),
            verdict: answer.answer.verdict().as_str(),
            reasons: reasons.map(|reason| reason.as_str()).collect(),
            matches: answer.found.iter().map(row).collect(),
        }
    }
}

/// Rounded down, so that only all of it reads 100 %.
pub(crate) fn thousandths(share: f64) -> u16 {
    // A sum of fractions may end a little below its true value.
    const ROUNDING: f64 = 1e-9;
    ((share + ROUNDING).clamp(0.0, 1.0) * 1000.0) as u16
}

/// A share from 0 to 1, as the command line gives it.
///
/// # Errors
/// It is no number from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| text.to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_reads_as_all() {
        for (part, expected) in [(0.0, 0), (0.4999, 499), (0.9999, 999), (1.0, 1000), (1.1, 1000)] {
            assert_eq!(thousandths(part), expected, "{part}");
        }
        let tenth: f64 = (0..10).map(|_| 0.1).sum();
        assert_eq!(thousandths(tenth), 1000);
    }

    #[test]
    fn a_share_is_from_0_to_1() {
        for good in ["0", "0.5", "1", "1e-3"] {
            assert!(share(good).is_ok(), "{good}");
        }
        for bad in ["", "-0.1", "1.01", "50%", "NaN", "inf"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }
}
