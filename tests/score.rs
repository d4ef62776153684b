//! `score init` and `score validate`.

use serde_json::json;

use crate::harness::{POSTGRES, TestEnv, score};

#[test]
fn the_sample_is_written_once_and_is_valid() {
    let env = TestEnv::new();
    assert_eq!(env.run("score init").ok().stdout, "Wrote score.yaml\n");
    for flags in ["", "--strict", "--local --strict"] {
        let valid = env.run(&format!("score validate {flags}")).ok();
        assert_eq!((valid.stdout.as_str(), valid.stderr.as_str()), ("The Score file validated successfully\n", ""));
    }
    assert_eq!(env.run("score validate -o json").ok().stdout, "\"The Score file validated successfully\"\n");
    env.write("score.yaml", "mine");
    assert!(env.run("score init").fails().stderr.contains("`score.yaml` exists already"));
    assert_eq!(std::fs::read_to_string(env.path("score.yaml")).unwrap(), "mine");
    let printed = env.run("score init -f -").ok().stdout;
    env.write("printed.yaml", &printed).run("score validate printed.yaml").ok();
}

#[test]
fn findings_are_the_result_of_validation() {
    let env = TestEnv::new();
    env.score("web", "    variables: {PORT: 8080}\nresources:\n  db: {type: postgrs, class: fast}\n");
    let found = env.run("score validate");
    assert_eq!((found.code, found.stderr.as_str()), (1, ""));
    insta::assert_snapshot!(found.stdout, @"
    ERROR: score.yaml:7:17: /containers/main/variables/PORT: expected string, but got number
      hint: quote it
    WARNING: score.yaml:9:8: /resources/db/type: Resource type postgrs used in the db resource is not defined in your Humanitec organization
      hint: did you mean 'postgres'?
    ");
    let found: serde_json::Value = serde_json::from_str(&env.run("score validate -o json").stdout).unwrap();
    assert_eq!(found[0]["Level"], "ERROR");
    assert_eq!(found[0]["Location"], "/containers/main/variables/PORT");
    assert_eq!(found.as_array().unwrap().len(), 2);
    // A warning alone fails only when that was asked for.
    env.score("web", "resources:\n  db: {type: postgrs}\n");
    env.run("score validate").ok();
    env.run("score validate --local --strict").ok();
    assert_eq!(env.run("score validate --strict").code, 1);
}

#[test]
fn what_cannot_be_read_leaves_stdout_empty() {
    let env = TestEnv::new();
    env.write("bad.yaml", "a: [\n");
    for words in ["score validate", "score validate bad.yaml --local"] {
        let failed = env.run(words).fails();
        assert_eq!(failed.stdout, "");
        assert!(failed.stderr.starts_with("Error: "), "{}", failed.stderr);
    }
}

#[test]
fn an_extension_file_is_checked_beside_its_score_file() {
    let env = TestEnv::new();
    env.score("web", "resources:\n  dns: {type: dns}\n");
    env.write(
        "extension.yaml",
        "apiVersion: humanitec.org/v1b1\nprofil: x\nspec:\n  labels: {host: \"${resources.dsn.host}\"}\n  deploy: {}\n\
         resources: {dns: {scope: shared}}\n",
    );
    let found = env.run("score validate --local --extensions extension.yaml -o json");
    assert_eq!(found.code, 1);
    let found: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let found: Vec<_> =
        found.as_array().unwrap().iter().map(|found| json!([found["Level"], found["Location"]])).collect();
    assert_eq!(
        found,
        [
            json!(["ERROR", ""]),
            json!(["WARNING", "/resources/dns"]),
            json!(["WARNING", "/spec/deploy"]),
            json!(["ERROR", "/spec/labels/host"]),
        ]
    );
    env.write("empty.yaml", "").run("score validate --local --extensions empty.yaml").ok();
}

#[test]
fn a_deploy_config_deploys_its_workloads_in_one_deployment() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    let workload = |name: &str, size: &str| {
        format!(
            "apiVersion: score.dev/v1b1\nmetadata: {{name: {name}}}\ncontainers: {{main: {{image: .}}}}\n\
             resources:\n  db: {{type: postgres, id: main{size}}}\n"
        )
    };
    env.write("apps/one/score.yaml", &workload("one", ""))
        .write("apps/two/score.yaml", &workload("two", ", params: {size: 1}"));
    env.write("apps/two/more.yaml", "apiVersion: humanitec.org/v1b1\nspec: {labels: {team: core}}\n");
    env.write(
        "apps/deploy.yaml",
        "apiVersion: config.humanitec.io/v1b1\nkind: ScoreDeployConfig\nworkloads:\n\
         - {name: one, specFile: ./one/score.yaml, image: repo/one:1}\n\
         - {specFile: ./two/score.yaml, extensionsFile: ./two/more.yaml, properties: {containers.main.args: [a]}}\n",
    );
    let deploy = "score deploy --deploy-config apps/deploy.yaml --app shop --env development --image repo/all:2";
    env.write("postgres.yaml", POSTGRES).run("apply -f postgres.yaml").ok();
    env.run(&format!("{deploy} --workload-source-url-prefix https://git.example/apps --wait")).ok();
    assert_eq!(env.run("get deployments --app shop --env development -o json").json().as_array().unwrap().len(), 1);
    let set = env.run("get deployment-set . --app shop --env development -o json").json();
    let (modules, shared) = (&set["entity"]["modules"], &set["entity"]["shared"]);
    assert_eq!(shared["main"]["params"], json!({"size": 1}));
    let image = |name: &str| modules[name]["spec"]["containers"]["main"]["image"].clone();
    assert_eq!((image("one"), image("two")), (json!("repo/one:1"), json!("repo/all:2")));
    assert_eq!(modules["two"]["spec"]["labels"], json!({"team": "core"}));
    assert_eq!(modules["two"]["spec"]["containers"]["main"]["args"], json!(["a"]));
    assert_eq!(
        modules["two"]["spec"]["annotations"]["humanitec.io/workload-source"],
        json!("https://git.example/apps/two/score.yaml")
    );
    env.run(&format!("{deploy} --remove --wait")).ok();
    let set = env.run("get deployment-set . --app shop --env development -o json").json();
    assert_eq!(set["entity"]["modules"], json!({}));
}

