//! Writes a man page for every command into a directory: `cargo xtask man`.
//!
//! The pages say what `--help` says. An example, so that neither humctl nor
//! xtask has to carry what makes them; the same bytes come out at each run.

use std::path::Path;
use std::{fs, io};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

fn main() -> io::Result<()> {
    let directory = std::env::args().nth(1).ok_or_else(|| io::Error::other("name a directory"))?;
    write(Path::new(&directory))
}

/// Writes all pages; those of commands that are no more are removed.
fn write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("humctl") && name.ends_with(".1") {
            fs::remove_file(&path)?;
        }
    }
    for (name, page) in pages()? {
        fs::write(directory.join(name), page)?;
    }
    Ok(())
}

/// File name and text of each page.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    fn walk(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
        pages.push(page(command)?);
        command.get_subcommands().try_for_each(|command| walk(command, pages))
    }
    // `humctl help COMMAND` is what the pages are.
    let mut root = humctl_cli::Cli::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    walk(&root, &mut pages)?;
    Ok(pages)
}

fn page(command: &Command) -> io::Result<(String, Vec<u8>)> {
    let usage = command.clone().render_usage().to_string();
    let help = command.get_after_long_help().or_else(|| command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let (notes, rest) = help.split_once("Examples:\n").unwrap_or((help.as_str(), ""));
    let (examples, related) = rest.split_once("See also: ").unwrap_or((rest, ""));

    let has_commands = command.has_subcommands();
    // What only the short help leaves out belongs here.
    let command = command
        .clone()
        .mut_args(|flag| flag.hide_short_help(false))
        .override_usage(usage.trim_start_matches("Usage:").trim().to_owned());
    let man = Man::new(command).source(concat!("humctl ", env!("CARGO_PKG_VERSION"))).manual("The humctl command line");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    if has_commands {
        man.render_subcommands_section(&mut text)?;
    }
    man.render_options_section(&mut text)?;
    let mut roff = Roff::new();
    as_it_is(&mut roff, "NOTES", notes);
    as_it_is(&mut roff, "EXAMPLES", examples);
    see_also(&mut roff, related);
    roff.to_writer(&mut text)?;
    Ok((man.get_filename(), text))
}

/// A section whose lines are broken where they are.
fn as_it_is(roff: &mut Roff, heading: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    roff.control("SH", [heading]).control("EX", []);
    for line in text.trim_end().lines() {
        roff.text([roman(line)]);
    }
    roff.control("EE", []);
}

fn see_also(roff: &mut Roff, related: &str) {
    let names: Vec<&str> =
        related.trim().split(", ").filter(|name| !name.is_empty() && *name != "humctl help").collect();
    if names.is_empty() {
        return;
    }
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (place, name) in names.iter().enumerate() {
        line.extend([bold(name.replace(' ', "-")), roman(if place + 1 < names.len() { "(1), " } else { "(1)" })]);
    }
    roff.text(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_its_sections() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["humctl.1", "humctl-get.1", "humctl-score.1", "humctl-score-deploy.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.iter().any(|name| name.ends_with("-help.1")), "{names:?}");
        for (name, page) in &pages {
            let page = String::from_utf8(page.clone()).unwrap();
            for heading in
                ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"GLOBAL FLAGS\"", "EXAMPLES", "\"SEE ALSO\""]
            {
                assert!(page.contains(&format!("\n.SH {heading}\n")), "{name}: {heading}:\n{page}");
            }
            assert!(page.contains("Configuration file instead of"), "{name}");
            let related = page.split("SEE ALSO\"\n").nth(1).unwrap();
            let related = related.replace("\\fB", "").replace("\\fR", "").replace('\\', "");
            for other in related.trim().split(", ") {
                assert!(names.contains(&other.replace("(1)", ".1").as_str()), "{name}: {other}");
            }
        }
    }

    #[test]
    fn pages_are_the_same_at_each_run() {
        assert_eq!(pages().unwrap(), pages().unwrap());
    }

    #[test]
    fn pages_of_commands_that_are_no_more_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["humctl-gone.1", "other.1"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        write(directory.path()).unwrap();
        let is_there = |name: &str| directory.path().join(name).exists();
        assert!(is_there("humctl.1") && is_there("other.1") && !is_there("humctl-gone.1"));
    }
}
