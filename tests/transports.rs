//! Every way to a repository: files, smart HTTP with a password, SSH with a
//! key; and where credentials come from.

use std::fs;
use std::path::Path;

use crate::harness::{HttpGit, Remote, Run, SshServer, TestEnv, git_cluster, make_key};

const PASSWORD: &str = "right-12345";

/// A server that keeps running while a test does.
enum Server {
    None,
    Http(HttpGit),
    Ssh(SshServer),
}

/// One way to a repository, with an Application `shop`.
struct Site {
    env: TestEnv,
    remote: Remote,
    server: Server,
}

impl Site {
    fn new(transport: &str) -> Self {
        let env = TestEnv::new();
        let remote = env.remote("served/r");
        let server = match transport {
            "http" => Server::Http(HttpGit::start(&env.path("served"), "git", PASSWORD)),
            "ssh" => Server::Ssh(SshServer::start(&env.path("ssh"))),
            _ => Server::None,
        };
        env.run("create app shop").ok();
        env.score("web", "");
        Self { env, remote, server }
    }

    fn url(&self) -> String {
        match &self.server {
            Server::None => self.remote.url(),
            Server::Http(server) => server.url("r.git"),
            Server::Ssh(server) => server.url(&self.remote.path),
        }
    }

    /// The credentials of a Definition that are let in.
    fn right(&self) -> String {
        match &self.server {
            Server::None => String::new(),
            Server::Http(_) => format!("password: {PASSWORD}"),
            Server::Ssh(server) => ssh_key(&server.key),
        }
    }

    fn known_hosts(&self) -> &str {
        match &self.server {
            Server::Ssh(server) => &server.host_key,
            _ => "",
        }
    }

    /// Applies a Definition with these credentials and lines of known hosts.
    fn apply(&self, credentials: &str, known_hosts: &str) {
        let values = format!("      known_hosts: \"{known_hosts}\"\n");
        let path = "branch: main\n      path: \"${context.app.id}/${context.env.id}\"";
        let mut definition = git_cluster(&self.url(), path, &values);
        if !credentials.is_empty() {
            let secrets = format!("    secrets:\n      credentials:\n        {credentials}\n  criteria:");
            definition = definition.replace("  criteria:", &secrets);
        }
        self.env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    }

    fn deploy_with(&self, variables: &[(&str, &str)], flags: &str) -> Run {
        self.env.shell(&format!("humctl score deploy --app shop --env development {flags}"), variables)
    }
}

fn ssh_key(text: &str) -> String {
    format!("ssh_key: |\n          {}", text.trim_end().replace('\n', "\n          "))
}

/// Moves the branch on, once for each push of ours.
const FASTER: &str = "[ -e done ] && exit 0\ntouch done\nunset GIT_QUARANTINE_PATH\n\
     export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n\
     git update-ref refs/heads/main $(git commit-tree -p main -m faster 'main^{tree}')";

#[test]
fn every_transport_does_the_whole_job() {
    for transport in ["file", "http", "ssh"] {
        let site = Site::new(transport);
        let (env, remote) = (&site.env, &site.remote);
        remote.commit("main", &[("README.md", "x\n")]);
        let wrong = match transport {
            "http" => "password: wrong-12345".to_owned(),
            "ssh" => ssh_key(&make_key(&env.path("other"), "key")),
            _ => String::new(),
        };
        if transport == "ssh" {
            site.apply(&site.right(), "");
            let told = env.deploy().fails().stderr;
            assert!(told.contains("Unknown SSH host key") && told.contains("ssh-keyscan -p "), "{told}");
        }
        if !wrong.is_empty() {
            site.apply(&wrong, site.known_hosts());
            let told = env.deploy().fails().stderr;
            assert!(told.contains("Credentials refused") && !told.contains("wrong-12345"), "{transport}: {told}");
        }
        assert_eq!(remote.n_commits("main"), 1, "{transport}");
        site.apply(&site.right(), site.known_hosts());
        env.deploy().ok();
        assert!(env.deploy().ok().stdout.contains("no changes"), "{transport}");
        assert_eq!(remote.n_commits("main"), 2, "{transport}");

        remote.hook("pre-receive", FASTER);
        env.score("api", "").deploy().ok();
        assert_eq!(remote.n_commits("main"), 4, "{transport}");

        env.run("create env staging --app shop").ok();
        env.run("score deploy --app shop --env staging").ok();
        assert_eq!(remote.list("main", "shop/staging").len(), 3, "{transport}");
        fs::remove_file(remote.path.join("done")).unwrap();
        env.run("delete env staging --app shop").ok();
        assert_eq!(remote.list("main", "shop"), ["development"], "{transport}");
        assert_eq!(remote.n_commits("main"), 7, "{transport}");
        assert_eq!(remote.git(&["rev-list", "--merges", "--count", "main"]), "0\n", "{transport}");
        assert_eq!(remote.show("main", "README.md"), "x\n", "{transport}");
        if let Server::Ssh(server) = &site.server {
            let line = server.key.lines().nth(2).unwrap();
            assert!(!String::from_utf8_lossy(&remote.all_objects()).contains(line));
        }
    }
}

#[test]
fn a_password_may_end_in_a_newline_and_a_missing_repository_is_told() {
    let site = Site::new("http");
    // A newline at the end is a slip that every form field makes.
    site.apply(&format!("password: \" {PASSWORD}\\n\""), "");
    site.env.deploy().ok();
    assert_eq!(site.remote.n_commits("main"), 1);
    fs::rename(&site.remote.path, site.env.path("served/away.git")).unwrap();
    let failed = site.env.deploy().fails();
    assert!(failed.stderr.contains("Repository not found"), "{}", failed.stderr);
}

