//! Runs the fuzz targets, one after the other.
//!
//! What a run finds lies under `target/fuzz/TARGET`; a text that broke a law
//! is shrunk with `cargo fuzz tmin`, put under `fuzz/seeds/TARGET`, and mended.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{root, say};

const TARGETS: [&str; 4] = ["score", "placeholder", "template", "manifest"];

pub(crate) fn run(seconds: Option<&str>, target: Option<&str>) -> Result<()> {
    let seconds: u32 = seconds.unwrap_or("600").parse().context("SECONDS is a number")?;
    let seconds = format!("-max_total_time={seconds}");
    for target in TARGETS.into_iter().filter(|one| target.is_none_or(|target| target == *one)) {
        let found = format!("target/fuzz/{target}/");
        fs::create_dir_all(root().join(&found))?;
        let (corpus, seeds) = (format!("target/fuzz/{target}"), format!("fuzz/seeds/{target}"));
        let artifacts = format!("-artifact_prefix=target/fuzz/{target}-found-");
        // The code is safe Rust, so that a sanitizer would only cost time.
        run_cargo(&[
            "+nightly",
            "fuzz",
            "run",
            "--sanitizer=none",
            "--codegen-units=16",
            "--features=libfuzzer",
            target,
            &corpus,
            &seeds,
            "--",
            &seconds,
            "-rss_limit_mb=512",
            "-timeout=10",
            "-max_len=8192",
            "-print_final_stats=1",
            &artifacts,
        ])?;
    }
    Ok(())
}

fn run_cargo(arguments: &[&str]) -> Result<()> {
    say(&format!("\n==> cargo {}\n", arguments.join(" ")));
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(root())
        // Optimizing across crates takes longer than it saves in ten minutes, and a report needs symbols.
        .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_STRIP", "none")])
        .status()
        .context("cannot run cargo-fuzz; install it with: cargo install cargo-fuzz")?;
    if !status.success() {
        bail!("a target failed; the text that it failed on lies under target/fuzz");
    }
    Ok(())
}
