//! How a command wants Git to be used: flags of everything that writes to a
//! Git target, or reads one.

use std::path::PathBuf;

use crate::client::local::GitOptions;
use crate::context::Context;
use crate::error::CliError;

/// Flags about Git.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct GitFlags {
    /// Accept and keep the SSH host key of a Git host that is not known yet
    #[arg(long)]
    git_accept_new_host_key: bool,
    /// File of known SSH hosts, instead of the one in ~/.ssh
    #[arg(long, value_name = "FILE")]
    git_known_hosts: Option<PathBuf>,
    /// Read the branch from the Git host alone, and keep no copy of it
    #[arg(long)]
    no_cache: bool,
    /// Ask CI systems not to run for the commit, with [skip ci] in its message
    #[arg(long)]
    git_skip_ci: bool,
}

impl GitFlags {
    /// Sets up the client. To be called before the first request.
    pub(crate) fn prepare(&self, context: &Context) -> Result<(), CliError> {
        let options = GitOptions {
            accept_new_host_key: self.git_accept_new_host_key,
            known_hosts: self.git_known_hosts.clone(),
            no_cache: self.no_cache,
            skip_ci: self.git_skip_ci,
        };
        match (context.client().local_settings(), self.first_given()) {
            (Some(settings), _) => settings.set_git(options),
            (None, None) => {}
            (None, Some(flag)) => {
                return Err(CliError::user(format!(
                    "{flag} is for the embedded Orchestrator, and a hosted one is configured, which uses Git itself"
                ))
                .with_hint(format!("leave {flag} out, or add --api-prefix local")));
            }
        }
        Ok(())
    }

    fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.git_accept_new_host_key, "--git-accept-new-host-key"),
            (self.git_known_hosts.is_some(), "--git-known-hosts"),
            (self.no_cache, "--no-cache"),
            (self.git_skip_ci, "--git-skip-ci"),
        ];
        given.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
    }
}
