//! The graph of an answer: from which component, in which version, through which containers, to
//! which organisations; the width of a line is the number of sites.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use relight_web::register_views::{ReachGraph, ReachLink, ReachNode};
use relight_web::{Lang, Number, texts};

/// Nodes of one column; the last stands for all the others.
const NODES_MAX: usize = 10;

/// Rows of the table of numbers.
const NUMBERS_MAX: usize = 200;

/// Left edge and width of each column, in a box 900 wide.
const COLUMNS: [(usize, usize); 4] = [(0, 190), (258, 96), (422, 150), (640, 260)];

/// Signs that fit into the box of a column beside its number.
const SIGNS: [usize; 4] = [22, 9, 15, 32];

/// Height of a box, of a row, and of what stands above the first.
const BOX: usize = 24;
const ROW: usize = 32;
const ABOVE: usize = 22;

/// Widest and thinnest line.
const WIDTH: [f64; 2] = [18.0, 1.0];

/// One way to a site: component, version, containers, organisation.
pub(super) type Way = [String; 4];

/// The sites of each way.
pub(super) type Ways = BTreeMap<Way, BTreeSet<u32>>;

/// The kinds of the containers in a place, from outside: `ear › war › jar`. A file in no archive
/// is its own container.
pub(super) fn containers(lang: Lang, place: &str) -> String {
    let kind = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        let (stem, kind) = file.rsplit_once('.').unwrap_or(("", ""));
        let is_one = !stem.is_empty()
            && (1..=6).contains(&kind.len())
            && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !kind.bytes().all(|byte| byte.is_ascii_digit());
        match is_one {
            true => kind.to_ascii_lowercase(),
            false => texts::reach_file(lang).to_owned(),
        }
    };
    place.split("!/").map(kind).collect::<Vec<_>>().join(" › ")
}

/// One column: its nodes from the most sites on, and to which of them each name belongs.
struct Column {
    names: Vec<(String, BTreeSet<u32>)>,
    place: BTreeMap<String, usize>,
}

impl Column {
    fn of(lang: Lang, ways: &Ways, at: usize) -> Self {
        let mut sites: BTreeMap<&String, BTreeSet<u32>> = BTreeMap::new();
        for (way, of) in ways {
            sites.entry(&way[at]).or_default().extend(of);
        }
        let mut names: Vec<_> =
            sites.into_iter().map(|(name, sites)| (name.clone(), sites)).collect();
        names.sort_by(|a, b| (Reverse(a.1.len()), &a.0).cmp(&(Reverse(b.1.len()), &b.0)));
        let shown = if names.len() > NODES_MAX { NODES_MAX - 1 } else { names.len() };
        let place = names.iter().zip(0..).map(|((name, _), at)| (name.clone(), shown.min(at)));
        let place = place.collect();
        let rest = names.split_off(shown);
        if !rest.is_empty() {
            let sites = rest.iter().flat_map(|(_, sites)| sites).copied().collect();
            names.push((texts::reach_others(lang, rest.len()), sites));
        }
        Self { names, place }
    }

    /// Shorter columns stand in the middle.
    fn y(&self, node: usize, most: usize) -> usize {
        ABOVE + (most - self.names.len()) * ROW / 2 + node * ROW
    }
}

/// The graph; empty without a way. `sites` is how many the answer calls affected, of which the
/// graph may know fewer.
pub(super) fn graph(lang: Lang, ways: &Ways, sites: usize) -> ReachGraph {
    let columns = [0, 1, 2, 3].map(|at| Column::of(lang, ways, at));
    let most = columns.iter().map(|column| column.names.len()).max().unwrap_or(0);
    if most == 0 {
        return ReachGraph::default();
    }
    let drawn: BTreeSet<u32> = ways.values().flatten().copied().collect();
    let [components, _, containers, bodies] =
        [0, 1, 2, 3].map(|at| ways.keys().map(|way| &way[at]).collect::<BTreeSet<_>>().len());
    let first = columns[2].names.first().map_or("", |(name, _)| name);
    let note = match sites - drawn.len().min(sites) {
        0 => String::new(),
        left => texts::reach_left_out(lang, left),
    };
    ReachGraph {
        sentence: texts::reach_sentence(lang, components, containers, first, bodies, drawn.len()),
        note,
        problem: String::new(),
        height: ABOVE + most * ROW,
        heads: COLUMNS.iter().map(|(x, _)| *x).zip(heads(lang)).collect(),
        nodes: nodes(lang, &columns, most),
        links: links(&columns, ways, most),
        rows: rows(lang, ways),
    }
}

fn heads(lang: Lang) -> [&'static str; 4] {
    [
        texts::reach_component(lang),
        texts::reach_version(lang),
        texts::reach_container(lang),
        texts::sites_column_organisation(lang),
    ]
}

fn nodes(lang: Lang, columns: &[Column; 4], most: usize) -> Vec<ReachNode> {
    let mut nodes = Vec::new();
    for ((column, (x, width)), signs) in columns.iter().zip(COLUMNS).zip(SIGNS) {
        for ((name, sites), at) in column.names.iter().zip(0..) {
            nodes.push(ReachNode {
                x,
                y: column.y(at, most),
                width,
                text: cut(name, signs),
                sites: Number::from(sites.len()).text(lang),
            });
        }
    }
    nodes
}

