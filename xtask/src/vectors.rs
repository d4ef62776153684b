//! Runs a file of template vectors.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use humctl_core::template::vectors;

use crate::say;

pub(crate) fn run(file: Option<&str>) -> Result<()> {
    let file = file.context("name a file: cargo xtask vectors FILE")?;
    let text = std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read `{file}`"))?;
    let report = vectors::run(&text).map_err(|reason| anyhow!("{file}: {reason}"))?;
    for failure in &report.failures {
        say(&format!("{failure}\n"));
    }
    let n_failed = report.failures.len();
    say(&format!("{} passed, {n_failed} failed\n", report.n_passed));
    if n_failed > 0 {
        bail!("{n_failed} vectors failed");
    }
    Ok(())
}
