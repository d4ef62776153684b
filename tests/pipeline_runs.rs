//! Deployments at a hosted Orchestrator that has Pipelines.

use std::process::Command;

use serde_json::json;

use crate::harness::{Answer, FakeApi, hosted};

const RUNS: &str = "POST /orgs/my-org/apps/shop/pipeline-runs";
const RUN: &str = "GET /orgs/my-org/apps/shop/pipelines/main/runs/r1";
const FOUND: &str = "GET /orgs/my-org/apps/shop/envs/dev/deploys?pipelineRunId=main,r1";
const DEPLOYMENT: &str = "GET /orgs/my-org/apps/shop/envs/dev/deploys/d1";
const ERRORS: &str = "GET /orgs/my-org/apps/shop/envs/dev/deploys/d1/errors";

fn run(status: &str) -> Answer {
    let run = json!({
        "id": "r1", "pipeline_id": "main", "status": status, "status_message": "because", "app_id": "shop",
        "inputs": {"env_id": "dev"}, "waiting_for": {}, "unknown": 1,
    });
    Answer::new(200, run.to_string())
}

fn deployment(status: &str) -> serde_json::Value {
    json!({
        "id": "d1", "env_id": "dev", "set_id": "s1", "from_id": "", "comment": "c", "status": status,
        "status_changed_at": "t", "created_at": "t", "created_by": "u", "value_set_version_id": "v1",
    })
}

fn one(status: &str) -> Answer {
    Answer::new(200, deployment(status).to_string())
}

fn list(statuses: &[&str]) -> Answer {
    let deployments: Vec<_> = statuses.iter().map(|status| deployment(status)).collect();
    Answer::new(200, json!(deployments).to_string())
}

#[test]
fn a_run_is_asked_for_and_its_deployment_found() {
    let api = FakeApi::routes([
        (RUNS, vec![run("queued")]),
        (RUN, vec![run("executing")]),
        (FOUND, vec![list(&[]), list(&["in progress"])]),
    ]);
    let env = hosted(&api);
    let started = env.run("deploy set s1 dev --app shop -m text --values-version v1").ok().stdout;
    assert_eq!(started, "Deployment d1\n");
    assert_eq!(api.lines(), [RUNS, RUN, FOUND, RUN, FOUND]);
    let seen = api.seen();
    let expected = json!({
        "trigger": "deployment_request", "env_id": "dev", "set_id": "s1", "comment": "text",
        "value_set_version_id": "v1", "mode": "full",
    });
    assert_eq!(seen[0].json(), expected);
    assert!(seen[0].header("idempotency-key").unwrap().len() > 20);
    let shown = env.run("deploy set s1 dev --app shop -o json").ok().json();
    assert_eq!((&shown["kind"], &shown["metadata"]["id"]), (&json!("Deployment"), &json!("d1")));
    // Each is a request of its own.
    assert_ne!(api.seen()[5].header("idempotency-key"), seen[0].header("idempotency-key"));
}

#[test]
fn each_way_to_deploy_says_what_it_means() {
    let deployments = "GET /orgs/my-org/apps/shop/envs/dev/deploys";
    for (words, field, value) in [
        ("deploy deploy . dev", "deployment_id", "d1"),
        ("deploy deploy . dev --values-version .", "set_id", "s1"),
        ("deploy env dev dev", "set_id", "s1"),
        ("deploy set s1 dev", "set_id", "s1"),
    ] {
        let api = FakeApi::routes([
            (deployments, vec![list(&["succeeded"])]),
            (RUNS, vec![run("queued")]),
            (RUN, vec![run("executing")]),
            (FOUND, vec![list(&["in progress"])]),
        ]);
        hosted(&api).run(&format!("{words} --app shop")).ok();
        let seen = api.seen();
        let asked = seen.iter().find(|seen| seen.method == "POST").unwrap().json();
        assert_eq!(asked, json!({"trigger": "deployment_request", "env_id": "dev", "mode": "full", field: value}));
    }
}

#[test]
fn a_request_that_got_lost_is_sent_again_with_its_key() {
    let api = FakeApi::script([Answer::cut(), run("queued"), run("executing"), list(&["in progress"])]);
    hosted(&api).run("deploy set s1 dev --app shop").ok();
    let seen = api.seen();
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
}

