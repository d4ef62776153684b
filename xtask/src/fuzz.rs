//! Runs the fuzz targets, one after the other.
//!
//! What a run finds lies under `target/fuzz/TARGET`; a text that broke a law
//! is shrunk with `cargo fuzz tmin`, put under `fuzz/seeds/TARGET`, and mended.

use std::fs;

use anyhow::{Context as _, Result};

use crate::{root, show};

const TARGETS: [&str; 4] = ["score", "placeholder", "template", "manifest"];

pub(crate) fn run(seconds: Option<&str>) -> Result<()> {
    let seconds: u32 = seconds.unwrap_or("600").parse().context("SECONDS is a number")?;
    let seconds = format!("-max_total_time={seconds}");
    for target in TARGETS {
        let found = format!("target/fuzz/{target}/");
        fs::create_dir_all(root().join(&found))?;
        let (corpus, seeds) = (format!("target/fuzz/{target}"), format!("fuzz/seeds/{target}"));
        let artifacts = format!("-artifact_prefix={found}found-");
        // The code is safe Rust, so that a sanitizer would only cost time.
        show(
            "cargo",
            &[
                "+nightly",
                "fuzz",
                "run",
                "--sanitizer=none",
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
            ],
        )?;
    }
    Ok(())
}
