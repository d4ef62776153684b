//! Going back, going elsewhere, and what outlives its reference.

use serde_json::Value;

use crate::harness::{POSTGRES, Remote, Run, TestEnv, mask};

const DB: &str = "    variables: {DB: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres}\n";

/// The file of the database in `shop/development`, by the formula of the `GUResID`.
const DB_FILE: &str = "shop/development/resource-a89c5939436ef19101e5978b4b3b9755bb6431db.yaml";

const ENV: &str = "--app shop --env development";

const PATH: &str = "/orgs/local/apps/shop/envs/development";

/// `web` with a database, then `web` without.
fn two_deployments(env: &TestEnv) -> Remote {
    let remote = env.remote("r");
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES);
    env.run("apply -f postgres.yaml").ok();
    env.score("web", DB).deploy().ok();
    env.score("web", "").deploy().ok();
    remote
}

fn database(env: &TestEnv) -> Value {
    let active = env.run(&format!("get active-resources {ENV} -o json")).ok().json();
    let is_database = |resource: &&Value| resource["metadata"]["type"] == "postgres";
    active.as_array().unwrap().iter().find(is_database).cloned().unwrap_or_default()
}

fn ids(env: &TestEnv) -> Vec<String> {
    let deployments = env.run(&format!("get deployments {ENV} -o json")).ok().json();
    let id = |deployment: &Value| deployment["metadata"]["id"].as_str().unwrap().to_owned();
    deployments.as_array().unwrap().iter().map(id).collect()
}

fn put(env: &TestEnv, path: &str, body: &str) -> Run {
    env.run_args(&["api", "put", path, "-d", body])
}

fn post(env: &TestEnv, path: &str, body: &str) -> Run {
    env.run_args(&["api", "post", path, "-d", body])
}

#[test]
fn a_rollback_brings_back_the_same_resource_and_the_same_bytes() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "ours\n"), ("shop/development/notes.txt", "keep\n")]);
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES);
    env.run("apply -f postgres.yaml").ok();
    env.score("web", DB).deploy().ok();
    let (tree, first) = (remote.tree("main"), database(&env));
    env.score("web", "").deploy().ok();
    assert!(!remote.tree("main").contains(DB_FILE));
    let dropped = database(&env);
    assert_eq!(dropped, first, "a resource that nothing refers to stays as it was");
    let shown = env.run(&format!("deploy deploy +1 . --wait {ENV}")).ok();
    insta::assert_snapshot!(mask(&shown.stdout), @"
    Deployment [ID]: in progress
    Deployment [ID]: succeeded
      ~ workload.default#modules.web (shop/development/resource-83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0.yaml)
      + postgres.default#modules.web.externals.db (shop/development/resource-a89c5939436ef19101e5978b4b3b9755bb6431db.yaml)
      ~ workload web (shop/development/workload-web.yaml)
    1 added, 2 changed, 0 removed
    committed: main@[SHA]
    ");
    assert_eq!(remote.tree("main"), tree);
    let back = database(&env);
    assert_eq!(back["metadata"]["gu_res_id"], first["metadata"]["gu_res_id"]);
    assert_eq!(back["status"]["deploy_id"], ids(&env)[0].as_str());
}

#[test]
fn an_environment_that_is_rebased_goes_back_with_its_next_deployment() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    let [second, first]: [String; 2] = ids(&env).try_into().unwrap();
    let before = remote.tree("main");
    assert_eq!(put(&env, &format!("{PATH}/from_deploy_id"), &format!("\"{first}\"")).ok().stdout, "");
    // Nothing happens yet, and the rebase is no deployment of somebody else.
    assert_eq!((remote.tree("main"), ids(&env)), (before.clone(), vec![second.clone(), first.clone()]));
    let shown = env.run(&format!("api get {PATH}")).ok().json();
    assert_eq!((&shown["from_deploy"]["id"], &shown["last_deploy"]["id"]), (&first.clone().into(), &second.into()));
    let third = post(&env, &format!("{PATH}/deploys"), "{\"comment\": \"back\"}").ok().json();
    assert_eq!(third["from_id"], first.as_str());
    assert!(remote.tree("main").contains(DB_FILE));
    // From here on it is as after any deployment.
    let shown = env.run(&format!("api get {PATH}")).ok().json();
    assert_eq!(shown["from_deploy"]["id"], third["id"]);
    env.score("web", "").deploy().ok();
    assert_eq!(remote.tree("main"), before);
}

