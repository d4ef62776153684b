//! The rules that break pipelines (spec/cli.md §1), for every command there is:
//! the tree is walked, so that a new command is held to them too.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};
use serde_json::Value;

use crate::harness::{POSTGRES, TestEnv};

/// An invocation of each command that succeeds in a place where a Workload is
/// deployed, and what it prints with `-o json`.
const SUCCEEDS: &[(&str, &str, Prints)] = &[
    ("api", "get /orgs", Prints::Json),
    ("apply", "-f postgres.yaml", Prints::Json),
    ("completion", "bash", Prints::Text),
    ("config", "view", Prints::Json),
    ("create app", "second", Prints::Json),
    ("create delta", "--name n", Prints::Json),
    ("create env", "staging --type staging", Prints::Json),
    ("create environment-type", "qa --description Tests", Prints::Json),
    ("create value", "KEY text -d d", Prints::Json),
    ("delete", "env-type qa2", Prints::Nothing),
    ("deploy delta", "DELTA development", Prints::Json),
    ("deploy deploy", ". development", Prints::Json),
    ("deploy env", "development development", Prints::Json),
    ("deploy set", "SET development", Prints::Json),
    ("diff", "sets deploy/. env/development", Prints::Json),
    ("doctor", "", Prints::Json),
    ("get", "apps", Prints::Json),
    ("logout", "", Prints::Nothing),
    ("resources active-resource-usage", "", Prints::Json),
    ("resources diff", "-f postgres.yaml", Prints::Json),
    ("resources explain", "postgres", Prints::Json),
    ("resources graph", "", Prints::Json),
    ("resources test-definition", "echo.yaml --generate", Prints::Text),
    ("score available-resource-types", "", Prints::Json),
    ("score deploy", "", Prints::Json),
    ("score init", "-f new.yaml", Prints::Json),
    ("score validate", "", Prints::Json),
    ("update delta", "DELTA replace /modules/web/spec/containers/main/image busybox:2", Prints::Json),
    ("version", "", Prints::Text),
];

/// Commands that need what is not there: a hosted Orchestrator, a browser, a
/// listener that does not end.
const ELSEWHERE: &[&str] =
    &["create artefact-version", "login", "resources check-account", "resources check-connectivity", "serve"];

#[derive(Clone, Copy, PartialEq)]
enum Prints {
    Json,
    /// Text that is no data, whatever the format.
    Text,
    Nothing,
}

/// The words of every command that does something.
fn leaves() -> Vec<String> {
    fn walk(command: &Command, words: &str, found: &mut Vec<String>) {
        let below: Vec<&Command> = command.get_subcommands().filter(|command| command.get_name() != "help").collect();
        if below.is_empty() {
            found.push(words.to_owned());
        }
        for command in below {
            walk(command, format!("{words} {}", command.get_name()).trim(), found);
        }
    }
    let mut found = Vec::new();
    walk(&humctl_cli::Cli::command(), "", &mut found);
    found
}

#[test]
fn every_command_is_in_the_tables_below() {
    let known = SUCCEEDS.iter().map(|(words, _, _)| *words).chain(ELSEWHERE.iter().copied());
    let known: BTreeSet<String> = known.map(ToOwned::to_owned).collect();
    let there: BTreeSet<String> = leaves().into_iter().collect();
    assert_eq!(there, known);
}

#[test]
fn every_command_explains_itself() {
    let env = TestEnv::new();
    for words in leaves() {
        for help in ["--help", "-h"] {
            let text = env.run(&format!("{words} {help}")).ok().stdout;
            assert!(text.contains("Usage:"), "{words}: {text}");
        }
        assert_eq!(env.run(&format!("help {words}")).ok().stdout, env.run(&format!("{words} --help")).ok().stdout);
    }
}

#[test]
fn every_command_refuses_what_it_does_not_know() {
    let env = TestEnv::new();
    for words in leaves() {
        let refused = env.run(&format!("{words} --no-such-flag")).fails().stderr;
        assert!(refused.contains("unknown flag: --no-such-flag"), "{words}: {refused}");
        assert!(refused.contains("hint: "), "{words}: {refused}");
        env.run(&format!("{words} -o no-such-format")).fails();
    }
}

#[test]
fn every_command_is_silent_on_stderr_and_prints_json_when_asked() {
    for format in ["", "-o json", "-o yaml"] {
        let env = deployed();
        for (words, arguments, prints) in SUCCEEDS {
            let ids = |command: &str| -> String {
                let shown = env.run(command).ok().json();
                let shown = shown.get(0).unwrap_or(&shown).clone();
                shown["metadata"]["id"].as_str().unwrap().to_owned()
            };
            let mut arguments = (*arguments).to_owned();
            if arguments.contains("DELTA") {
                arguments = arguments.replace("DELTA", &ids("get delta -o json"));
            }
            if arguments.contains("SET") {
                arguments = arguments.replace("SET", &ids("get set . -o json"));
            }
            // The flags stand before, between and after the words.
            let line = match format {
                "" => format!("--org local {words} {arguments}"),
                "-o json" => format!("{words} --org local {arguments} -o json"),
                _ => format!("{words} {arguments} -o yaml --org local"),
            };
            let run = env.run(&line).ok();
            match (prints, format) {
                (Prints::Nothing, _) => assert_eq!(run.stdout, "", "{line}"),
                (Prints::Json, "-o json") => {
                    let value: Value = run.json();
                    assert!(value.is_array() || value.is_object() || value.is_string(), "{line}: {value}");
                    assert!(run.stdout.ends_with('\n'), "{line}");
                }
                _ => assert!(!run.stdout.is_empty(), "{line}"),
            }
        }
    }
}

/// A place where a Workload is deployed; its context is in the environment.
fn deployed() -> TestEnv {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES);
    env.write(
        "echo.yaml",
        "apiVersion: entity.humanitec.io/v1b1\nkind: Definition\nmetadata: {id: cfg-def}\n\
         entity: {name: cfg-def, type: config, driver_type: humanitec/echo, driver_inputs: {values: {a: b}}}\n",
    );
    env.score("web", "").deploy().ok();
    env.run("create environment-type qa2 --description x").ok();
    env.set("HUMANITEC_APP", "shop").set("HUMANITEC_ENV", "development");
    env
}

#[test]
fn every_command_leaves_stdout_empty_when_it_fails() {
    let env = TestEnv::new();
    // No Application, no file, no argument: whatever a command needs most is not there.
    for words in leaves() {
        let run = env.run_with_stdin(&words, "");
        match run.code {
            0 => assert_eq!(run.stderr, "", "{words}"),
            1 => drop(run.fails()),
            code => panic!("{words}: exit {code}: {}", run.stderr),
        }
    }
}
