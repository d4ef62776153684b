//! The cache of a branch: only a cache, whatever becomes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Remote, Run, TestEnv};

/// An Application that was deployed once, with a second file of others on the branch.
fn deployed() -> (TestEnv, Remote) {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n"), ("shop/development/notes", "y\n")]);
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    (env, remote)
}

fn caches(env: &TestEnv) -> PathBuf {
    env.home().join(".cache/humctl/git")
}

/// The one cache repository.
fn cache(env: &TestEnv) -> PathBuf {
    let directory = fs::read_dir(caches(env)).unwrap().next().unwrap().unwrap().path();
    directory.join("repo.git")
}

/// Files below a directory, largest first.
fn files(directory: &Path) -> Vec<PathBuf> {
    let listed = Command::new("find").arg(directory).args(["-type", "f"]).output().unwrap().stdout;
    let mut files: Vec<PathBuf> = String::from_utf8(listed).unwrap().lines().map(PathBuf::from).collect();
    files.sort_by_key(|file| std::cmp::Reverse(fs::metadata(file).unwrap().len()));
    files
}

fn overwrite(file: &Path, content: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, content).unwrap();
}

/// What happens to a cache.
type Damage = fn(&Path);

/// Every damage with its name.
const DAMAGES: &[(&str, Damage)] = &[
    ("it is gone", |cache| fs::remove_dir_all(cache).unwrap()),
    ("it is empty", |cache| {
        fs::remove_dir_all(cache).unwrap();
        fs::create_dir(cache).unwrap();
    }),
    ("it is a file", |cache| {
        fs::remove_dir_all(cache).unwrap();
        fs::write(cache, "no repository").unwrap();
    }),
    ("HEAD is gone", |cache| fs::remove_file(cache.join("HEAD")).unwrap()),
    ("the configuration is garbage", |cache| fs::write(cache.join("config"), "[[[ garbage").unwrap()),
    ("the configuration is empty", |cache| fs::write(cache.join("config"), "").unwrap()),
    ("the remote is another one", |cache| {
        let config = fs::read_to_string(cache.join("config")).unwrap();
        fs::write(cache.join("config"), config.replace("r.git", "nowhere.git")).unwrap();
    }),
    ("the references are gone", |cache| fs::remove_dir_all(cache.join("refs")).unwrap()),
    ("the reference of the branch is gone", |cache| fs::remove_dir_all(cache.join("refs/humctl")).unwrap()),
    ("the reference is garbage", |cache| fs::write(cache.join("refs/humctl/tip"), "garbage\n").unwrap()),
    ("the reference names nothing", |cache| {
        fs::write(cache.join("refs/humctl/tip"), "1234567890123456789012345678901234567890\n").unwrap();
    }),
    ("the objects are gone", |cache| {
        fs::remove_dir_all(cache.join("objects")).unwrap();
        fs::create_dir(cache.join("objects")).unwrap();
    }),
    ("the objects are cut", |cache| {
        for file in files(&cache.join("objects")) {
            let bytes = fs::read(&file).unwrap();
            overwrite(&file, &bytes[..bytes.len() / 2]);
        }
    }),
    ("the objects are overwritten", |cache| {
        for file in files(&cache.join("objects")) {
            let length = fs::read(&file).unwrap().len();
            overwrite(&file, &vec![b'x'; length]);
        }
    }),
    ("somebody died while writing to it", |cache| {
        for file in ["config.lock", "refs/humctl/tip.lock", "shallow.lock"] {
            fs::write(cache.join(file), "").unwrap();
        }
    }),
];

#[test]
fn a_damaged_cache_is_made_anew() {
    let (env, remote) = deployed();
    for (number, (damage, damaging)) in DAMAGES.iter().enumerate() {
        damaging(&cache(&env));
        // Every other time nothing changed on the branch since it was fetched.
        if number % 2 == 0 {
            remote.commit("main", &[("README.md", &format!("{number}\n"))]);
        }
        let n_commits = remote.n_commits("main");
        let told = env.score("web", &format!("    variables: {{N: \"{number}\"}}\n")).deploy();
        assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{damage}");
        assert_eq!(remote.n_commits("main"), n_commits + 1, "{damage}");
        assert_eq!(remote.list("main", "shop/development").len(), 4, "{damage}");
        remote.git(&["fsck", "--strict"]);
    }
}