#[test]
fn nothing_is_deployed_when_one_of_several_score_files_is_wrong() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    let workload = |name: &str, rest: &str| {
        format!("apiVersion: score.dev/v1b1\nmetadata: {{name: {name}}}\ncontainers: {{main: {{image: x}}}}\n{rest}")
    };
    let shared = |size: u8| format!("resources:\n  db: {{type: postgres, id: main, params: {{size: {size}}}}}\n");
    env.write("one.yaml", &workload("one", &shared(1))).write("two.yaml", &workload("two", &shared(2)));
    env.write("bad.yaml", &workload("bad", "nope: 1\n")).write("worse.yaml", &workload("worse", "service: 1\n"));
    let head = "apiVersion: config.humanitec.io/v1b1\nkind: ScoreDeployConfig\n";
    let refused = |workloads: &str| {
        env.write("deploy.yaml", &format!("{head}{workloads}"));
        env.run("score deploy --deploy-config deploy.yaml --app shop --env development").fails().stderr
    };
    // Workloads of the config, parts of the refusal.
    for (workloads, parts) in [
        (
            "workloads: [{specFile: bad.yaml}, {specFile: worse.yaml}]\n",
            vec!["bad.yaml:4:1: additionalProperties 'nope'", "worse.yaml:4:1: /service: expected object"],
        ),
        (
            "workloads: [{specFile: one.yaml}, {specFile: two.yaml}]\n",
            vec!["resource 'postgres.default#main': multiple definitions with different params"],
        ),
        ("workloads: [{specFile: one.yaml}, {specFile: one.yaml}]\n", vec!["workload 'one' is defined twice"]),
        (
            "workloads: [{name: other, specFile: one.yaml}]\n",
            vec!["one.yaml:2:", "the deploy config calls this workload 'other'"],
        ),
        ("workloads: [{specfile: one.yaml}]\n", vec!["deploy.yaml:3:", "did you mean 'specFile'?"]),
        ("workloads: [{name: one}]\n", vec!["deploy.yaml:3:", "specFile"]),
        ("workloads: []\n", vec!["workloads is empty"]),
        ("workload: []\n", vec!["did you mean 'workloads'?"]),
    ] {
        let refused = refused(workloads);
        for part in parts {
            assert!(refused.contains(part), "{workloads}: {refused}");
        }
    }
    env.run("score deploy --deploy-config deploy.yaml -f score.yaml --app shop --env development").fails();
    assert_eq!(env.run("get deployments --app shop --env development -o json").json(), json!([]));
}

