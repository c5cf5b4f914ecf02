//! Renders the guide (`docs/en`, `docs/fr`) for the console: Markdown in, Rust out. A link that
//! leads nowhere does not build, nor does markup: pages are text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The pages in the order in which they are read.
pub(crate) const ORDER: [&str; 14] = [
    "install",
    "town",
    "night",
    "inventory",
    "advisories",
    "edges",
    "watch",
    "plans",
    "console",
    "sign-in",
    "agents",
    "settings",
    "privacy",
    "conformance",
];

/// One page, rendered.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its first heading.
    pub(crate) title: String,
    /// What stands below it.
    pub(crate) html: String,
    /// The headings of the second level: anchor and text.
    pub(crate) sections: Vec<(String, String)>,
    /// The anchors of all headings.
    anchors: Vec<String>,
    /// Where links lead: page and anchor, either of them empty.
    links: Vec<(String, String)>,
}

/// The source of one language: the statics that hold its pages, in their order.
pub(crate) fn compile(lang: &str, files: &BTreeMap<String, String>) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let mut pages = BTreeMap::new();
    for (name, text) in files {
        if !ORDER.contains(&name.as_str()) {
            problems.push(format!("docs/{lang}/{name}.md: has no place in build/book.rs"));
        }
        match render(lang, text) {
            Ok(page) => drop(pages.insert(name.as_str(), page)),
            Err(what) => problems.push(format!("docs/{lang}/{name}.md: {what}")),
        }
    }
    for name in ORDER.iter().filter(|name| !files.contains_key(**name)) {
        problems.push(format!("docs/{lang}/{name}.md: is not there"));
    }
    for (name, page) in &pages {
        for (to, anchor) in &page.links {
            let to = if to.is_empty() { name } else { to.as_str() };
            let led = pages.get(to);
            if !led.is_some_and(|to| anchor.is_empty() || to.anchors.contains(anchor)) {
                problems.push(format!("docs/{lang}/{name}.md: {to}#{anchor} leads nowhere"));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut rust = String::new();
    let shown = ORDER.iter().filter_map(|name| Some((name, pages.get(name)?)));
    let _ = writeln!(rust, "static {}: [Chapter; {}] = [", lang.to_uppercase(), ORDER.len());
    for (name, Page { title, html, sections, .. }) in shown {
        let _ = write!(rust, "Chapter {{ name: {name:?}, title: {title:?}, html: {html:?}, ");
        let _ = writeln!(rust, "sections: &{sections:?} }},");
    }
    rust.push_str("];\n");
    Ok(rust)
}

/// Renders a page.
pub(crate) fn render(lang: &str, text: &str) -> Result<Page, String> {
    let mut page = Page {
        title: String::new(),
        html: String::new(),
        sections: Vec::new(),
        anchors: Vec::new(),
        links: Vec::new(),
    };
    let mut reader = Reader { lang, page: &mut page, heading: None, code: None };
    let mut events = Vec::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        reader.take(event, &mut events)?;
    }
    html::push_html(&mut page.html, events.into_iter());
    if page.title.is_empty() { Err("has no title".to_owned()) } else { Ok(page) }
}

/// What was begun.
struct Reader<'a> {
    lang: &'a str,
    page: &'a mut Page,
    /// The text of a heading, and where its events begin.
    heading: Option<(String, usize)>,
    /// The text of a block of code.
    code: Option<String>,
}

impl Reader<'_> {
    fn take<'e>(&mut self, event: Event<'e>, events: &mut Vec<Event<'e>>) -> Result<(), String> {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => {
                return Err(format!("{:?}: markup is not taken", text.trim()));
            }
            Event::Start(Tag::Heading { .. }) => self.heading = Some((String::new(), events.len())),
            Event::End(TagEnd::Heading(level)) => return self.end_heading(level, events),
            Event::Start(Tag::CodeBlock(_)) => self.code = Some(String::new()),
            Event::End(TagEnd::CodeBlock) => {
                let code = self.code.take().unwrap_or_default();
                // Who has no mouse scrolls what is wider than the window once it has the focus.
                events.push(markup(format!(
                    "<pre tabindex=\"0\"><code>{}</code></pre>\n",
                    escaped(&code)
                )));
            }
            Event::Text(text) if self.code.is_some() => {
                self.code.get_or_insert_default().push_str(&text);
            }
            // The policy of the page allows no style in it, which aligned columns would be.
            Event::Start(Tag::Table(columns)) => {
                events.push(markup("<div class=\"wide\" tabindex=\"0\">".to_owned()));
                events.push(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])));
            }
            Event::End(TagEnd::Table) => {
                events.push(Event::End(TagEnd::Table));
                events.push(markup("</div>\n".to_owned()));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = CowStr::from(self.led(&dest_url)?);
                events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            other => {
                if let (Some((text, _)), Event::Text(part) | Event::Code(part)) =
                    (&mut self.heading, &other)
                {
                    text.push_str(part);
                }
                events.push(other);
            }
        }
        Ok(())
    }

    /// The first heading is the title, which stands in the page's own head; each other one gets its
    /// anchor.
    fn end_heading(
        &mut self,
        level: HeadingLevel,
        events: &mut Vec<Event<'_>>,
    ) -> Result<(), String> {
        let (text, start) = self.heading.take().unwrap_or_default();
        let is_first = self.page.title.is_empty();
        if is_first != (level == HeadingLevel::H1) {
            return Err(format!("{text:?}: one heading of the first level, and it comes first"));
        }
        if is_first {
            events.truncate(start);
            self.page.title = text;
            return Ok(());
        }
        let anchor = anchor(&text);
        if self.page.anchors.contains(&anchor) {
            return Err(format!("{text:?}: a second heading of that name"));
        }
        let tag = Tag::Heading {
            level,
            id: Some(CowStr::from(anchor.clone())),
            classes: Vec::new(),
            attrs: Vec::new(),
        };
        events.insert(start, Event::Start(tag));
        events.push(Event::End(TagEnd::Heading(level)));
        if level == HeadingLevel::H2 {
            self.page.sections.push((anchor.clone(), text));
        }
        self.page.anchors.push(anchor);
        Ok(())
    }

    /// The address in the console of what a link names: a page of the guide, or a place in one.
    fn led(&mut self, to: &str) -> Result<String, String> {
        let (page, anchor) = to.split_once('#').unwrap_or((to, ""));
        let name = page.strip_suffix(".md").unwrap_or(page);
        if (name == page && !page.is_empty()) || name.contains('/') {
            return Err(format!("{to}: links lead to pages of the guide"));
        }
        self.page.links.push((name.to_owned(), anchor.to_owned()));
        let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
        match name {
            "" => Ok(anchor),
            name => Ok(format!("/docs/{name}?lang={}{anchor}", self.lang)),
        }
    }
}

