//! The rules of the command line that pipelines rely on (spec/cli.md §1, §9),
//! as far as they apply without a server.

use std::process::Stdio;

use crate::harness::TestEnv;

#[test]
fn empty_lists_are_brackets_and_objects_are_manifests() {
    let env = TestEnv::new();
    assert_eq!(env.run("get apps -o json").ok().stdout, "[]\n");
    env.run("create app shop --name Shop").ok();
    let apps = env.run("--org local get apps --output=json").ok().json();
    assert_eq!(apps[0]["metadata"]["id"], "shop");
    assert_eq!(apps[0]["entity"]["name"], "Shop");
    let env_manifest = env.run("get env development --app shop -o json").ok().json();
    assert_eq!(env_manifest["entity"]["from_deploy"], serde_json::Value::Null);
    assert_eq!(env_manifest["kind"], "Environment");
    assert!(
        env.run("get environments --app shop -o yaml")
            .ok()
            .stdout
            .starts_with("- apiVersion: entity.humanitec.io/v1b1\n")
    );
}

#[test]
fn reading_makes_nothing_and_shows_what_is_built_in() {
    let env = TestEnv::new();
    assert!(env.run("get resource-type").ok().stdout.contains("postgres"));
    assert!(env.run("get env-types -o json").ok().stdout.contains("\"staging\""));
    assert_eq!(env.run("get orgs -o json").ok().json()[0]["metadata"]["id"], "local");
    assert_eq!(env.run("get orgs --org my-org -o json").ok().json()[0]["metadata"]["id"], "my-org");
    assert!(!env.home().join(".local/share/humctl/state.db").exists());
}

#[test]
fn missing_context_is_named() {
    let env = TestEnv::new();
    assert!(env.run("get envs").fails().stderr.contains("application is required"));
    assert!(env.run("get deploy . --app shop").fails().stderr.contains("environment is required"));
    let mut env = TestEnv::new();
    env.set("HUMANITEC_APP", "").set("HUMANITEC_ENV", "");
    assert!(env.run("get envs").fails().stderr.contains("application is required"));
}

#[test]
fn a_fresh_environment_has_no_deployments() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    for command in
        ["get deploy .", "get deployment-set .", "get deploy-error", "resources graph", "resources graph deploy ."]
    {
        let failed = env.run(&format!("{command} --app shop --env development")).fails();
        assert!(failed.stderr.contains("no deployments in environment"), "{command}: {}", failed.stderr);
    }
}

#[test]
fn scripts_can_test_for_existence() {
    let env = TestEnv::new();
    env.run("get application shop").fails();
    env.run("create application shop").ok();
    let again = env.run("create app shop").fails();
    assert!(again.stderr.contains("HTTP-409"), "{}", again.stderr);
    env.run("get application shop").ok();
}

#[test]
fn flags_stand_anywhere_and_the_environment_counts() {
    let mut env = TestEnv::new();
    env.run("create app shop --org my-org").ok();
    env.run("get --org my-org apps -o json").ok();
    env.run("get env --app shop development --org my-org").ok();
    env.run("get env development -c /orgs/my-org/apps/shop").ok();
    for flag in ["--env development", "--env=development", "-e development", "-edevelopment"] {
        env.run(&format!("get deploys --app shop --org my-org {flag}")).ok();
    }
    env.set("HUMANITEC_ORG", "my-org").set("HUMANITEC_APP", "shop").set("HUMANITEC_OUTPUT", "json");
    assert!(env.run("get envs").ok().json().is_array());
    env.set("HUMANITEC_CLI_ALPHA_FEATURES", "");
    env.run("get envs").ok();
}

#[test]
fn switches_take_their_value_written_out() {
    let env = TestEnv::new();
    env.write("score.yaml", "apiVersion: score.dev/v1b1\n");
    let says = |words: &str| env.run(words).stdout.contains("missing properties");
    assert!(says("score validate --local=true --strict=false"));
    assert!(env.run("score validate --local=perhaps").fails().stderr.contains("--local"));
    env.run("create app shop --skip-environment-creation=true").ok();
    assert_eq!(env.run("get envs --app shop -o json").ok().stdout, "[]\n");
    env.run("create app other --skip-environment-creation=false").ok();
    assert_eq!(env.run("get envs --app other -o json").ok().json()[0]["metadata"]["id"], "development");
}

#[test]
fn every_type_has_a_plural() {
    let env = TestEnv::new();
    for word in ["registries", "resource-classes", "classes", "keys", "res-defs", "driver", "Secret-Stores"] {
        assert_eq!(env.run(&format!("get {word}")).ok().stderr, "", "{word}");
    }
}

#[test]
fn a_path_in_place_of_a_value_says_whose_it_is() {
    const PATH: &str = "/orgs/my-org/apps/shop/envs/development/values";
    let env = TestEnv::new();
    env.run("create app shop --org my-org").ok();
    env.run("create value LEVEL info --org my-org --app shop").ok();
    env.run(&format!("delete value {PATH}/LEVEL")).fails();
    env.run("create value LEVEL debug --org my-org --app shop --env development").ok();
    let shown = env.run(&format!("get value {PATH}/LEVEL -o json")).ok().json();
    assert_eq!((&shown["entity"]["value"], &shown["status"]["source"]), (&"debug".into(), &"env".into()));
    env.run(&format!("delete value {PATH}/LEVEL")).ok();
    assert_eq!(env.run(&format!("get values {PATH} -o json")).ok().json()[0]["entity"]["value"], "info");
}

