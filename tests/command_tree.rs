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
    ("gitops manifests argocd", "--repository https://git.example.com/r.git", Prints::Json),
    ("gitops manifests flux", "--repository https://git.example.com/r.git", Prints::Json),
    ("logout", "", Prints::Nothing),
    ("render", "", Prints::Json),
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

/// Every command with all that it takes.
fn tree() -> Command {
    let mut tree = humctl_cli::Cli::command();
    tree.build();
    tree
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
    walk(&tree(), "", &mut found);
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

/// Every command and group, with its words.
fn commands() -> Vec<(String, Command)> {
    fn walk(command: &Command, words: &str, found: &mut Vec<(String, Command)>) {
        found.push((words.to_owned(), command.clone()));
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            walk(command, &format!("{words} {}", command.get_name()), found);
        }
    }
    let mut found = Vec::new();
    walk(&tree(), "humctl", &mut found);
    found
}

#[test]
fn every_command_has_examples_that_parse_and_related_commands_that_are_there() {
    let commands = commands();
    let known: BTreeSet<&str> = commands.iter().map(|(words, _)| words.as_str()).chain(["humctl help"]).collect();
    for (words, command) in &commands {
        let short = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let long = command.get_after_long_help().map_or_else(|| short.clone(), ToString::to_string);
        for text in [short, long] {
            let (_, text) = text.split_once("Examples:\n").unwrap_or_else(|| panic!("{words} has no examples"));
            let (examples, related) =
                text.split_once("\n\nSee also: ").unwrap_or_else(|| panic!("{words} has no related commands"));
            let mut n_examples = 0;
            // So that a narrow terminal breaks no line.
            let longest = examples.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
            assert!(longest.chars().count() <= 80, "{words}: {longest}");
            for example in examples.replace("\\\n", " ").lines() {
                assert!(example.is_empty() || example.starts_with("  "), "{words}: {example}");
                for call in calls(example) {
                    n_examples += 1;
                    let parsed = humctl_cli::Cli::command().try_get_matches_from(&call);
                    assert!(parsed.is_ok(), "{words}: {example}: {}", parsed.unwrap_err());
                }
            }
            assert!(n_examples > 0, "{words}");
            for other in related.split(", ") {
                assert!(known.contains(other) && other != words, "{words}: {other}");
            }
        }
    }
}

/// The calls of humctl in a line of shell, as words.
fn calls(line: &str) -> Vec<Vec<String>> {
    let mut calls = vec![Vec::new()];
    let (mut word, mut is_word, mut quote) = (String::new(), false, None);
    for c in line.replace("$(humctl", "\nhumctl").chars().chain(['\n']) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, is_word) = (Some(c), true),
            (None, '#') if !is_word => break,
            (None, ' ' | '\n' | '|' | '<' | '>') => {
                if std::mem::take(&mut is_word) {
                    calls.last_mut().unwrap().push(std::mem::take(&mut word));
                }
                // What a redirection names is no word of the call, and neither is another program.
                if c != ' ' {
                    calls.push(Vec::new());
                }
            }
            (None, c) => {
                word.push(c);
                is_word = true;
            }
        }
    }
    // Variables before a command are no words of it.
    for call in &mut calls {
        let mut is_begun = false;
        call.retain(|word| {
            is_begun |= !word.contains('=') || word.starts_with("humctl");
            is_begun
        });
    }
    calls.retain(|call| call.first().is_some_and(|word| word == "humctl"));
    calls
}

#[test]
fn examples_are_taken_apart_as_a_shell_does() {
    for (line, expected) in [
        ("humctl get app # all", &[&["humctl", "get", "app"][..]][..]),
        ("humctl get 'a b' \"c\" > file", &[&["humctl", "get", "a b", "c"]]),
        ("A=b humctl get x | sed y | humctl apply -f -", &[&["humctl", "get", "x"], &["humctl", "apply", "-f", "-"]]),
        ("ID=$(humctl create delta | jq .)", &[&["humctl", "create", "delta"]]),
        ("# a comment", &[]),
    ] {
        assert_eq!(calls(line), expected, "{line}");
    }
}

#[test]
fn every_variable_and_key_is_in_the_help_of_config() {
    let env = TestEnv::new();
    let help = env.run("config --help").ok().stdout;
    let source = include_str!("../humctl-cli/src/env.rs");
    for line in source.lines().filter(|line| line.starts_with("pub(crate) const ")) {
        let name = line.split('"').nth(1).unwrap();
        // Only our own completion scripts and tests set these.
        if ["HUMCTL_COMPLETE", "HUMCTL_FAULT_POINT"].contains(&name) {
            continue;
        }
        assert!(help.contains(name), "{name}");
        assert!(include_str!("../README.md").contains(name), "{name} in the README");
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
