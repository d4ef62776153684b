//! Where a secret must never be found.

use std::fs;
use std::path::Path;

use crate::harness::{HttpGit, SshServer, TestEnv, git_cluster};

pub(crate) const CANARY: &str = "canary-Pa55word/+=&";

/// True when any file below a directory holds the canary in any usual form.
pub(crate) fn holds_canary(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(bytes) = fs::read(&path)
            && contains(&bytes)
        {
            found.push(path.display().to_string());
        }
    }
    found
}

pub(crate) fn contains(bytes: &[u8]) -> bool {
    use base64::Engine as _;
    let forms = [
        CANARY.to_owned(),
        base64::engine::general_purpose::STANDARD.encode(CANARY),
        "canary-Pa55word%2F%2B%3D%26".to_owned(),
    ];
    forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

/// Directories with private files that lie there now.
fn private_directories(env: &TestEnv) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(env.home().join(".cache/humctl/run")).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

#[test]
fn a_password_is_in_no_object_state_log_or_output() {
    let env = TestEnv::new();
    let remote = env.remote("served/r");
    let server = HttpGit::start(&env.path("served"), "bot", CANARY);
    let definition = git_cluster(&server.url("r.git"), "path: x", "      username: bot\n")
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{CANARY}\"}}}}\n  criteria:"));
    env.write("secret/c.yaml", &definition);
    let mut outputs = String::new();
    let mut run = |words: &str| {
        let run = env.run(words);
        outputs.push_str(&run.stdout);
        outputs.push_str(&run.stderr);
        run
    };
    assert_eq!(run("apply -f secret/c.yaml -o json -v9").code, 0);
    assert_eq!(run("create app shop").code, 0);
    env.score("web", "");
    assert_eq!(run("score deploy --app shop --env development --wait -v9").code, 0);
    remote.hook("pre-receive", "echo declined >&2; exit 1");
    env.score("api", "");
    assert_eq!(run("score deploy --app shop --env development -v9").code, 1);
    run("get def git-target -o json");
    run("get deploy-error --app shop --env development -o json");
    run("get active-resources --app shop --env development -o yaml");
    run("api get /orgs/local/resources/defs/git-target");
    assert!(!contains(outputs.as_bytes()), "{outputs}");
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());
    // It did arrive where it belongs.
    assert!(server.seen.lock().unwrap().iter().any(|line| line.contains("Basic ")));
    let shown = env.run("get def git-target -o json").ok().json();
    let leaf = &shown["entity"]["driver_inputs"]["secret_refs"]["credentials"]["password"];
    assert_eq!(leaf["store"], "humanitec");
    assert_eq!(leaf["ref"], "defs/git-target/credentials/password");
}

/// How much of a secret is where it must not be: each long line of it, and its
/// encoded forms.
fn shows(secret: &str, bytes: &[u8]) -> bool {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(secret);
    let lines = secret.lines().filter(|line| line.len() > 12 && !line.starts_with("-----"));
    let mut forms = lines.chain([encoded.trim_end_matches('=')]);
    forms.any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

#[test]
fn while_git_runs_and_afterwards_nothing_shows_its_credentials() {
    // Its own, since other tests name theirs in arguments while this one looks.
    const PASSWORD: &str = "canary-under-way/+=&";
    for transport in ["http", "ssh"] {
        let env = TestEnv::new();
        let remote = env.remote("served/r");
        let ssh = (transport == "ssh").then(|| SshServer::start(&env.path("ssh")));
        let http = (transport == "http").then(|| HttpGit::start(&env.path("served"), "bot", PASSWORD));
        let (url, secret, leaf) = match (&ssh, &http) {
            (Some(server), _) => {
                let key = server.key.trim_end().replace('\n', "\n          ");
                (server.url(&remote.path), server.key.clone(), format!("ssh_key: |\n          {key}"))
            }
            (_, Some(server)) => (server.url("r.git"), PASSWORD.to_owned(), format!("password: \"{PASSWORD}\"")),
            _ => unreachable!(),
        };
        let known_hosts = ssh.as_ref().map(|server| server.host_key.as_str()).unwrap_or_default();
        let values = format!("      username: bot\n      known_hosts: \"{known_hosts}\"\n");
        let definition = git_cluster(&url, "path: x", &values)
            .replace("  criteria:", &format!("    secrets:\n      credentials:\n        {leaf}\n  criteria:"));
        env.write("secret/c.yaml", &definition).run("apply -f secret/c.yaml").ok();
        env.run("create app shop").ok();
        let mut outputs = Vec::new();
        for (score, hook) in [("web", "exit 0"), ("api", "echo no >&2; exit 1")] {
            remote.hook("pre-receive", hook);
            let mut child = env.score(score, "").start("score deploy --app shop --env development -v9");
            let mut stderr = child.stderr.take().unwrap();
            let log = std::thread::spawn(move || {
                let mut log = Vec::new();
                std::io::Read::read_to_end(&mut stderr, &mut log).unwrap();
                log
            });
            while child.try_wait().unwrap().is_none() {
                for process in fs::read_dir("/proc").unwrap().flatten() {
                    let id = process.file_name().to_string_lossy().parse::<u32>();
                    // What was there before is none of its children.
                    if id.is_ok_and(|id| id < child.id()) {
                        continue;
                    }
                    for file in ["cmdline", "environ"] {
                        // Processes end while we look, and others are not ours to read.
                        let bytes = fs::read(process.path().join(file)).unwrap_or_default();
                        assert!(!shows(&secret, &bytes), "{transport}: {}/{file}", process.path().display());
                    }
                }
            }
            outputs.extend(child.wait_with_output().unwrap().stdout);
            outputs.extend(log.join().unwrap());
        }
        assert_eq!(remote.n_commits("main"), 1, "{transport}: {}", String::from_utf8_lossy(&outputs));
        assert!(!shows(&secret, &outputs), "{transport}");
        assert!(!shows(&secret, &remote.all_objects()), "{transport}");
        assert_eq!(private_directories(&env), Vec::<std::path::PathBuf>::new());
        let mut open = vec![env.home().to_owned()];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                assert!(!shows(&secret, &fs::read(&path).unwrap()), "{transport}: {}", path.display());
            }
        }
    }
}

