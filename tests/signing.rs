//! Commits that are signed with an SSH key.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{TestEnv, make_key};

#[test]
fn commits_are_signed_and_can_be_verified() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n")]);
    let key = make_key(&env.path("keys"), "signer");
    let public = std::fs::read_to_string(env.path("keys/signer.pub")).unwrap();
    env.write("allowed", &format!("bot@example.com {public}"));
    // Only the private key is there, as CI has it, and readable by more than its owner.
    env.write("signing/key", &key);
    std::fs::set_permissions(env.path("signing/key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let signing = env.path("signing/key").display().to_string();
    env.set("HUMCTL_GIT_SIGNING_KEY", &signing).set("HUMCTL_GIT_AUTHOR_EMAIL", "bot@example.com");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    env.score("api", "").deploy().ok();
    assert!(env.deploy().ok().stdout.contains("no changes"));
    let allowed = format!("gpg.ssh.allowedSignersFile={}", env.path("allowed").display());
    for commit in ["main", "main~1"] {
        remote.git(&["-c", &allowed, "verify-commit", commit]);
        let who = remote.git(&["log", "-1", "--format=%ae %ce %ct", commit]);
        assert_eq!(who, "bot@example.com bot@example.com 1700000000\n");
    }
    assert_eq!(remote.n_commits("main"), 3);
    assert_eq!(remote.list("main", "shop/development").len(), 5);
    assert_eq!(remote.show("main", "README.md"), "x\n");
    assert!(remote.git(&["log", "-1", "--format=%(trailers:key=Humctl-App,valueonly)", "main"]).contains("shop"));
}

#[test]
fn a_key_that_cannot_sign_is_told_before_anything_is_written() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let body =
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n";
    env.write("keys/none", "no key").write("keys/hollow", body);
    for (name, expected) in [
        ("absent", "cannot read the signing key file"),
        ("none", "does not begin as a private key does"),
        ("hollow", "nothing can be signed with it"),
    ] {
        let file = env.path(&format!("keys/{name}")).display().to_string();
        let deploy = "humctl score deploy --app shop --env development";
        let told = env.shell(deploy, &[("HUMCTL_GIT_SIGNING_KEY", &file)]).fails().stderr;
        assert!(told.contains(expected), "{name}: {told}");
    }
    assert_eq!(remote.n_commits("main"), 0);
}
