//! A hosted Orchestrator, played by a server that answers what it is told.

use crate::harness::{FakeApi, TestEnv};

#[test]
fn requests_carry_the_token_and_the_path_as_it_is() {
    let mut env = TestEnv::new();
    let api =
        FakeApi::script(vec![(200, "[{\"id\":\"o1\",\"name\":\"One\",\"extra\":1}]"), (200, "{\"b\":1,\"a\":[]}")]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "canary-token-1");
    let orgs = env.run("get orgs -o json").ok().json();
    assert_eq!(orgs[0]["metadata"]["id"], "o1");
    assert_eq!(orgs[0]["status"]["extra"], 1);
    let answer = env.run("api post /orgs/o1/resources/types/a%2Fb?x=1 -d true -v9");
    assert_eq!(answer.stdout, "{\n  \"a\": [],\n  \"b\": 1\n}\n");
    assert!(!answer.stderr.contains("canary-token-1"), "{}", answer.stderr);
    let seen = api.seen();
    assert_eq!(seen[0].line(), "GET /base/orgs");
    assert_eq!(seen[0].header("authorization"), Some("Bearer canary-token-1"));
    assert!(seen[0].header("humanitec-user-agent").unwrap().starts_with("app humctl/"));
    assert_eq!(seen[1].line(), "POST /base/orgs/o1/resources/types/a%2Fb?x=1");
    assert_eq!(seen[1].text(), "true");
}

#[test]
fn failures_name_status_and_host() {
    let mut env = TestEnv::new();
    let api = FakeApi::script(vec![(401, "\"bad token\""), (503, ""), (200, "[]")]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "bad");
    let failed = env.run("get orgs").fails();
    assert!(failed.stderr.contains("HTTP-401: bad token [127.0.0.1:"), "{}", failed.stderr);
    // What may pass is tried again.
    assert_eq!(env.run("get orgs -o json").ok().stdout, "[]\n");
}

#[test]
fn organizations_are_required_of_a_hosted_api_and_local_ignores_tokens() {
    let mut env = TestEnv::new();
    env.set("HUMANITEC_TOKEN", "some-token");
    let failed = env.run("get apps").fails();
    assert!(failed.stderr.contains("organization is required"), "{}", failed.stderr);
    assert_eq!(env.run("get apps --api-prefix local -o json").ok().stdout, "[]\n");
    let unreachable = env.run("get apps --org my-org --api-prefix http://127.0.0.1:1").fails();
    assert!(unreachable.stderr.contains("`127.0.0.1:1` cannot be reached"), "{}", unreachable.stderr);
    assert!(env.run("get orgs --api-prefix http://example.invalid").fails().stderr.contains("in clear"));
}