#[test]
fn available_resource_types_are_those_that_definitions_serve() {
    let env = TestEnv::new();
    env.write("postgres.yaml", POSTGRES).run("apply -f postgres.yaml").ok();
    let all = env.run("score available-resource-types").ok().stdout;
    assert!(all.starts_with("Name"), "{all}");
    assert!(all.lines().nth(1).is_some_and(|line| line.starts_with("Environment")), "{all}");
    assert!(!all.contains("\tredis") && !all.contains("k8s-cluster"), "{all}");
    let postgres = env.run("score available-resource-types --filter-type postgres -o json").ok().json();
    assert_eq!(postgres.as_array().unwrap().len(), 1);
    assert_eq!(postgres[0]["Type"], "postgres");
    assert!(postgres[0]["OutputsSchema"]["properties"]["values"]["properties"]["host"].is_object(), "{postgres}");
    assert_eq!(postgres[0]["Classes"], json!({"default": ""}));
    assert_eq!(env.run("score available-resource-types --filter-type redis -o json").ok().json(), json!([]));
}

/// A Score file with one file of this declaration.
fn with_file(env: &TestEnv, file: &str) {
    env.score("web", &format!("    files: {{/etc/f: {file}}}\n"));
}

#[test]
fn local_sources_are_put_into_the_set() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    env.write("conf/app.conf", "name=${metadata.name}\n");
    std::fs::write(env.path("raw.bin"), [0xff, 0x00, 0xfe]).unwrap();
    // Declaration of the file, what the set holds for it.
    for (file, expected) in [
        ("{source: ./conf/app.conf, mode: \"0640\"}", json!({"mode": "0640", "value": "name=web\n"})),
        ("{source: conf/app.conf, noExpand: true}", json!({"mode": "", "value": "name=$\\{metadata.name}\n"})),
        ("{source: raw.bin, noExpand: true}", json!({"mode": "", "binary_value": "/wD+"})),
        ("{binaryContent: /wD+}", json!({"mode": "", "binary_value": "/wD+"})),
    ] {
        with_file(&env, file);
        env.deploy().ok();
        let set = env.run("get deployment-set . --app shop --env development -o json").json();
        assert_eq!(
            set["entity"]["modules"]["web"]["spec"]["containers"]["main"]["files"]["/etc/f"], expected,
            "{file}"
        );
    }
}

#[test]
fn sources_that_cannot_or_must_not_be_read_are_refused() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    std::fs::write(env.path("raw.bin"), [0xff, 0x00, 0xfe]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", env.path("link")).unwrap();
    std::fs::create_dir(env.path("dir")).unwrap();
    // Rows 28 and 30 of spec/score.md §9, and the sandbox of sources.
    for (file, reason) in [
        ("{source: ./missing}", "embedding file './missing' for container 'main': No such file"),
        ("{source: raw.bin}", "source content contains non-utf8 bytes; set noExpand=true or use binaryContent"),
        ("{source: ../../../../../../../../etc/passwd}", "it is not below the directory of the Score file"),
        ("{source: /etc/passwd}", "it is not below the directory of the Score file"),
        ("{source: link}", "it is not below the directory of the Score file"),
        ("{source: dir}", "embedding file 'dir' for container 'main'"),
    ] {
        with_file(&env, file);
        let refused = env.deploy().fails().stderr;
        assert!(refused.contains(reason) && !refused.contains("root:"), "{file}: {refused}");
        let found = env.run("score validate --local -o json");
        assert_eq!(
            (found.code, found.json()[0]["Location"].as_str()),
            (1, Some("/containers/main/files/~1etc~1f/source"))
        );
    }
    // Row 68.
    env.write("score.yaml", "apiVersion: score.dev/v1b1\nmetadata: {name: web}\ncontainers: {main: {image: .}}\n");
    assert!(
        env.deploy().fails().stderr.contains(
            "failed to convert 'score.yaml' because container 'main' has no image and --image was not provided"
        )
    );
    env.run("score validate --local --strict").ok();
    assert_eq!(env.run("get deployments --app shop --env development -o json").json(), json!([]));
}

