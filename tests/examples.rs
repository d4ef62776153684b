//! The examples: the commands of each README, run as they stand there against
//! empty repositories, write what is checked in beside them.
//!
//! The addresses are those of a host that does not exist; Git's own `insteadOf`
//! leads to repositories of the test, so nothing in the files is replaced.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Remote, TestEnv};

/// Each layout with its repositories.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("branch-per-environment", &["shop"]),
    ("condensed", &["gitops"]),
    ("directory-per-environment", &["shop"]),
    ("kubernetes-objects", &["gitops"]),
    ("pull-request", &["shop"]),
    ("repository-per-environment", &["shop-development", "shop-production"]),
];

/// Writes the examples anew instead of comparing them.
const UPDATE: &str = "HUMCTL_UPDATE_EXAMPLES";

#[test]
fn examples_write_what_is_checked_in() {
    std::thread::scope(|scope| {
        for (name, repositories) in EXAMPLES {
            scope.spawn(|| check(name, repositories));
        }
    });
}

#[test]
fn every_example_is_run_and_compared_with_the_others() {
    let overview = fs::read_to_string(root().join("README.md")).unwrap();
    let directories = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = directories
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for name in names {
        assert!(overview.contains(&format!("({name}/)")), "{name}");
    }
}

fn check(name: &str, repositories: &[&str]) {
    let example = root().join(name);
    let written = run(&example, repositories);
    if std::env::var_os(UPDATE).is_some() {
        return update(&example, &written);
    }
    let mut kept = files(&example);
    kept.retain(|file, _| is_written(file));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    let remedy = format!("if this is meant, run the test with {UPDATE}=1");
    assert_eq!(names(&written), names(&kept), "{name}: {remedy}");
    for (file, text) in &written {
        assert_eq!(text, &kept[file], "{name}/{file}: {remedy}");
    }
}

/// Runs the commands of an example; returns what they wrote.
fn run(example: &Path, repositories: &[&str]) -> BTreeMap<String, String> {
    let mut env = TestEnv::new();
    for (file, text) in files(example).into_iter().filter(|(file, _)| !is_written(file)) {
        env.write(&file, &text);
    }
    let host = env.path("git.example.com");
    let config = format!("[url \"file://{}/\"]\n  insteadOf = https://git.example.com/\n", host.display());
    env.write("gitconfig", &config);
    let config = env.path("gitconfig").display().to_string();
    env.set("GIT_CONFIG_GLOBAL", &config);
    let remotes: Vec<(&str, Remote)> = repositories
        .iter()
        .map(|name| (*name, Remote::new(host.join("acme").join(format!("{name}.git")), &[])))
        .collect();
    env.shell(&commands(example), &[]).ok();
    let mut written = BTreeMap::new();
    for (name, remote) in remotes {
        for branch in remote.git(&["for-each-ref", "--format=%(refname:short)"]).lines() {
            for file in remote.git(&["ls-tree", "-r", "--name-only", branch]).lines() {
                written.insert(format!("tree/{name}/{branch}/{file}"), remote.show(branch, file));
            }
        }
    }
    for file in ["argocd.yaml", "flux.yaml"] {
        written.insert(file.to_owned(), fs::read_to_string(env.path(file)).unwrap());
    }
    written
}

/// The shell commands that the README has, in one script.
fn commands(example: &Path) -> String {
    let readme = fs::read_to_string(example.join("README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script: String = blocks.collect();
    assert!(script.contains("humctl "), "{} has no commands", example.display());
    script
}

fn is_written(file: &str) -> bool {
    file.starts_with("tree/") || ["argocd.yaml", "flux.yaml"].contains(&file)
}

fn update(example: &Path, written: &BTreeMap<String, String>) {
    let _ = fs::remove_dir_all(example.join("tree"));
    for (file, text) in written {
        let path = example.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// All files below a directory, by their paths from there.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(directory).unwrap().display().to_string();
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}
