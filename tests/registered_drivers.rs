//! Deployments whose resources are made by Drivers that the Organization
//! registered with an address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Answer, FakeApi, FakeVault, HttpRequest, Remote, Server, TOKEN, TestEnv};
use crate::manifests::{definition, object, objects_shop};
use crate::secrets::{CANARY, contains, holds_canary};

/// A Driver for databases: what it needs to delete one is in the cookie, and
/// each operation takes two questions.
struct DatabaseDriver {
    api: FakeApi,
    /// Databases by id, and the inputs they were made with.
    databases: Arc<Mutex<BTreeMap<String, Value>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl DatabaseDriver {
    fn start() -> Self {
        let (databases, seen) =
            (Arc::<Mutex<BTreeMap<String, Value>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (shared, log) = (Arc::clone(&databases), Arc::clone(&seen));
        let api = FakeApi::serve(move |request| {
            let (answer, told) = answer(request, &mut shared.lock().unwrap());
            log.lock().unwrap().push(told);
            Some(answer)
        });
        Self { api, databases, seen }
    }

    /// Registers it as `local/ID` for a type.
    fn register(&self, env: &TestEnv, id: &str) {
        let text = format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: Driver
metadata: {{id: {id}}}
entity: {{type: postgres, target: \"{}/{id}\", account_types: [], inputs_schema: {{}}}}
",
            self.api.prefix()
        );
        env.write(&format!("driver-{id}.yaml"), &text).run(&format!("apply -f driver-{id}.yaml")).ok();
    }

    fn databases(&self) -> BTreeMap<String, Value> {
        self.databases.lock().unwrap().clone()
    }

    /// Operations since the last time, a line each.
    fn seen(&self) -> String {
        let lines = std::mem::take(&mut *self.seen.lock().unwrap());
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn answer(request: &HttpRequest, databases: &mut BTreeMap<String, Value>) -> (Answer, String) {
    // Done at once, by the Driver's own clock.
    let running = json!({
        "current_time": "2020-01-01T00:00:00Z", "estimated_completion_time": "2020-01-01T00:00:00.1Z",
    })
    .to_string();
    let (driver, id) = request.path.trim_start_matches("/base/").split_once('/').unwrap();
    let cookie = request.header("humanitec-driver-cookie").unwrap_or_default().to_owned();
    let (status, set, body) = match (request.method.as_str(), cookie.as_str()) {
        ("PUT", "") => {
            databases.insert(id.to_owned(), Value::Null);
            (202, Some("made"), running)
        }
        ("PUT", _) => {
            let inputs = request.json();
            let name = inputs["driver"]["values"]["name"].as_str().unwrap_or_default().to_owned();
            let key = inputs["driver"]["secrets"]["account"]["key"].as_str().unwrap_or_default().to_owned();
            if name == "wrong" {
                (400, None, json!({"error": "RES-104", "message": format!("{key} cannot do that")}).to_string())
            } else {
                databases.insert(id.to_owned(), inputs.clone());
                let admin = &inputs["driver"]["secrets"]["admin"];
                let host = if name == "teller" { admin.clone() } else { json!(format!("{name}.db.internal")) };
                let outputs = json!({
                    "values": {"host": host, "port": 5432, "name": name, "username": "app"},
                    "secrets": {"password": format!("{CANARY}-of-{name}"), "username": "app"},
                });
                let object = if name == "odd" { "no name at all" } else { "db-tls" };
                let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": object},
                    "data": {"mode": "require"}});
                let body = json!({"id": id, "type": "postgres", "resource": outputs,
                    "manifests": [{"location": "namespace", "data": manifest}]});
                (200, None, body.to_string())
            }
        }
        ("DELETE", _) if databases.get(id).is_some_and(|inputs| inputs["driver"]["values"]["name"] == "sticky") => {
            let key = databases[id]["driver"]["secrets"]["account"]["key"].as_str().unwrap_or_default();
            (400, None, json!({"error": "RES-104", "message": format!("{key} may not delete")}).to_string())
        }
        ("DELETE", "") => (404, None, String::new()),
        ("DELETE", "made") => (202, Some("deleting"), running),
        ("DELETE", _) => {
            databases.remove(id);
            (204, Some(""), String::new())
        }
        _ => (405, None, String::new()),
    };
    let shown = if cookie.is_empty() { "-" } else { &cookie };
    let told = format!("{driver}: {} {shown} -> {status}", request.method);
    let answer = Answer::new(status, body);
    let answer = match set {
        Some(cookie) => answer.header("Set-Humanitec-Driver-Cookie", cookie),
        None => answer,
    };
    (answer, told)
}

fn made_by(env: &TestEnv, driver: &str, name: &str) {
    let inputs = format!("    values: {{name: \"{name}\"}}\n    secrets: {{account: {{key: {CANARY}}}}}\n");
    let text = definition("pg-made", "postgres", "echo", &inputs).replace("humanitec/echo", driver);
    env.write("pg.yaml", &text).run("apply -f pg.yaml").ok();
}

const USES: &str = "    variables: {HOST: \"${resources.db.host}\", URL: \"pg://app:${resources.db.password}@${resources.db.host}\"}\n\
     resources:\n  db: {type: postgres}\n";

/// An Application whose databases are made by the Driver `local/pg-cloud`.
fn database_shop(env: &TestEnv) -> (Remote, DatabaseDriver, FakeVault) {
    let (remote, driver, vault) = (objects_shop(env, ""), DatabaseDriver::start(), FakeVault::start());
    driver.register(env, "pg-cloud");
    vault.register(env);
    made_by(env, "local/pg-cloud", "shop-db");
    env.score("web", USES);
    (remote, driver, vault)
}

#[test]
fn a_driver_makes_what_a_deployment_needs_and_deletes_it_with_the_environment() {
    let env = TestEnv::new();
    let (remote, driver, vault) = database_shop(&env);
    env.deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: PUT - -> 202
    pg-cloud: PUT made -> 200
    ");
    let database = driver.databases().into_values().next().unwrap();
    assert_eq!(
        database,
        json!({"type": "postgres", "resource": {}, "driver": {
            "values": {"name": "shop-db"}, "secrets": {"account": {"key": CANARY}}}})
    );
    let secrets = vault.secrets();
    let path = "humctl/local/resources/shop/development/postgres.default/modules.web.externals.db";
    let kept = json!({"password": format!("{CANARY}-of-shop-db"), "username": "app"});
    assert_eq!(secrets, BTreeMap::from([(path.to_owned(), (1, kept))]));
    let files = remote.list("main", "shop/development");
    insta::assert_snapshot!(files.join("\n"), @"
    configmap-db-tls.yaml
    configmap-web-configmap-main.yaml
    deployment-web.yaml
    externalsecret-web-secrets-main.yaml
    ");
    let secret = object(&remote, "main", "shop/development/externalsecret-web-secrets-main.yaml");
    assert_eq!(
        secret["spec"]["data"],
        json!([{"secretKey": "s1", "remoteRef": {"key": path, "property": "password", "version": "1"}}])
    );
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());

    // The same again asks the Driver, and changes nothing.
    let again = env.deploy().ok().stdout;
    assert!(again.contains("no changes"), "{again}");
    insta::assert_snapshot!(driver.seen(), @"pg-cloud: PUT made -> 200");
    assert_eq!(vault.secrets(), secrets);

    env.run("create env staging --app shop --type development").ok();
    env.run("delete env development --app shop").ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: DELETE made -> 202
    pg-cloud: DELETE deleting -> 204
    ");
    assert_eq!(driver.databases().len(), 0);
    assert_eq!(vault.secrets(), secrets, "whoever keeps the data needs its password");
}

#[test]
fn a_plan_asks_no_driver_and_goes_by_what_it_answered() {
    const PLAN: &str = "score deploy --app shop --env development --plan";
    let env = TestEnv::new();
    let (remote, driver, vault) = database_shop(&env);
    insta::assert_snapshot!(env.run(PLAN).fails().errors(), @"
    Error: a deployment of shop/development would fail
    PRV-005 Outputs of a resource are not known here (resource postgres.default#modules.web.externals.db): `postgres.default#modules.web.externals.db` is made by the Driver `local/pg-cloud` of Definition `pg-made`, which only a Deployment asks, and which has not made it yet
      hint: deploy, or give its outputs with --outputs FILE
    ");
    let rendered = env.run("render --app shop --env development").fails().errors();
    assert!(rendered.contains("PRV-005") && rendered.contains("only a Deployment asks"), "{rendered}");
    assert_eq!((driver.seen().as_str(), vault.secrets().len(), remote.n_commits("main")), ("", 0, 0));

    env.deploy().ok();
    driver.seen();
    let planned = env.run(PLAN).ok().stdout;
    assert!(planned.contains("no changes"), "{planned}");
    made_by(&env, "local/pg-cloud", "other-db");
    // What the Driver will make of other inputs nobody knows: that is no plan without changes.
    let planned = env.run(PLAN);
    assert!(planned.code == 2 && planned.stdout.contains("gets other inputs than before"), "{}", planned.stdout);
    assert_eq!(driver.seen(), "");
    let changed = env.deploy().ok().stdout;
    assert!(changed.contains("~ ExternalSecret web-secrets-main"), "{changed}");
    assert_eq!(vault.secrets().into_values().next().unwrap().0, 2, "a new version");
}

#[test]
fn what_keeps_a_driver_from_making_a_resource_is_told_without_secrets() {
    let env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    made_by(&env, "local/pg-cloud", "wrong");
    let mut told = env.deploy().fails().errors();
    let at = |target: &str| {
        let text = format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: Driver
metadata: {{id: pg-cloud}}
entity: {{type: postgres, target: \"{target}\", account_types: [], inputs_schema: {{}}}}
"
        );
        env.write("driver.yaml", &text).run("apply -f driver.yaml").ok();
        env.deploy().fails().errors()
    };
    told += &at("http://127.0.0.1:1");
    told += &at("http://driver.example.com/v1");
    insta::assert_snapshot!(told, @"
    Error: deployment [ID] failed
    PRV-009 Registered Driver made nothing (resource postgres.default#modules.web.externals.db): `postgres.default#modules.web.externals.db` is made by the Driver `local/pg-cloud` of Definition `pg-made`: it refuses for good (HTTP-400)
      driver: RES-104: [secret] cannot do that
      hint: correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file
    Error: deployment [ID] failed
    PRV-009 Registered Driver made nothing (resource postgres.default#modules.web.externals.db): `postgres.default#modules.web.externals.db` is made by the Driver `local/pg-cloud` of Definition `pg-made`: it cannot be reached: Connection refused (os error 111)
      hint: check that it runs, its address and the network
    Error: deployment [ID] failed
    PRV-009 Registered Driver made nothing (resource postgres.default#modules.web.externals.db): `postgres.default#modules.web.externals.db` is made by the Driver `local/pg-cloud` of Definition `pg-made`: its address begins with `http://`, which would send secrets in clear; only loopback may be spoken to so
      hint: it is of the form http://localhost:8080 or https://service.example.com/v1
    ");
    assert_eq!(remote.n_commits("main"), 0);
    driver.register(&env, "pg-cloud");

    // Without a store there is no place for the password; what the Driver made is known all the same.
    env.run("delete secret-store team-vault").ok();
    made_by(&env, "local/pg-cloud", "shop-db");
    let told = env.deploy().fails().errors();
    assert!(told.contains("PRV-006") && told.contains("`password`, `username`"), "{told}");
    assert!(!contains(told.as_bytes()) && remote.n_commits("main") == 0, "{told}");
    assert_eq!(driver.databases().len(), 1);
    env.run("delete app shop").ok();
    assert_eq!(driver.databases().len(), 0);
}

#[test]
fn another_driver_takes_over_when_the_former_has_deleted() {
    let env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    env.deploy().ok();
    driver.register(&env, "pg-other");
    made_by(&env, "local/pg-other", "shop-db");
    driver.seen();
    let refused = env.run("score deploy --app shop --env development --protect-stateful").fails().errors();
    assert!(refused.contains("add --allow-data-loss") && driver.seen().is_empty(), "{refused}");
    env.deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: DELETE made -> 202
    pg-cloud: DELETE deleting -> 204
    pg-other: PUT - -> 202
    pg-other: PUT made -> 200
    ");
    assert_eq!(driver.databases().len(), 1);

    // Something that no Driver makes any more is deleted once the commit is there.
    let echo = definition(
        "pg-made",
        "postgres",
        "echo",
        "    values: {host: old.db.internal}\n    secret_refs: {password: {store: team-vault, ref: old}}\n",
    );
    env.write("pg.yaml", &echo).run("apply -f pg.yaml").ok();
    env.deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-other: DELETE made -> 202
    pg-other: DELETE deleting -> 204
    ");
    assert_eq!(driver.databases().len(), 0);
    assert!(!remote.list("main", "shop/development").contains(&"configmap-db-tls.yaml".to_owned()));
}

#[test]
fn a_driver_that_takes_over_in_place_leaves_what_is_there() {
    let env = TestEnv::new();
    let (_remote, driver, _vault) = database_shop(&env);
    env.deploy().ok();
    driver.register(&env, "pg-other");
    driver.seen();
    made_by(&env, "local/pg-other", "shop-db");
    let text = std::fs::read_to_string(env.path("pg.yaml")).unwrap();
    env.write("pg.yaml", &text.replace("  criteria:", "  in_place_driver_change: true\n  criteria:"));
    env.run("apply -f pg.yaml").ok();
    env.deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-other: PUT - -> 202
    pg-other: PUT made -> 200
    ");
}

#[test]
fn what_left_the_graph_stays_until_somebody_deletes_it() {
    let env = TestEnv::new();
    let (_remote, driver, _vault) = database_shop(&env);
    env.deploy().ok();
    let used = env.run("delete active-resource postgres#modules.web.externals.db --app shop --env development").fails();
    assert!(used.stderr.contains("is used by deployment"), "{}", used.stderr);
    env.score("web", "").deploy().ok();
    // A resource that comes back is the same one: its Driver gets its cookie.
    env.score("web", USES).deploy().ok();
    env.score("web", "").deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: PUT - -> 202
    pg-cloud: PUT made -> 200
    pg-cloud: PUT made -> 200
    ");
    env.run("delete active-resource postgres#modules.web.externals.db --app shop --env development").ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: DELETE made -> 202
    pg-cloud: DELETE deleting -> 204
    ");
    assert_eq!(driver.databases().len(), 0);

    env.score("web", USES).deploy().ok();
    env.score("web", "").deploy().ok();
    driver.seen();
    env.run("delete active-resource postgres#modules.web.externals.db --detach --app shop --env development").ok();
    env.run("delete app shop").ok();
    assert_eq!((driver.seen().as_str(), driver.databases().len()), ("", 1), "it is nobody's business any more");
}

#[test]
fn a_driver_that_cannot_be_reached_keeps_its_environment() {
    let env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    env.deploy().ok();
    let text = std::fs::read_to_string(env.path("driver-pg-cloud.yaml")).unwrap();
    let port = driver.api.host();
    // Deletions go to where a resource was made, whatever is registered now.
    env.write("driver.yaml", &text.replace(&port, "127.0.0.1:1")).run("apply -f driver.yaml").ok();
    let failed = env.deploy().fails().errors();
    assert!(failed.contains("cannot be reached"), "{failed}");
    let refused = env.run("delete app shop").fails().errors();
    insta::assert_snapshot!(refused.replace(&port, "[HOST]"), @"
    Error: HTTP-409: `postgres.default#modules.web.externals.db` was made by the Driver `local/pg-cloud`, which does not delete it: it cannot be reached: Connection refused (os error 111)
      hint: check that it runs, its address and the network
      hint: delete it once the Driver answers, or forget the resource first: humctl delete active-resource 'postgres.default#modules.web.externals.db' --app shop --env development --detach
    ");
    assert_eq!(driver.databases().len(), 1);
    env.run("get app shop").ok();
    driver.register(&env, "pg-cloud");
    env.deploy().ok();
    env.run("delete app shop").ok();
    assert_eq!(driver.databases().len(), 0);
    assert_eq!(remote.list("main", "shop"), Vec::<String>::new());
}

#[test]
fn a_deployment_may_be_killed_while_a_driver_is_asked() {
    let steps = {
        let env = TestEnv::new();
        let _shop = database_shop(&env);
        let command = &mut env.command("score deploy --app shop --env development -v9");
        let told = command.env("HUMCTL_FAULT_POINT", "1000").output().unwrap().stderr;
        let told = String::from_utf8(told).unwrap();
        let steps = told.lines().filter_map(|line| line.split_once("step ")?.1.split_once(": driver"));
        steps.map(|(number, _)| number.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(steps.len(), 3, "asked, answered, done");
    for step in steps {
        let env = TestEnv::new();
        let (remote, driver, _vault) = database_shop(&env);
        let ended = env.command("score deploy --app shop --env development").env("HUMCTL_FAULT_POINT", &step).output();
        assert_eq!(ended.unwrap().status.code(), None, "step {step}");
        assert_eq!(remote.n_commits("main"), 0);
        // Whatever the Driver has made by then, it is deleted with the Environment, or used by the next Deployment.
        let copy = env.path("home-copy");
        std::process::Command::new("cp").arg("-a").args([env.home(), &copy]).status().unwrap();
        env.deploy().ok();
        assert_eq!(driver.databases().len(), 1, "step {step}");
        std::fs::remove_dir_all(env.home()).unwrap();
        std::fs::rename(&copy, env.home()).unwrap();
        let made = driver.seen().contains("-> 202");
        env.run("delete app shop").ok();
        let seen = driver.seen();
        assert!(made && seen.contains("DELETE"), "step {step}: {seen}");
    }
}

#[test]
fn a_lost_race_asks_no_driver_again() {
    let env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    remote.commit("main", &[("README.md", "x\n")]);
    // Somebody else is faster, once.
    let once = env.path("once");
    remote.hook(
        "pre-receive",
        &format!(
            "[ -e {0} ] && exit 0\ntouch {0}\nunset GIT_QUARANTINE_PATH\n\
             export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n\
             git update-ref refs/heads/main $(git commit-tree -p main -m faster 'main^{{tree}}')",
            once.display()
        ),
    );
    env.deploy().ok();
    assert!(once.exists());
    assert_eq!(remote.n_commits("main"), 3);
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: PUT - -> 202
    pg-cloud: PUT made -> 200
    ");
}

#[test]
fn drivers_that_need_nothing_of_each_other_are_asked_at_once() {
    let env = TestEnv::new();
    let (_remote, driver, _vault) = database_shop(&env);
    env.score("web", "resources:\n  one: {type: postgres}\n  two: {type: postgres}\n").deploy().ok();
    insta::assert_snapshot!(driver.seen(), @"
    pg-cloud: PUT - -> 202
    pg-cloud: PUT - -> 202
    pg-cloud: PUT made -> 200
    pg-cloud: PUT made -> 200
    ");
}

#[test]
fn the_branch_is_free_while_a_driver_takes_its_time() {
    let env = TestEnv::new();
    let (remote, _driver, _vault) = database_shop(&env);
    env.run("create env staging --app shop --type development").ok();
    env.write("other.yaml", &crate::harness::score("other", ""));
    let mut other = env.command("score deploy -f other.yaml --app shop --env staging");
    let ended = Arc::new(Mutex::new(None));
    let told = Arc::clone(&ended);
    let slow = FakeApi::serve(move |request| {
        let mut told = told.lock().unwrap();
        told.get_or_insert_with(|| other.output().unwrap().status.code());
        Some(answer(request, &mut BTreeMap::new()).0)
    });
    let text = std::fs::read_to_string(env.path("driver-pg-cloud.yaml")).unwrap();
    let target = text.split('"').nth(1).unwrap();
    env.write("driver.yaml", &text.replace(target, &format!("{}/slow", slow.prefix())))
        .run("apply -f driver.yaml")
        .ok();
    env.deploy().ok();
    assert_eq!(*ended.lock().unwrap(), Some(Some(0)), "the Deployment into staging, in the middle of the other");
    assert_eq!(remote.n_commits("main"), 2);
}

#[test]
fn whoever_waits_for_a_driver_can_stop() {
    let env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    let running = json!({"current_time": "2020-01-01T00:00:00Z", "estimated_completion_time": "2020-01-01T01:00:00Z"});
    let slow = FakeApi::serve(move |_| Some(Answer::new(202, running.to_string())));
    let text = std::fs::read_to_string(env.path("driver-pg-cloud.yaml")).unwrap();
    let target = text.split('"').nth(1).unwrap();
    env.write("driver.yaml", &text.replace(target, &format!("{}/slow", slow.prefix())))
        .run("apply -f driver.yaml")
        .ok();
    let mut child = env.start("score deploy --app shop --env development");
    while slow.seen().is_empty() {
        std::thread::yield_now();
    }
    crate::sharing::interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let deployments = env.run("get deploy --app shop --env development -o json").ok().json();
    assert_eq!(deployments[0]["status"]["status"], "failed");
    assert_eq!((remote.n_commits("main"), driver.seen().as_str()), (0, ""));
}

#[test]
fn a_driver_gets_the_credentials_of_its_cloud_account_and_secrets_of_a_vault() {
    let env = TestEnv::new();
    let (remote, driver, vault) = database_shop(&env);
    vault.put("team/db", json!({"admin": format!("{CANARY}-admin"), "user": "root"}));
    let account = format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Account
metadata: {{id: my-cloud}}
entity: {{name: My cloud, type: aws, credentials: {{aws_access_key_id: AKIA, aws_secret_access_key: \"{CANARY}\"}}}}
"
    );
    env.write("account.yaml", &account).run("apply -f account.yaml").ok();
    let inputs = "    values: {name: shop-db}\n    secret_refs: {admin: {store: team-vault, ref: team/db#admin}}\n";
    let text = definition("pg-made", "postgres", "echo", inputs).replace("humanitec/echo", "local/pg-cloud");
    let text = text.replace("  criteria:", "  driver_account: my-cloud\n  criteria:");
    env.write("pg.yaml", &text).run("apply -f pg.yaml").ok();
    env.deploy().ok();
    let database = driver.databases().into_values().next().unwrap();
    assert_eq!(
        database["driver"]["secrets"],
        json!({"admin": format!("{CANARY}-admin"),
               "account": {"aws_access_key_id": "AKIA", "aws_secret_access_key": CANARY}})
    );
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());

    // What a Driver hands back in clear is not written.
    env.write("other.yaml", &text.replace("shop-db", "teller")).run("apply -f other.yaml").ok();
    let failed = env.deploy().fails().errors();
    assert!(failed.contains("configmap-web-configmap-main.yaml") && !contains(failed.as_bytes()), "{failed}");
    assert!(!contains(&remote.all_objects()));

    // Neither is guessed.
    for (from, to, told) in [
        ("my-cloud", "no-cloud", "Cloud Account `no-cloud`"),
        ("team/db#admin", "team/db", "name one, as in `team/db#password`"),
        ("team/db#admin", "team/db#none", "it has no secret `team/db#none`"),
        ("store: team-vault", "store: aws-store", "secret store `aws-store` is not registered"),
    ] {
        env.write("other.yaml", &text.replace(from, to)).run("apply -f other.yaml").ok();
        let failed = env.deploy().fails().errors();
        assert!(failed.contains(told) && failed.contains("PRV-009"), "{failed}");
    }
}

#[test]
fn a_server_asks_drivers_as_well() {
    let mut env = TestEnv::new();
    let (remote, driver, _vault) = database_shop(&env);
    env.write("token", TOKEN);
    let server = Server::start(&env, "--token-file token -v9");
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    assert_eq!(env.run("score deploy --app shop --env development --wait").code, 0);
    assert_eq!((driver.databases().len(), remote.n_commits("main")), (1, 1));
    assert_eq!(env.score("web", "").run("score deploy --app shop --env development --wait").code, 0);
    env.run("delete active-resource postgres#modules.web.externals.db --app shop --env development").ok();
    assert_eq!(driver.databases().len(), 0);
    assert_eq!(env.score("web", USES).run("score deploy --app shop --env development --wait").code, 0);
    assert_eq!(driver.databases().len(), 1);
    env.run("delete app shop").ok();
    assert_eq!(driver.databases().len(), 0);
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well && !told.contains("canary"), "{told}");
}

#[test]
fn a_driver_that_does_not_delete_is_quoted_without_secrets() {
    let env = TestEnv::new();
    let (_remote, driver, _vault) = database_shop(&env);
    made_by(&env, "local/pg-cloud", "sticky");
    env.deploy().ok();
    let refused = env.run("delete app shop").fails().errors();
    insta::assert_snapshot!(refused, @"
    Error: HTTP-409: `postgres.default#modules.web.externals.db` was made by the Driver `local/pg-cloud`, which does not delete it: it refuses for good (HTTP-400)
      driver: RES-104: [secret] may not delete
      hint: correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file
      hint: delete it once the Driver answers, or forget the resource first: humctl delete active-resource 'postgres.default#modules.web.externals.db' --app shop --env development --detach
    ");
    env.score("web", "").deploy().ok();
    env.run("delete active-resource postgres.default#modules.web.externals.db --app shop --env development --detach")
        .ok();
    env.run("delete app shop").ok();
    assert_eq!(driver.databases().len(), 1);
}

#[test]
fn an_answer_that_was_refused_is_nothing_to_go_by() {
    let env = TestEnv::new();
    let (_remote, driver, _vault) = database_shop(&env);
    made_by(&env, "local/pg-cloud", "odd");
    let refused = env.deploy().fails().errors();
    assert!(refused.contains("PRV-008") && driver.databases().len() == 1, "{refused}");
    let planned = env.run("score deploy --app shop --env development --plan").fails().errors();
    assert!(planned.contains("PRV-005") && planned.contains("has not made it yet"), "{planned}");
    made_by(&env, "local/pg-cloud", "shop-db");
    env.deploy().ok();
    assert_eq!(env.run("score deploy --app shop --env development --plan").code, 0);
}
