//! An empty bare repository as Git makes it, written without two processes that
//! a first Deployment would wait for.

use std::fs;
use std::io;
use std::path::Path;

use crate::hash::ObjectFormat;

/// The line of the configuration that names the remote.
pub(super) fn remote_line(url: &str) -> String {
    format!("url = \"{}\"", url.replace('\\', r"\\").replace('"', "\\\""))
}

/// Writes an empty bare repository with a remote `origin`.
///
/// A named remote: with an address as argument, `git fetch --filter` would write
/// that address into the configuration under its own name.
pub(super) fn write(directory: &Path, url: &str, format: ObjectFormat) -> io::Result<()> {
    for part in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        fs::create_dir_all(directory.join(part))?;
    }
    let extensions = match format {
        ObjectFormat::Sha1 => "",
        ObjectFormat::Sha256 => "[extensions]\n\tobjectformat = sha256\n",
    };
    // The first fetch with a filter would write the last two lines, and so start the file anew, twice.
    let config = format!(
        "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n{extensions}\
         [remote \"origin\"]\n\t{}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n",
        remote_line(url)
    );
    fs::write(directory.join("config"), config)?;
    fs::write(directory.join("HEAD"), "ref: refs/heads/main\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::time::Duration;

    use crate::git::environment::environment;
    use crate::git::process::{CancelFlag, Git, Limits};
    use crate::secret::SecretScanner;

    #[test]
    fn git_takes_it_for_one_of_its_own() {
        for (format, name) in [(ObjectFormat::Sha1, "sha1"), (ObjectFormat::Sha256, "sha256")] {
            let place = tempfile::tempdir().unwrap();
            let url = r#"file:///with "quotes" and \.git"#;
            write(place.path(), url, format).unwrap();
            let git = Git {
                directory: PathBuf::from(place.path()),
                is_repository: true,
                environment: environment(&BTreeMap::new(), Some(place.path()), "file"),
                settings: Vec::new(),
                scanner: SecretScanner::new(&[]),
                url: url.to_owned(),
                host: None,
                cancel: CancelFlag::default(),
            };
            let limits = Limits { timeout: Duration::from_secs(10), is_cancellable: true, n_retries: 0 };
            let says = |arguments: &[&str]| git.check(arguments, None, limits).unwrap().text();
            assert_eq!(says(&["config", "remote.origin.url"]), url);
            assert_eq!(says(&["rev-parse", "--show-object-format"]), name);
            assert_eq!(says(&["rev-parse", "--is-bare-repository"]), "true");
            assert_eq!(says(&["fsck", "--strict"]), "");
        }
    }
}