#[test]
fn the_configuration_file_is_an_interface() {
    let env = TestEnv::new();
    env.write("home/.humctl", "deviceID: abc\norg: my-org\n");
    env.run("config set app shop").ok();
    assert_eq!(env.run("config app").ok().stdout, "shop\n");
    assert_eq!(env.run("config deviceID").ok().stdout, "abc\n");
    assert_eq!(
        env.run("config view").ok().json(),
        serde_json::json!({"deviceID": "abc", "org": "my-org", "app": "shop"})
    );
    env.run("config set app --delete").ok();
    env.run("config app").fails();
    assert!(env.run("config set output bogus").fails().stderr.contains("unknown output format"));
    assert!(env.run("config ogr").fails().stderr.contains("did you mean `org`"));
    let text = std::fs::read_to_string(env.home().join(".humctl")).unwrap();
    assert_eq!(text, "deviceID: abc\norg: my-org\n");
}

#[test]
fn wrong_words_are_told_as_the_official_program_does() {
    let env = TestEnv::new();
    insta::assert_snapshot!(env.run("aply").fails().stderr, @r#"
    Error: unknown command "aply" for "humctl"
      hint: did you mean `api` or `deploy` or `apply`?
      hint: see: humctl --help
    "#);
    assert!(env.run("get aps").fails().stderr.contains("did you mean `app`"));
    assert!(env.run("get apps --bogus").fails().stderr.contains("unknown flag: --bogus"));
    assert!(env.run("get apps -o bogus").fails().stderr.contains("unknown output format `bogus`"));
    assert!(env.run("get app UPPER").fails().stderr.contains("HTTP-400"));
    assert!(env.run("create app My_App").fails().stderr.contains("application id"));
    assert!(env.run("").ok().stdout.contains("Usage:"));
    for words in ["get", "deploy", "diff", "update", "create", "delete", "api", "completion", "score", "resources"] {
        assert!(env.run(words).ok().stdout.contains("Usage:"), "{words}");
    }
    assert!(env.run("score deploy --help").ok().stdout.contains("--wait"));
}

#[test]
fn version_and_completion_need_nothing() {
    let env = TestEnv::new();
    assert!(env.run("--version").ok().stdout.starts_with("humctl 0."));
    assert!(env.run("version").ok().stdout.starts_with("humctl version 0."));
    for shell in ["bash", "fish", "powershell", "zsh"] {
        assert!(env.run(&format!("completion {shell}")).ok().stdout.contains("humctl"), "{shell}");
    }
}

#[test]
fn verbosity_changes_stderr_and_not_stdout() {
    let env = TestEnv::new();
    let quiet = env.run("get orgs -o json").ok();
    let loud = env.run("get orgs -o json -v9");
    assert_eq!(
        quiet.stdout.replace(|c: char| c.is_ascii_digit(), ""),
        loud.stdout.replace(|c: char| c.is_ascii_digit(), "")
    );
    assert!(loud.stderr.contains("GET /orgs"), "{}", loud.stderr);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let env = TestEnv::new();
    let mut child =
        env.command("get resource-type -o json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn text_tables_have_the_id_in_the_row() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let table = env.run("get apps").ok().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID  \tName\tCreated At"), "{table}");
    assert!(lines[1].starts_with("shop\tshop\t"), "{table}");
}

#[test]
fn ids_that_are_not_there_lead_to_those_that_are() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    for (command, near) in [
        ("get app shpo", "shop"),
        ("delete app shopp", "shop"),
        ("get envs --app shpo", "shop"),
        ("get env developmnt --app shop", "development"),
        ("score deploy --app shop --env developmet", "development"),
        ("get def default-humanitec-rout", "default-humanitec-route"),
        ("get resource-type postgre", "postgres"),
        ("get env-type stagin", "staging"),
    ] {
        env.score("web", "");
        let error = env.run(command).fails().stderr;
        assert!(error.contains(&format!("hint: did you mean `{near}`?")), "{command}: {error}");
    }
    let error = env.run("get app nothing-like-it").fails().stderr;
    assert!(!error.contains("did you mean"), "{error}");
}

#[test]
fn a_configuration_that_cannot_be_used_can_be_mended() {
    let env = TestEnv::new();
    for (key, value) in [("apiPrefix", "foo"), ("context", "nonsense"), ("output", "xml"), ("selectorDepth", "deep")] {
        env.run(&format!("config set {key} {value}")).fails();
        // Somebody else may have written it.
        env.write("home/.humctl", &format!("{key}: {value}\norg: my-org\n"));
        if key != "selectorDepth" {
            env.run("get apps").fails();
        }
        assert!(env.run("config view").ok().stdout.contains(value), "{key}");
        let told = env.run("doctor");
        assert_eq!((told.code, told.stderr.as_str()), (1, ""), "{key}");
        assert!(told.stdout.contains("problem  configuration") || key == "selectorDepth", "{}", told.stdout);
        env.run(&format!("config set {key} --delete")).ok();
        env.run("get apps").ok();
    }
    let refused = env.run("get apps --api-prefix https://user:canary-pw@api.example").fails().stderr;
    assert!(!refused.contains("canary-pw"), "{refused}");
    assert_eq!(env.run_with_stdin("apply -f -", "[]\n").ok().stdout, "");
}

#[test]
fn long_texts_have_their_place_in_a_table() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.run_args(&["create", "value", "LONG", &"x".repeat(70_000), "-d", "d", "--app", "shop"]).ok();
    assert!(env.run("get values --app shop").ok().stdout.len() > 70_000);
}
