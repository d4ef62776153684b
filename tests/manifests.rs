//! Targets that hold the Kubernetes objects of a Deployment
//! (`output: manifests`).

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Remote, TestEnv};
use crate::story::story;

const DIRECTORY: &str = "shop/development";

/// A Definition that matches everywhere; `inputs` in flow style.
pub(crate) fn definition(id: &str, res_type: &str, driver: &str, inputs: &str) -> String {
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: {id}}}
entity:
  name: {id}
  type: {res_type}
  driver_type: humanitec/{driver}
  criteria: [{{}}]
  driver_inputs:
{inputs}"
    )
}

/// A database in the cluster: objects, and a password that lies in a store.
const DATABASE: &str = r#"    values:
      name: ${context.app.id}-db
      templates:
        init: "name: {{ .driver.values.name }}"
        outputs: |
          host: {{ .init.name }}
          port: 5432
        secrets: |
          password: {{ .driver.secrets.password }}
        manifests: |
          set.yaml:
            location: namespace
            data:
              apiVersion: apps/v1
              kind: StatefulSet
              metadata: {name: {{ .init.name }}}
              spec: {serviceName: {{ .init.name }}, replicas: 1}
          service.yaml:
            location: namespace
            data:
              apiVersion: v1
              kind: Service
              metadata: {name: {{ .init.name }}}
              spec: {ports: [{port: 5432}]}
          secret.yaml:
            location: namespace
            data:
              apiVersion: v1
              kind: Secret
              metadata: {name: {{ .init.name }}}
              stringData:
                POSTGRES_PASSWORD: "{{ .driver.secrets.password }}"
    secret_refs:
      password: {store: team-vault, ref: db/password}
"#;

pub(crate) const USES_DATABASE: &str = "    variables: {HOST: \"${resources.db.host}\", PASSWORD: \"${resources.db.password}\"}\n\
     resources:\n  db: {type: postgres}\n";

/// An Application `shop` whose files hold objects.
pub(crate) fn objects_shop(env: &TestEnv, values: &str) -> Remote {
    let remote = env.remote("r");
    env.git_cluster(&remote.url(), &format!("      branch: main\n      output: manifests\n{values}"));
    env.run("create app shop").ok();
    remote
}

/// Lets every postgres be a [`DATABASE`].
pub(crate) fn database(env: &TestEnv) {
    env.write("postgres.yaml", &definition("postgres-set", "postgres", "template", DATABASE));
    env.run("apply -f postgres.yaml").ok();
}