#[test]
fn a_delta_on_a_rebased_environment_changes_what_it_was_rebased_to() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    let first = ids(&env).remove(1);
    put(&env, &format!("{PATH}/from_deploy_id"), &format!("\"{first}\"")).ok();
    env.score("api", "").deploy().ok();
    let names = remote.list("main", "shop/development");
    assert!(names.contains(&"workload-api.yaml".to_owned()) && names.contains(&"workload-web.yaml".to_owned()));
    assert!(remote.tree("main").contains(DB_FILE));
    let failed = put(&env, &format!("{PATH}/from_deploy_id"), "\"1234\"").fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: HTTP-400: there is no deployment `1234` in application `shop`
      hint: list them with: humctl get deployments --app shop --env development
    ");
}

#[test]
fn a_redeployment_takes_changed_definitions_and_nothing_else() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    env.score("web", DB).deploy().ok();
    let n_commits = remote.n_commits("main");
    post(&env, &format!("{PATH}/deploys"), "{}").ok();
    assert_eq!(remote.n_commits("main"), n_commits);
    env.write("postgres.yaml", &POSTGRES.replace("db.internal", "db.other")).run("apply -f postgres.yaml").ok();
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(remote.show("main", DB_FILE).contains("db.other"));
    assert_eq!(remote.git(&["diff", "--name-only", "main~1", "main"]).lines().count(), 2, "the file and the record");
}

#[test]
fn an_environment_is_cloned_into_another() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    env.score("web", DB).deploy().ok();
    env.run("create env staging --type staging --app shop").ok();
    let development = remote.list("main", "shop/development");
    // The words of public scripts, flags in between included.
    env.run("deploy env development staging --app shop").ok();
    let staging = remote.list("main", "shop/staging");
    assert_eq!(staging.len(), development.len());
    assert!(staging.iter().filter(|name| development.contains(name)).eq(["workload-web.yaml"]), "{staging:?}");
    assert_eq!(remote.list("main", "shop/development"), development);
    env.run("create env qa --app shop").ok();
    let shown = env.run("deploy --env development deploy . envs/qa -o json --app shop").ok().json();
    let id = shown["metadata"]["id"].as_str().unwrap();
    env.run(&format!("get deploy {id} --app shop --env qa")).ok();
    assert_eq!(
        shown["entity"]["set_id"],
        env.run(&format!("get deploy . {ENV} -o json")).ok().json()["entity"]["set_id"]
    );
}

#[test]
fn references_that_lead_nowhere_are_told() {
    let env = TestEnv::new();
    two_deployments(&env);
    env.run("create env fresh --app shop").ok();
    for (words, expected) in [
        (
            "deploy deploy +7 . --app shop --env development",
            "deployment `+7` not found: environment `development` has 2",
        ),
        ("deploy deploy +x . --app shop --env development", "after + comes a number"),
        ("deploy deploy . . --app shop --env fresh", "no deployments in environment `fresh`"),
        ("deploy env fresh development --app shop", "no deployments in environment `fresh`"),
        ("deploy env nope development --app shop", "HTTP-404"),
        ("deploy set 123 development --app shop", "deployment set `123` does not exist"),
        ("deploy delta 123 development --app shop", "deployment delta `123` does not exist"),
        ("deploy set . --app shop", "environment is required"),
        ("diff sets deploy/+7 deploy/. --app shop --env development", "`+7` not found"),
        ("diff sets env/fresh env/development --app shop", "no deployments in environment `fresh`"),
        ("deploy deploy . --mode half --app shop --env development", "invalid value"),
    ] {
        let failed = env.run(words).fails();
        assert!(failed.stderr.contains(expected), "{words}: {}", failed.stderr);
    }
}

#[test]
fn only_failed_deployments_are_no_source() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.score("web", "").deploy().fails();
    let failed = env.run(&format!("deploy env development {ENV}")).fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: no deployments in environment `development` succeeded
      hint: see why: humctl get deployment-error --app shop --env development
    ");
}

