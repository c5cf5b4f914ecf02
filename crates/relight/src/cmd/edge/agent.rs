//! An edge that an agent writes on its own machine: registered here, set up there, and asked by the
//! server alone.

use relight_engine::edge::{AGENT, AGENT_SETTING, Target};
use relight_engine::store::Store;
use relight_server::agents::agents_of;
use relight_server::agents::edges::is_agent_of;
use relight_server::web::texts;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// What only such an edge is given: the name of its agent.
pub(super) fn check_options(
    kind: &str,
    agent: Option<&str>,
    context: &Context,
) -> Result<(), Failure> {
    let lang = context.lang;
    let Some(named) = agent.filter(|_| kind != AGENT) else { return Ok(()) };
    let refused = texts::usage_bad_value(lang, "--agent", named);
    Err(Failure::usage(refused).hint(texts::edge_agent_kind_remedy(lang)))
}

/// Says which agent is to have it, if there is none, and what is to be written on its machine.
pub(super) fn tell_added(
    target: &Target,
    store: &Store,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let named = target.settings.get(AGENT_SETTING).map_or("", String::as_str);
    let all = agents_of(store, context.now());
    let all =
        all.map_err(|error| Failure::new(texts::agents_failed(lang)).because(lang, &error))?;
    let live: Vec<(u32, String)> =
        all.into_iter().filter(|it| it.is_live).map(|it| (it.id, it.host)).collect();
    if !live.iter().any(|(id, host)| is_agent_of(named, (*id, host), &live)) {
        let what = texts::edge_agent_unknown(lang, named);
        report.warn(&target.name, &what, texts::edge_agent_unknown_remedy(lang));
        report.raise(Exit::Incomplete);
    }
    report.note(&texts::edge_agent_file(lang, &target.name));
    Ok(())
}

/// That only the server asks this edge.
pub(super) fn elsewhere(target: &Target, context: &Context) -> Failure {
    let failure = Failure::new(texts::edge_elsewhere(context.lang, &target.name));
    failure.hint(texts::edge_elsewhere_remedy(context.lang))
}
