//! The `humctl` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Git starts us to ask for a password; that comes before anything else.
    if let Some(code) = humctl_cli::answer_askpass() {
        return code;
    }
    humctl_cli::run(std::env::args_os())
}
