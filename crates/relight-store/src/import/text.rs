//! The facts of a row as texts: for the database, for the log of changes, and for the name of a
//! plan.

use relight_model::SitePart;

use super::{SiteRow, write_line};

impl SiteRow {
    pub(super) fn write(&self, out: &mut String) {
        let Self { line: _, slug, name_fr, name_en, origin, .. } = self;
        let Self { organisation, sector, criticality, exposure, edge, public, .. } = self;
        let exposure = exposure.unwrap_or_default().as_str();
        let criticality = criticality.number().to_string();
        let public = if *public { "public" } else { "hidden" };
        let names = [slug.as_str(), name_fr, name_en, origin, organisation, sector];
        let facts = [criticality.as_str(), edge, public, exposure];
        let (aliases, parts) = (self.other_names(), self.part_texts());
        // A row from before there were parts or channels reads as it did.
        let (channel_fr, channel_en) = self.channel_texts();
        let has_channel = !channel_fr.is_empty() || !channel_en.is_empty();
        let parts = (!parts.is_empty() || has_channel).then_some(parts.as_str());
        let channel = has_channel.then_some([channel_fr, channel_en]).into_iter().flatten();
        let facts = facts.into_iter().chain([aliases.as_str()]).chain(parts).chain(channel);
        write_line(out, names.into_iter().chain(facts));
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text.truncate(text.len() - 1);
        text
    }

    /// The other names, as the register keeps them.
    pub(super) fn other_names(&self) -> String {
        self.aliases.as_deref().unwrap_or_default().join(" ")
    }

    /// The parts, as the register keeps them.
    pub(super) fn part_texts(&self) -> String {
        let parts = self.parts.as_deref().unwrap_or_default();
        parts.iter().map(SitePart::to_string).collect::<Vec<_>>().join(" ")
    }

    /// How else the service is reached, in French and in English.
    pub(super) fn channel_texts(&self) -> (&str, &str) {
        let fr = self.channel_fr.as_deref().unwrap_or_default();
        (fr, self.channel_en.as_deref().unwrap_or_default())
    }
}
