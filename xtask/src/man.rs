//! Man pages, and what the formatter says about them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};

use crate::{root, say};

/// Programs that find fault with a page, with their arguments; the first that is there is used.
const CHECKERS: &[(&str, &[&str])] =
    &[("mandoc", &["-T", "lint", "-W", "warning"]), ("groff", &["-man", "-T", "utf8", "-ww", "-z"])];

/// Writes a page for every command, into `target/man` unless told otherwise.
pub(crate) fn run(directory: Option<&str>) -> Result<()> {
    let directory = directory.map_or_else(|| root().join("target/man"), PathBuf::from);
    let directory = std::path::absolute(directory)?;
    // Another program, so that xtask need not wait for all that humctl is made of.
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "humctl-cli", "--example", "man", "--"])
        .arg(&directory)
        .current_dir(root())
        .status()?;
    ensure!(status.success(), "cannot write into `{}`", directory.display());
    let mut pages: Vec<PathBuf> = fs::read_dir(&directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "1"));
    pages.sort();
    check(&pages)?;
    say(&format!("{} pages in {}\n", pages.len(), directory.display()));
    Ok(())
}

fn check(pages: &[PathBuf]) -> Result<()> {
    for (program, arguments) in CHECKERS {
        let findings = pages.iter().map(|page| findings(program, arguments, page)).collect::<Result<Vec<_>>>();
        match findings.map(|findings| findings.concat()) {
            Ok(findings) if findings.is_empty() => return Ok(()),
            Ok(findings) => bail!("{program} finds fault with the pages:\n{findings}"),
            // Not installed.
            Err(_) => {}
        }
    }
    say("neither mandoc nor groff is there to check the pages\n");
    Ok(())
}

/// What a checker says about a page; fails when it cannot be run.
fn findings(program: &str, arguments: &[&str], page: &Path) -> Result<String> {
    let output = Command::new(program).args(arguments).arg(page).stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}