#[test]
fn a_resource_in_use_is_not_deleted_and_one_that_left_is_marked() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    env.run(&format!("deploy deploy +1 {ENV}")).ok();
    let used = env.run(&format!("delete active-resource postgres#modules.web.externals.db {ENV}")).fails();
    insta::assert_snapshot!(used.errors(), @"
    Error: HTTP-409: active resource `postgres.default#modules.web.externals.db` is used by deployment `[ID]`
      hint: deploy without it first, or forget it with `detach` (--detach)
    ");
    env.score("web", "").deploy().ok();
    let n_commits = remote.n_commits("main");
    let marked = env.run(&format!("delete active-resource modules.web.externals.db {ENV}")).ok();
    insta::assert_snapshot!(marked.stdout, @"
    Active Resource postgres.default#modules.web.externals.db is marked for deletion.
    Its custom resource has left Git and is kept in the cluster. Delete it there, which also deletes what the
    Driver made, and then forget it here:
      kubectl delete resources.humctl.dev a89c5939436ef19101e5978b4b3b9755bb6431db --namespace shop-development
      humctl delete active-resource postgres.default#modules.web.externals.db --detach --app shop --env development
    ");
    assert_eq!(remote.n_commits("main"), n_commits);
    let shown = database(&env);
    assert_eq!(
        (&shown["status"]["status"], &shown["status"]["scheduled_deletion"]),
        (&"deleting".into(), &true.into())
    );
    let listed = |query: &str| env.run(&format!("api get {PATH}/resources?scheduled_deletion={query}")).ok().json();
    assert_eq!(listed("true").as_array().unwrap().len(), 1);
    assert_eq!(listed("false").as_array().unwrap().len(), 4);
    // A deployment that uses it again takes the mark away.
    env.score("web", DB).deploy().ok();
    assert_eq!(database(&env)["status"]["status"], "active");
    env.score("web", "").deploy().ok();
    let forgotten =
        env.run(&format!("delete active-resource postgres.default#modules.web.externals.db --detach {ENV}"));
    assert_eq!(forgotten.ok().stdout, "");
    assert_eq!(database(&env), Value::Null);
    let gone = env.run(&format!("delete active-resource postgres#modules.web.externals.db {ENV}")).fails();
    assert!(gone.stderr.contains("does not exist"), "{}", gone.stderr);
    assert!(
        env.run(&format!("delete env x --detach {ENV}")).fails().stderr.contains("--detach is for active resources")
    );
}

#[test]
fn resources_that_differ_by_class_alone_want_the_class() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    for class in ["default", "fast"] {
        let definition = POSTGRES
            .replace("postgres-team", &format!("pg-{class}"))
            .replace("criteria: [{}]", &format!("criteria: [{{class: {class}}}]"));
        env.write("pg.yaml", &definition).run("apply -f pg.yaml").ok();
    }
    env.score("web", "resources:\n  one: {type: postgres, id: db}\n  two: {type: postgres, id: db, class: fast}\n")
        .deploy()
        .ok();
    let delete = |kind: &str| env.run(&format!("api delete {PATH}/resources/{kind}/shared.db?detach=true"));
    let ambiguous = delete("postgres").fails();
    insta::assert_snapshot!(ambiguous.stderr, @"
    Error: HTTP-409: there are 2 active resources `postgres#shared.db`, of the classes default, fast
      hint: name the class, as in `postgres.default`
    ");
    let pin =
        post(&env, &format!("{PATH}/resources/postgres/shared.db/actions/pin"), "{\"target_def_version_id\": null}");
    assert!(pin.fails().stderr.contains("HTTP-400: there are 2 active resources"));
    let named = env.run(&format!("delete active-resource postgres#shared.db {ENV}")).fails();
    assert!(
        named.stderr.contains("name one of postgres.default#shared.db, postgres.fast#shared.db"),
        "{}",
        named.stderr
    );
    assert_eq!(delete("postgres.fast").ok().stdout, "");
    delete("postgres").ok();
    assert!(
        delete("postgres").fails().stderr.contains("HTTP-404: active resource `postgres#shared.db` does not exist")
    );
}

#[test]
fn an_incremental_deployment_leaves_alone_what_it_does_not_change() {
    let env = TestEnv::new();
    let remote = two_deployments(&env);
    env.score("web", DB).deploy().ok();
    let deployed_by = |env: &TestEnv| -> Vec<(String, String)> {
        let active = env.run(&format!("get active-resources {ENV} -o json")).ok().json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pair = |r: &Value| (text(&r["metadata"]["res_id"]), text(&r["status"]["deploy_id"]));
        active.as_array().unwrap().iter().map(pair).collect()
    };
    let third = ids(&env).remove(0);
    assert!(deployed_by(&env).iter().all(|(_, id)| *id == third));
    env.score("web", &DB.replace("DB:", "OTHER: x, DB:"));
    env.run(&format!("score deploy --mode incremental {ENV}")).ok();
    let fourth = ids(&env).remove(0);
    let renewed: Vec<String> =
        deployed_by(&env).into_iter().filter(|(_, id)| *id == fourth).map(|(res_id, _)| res_id).collect();
    assert_eq!(renewed, ["modules.web"]);
    // A changed Definition is a change, too.
    env.write("postgres.yaml", &POSTGRES.replace("db.internal", "db.other")).run("apply -f postgres.yaml").ok();
    env.run(&format!("deploy env development --mode incremental {ENV}")).ok();
    let fifth = ids(&env).remove(0);
    assert_eq!(database(&env)["status"]["deploy_id"], fifth.as_str());
    assert_eq!(database(&env)["status"]["resource"]["host"], "db.other");
    // A full one renews everything, without a commit.
    let n_commits = remote.n_commits("main");
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(deployed_by(&env).iter().all(|(_, id)| *id == ids(&env)[0]));
    assert_eq!(remote.n_commits("main"), n_commits);
}

#[test]
fn usage_tells_who_needs_a_resource_and_since_when() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES);
    env.run("apply -f postgres.yaml").ok();
    env.score("web", DB).deploy().ok();
    insta::assert_snapshot!(env.run(&format!("resources active-resource-usage {ENV}")).ok().stdout, @"
    Type         	Class  	ID                      	Definition                    	Driver                   	Status	Used By                     	Deployments Ago
    base-env     	default	base-env                	default-humanitec-base-env    	humanitec/echo           	active	-                           	0              
    k8s-cluster  	default	k8s-cluster             	git-target                    	humanitec/k8s-cluster-git	active	-                           	0              
    k8s-namespace	default	k8s-namespace           	default-humanitec-namespace   	humanitec/echo           	active	-                           	0              
    postgres     	default	modules.web.externals.db	postgres-team                 	humanitec/echo           	active	workload.default#modules.web	0              
    workload     	default	modules.web             	default-humanitec-workload-res	humanitec/echo           	active	-                           	0
    ");
    env.score("web", "").deploy().ok();
    let shown = env.run(&format!("resources active-resource-usage {ENV} -o json")).ok().json();
    let database = shown.as_array().unwrap().iter().find(|r| r["metadata"]["type"] == "postgres").unwrap();
    assert_eq!(
        (&database["status"]["deployments_ago"], &database["status"]["used_by"]),
        (&1.into(), &Value::Array(vec![]))
    );
    let fresh = TestEnv::new();
    fresh.run("create app shop").ok();
    assert_eq!(fresh.run(&format!("resources active-resource-usage {ENV} -o json")).ok().stdout, "[]\n");
}