#[test]
fn a_cache_that_grew_is_made_anew() {
    let (env, remote) = deployed();
    let packs = cache(&env).join("objects/pack");
    // More packs than a cache may have.
    for number in 0..201 {
        fs::write(packs.join(format!("pack-{number}.pack")), "").unwrap();
    }
    env.score("api", "").deploy().ok();
    assert!(!cache(&env).join("objects/pack/pack-7.pack").exists());
    assert_eq!(remote.n_commits("main"), 3);
}

#[test]
fn caches_that_nobody_used_for_a_month_go() {
    let (env, _remote) = deployed();
    let old = caches(&env).join("old");
    let touch = |path: &Path, when: &str| {
        assert!(Command::new("touch").args(["-d", when]).arg(path).status().unwrap().success());
    };
    for (age, expected) in [("29 days ago", true), ("31 days ago", false)] {
        fs::create_dir_all(old.join("repo.git")).unwrap();
        touch(&old.join("lock"), age);
        env.deploy().ok();
        assert_eq!(old.exists(), expected, "{age}");
    }
    assert_eq!(fs::read_dir(caches(&env)).unwrap().count(), 1);
}

fn deploy_with(env: &TestEnv, flags: &str) -> Run {
    env.run(&format!("score deploy --app shop --env development {flags}"))
}

#[test]
fn without_a_cache_nothing_stays() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    deploy_with(&env, "--no-cache").ok();
    assert!(deploy_with(&env, "--no-cache").ok().stdout.contains("no changes"));
    remote.hook("pre-receive", "exit 1");
    env.score("api", "");
    deploy_with(&env, "--no-cache").fails();
    assert_eq!(remote.n_commits("main"), 1);
    assert!(!caches(&env).exists());
    let left: Vec<PathBuf> = files(&env.home().join(".cache"));
    assert!(left.iter().all(|file| file.ends_with("run/lock")), "{left:?}");
}

#[test]
fn a_cache_that_cannot_be_written_is_told_and_can_be_done_without() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let run = env.path("run").display().to_string();
    // Not even root makes directories there.
    env.set("XDG_CACHE_HOME", "/proc").set("XDG_RUNTIME_DIR", &run);
    let told = env.deploy().fails().stderr;
    assert!(told.contains("cannot use the cache `/proc/humctl/git/") && told.contains("--no-cache"), "{told}");
    deploy_with(&env, "--no-cache").ok();
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn a_cache_that_vanishes_under_way_is_made_anew() {
    let (env, remote) = deployed();
    let cache = cache(&env);
    remote.hook("pre-receive", &format!("rm -rf '{}'", cache.display()));
    env.score("api", "").deploy().ok();
    assert_eq!(remote.n_commits("main"), 3);
    remote.hook("pre-receive", "exit 0");
    assert!(env.deploy().ok().stdout.contains("no changes"));
}

#[test]
fn a_commit_asks_no_ci_to_run_when_it_should_not() {
    let (env, remote) = deployed();
    env.score("api", "");
    deploy_with(&env, "--git-skip-ci").ok();
    let subjects = remote.git(&["log", "--format=%s", "main"]);
    let skipped: Vec<bool> = subjects.lines().map(|line| line.ends_with(" [skip ci]")).collect();
    assert_eq!(skipped, [true, false, false], "{subjects}");
    env.run("create env staging --app shop").ok();
    env.run("score deploy --app shop --env staging").ok();
    env.run("delete env staging --app shop --git-skip-ci --no-cache").ok();
    assert!(remote.git(&["log", "-1", "--format=%s", "main"]).starts_with("delete(shop/staging)"));
    assert!(remote.git(&["log", "-1", "--format=%s", "main"]).ends_with(" [skip ci]\n"));
}

#[test]
fn a_hosted_orchestrator_is_not_told_how_to_use_git() {
    let api = crate::harness::FakeApi::script(Vec::<(u16, &str)>::new());
    let env = crate::harness::hosted(&api);
    env.score("web", "");
    for flag in ["--no-cache", "--git-skip-ci", "--git-accept-new-host-key", "--git-known-hosts x"] {
        let told = deploy_with(&env, flag).fails().stderr;
        assert!(told.contains("is for the embedded Orchestrator"), "{told}");
    }
}
