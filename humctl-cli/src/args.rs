//! The command line as types; what a command does is in its own file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use crate::lazy::Lazy;
use crate::output::log::LogFormat;
use crate::{commands, completion};

/// Deploy Workloads through the Platform Orchestrator
///
/// With a token, humctl talks to a hosted Orchestrator. Without one it is the
/// Orchestrator itself: it matches Resource Definitions, builds the Resource
/// Graph, and commits custom resources to Git, from where Argo CD or Flux
/// takes them to a cluster. All commands work in both ways, unless they say otherwise.
#[derive(Debug, Parser)]
#[command(
    name = "humctl",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  # From nothing to a Deployment, without a server
  humctl apply -f definitions/   # where to deploy, and how resources are made
  humctl create app shop         # with the Environment development
  humctl score init              # a sample score.yaml, which needs a dns
  humctl score deploy --app shop --env development --wait

  # The same with a hosted Orchestrator begins with
  humctl login
  humctl config set org my-org

  # And then
  humctl get deploys --app shop --env development
  humctl resources graph --format ascii --app shop --env development

See also: humctl help, humctl doctor, humctl completion"
)]
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
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true, hide_short_help = true)]
    pub(crate) token: Option<String>,
    /// Output format: table, json or yaml [env: `HUMANITEC_OUTPUT`]
    #[arg(long, short, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
    /// Address of the API; local for the embedded Orchestrator, local:FILE with that state file [env: `HUMANITEC_API_PREFIX`]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub(crate) api_prefix: Option<String>,
    /// Context as one path: /orgs/O/apps/A/envs/E [env: `HUMANITEC_CONTEXT`]
    #[arg(long, short, global = true, value_name = "PATH", hide_short_help = true)]
    pub(crate) context: Option<String>,
    /// Configuration file instead of ~/.humctl
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) config: Option<PathBuf>,
    /// How much to tell on stderr, 0 to 9: 1 decisions and warnings, 6 requests and git, 9 bodies
    #[arg(
        short = 'v',
        long = "verbosity",
        visible_alias = "verbose",
        global = true,
        hide_short_help = true,
        value_name = "LEVEL",
        value_parser = clap::value_parser!(u8).range(0..=9)
    )]
    pub(crate) verbosity: Option<u8>,
    /// Show no progress on a terminal; in a pipe there is none
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) no_progress: bool,
}

/// Every command, in the order of the help: what a Deployment needs comes first.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create or update objects from manifests
    Apply(Lazy<commands::apply::ApplyArgs>),
    /// Create an Application, an Environment, a Shared Value and the like
    Create(Lazy<commands::create::CreateArgs>),
    /// Write, check and deploy Score files
    #[command(subcommand)]
    Score(Lazy<commands::score::ScoreCommand>),
    /// Show the Kubernetes objects that a Score file comes to
    Render(Lazy<commands::render::RenderArgs>),
    /// Deploy a Delta, an earlier Deployment, a Deployment Set or another Environment
    #[command(subcommand)]
    Deploy(Lazy<commands::deploy::DeployCommand>),
    /// Show one object, or all of a type
    Get(Lazy<commands::get::GetArgs>),
    /// Understand and check resources, their Definitions and their graph
    #[command(subcommand)]
    Resources(Lazy<commands::resources::ResourcesCommand>),
    /// Help Argo CD and Flux take from Git what Deployments write there
    #[command(subcommand)]
    Gitops(Lazy<commands::gitops::GitopsCommand>),
    /// Show what leads from one Deployment Set to another, as a Delta
    Diff(Lazy<commands::diff::DiffArgs>),
    /// Change a Delta, or apply manifests with -f
    Update(Lazy<commands::update::UpdateArgs>),
    /// Delete objects
    Delete(Lazy<commands::delete::DeleteArgs>),
    /// Send a request to the API and print the answer
    Api(Lazy<commands::api::ApiArgs>),
    /// Log in to a hosted Orchestrator, and keep its token
    Login(Lazy<commands::login::LoginArgs>),
    /// Forget the token that login has kept
    Logout(Lazy<commands::logout::LogoutArgs>),
    /// Show or change the configuration in ~/.humctl
    Config(Lazy<commands::config::ConfigArgs>),
    /// Check that humctl has what it needs, and say what to do about the rest
    Doctor(Lazy<commands::doctor::DoctorArgs>),
    /// Print a completion script for a shell
    Completion(Lazy<commands::completion::CompletionArgs>),
    /// Offer the embedded Orchestrator to others over HTTP
    Serve(Lazy<commands::serve::ServeArgs>),
    /// Show the version of humctl
    Version(Lazy<commands::version::VersionArgs>),
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

    #[test]
    fn the_list_of_commands_says_what_each_of_them_says() {
        let listed = super::Cli::command();
        let mut built = listed.clone();
        built.build();
        for command in listed.get_subcommands() {
            let own = built.find_subcommand(command.get_name()).and_then(clap::Command::get_about);
            assert_eq!(command.get_about().map(ToString::to_string), own.map(ToString::to_string));
        }
    }
}