pub(crate) fn object(remote: &Remote, branch: &str, path: &str) -> Value {
    let mut documents = humctl_core::yaml::parse_documents(&remote.show(branch, path)).unwrap();
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

/// What a record says.
pub(crate) fn record(remote: &Remote, branch: &str, environment: &str) -> Value {
    serde_json::from_str(&remote.show(branch, &format!(".humctl/{environment}.record"))).unwrap()
}

/// Paths that the last commit of a branch touched.
fn touched(remote: &Remote, branch: &str) -> Vec<String> {
    let told = remote.git(&["log", "-1", "--format=", "--name-only", branch]);
    told.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn the_story_ends_with_one_object_a_file() {
    let env = TestEnv::new();
    let remote = story(&env, "");
    let file = env.path("github-for-gitops.yaml");
    let values = "      branch: development\n      output: manifests\n";
    let text = fs::read_to_string(&file).unwrap().replace("      branch: development\n", values);
    fs::write(&file, text).unwrap();
    env.run("apply -f github-for-gitops.yaml").ok();
    env.run("create app gitops-app").ok();
    let deploy = "score deploy --app gitops-app --env development --wait";
    let told = env.run(deploy).ok().stdout;
    insta::assert_snapshot!(crate::harness::mask(&told), @"
    Deployment [ID]: in progress
    Deployment [ID]: succeeded
      + ConfigMap hello-world-configmap-hello-world (gitops-app/development/configmap-hello-world-configmap-hello-world.yaml)
      + Deployment hello-world (gitops-app/development/deployment-hello-world.yaml)
    2 added, 0 changed, 0 removed
    committed: development@[SHA]
    ");

    let files = remote.list("development", "gitops-app/development");
    assert_eq!(files, ["configmap-hello-world-configmap-hello-world.yaml", "deployment-hello-world.yaml"]);
    insta::assert_snapshot!(remote.show("development", "gitops-app/development/deployment-hello-world.yaml"), @r#"
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        app.kubernetes.io/instance: hello-world
        app.kubernetes.io/managed-by: humctl
        app.kubernetes.io/name: hello-world
        humanitec.io/app: gitops-app
        humanitec.io/env: development
        humanitec.io/workload: hello-world
      name: hello-world
    spec:
      selector:
        matchLabels:
          app.kubernetes.io/instance: hello-world
          app.kubernetes.io/name: hello-world
      template:
        metadata:
          annotations:
            checksum/config: db84eb078a34325b0103c0aa8ed9a21a773092ff0110078b744f10b5211b59d4
            humanitec.io/managed-by: score-humanitec
          labels:
            app.kubernetes.io/instance: hello-world
            app.kubernetes.io/name: hello-world
            humanitec.io/app: gitops-app
            humanitec.io/env: development
            humanitec.io/workload: hello-world
        spec:
          containers:
          - args:
            - -c
            - while true; do printenv && sleep 30; done
            command:
            - /bin/sh
            envFrom:
            - configMapRef:
                name: hello-world-configmap-hello-world
            image: busybox
            name: hello-world
            resources:
              limits:
                cpu: 250m
                memory: 256Mi
              requests:
                cpu: 25m
                memory: 64Mi
          imagePullSecrets: []
          serviceAccount: ""
          serviceAccountName: ""
    "#);
    let recorded = record(&remote, "development", "gitops-app/development");
    assert_eq!(recorded["output"], "manifests");
    assert_eq!(recorded["files"].as_object().unwrap().keys().collect::<Vec<_>>(), files.iter().collect::<Vec<_>>());

    let n_commits = remote.n_commits("development");
    let again = env.run(deploy).ok().stdout;
    assert!(again.contains("no changes"), "{again}");
    assert_eq!(remote.n_commits("development"), n_commits);

    // The graph and the Active Resources are those of any other target.
    let active = env.run("get active-resources --app gitops-app --env development -o json").ok().json();
    assert_eq!(active.as_array().unwrap().len(), 4);

    env.run("create env keep --type development --app gitops-app").ok();
    env.run("delete env development --app gitops-app").ok();
    let tree = remote.git(&["ls-tree", "-r", "--name-only", "development"]);
    assert_eq!(tree, "README.md\n");
}

#[test]
fn a_changed_variable_changes_what_holds_it_and_what_has_to_start_anew() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let service = "service: {ports: {www: {port: 80}}}\n";
    env.score("web", &format!("    variables: {{LOG: info}}\n{service}")).deploy().ok();
    let files = ["configmap-web-configmap-main.yaml", "deployment-web.yaml", "service-web.yaml"];
    assert_eq!(remote.list("main", DIRECTORY), files);
    for file in files {
        let found = object(&remote, "main", &format!("{DIRECTORY}/{file}"));
        let (kind, name) = file.strip_suffix(".yaml").unwrap().split_once('-').unwrap();
        assert_eq!(found["kind"].as_str().unwrap().to_lowercase(), kind);
        assert_eq!(found["metadata"]["name"], name);
        assert!(found["apiVersion"].is_string(), "{file}");
    }
    env.score("web", &format!("    variables: {{LOG: debug}}\n{service}")).deploy().ok();
    assert_eq!(
        touched(&remote, "main"),
        [
            ".humctl/shop/development.record".to_owned(),
            format!("{DIRECTORY}/{}", files[0]),
            format!("{DIRECTORY}/{}", files[1])
        ]
    );
}

#[test]
fn a_database_made_by_a_template_fetches_its_password_in_the_cluster() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    database(&env);
    env.score("web", USES_DATABASE).deploy().ok();
    assert_eq!(
        remote.list("main", DIRECTORY),
        [
            "configmap-web-configmap-main.yaml",
            "deployment-web.yaml",
            "externalsecret-shop-db.yaml",
            "externalsecret-web-secrets-main.yaml",
            "service-shop-db.yaml",
            "statefulset-shop-db.yaml"
        ]
    );
    let show = |file: &str| remote.show("main", &format!("{DIRECTORY}/{file}"));
    insta::assert_snapshot!(show("externalsecret-shop-db.yaml"), @"
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
      name: shop-db
    spec:
      data:
      - remoteRef:
          key: db/password
        secretKey: POSTGRES_PASSWORD
      secretStoreRef:
        kind: ClusterSecretStore
        name: team-vault
      target:
        creationPolicy: Owner
        name: shop-db
    ");
    insta::assert_snapshot!(show("externalsecret-web-secrets-main.yaml"), @"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: web
      name: web-secrets-main
    spec:
      data:
      - remoteRef:
          key: db/password
        secretKey: PASSWORD
      secretStoreRef:
        kind: ClusterSecretStore
        name: team-vault
      target:
        creationPolicy: Owner
        name: web-secrets-main
    ");
    let deployment = object(&remote, "main", &format!("{DIRECTORY}/deployment-web.yaml"));
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["env"],
        json!([{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "web-secrets-main", "key": "PASSWORD"}}}])
    );
    let config = object(&remote, "main", &format!("{DIRECTORY}/configmap-web-configmap-main.yaml"));
    assert_eq!(config["data"], json!({"HOST": "shop-db"}));
}

#[test]
fn what_nothing_here_makes_is_refused_until_its_outputs_are_given() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let inputs = "    values: {source: {url: \"https://git.example/tf.git\"}}\n";
    env.write("tf.yaml", &definition("postgres-tf", "postgres", "terraform", inputs)).run("apply -f tf.yaml").ok();
    env.score("web", USES_DATABASE);
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PRV-005 Outputs of a resource are not known here (resource postgres.default#modules.web.externals.db): `postgres.default#modules.web.externals.db` is made by the Driver `humanitec/terraform` of Definition `postgres-tf`, which does not run here
      hint: give its outputs with --outputs FILE, from what makes it (a Terraform job, say), or match a Definition with the Driver `humanitec/template` or `humanitec/echo`
    ");
    assert_eq!(remote.n_commits("main"), 0);

    let deploy = "score deploy --app shop --env development --outputs out.yaml";
    env.write("out.yaml", "postgres#modules.web.externals.db:\n  values: {host: 1.2.3.4}\n  secrets: {password: x}\n");
    insta::assert_snapshot!(env.run(deploy).fails().stderr, @"Error: out.yaml: `postgres#modules.web.externals.db`: secret values have no place in this file; name them in a secret store, as `secret_refs` with `store` and `ref`");
    env.write("out.yaml", "postgres: [\n");
    let refused = env.run(deploy).fails().stderr;
    assert!(refused.starts_with("Error: out.yaml: "), "{refused}");
    env.write(
        "out.yaml",
        "postgres#modules.web.externals.db:\n  values: {host: 1.2.3.4}\n  secret_refs: {password: {store: team-vault, ref: tf/pw}}\n",
    );
    env.run(deploy).ok();
    let config = object(&remote, "main", &format!("{DIRECTORY}/configmap-web-configmap-main.yaml"));
    assert_eq!(config["data"], json!({"HOST": "1.2.3.4"}));
    let secret = object(&remote, "main", &format!("{DIRECTORY}/externalsecret-web-secrets-main.yaml"));
    assert_eq!(secret["spec"]["data"][0]["remoteRef"]["key"], "tf/pw");
}

#[test]
fn a_job_that_cannot_be_changed_is_replaced() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let deploy = "score deploy --app shop --env development --extensions ext.yaml";
    env.write("ext.yaml", "apiVersion: humanitec.org/v1b1\nprofile: humanitec/default-job\n");
    env.score("batch", "");
    env.run(deploy).ok();
    let jobs = || -> Vec<String> {
        remote.list("main", DIRECTORY).into_iter().filter(|file| file.starts_with("job-batch-")).collect()
    };
    let first = jobs();
    let text = fs::read_to_string(env.path("score.yaml")).unwrap();
    env.write("score.yaml", &text.replace("busybox", "busybox:2"));
    env.run(deploy).ok();
    let second = jobs();
    assert_eq!((first.len(), second.len()), (1, 1), "{first:?} {second:?}");
    assert_ne!(first, second);
    let image = object(&remote, "main", &format!("{DIRECTORY}/{}", second[0]));
    assert_eq!(image["spec"]["template"]["spec"]["containers"][0]["image"], "busybox:2");
}

