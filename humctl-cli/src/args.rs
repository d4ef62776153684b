//! The command line as types; what a command does is in its own file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use crate::output::log::LogFormat;
use crate::{commands, completion};

/// Deploy Workloads through the Platform Orchestrator
///
/// With a token, humctl talks to a hosted Orchestrator. Without one it is the
/// Orchestrator itself: it matches Resource Definitions, builds the Resource
/// Graph, and commits custom resources to Git, from where Argo CD or Flux
/// takes them to a cluster.
#[derive(Debug, Parser)]
#[command(name = "humctl", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) globals: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command takes, before, between and after its words.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global flags")]
pub(crate) struct GlobalArgs {
    /// Organization [env: `HUMANITEC_ORG`]
    #[arg(long, global = true, value_name = "ORG")]
    pub(crate) org: Option<String>,
    /// Application [env: `HUMANITEC_APP`]
    #[arg(long, global = true, value_name = "APP", add = ArgValueCandidates::new(completion::apps))]
    pub(crate) app: Option<String>,
    /// Environment [env: `HUMANITEC_ENV`]
    #[arg(long, short_alias = 'e', global = true, value_name = "ENV", add = ArgValueCandidates::new(completion::envs))]
    pub(crate) env: Option<String>,
    /// API token [env: `HUMANITEC_TOKEN`]
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Output format: table, json or yaml [env: `HUMANITEC_OUTPUT`]
    #[arg(long, short, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
    /// Address of the API, or local, or local:STATE-FILE [env: `HUMANITEC_API_PREFIX`]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api_prefix: Option<String>,
    /// Context as one path: /orgs/O/apps/A/envs/E [env: `HUMANITEC_CONTEXT`]
    #[arg(long, short, global = true, value_name = "PATH")]
    pub(crate) context: Option<String>,
    /// Configuration file instead of ~/.humctl
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How much to tell on stderr, 0 to 9
    #[arg(
        short = 'v',
        long = "verbosity",
        visible_alias = "verbose",
        global = true,
        value_name = "LEVEL",
        value_parser = clap::value_parser!(u8).range(0..=9)
    )]
    pub(crate) verbosity: Option<u8>,
    /// Show no progress on a terminal; in a pipe there is none
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Api(commands::api::ApiArgs),
    Apply(commands::apply::ApplyArgs),
    Completion(commands::completion::CompletionArgs),
    Config(commands::config::ConfigArgs),
    Create(commands::create::CreateArgs),
    Delete(commands::delete::DeleteArgs),
    #[command(subcommand)]
    Deploy(commands::deploy::DeployCommand),
    Diff(commands::diff::DiffArgs),
    Doctor(commands::doctor::DoctorArgs),
    Get(commands::get::GetArgs),
    Login(commands::login::LoginArgs),
    Logout(commands::logout::LogoutArgs),
    #[command(subcommand)]
    Resources(commands::resources::ResourcesCommand),
    #[command(subcommand)]
    Score(commands::score::ScoreCommand),
    Serve(commands::serve::ServeArgs),
    Update(commands::update::UpdateArgs),
    Version(commands::version::VersionArgs),
}

impl Command {
    /// Form of the log, which only a server can be told.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Self::Serve(args) => args.log_format(),
            _ => LogFormat::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
