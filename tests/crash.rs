//! Killing the program at every step of a Deployment: the branch is at the old
//! or the new complete commit, the state can be read, and the next command
//! brings both together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Remote, SshServer, TestEnv, git_cluster};

const CANARY: &str = "canary-of-crashes/+=&";
const DEPLOY: &str = "score deploy --app shop --env development";

/// A repository with files of others, and a Definition with a password that
/// no file may hold; `{url}` is the repository's.
fn prepared(url: impl FnOnce(&TestEnv, &Remote) -> String) -> (TestEnv, Remote) {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n"), ("shop/development/notes.txt", "y\r\nz")]);
    let definition = git_cluster(&url(&env, &remote), "path: shop/development", "      branch: main\n")
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{CANARY}\"}}}}\n  criteria:"));
    env.write("outside/c.yaml", &definition).run("apply -f outside/c.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "");
    (env, remote)
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Files below a directory that hold the password.
fn leaks(directory: &Path) -> Vec<PathBuf> {
    let found = Command::new("grep").args(["-rlF", CANARY]).arg(directory).output().unwrap().stdout;
    String::from_utf8(found).unwrap().lines().map(PathBuf::from).collect()
}

fn private_directories(env: &TestEnv) -> Vec<PathBuf> {
    let entries = fs::read_dir(env.home().join(".cache/humctl/run")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

/// What must hold after a Deployment that ended in whatever way, given the
/// branch's tree before and after a whole one.
fn check(case: &str, env: &TestEnv, remote: &Remote, before: &str, after: &str) {
    remote.git(&["fsck", "--strict", "--no-dangling"]);
    let tree = remote.tree("main");
    assert!(tree == before || tree == after, "{case}: {tree}");
    // The next command reads the state, and settles what was interrupted by what the branch holds.
    let shown = env.run("get deploy --app shop --env development -o json");
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{case}");
    let log = remote.git(&["log", "main"]);
    for deployment in shown.json().as_array().unwrap() {
        let (id, status) = (&deployment["metadata"]["id"], &deployment["status"]["status"]);
        let has_landed = log.contains(&format!("Humctl-Deployment: {}", id.as_str().unwrap()));
        assert_eq!(status, if has_landed { "succeeded" } else { "failed" }, "{case}");
    }
    assert_eq!(private_directories(env), Vec::<PathBuf>::new(), "{case}");
    env.run(DEPLOY).ok();
    assert_eq!(remote.tree("main"), after, "{case}");
    assert_eq!(remote.n_commits("main"), 2, "{case}");
    assert_eq!(private_directories(env), Vec::<PathBuf>::new(), "{case}");
    assert_eq!(leaks(env.home()), Vec::<PathBuf>::new(), "{case}");
}

/// A machine before its first Deployment, again and again.
struct Site {
    env: TestEnv,
    remote: Remote,
    before: String,
    after: String,
}

impl Site {
    fn new() -> Self {
        let (env, remote) = prepared(|_, remote| remote.url());
        copy(env.home(), &env.path("pristine-home"));
        copy(&remote.path, &env.path("pristine.git"));
        let before = remote.tree("main");
        env.run(DEPLOY).ok();
        let after = remote.tree("main");
        Self { env, remote, before, after }
    }

    fn restore(&self) {
        copy(&self.env.path("pristine-home"), self.env.home());
        copy(&self.env.path("pristine.git"), &self.remote.path);
    }

    fn check(&self, case: &str) {
        check(case, &self.env, &self.remote, &self.before, &self.after);
    }
}

#[test]
fn a_deployment_may_be_killed_at_every_step() {
    let site = Site::new();
    let mut n_killed = 0;
    loop {
        site.restore();
        let number = n_killed + 1;
        let ended = site.env.command(DEPLOY).env("HUMCTL_FAULT_POINT", number.to_string()).output().unwrap();
        if ended.status.success() {
            break;
        }
        assert_eq!(ended.status.code(), None, "step {number}: {}", String::from_utf8_lossy(&ended.stderr));
        n_killed = number;
        site.check(&format!("killed at step {number}"));
    }
    assert!(n_killed >= 30, "only {n_killed} steps");
}

#[test]
fn a_disk_may_be_full_at_any_point() {
    let site = Site::new();
    // The largest file that anybody may write, in KiB; the state is larger, and so are its logs.
    for limit in [0, 2, 16, 100, 150, 600] {
        site.restore();
        let ended = site.env.shell(&format!("trap '' XFSZ; ulimit -f {limit}; exec humctl {DEPLOY}"), &[]);
        let case = format!("{limit} KiB: {}", ended.stderr);
        if ended.code != 0 {
            assert!(ended.code == 1 && ended.stderr.starts_with("Error: "), "{case}");
            assert!(!ended.stderr.contains("panicked"), "{case}");
        }
        site.check(&case);
    }
}

#[test]
fn what_a_killed_deployment_left_for_ssh_goes_with_the_next_command() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n")]);
    let server = SshServer::start(&env.path("ssh"));
    let key = server.key.trim_end().replace('\n', "\n          ");
    let definition = git_cluster(
        &server.url(&remote.path),
        "branch: main",
        &format!("      known_hosts: \"{}\"\n", server.host_key),
    )
    .replace(
        "  criteria:",
        &format!("    secrets:\n      credentials:\n        ssh_key: |\n          {key}\n  criteria:"),
    );
    env.write("outside/c.yaml", &definition).run("apply -f outside/c.yaml").ok();
    env.run("create app shop").ok();
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {}; exec sleep 60", gate.display()));
    let mut child = env.score("web", "").start(DEPLOY);
    while !gate.exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = private_directories(&env);
    assert!(left.iter().any(|directory| directory.join("key").exists()), "{left:?}");
    env.run("get deploy --app shop --env development").ok();
    assert_eq!(private_directories(&env), Vec::<PathBuf>::new());
}