/// A cache whose name has a random part, which a cookie keeps.
const RANDOM: &str = r#"    values:
      templates:
        init: |
          {{- if .cookie }}
          name: {{ .cookie.name }}
          {{- else }}
          name: cache-{{ randAlphaNum 8 | lower }}
          {{- end }}
        cookie: "name: {{ .init.name }}"
        outputs: "host: {{ .init.name }}"
        manifests: |
          c.yaml:
            location: namespace
            data: {apiVersion: v1, kind: Service, metadata: {name: {{ .init.name }}}, spec: {ports: [{port: 6379}]}}
"#;

#[test]
fn a_random_name_stays_what_it_was() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    env.write("redis.yaml", &definition("redis-random", "redis", "template", RANDOM)).run("apply -f redis.yaml").ok();
    let score = "    variables: {HOST: \"${resources.cache.host}\"}\nresources:\n  cache: {type: redis}\n";
    env.score("web", score);

    let plan = "score deploy --app shop --env development --plan -o json";
    let planned = env.run(plan);
    assert_eq!((planned.code, planned.stderr.as_str(), remote.n_commits("main")), (2, "", 0));
    // The key that random texts come from would be something written, too.
    let warnings = &planned.json()["warnings"];
    assert!(warnings.to_string().contains("drawn at random"), "{warnings}");
    let state = env.run("get deploys --app shop --env development -o json").ok().json();
    assert_eq!(state, json!([]));
    env.deploy().ok();
    let service = |files: &[String]| files.iter().find(|file| file.starts_with("service-")).cloned().unwrap();
    let name = service(&remote.list("main", DIRECTORY));

    // What is planned is what happens.
    let planned = env.run(plan);
    assert_eq!((planned.code, planned.json()["warnings"].clone()), (0, json!([])), "{}", planned.stdout);
    env.deploy().ok();
    fs::remove_dir_all(env.home().join(".cache/humctl")).unwrap();
    env.deploy().ok();
    assert_eq!((remote.n_commits("main"), service(&remote.list("main", DIRECTORY))), (1, name.clone()));

    // The cookie is what keeps it: another way of making names changes nothing.
    let other = RANDOM.replace("randAlphaNum 8", "randAlphaNum 9");
    env.write("redis.yaml", &definition("redis-random", "redis", "template", &other)).run("apply -f redis.yaml").ok();
    env.deploy().ok();
    assert_eq!((remote.n_commits("main"), service(&remote.list("main", DIRECTORY))), (1, name));
}

