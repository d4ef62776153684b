//! `score init` and `score validate`.

use serde_json::json;

use crate::harness::TestEnv;

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
