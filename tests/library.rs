//! Every file of the official example library does its job here.

use std::path::Path;

use crate::harness::TestEnv;
use crate::harness::library::{library, yaml_files};

/// What goes with a Score file in its directory, as flags.
fn companions(file: &Path) -> Vec<String> {
    let extension = file.with_file_name("humanitec.score.yaml");
    match extension.is_file() {
        true => vec!["--extensions".to_owned(), extension.display().to_string()],
        false => Vec::new(),
    }
}

fn words<'w>(words: &[&'w str], more: &'w [String]) -> Vec<&'w str> {
    words.iter().copied().chain(more.iter().map(String::as_str)).collect()
}

#[test]
fn every_definition_applies() {
    let Some(library) = library() else { return };
    let files = yaml_files(&library);
    let mut n_applied = 0;
    for (file, _) in files.iter().filter(|(_, text)| text.contains("kind: Definition")) {
        // Several examples are for the same resource, so each has an Organization of its own.
        let env = TestEnv::new();
        env.run_args(&["apply", "-f", file.to_str().unwrap()]).ok();
        n_applied += 1;
    }
    assert!(n_applied > 60, "{n_applied}");
}

#[test]
fn every_score_file_validates_and_converts() {
    let Some(library) = library() else { return };
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let mut n_converted = 0;
    for (file, text) in yaml_files(&library).iter().filter(|(_, text)| text.contains("apiVersion: score.dev")) {
        let (name, mut companions) = (file.to_str().unwrap(), companions(file));
        env.run_args(&words(&["score", "validate", name, "--local", "--strict"], &companions)).ok();
        if text.contains("image: .\n") {
            // What a pipeline has just built.
            companions.extend(["--image".to_owned(), "registry.example.net/demo:1".to_owned()]);
        }
        let deploy = ["score", "deploy", "-f", name, "--app", "shop", "--env", "development", "--dry-run"];
        env.run_args(&words(&deploy, &companions)).ok();
        n_converted += 1;
    }
    assert!(n_converted > 10, "{n_converted}");
}

#[test]
fn every_deploy_config_converts() {
    let Some(library) = library() else { return };
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let configs: Vec<_> =
        yaml_files(&library).into_iter().filter(|(file, _)| file.ends_with("deploy-config.yaml")).collect();
    assert!(!configs.is_empty());
    for (file, _) in configs {
        let mut command = env.command(
            "score deploy --app shop --env development --dry-run --image registry.example.net/demo:1 --deploy-config",
        );
        let output = command.arg(&file).current_dir(file.parent().unwrap()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