#[test]
fn a_literal_secret_of_a_resource_is_refused_before_git() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write(
        "pg.yaml",
        &format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: pg-literal}}
entity:
  name: pg-literal
  type: postgres
  driver_type: humanitec/echo
  driver_inputs:
    values: {{host: db}}
    secrets: {{username: app, password: \"{CANARY}\"}}
  criteria: [{{}}]
"
        ),
    );
    env.run("apply -f pg.yaml").ok();
    let failed = env.score("web", "resources:\n  db: {type: postgres}\n").deploy().fails();
    insta::assert_snapshot!(failed.errors(), @"
    Error: deployment [ID] failed
    PLN-013 Secret values cannot be written to Git (resource postgres.default#modules.web.externals.db): Definition `pg-literal`, matched for `postgres.default#modules.web.externals.db`, holds secret values, and values are never written to Git:
      /driver_inputs/secrets/password
      /driver_inputs/secrets/username
      hint: name them in a secret store instead, as secret_refs with `store` and `ref`
    ");
    assert!(!contains(&remote.all_objects()));
}

#[test]
fn a_secret_that_turns_up_anywhere_stops_the_commit() {
    use base64::Engine as _;
    const PLAIN: &str = "templates: {outputs: \"host: x\"}";
    let encoded = base64::engine::general_purpose::STANDARD.encode(CANARY);
    let db = |inputs: &str| {
        format!(
            "apiVersion: entity.humanitec.io/v1b1\nkind: Definition\nmetadata: {{id: pg-db}}\nentity: {{name: pg-db, type: postgres, \
             driver_type: humanitec/template, driver_inputs: {{values: {{{inputs}}}}}, criteria: [{{}}]}}\n"
        )
    };
    let uses_db = "resources:\n  db: {type: postgres}\n";
    // The path; the Score file after its container; the Definition of its database.
    let rows: Vec<(&str, String, String)> = vec![
        ("variable", format!("    variables: {{A: \"{CANARY}\"}}\n"), db(PLAIN)),
        ("mixed string", format!("    variables: {{A: \"x-{CANARY}-${{metadata.name}}\"}}\n"), db(PLAIN)),
        ("argument", format!("    args: [\"--password={CANARY}\"]\n"), db(PLAIN)),
        ("file", format!("    files: {{/f: {{content: \"a={CANARY}\"}}}}\n"), db(PLAIN)),
        ("binary file", format!("    files: {{/f: {{binaryContent: \"{encoded}\"}}}}\n"), db(PLAIN)),
        ("base64 in a variable", format!("    variables: {{A: \"{encoded}\"}}\n"), db(PLAIN)),
        ("params", format!("resources:\n  db: {{type: postgres, params: {{p: \"{CANARY}\"}}}}\n"), db(PLAIN)),
        ("driver input", uses_db.to_owned(), db(&format!("host: \"{CANARY}\", {PLAIN}"))),
        ("template", uses_db.to_owned(), db(&format!("templates: {{outputs: \"host: {CANARY}\"}}"))),
        ("base64 in a template", uses_db.to_owned(), db(&format!("templates: {{outputs: \"host: {encoded}\"}}"))),
        (
            "manifest",
            uses_db.to_owned(),
            db(&format!("templates: {{manifests: {{a.yaml: {{location: namespace, data: \"x: {CANARY}\"}}}}}}")),
        ),
    ];
    for (path, score, definition) in rows {
        let env = TestEnv::new();
        let remote = env.remote("r");
        let cluster = git_cluster(&remote.url(), "path: x", "      branch: main\n")
            .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{CANARY}\"}}}}\n  criteria:"));
        env.write("secret.yaml", &cluster).run("apply -f secret.yaml").ok();
        env.write("db.yaml", &definition).run("apply -f db.yaml").ok();
        env.run("create app shop").ok();
        // At -v9 requests are shown, and with them what somebody wrote as no secret.
        let failed = env.score("web", &score).run("score deploy --app shop --env development -v8");
        assert_eq!(failed.code, 1, "{path}");
        assert!(failed.stderr.contains("would hold a secret value"), "{path}: {}", failed.stderr);
        assert!(!contains(failed.stderr.as_bytes()), "{path}: {}", failed.stderr);
        assert!(!contains(&remote.all_objects()), "{path}");
    }
}

