//! `humctl completion SHELL`

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::completion;
use crate::context::Context;
use crate::error::CliError;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = r#"Examples:
  humctl completion bash > /etc/bash_completion.d/humctl
  humctl completion zsh > "${fpath[1]}/_humctl"
  humctl completion fish > ~/.config/fish/completions/humctl.fish

See also: humctl doctor"#)]
pub(crate) struct CompletionArgs {
    /// Shell that the script is for
    #[arg(value_name = "SHELL")]
    shell: Shell,
    /// Complete ids too: the script asks humctl while you type
    #[arg(long)]
    dynamic: bool,
}

pub(crate) fn run(context: &Context, args: &CompletionArgs) -> Result<(), CliError> {
    let script = if args.dynamic {
        completion::script(args.shell)?
    } else {
        let mut script = Vec::new();
        generate(args.shell, &mut Cli::command(), "humctl", &mut script);
        script
    };
    context.output.text(&String::from_utf8_lossy(&script))
}
