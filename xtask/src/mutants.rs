//! Takes the guards of secrets away, one at a time, and expects a test to fail
//! for each: a test that passes without its guard guards nothing.
//!
//! The guards are changed in a copy under `target/mutants`, which is tested
//! with the builds that are here already.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{root, say};

/// A guard taken away.
struct Mutant {
    /// What a secret could do then.
    leak: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// Arguments of `cargo test`: the tests of which one has to fail.
    tests: &'static [&'static str],
}

const E2E: [&str; 4] = ["--package", "humctl-cli", "--test", "e2e"];

const MUTANTS: &[Mutant] = &[
    Mutant {
        leak: "a known secret is committed where it turns up",
        file: "humctl-core/src/orchestrator/deploy.rs",
        from: "if resolved.scanner.finds_in(&file.content) {",
        to: "if false && resolved.scanner.finds_in(&file.content) {",
        tests: &[E2E[0], E2E[1], E2E[2], E2E[3], "secrets::a_secret_that_turns_up_anywhere"],
    },
    Mutant {
        leak: "a known secret is committed in base64",
        file: "humctl-core/src/secret.rs",
        from: "STANDARD_NO_PAD.encode(part),\n                    URL_SAFE_NO_PAD.encode(part),",
        to: "part.to_owned(),",
        tests: &[E2E[0], E2E[1], E2E[2], E2E[3], "secrets::a_secret_that_turns_up_anywhere"],
    },
    Mutant {
        leak: "a secret of a Definition is planned as a value",
        file: "humctl-core/src/graph/build.rs",
        from: "if self.is_main && !scan.literal_secrets.is_empty() {",
        to: "if false && !scan.literal_secrets.is_empty() {",
        tests: &[E2E[0], E2E[1], E2E[2], E2E[3], "secrets::a_literal_secret_of_a_resource"],
    },
    Mutant {
        leak: "the state holds a secret in plain text",
        file: "humctl-core/src/secret.rs",
        from: "sealed: STANDARD.encode(&buffer) })",
        to: "sealed: secret.expose().to_owned() })",
        tests: &["--package", "humctl-core", "secret::tests"],
    },
    Mutant {
        leak: "a template writes a secret among its values",
        file: "humctl-core/src/driver/template.rs",
        from: "shows_hidden: is_secret,",
        to: "shows_hidden: true,",
        tests: &["--package", "humctl-core", "driver::template"],
    },
    Mutant {
        leak: "a template's error shows a secret",
        file: "humctl-core/src/driver/template.rs",
        from: "let text = self.scanner.redact(&format!(\"{place}:{error}\"));",
        to: "let text = format!(\"{place}:{error}\");",
        tests: &["--package", "humctl-core", "driver::trial"],
    },
    Mutant {
        leak: "what a template rendered shows a secret when it is no YAML",
        file: "humctl-core/src/driver/template.rs",
        from: "let shown = self.scanner.redact(&shown);",
        to: "",
        tests: &["--package", "humctl-core", "driver::trial"],
    },
    Mutant {
        leak: "a virtual Driver puts a secret among the values",
        file: "humctl-core/src/lowering/virtual_driver.rs",
        from: "Value::String(text) if text.contains(LEAF_MARKER) => {",
        to: "Value::String(text) if false && text.contains(LEAF_MARKER) => {",
        tests: &["--package", "humctl-core", "lowering::tests"],
    },
    Mutant {
        leak: "what Git prints is shown with a secret in it",
        file: "humctl-core/src/git/process.rs",
        from: "stderr: self.scanner.redact(&String::from_utf8_lossy(&stderr)),",
        to: "stderr: String::from_utf8_lossy(&stderr).into_owned(),",
        tests: &["--package", "humctl-core", "git::process"],
    },
    Mutant {
        leak: "debug output shows a secret",
        file: "humctl-core/src/secret.rs",
        from: "f.write_str(\"SecretValue(…)\")",
        to: "f.write_str(&self.0)",
        tests: &["--package", "humctl-core", "secret::tests"],
    },
];

pub(crate) fn run(word: Option<&str>) -> Result<()> {
    let tree = root().join("target/mutants");
    if tree.exists() {
        git(&["worktree", "remove", "--force", "target/mutants"])?;
    }
    git(&["worktree", "add", "--quiet", "--detach", "target/mutants"])?;
    let mut survivors = Vec::new();
    for mutant in MUTANTS.iter().filter(|mutant| word.is_none_or(|word| mutant.leak.contains(word))) {
        let file = tree.join(mutant.file);
        let text = fs::read_to_string(&file)?;
        ensure!(text.matches(mutant.from).count() == 1, "{} does not hold once: {}", mutant.file, mutant.from);
        fs::write(&file, text.replace(mutant.from, mutant.to))?;
        let test = |more: &[&str]| {
            Command::new("cargo")
                .args(["test", "--quiet"])
                .args(mutant.tests)
                .args(more)
                .current_dir(&tree)
                .env("CARGO_TARGET_DIR", root().join("target"))
                .output()
                .context("cannot run cargo")
        };
        let built = test(&["--no-run"])?;
        ensure!(built.status.success(), "{}: {}", mutant.leak, String::from_utf8_lossy(&built.stderr));
        let is_killed = !test(&[])?.status.success();
        fs::write(&file, text)?;
        say(&format!("{}: {}\n", mutant.leak, if is_killed { "a test fails" } else { "NO TEST FAILS" }));
        if !is_killed {
            survivors.push(mutant.leak);
        }
    }
    git(&["worktree", "remove", "--force", "target/mutants"])?;
    if !survivors.is_empty() {
        bail!("no test fails when {}", survivors.join("; when "));
    }
    Ok(())
}

fn git(arguments: &[&str]) -> Result<()> {
    let status = Command::new("git").args(arguments).current_dir(root()).status().context("cannot run git")?;
    ensure!(status.success(), "git {} ended with {status}", arguments.join(" "));
    Ok(())
}