#[test]
fn a_second_deployment_waits_for_the_first_when_told_to() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "").deploy().ok();
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {0}.here; while [ ! -e {0} ]; do sleep 0.05; done", gate.display()));
    let first = env.score("api", "").start(&format!("score deploy {ENV}"));
    while !env.path("gate.here").exists() {
        std::thread::yield_now();
    }
    let busy = env.run(&format!("deploy env development {ENV}")).fails();
    assert!(busy.stderr.contains("HTTP-409: another deployment of environment `development` is in progress"));
    let second = env.start(&format!("deploy env development --retry {ENV}"));
    std::fs::write(gate, "").unwrap();
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(second.wait_with_output().unwrap().status.success());
    assert_eq!(ids(&env).len(), 3);
}

#[test]
fn an_environment_does_not_fall_back_to_nothing_when_its_base_is_gone() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "").deploy().ok();
    env.run("create env qa --from development --app shop").ok();
    let set = env.run(&format!("get deployment-set . {ENV} -o json")).ok().json()["metadata"]["id"].clone();
    env.run("delete env development --app shop").ok();
    let failed = env.score("api", "").run("score deploy --app shop --env qa").fails();
    assert!(failed.stderr.contains("which this environment starts from, does not exist any more"), "{}", failed.stderr);
    env.run(&format!("deploy set {} qa --app shop", set.as_str().unwrap())).ok();
    assert!(remote.list("main", "shop/qa").contains(&"workload-web.yaml".to_owned()));
}
