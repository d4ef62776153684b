//! What others read: the files on the branch, as Argo CD, Flux and a YAML 1.1
//! reader take them, and what is left when something goes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use humctl_core::yaml;
use serde_json::{Value, json};

use crate::harness::{POSTGRES, Remote, TestEnv, git_cluster};

/// What the last commit of `main` did, as `git diff-tree` tells it.
fn last_commit(remote: &Remote) -> Vec<String> {
    let told = remote.git(&["diff-tree", "-r", "--no-commit-id", "--name-status", "main"]);
    told.lines().map(|line| line.replace('\t', " ")).collect()
}

#[test]
fn a_commit_that_only_deletes_lands_below_and_in_the_root() {
    for (path, directory) in [("path: a/b/c", "a/b/c/"), ("path: \"\"", "")] {
        let env = TestEnv::new();
        let remote = env.remote("r");
        env.write("cluster.yaml", &git_cluster(&remote.url(), path, "      branch: main\n"));
        env.run("apply -f cluster.yaml").ok();
        env.run("create app shop").ok();
        env.score("web", "").deploy().ok();
        env.score("api", "").deploy().ok();
        env.run("score deploy --app shop --env development --remove").ok();
        let mut told = last_commit(&remote);
        told.sort();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with(&format!("D {directory}resource-")), "{told:?}");
        assert_eq!(
            told[1..],
            [format!("D {directory}workload-api.yaml"), "M .humctl/shop/development.record".to_owned()]
        );
    }
}

#[test]
fn a_directory_stays_as_long_as_its_environment() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    env.run("score deploy --app shop --env development --remove").ok();
    // An ApplicationSet deletes an Application whose directory is gone.
    assert!(!remote.list("main", "shop/development").is_empty());
    env.run("delete app shop").ok();
    assert!(remote.list("main", "shop/development").is_empty());
}

#[test]
fn every_file_is_fit_for_argo_cd_and_flux() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES).run("apply -f postgres.yaml").ok();
    env.run("create value TOKEN token --is-secret-ref --secret-store team-vault --app shop").ok();
    env.score(
        "web",
        "    variables: {A: \"${resources.db.host}\", B: \"${resources.env.TOKEN}\"}\n    \
         files: {/etc/a.sh: {content: \"echo ${HOME}\", noExpand: true}}\n\
         resources: {db: {type: postgres}, env: {type: environment}}\n",
    );
    env.deploy().ok();
    let include = ["resource-", "workload-", "secretmapping-"];
    let mut kinds = Vec::new();
    for name in remote.list("main", "shop/development") {
        let text = remote.show("main", &format!("shop/development/{name}"));
        let object = yaml::parse_documents(&text).unwrap().remove(0);
        let (kind, metadata) = (object["kind"].as_str().unwrap(), &object["metadata"]);
        // Argo CD reads what fits its pattern, and Flux refuses an object that is there twice.
        assert!(include.iter().any(|prefix| name.starts_with(prefix)), "{name}");
        let expected = format!("{}-{}.yaml", kind.to_lowercase(), metadata["name"].as_str().unwrap());
        assert_eq!(name, expected);
        // Argo CD and Flux say where it goes, and a finalizer in Git could not be removed in the cluster.
        assert!(metadata.get("namespace").is_none() && metadata.get("finalizers").is_none(), "{text}");
        let annotation = |key: &str| metadata["annotations"].get(key).and_then(Value::as_str);
        // Flux fails on any `${x}` without it, ours and the user's.
        assert_eq!(annotation("kustomize.toolkit.fluxcd.io/substitute"), Some("disabled"), "{text}");
        let kept = (kind == "Resource").then_some("disabled");
        assert_eq!(annotation("kustomize.toolkit.fluxcd.io/prune"), kept, "{text}");
        let kept = (kind == "Resource").then_some("Prune=false,Delete=false");
        assert_eq!(annotation("argocd.argoproj.io/sync-options"), kept, "{text}");
        // No placeholder is left; a person's own text keeps what it has.
        assert_eq!(text.replace("echo ${HOME}", "").find("${"), None, "{text}");
        kinds.push(kind.to_owned());
    }
    assert_eq!(kinds, ["Resource", "Resource", "Resource", "SecretMapping", "Workload"]);
}

/// `PyYAML` reads YAML 1.1, as kubectl and Argo CD do.
#[test]
fn a_reader_of_yaml_1_1_reads_what_was_written() {
    let plain = [
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "null",
        "~",
        "",
        " ",
        "012",
        "0o12",
        "0x1F",
        "1_000",
        "1e3",
        "1.0",
        ".inf",
        ".NaN",
        "1:30",
        "190:20:30",
        "2024-01-01",
        "2024-01-01 10:00:00",
        "=",
        "<<",
        "!x",
        "&a",
        "*a",
        "-",
        "- a",
        "? a",
        ": a",
        "a: b",
        "a #b",
        "#b",
        "%x",
        "@x",
        "`x",
        "{a}",
        "[a]",
        "\"x\"",
        "'x'",
        "a\\b",
        "${x}",
        "$(x)",
        "{{x}}",
        "\u{e9}",
        "\u{1f600}",
        "trailing ",
        " leading",
        "tab\there",
        "---",
        "...",
        "+1",
        "-0",
        "1.",
        "0b101",
        "1e",
        "key:",
        "\u{2028}",
        "\u{a0}",
    ];
    let lines = ["a\n", "a\n\n", "\na", "a\r\nb", "  a\nb\n", "a \nb", "a\n  b\n", "# a\nb\n", "\n", "a\n---\nb\n"];
    let texts = plain.iter().chain(&lines);
    let values: Vec<Value> = texts
        .flat_map(|text| {
            let key = Value::Object([((*text).to_owned(), json!(1))].into_iter().collect());
            [json!({"value": text}), json!([text, [text]]), json!({"deep": [{"value": text}]}), key]
        })
        .collect();
    let documents: Vec<Value> = values.iter().map(|value| json!([yaml::to_string(value).unwrap(), value])).collect();
    let reader = "import json, sys, yaml
for text, value in json.load(sys.stdin):
    read = yaml.safe_load(text)
    if read != value or json.dumps(read) != json.dumps(value):
        sys.exit(f'{text!r} is {read!r} and not {value!r}')
";
    let mut child = Command::new("python3")
        .args(["-c", reader])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(Value::from(documents).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}\n(PyYAML comes with: apt-get install yq)");
}