#[test]
fn a_plan_shows_what_the_deployment_then_does() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    database(&env);
    env.score("web", "").deploy().ok();
    env.score("web", USES_DATABASE);
    let planned = env.run("score deploy --app shop --env development --plan -o json").json();
    let changes = planned["target"]["changes"].as_array().cloned().unwrap_or_default();
    let paths: BTreeSet<String> = changes.iter().map(|change| change["path"].as_str().unwrap().to_owned()).collect();
    env.deploy().ok();
    assert_eq!(paths, touched(&remote, "main").into_iter().collect());
    let kinds: BTreeSet<&str> = changes.iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["ConfigMap", "Deployment", "ExternalSecret", "Record", "Service", "StatefulSet"]
    );
}

/// Continuous integration begins with an empty state each time.
#[test]
fn machines_with_one_state_key_draw_the_same_random_names() {
    let mut env = TestEnv::new();
    env.set("HUMCTL_STATE_KEY", "a-key-that-all-machines-are-given-1");
    let remote = objects_shop(&env, "");
    env.write("redis.yaml", &definition("redis-random", "redis", "template", RANDOM)).run("apply -f redis.yaml").ok();
    env.score("web", "resources:\n  cache: {type: redis}\n").deploy().ok();
    let files = remote.list("main", DIRECTORY);
    let other = env.other_home("other");
    other.run("apply -f cluster.yaml -f redis.yaml");
    other.run("create app shop");
    let plan = other.run("score deploy --app shop --env development --plan");
    assert_eq!((plan.code, plan.stderr.as_str()), (0, ""), "a plan draws them, too");
    let deployed = other.run("score deploy --app shop --env development");
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    assert_eq!((remote.n_commits("main"), remote.list("main", DIRECTORY)), (1, files));
}

