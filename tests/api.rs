//! The API without a server, through `humctl api`.

use crate::harness::TestEnv;

#[test]
fn any_verb_works_and_answers_are_sorted_json() {
    let env = TestEnv::new();
    assert_eq!(env.run("api get /current-user").ok().json()["id"], "local");
    let made = env.run_args(&["api", "POST", "/orgs/local/apps", "-d", "{\"id\": \"shop\", \"name\": \"Shop\"}"]).ok();
    assert!(made.stdout.starts_with("{\n  \"created_at\": "), "{}", made.stdout);
    let renamed = env.run_with_stdin("api patch /orgs/local/apps/shop -f -", "{\"name\": \"The Shop\"}").ok().json();
    assert_eq!(renamed["name"], "The Shop");
    assert_eq!(env.run("api delete /orgs/local/apps/shop").ok().stdout, "");
    let gone = env.run("api get /orgs/local/apps/shop").fails();
    assert_eq!(gone.stderr, "Error: HTTP-404: application `shop` does not exist\n");
}

#[test]
fn unknown_paths_methods_and_bodies_get_the_official_error() {
    let env = TestEnv::new();
    assert!(env.run("api get /nope").fails().stderr.contains("HTTP-404"));
    assert!(env.run("api delete /orgs").fails().stderr.contains("HTTP-405"));
    assert!(env.run("api get nope").fails().stderr.contains("does not start with"));
    assert!(env.run("api fetch /orgs").fails().stderr.contains("unknown method"));
    assert!(env.run_args(&["api", "post", "/orgs/local/apps", "-d", "{"]).fails().stderr.contains("is no JSON"));
    let wrong = env.run_args(&["api", "post", "/orgs/local/apps", "-d", "{\"id\": \"A B\", \"name\": \"x\"}"]).fails();
    assert!(wrong.stderr.contains("/id: `A B` is no application id"), "{}", wrong.stderr);
    let paused = env.run("api put /orgs/local/apps/shop/envs/development/runtime/paused -d true").fails();
    assert!(paused.stderr.contains("HTTP-400") && paused.stderr.contains("cannot be paused"), "{}", paused.stderr);
    assert!(env.run("api get /orgs/local/apps/shop/envs/development/runtime").fails().stderr.contains("HTTP-501"));
}

#[test]
fn an_environment_type_in_use_is_not_deleted() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let used = env.run("api delete /orgs/local/env-types/development").fails().stderr;
    assert_eq!(used, "Error: HTTP-409: it is in use\n  used by: shop/development\n");
    env.run("delete app shop").ok();
    env.run("api delete /orgs/local/env-types/development").ok();
}

#[test]
fn escapes_in_paths_are_left_alone() {
    let env = TestEnv::new();
    let body = "{\"type\": \"local/queue\", \"use\": \"direct\", \"name\": \"Queue\"}";
    env.run_args(&["api", "post", "/orgs/local/resources/types", "-d", body]).ok();
    assert!(env.run("get resource-type").ok().stdout.contains("local/queue"));
    env.run("api delete /orgs/local/resources/types/local%2Fqueue").ok();
    assert!(!env.run("get resource-type").ok().stdout.contains("local/queue"));
}

#[test]
fn criteria_are_replaced_and_duplicates_refused() {
    let env = TestEnv::new();
    for id in ["one-def", "two-def"] {
        let body =
            format!("{{\"id\": \"{id}\", \"name\": \"x\", \"type\": \"dns\", \"driver_type\": \"humanitec/echo\"}}");
        env.run_args(&["api", "post", "/orgs/local/resources/defs", "-d", &body]).ok();
    }
    let rules = "[{\"app_id\": \"shop\"}, {}]";
    let answer =
        env.run_args(&["api", "PUT", "/orgs/local/resources/defs/one-def/criteria", "--data", rules]).ok().json();
    assert_eq!(answer[0]["class"], "default");
    let duplicate = env.run_args(&["api", "post", "/orgs/local/resources/defs/two-def/criteria", "-d", "{}"]).fails();
    assert!(duplicate.stderr.contains("HTTP-409") && duplicate.stderr.contains("`one-def`"), "{}", duplicate.stderr);
    env.run_args(&["api", "PUT", "/orgs/local/resources/defs/one-def/criteria", "--data", "[]"]).ok();
    env.run_args(&["api", "post", "/orgs/local/resources/defs/two-def/criteria", "-d", "{}"]).ok();
}