/// The start of a name that does not fit.
fn cut(name: &str, signs: usize) -> String {
    if name.chars().count() <= signs {
        return name.to_owned();
    }
    let start: String = name.chars().take(signs - 1).collect();
    format!("{}…", start.trim_end())
}

/// One line between each two nodes that share a site by one way.
fn links(columns: &[Column; 4], ways: &Ways, most: usize) -> Vec<ReachLink> {
    let mut between: BTreeMap<(usize, usize, usize), BTreeSet<u32>> = BTreeMap::new();
    for (way, sites) in ways {
        let node = |at: usize| columns[at].place.get(&way[at]).copied().unwrap_or(0);
        for left in 0..3 {
            between.entry((left, node(left), node(left + 1))).or_default().extend(sites);
        }
    }
    let widest = between.values().map(BTreeSet::len).max().unwrap_or(1);
    let link = |((left, from, to), sites): ((usize, usize, usize), BTreeSet<u32>)| {
        let (start, end) = (COLUMNS[left].0 + COLUMNS[left].1, COLUMNS[left + 1].0);
        let middle = usize::midpoint(start, end);
        let from = columns[left].y(from, most) + BOX / 2;
        let to = columns[left + 1].y(to, most) + BOX / 2;
        let share = Number::from(sites.len()).as_f64() / Number::from(widest).as_f64();
        ReachLink {
            path: format!("M{start} {from}C{middle} {from} {middle} {to} {end} {to}"),
            width: ((WIDTH[0] * share).max(WIDTH[1]) * 10.0).round() / 10.0,
        }
    };
    between.into_iter().map(link).collect()
}

/// The ways with the most sites, for those who want names and numbers.
fn rows(lang: Lang, ways: &Ways) -> Vec<(Way, String)> {
    let mut rows: Vec<_> = ways.iter().collect();
    rows.sort_by_key(|(way, sites)| (Reverse(sites.len()), *way));
    let row =
        |(way, sites): (&Way, &BTreeSet<u32>)| (way.clone(), Number::from(sites.len()).text(lang));
    rows.into_iter().take(NUMBERS_MAX).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(version: &str, container: &str, body: usize) -> Way {
        ["log4j-core", version, container, &format!("Body {body:02}")].map(str::to_owned)
    }

    #[test]
    fn kinds_of_containers_from_outside() {
        for (place, wanted) in [
            ("opt/a.ear!/portal.war!/WEB-INF/lib/log4j-core-2.14.1.jar", "ear › war › jar"),
            ("lib/LOG4J.JAR", "jar"),
            ("usr/lib/libssl.so.3", "file"),
            ("bin/app", "file"),
            (".jar", "file"),
            ("", "file"),
            ("image.tar!/layer!/x.whl", "tar › file › whl"),
        ] {
            assert_eq!(containers(Lang::En, place), wanted, "{place}");
        }
    }

    #[test]
    fn a_site_counts_once_in_each_node_and_line() {
        let ways = Ways::from([
            (way("2.14.1", "jar", 1), [1, 2].into()),
            (way("2.14.1", "war › jar", 1), [2, 3].into()),
            (way("2.8.2", "jar", 2), [4].into()),
        ]);
        let graph = graph(Lang::En, &ways, 4);
        let nodes: Vec<_> =
            graph.nodes.iter().map(|node| (node.text.as_str(), node.sites.as_str())).collect();
        assert_eq!(
            nodes,
            [
                ("log4j-core", "4"),
                ("2.14.1", "3"),
                ("2.8.2", "1"),
                ("jar", "3"),
                ("war › jar", "2"),
                ("Body 01", "3"),
                ("Body 02", "1"),
            ]
        );
        let widths: Vec<_> = graph.links.iter().map(|link| link.width).collect();
        assert_eq!(widths, [18.0, 6.0, 12.0, 12.0, 6.0, 12.0, 6.0, 12.0]);
        assert_eq!(graph.note, "");
        assert_eq!(graph.rows.len(), 3);
        assert!(graph.sentence.contains('4') && graph.sentence.contains("jar"), "{graph:?}");
    }

    #[test]
    fn what_the_graph_does_not_know_is_said() {
        let ways = Ways::from([(way("2.14.1", "jar", 1), [1].into())]);
        for lang in Lang::ALL {
            let graph = graph(lang, &ways, 43);
            assert!(graph.note.contains("42"), "{}", graph.note);
        }
        assert!(super::graph(Lang::Fr, &Ways::new(), 43).nodes.is_empty());
    }

    #[test]
    fn many_bodies_become_one_node_and_everything_stays_in_its_box() {
        let body = |body: usize| (way("2.14.1", "jar", body), BTreeSet::from([body as u32]));
        let graph = graph(Lang::En, &(0..300).map(body).collect(), 300);
        assert_eq!(graph.nodes.len(), 3 + NODES_MAX);
        let last = graph.nodes.last().unwrap();
        assert_eq!((last.text.as_str(), last.sites.as_str()), ("291 others", "291"));
        assert!(graph.nodes.iter().all(|node| node.x + node.width <= 900), "{graph:?}");
        assert!(graph.nodes.iter().all(|node| node.y + BOX <= graph.height), "{graph:?}");
        assert!(graph.links.iter().all(|link| link.width >= 1.0), "{graph:?}");
        assert_eq!(graph.rows.len(), NUMBERS_MAX);
        assert_eq!(cut("a name that is much too long", 10), "a name th…");
    }
}
