//! A hosted Orchestrator, played by a server that answers what it is told.

use crate::harness::{Answer, FakeApi, TestEnv, hosted};

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
    const DEPLOYS: &str = "POST /orgs/my-org/apps/shop/envs/dev/deploys";
    const CONFLICT: &str = "{\"error\":\"API-409\",\"message\":\"busy\"}";
    let mut env = TestEnv::new();
    let succeeded = Box::leak(DEPLOYMENT.replace("in progress", "succeeded").into_boxed_str());
    // No Pipeline takes such requests: they are made directly.
    let api = FakeApi::script([
        (404, ""),
        (201, DEPLOYMENT),
        (501, ""),
        (409, CONFLICT),
        (404, ""),
        (409, CONFLICT),
        (201, DEPLOYMENT),
        (200, succeeded),
    ]);
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    let started = env.run("deploy set s1 dev --app shop -m text --values-version v1 --mode incremental").ok();
    assert_eq!(started.stdout, "Deployment d1\n");
    let busy = env.run("deploy set s1 dev --app shop").fails();
    assert!(busy.stderr.contains("HTTP-409: busy"), "{}", busy.stderr);
    let waited = env.run("deploy set s1 envs/dev --app shop --retry --wait").ok();
    assert_eq!(waited.stdout, "Deployment d1: in progress\nDeployment d1: succeeded\n");
    let seen = api.seen();
    assert_eq!(api.lines()[0..2], ["POST /orgs/my-org/apps/shop/pipeline-runs", DEPLOYS]);
    let expected =
        serde_json::json!({"set_id": "s1", "comment": "text", "value_set_version_id": "v1", "mode": "incremental"});
    assert_eq!(seen[1].json(), expected);
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
        (404, ""),
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
    assert_eq!(seen[6].json().get("strict_removal"), None);
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

#[test]
fn what_may_pass_is_tried_again_where_that_is_safe() {
    let answers = |statuses: &[u16]| statuses.iter().map(|status| Answer::new(*status, "{}")).collect::<Vec<_>>();
    let soon = || Answer::new(429, "").header("Retry-After", "0");
    for (words, script, n_requests, end) in [
        ("api get /x", answers(&[503, 502, 200]), 3, ""),
        ("api get /x", answers(&[504; 5]), 5, "HTTP-504"),
        ("api get /x", answers(&[500, 200]), 1, "HTTP-500"),
        ("api get /x", vec![Answer::cut(), Answer::new(200, "{}")], 2, ""),
        ("api put /x -d {}", vec![Answer::cut(), Answer::new(200, "{}")], 2, ""),
        ("api delete /x", answers(&[503, 200]), 2, ""),
        ("api post /x -d {}", answers(&[503, 200]), 1, "HTTP-503"),
        ("api patch /x -d {}", answers(&[503, 200]), 1, "HTTP-503"),
        ("api post /x -d {}", vec![Answer::cut(), Answer::new(200, "{}")], 1, "cannot be reached"),
        // The server says that it did nothing, or knows the request again.
        ("api post /x -d {}", vec![soon(), Answer::new(200, "{}")], 2, ""),
        ("api post /x -d {} -H Idempotency-Key:k1", answers(&[503, 200]), 2, ""),
    ] {
        let api = FakeApi::script(script);
        let run = hosted(&api).run(words);
        if end.is_empty() {
            assert_eq!(run.ok().stdout, "{}\n", "{words}");
        } else {
            assert!(run.fails().stderr.contains(end), "{words}");
        }
        assert_eq!(api.lines().len(), n_requests, "{words}");
    }
}

#[test]
fn lists_that_come_in_pages_are_put_together() {
    let link = |target: &str, body: &str| Answer::new(200, body).header("Link", format!("<{target}>; rel=\"next\""));
    let api = FakeApi::routes([
        ("GET /orgs/o1/pipelines", vec![link("/base/orgs/o1/pipelines?page=2", "[1,2]")]),
        ("GET /orgs/o1/pipelines?page=2", vec![link("?page=3", "[3]")]),
        ("GET /orgs/o1/pipelines?page=3", vec![Answer::new(200, "[]")]),
        ("GET /away", vec![link("https://other.example/x", "[1]")]),
        ("GET /mixed", vec![link("/base/object", "[1]")]),
        ("GET /object", vec![Answer::new(200, "{}")]),
    ]);
    let env = hosted(&api);
    assert_eq!(env.run("api get /orgs/o1/pipelines").ok().json(), serde_json::json!([1, 2, 3]));
    assert_eq!(env.run("api get /orgs/o1/pipelines?page=2").ok().json(), serde_json::json!([3]));
    let away = env.run("api get /away").fails().stderr;
    assert!(away.contains("is not on `http://127.0.0.1:") && away.contains("`https://other.example/x`"), "{away}");
    assert!(env.run("api get /mixed").fails().stderr.contains("one of them is no list"));
}

#[test]
fn redirections_are_not_followed() {
    let other = FakeApi::script([(200, "[]")]);
    let api = FakeApi::script([Answer::new(302, "").header("Location", other.prefix())]);
    let failed = hosted(&api).run("get orgs").fails().stderr;
    let expected = format!("Error: HTTP-302 [{}]\n  hint: the answer points to {}, where", api.host(), other.prefix());
    assert!(failed.starts_with(&expected), "{failed}");
    assert!(other.seen().is_empty());
}

