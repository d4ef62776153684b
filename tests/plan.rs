//! `--plan`: what a Deployment would change, before it does; and resources
//! that store something are not removed by accident.

use serde_json::Value;

use crate::harness::{Answer, FakeApi, POSTGRES, Remote, Run, TestEnv, hosted, mask};

const DATABASE: &str = "    variables: {HOST: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres}\n";

/// `web` with a database, deployed.
fn with_database(env: &TestEnv) -> Remote {
    let remote = env.remote("r");
    env.write("postgres.yaml", &POSTGRES.replace("postgres-team", "postgres-a"));
    env.run("apply -f postgres.yaml").ok();
    env.shop(&remote, "main").score("web", DATABASE).deploy().ok();
    remote
}

fn plan(env: &TestEnv, rest: &str) -> Run {
    env.run(&format!("score deploy --app shop --env development --plan {rest}"))
}

/// The run says that there are changes.
#[track_caller]
fn changes(run: Run) -> Run {
    assert_eq!((run.code, run.stderr.as_str()), (2, ""), "stdout: {}", run.stdout);
    run
}

/// Everything of the state that is not a lock or a log of the database.
fn state(env: &TestEnv) -> String {
    let shown = |what: &str| env.run(&format!("get {what} --app shop --env development -o json")).ok().stdout;
    ["deltas", "deploys", "deployment-sets", "active-resources"].map(shown).concat()
}

