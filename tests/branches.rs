//! Which branch a Deployment goes to, and what a new one is made from.

use crate::harness::{Remote, TestEnv};

/// A repository, what the Definition says, and what comes of a first Deployment:
/// the branch with its number of commits and, maybe, a note; or an error.
struct Row {
    situation: &'static str,
    repository: fn(&Remote),
    target: &'static str,
    expected: Result<(&'static str, usize, Option<&'static str>), &'static str>,
}

const README: &[(&str, &str)] = &[("README.md", "x\n")];

const ROWS: &[Row] = &[
    Row {
        situation: "no branch is named: that of HEAD",
        repository: |remote| {
            remote.head("trunk").commit("trunk", README);
        },
        target: "",
        expected: Ok(("trunk", 2, None)),
    },
    Row {
        situation: "nothing is there, and no branch is named: that of HEAD all the same",
        repository: |remote| {
            remote.head("trunk");
        },
        target: "",
        expected: Ok(("trunk", 1, None)),
    },
    Row {
        situation: "the branch exists",
        repository: |remote| {
            remote.commit("main", README).commit("dev", README);
        },
        target: "branch: refs/heads/dev",
        expected: Ok(("dev", 2, None)),
    },
    Row {
        situation: "the branch is missing: it begins with nothing",
        repository: |remote| {
            remote.commit("main", README);
        },
        target: "branch: dev",
        expected: Ok(("dev", 1, None)),
    },
    Row {
        situation: "the branch is missing: it is made from another one",
        repository: |remote| {
            remote.commit("main", README);
        },
        target: "branch: dev, branch_from: main",
        expected: Ok(("dev", 2, None)),
    },
    Row {
        situation: "the branch exists: what it would be made from is of no interest",
        repository: |remote| {
            remote.commit("dev", README).head("dev");
        },
        target: "branch: dev, branch_from: nowhere",
        expected: Ok(("dev", 2, None)),
    },
    Row {
        situation: "what it is to be made from is missing",
        repository: |remote| {
            remote.commit("main", README);
        },
        target: "branch: dev, branch_from: mian",
        expected: Err("branch `mian` of `file://[TMP]/r.git`, which branch `dev` is to be made from, does not exist"),
    },
    Row {
        situation: "what it is to be made from is missing, as everything is",
        repository: |_| {},
        target: "branch: dev, branch_from: main",
        expected: Err("does not exist"),
    },
    Row {
        situation: "its name goes on where that of another branch ends",
        repository: |remote| {
            remote.commit("main", README);
        },
        target: "branch: main/dev",
        expected: Err("another branch's name is a part of it"),
    },
    Row {
        situation: "its name ends where that of another branch goes on",
        repository: |remote| {
            remote.commit("main", README).commit("dev/one", README);
        },
        target: "branch: dev",
        expected: Err("another branch's name is a part of it"),
    },
    Row {
        situation: "it is the first branch, and HEAD names another one",
        repository: |_| {},
        target: "branch: dev",
        expected: Ok(("dev", 1, Some("make `dev` its default branch"))),
    },
];

#[test]
fn every_situation_of_a_branch_is_foreseen() {
    for Row { situation, repository, target, expected } in ROWS {
        let env = TestEnv::new();
        let remote = env.remote("r");
        repository(&remote);
        env.git_cluster(&remote.url(), &target.replace(", ", "\n      ").replacen("branch", "      branch", 1));
        env.run("create app shop").ok();
        env.score("web", "");
        let deployed = env.deploy();
        match expected {
            Err(part) => {
                let told = deployed.fails().stderr;
                assert!(told.contains(part) && told.contains("hint: "), "{situation}: {told}");
            }
            Ok((branch, n_commits, note)) => {
                let told = deployed.ok().stdout;
                assert_eq!(told.contains("note: "), note.is_some(), "{situation}: {told}");
                assert!(note.is_none_or(|note| told.contains(note)), "{situation}: {told}");
                assert_eq!(remote.n_commits(branch), *n_commits, "{situation}");
                assert_eq!(remote.list(branch, "shop/development").len(), 3, "{situation}");
                assert_eq!(remote.list(branch, "README.md").len(), 0, "{situation}");
                // It is told once.
                assert!(!env.score("web", "    variables: {A: b}\n").deploy().ok().stdout.contains("note: "));
            }
        }
    }
}

#[test]
fn what_was_merged_is_no_change_and_the_next_one_starts_from_there() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", README);
    env.git_cluster(&remote.url(), "      branch: dev\n      branch_from: main\n").run("create app shop").ok();
    env.score("web", "").deploy().ok();
    // The pull request is merged, and its branch goes.
    remote.git(&["update-ref", "refs/heads/main", "refs/heads/dev"]);
    remote.git(&["update-ref", "-d", "refs/heads/dev"]);
    remote.commit("main", &[("README.md", "y\n")]);
    assert!(env.deploy().ok().stdout.contains("no changes: dev@"));
    assert_eq!(remote.n_commits("dev"), 0);
    env.score("api", "").deploy().ok();
    assert_eq!(remote.git(&["rev-list", "--count", "main..dev"]), "1\n");
    assert_eq!(remote.show("dev", "README.md"), "y\n");
    assert_eq!(remote.list("dev", "shop/development").len(), 5);
    // Without a merge everything goes on where the branch is.
    env.score("more", "").deploy().ok();
    assert_eq!(remote.git(&["rev-list", "--count", "main..dev"]), "2\n");
}

#[test]
fn somebody_who_makes_the_branch_meanwhile_is_not_overwritten() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", README).commit("other", &[("theirs", "x\n")]);
    env.git_cluster(&remote.url(), "      branch: dev\n      branch_from: main\n").run("create app shop").ok();
    // Between our reading and our push the branch comes into being.
    remote.hook(
        "pre-receive",
        "git rev-parse --verify --quiet refs/heads/dev && exit 0\n\
         unset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/dev refs/heads/other",
    );
    env.score("web", "").deploy().ok();
    assert_eq!(remote.show("dev", "theirs"), "x\n");
    assert_eq!(remote.list("dev", "shop/development").len(), 3);
}

#[test]
fn repositories_of_every_kind_are_written_to() {
    for (options, has_content) in
        [(&["--object-format=sha256"][..], false), (&["--object-format=sha256"], true), (&[], true)]
    {
        let env = TestEnv::new();
        let remote = env.remote_with("r", options);
        // A server that knows no filters sends everything.
        remote.git(&["config", "uploadpack.allowFilter", "false"]);
        if has_content {
            let blob = remote.blob(b"x\n");
            let tree = remote.plant_tree(&[("100644", b"notes", &blob)]);
            let tree = remote.plant_tree(&[("40000", b"development", &tree)]);
            let tree = remote.plant_tree(&[("100644", b"README.md", &blob), ("40000", b"shop", &tree)]);
            remote.plant("main", &tree);
        }
        env.shop(&remote, "main").score("web", "");
        env.deploy().ok();
        env.score("api", "").deploy().ok();
        assert!(env.deploy().ok().stdout.contains("no changes"));
        assert_eq!(remote.n_commits("main"), 2 + usize::from(has_content));
        assert_eq!(remote.list("main", "shop/development").len(), 5 + usize::from(has_content));
        remote.git(&["fsck", "--strict"]);
    }
}