#[test]
fn a_user_agent_can_be_given_and_a_token_must_be_one() {
    let api = FakeApi::script([(200, "[]"), (200, "[]")]);
    let mut env = hosted(&api);
    env.set("HUMANITEC_OVERRIDE_USER_AGENT", "humanitec-vscode-extension/1.2.3");
    env.run("get orgs").ok();
    env.set("HUMANITEC_OVERRIDE_USER_AGENT", "no\nheader");
    env.run("get orgs").ok();
    let agent = |n: usize, name: &str| api.seen()[n].header(name).unwrap().to_owned();
    for name in ["user-agent", "humanitec-user-agent"] {
        assert_eq!(agent(0, name), "humanitec-vscode-extension/1.2.3");
        assert!(agent(1, name).starts_with("app humctl/"));
    }
    env.set("HUMANITEC_TOKEN", "canary token");
    let failed = env.run("get orgs").fails().stderr;
    assert!(failed.contains("the token is empty, or holds blanks") && !failed.contains("canary"), "{failed}");
}

#[test]
fn api_sends_what_it_is_given() {
    let mut answers: Vec<(u16, &str)> = vec![(200, "{\"b\": [1], \"a\": \"x\"}"); 3];
    answers.push((204, ""));
    let api = FakeApi::script(answers);
    let env = hosted(&api);
    env.write("p.yaml", "name: main\n");
    let shown = env.run("api PaTcH /orgs/o/apps/a/pipelines/main -f p.yaml -H If-Match:1a2b -o yaml").ok().stdout;
    assert_eq!(shown, "a: x\nb:\n- 1\n");
    env.run_with_stdin("api post /orgs/o/keys -f -", "\"-----BEGIN\"").ok();
    env.run("api post /x -d 1 -H content-type:text/plain").ok();
    assert_eq!(env.run("api delete /x").ok().stdout, "");
    let seen = api.seen();
    assert_eq!(seen[0].header("content-type"), Some("application/x-yaml"));
    assert_eq!((seen[0].header("if-match"), seen[0].text().as_str()), (Some("1a2b"), "name: main\n"));
    assert_eq!((seen[1].header("content-type"), seen[1].text().as_str()), (Some("application/json"), "\"-----BEGIN\""));
    assert_eq!(seen[2].header("content-type"), Some("text/plain"));
    assert_eq!(seen[3].line(), "DELETE /base/x");
    let refused = env.run_args(&["api", "get", "/x", "-H", "Authorization: Bearer x"]).fails().stderr;
    assert!(refused.contains("not given as a header, but with --token"), "{refused}");
}

#[test]
fn accounts_and_connectivity_are_checked_by_a_hosted_orchestrator() {
    const ENVIRONMENT: &str = "{\"id\":\"dev\",\"name\":\"Dev\",\"type\":\"development\",\"created_at\":\"t\",\
        \"created_by\":\"u\",\"status\":\"active\",\"status_changed_at\":\"t\"}";
    const CONNECTIVITY: &str = "POST /orgs/my-org/runtime/actions/check-connectivity";
    let account =
        "{\"identity_fields\":[{\"id\":\"arn\",\"description\":\"ARN\",\"value\":\"aws:x\"}],\"warnings\":[\"old\"]}";
    let check = |success: bool| {
        format!(
            "{{\"success\":{success},\"resource_summaries\":[],\"conditions\":[{{\"type\":\"GraphCanProvision\",\
             \"status\":\"True\",\"message\":\"fine\"}}]}}"
        )
    };
    let api = FakeApi::routes([
        ("POST /orgs/my-org/resources/accounts/good/actions/check", vec![(200, account.to_owned())]),
        (
            "POST /orgs/my-org/resources/accounts/bad/actions/check",
            vec![(400, "{\"error\":\"ACC-1\",\"message\":\"expired\"}".to_owned())],
        ),
        ("GET /orgs/my-org/apps/shop/envs/dev", vec![(200, ENVIRONMENT.to_owned())]),
        (CONNECTIVITY, vec![(200, check(true)), (200, check(false))]),
    ]);
    let env = hosted(&api);
    let found = env.run("resources check-account good").ok().stdout;
    insta::assert_snapshot!(found, @r"
    ID 	Value	Description
    arn	aws:x	ARN        
    warning: old
    ");
    assert!(env.run("resources check-account bad").fails().stderr.contains("HTTP-400: expired (ACC-1)"));
    let checked = env.run("resources check-connectivity --app shop --env dev").ok().stdout;
    insta::assert_snapshot!(checked, @r"
    Condition        	Status	Message
    GraphCanProvision	True  	fine   
    ");
    let failed = env.run("resources check-connectivity --app shop --env dev --env-type staging -o json");
    assert_eq!((failed.code, failed.stderr.as_str()), (1, ""));
    assert_eq!(failed.json()["success"], false);
    let asked: Vec<_> =
        api.seen().iter().filter(|seen| seen.line().ends_with("check-connectivity")).map(|seen| seen.json()).collect();
    assert_eq!(asked[0], serde_json::json!({"app_id": "shop", "env_id": "dev", "env_type": "development"}));
    assert_eq!(asked[1]["env_type"], "staging");
    for words in ["resources check-account x --api-prefix local", "resources check-connectivity --api-prefix local"] {
        let failed = env.run(words).fails().stderr;
        assert!(failed.contains("needs a hosted Orchestrator"), "{failed}");
    }
}
