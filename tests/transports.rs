//! Credentials that travel: smart HTTP with a password, SSH with a key.

use crate::harness::{HttpGit, SshServer, TestEnv, git_cluster, make_key};

#[test]
fn smart_http_takes_the_password_of_the_definition() {
    let env = TestEnv::new();
    let remote = env.remote("served/r");
    let server = HttpGit::start(&env.path("served"), "git", "right-12345");
    let definition = |password: &str| {
        git_cluster(&server.url("r.git"), "branch: main", "")
            .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{password}\"}}}}\n  criteria:"))
    };
    env.write("c.yaml", &definition("wrong-12345")).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    let failed = env.score("web", "").deploy().fails();
    assert!(failed.stderr.contains("Credentials refused"), "{}", failed.stderr);
    assert!(!failed.stderr.contains("wrong-12345"), "{}", failed.stderr);
    assert_eq!(remote.n_commits("main"), 0);
    // A newline at the end is a slip that every form field makes.
    env.write("c.yaml", &definition("right-12345\\n")).run("apply -f c.yaml").ok();
    env.deploy().ok();
    assert_eq!(remote.n_commits("main"), 1);
    env.score("web", "    variables: {A: b}\n").deploy().ok();
    assert_eq!(remote.n_commits("main"), 2);
    let missing = git_cluster(&server.url("nope.git"), "branch: main", "")
        .replace("  criteria:", "    secrets: {credentials: {password: right-12345}}\n  criteria:");
    env.write("c.yaml", &missing).run("apply -f c.yaml").ok();
    let failed = env.deploy().fails();
    assert!(failed.stderr.contains("Repository not found"), "{}", failed.stderr);
}

#[test]
fn ssh_takes_the_key_of_the_definition_and_only_known_hosts() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let server = SshServer::start(&env.path("ssh"));
    let definition = |key: &str, known_hosts: &str| {
        let key = key.trim_end().replace('\n', "\n          ");
        git_cluster(&server.url(&remote.path), "branch: main", &format!("      known_hosts: \"{known_hosts}\"\n"))
            .replace(
                "  criteria:",
                &format!("    secrets:\n      credentials:\n        ssh_key: |\n          {key}\n  criteria:"),
            )
    };
    env.write("c.yaml", &definition(&server.key, "")).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    let failed = env.score("web", "").deploy().fails();
    assert!(
        failed.stderr.contains("Unknown SSH host key") && failed.stderr.contains("ssh-keyscan"),
        "{}",
        failed.stderr
    );

    let other = make_key(&env.path("other"), "key");
    env.write("c.yaml", &definition(&other, &server.host_key)).run("apply -f c.yaml").ok();
    let failed = env.deploy().fails();
    assert!(failed.stderr.contains("Credentials refused"), "{}", failed.stderr);
    env.write("c.yaml", &definition("no key at all", &server.host_key)).run("apply -f c.yaml").ok();
    assert!(env.deploy().fails().stderr.contains("Private key cannot be used"));
    assert_eq!(remote.n_commits("main"), 0);

    env.write("c.yaml", &definition(&server.key, &server.host_key)).run("apply -f c.yaml").ok();
    env.deploy().ok();
    assert_eq!(remote.n_commits("main"), 1);
    let line = server.key.lines().nth(2).unwrap();
    let objects = String::from_utf8_lossy(&remote.all_objects()).into_owned();
    assert!(!objects.contains(line));

    // Trust on first use, when that is asked for.
    env.write("c.yaml", &definition(&server.key, "")).run("apply -f c.yaml").ok();
    env.score("web", "    variables: {A: b}\n");
    env.run("score deploy --app shop --env development --git-accept-new-host-key").ok();
    assert_eq!(remote.n_commits("main"), 2);
}
