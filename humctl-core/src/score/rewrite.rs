//! Score placeholders → platform placeholders (spec/score.md §3.4).
//!
//! In Score `$$` is a dollar sign, so `$${x}` comes out as a live platform
//! placeholder `${x}`. Everything that is no placeholder stays as it is.

use serde_json::{Map, Value};

use crate::score::merge::split_path;

/// A placeholder found in Score text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The text between the braces.
    pub text: String,
    /// Its parts; `\.` is a dot inside a part.
    pub parts: Vec<String>,
}

enum Piece<'t> {
    Text(&'t str),
    /// `$$`.
    Dollar,
    /// What stands between `${` and `}`.
    Placeholder(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut searched = 0;
    // Where nothing closes, nothing is looked for again.
    let closed = text.rfind('}').map_or("", |end| &text[end..]).len();
    while let Some(offset) = rest[searched..].find('$').map(|offset| searched + offset) {
        let after = &rest[offset + 1..];
        if let Some(after) = after.strip_prefix('$') {
            pieces.push(Piece::Text(&rest[..offset]));
            pieces.push(Piece::Dollar);
            rest = after;
            searched = 0;
        } else if let Some(end) = after
            .strip_prefix('{')
            .filter(|inner| inner.len() >= closed && closed > 0)
            .and_then(|inner| inner.find('}'))
        {
            pieces.push(Piece::Text(&rest[..offset]));
            pieces.push(Piece::Placeholder(&after[1..=end]));
            rest = &after[end + 2..];
            searched = 0;
        } else {
            searched = offset + 1;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The placeholders of a Score text, escapes left out.
#[must_use]
pub fn placeholders(text: &str) -> Vec<Placeholder> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Placeholder(inner) => Some(Placeholder { text: inner.to_owned(), parts: split_path(inner) }),
            Piece::Text(_) | Piece::Dollar => None,
        })
        .collect()
}

/// True for a text with a `${` that nothing closes.
#[must_use]
pub fn is_unclosed(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains("${")))
}

/// What each name of a Score file becomes in the Deployment Set.
#[derive(Debug, Default)]
pub struct Names {
    /// `metadata` of the file.
    pub metadata: Map<String, Value>,
    /// Resource name → what stands for it and how its outputs are reached.
    pub resources: std::collections::BTreeMap<String, ResourceName>,
}

/// A resource's name in the Deployment Set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceName {
    /// What `${resources.R}` alone becomes, without braces: `externals.db`.
    pub bare: String,
    /// What `${resources.R.out}` starts with: `externals.db`, `modules.w.service`.
    pub prefix: String,
}

impl Names {
    /// Rewrites the placeholders of a text.
    #[must_use]
    pub fn rewrite(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Dollar => out.push('$'),
                Piece::Placeholder(inner) => match self.meaning(&split_path(inner)) {
                    Some(meaning) => out.push_str(&meaning),
                    // Not ours: the platform's own language passes through.
                    None => {
                        out.push_str("${");
                        out.push_str(inner);
                        out.push('}');
                    }
                },
            }
        }
        out
    }

    fn meaning(&self, parts: &[String]) -> Option<String> {
        match parts {
            [root, path @ ..] if root == "metadata" && !path.is_empty() => {
                let (first, rest) = path.split_first()?;
                let value = rest.iter().try_fold(self.metadata.get(first)?, |value, key| value.get(key))?;
                Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
            }
            [root, name] if root == "resources" => Some(self.resources.get(name)?.bare.clone()),
            [root, name, out @ ..] if root == "resources" => {
                let prefix = &self.resources.get(name)?.prefix;
                // A key with a dot needs brackets in the platform's language.
                let out: String = out
                    .iter()
                    .map(|part| if part.contains('.') { format!("['{part}']") } else { format!(".{part}") })
                    .collect();
                Some(format!("${{{prefix}{out}}}"))
            }
            _ => None,
        }
    }

    /// Rewrites every string and key of a value.
    #[must_use]
    pub fn rewrite_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.rewrite(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.rewrite_value(item)).collect()),
            Value::Object(object) => Value::Object(self.rewrite_object(object)),
            other => other.clone(),
        }
    }

    /// Rewrites every string and key of an object.
    #[must_use]
    pub fn rewrite_object(&self, object: &Map<String, Value>) -> Map<String, Value> {
        object.iter().map(|(key, item)| (self.rewrite(key), self.rewrite_value(item))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn many_that_nothing_closes_are_passed_over_at_once() {
        // Looking for the end of each anew would take hours.
        let text = "${".repeat(1_000_000);
        assert!(is_unclosed(&text) && placeholders(&text).is_empty());
        let text = format!("${{a.b}}{text}");
        assert_eq!(placeholders(&text).len(), 1);
    }

    #[test]
    fn placeholders_are_rewritten_as_the_table_says() {
        // spec/score.md §3.4, with our choices.
        let metadata = json!({"name": "demo", "n": 5, "other": {"k": "v"}, "annotations": {"team.io/owner": "core"}});
        let name = |bare: &str, prefix: &str| ResourceName { bare: bare.to_owned(), prefix: prefix.to_owned() };
        let names = Names {
            metadata: metadata.as_object().unwrap().clone(),
            resources: [
                ("db".to_owned(), name("externals.db", "externals.db")),
                ("env".to_owned(), name("values", "values")),
                ("backend".to_owned(), name("modules.backend", "modules.backend.service")),
            ]
            .into(),
        };
        for (input, expected) in [
            ("${metadata.name}", "demo"),
            ("${metadata.n}", "5"),
            ("${metadata.other}", "{\"k\":\"v\"}"),
            ("${metadata.other.k}", "v"),
            ("${metadata.annotations.team\\.io/owner}", "core"),
            ("${resources.db}", "externals.db"),
            ("${resources.db.a.b.c}", "${externals.db.a.b.c}"),
            ("${resources.env.LEVEL}", "${values.LEVEL}"),
            ("${resources.env.A\\.B}", "${values['A.B']}"),
            ("${resources.backend.name}", "${modules.backend.service.name}"),
            ("${pod.debug.level}", "${pod.debug.level}"),
            ("$${resources.db.host}", "${resources.db.host}"),
            ("$$${resources.db.host}", "$${externals.db.host}"),
            ("$$", "$"),
            ("x $$ $${y}", "x $ ${y}"),
            ("cost $5 $(HOME) $", "cost $5 $(HOME) $"),
            ("h\u{e9} ${resources.db.host} \u{1f510}", "h\u{e9} ${externals.db.host} \u{1f510}"),
        ] {
            assert_eq!(names.rewrite(input), expected, "{input}");
        }
    }
}
