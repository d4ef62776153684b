//! `humctl doctor`: what it finds, and that it changes nothing.

use serde_json::Value;

use crate::harness::{FakeApi, TestEnv, hosted};

/// The finding about something.
#[track_caller]
fn about<'f>(findings: &'f Value, subject: &str) -> &'f Value {
    let found = findings.as_array().unwrap().iter().find(|finding| finding["Subject"] == subject);
    found.unwrap_or_else(|| panic!("nothing about {subject}: {findings:#}"))
}

#[test]
fn a_fresh_machine_is_well_and_stays_as_it_is() {
    let env = TestEnv::new();
    let findings = env.run("doctor -o json").ok().json();
    assert!(findings.as_array().unwrap().iter().all(|finding| finding["Level"] == "OK"), "{findings:#}");
    assert_eq!(std::fs::read_dir(env.home()).unwrap().count(), 0);
    assert!(env.run("doctor").ok().stdout.contains("ok       git"));
}

#[test]
fn targets_are_looked_at_and_not_written_to() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    let told = env.run("doctor").ok().stdout;
    assert!(
        told.contains("target of shop/development  file://[TMP]/r.git, branch main (the first Deployment makes it)"),
        "{told}"
    );
    env.score("web", "").deploy().ok();
    let told = env.run("doctor --app shop --env development").ok().stdout;
    assert!(told.contains("r.git, branch main, directory shop/development\n"), "{told}");
    assert_eq!(remote.n_commits("main"), 1);
    std::fs::rename(env.path("r.git"), env.path("gone.git")).unwrap();
    let run = env.run("doctor -o json");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let target = about(&run.json(), "target of shop/development").clone();
    assert_eq!(target["Level"], "PROBLEM");
    assert!(target["Remedy"].is_string(), "{target}");
    env.run("doctor --offline").ok();
}

#[test]
fn what_is_wrong_has_a_remedy() {
    let mut env = TestEnv::new();
    env.write("home/.humctl", "token: canary-token\napiPrefix: local\n");
    let told = env.run("doctor").ok().stdout;
    assert!(told.contains("others may read it (mode 644)") && told.contains("remedy: chmod 600"), "{told}");
    assert!(!told.contains("canary"));
    env.run("create app shop").ok();
    let missing = env.run("doctor --app shop -o json --env nope");
    assert_eq!(about(&missing.json(), "environment")["Level"], "PROBLEM");
    env.write("not-a-state", "text");
    env.set("HUMCTL_STATE", &env.path("not-a-state").display().to_string());
    let run = env.run("doctor");
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("problem  state"), "{}", run.stdout);
    env.set("PATH", "/nonexistent");
    let run = env.run("doctor -o json");
    assert_eq!(about(&run.json(), "git")["Level"], "PROBLEM");
}

#[test]
fn a_hosted_api_is_asked_who_we_are() {
    let api = FakeApi::routes([
        (
            "GET /current-user",
            vec![(200, "{\"id\": \"u1\", \"name\": \"Dev\"}"), (401, "{\"message\": \"bad token\"}")],
        ),
        ("GET /orgs/my-org/apps", vec![(200, "[]")]),
    ]);
    let env = hosted(&api);
    let told = env.run("doctor").ok().stdout;
    assert!(told.contains(&format!("{} knows you as Dev", api.host())), "{told}");
    let run = env.run("doctor -o json");
    assert_eq!(run.code, 1);
    let finding = about(&run.json(), "api").clone();
    assert!(finding["Message"].as_str().unwrap().contains("HTTP-401"), "{finding}");
    assert!(finding["Remedy"].as_str().unwrap().contains("humctl login"), "{finding}");
}
