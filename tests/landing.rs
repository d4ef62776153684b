//! Pushes and fetches that end in other ways than they should: nothing is said
//! to have failed before the branch was looked at.

use std::fs;

use crate::harness::{Fault, HttpGit, HttpRequest, Remote, TestEnv, git_cluster};

const PASSWORD: &str = "right-12345";

/// An Application whose Git server makes faults.
fn shop(fault: impl FnMut(&HttpRequest) -> Fault + Send + 'static) -> (TestEnv, Remote, HttpGit) {
    let env = TestEnv::new();
    let remote = env.remote("served/r");
    remote.commit("main", &[("README.md", "x\n")]);
    let server = HttpGit::with_faults(&env.path("served"), "git", PASSWORD, fault);
    let definition = git_cluster(&server.url("r.git"), "branch: main", "")
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: \"{PASSWORD}\"}}}}\n  criteria:"));
    env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "");
    (env, remote, server)
}

/// A kind of requests.
type Kind = fn(&HttpRequest) -> bool;

fn is_push(request: &HttpRequest) -> bool {
    request.method == "POST" && request.path.ends_with("git-receive-pack")
}

fn is_fetch(request: &HttpRequest) -> bool {
    request.method == "POST" && request.path.ends_with("git-upload-pack")
}

/// Makes a fault of the first few requests of a kind.
fn first(n_faults: usize, is_meant: Kind, fault: Fault) -> impl FnMut(&HttpRequest) -> Fault + Send + 'static {
    let mut n_left = n_faults;
    move |request| {
        if n_left == 0 || !is_meant(request) {
            return Fault::None;
        }
        n_left -= 1;
        fault.clone()
    }
}

fn status(env: &TestEnv) -> serde_json::Value {
    env.run("get deploy . --app shop --env development -o json").ok().json()["status"]["status"].clone()
}

#[test]
fn a_fault_in_between_is_got_over() {
    let unavailable = "HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let rows: [(&str, Kind, Fault); 8] = [
        ("pushed, and no answer", is_push, Fault::DropAfter),
        ("pushed, and half an answer", is_push, Fault::CutAnswer),
        ("not pushed, and no answer", is_push, Fault::DropBefore),
        ("not pushed, and an error", is_push, Fault::Say(unavailable.to_owned())),
        ("not fetched", is_fetch, Fault::DropBefore),
        ("fetched half", is_fetch, Fault::CutAnswer),
        ("not reached", |_| true, Fault::Say(unavailable.to_owned())),
        ("hung up on", |_| true, Fault::DropBefore),
    ];
    for (case, is_meant, fault) in rows {
        let (env, remote, _server) = shop(first(1, is_meant, fault));
        let told = env.deploy();
        assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{case}");
        assert_eq!(remote.n_commits("main"), 2, "{case}");
        assert_eq!(remote.show("main", "README.md"), "x\n", "{case}");
        assert!(env.deploy().ok().stdout.contains("no changes"), "{case}");
    }
}

#[test]
fn a_push_that_hangs_once_it_landed_has_landed() {
    let (mut env, remote, _server) = shop(first(1, is_push, Fault::Hang));
    env.set("HUMCTL_GIT_TIMEOUT", "2");
    env.deploy().ok();
    assert_eq!((remote.n_commits("main"), status(&env)), (2, "succeeded".into()));
}

#[test]
fn a_commit_that_somebody_built_upon_at_once_is_found_below() {
    let (env, remote, _server) = shop(first(1, is_push, Fault::DropAfter));
    // The hooks of a push may not write objects of their own, but for this one.
    remote.hook(
        "post-receive",
        "export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n\
         git update-ref refs/heads/main $(git commit-tree -p main -m on-top 'main^{tree}')",
    );
    env.deploy().ok();
    assert_eq!((remote.n_commits("main"), status(&env)), (3, "succeeded".into()));
}

#[test]
fn a_branch_that_moved_while_the_connection_broke_is_a_lost_race() {
    let (env, remote, _server) = shop(first(1, is_push, Fault::DropAfter));
    // Somebody else is faster, and our push is refused without us being told.
    remote.hook(
        "pre-receive",
        "[ -e done ] && exit 0\ntouch done\nunset GIT_QUARANTINE_PATH\n\
         export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n\
         git update-ref refs/heads/main $(git commit-tree -p main -m faster 'main^{tree}')",
    );
    env.deploy().ok();
    assert_eq!(remote.n_commits("main"), 3);
    assert_eq!(remote.git(&["rev-list", "--merges", "--count", "main"]), "0\n");
}

#[test]
fn without_a_look_nothing_is_known_and_the_next_command_finds_out() {
    let broken = TestEnv::new();
    let gate = broken.path("broken");
    let away = gate.clone();
    let (mut env, remote, _server) = shop(move |request| {
        if is_push(request) {
            fs::write(&away, "").unwrap();
            return Fault::DropAfter;
        }
        if away.exists() { Fault::DropBefore } else { Fault::None }
    });
    env.set("HUMCTL_GIT_TIMEOUT", "1");
    let told = env.deploy().fails().errors();
    assert!(told.contains("ended without an answer") && told.contains("hint: deploy again"), "{told}");
    assert_eq!((remote.n_commits("main"), status(&env)), (2, "failed".into()));
    fs::remove_file(gate).unwrap();
    env.run("resources graph --app shop --env development").ok();
    assert_eq!(status(&env), "succeeded");
    env.set("HUMCTL_GIT_TIMEOUT", "60");
    assert!(env.deploy().ok().stdout.contains("no changes"));
}

#[test]
fn a_server_that_stays_away_is_told_and_credentials_are_not_tried_again() {
    let (mut env, remote, _server) = shop(first(usize::MAX, is_push, Fault::DropBefore));
    env.set("HUMCTL_GIT_TIMEOUT", "1");
    let told = env.deploy().fails().stderr;
    assert!(told.contains("Git target unreachable") || told.contains("Git target too slow"), "{told}");
    assert_eq!(remote.n_commits("main"), 1);

    let (env, _remote, server) = shop(|_| Fault::None);
    let definition = fs::read_to_string(env.path("c.yaml")).unwrap().replace(PASSWORD, "wrong-12345");
    env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    assert!(env.deploy().fails().stderr.contains("Credentials refused"));
    // Once without and once with the password.
    assert_eq!(server.seen.lock().unwrap().len(), 2);
}

#[test]
fn ctrl_c_ends_the_pause_between_two_attempts() {
    let env = TestEnv::new();
    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    env.git_cluster(&format!("http://127.0.0.1:{port}/r.git"), "      branch: main\n").run("create app shop").ok();
    env.score("web", "");
    let mut child = env.start("score deploy --app shop --env development -v9");
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("attempt 3 failed") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0);
    }
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut log, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("Cancelled") && !rest.contains("attempt 5 failed"), "{rest}");
}