#[test]
fn a_secret_shared_value_is_in_no_object_log_or_output() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    env.run_args(&["create", "value", "PASSWORD", CANARY, "--app", "shop", "--is-secret"]).ok();
    let score = "    variables: {A: \"${resources.env.PASSWORD}\", B: \"x-${resources.env.PASSWORD}\"}\n\
                 resources:\n  env: {type: environment}\n";
    let refused = env.score("web", score).run("score deploy --app shop --env development -v9");
    assert!(refused.stderr.contains("PLN-013"), "{}", refused.stderr);
    let outputs = [
        refused,
        env.run("get values --app shop -o json"),
        env.run("resources graph --app shop --env development --format html"),
        env.run("resources explain --all --app shop --env development -v9"),
        env.run("get deployment-error --app shop --env development -o json"),
    ];
    for output in outputs {
        assert!(!contains(output.stdout.as_bytes()) && !contains(output.stderr.as_bytes()), "{output:?}");
    }
    assert!(!contains(&remote.all_objects()));
    assert_eq!(holds_canary(env.home()), Vec::<String>::new());
}

#[test]
fn secrets_that_did_not_change_make_no_version_and_a_returned_leaf_means_unchanged() {
    let env = TestEnv::new();
    let with = |password: &str| {
        git_cluster("/x", "path: x", "")
            .replace("  criteria:", &format!("    secrets: {{credentials: {{password: {password}}}}}\n  criteria:"))
    };
    env.write("c.yaml", &with("first-1234")).run("apply -f c.yaml").ok();
    assert_eq!(env.run("apply -f c.yaml").ok().stdout, "Definition git-target: unchanged\n");
    let shown = env.run("get def git-target -o yaml").ok().stdout;
    assert_eq!(env.run_with_stdin("apply -f -", &shown).ok().stdout, "Definition git-target: unchanged\n");
    env.write("c.yaml", &with("second-1234"));
    assert_eq!(env.run("apply -f c.yaml").ok().stdout, "Definition git-target: updated\n");
    let version = |env: &TestEnv| {
        let shown = env.run("get def git-target -o json").ok().json();
        shown["entity"]["driver_inputs"]["secret_refs"]["credentials"]["password"]["version"].clone()
    };
    assert_eq!(version(&env), "2");
    // Somebody else's leaf, or an old one, is refused.
    let failed = env.run_with_stdin("apply -f -", &shown).fails();
    assert!(failed.stderr.contains("HTTP-400"), "{}", failed.stderr);
}

#[test]
fn the_state_key_is_private_and_its_loss_is_told() {
    let env = TestEnv::new();
    env.write(
        "c.yaml",
        &git_cluster("/x", "path: x", "").replace("  criteria:", "    secrets: {a: first-1234}\n  criteria:"),
    );
    env.run("apply -f c.yaml").ok();
    let key = env.home().join(".local/share/humctl/state.key");
    fs::remove_file(&key).unwrap();
    let failed = env.run("apply -f c.yaml").fails();
    assert!(failed.stderr.contains("the state key is missing from the file"), "{}", failed.stderr);
    assert!(!key.exists());
}

#[test]
fn a_secret_that_only_looks_like_a_placeholder_is_sealed() {
    let env = TestEnv::new();
    for (id, secret) in [("one", "${canary-Pa55word}"), ("two", "${context.canary}"), ("three", "${externals.canary}")]
    {
        let definition = git_cluster("/x", "path: x", "")
            .replace("git-target", &format!("target-{id}"))
            .replace("[{}]", &format!("[{{app_id: {id}}}]"))
            .replace("  criteria:", &format!("    secrets: {{password: \"{secret}\"}}\n  criteria:"));
        env.write("secret/c.yaml", &definition).run("apply -f secret/c.yaml").ok();
        let shown = env.run(&format!("get def target-{id} -o json")).ok();
        assert!(!shown.stdout.contains("canary"), "{}", shown.stdout);
    }
    let state = fs::read(env.home().join(".local/share/humctl/state.db")).unwrap();
    assert!(!state.windows(6).any(|window| window == b"canary"));
    // A real placeholder is no secret.
    let definition = git_cluster("/x", "path: x", "")
        .replace("  criteria:", "    secrets: {agent_url: \"${resources['agent#agent'].outputs.url}\"}\n  criteria:");
    env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    let shown = env.run("get def git-target -o json").ok().json();
    let leaf = &shown["entity"]["driver_inputs"]["secret_refs"]["agent_url"]["value"];
    assert_eq!(leaf, "${resources['agent#agent'].outputs.url}");
}