#[test]
fn a_workload_is_removed_only_where_it_is() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    let remove = "score deploy --remove --app shop --env development";
    env.score("web", "    variables: {H: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres, id: main}\n");
    env.write("postgres.yaml", POSTGRES).run("apply -f postgres.yaml").ok();
    insta::assert_snapshot!(env.run(remove).fails().errors(), @"
    Error: deployment [ID] failed
    SET-003 Workload is not deployed (environment development): workload 'web' is not part of environment 'development'
      hint: nothing is deployed there
    ");
    env.deploy().ok();
    env.score("api", "");
    env.deploy().ok();
    env.score("wep", "");
    let refused = env.run(remove).fails().stderr;
    assert!(refused.contains("workload 'wep' is not part of environment 'development'"), "{refused}");
    // Somebody else, who knows only what the branch says, may remove it. The
    // rest of the file does not matter.
    let other = env.other_home("other");
    for words in ["apply -f cluster.yaml", "apply -f postgres.yaml", "create app shop"] {
        other.run(words).ok();
    }
    env.write("score.yaml", "metadata: {name: web}\ncontainers: 1\n");
    let removed = other.run(remove).ok().stdout;
    assert!(
        removed.contains(
            "note: no Workload reads the shared resource `main` any more; it stays until a Delta removes /shared/main"
        ),
        "{removed}"
    );
    let set = other.run("get deployment-set . --app shop --env development -o json").json();
    assert_eq!(set["entity"]["modules"].as_object().unwrap().keys().collect::<Vec<_>>(), ["api"]);
    assert_eq!(set["entity"]["shared"]["main"]["type"], "postgres");
    // Row 6 of spec/score.md §9, and a file without a name.
    for (file, reason) in [
        ("metadata: {name: My_App}\n", "score.yaml:1:12: /metadata/name: does not match pattern"),
        ("metadata: {}\n", "score.yaml:1:1: /metadata: missing properties: 'name'"),
    ] {
        env.write("score.yaml", file);
        let refused = env.run(remove).fails().stderr;
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn an_unknown_profile_is_an_error_only_when_it_is_deployed() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    env.score("web", "");
    let extension = |profile: &str| {
        env.write("extension.yaml", &format!("apiVersion: humanitec.org/v1b1\nprofile: {profile}\n"));
    };
    let deploy = "score deploy --app shop --env development --extensions extension.yaml";
    // Row 73 of spec/score.md §9.
    extension("humanitec/default-modul");
    insta::assert_snapshot!(env.run("score validate --extensions extension.yaml").ok().stdout, @"
    WARNING: extension.yaml:2:1: /profile: extension: there is no profile humanitec/default-modul
      hint: did you mean `humanitec/default-module`?
    ");
    assert_eq!(env.run("score validate --extensions extension.yaml --strict").code, 1);
    insta::assert_snapshot!(env.run(deploy).fails().errors(), @"
    Error: deployment [ID] failed
    PLN-015 Unknown Workload Profile (workload web): Workload `web`: there is no profile `humanitec/default-modul`
      hint: did you mean `humanitec/default-module`?
    ");
    // Whether one of the Organization is there shows in the cluster alone.
    extension("my-org/rollouts");
    env.run("score validate --extensions extension.yaml --strict").ok();
    env.run(deploy).ok();
    let deployment = env.run("get deployment . --app shop --env development -o json").json();
    assert!(deployment.to_string().contains("the profile `my-org/rollouts` is not checked here"), "{deployment}");
}

#[test]
fn flags_of_a_deployment_reach_the_set() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    env.score("web", "    args: [a]\nresources:\n  db: {type: pg}\n");
    env.write("postgres.yaml", POSTGRES).run("apply -f postgres.yaml").ok();
    let deploy = "score deploy --app shop --env development";
    // Row 39 of spec/score.md §4, the other flags, and a type that is called otherwise.
    env.run(&format!(
        "{deploy} --workload-source-url https://git/x --resource-type-alias pg=postgres --class default \
         -p containers.main.args.-1=8080 -p containers.main.args.-1=last -p containers.main.resources.limits.cpu=1 \
         --image unused:1"
    ))
    .ok();
    let set = env.run("get deployment-set . --app shop --env development -o json").json();
    let module = &set["entity"]["modules"]["web"];
    assert_eq!(module["spec"]["annotations"]["humanitec.io/workload-source"], "https://git/x");
    assert_eq!(module["spec"]["containers"]["main"]["args"], json!(["a", "8080", "last"]));
    assert_eq!(module["spec"]["containers"]["main"]["resources"]["limits"]["cpu"], "1");
    assert_eq!(module["externals"]["db"]["type"], "postgres");
    let told = env.run(&format!("{deploy} --resource-type-alias pg=postgres --image unused:1 -v1")).stderr;
    assert!(told.contains("every container has an image, so `unused:1` is not used"), "{told}");
    // What the flags cannot say.
    for (flags, reason) in [
        (
            "--class google-cloud-run",
            "Error: the workload class `google-cloud-run` is for Generic Mode, which is not supported\n  hint: leave --class out",
        ),
        ("--resource-type-alias pg", "it is written TYPE=ORG/TYPE, as in s3=my-org/s3"),
        ("", "pg.default#modules.web.externals.db"),
    ] {
        let refused = env.run(&format!("{deploy} {flags}")).fails().stderr;
        assert!(refused.contains(reason), "{flags}: {refused}");
    }
    env.run("score validate --strict --resource-type-alias pg=postgres").ok();
    assert_eq!(env.run("score validate --strict").code, 1);
}

#[test]
fn services_are_held_against_the_environment() {
    let env = TestEnv::new();
    let remote = env.remote("gitops");
    env.shop(&remote, "main");
    let validate = "score validate --strict --app shop --env";
    env.score("web", "resources:\n  web: {type: service}\n  api: {type: service}\n");
    env.run(&format!("{validate} nowhere")).ok();
    env.run(&format!("{validate} development")).ok();
    env.deploy().ok();
    let found = env.run(&format!("{validate} development"));
    assert_eq!(found.code, 1);
    insta::assert_snapshot!(found.stdout, @"
    WARNING: score.yaml:9:3: /resources/api: workload 'api' is not part of environment 'development'
      hint: a resource of type service has the name of the Workload; deploy that first
    ");
    env.score("api", "").deploy().ok();
    env.score("web", "resources:\n  api: {type: service}\n").run(&format!("{validate} development")).ok();
}

#[test]
fn locations_are_pointers_that_fit_a_url() {
    let env = TestEnv::new();
    env.write(
        "score.yaml",
        "apiVersion: score.dev/v1b1\nmetadata: {name: web, annotations: {UPPER.io/x y: z}}\ncontainers: {main: {image: x}}\n",
    );
    let found = env.run("score validate --local -o json").json();
    assert_eq!(found[0]["Location"], "/metadata/annotations/UPPER.io~1x%20y");
}

#[test]
fn hostile_files_end_quickly_with_their_reason() {
    let env = TestEnv::new();
    let head = "apiVersion: score.dev/v1b1\nmetadata:\n  name: web\n";
    let mut bomb = format!("{head}  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let previous = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb += &format!("  a{level}: &a{level} [{previous}]\n");
    }
    let nested = format!("{head}  deep: {}", "[".repeat(100_000));
    let large = format!("{head}  text: {}\n", "x".repeat(16 * 1024 * 1024));
    let references = format!("{head}  text: &t x\n  list: [{}]\n", "*t, ".repeat(600_000));
    for (file, text, reason) in [
        ("bomb.yaml", bomb, "bomb.yaml:10:12: more values than are read, aliased ones counted each time\n"),
        ("nested.yaml", nested, "nested.yaml:4:264: nested deeper than 100 levels\n"),
        ("large.yaml", large, "`large.yaml`: it is larger than 16777216 bytes"),
        ("references.yaml", references, "references.yaml:5:200010: more values than are read"),
    ] {
        env.write(file, &text);
        let failed = env.run(&format!("score validate {file} --local")).fails();
        assert!(failed.stderr.len() < 300 && failed.stderr.contains(reason), "{}", failed.stderr);
    }
}

#[test]
fn only_files_of_a_decent_size_are_read() {
    let env = TestEnv::new();
    let file = |source: &str| format!("    files: {{/f: {{source: {source}}}}}\n");
    std::fs::File::create(env.path("huge")).unwrap().set_len(3 << 30).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(env.path("pipe")).status().unwrap().success());
    for (source, reason) in
        [("huge", "it is larger than 16777216 bytes"), ("pipe", "it is no file"), (".", "it is no file")]
    {
        let run = env.score("web", &file(source)).run("score validate --local");
        assert!(run.code == 1 && run.stdout.contains(reason), "{source}: {run:?}");
    }
    for words in ["score validate --local huge", "apply -f huge", "score deploy --app shop --env development -f huge"] {
        let refused = env.run(words).fails().stderr;
        assert!(refused.contains("it is larger than 16777216 bytes"), "{words}: {refused}");
    }
    // What is piped in is a file like any other.
    let piped = env.run_with_stdin("score validate --local -", &score("web", ""));
    assert_eq!(piped.ok().stdout, "The Score file validated successfully\n");
}

#[test]
fn what_overrides_bring_in_is_told_with_their_file() {
    let env = TestEnv::new();
    env.score("web", "").write("over.yaml", "containers:\n  main:\n    imagee: x\n");
    let refused = env.run("score deploy --app shop --env development --overrides over.yaml").fails().stderr;
    assert!(refused.starts_with("Error: over.yaml:3:5: "), "{refused}");
    env.write("over.yaml", "# nothing\n").run("create app shop").ok();
    env.run("score deploy --app shop --env development --overrides over.yaml --dry-run").ok();
}
