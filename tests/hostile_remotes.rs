//! Git servers that hang, lie, lead elsewhere, or say more than anybody wants
//! to hear: nothing waits longer than the timeout, and no credential goes
//! where it does not belong.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::{Answer, FakeApi, Fault, HttpGit, Remote, SshServer, TestEnv, git_cluster};

const PASSWORD: &str = "canary-12345";

/// An Application whose Definition has a password for this address.
fn shop(env: &TestEnv, url: &str) {
    let definition = git_cluster(url, "branch: main", "")
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: {PASSWORD}}}}}\n  criteria:"));
    env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "");
}

/// Listens, lets everybody in, and says nothing.
fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn a_server_that_says_nothing_is_left_after_the_timeout() {
    for scheme in ["http", "ssh"] {
        let (_listener, port) = silent();
        let mut env = TestEnv::new();
        env.set("HUMCTL_GIT_TIMEOUT", "1");
        env.git_cluster(&format!("{scheme}://127.0.0.1:{port}/r.git"), "      branch: main\n");
        env.run("create app shop").ok();
        env.score("web", "");
        let began = Instant::now();
        let told = env.deploy().fails().stderr;
        assert!(told.contains("took longer than 1 seconds") && told.contains("HUMCTL_GIT_TIMEOUT"), "{told}");
        // Far more than it takes, and far less than without the setting.
        assert!(began.elapsed() < Duration::from_mins(2));
    }
}

#[test]
fn a_timeout_that_is_none_is_refused() {
    for text in ["0", "soon", "-1", "1.5"] {
        let mut env = TestEnv::new();
        let told = env.set("HUMCTL_GIT_TIMEOUT", text).run("get apps").fails().stderr;
        assert!(told.contains(&format!("HUMCTL_GIT_TIMEOUT is `{text}`")), "{told}");
    }
}

#[test]
fn a_server_that_says_yes_and_does_nothing_is_not_believed() {
    let undo = "while read old new ref; do git update-ref $ref $old; done";
    let told = |env: &TestEnv, remote: &Remote| {
        remote.commit("main", &[("README.md", "x\n")]).hook("post-receive", undo);
        let told = env.deploy().fails().stderr;
        assert!(told.contains("does not contain it") && told.contains("hint: "), "{told}");
        assert_eq!(remote.n_commits("main"), 1);
    };
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    told(&env, &remote);

    let env = TestEnv::new();
    let remote = env.remote("served/r");
    let server = HttpGit::start(&env.path("served"), "git", PASSWORD);
    shop(&env, &server.url("r.git"));
    told(&env, &remote);
}

#[test]
fn a_branch_that_moves_between_fetch_and_push_is_built_upon() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n")]);
    env.shop(&remote, "main").score("web", "");
    remote.hook(
        "pre-receive",
        "[ -e twice ] && exit 0\n[ -e once ] && touch twice\ntouch once\nunset GIT_QUARANTINE_PATH\n\
         export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n\
         git update-ref refs/heads/main $(git commit-tree -p main -m faster 'main^{tree}')",
    );
    env.deploy().ok();
    assert_eq!(remote.n_commits("main"), 4);
    assert_eq!(remote.show("main", "README.md"), "x\n");
}

#[test]
fn pages_instead_of_git_and_ways_elsewhere_are_told_and_get_no_credentials() {
    let page = "<html>Sign in</html>";
    let html = |status: &str, more: &str| {
        let length = page.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        )
    };
    // Another server that would like to have a password, and one that has a page for everybody.
    let env = TestEnv::new();
    let asking = HttpGit::start(&env.path("other"), "nobody", "unknown-12345");
    let landing = FakeApi::serve(move |_| Some(Answer::new(200, page)));
    let location = |url: String| format!("Location: {url}/info/refs?service=git-upload-pack\r\n");
    let rows = [
        ("an expired token gets a page", html("200 OK", ""), "the token may have expired"),
        ("it is not let in", html("203 X", ""), "the token may have expired"),
        ("it is sent to a page", html("302 Found", "Location: /signin\r\n"), "remote: "),
        ("it is let in, and sent on", html("302 Found", &location(asking.url("r.git"))), "Credentials refused"),
        ("it is let in, and sent on for good", html("301 X", &location(asking.url("r.git"))), "Credentials refused"),
        (
            "another server shows a page",
            html("302 Found", &location(format!("{}/r.git", landing.prefix()))),
            "hint: the server ",
        ),
        (
            "it is sent to another protocol",
            html("302 Found", "Location: ftp://127.0.0.1/r.git/info/refs\r\n"),
            "remote: ",
        ),
        ("it is not allowed", html("403 Forbidden", ""), "Credentials refused"),
    ];
    for (case, answer, expected) in rows {
        let env = TestEnv::new();
        let server = HttpGit::with_faults(&env.path("served"), "git", PASSWORD, move |_| Fault::Say(answer.clone()));
        shop(&env, &server.url("r.git"));
        let told = env.deploy().fails().stderr;
        assert!(told.contains(expected) && told.contains("hint: "), "{case}: {told}");
        assert!(!told.contains(PASSWORD), "{case}: {told}");
    }
    // Somebody who sends on whoever comes.
    let elsewhere = format!("{}/info/refs?service=git-upload-pack", asking.url("r.git"));
    let sending = FakeApi::serve(move |_| Some(Answer::new(302, "").header("Location", elsewhere.as_str())));
    shop(&env, &format!("{}/r.git", sending.prefix()));
    let told = env.deploy().fails().stderr;
    assert!(told.contains("sends Git on to another place") && !told.contains(PASSWORD), "{told}");
    let asked = asking.seen.lock().unwrap().clone();
    assert!(!asked.is_empty() && asked.iter().all(|line| !line.contains("Basic")), "{asked:?}");
    let landed = landing.seen();
    assert!(!landed.is_empty() && landed.iter().all(|request| request.header("authorization").is_none()), "{landed:?}");
}

#[test]
fn what_a_server_says_is_cut_and_cannot_steer_the_terminal() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    // Twenty megabytes, then what clears the screen, and then the reason.
    remote.hook(
        "pre-receive",
        "head -c 20000000 /dev/zero | tr '\\0' x >&2\necho >&2\necho first >&2\nprintf '\\033[2J\\033]0;title\\007\\302\\2332Jsteered\\n' >&2\n\
         echo 'a pull request is needed' >&2\nexit 1",
    );
    let told = env.deploy().fails().stderr;
    assert!(told.contains("\n  remote: [2J]0;title2Jsteered\n  remote: a pull request is needed"), "{told}");
    assert!(!told.chars().any(|c| c.is_control() && c != '\n') && told.len() < 5000, "{} bytes", told.len());
}

#[test]
fn a_host_key_that_changed_is_refused() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let server = SshServer::start(&env.path("ssh"));
    let other = SshServer::start(&env.path("other"));
    // The key of another host, under this one's name.
    let (place, _) = server.host_key.split_once(' ').unwrap();
    let (_, key) = other.host_key.split_once(' ').unwrap();
    env.write("known", &format!("{place} {key}\n")).write("key", &server.key);
    env.git_cluster(&server.url(&remote.path), "      branch: main\n").run("create app shop").ok();
    env.score("web", "");
    let mut command =
        env.command("score deploy --app shop --env development --git-known-hosts known --git-accept-new-host-key");
    let output = command.env("HUMCTL_GIT_SSH_KEY_FILE", env.path("key")).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("Unknown SSH host key"), "{told}");
    assert_eq!(remote.n_commits("main"), 0);
}
