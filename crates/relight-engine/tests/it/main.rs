//! The engine from outside: the simulator and its mutants, the loop of one edge, a whole register.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must stop")]
#![expect(clippy::print_stdout, reason = "one seed alone tells its whole story")]

mod acts;
mod barrier;
mod barrier_proxies;
mod brake;
mod caught;
mod checks;
mod controls;
mod deciding;
mod disk;
mod drill_marks;
mod drill_proxies;
mod edge;
mod edge_faults;
mod engine;
mod exposure;
mod fights;
mod fixes;
mod flawed;
mod follow;
mod group_proxies;
mod group_views;
mod held_plans;
mod invariants;
mod listeners;
mod logs;
mod loops;
mod matcher;
mod model;
mod mutants;
mod names;
mod notify;
mod one_process;
mod oracle;
mod orders;
#[expect(dead_code, reason = "the benchmark needs more of it")]
#[path = "../../benches/incident/origin.rs"]
mod origin;
mod overtaken;
mod parts;
mod people;
mod policy;
mod policy_given;
mod policy_mutants;
mod policy_people;
mod proxies;
mod ready;
mod renamed;
mod restart_proxies;
#[expect(dead_code, reason = "the benchmark needs more of it")]
#[path = "../../benches/incident/rig.rs"]
mod rig;
mod second_look;
mod set;
mod set_back;
mod several;
mod sim;
mod soak;
mod spelled;
mod starved;
mod statements;
mod takeover;
mod then;
mod tunnels;
mod unasked;
mod waves_end;
