//! What must hold for any text at all, one function a reader.
//!
//! `cargo fuzz` looks for texts that break one of them (`cargo xtask fuzz`);
//! `cargo test` holds every text under `seeds/` to them: good examples, and
//! everything that was ever found. Each function panics when a law is broken.

#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, clippy::expect_used, reason = "to panic is how a law reports")]

use humctl_core::placeholder::{self, Part, Reference};
use humctl_core::score::{self, Level, convert};
use humctl_core::template::{MAX_BYTES, Options, Random, Template, Value as TemplateValue};
use humctl_core::{manifest, yaml};
use serde_json::{Value, json};

/// A Score file: a refusal says what is wrong, and where when that is known; what is read converts to the
/// same Deployment Set each time, and survives the way through JSON.
pub fn score(text: &str) {
    let document = match score::read::read(text) {
        Ok(document) => document,
        Err(error) => return assert!(!error.message.is_empty()),
    };
    let request = json!({ "spec": document.value });
    let request = serde_json::from_value(request).expect("a mapping is a request");
    let converted = convert::convert(&request);
    assert_eq!(converted, convert::convert(&request), "conversion is a function");
    match converted {
        Ok(set) => {
            let written = serde_json::to_string(&set).expect("a set is JSON");
            assert_eq!(set, serde_json::from_str(&written).expect("a set reads back"));
        }
        Err(findings) => {
            assert!(findings.iter().any(|finding| finding.level == Level::Error));
            let positions = document.positions();
            for finding in findings {
                assert!(!finding.message.is_empty());
                assert!(positions.find(&finding.pointer).is_some(), "no place for {finding:?}");
            }
        }
    }
}

/// A text with placeholders: its parts are whole, nothing that is protected is taken for one, and Score's
/// rewriting ends.
pub fn placeholder(text: &str) {
    if let Ok(template) = placeholder::parse(text) {
        let mut after_literal = false;
        for part in &template.parts {
            match part {
                Part::Literal(literal) => {
                    assert!(!literal.is_empty() && !after_literal, "literals are joined");
                    after_literal = true;
                }
                Part::Placeholder { tokens, .. } => {
                    assert!(!tokens.is_empty() && tokens.iter().all(|token| !token.is_empty()));
                    after_literal = false;
                    drop(Reference::from_tokens(tokens));
                }
            }
        }
        assert!(template.literal().is_none() || template.single().is_none());
    }
    if !text.contains("$\\{") {
        let protected = placeholder::parse(&placeholder::protect(text)).expect("protected text is literal");
        assert_eq!(protected.literal(), Some(text));
    }
    let names = score::rewrite::Names::default();
    assert_eq!(names.rewrite(text), names.rewrite(text));
}

/// A template: it ends within its limits, and what comes of it follows from template, data and seed, and from
/// nothing that is hidden.
pub fn template(text: &str) {
    let Ok(template) = Template::parse(text) else { return };
    let render = |hidden: &str| {
        let mut random = Random::seeded([7; 32]);
        template.render(&data(hidden), Options { random: Some(&mut random), ..Options::default() })
    };
    let rendered = render("canary-5b1f");
    assert_eq!(rendered, render("another-7c02d"));
    assert!(rendered.map_or(0, |text| text.len()) <= MAX_BYTES);
}

/// What templates are rendered with: values of every kind, and one that is hidden.
fn data(hidden: &str) -> TemplateValue {
    let known = json!({
        "id": "0a1b", "text": "modules.web.externals.db", "empty": "", "n": 3, "big": 10_000_000, "f": 2.5,
        "yes": true, "nil": null, "list": ["a", "b", "b"], "none": [],
        "map": {"b": 2, "a": "x<y&z", "deep": {"er": 1}},
    });
    let known = known.as_object().cloned().unwrap_or_default();
    let mut entries: Vec<(&str, TemplateValue)> =
        known.iter().map(|(key, value)| (key.as_str(), TemplateValue::from_json(value))).collect();
    entries.push(("secret", TemplateValue::Hidden(hidden.into())));
    entries.push(("driver", TemplateValue::map([("secret", TemplateValue::Hidden(hidden.into()))])));
    TemplateValue::map(entries)
}

/// A file of manifests: every problem names the file and says something; what is read can be written, and
/// reads back the same.
pub fn manifest(text: &str) {
    match manifest::read("file", text) {
        Ok(objects) => assert!(objects.iter().all(|object| !object.id().is_empty())),
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| problem.starts_with("file:") && problem.len() > "file:".len()));
        }
    }
    for document in yaml::parse_documents(text).unwrap_or_default() {
        let written = yaml::to_string(&document).expect("what was read can be written");
        let again = yaml::parse_documents(&written).expect("what was written can be read");
        let again = again.into_iter().next().unwrap_or(Value::Null);
        assert_eq!(document, again, "written as\n{written}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Holds every seed of a target to its laws, and returns how many there are.
    fn seeds(target: &str, law: fn(&str)) -> usize {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        files
            .map(|file| {
                let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                law(&text);
            })
            .count()
    }

    #[test]
    fn every_seed_keeps_the_laws() {
        assert!(seeds("score", super::score) >= 4);
        assert!(seeds("placeholder", super::placeholder) >= 4);
        assert!(seeds("template", super::template) >= 4);
        assert!(seeds("manifest", super::manifest) >= 4);
    }
}
