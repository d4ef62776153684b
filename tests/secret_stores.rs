//! Secrets that exist only as values, and a Vault that takes them.

use serde_json::json;

use crate::harness::{FakeVault, Remote, SecondHome, TestEnv};
use crate::manifests::{definition, object, objects_shop};
use crate::secrets::{CANARY, contains, holds_canary};

const PLAN: &str = "score deploy --app shop --env development --plan";

/// An Application for objects, with a Vault.
fn shop(env: &TestEnv) -> (Remote, FakeVault) {
    let (remote, vault) = (objects_shop(env, ""), FakeVault::start());
    vault.register(env);
    (remote, vault)
}

/// Lets every postgres be made by a template.
fn database(env: &TestEnv, inputs: &str) {
    env.write("pg.yaml", &definition("pg-made", "postgres", "template", inputs)).run("apply -f pg.yaml").ok();
}

/// A password that is drawn, and used in a `Secret` and by the Workload.
const DRAWN: &str = "    values:
      templates:
        init: |
          {{- if .cookie }}
          password: {{ .cookie.password | toRawJson }}
          {{- else }}
          password: {{ randAlphaNum 16 | quote }}
          {{- end }}
        cookie: 'password: {{ .init.password | toRawJson }}'
        outputs: 'host: db'
        secrets: |
          user: app
          password: {{ .init.password | toRawJson }}
        manifests: |
          s.yaml:
            location: namespace
            data:
              apiVersion: v1
              kind: Secret
              metadata: {name: db}
              stringData: {url: \"pg://app:{{ .init.password }}@db\", mode: require}
              data: {POSTGRES_PASSWORD: {{ .init.password | b64enc }}}
";

const USES: &str = "    variables: {URL: \"pg://${resources.db.user}:${resources.db.password}@${resources.db.host}\"}\n\
     resources:\n  db: {type: postgres}\n";

const PATH: &str = "humctl/local/resources/shop/development/postgres.default/modules.web.externals.db";

#[test]
fn a_password_that_a_template_makes_up_is_kept_in_the_vault() {
    let env = TestEnv::new();
    let (remote, vault) = shop(&env);
    database(&env, DRAWN);
    env.score("web", USES);
    // A plan says what would be, and writes nothing.
    let plan = env.run(PLAN);
    assert!(plan.code == 2 && plan.stdout.contains("version: \"1\""), "{}", plan.stdout);
    assert_eq!((vault.secrets().values().filter(|(n, _)| *n > 0).count(), remote.n_commits("main")), (0, 0));

    env.deploy().ok();
    let secrets = vault.secrets();
    let (version, kept) = &secrets[PATH];
    let password = kept["password"].as_str().unwrap();
    assert_eq!((*version, secrets.len(), password.len()), (1, 1, 16));
    assert_eq!(
        *kept,
        json!({"user": "app", "password": password, "s_yaml_url": format!("pg://app:{password}@db"),
               "s_yaml_POSTGRES_PASSWORD": password})
    );
    insta::assert_snapshot!(remote.show("main", "shop/development/externalsecret-db.yaml"), @r#"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        kustomize.toolkit.fluxcd.io/prune: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
      name: db
    spec:
      data:
      - remoteRef:
          key: humctl/local/resources/shop/development/postgres.default/modules.web.externals.db
          property: s_yaml_POSTGRES_PASSWORD
          version: "1"
        secretKey: s1
      - remoteRef:
          key: humctl/local/resources/shop/development/postgres.default/modules.web.externals.db
          property: s_yaml_url
          version: "1"
        secretKey: s2
      secretStoreRef:
        kind: ClusterSecretStore
        name: team-vault
      target:
        creationPolicy: Owner
        name: db
        template:
          data:
            POSTGRES_PASSWORD: "{{ .s1 }}"
            mode: require
            url: "{{ .s2 }}"
          engineVersion: v2
          metadata:
            labels:
              app.kubernetes.io/managed-by: humctl
              humanitec.io/app: shop
              humanitec.io/env: development
    "#);
    let blobs = String::from_utf8_lossy(&remote.all_objects()).into_owned();
    assert!(!blobs.contains(password) && !blobs.contains("kind: Secret\n"));

    // The same again, here and on a machine that knows nothing of it.
    assert!(env.run(PLAN).ok().stdout.contains("no changes"));
    assert!(env.deploy().ok().stdout.contains("no changes"));
    assert_eq!(vault.secrets(), secrets);

    // What somebody else changed is put right, by a version of its own.
    vault.put(PATH, json!({"password": "changed"}));
    let plan = env.run(PLAN);
    assert!(plan.code == 2 && plan.stdout.contains("version: \"3\""), "{}", plan.stdout);
    env.deploy().ok();
    assert_eq!(vault.secrets()[PATH], (3, kept.clone()));
}

#[test]
fn a_secret_that_is_also_printed_in_clear_is_refused() {
    let shown = "    values:
      templates:
        init: 'password: {{ randAlphaNum 16 | quote }}'
        outputs: 'url: \"pg://app:{{ .init.password }}@db\"'
        secrets: 'password: {{ .init.password | toRawJson }}'
        manifests: |
          c.yaml:
            location: namespace
            data: {apiVersion: v1, kind: ConfigMap, metadata: {name: db}, data: {p: \"{{ .init.password | b64enc }}\"}}
";
    let env = TestEnv::new();
    let (remote, _vault) = shop(&env);
    database(&env, shown);
    env.score("web", "resources:\n  db: {type: postgres}\n");
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PRV-011 Secret values cannot be written to Git (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, prints its secrets where everybody can read them: `output url`, `manifest c.yaml`
      hint: let it read them from a `Secret` (`secretKeyRef`); what is no secret belongs into `outputs`, not into `secrets`
    ");
    assert_eq!(remote.all_objects(), b"");
}

/// Instances of Shared Values are random.
fn without_instances(text: &str) -> String {
    let segment = |segment: &str| match segment.len() == 36 && segment.matches('-').count() == 4 {
        true => "[INSTANCE]".to_owned(),
        false => segment.to_owned(),
    };
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[test]
fn values_of_definitions_and_shared_values_go_through_the_vault() {
    let env = TestEnv::new();
    let (remote, vault) = shop(&env);
    let inputs = format!(
        "    values: {{templates: {{outputs: 'host: db', secrets: 'password: {{{{ .driver.secrets.password }}}}'}}}}\n    \
         secrets: {{password: \"{CANARY}\"}}\n"
    );
    database(&env, &inputs);
    env.run_with_stdin("create value TOKEN - --is-secret --app shop", &format!("{CANARY}-token")).ok();
    env.run("create value LEVEL plain --app shop").ok();
    env.run_with_stdin("create value LEVEL - --is-secret --app shop --env development", "canary-level").ok();
    env.score(
        "web",
        "    variables: {P: \"${resources.db.password}\", T: \"Bearer ${resources.env.TOKEN}\", L: \"${resources.env.LEVEL}\"}\n\
         resources:\n  db: {type: postgres}\n  env: {type: environment}\n",
    );
    let rendered = env.run("render --app shop --env development").ok().stdout;
    assert!(rendered.contains("key: humctl/local/held/defs/pg-made/"), "{rendered}");
    env.deploy().ok();
    let kept: String =
        vault.secrets().iter().map(|(path, (version, fields))| format!("{path} ({version}): {fields}\n")).collect();
    insta::assert_snapshot!(without_instances(&kept), @r#"
    humctl/local/held/apps/shop/envs/development/values/LEVEL/[INSTANCE]/1 (1): {"value":"canary-level"}
    humctl/local/held/apps/shop/values/TOKEN/[INSTANCE]/1 (1): {"value":"canary-Pa55word/+=&-token"}
    humctl/local/held/defs/pg-made/password/1 (1): {"value":"canary-Pa55word/+=&"}
    "#);
    let secret = object(&remote, "main", "shop/development/externalsecret-web-secrets-main.yaml");
    insta::assert_snapshot!(without_instances(&humctl_core::yaml::to_string(&secret["spec"]["data"]).unwrap()), @r#"
    - remoteRef:
        key: humctl/local/held/apps/shop/envs/development/values/LEVEL/[INSTANCE]/1
        property: value
        version: "1"
      secretKey: s1
    - remoteRef:
        key: humctl/local/held/defs/pg-made/password/1
        property: value
        version: "1"
      secretKey: s2
    - remoteRef:
        key: humctl/local/held/apps/shop/values/TOKEN/[INSTANCE]/1
        property: value
        version: "1"
      secretKey: s3
    "#);
    assert!(!contains(&remote.all_objects()) && !rendered.contains("canary"));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());
    assert!(env.deploy().ok().stdout.contains("no changes"));

    // A target for custom resources takes no values, Vault or not.
    env.git_cluster(&remote.url(), "      branch: other\n");
    let refused = env.deploy().fails().errors();
    assert!(refused.contains("PLN-013") && !refused.contains("canary"), "{refused}");
}

#[test]
fn what_the_vault_says_no_to_is_not_deployed() {
    let env = TestEnv::new();
    let (remote, _vault) = shop(&env);
    database(&env, DRAWN);
    env.score("web", USES);
    let text = std::fs::read_to_string(env.path("store.yaml")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        env.write("other.yaml", &text.replace(from, to)).run("apply -f other.yaml").ok();
        let run = env.deploy().fails();
        let plan = env.run(&format!("{PLAN} -v9"));
        assert!(plan.code == 1 && !plan.stderr.contains("wrong-token"), "{}", plan.stderr);
        run.errors()
    };
    let port = text.split_once("127.0.0.1:").unwrap().1.split_once('/').unwrap().0;
    let mut told = with(&format!("token: {}", crate::harness::TOKEN), "token: wrong-token");
    told += &with("path: kv", "path: nowhere");
    told += &with(&format!("127.0.0.1:{port}"), "127.0.0.1:1");
    told += &with(&format!("http://127.0.0.1:{port}"), "http://vault.example.com");
    told += &with(&format!("auth: {{token: {}}}", crate::harness::TOKEN), "agent_id: my-agent");
    insta::assert_snapshot!(told, @r#"
    Error: deployment [ID] failed
    PRV-010 Secret store cannot be used (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, makes secrets that belong into a secret store: secret store `team-vault`: its token may not use `humctl/local/resources/shop/development/postgres.default/modules.web.externals.db` (HTTP-403)
      hint: it needs the capabilities `create`, `read` and `update` there; register another one with: humctl apply -f FILE (kind SecretStore)
    Error: deployment [ID] failed
    PRV-010 Secret store cannot be used (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, makes secrets that belong into a secret store: secret store `team-vault`: it answers HTTP-404 for `humctl/local/resources/shop/development/postgres.default/modules.web.externals.db`: no handler for route "/base/v1/nowhere/data/humctl/local/resources/shop/development/postgres.default/modules.web.externals.db"
      hint: its `path` must be where the key/value engine, version 2, is mounted
    Error: deployment [ID] failed
    PRV-010 Secret store cannot be used (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, makes secrets that belong into a secret store: secret store `team-vault`: it cannot be reached: Connection refused (os error 111)
      hint: check its address and the network
    Error: deployment [ID] failed
    PRV-010 Secret store cannot be used (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, makes secrets that belong into a secret store: secret store `team-vault`: its address begins with `http://`, which would send secrets in clear; only loopback may be spoken to so
      hint: it is of the form http://localhost:8080 or https://service.example.com/v1
    Error: deployment [ID] failed
    PRV-006 Secret values cannot be written to Git (resource postgres.default#modules.web.externals.db): Definition `pg-made`, matched for `postgres.default#modules.web.externals.db`, makes secrets that exist only as values, and values are never written to Git: `password`, `user`, `manifest s.yaml`
      hint: register a Vault with a token as primary secret store, and they are kept there (kind SecretStore); or name them in a secret store, as secret_refs with `store` and `ref`, and hand them on: {{ .driver.secrets.NAME }}; or give the outputs with --outputs FILE
    "#);
    assert_eq!(remote.all_objects(), b"");
}

/// A machine with the same Definitions and stores, and a state of its own.
fn another_machine(env: &TestEnv) -> SecondHome<'_> {
    let other = env.other_home("other");
    let words = ["cluster.yaml", "store.yaml", "pg.yaml"].map(|file| format!(" -f {file}")).concat();
    assert_eq!(other.run(&format!("apply{words}")).code, 0);
    assert_eq!(other.run("create app shop").code, 0);
    other
}

#[test]
fn a_machine_that_remembers_nothing_does_not_replace_a_password() {
    let env = TestEnv::new();
    let (remote, vault) = shop(&env);
    database(&env, DRAWN);
    env.score("web", USES).deploy().ok();
    let secrets = vault.secrets();
    let other = another_machine(&env);
    for flags in ["", " --plan"] {
        let refused = other.run(&format!("score deploy --app shop --env development{flags}"));
        let is_told = refused.stderr.contains("PRV-010") && refused.stderr.contains("HUMCTL_STATE_KEY");
        assert!(refused.code == 1 && is_told, "{}", refused.stderr);
    }
    assert_eq!((vault.secrets(), remote.n_commits("main")), (secrets, 1));
    // The first one goes on as before.
    assert!(env.deploy().ok().stdout.contains("no changes"));
}

#[test]
fn machines_with_one_state_key_keep_the_same_password() {
    let mut env = TestEnv::new();
    env.set("HUMCTL_STATE_KEY", "0123456789abcdef0123456789abcdef");
    let (remote, vault) = shop(&env);
    database(&env, DRAWN);
    env.score("web", USES).deploy().ok();
    let secrets = vault.secrets();
    let other = another_machine(&env);
    let deployed = other.run("score deploy --app shop --env development");
    assert!(deployed.code == 0 && deployed.stdout.contains("no changes"), "{}{}", deployed.stdout, deployed.stderr);
    assert_eq!((vault.secrets(), remote.n_commits("main")), (secrets, 1));
}
