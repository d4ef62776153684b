//! Switches with their value written out, `--wait=true` and `--wait=false`, as
//! programs in Go take them (spec/cli.md §2).

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{ArgAction, Command};

/// The arguments with such switches in their plain form; `None` when there are none.
pub(crate) fn plain(mut command: Command, arguments: &[OsString]) -> Option<Vec<OsString>> {
    let (mut switches, mut others) = (BTreeSet::new(), BTreeSet::new());
    // Commands describe their flags only when they are built.
    command.build();
    collect(&command, &mut switches, &mut others);
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let mut plain = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let switch = argument.to_str().filter(|_| index < end).and_then(|text| text.split_once('='));
        let name = switch.and_then(|(flag, _)| flag.strip_prefix("--"));
        match (switch, name.filter(|name| switches.contains(*name) && !others.contains(*name))) {
            (Some((flag, "true")), Some(_)) => plain.push(flag.into()),
            (Some((_, "false")), Some(_)) => {}
            _ => plain.push(argument.clone()),
        }
    }
    (plain != arguments).then_some(plain)
}

/// The long names of a command and of those below it: switches, and flags with values.
fn collect(command: &Command, switches: &mut BTreeSet<String>, others: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        let names = match argument.get_action() {
            ArgAction::SetTrue => &mut *switches,
            _ => &mut *others,
        };
        let aliases = argument.get_all_aliases().unwrap_or_default();
        names.extend(argument.get_long().into_iter().chain(aliases).map(ToOwned::to_owned));
    }
    for below in command.get_subcommands() {
        collect(below, switches, others);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn values_of_switches_are_taken_away() {
        for (words, expected) in [
            ("score deploy --wait=true --dry-run=false", Some("score deploy --wait")),
            ("score validate --local=false s.yaml --strict=true", Some("score validate s.yaml --strict")),
            ("score deploy --wait=maybe", None),
            ("score deploy --wait", None),
            ("create app a --name=true", None),
            ("api get /x -- --wait=true", None),
        ] {
            let arguments: Vec<OsString> = words.split(' ').map(OsString::from).collect();
            let expected = expected.map(|words| words.split(' ').map(OsString::from).collect::<Vec<_>>());
            assert_eq!(plain(crate::Cli::command(), &arguments), expected, "{words}");
        }
    }
}
