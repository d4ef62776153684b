//! Runs test vectors that were made with Go's `text/template` and Sprig: one
//! JSON object a line, with `name`, `template`, `data`, perhaps `missingkey`,
//! and `output` or `error`.

use serde::Deserialize;

use super::{MissingKey, Options, Random, Template, Value};

/// Vectors where this engine differs from Go on purpose, with the reason.
const DEVIATIONS: &[(&str, &str)] = &[
    // Integers and floats compare by value (spec/drivers.md §7.4).
    ("if-017", NUMBERS),
    ("cmp-004", NUMBERS),
    ("cmp-012", NUMBERS),
    ("cmp-020", NUMBERS),
    ("cmp-028", NUMBERS),
    ("cmp-044", NUMBERS),
    ("cmp-060", NUMBERS),
    ("cmp-068", NUMBERS),
    ("cmp-084", NUMBERS),
    ("cmp-092", NUMBERS),
    // Functions that are kept out (spec/drivers.md §7.5).
    ("uuid-005", "`env` reads the machine that renders"),
    ("uuid-008", "dates depend on the time zone of the machine that renders"),
    ("uuid-009", "dates depend on the time zone of the machine that renders"),
];

const NUMBERS: &str = "integers and floats compare by value";

/// What came of a file of vectors.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many passed, those that differ on purpose among them.
    pub n_passed: usize,
    /// One line for each that failed.
    pub failures: Vec<String>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    template: String,
    data: serde_json::Value,
    #[serde(default)]
    missingkey: Option<String>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Runs every vector. One that differs on purpose passes only while it differs.
///
/// # Errors
/// The number of a line that is no vector, and why.
pub fn run(text: &str) -> Result<Report, String> {
    let mut report = Report::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let vector: Vector = serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        let found = render(&vector);
        let agrees = match (&found, &vector.output) {
            (Ok(found), Some(expected)) => found == expected,
            (Err(_), None) => true,
            _ => false,
        };
        let deviation = DEVIATIONS.iter().find(|(name, _)| *name == vector.name);
        let verdict = match (agrees, deviation) {
            (true, None) | (false, Some(_)) => None,
            (true, Some((_, reason))) => Some(format!("it agrees, and is listed to differ: {reason}")),
            (false, None) => Some(format!("found {}, expected {}", shown(&found), expected(&vector))),
        };
        match verdict {
            None => report.n_passed += 1,
            Some(verdict) => report.failures.push(format!("{}: {:?}: {verdict}", vector.name, vector.template)),
        }
    }
    Ok(report)
}

fn render(vector: &Vector) -> Result<String, String> {
    let missing_key = match vector.missingkey.as_deref() {
        Some("zero") => MissingKey::Zero,
        Some("error") => MissingKey::Error,
        _ => MissingKey::Default,
    };
    let mut random = Random::seeded([0; 32]);
    let options = Options { missing_key, random: Some(&mut random), shows_hidden: false };
    let template = Template::parse(&vector.template).map_err(|error| error.to_string())?;
    template.render(&Value::from_json(&vector.data), options).map_err(|error| error.to_string())
}

fn shown(found: &Result<String, String>) -> String {
    match found {
        Ok(text) => format!("{text:?}"),
        Err(error) => format!("error {error}"),
    }
}

fn expected(vector: &Vector) -> String {
    match (&vector.output, &vector.error) {
        (Some(text), _) => format!("{text:?}"),
        (None, Some(error)) => format!("error {error}"),
        (None, None) => "an error".to_owned(),
    }
}
