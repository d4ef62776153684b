//! Branches that somebody filled with the worst that Git lets in: nothing is
//! written outside of the target directory, and nothing there is touched that
//! is not ours.

use crate::harness::{Remote, TestEnv, git_cluster};

type Entries = Vec<(&'static str, Vec<u8>, String)>;

/// What is at the root of a branch, and what a Deployment to `shop/development`
/// says; nothing is said when it goes well.
struct Row {
    tree: &'static str,
    root: fn(&Remote) -> Entries,
    refused: &'static str,
}

fn blob(remote: &Remote, name: &[u8]) -> (&'static str, Vec<u8>, String) {
    ("100644", name.to_vec(), remote.blob(b"theirs\n"))
}

fn link(remote: &Remote, name: &str, to: &str) -> (&'static str, Vec<u8>, String) {
    ("120000", name.into(), remote.blob(to.as_bytes()))
}

fn module(name: &str) -> (&'static str, Vec<u8>, String) {
    ("160000", name.into(), "1234567890123456789012345678901234567890".to_owned())
}

fn tree(remote: &Remote, name: &str, entries: &Entries) -> (&'static str, Vec<u8>, String) {
    ("40000", name.into(), plant(remote, entries))
}

fn plant(remote: &Remote, entries: &Entries) -> String {
    let entries: Vec<_> = entries.iter().map(|(mode, name, id)| (*mode, name.as_slice(), id.as_str())).collect();
    remote.plant_tree(&entries)
}

/// A root whose target directory has these entries.
fn target(remote: &Remote, entries: &Entries) -> Entries {
    vec![tree(remote, "shop", &vec![tree(remote, "development", entries)])]
}

/// A root with this as the Environment's record.
fn record(remote: &Remote, text: &str) -> Entries {
    let file = ("100644", b"development.record".to_vec(), remote.blob(text.as_bytes()));
    vec![tree(remote, ".humctl", &vec![tree(remote, "shop", &vec![file])])]
}

fn record_of(path: &str, file: &str) -> String {
    format!(
        "{{\"version\": 1, \"org\": \"local\", \"app\": \"shop\", \"env\": \"development\", \"env_type\": \"development\", \
         \"path\": \"{path}\", \"output\": \"custom-resources\", \"set\": {{\"modules\": {{}}, \"shared\": {{}}, \
         \"version\": 0}}, \"files\": {{\"{file}\": \"1234567890123456789012345678901234567890\"}}}}"
    )
}

const ROWS: &[Row] = &[
    Row {
        tree: "a symlink on the way",
        root: |r| vec![link(r, "shop", "/etc")],
        refused: "`shop` on branch `BRANCH` is a symlink",
    },
    Row {
        tree: "a symlink as the directory",
        root: |r| vec![tree(r, "shop", &vec![link(r, "development", "../..")])],
        refused: "`shop/development` on branch `BRANCH` is a symlink",
    },
    Row { tree: "a file on the way", root: |r| vec![blob(r, b"shop")], refused: "`shop` on branch `BRANCH` is a file" },
    Row { tree: "a submodule on the way", root: |_| vec![module("shop")], refused: "is a submodule" },
    Row {
        tree: "a submodule as the directory",
        root: |r| vec![tree(r, "shop", &vec![module("development")])],
        refused: "`shop/development` on branch `BRANCH` is a submodule",
    },
    Row {
        tree: "a symlink with the name of ours",
        root: |r| target(r, &vec![link(r, "workload-web.yaml", "/etc/passwd")]),
        refused: "`shop/development/workload-web.yaml` on branch `BRANCH` is a symlink",
    },
    Row {
        tree: "a directory with the name of ours",
        root: |r| target(r, &vec![tree(r, "workload-web.yaml", &vec![blob(r, b"x")])]),
        refused: "is a directory, so it is left alone",
    },
    Row {
        tree: "a submodule with the name of ours",
        root: |r| target(r, &vec![module("workload-web.yaml")]),
        refused: "is a submodule, so it is left alone",
    },
    Row {
        tree: "links and modules with names of ours that nothing writes",
        root: |r| target(r, &vec![link(r, "workload-a.yaml", "/x"), module("workload-b.yaml")]),
        refused: "",
    },
    Row {
        tree: "names that lead outside, beside us",
        root: |r| {
            vec![blob(r, b".."), tree(r, ".GIT", &vec![blob(r, b"config")]), tree(r, ".git", &vec![blob(r, b"hooks")])]
        },
        refused: "",
    },
    Row {
        tree: "names that lead outside, in the directory",
        root: |r| target(r, &vec![blob(r, b".."), blob(r, b".git"), blob(r, b"../../x"), blob(r, b"a\\b")]),
        refused: "",
    },
    Row {
        tree: "names that are no text",
        root: |r| {
            let names: [&[u8]; 6] = [b"a\nb", b"a\"b'c", b"a\xfeb", b"a\xffb", b"\x1b[2J", b"workload-\xff.yaml"];
            target(r, &names.iter().map(|name| blob(r, name)).collect())
        },
        refused: "",
    },
    Row {
        tree: "the directory twice",
        root: |r| vec![tree(r, "shop", &vec![blob(r, b"x")]), tree(r, "shop", &vec![blob(r, b"y")])],
        refused: "two entries `shop`",
    },
    Row {
        tree: "a file of ours twice",
        root: |r| target(r, &vec![blob(r, b"workload-web.yaml"), blob(r, b"workload-web.yaml")]),
        refused: "two entries `workload-web.yaml`",
    },
    Row {
        tree: "ten thousand entries",
        root: |r| {
            let file = r.blob(b"theirs\n");
            target(r, &(0..10_000).map(|n| ("100644", format!("file-{n:05}").into_bytes(), file.clone())).collect())
        },
        refused: "",
    },
    Row {
        tree: "directories below a directory, a hundred times",
        root: |r| {
            let deepest = tree(r, "d", &vec![blob(r, b"workload-x.yaml")]);
            target(r, &vec![(0..100).fold(deepest, |inner, _| tree(r, "d", &vec![inner]))])
        },
        refused: "",
    },
    Row {
        tree: "the records' directory as a file",
        root: |r| vec![blob(r, b".humctl")],
        refused: "`.humctl` on branch `BRANCH` is a file",
    },
    Row {
        tree: "the records' directory as a symlink",
        root: |r| vec![link(r, ".humctl", "/tmp")],
        refused: "is a symlink",
    },
    Row { tree: "the records' directory as a submodule", root: |_| vec![module(".humctl")], refused: "is a submodule" },
    Row {
        tree: "the application's records as a symlink",
        root: |r| vec![tree(r, ".humctl", &vec![link(r, "shop", "../x")])],
        refused: "`.humctl/shop` on branch `BRANCH` is a symlink",
    },
    Row {
        tree: "the record as a symlink",
        root: |r| vec![tree(r, ".humctl", &vec![tree(r, "shop", &vec![link(r, "development.record", "/etc/passwd")])])],
        refused: "`.humctl/shop/development.record` on branch `BRANCH` is a symlink",
    },
    Row {
        tree: "the record as a directory",
        root: |r| {
            vec![tree(r, ".humctl", &vec![tree(r, "shop", &vec![tree(r, "development.record", &vec![blob(r, b"x")])])])]
        },
        refused: "is a directory",
    },
    Row { tree: "a record that is no JSON", root: |r| record(r, "{\"version\""), refused: "cannot be read" },
    Row { tree: "a record of a megabyte", root: |r| record(r, &"[".repeat(1 << 20)), refused: "cannot be read" },
    Row {
        tree: "a record that names a file above",
        root: |r| record(r, &record_of("shop/development", "../x")),
        refused: "file `../x`",
    },
    Row {
        tree: "a record that names a file below",
        root: |r| record(r, &record_of("shop/development", "a/b")),
        refused: "file `a/b`",
    },
    Row {
        tree: "a record of a directory outside",
        root: |r| record(r, &record_of("../..", "x")),
        refused: "path `../..`",
    },
    Row {
        tree: "a record that names files of others",
        root: |r| {
            let mut root = record(r, &record_of("shop/development", "README.md"));
            root.extend(target(r, &vec![blob(r, b"README.md")]));
            root
        },
        refused: "",
    },
    Row {
        tree: "a record of somebody else that cannot be listed",
        root: |r| {
            let mut root =
                vec![tree(r, ".humctl", &vec![tree(r, "blog", &vec![blob(r, b"a\n.record"), blob(r, b"b.record")])])];
            root.extend(target(r, &vec![blob(r, b"workload-x.yaml")]));
            root
        },
        refused: "holds files that are not ours",
    },
];

/// Everything of a branch but what a Deployment of ours writes there.
fn foreign(remote: &Remote, branch: &str) -> Vec<String> {
    let listed = remote.git(&["ls-tree", "-r", "-z", branch]);
    let ours =
        ["\tshop/development/resource-", "\tshop/development/workload-web.yaml", "\t.humctl/shop/development.record"];
    let is_foreign = |line: &&str| !line.is_empty() && !ours.iter().any(|ours| line.contains(ours));
    let mut found: Vec<String> = listed.split('\0').filter(is_foreign).map(ToOwned::to_owned).collect();
    found.sort();
    found
}

#[test]
fn no_tree_leads_astray() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    // Another checkout than that of git has no say: it would follow the links.
    env.run("create app shop").ok();
    env.score("web", "");
    for (number, Row { tree, root, refused }) in ROWS.iter().enumerate() {
        let branch = format!("row-{number}");
        remote.plant(&branch, &plant(&remote, &root(&remote)));
        let before = (foreign(&remote, &branch), remote.git(&["rev-parse", &branch]));
        let definition = git_cluster(&remote.url(), "path: shop/development", &format!("      branch: {branch}\n"));
        env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
        let deployed = env.deploy();
        if refused.is_empty() {
            assert_eq!((deployed.code, deployed.stderr.as_str()), (0, ""), "{tree}");
            assert_eq!(foreign(&remote, &branch), before.0, "{tree}");
            assert_eq!(remote.n_commits(&branch), 2, "{tree}");
        } else {
            let told = deployed.fails().stderr;
            assert!(told.contains(&refused.replace("BRANCH", &branch)), "{tree}: {told}");
            assert!(told.contains("hint: ") && !told.contains('\u{1b}'), "{tree}: {told}");
            assert_eq!(remote.git(&["rev-parse", &branch]), before.1, "{tree}");
        }
    }
    let outside = env.path("development.record");
    assert!(!outside.exists() && !env.path("workload-web.yaml").exists());
}

#[test]
fn a_target_directory_may_lie_a_hundred_levels_deep() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let path = vec!["d"; 100].join("/");
    env.write("c.yaml", &git_cluster(&remote.url(), &format!("path: {path}"), "      branch: main\n"));
    env.run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    assert!(env.deploy().ok().stdout.contains("no changes"));
    assert_eq!(remote.list("main", &path).len(), 3);
}