#[test]
fn a_set_is_deployed_without_waiting_unless_told_to() {
    const DEPLOYMENT: &str = "{\"id\":\"d1\",\"env_id\":\"dev\",\"set_id\":\"s1\",\"from_id\":\"\",\"comment\":\"c\",\
        \"status\":\"in progress\",\"status_changed_at\":\"t\",\"created_at\":\"t\",\"created_by\":\"u\",\
        \"export_file\":\"\",\"export_status\":\"\"}";
    const CONFLICT: &str = "{\"error\":\"API-409\",\"message\":\"busy\"}";
    let mut env = TestEnv::new();
    let succeeded = Box::leak(DEPLOYMENT.replace("in progress", "succeeded").into_boxed_str());
    let api =
        FakeApi::script(vec![(201, DEPLOYMENT), (409, CONFLICT), (409, CONFLICT), (201, DEPLOYMENT), (200, succeeded)]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    let started = env.run("deploy set s1 dev --app shop -m text --values-version v1 --mode incremental").ok();
    assert_eq!(started.stdout, "Deployment d1\n");
    let busy = env.run("deploy set s1 dev --app shop").fails();
    assert!(busy.stderr.contains("HTTP-409: busy"), "{}", busy.stderr);
    let waited = env.run("deploy set s1 envs/dev --app shop --retry --wait").ok();
    assert_eq!(waited.stdout, "Deployment d1: in progress\nDeployment d1: succeeded\n");
    let seen = api.seen();
    assert_eq!(seen[0].line(), "POST /base/orgs/my-org/apps/shop/envs/dev/deploys");
    let expected =
        serde_json::json!({"set_id": "s1", "comment": "text", "value_set_version_id": "v1", "mode": "incremental"});
    assert_eq!(seen[0].json(), expected);
}

#[test]
fn a_hosted_environment_is_asked_before_a_workload_is_removed() {
    const ENVIRONMENT: &str = "{\"id\":\"dev\",\"name\":\"Dev\",\"type\":\"development\",\"created_at\":\"t\",\
        \"created_by\":\"u\",\"status\":\"active\",\"status_changed_at\":\"t\",\"from_deploy\":{\"id\":\"d1\",\
        \"env_id\":\"dev\",\"set_id\":\"s1\",\"from_id\":\"\",\"comment\":\"c\",\"status\":\"succeeded\",\
        \"status_changed_at\":\"t\",\"created_at\":\"t\",\"created_by\":\"u\",\"export_file\":\"\",\"export_status\":\"\"}}";
    const SET: &str = "{\"id\":\"s1\",\"modules\":{\"web\":{\"profile\":\"p\",\"spec\":{\"v\":\"${shared.db.host}\"}}},\
        \"shared\":{\"db\":{\"type\":\"postgres\"}},\"version\":0}";
    const DELTA: &str = "{\"id\":\"delta-1\",\"metadata\":{\"name\":\"n\",\"env_id\":\"dev\",\"created_by\":\"u\",\
        \"created_at\":\"t\",\"last_modified_at\":\"t\"},\"modules\":{\"remove\":[\"web\"]},\"shared\":[]}";
    const DEPLOYMENT: &str = "{\"id\":\"d2\",\"env_id\":\"dev\",\"set_id\":\"s2\",\"from_id\":\"\",\"comment\":\"c\",\
        \"status\":\"in progress\",\"status_changed_at\":\"t\",\"created_at\":\"t\",\"created_by\":\"u\",\
        \"export_file\":\"\",\"export_status\":\"\"}";
    let mut env = TestEnv::new();
    let api = FakeApi::script(vec![
        (200, ENVIRONMENT),
        (200, SET),
        (200, ENVIRONMENT),
        (200, SET),
        (201, DELTA),
        (201, DEPLOYMENT),
    ]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    env.score("api", "");
    let refused = env.run("score deploy --remove --app shop --env dev").fails().stderr;
    assert!(refused.starts_with("Error: workload 'api' is not part of environment 'dev'\n  hint: "), "{refused}");
    env.score("web", "");
    let removed = env.run("score deploy --remove --app shop --env dev").ok().stdout;
    assert_eq!(
        removed,
        "note: no Workload reads the shared resource `db` any more; it stays until a Delta removes /shared/db\n\
         Delta delta-1\nDeployment d2\n"
    );
    let seen = api.seen();
    assert_eq!(seen[4].json()["modules"]["remove"][0], "web");
    assert_eq!(seen[5].json().get("strict_removal"), None);
}

#[test]
fn classes_of_a_hosted_organization_are_described() {
    const TYPES: &str = "[{\"type\":\"redis\",\"name\":\"Redis\",\"category\":\"datastore\",\"use\":\"direct\"}]";
    const DEFINITIONS: &str = "[{\"id\":\"redis-large\",\"name\":\"redis-large\",\"type\":\"redis\",\
        \"driver_type\":\"humanitec/echo\",\"org_id\":\"my-org\",\"created_at\":\"t\",\"created_by\":\"u\",\
        \"active_version_id\":\"v1\",\"criteria\":[{\"id\":\"c1\",\"class\":\"large\"},{\"id\":\"c2\",\"class\":\"default\"}]}]";
    const CLASSES: &str = "[{\"id\":\"large\",\"resource_type\":\"redis\",\"description\":\"For production\"}]";
    let mut env = TestEnv::new();
    let api = FakeApi::script(vec![(200, TYPES), (200, DEFINITIONS), (200, CLASSES)]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    let listed = env.run("score available-resource-types --filter-type redis").ok().stdout;
    insta::assert_snapshot!(listed, @"
    Name 	Type 	Category 	Class  	Description   
    Redis	redis	datastore	large  	For production
    Redis	redis	datastore	default	-
    ");
    assert_eq!(api.lines()[2], "GET /orgs/my-org/resources/classes");
}

#[test]
fn a_hosted_organization_is_asked_for_a_profile() {
    let mut env = TestEnv::new();
    env.score("web", "").write("ext.yaml", "apiVersion: humanitec.org/v1b1\nprofile: rollouts\n");
    let api = FakeApi::script(vec![(200, "[]"), (200, "[]"), (404, ""), (200, "[]"), (200, "[]"), (200, "{}")]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    let found = env.run("score validate --extensions ext.yaml").ok().stdout;
    assert_eq!(
        found,
        "WARNING: ext.yaml:2:1: /profile: extension: there is no profile rollouts in your Humanitec organization\n"
    );
    env.run("score validate --extensions ext.yaml --strict").ok();
    assert_eq!(api.lines()[2], "GET /orgs/my-org/workload-profiles/my-org%2Frollouts");
}