#[test]
fn a_plan_tells_parts_and_lines_and_exits_2() {
    let env = TestEnv::new();
    with_database(&env);
    env.score("web", "    variables: {HOST: elsewhere}\n");
    insta::assert_snapshot!(mask(&changes(plan(&env, "")).stdout), @r#"
    shop/development -> file://[TMP]/r.git, branch main, path shop/development, on [SHA]
      ~ workload.default#modules.web (shop/development/resource-83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0.yaml)
          /spec/dependsOn ["a89c5939436ef19101e5978b4b3b9755bb6431db"] -> none
          /spec/params/spec/containers/main/variables/HOST {"$ref":{"out":"host","res":"a89c5939436ef19101e5978b4b3b975… -> "elsewhere"
      - postgres.default#modules.web.externals.db (shop/development/resource-a89c5939436ef19101e5978b4b3b9755bb6431db.yaml), stateful: what it stores may go with it
      ~ workload web (shop/development/workload-web.yaml)
          /spec/dependsOn - "a89c5939436ef19101e5978b4b3b9755bb6431db"
          /spec/externals {"db":"a89c5939436ef19101e5978b4b3b9755bb6431db"} -> none
          /spec/module/containers/main/variables/HOST {"$ref":{"out":"host","res":"a89c5939436ef19101e5978b4b3b975… -> "elsewhere"
    0 to add, 2 to change, 1 to remove (1 stateful)

    --- a/shop/development/resource-83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0.yaml
    +++ b/shop/development/resource-83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0.yaml
    @@ -24,8 +24,6 @@
         orgId: local
       definition:
         id: default-humanitec-workload-res
    -  dependsOn:
    -  - a89c5939436ef19101e5978b4b3b9755bb6431db
       driver:
         type: humanitec/echo
       guresid: 83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0
    @@ -48,9 +46,6 @@
               id: main
               image: busybox
               variables:
    -            HOST:
    -              $ref:
    -                out: host
    -                res: a89c5939436ef19101e5978b4b3b9755bb6431db
    +            HOST: elsewhere
       schemaRevision: 1
       type: workload

    --- a/shop/development/resource-a89c5939436ef19101e5978b4b3b9755bb6431db.yaml
    +++ /dev/null
    @@ -1,63 +0,0 @@
    -apiVersion: humctl.dev/v1alpha1
    -kind: Resource
    -metadata:
    -  annotations:
    -    argocd.argoproj.io/compare-options: IgnoreExtraneous
    -    argocd.argoproj.io/sync-options: Prune=false,Delete=false
    -    kustomize.toolkit.fluxcd.io/prune: disabled
    -    kustomize.toolkit.fluxcd.io/substitute: disabled
    -  labels:
    -    app.kubernetes.io/managed-by: humctl
    -    humctl.dev/app: shop
    -    humctl.dev/env: development
    -    humctl.dev/env-type: development
    -    humctl.dev/org: local
    -    humctl.dev/res-class: default
    -    humctl.dev/res-type: postgres
    -  name: a89c5939436ef19101e5978b4b3b9755bb6431db
    -spec:
    -  class: default
    -  context:
    -    appId: shop
    -    envId: development
    -    envType: development
    -    orgId: local
    -  definition:
    -    id: postgres-a
    -  driver:
    -    type: humanitec/echo
    -  driverInputs:
    -    secretRefs:
    -      password:
    -        ref: db/password
    -        store: team-vault
    -      username:
    -        ref: db/user
    -        store: team-vault
    -    values:
    -      host: db.internal
    -      name: app
    -      port: 5432
    -  guresid: a89c5939436ef19101e5978b4b3b9755bb6431db
    -  id: modules.web.externals.db
    -  outputsSchema:
    -    properties:
    -      secrets:
    -        properties:
    -          password:
    -            type: string
    -          username:
    -            type: string
    -        type: object
    -      values:
    -        properties:
    -          host:
    -            type: string
    -          name:
    -            type: string
    -          port:
    -            type: integer
    -        type: object
    -    type: object
    -  schemaRevision: 1
    -  type: postgres

    --- a/shop/development/workload-web.yaml
    +++ b/shop/development/workload-web.yaml
    @@ -19,9 +19,6 @@
       dependsOn:
       - 73eb520d495ec8f1210e97caa4b4d685c2892abb
       - 83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0
    -  - a89c5939436ef19101e5978b4b3b9755bb6431db
    -  externals:
    -    db: a89c5939436ef19101e5978b4b3b9755bb6431db
       id: web
       module:
         annotations:
    @@ -31,10 +28,7 @@
             id: main
             image: busybox
             variables:
    -          HOST:
    -            $ref:
    -              out: host
    -              res: a89c5939436ef19101e5978b4b3b9755bb6431db
    +          HOST: elsewhere
       profile: humanitec/default-module
       resource: 83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0
       schemaRevision: 1
    "#);
}

#[test]
fn a_plan_writes_neither_git_nor_state() {
    let env = TestEnv::new();
    let remote = with_database(&env);
    let before = (remote.tree("main"), remote.n_commits("main"), state(&env), remote.all_objects());
    env.score("web", "    variables: {HOST: elsewhere}\n");
    changes(plan(&env, ""));
    changes(plan(&env, "--remove"));
    env.run("deploy set env/development --app shop --env development --plan --adopt").ok();
    assert!(before == (remote.tree("main"), remote.n_commits("main"), state(&env), remote.all_objects()));
}

#[test]
fn without_changes_a_plan_exits_0() {
    let env = TestEnv::new();
    with_database(&env);
    let told = plan(&env, "").ok().stdout;
    assert!(told.ends_with("no changes\n"), "{told}");
    assert_eq!(plan(&env, "-o json").ok().json()["target"]["changed"], false);
}

#[test]
fn a_plan_tells_every_error_of_the_deployment() {
    let env = TestEnv::new();
    let remote = with_database(&env);
    env.score("web", "    variables: {A: \"${resources.qq.host}\"}\nresources:\n  qq: {type: nobody-has-this}\n");
    let failed = plan(&env, "").fails();
    assert!(failed.stderr.contains("would fail") && failed.stderr.contains("PLN-0"), "{}", failed.stderr);
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn what_is_printed_follows_the_schema_and_comes_true() {
    let env = TestEnv::new();
    let remote = with_database(&env);
    let schema = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../humctl-api-types/schemas/deployment-plan.json"
    ));
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema.unwrap()).unwrap()).unwrap();
    for score in ["    variables: {A: b}\n", DATABASE, "    variables: {A: c}\nresources:\n  dd: {type: postgres}\n"] {
        env.score("web", score);
        let plan = changes(plan(&env, "-o json")).json();
        let errors: Vec<String> = schema.iter_errors(&plan).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let before = remote.git(&["rev-parse", "main"]);
        assert_eq!(plan["target"]["commit"], before.trim());
        env.deploy().ok();
        // The diffs of the plan are those of the commit.
        let paths: Vec<&str> = plan["target"]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["path"].as_str().unwrap())
            .collect();
        let changed = remote.git(&["diff", "--no-renames", "--name-only", before.trim(), "main"]);
        let mut told: Vec<&str> = paths.clone();
        told.sort_unstable();
        assert_eq!(told, changed.lines().collect::<Vec<_>>());
        for change in plan["target"]["changes"].as_array().unwrap() {
            let path = change["path"].as_str().unwrap();
            let diff = remote.git(&["diff", "--no-renames", before.trim(), "main", "--", path]);
            let lines = |text: &str| -> Vec<String> {
                let is_content =
                    |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---");
                text.lines().filter(is_content).map(ToOwned::to_owned).collect()
            };
            assert_eq!(lines(change["diff"].as_str().unwrap()), lines(&diff), "{path}");
        }
    }
}

#[test]
fn a_deployment_prints_the_summary_of_its_plan() {
    let env = TestEnv::new();
    with_database(&env);
    env.score("web", "    variables: {HOST: elsewhere}\n");
    let planned = changes(plan(&env, "")).stdout;
    let told = env.deploy().ok().stdout;
    let files = |text: &str| -> Vec<String> {
        let is_file = |line: &&str| ["  + ", "  ~ ", "  - "].iter().any(|head| line.starts_with(head));
        text.lines().filter(is_file).map(ToOwned::to_owned).collect()
    };
    assert!(!files(&told).is_empty());
    assert_eq!(files(&told), files(&planned));
    assert!(told.contains("0 added, 2 changed, 1 removed (1 stateful)\ncommitted: main@"), "{told}");
    let target = &env.run("get deploy . --app shop --env development -o json").ok().json()["status"]["target"];
    let removed = target["changes"].as_array().unwrap().iter().find(|change| change["action"] == "remove").unwrap();
    assert_eq!((&removed["statefulness"], removed.get("diff")), (&Value::from("stateful"), None));
}

#[test]
fn what_stores_something_is_protected_on_request() {
    let env = TestEnv::new();
    let remote = with_database(&env);
    env.score("web", "    variables: {HOST: elsewhere}\n");
    let protected = "score deploy --app shop --env development --protect-stateful";
    let before = remote.tree("main");
    let failed = env.run(protected).fails();
    assert!(
        failed.stderr.contains("TGT-008") && failed.stderr.contains("postgres.default#modules.web.externals.db"),
        "{}",
        failed.stderr
    );
    assert!(env.run(&format!("{protected} --plan")).fails().stderr.contains("TGT-008"));
    assert_eq!(remote.tree("main"), before);
    // A type without state may go, and a database may when that is said.
    env.run(&format!("{protected} --allow-data-loss")).ok();
    assert_ne!(remote.tree("main"), before);
    env.write("dns.yaml", &POSTGRES.replace("postgres-team", "dns-a").replace("type: postgres", "type: dns"));
    env.run("apply -f dns.yaml").ok();
    env.score("web", "resources:\n  dd: {type: dns}\n").deploy().ok();
    env.score("web", "");
    env.run(protected).ok();
    assert_eq!(env.run("score deploy --allow-data-loss --app shop --env development").code, 1);
}

#[test]
fn a_secret_that_somebody_wrote_into_git_is_not_shown() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.git_cluster(&remote.url(), "      branch: main\n    secrets: {credentials: {password: canary-12345}}\n");
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    let file = "shop/development/workload-web.yaml";
    let leaked = remote.show("main", file).replace("busybox", "canary-12345");
    remote.commit("main", &[(file, &leaked)]);
    for format in ["", "-o json"] {
        let told = changes(plan(&env, format)).stdout;
        assert!(told.contains("[secret]") && !told.contains("canary"), "{told}");
    }
}

#[test]
fn a_hosted_orchestrator_is_told_to_have_no_plans() {
    let api = FakeApi::serve(|request| {
        let is_conversion = request.path.ends_with("/convert-score");
        let set = "{\"modules\":{\"web\":{\"profile\":\"humanitec/default-module\",\"spec\":{}}},\"shared\":{}}";
        Some(if is_conversion { Answer::new(200, set) } else { Answer::new(404, "404 page not found") })
    });
    let env = hosted(&api);
    let failed = env.score("web", "").run("score deploy --app shop --env development --plan").fails();
    assert!(failed.stderr.contains("needs the embedded Orchestrator"), "{}", failed.stderr);
}
