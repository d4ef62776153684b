//! Every object that we render against the schemas of Kubernetes: of the
//! official example library, of our examples, of the sample of Score's
//! conversion, and of modules that use what a Workload Profile offers.
//!
//! kubernetes-validate reads the files as a cluster's tools do, as YAML 1.1.

mod library;
mod modules;
mod scene;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use humctl_core::render::CrFile;

use crate::say;

/// What has to be rendered at least, so that a broken reader is no success.
const MIN_CASES: usize = 95;

/// What came of one case.
pub(super) struct Case {
    name: String,
    /// Its files, or why there are none.
    files: Result<Vec<CrFile>>,
}

/// Renders every case below a directory; returns the directory of the files.
pub(super) fn render(place: &Path) -> Result<PathBuf> {
    let directory = place.join("objects");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    let mut cases = library::cases()?;
    cases.extend(modules::cases()?);
    let mut n_rendered = 0;
    for Case { name, files } in &cases {
        match files {
            Err(error) => say(&format!("not rendered: {name}: {}\n", format!("{error:#}").replace('\n', "\n  "))),
            Ok(files) => {
                let home = directory.join(name.replace('/', "."));
                fs::create_dir_all(&home)?;
                for file in files {
                    fs::write(home.join(&file.name), &file.content)?;
                }
                n_rendered += 1;
            }
        }
    }
    say(&format!("{n_rendered} of {} cases are rendered to Kubernetes objects\n", cases.len()));
    ensure!(n_rendered >= MIN_CASES, "at least {MIN_CASES} cases are to be rendered");
    Ok(directory)
}
