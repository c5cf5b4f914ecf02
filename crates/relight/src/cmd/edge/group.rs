//! Several proxies in front of the same sites, registered as one edge.

use relight_engine::edge::{AGENT, AGENT_SETTING, GROUP, MEMBERS, Target};
use relight_engine::groups;
use relight_engine::store::Store;
use relight_server::web::texts;

use super::barrier::registered;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::register::Register;

/// What only a group is given, and only a group: the names of its edges, which have gates and
/// addresses of their own.
pub(super) fn check_options(
    kind: &str,
    members: &[String],
    context: &Context,
) -> Result<(), Failure> {
    let lang = context.lang;
    if kind == GROUP || members.is_empty() {
        return Ok(());
    }
    let refused = texts::usage_bad_value(lang, "--member", &members.join(" "));
    Err(Failure::usage(refused).hint(texts::edge_group_remedy(lang)))
}

/// Refuses an edge that cannot be what a group, which it is or is in, makes of it; gives a group
/// what it stands for.
pub(super) fn settle(target: &mut Target, store: &Store, context: &Context) -> Result<(), Failure> {
    let lang = context.lang;
    let targets = registered(store, context)?;
    let sites = store.sites().map_err(|error| context.store_failure(&error))?;
    let has_sites = |name: &str| sites.iter().any(|site| site.edge == name);
    groups::check(target, &targets, has_sites).map_err(|(name, fault)| {
        let (why, _) = coded(lang, fault.code());
        Failure::usage(texts::edge_group_refused(lang, &target.name, &name, why))
            .hint(texts::edge_group_remedy(lang))
    })?;
    groups::resolve(target, &targets);
    Ok(())
}

/// Where the gates of an edge are: its folder, the edges that it stands for, or its agent.
pub(super) fn place(target: &super::EdgeRow) -> String {
    let of =
        |kind: &str, setting: &str| target.settings.get(setting).filter(|_| target.kind == kind);
    match (of(GROUP, MEMBERS), of(AGENT, AGENT_SETTING)) {
        (Some(members), _) => members.split_whitespace().collect::<Vec<_>>().join(" + "),
        (_, Some(agent)) => format!("{AGENT} {agent}"),
        _ => target.gate.display().to_string(),
    }
}

/// The edge under whose name the sites of this one stand: its group, or itself.
pub(super) fn serves_as(
    name: &str,
    register: &Register,
    context: &Context,
) -> Result<String, Failure> {
    Ok(groups::serves_as(name, &registered(&register.store, context)?).to_owned())
}