#[test]
fn credentials_of_this_process_stand_in_for_those_of_the_definition() {
    let site = Site::new("http");
    site.apply("", "");
    // Nothing is asked of anybody without credentials.
    assert!(site.deploy_with(&[], "").fails().stderr.contains("Credentials refused"));
    site.deploy_with(&[("HUMCTL_GIT_PASSWORD", " right-12345\n")], "").ok();
    assert_eq!(site.remote.n_commits("main"), 1);
    // The Definition's come first, and what fits another transport is none.
    site.apply("password: wrong-12345", "");
    assert!(site.deploy_with(&[("HUMCTL_GIT_PASSWORD", PASSWORD)], "").fails().stderr.contains("Credentials refused"));
    site.apply(&site.right(), "");
    site.deploy_with(&[("HUMCTL_GIT_PASSWORD", "wrong-12345"), ("HUMCTL_GIT_SSH_KEY_FILE", "/nowhere")], "").ok();
    // It is a secret like others: it gets into no file.
    site.env.score("web", "    variables: {A: right-12345}\n");
    let told = site.deploy_with(&[("HUMCTL_GIT_PASSWORD", PASSWORD)], "-v8").stderr;
    assert!(told.contains("would hold a secret value") && !told.contains(PASSWORD), "{told}");
}

#[test]
fn a_key_of_this_process_stands_in_for_that_of_the_definition() {
    let site = Site::new("ssh");
    let Server::Ssh(server) = &site.server else { unreachable!() };
    site.apply("", site.known_hosts());
    site.env.write("keys/good", &server.key.replace('\n', "\r\n")).write("keys/none", "no key");
    let with = |name: &str| {
        let file = site.env.path(&format!("keys/{name}")).display().to_string();
        site.deploy_with(&[("HUMCTL_GIT_SSH_KEY_FILE", &file)], "")
    };
    with("good").ok();
    assert_eq!(site.remote.n_commits("main"), 1);
    let protected = site.env.path("keys/protected");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "passphrase", "-f"])
        .arg(&protected)
        .status();
    assert!(made.unwrap().success());
    for (name, expected) in [
        ("protected", "protected by a passphrase"),
        ("protected.pub", "it is a public key"),
        ("none", "does not begin as a private key does"),
        ("absent", "No such file"),
    ] {
        let told = with(name).fails().stderr;
        assert!(told.contains(expected) && told.contains(&format!("keys/{name}")), "{name}: {told}");
    }
    // So are those of a Definition, before anything is sent.
    site.apply(&ssh_key(&fs::read_to_string(protected).unwrap()), "");
    let told = site.env.deploy().fails().stderr;
    assert!(
        told.contains("`credentials.ssh_key` of Definition `git-target` cannot be used: it is protected"),
        "{told}"
    );
}

#[test]
fn known_hosts_come_from_the_file_of_the_user_or_another_and_what_is_accepted_is_kept() {
    let site = Site::new("ssh");
    site.apply(&site.right(), "");
    let (env, remote) = (&site.env, &site.remote);
    env.write("known", &format!("{}\n", site.known_hosts())).write("none", "");
    let unknown = |run: Run| assert!(run.fails().stderr.contains("Unknown SSH host key"));
    unknown(site.deploy_with(&[], "--git-known-hosts none"));
    site.deploy_with(&[], "--git-known-hosts known").ok();
    site.deploy_with(&[("HUMCTL_GIT_KNOWN_HOSTS", "known")], "").ok();
    // The flag wins.
    unknown(site.deploy_with(&[("HUMCTL_GIT_KNOWN_HOSTS", "known")], "--git-known-hosts none"));
    assert!(site.deploy_with(&[], "--git-known-hosts absent").fails().stderr.contains("`absent`"));
    // What is accepted once is known from then on, in the file that was named or the user's.
    site.deploy_with(&[], "--git-accept-new-host-key --git-known-hosts none").ok();
    site.deploy_with(&[], "--git-known-hosts none").ok();
    unknown(env.deploy());
    site.deploy_with(&[], "--git-accept-new-host-key").ok();
    env.deploy().ok();
    let kept = fs::read_to_string(env.home().join(".ssh/known_hosts")).unwrap();
    assert!(kept.contains("ssh-ed25519"), "{kept}");
    // It stands in for the user's file.
    unknown(site.deploy_with(&[("HUMCTL_GIT_KNOWN_HOSTS", "/dev/null")], ""));
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn without_credentials_the_users_own_ssh_is_used_and_told_whom_to_trust() {
    let site = Site::new("ssh");
    let Server::Ssh(server) = &site.server else { unreachable!() };
    site.apply("", "");
    let key = site.env.path("ssh/user");
    assert!(Path::new(&key).exists());
    site.env.write("known", &format!("{}\n", server.host_key));
    let command = format!("ssh -F /dev/null -o BatchMode=yes -i {}", key.display());
    let own = [("GIT_SSH_COMMAND", command.as_str())];
    site.deploy_with(&own, "--git-known-hosts known").ok();
    site.deploy_with(&own, "--git-accept-new-host-key").ok();
    assert_eq!(site.remote.n_commits("main"), 1);
}
