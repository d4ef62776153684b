//! What a push came to, read from `git push --porcelain`
//! (spec/gitops.md §7.5).

use crate::git::error::{GitError, classify, last_words};
use crate::git::process::Finished;

/// What a push came to.
#[derive(Debug)]
pub enum PushOutcome {
    /// The branch was set to our commit.
    Landed,
    /// The branch moved in between; build anew on its tip.
    Moved,
}

/// Reads the result of a push.
///
/// # Errors
/// [`GitError`] for everything that another attempt would not mend.
pub fn outcome(finished: &Finished, url: &str, host: Option<&str>, branch: &str) -> Result<PushOutcome, GitError> {
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let line = stdout.lines().find_map(|line| {
        let mut fields = line.splitn(3, '\t');
        let flag = fields.next()?;
        fields.next().filter(|spec| spec.contains(':'))?;
        Some((flag.chars().next().unwrap_or(' '), fields.next().unwrap_or_default()))
    });
    let (url_text, branch) = (url.to_owned(), branch.to_owned());
    match line {
        Some((' ' | '*' | '+' | '=', _)) if finished.code == 0 => Ok(PushOutcome::Landed),
        Some(('!', reason)) => {
            let words = last_words(&finished.stderr);
            let has = |needles: &[&str]| {
                needles.iter().any(|needle| reason.contains(needle) || finished.stderr.contains(needle))
            };
            if has(&["exists; cannot create"]) {
                return Err(GitError::NameClash { url: url_text, branch, words });
            }
            // What a hook prints is no race, whatever words it uses.
            if !is_policy(reason) && is_race(reason, &has) {
                return Ok(PushOutcome::Moved);
            }
            let words = if words.is_empty() { reason.to_owned() } else { format!("{reason}\n  remote: {words}") };
            Err(GitError::Declined { url: url_text, branch, words })
        }
        _ => Err(classify(url, host, "push", &finished.stderr)),
    }
}

/// True when a rule of the server stands against the push.
fn is_policy(reason: &str) -> bool {
    const POLICY: &[&str] = &[
        "hook declined",
        "rule violations",
        "not allowed to push",
        // Azure DevOps: only by pull request, no permission, a policy.
        "TF402455",
        "TF401027",
        "TF402457",
    ];
    POLICY.iter().any(|needle| reason.contains(needle))
}

/// True when somebody else moved the branch: by the lease, by Git, or in the
/// words of the large hosts.
fn is_race(reason: &str, has: &dyn Fn(&[&str]) -> bool) -> bool {
    const BY_GIT: &[&str] = &["(stale info)", "(fetch first)", "(non-fast-forward)"];
    const BY_SERVER: &[&str] = &[
        "incorrect old value provided",
        "reference already exists",
        // GitLab, Azure DevOps
        "Please refresh and try again",
        "TF401028",
    ];
    BY_GIT.iter().any(|needle| reason.contains(needle))
        || has(BY_SERVER)
        || (has(&["cannot lock ref"]) && (has(&["but expected"]) || has(&["File exists"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: i32, stdout: &str, stderr: &str) -> String {
        let finished = Finished { code, stdout: stdout.as_bytes().to_vec(), stderr: stderr.to_owned() };
        match outcome(&finished, "u", None, "main") {
            Ok(outcome) => format!("{outcome:?}"),
            Err(error) => error.summary().to_owned(),
        }
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let line = |flag: &str, text: &str| format!("To u\n{flag}\tc:refs/heads/main\t{text}\nDone\n");
        for (code, stdout, stderr, expected) in [
            (0, line(" ", "a..b"), "", "Landed"),
            (0, line("*", "[new branch]"), "", "Landed"),
            (1, line("!", "[rejected] (stale info)"), "", "Moved"),
            (1, line("!", "[rejected] (fetch first)"), "", "Moved"),
            (1, line("!", "[remote rejected] (incorrect old value provided)"), "", "Moved"),
            (
                1,
                line("!", "[remote rejected] (failed to update ref)"),
                "remote: error: cannot lock ref 'refs/heads/main': is at a but expected b",
                "Moved",
            ),
            (
                1,
                line("!", "[remote rejected] (failed to update ref)"),
                "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'",
                "Branch name clash",
            ),
            (
                1,
                line("!", "[remote rejected] (failed to update ref)"),
                "remote: error: cannot lock ref 'refs/heads/main': Unable to create '/r/main.lock': File exists.",
                "Moved",
            ),
            (1, line("!", "[remote rejected] (reference already exists)"), "", "Moved"),
            (1, line("!", "[remote rejected] (TF401028: The reference has already been updated)"), "", "Moved"),
            (
                1,
                line("!", "[remote rejected] (failed to update ref)"),
                "remote: Please refresh and try again.",
                "Moved",
            ),
            (1, line("!", "[remote rejected] (failed to update ref)"), "remote: disk full", "Push declined"),
            (1, line("!", "[remote rejected] (pre-receive hook declined)"), "remote: no way", "Push declined"),
            // A hook may say anything.
            (
                1,
                line("!", "[remote rejected] (pre-receive hook declined)"),
                "remote: (stale info) reference already exists",
                "Push declined",
            ),
            (1, line("!", "[remote rejected] (protected branch hook declined)"), "remote: GH006: x", "Push declined"),
            (
                1,
                line("!", "[remote rejected] (push declined due to repository rule violations)"),
                "remote: error: GH013: Repository rule violations found",
                "Push declined",
            ),
            (
                1,
                line("!", "[remote rejected] (pre-receive hook declined)"),
                "remote: GitLab: You are not allowed to push code to protected branches on this project.",
                "Push declined",
            ),
            (
                1,
                line("!", "[remote rejected] (TF402455: Pushes to this branch are not permitted)"),
                "",
                "Push declined",
            ),
            (1, line("!", "[remote rejected] (TF401027: You need the permission)"), "", "Push declined"),
            (128, String::new(), "fatal: the remote end hung up unexpectedly", "Git target unreachable"),
            (128, String::new(), "fatal: Authentication failed for 'x'", "Credentials refused"),
        ] {
            assert_eq!(run(code, &stdout, stderr), expected, "{stdout}{stderr}");
        }
    }
}