#[test]
fn workloads_come_before_and_after_others_with_what_they_need() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    database(&env);
    let volume = r#"    values:
      templates:
        outputs: "host: x"
        manifests: |
          claim.yaml:
            location: namespace
            data: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: disk}, spec: {accessModes: [ReadWriteOnce]}}
"#;
    env.write("redis.yaml", &definition("redis-disk", "redis", "template", volume)).run("apply -f redis.yaml").ok();
    let deploy = |name: &str, when: Option<&str>, uses: &str| {
        let extended = when.map(|when| {
            let text = format!(
                "apiVersion: humanitec.org/v1b1\nprofile: humanitec/default-job\ndeploy: {{when: {when}, success: complete}}\n"
            );
            env.write("ext.yaml", &text);
            " --extensions ext.yaml"
        });
        env.score(name, uses);
        env.run(&format!("score deploy --app shop --env development{}", extended.unwrap_or_default())).ok();
    };
    let waves = || -> Vec<String> {
        let wave = |file: &String| {
            let found = object(&remote, "main", &format!("{DIRECTORY}/{file}"));
            let wave = found.pointer("/metadata/annotations/argocd.argoproj.io~1sync-wave").cloned();
            // Names of Jobs end in a hash.
            let name = match file.strip_prefix("job-") {
                Some(rest) => format!("job-{}", rest.split('-').next().unwrap_or_default()),
                None => file.clone(),
            };
            format!("{name} {}", wave.as_ref().and_then(Value::as_str).unwrap_or("-"))
        };
        remote.list("main", DIRECTORY).iter().map(wave).collect()
    };
    let shared = "    variables: {HOST: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres, id: db}\n";
    let with_disk = format!("{shared}  disk: {{type: redis}}\n");
    deploy("web", None, &with_disk);
    let of_web = || remote.show("main", &format!("{DIRECTORY}/deployment-web.yaml"));
    let without_waves = of_web();
    assert!(waves().iter().all(|line| line.ends_with(" -")), "{:?}", waves());
    deploy("migrate", Some("before"), shared);
    deploy("smoke", Some("after"), shared);
    insta::assert_snapshot!(waves().join("\n"), @"
    configmap-migrate-configmap-main.yaml -
    configmap-smoke-configmap-main.yaml 2
    configmap-web-configmap-main.yaml 1
    deployment-web.yaml 1
    externalsecret-shop-db.yaml -
    job-migrate -
    job-smoke 2
    persistentvolumeclaim-disk.yaml 1
    service-shop-db.yaml -
    statefulset-shop-db.yaml -
    ");
    // Without such a Workload, nothing is left of the waves.
    for name in ["migrate", "smoke"] {
        env.score(name, "").run("score deploy --app shop --env development --remove").ok();
    }
    assert_eq!(of_web(), without_waves);
}

#[test]
fn what_a_resource_remembers_outlives_its_reference() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    let inputs = "    values: {templates: {cookie: \"n: 1\", outputs: \"{{ if .cookie }}is: known{{ else }}is: new{{ end }}\"}}\n";
    env.write("s3.yaml", &definition("s3-made", "s3", "template", inputs)).run("apply -f s3.yaml").ok();
    let deployed = || {
        env.score("web", "    variables: {X: \"${resources.files.is}\"}\nresources:\n  files: {type: s3}\n")
            .deploy()
            .ok();
        object(&remote, "main", "shop/development/configmap-web-configmap-main.yaml")["data"]["X"].clone()
    };
    let leave_out = || drop(env.score("web", "").deploy().ok());
    assert_eq!((deployed(), deployed()), (json!("new"), json!("known")));
    leave_out();
    assert_eq!(deployed(), "known");
    leave_out();
    env.run("delete active-resource s3#modules.web.externals.files --detach --app shop --env development").ok();
    assert_eq!(deployed(), "new");
}