#[test]
fn waiting_ends_with_the_run_and_survives_lost_connections() {
    let api = FakeApi::routes([
        (RUNS, vec![run("queued")]),
        (RUN, vec![run("executing"), Answer::cut(), run("executing"), run("succeeded")]),
        (FOUND, vec![list(&["in progress"])]),
        (DEPLOYMENT, vec![Answer::new(503, ""), one("succeeded")]),
    ]);
    let waited = hosted(&api).run("deploy set s1 dev --app shop --wait").ok().stdout;
    insta::assert_snapshot!(waited, @r"
    Pipeline run r1 of main: queued
    Pipeline run r1 of main: executing
    Deployment d1: in progress
    Deployment d1: succeeded
    Pipeline run r1 of main: succeeded
    ");
}

#[test]
fn a_run_that_fails_is_a_failure_even_when_the_deployment_succeeded() {
    for (deployment, errors) in [("succeeded", ""), ("failed", "RES-001")] {
        let error = json!([{"code": "RES-001", "object_id": "o", "scope": "resource", "summary": "no", "message": "m",
            "error_type": "provisioning"}]);
        let api = FakeApi::routes([
            (RUNS, vec![run("queued")]),
            (RUN, vec![run("executing"), run("failed")]),
            (FOUND, vec![list(&[deployment])]),
            (ERRORS, vec![Answer::new(200, error.to_string())]),
        ]);
        let failed = hosted(&api).run("deploy set s1 dev --app shop --wait").fails().stderr;
        let expected = format!("Error: pipeline run r1 of pipeline main failed: because\ndeployment d1 {deployment}\n");
        assert!(failed.starts_with(&expected) && failed.contains(errors), "{failed}");
        assert!(failed.contains("hint: see: humctl api get /orgs/my-org/apps/shop/pipelines/main/runs/r1"), "{failed}");
    }
}

#[test]
fn a_run_without_a_deployment_is_told_itself() {
    let waiting = json!({"id": "r1", "pipeline_id": "main", "status": "executing", "app_id": "shop",
        "waiting_for": {"approve": "approval"}});
    let api = FakeApi::routes([
        (RUNS, vec![Answer::new(201, waiting.to_string())]),
        (RUN, vec![Answer::new(200, waiting.to_string())]),
        (FOUND, vec![list(&[])]),
    ]);
    let env = hosted(&api);
    // An approval may take days.
    assert_eq!(env.run("deploy set s1 dev --app shop").ok().stdout, "Pipeline run r1 of main: executing\n");
    let shown = env.run("deploy set s1 dev --app shop -o json").ok().json();
    assert_eq!(shown["kind"], "PipelineRun");
    assert_eq!(shown["metadata"], json!({"id": "r1", "pipeline_id": "main", "app_id": "shop"}));
    assert_eq!(shown["status"]["status"], "executing");
}

#[test]
fn ctrl_c_ends_the_command_and_not_the_deployment() {
    let api = FakeApi::routes([
        (RUNS, vec![run("queued")]),
        (RUN, vec![run("executing")]),
        (FOUND, vec![list(&["in progress"])]),
        (DEPLOYMENT, vec![one("in progress")]),
    ]);
    let child = hosted(&api).start("deploy set s1 dev --app shop --wait");
    while !api.lines().iter().any(|line| line == DEPLOYMENT) {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty());
    let expected = format!(
        "Error: interrupted: deployment d1 goes on at `{}`\n  hint: see: humctl get deployment d1 --app shop --env dev\n",
        api.host()
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn a_served_orchestrator_gets_what_only_it_understands() {
    const DEPLOYS: &str = "POST /orgs/my-org/apps/shop/envs/dev/deploys";
    let api = FakeApi::routes([(DEPLOYS, vec![one("in progress")])]);
    hosted(&api).run("deploy set s1 dev --app shop --adopt").ok();
    assert_eq!(api.lines(), [DEPLOYS]);
    assert_eq!(api.seen()[0].json()["adopt"], true);
}

#[test]
fn ctrl_c_ends_a_request_that_is_not_answered() {
    let (asked, is_asked) = std::sync::mpsc::channel();
    let api = FakeApi::serve(move |request| {
        if request.method == "GET" {
            asked.send(()).unwrap();
            std::thread::park();
        }
        Some(run("queued"))
    });
    let child = hosted(&api).start("deploy set s1 dev --app shop --wait");
    is_asked.recv().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("Error: interrupted: pipeline run r1 of pipeline main goes on at `"), "{stderr}");
}

#[test]
fn without_a_pipeline_a_rollback_names_its_set_and_values() {
    let api = FakeApi::routes([
        ("GET /orgs/my-org/apps/shop/envs/dev/deploys", vec![list(&["succeeded"])]),
        ("POST /orgs/my-org/apps/shop/envs/dev/deploys", vec![one("in progress")]),
    ]);
    hosted(&api).run("deploy deploy . dev --app shop -m back").ok();
    let asked = api.seen().pop().unwrap().json();
    assert_eq!(asked, json!({"set_id": "s1", "value_set_version_id": "v1", "comment": "back", "mode": "full"}));
}