fn markup(text: String) -> Event<'static> {
    Event::Html(CowStr::from(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The anchor of a heading, as the places where the sources are read make it too.
pub(crate) fn anchor(text: &str) -> String {
    let kept = |sign: &char| sign.is_alphanumeric() || [' ', '-', '_'].contains(sign);
    let kept: String = text.to_lowercase().chars().filter(kept).collect();
    kept.replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html_of(text: &str) -> String {
        render("fr", &format!("# T\n\n{text}")).unwrap().html
    }

    #[test]
    fn headings_have_anchors_and_the_first_one_is_the_title() {
        let page =
            render("fr", "# Un `x`\n\nA.\n\n## Ce qu’un\u{a0}B peut: faire\n\n### C\n").unwrap();
        assert_eq!(page.title, "Un x");
        let wanted = ("ce-quunb-peut-faire".to_owned(), "Ce qu’un\u{a0}B peut: faire".to_owned());
        assert_eq!(page.sections, [wanted]);
        assert!(
            page.html.starts_with("<p>A.</p>\n<h2 id=\"ce-quunb-peut-faire\">Ce"),
            "{}",
            page.html
        );
        assert!(page.html.contains("<h3 id=\"c\">C</h3>"), "{}", page.html);
        for bad in ["A.", "# A\n\n# B", "## A", "# A\n\n## B\n\n## B"] {
            assert!(render("fr", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_stay_in_the_guide_and_in_the_language() {
        assert!(html_of("[a](edges.md)").contains("href=\"/docs/edges?lang=fr\""));
        assert!(html_of("[a](edges.md#b)").contains("href=\"/docs/edges?lang=fr#b\""));
        assert!(html_of("[a](#b)").contains("href=\"#b\""));
        for bad in ["https://example.org/", "../../README.md", "x.html", "//x.md", "javascript:1"] {
            assert!(render("fr", &format!("# T\n\n[a]({bad})")).is_err(), "{bad}");
        }
    }

    #[test]
    fn code_and_tables_scroll_by_keyboard_and_carry_no_style() {
        assert_eq!(
            html_of("```sh\na <b> & \"c\"\n```"),
            "<pre tabindex=\"0\"><code>a &lt;b&gt; &amp; \"c\"\n</code></pre>\n"
        );
        let table = html_of("| a | b |\n|---|--:|\n| 1 | `<2>` |");
        assert!(table.starts_with("<div class=\"wide\" tabindex=\"0\"><table>"), "{table}");
        assert!(table.ends_with("</table>\n</div>\n"), "{table}");
        assert!(table.contains("<code>&lt;2&gt;</code>") && !table.contains("style"), "{table}");
    }

    #[test]
    fn markup_is_not_taken() {
        for bad in ["<b>a</b>", "a <img src=x> b", "<script>1</script>"] {
            assert!(
                render("fr", &format!("# T\n\n{bad}")).unwrap_err().contains("markup"),
                "{bad}"
            );
        }
        assert!(html_of("a &lt;b> `<c>`").contains("a &lt;b&gt; <code>&lt;c&gt;</code>"));
    }

    #[test]
    fn what_leads_nowhere_or_has_no_place_does_not_build() {
        let files = |install: &str, more: &[&str]| {
            let mut files: BTreeMap<String, String> = ORDER
                .iter()
                .map(|name| (name.to_string(), format!("# {name}\n\n## In\n")))
                .collect();
            files.insert("install".to_owned(), format!("# I\n\n{install}\n"));
            files.extend(more.iter().map(|name| (name.to_string(), "# M\n".to_owned())));
            compile("fr", &files)
        };
        let rust = files("[a](town.md#in) [b](town.md)", &[]).unwrap();
        assert!(rust.starts_with("static FR: [Chapter; 14] = [\nChapter { name: \"install\""));
        for (link, problem) in [
            ("[a](town.md#out)", "docs/fr/install.md: town#out leads nowhere"),
            ("[a](village.md)", "docs/fr/install.md: village# leads nowhere"),
            ("[a](#out)", "docs/fr/install.md: install#out leads nowhere"),
        ] {
            assert_eq!(files(link, &[]).unwrap_err(), [problem]);
        }
        assert_eq!(
            files("", &["more"]).unwrap_err(),
            ["docs/fr/more.md: has no place in build/book.rs"]
        );
        let mut few: BTreeMap<String, String> = BTreeMap::new();
        few.insert("town".to_owned(), "# T\n".to_owned());
        assert_eq!(compile("en", &few).unwrap_err().len(), ORDER.len() - 1);
    }
}
