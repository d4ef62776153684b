//! Colours, for people at a terminal that wants them.
//!
//! Text is cleaned of control characters first and painted after, so that
//! nothing foreign can speak to the terminal. Whether a terminal wants colours
//! (`NO_COLOR`, `TERM`) is anstream's to know.

use std::io::{IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};

pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
pub(crate) const TITLE: Style = Style::new().bold();

/// Paints the head of a line, in the style that its words call for.
pub(crate) type Painter = fn(line: &str) -> Option<(&str, Style)>;

/// Text with the heads of its lines painted. A painter names a part that the line starts with.
pub(crate) fn paint(text: &str, painter: Painter) -> String {
    let line = |line: &str| match painter(line) {
        Some((head, style)) if line.starts_with(head) => {
            format!("{style}{head}{style:#}{}", &line[head.len()..])
        }
        _ => line.to_owned(),
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// True when stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes painted text to stdout.
pub(crate) fn to_stdout(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes to stderr, painted when that is a terminal.
pub(crate) fn to_stderr(text: &str, painter: Painter) -> std::io::Result<()> {
    if std::io::stderr().is_terminal() {
        anstream::stderr().lock().write_all(paint(text, painter).as_bytes())
    } else {
        std::io::stderr().lock().write_all(text.as_bytes())
    }
}

/// How errors and hints are painted.
pub(crate) fn trouble(line: &str) -> Option<(&str, Style)> {
    [("Error:", BAD), ("Warning:", DOUBTFUL), ("  hint:", HINT)].into_iter().find(|(head, _)| line.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_lines_are_painted() {
        let painted = paint("Error: a\n  hint: b\nc", trouble);
        assert_eq!(painted, "\u{1b}[1m\u{1b}[31mError:\u{1b}[0m a\n\u{1b}[36m  hint:\u{1b}[0m b\nc");
    }
}
