//! What CI runs, here and there the same.

use anyhow::Result;

use crate::{conformance, demo, show, tidy};

pub(crate) fn run() -> Result<()> {
    show("cargo", &["fmt", "--all", "--check"])?;
    show("cargo", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])?;
    tidy::run()?;
    demo::run()?;
    conformance::run(Some("--quick"))?;
    // Last, so that the output ends with the test runner's own summary.
    show("cargo", &["test", "--workspace"])
}
