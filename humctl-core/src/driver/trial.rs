//! Trying a Resource Definition out with made-up inputs, for
//! `resources test-definition` (spec/drivers.md §6.9, spec/cli.md §6.13.2).
//!
//! Nothing is matched, planned or stored. Secrets are what whoever tests gives
//! as such, and are shown in the result. Random functions draw from a seed
//! that depends on the Definition alone, so that a run can be compared with
//! the one before.

mod http;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use humctl_api_types::definition::CreateDefinition;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::hazards;
use super::http::collect_secrets;
use super::template::{self, SecretTemplates, TemplateInputs};
use crate::decode;
use crate::placeholder::{Expander, Failure, Part, Reference, Resolved, nothing_literal, parse, visit_strings};
use crate::secret::{SecretScanner, is_branch};
use crate::template::{Random, Value as TemplateValue};

pub use http::{http_resource, http_trial};

/// What a test puts in the place of the platform.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrialInputs {
    /// What the Driver left at its last run; null at the first.
    pub cookie: Value,
    /// Values of placeholders, by the text between `${` and `}`.
    pub placeholders: Option<Map<String, Value>>,
    /// Resource inputs.
    pub resource: Option<Map<String, Value>>,
    /// Values of secrets, in the shape of the Definition's secrets.
    pub secret_refs: Option<Map<String, Value>>,
}

impl std::fmt::Debug for TrialInputs {
    /// Shows no values: some are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TrialInputs(…)")
    }
}

/// What came of a test.
pub struct Trial {
    /// What the Driver makes; secrets included.
    pub result: Value,
    /// What the Operator might read differently; sentences without secrets.
    pub warnings: Vec<String>,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trial(…)")
    }
}

/// Why a Definition could not be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// Its Driver needs the outside world.
    #[error(
        "Definition `{definition}` is for the Driver `{driver_type}`, which does not run here\n  \
         hint: test-definition runs `humanitec/echo` and `humanitec/template`; an HTTP Driver runs with --driver-url URL"
    )]
    OtherDriver {
        /// The Definition.
        definition: String,
        /// Its Driver.
        driver_type: String,
    },
    /// The inputs file is not as it should be; one finding a line.
    #[error("{}", .0.join("\nError: "))]
    BadInputs(Vec<String>),
    /// A template does not work.
    #[error("{0}")]
    Failed(String),
}

/// The Drivers that can be tried.
#[derive(Clone, Copy)]
enum Tried {
    Echo,
    Template,
}

fn driver(definition: &CreateDefinition) -> Result<Tried, TrialError> {
    match definition.driver_type.as_str() {
        "humanitec/echo" | "humanitec/static" => Ok(Tried::Echo),
        template::DRIVER_TYPE => Ok(Tried::Template),
        other => Err(TrialError::OtherDriver { definition: definition.id.to_string(), driver_type: other.to_owned() }),
    }
}

/// The driver inputs of a Definition: values, and secrets of both spellings.
fn driver_inputs(definition: &CreateDefinition) -> (Map<String, Value>, Map<String, Value>) {
    let Some(inputs) = &definition.driver_inputs else { return (Map::new(), Map::new()) };
    let mut secrets = Map::new();
    for tree in [&inputs.secrets, &inputs.secret_refs].into_iter().flatten() {
        secrets.extend(tree.expose().clone());
    }
    (inputs.values.clone().unwrap_or_default(), secrets)
}

/// An inputs file for a Definition, to be filled in.
///
/// # Errors
/// [`TrialError::OtherDriver`], unless `is_any_driver`: an HTTP Driver gets
/// whatever there is.
pub fn skeleton(definition: &CreateDefinition, is_any_driver: bool) -> Result<String, TrialError> {
    if !is_any_driver {
        driver(definition)?;
    }
    let (values, secrets) = driver_inputs(definition);
    let mut names = BTreeSet::new();
    for tree in [Value::Object(values), Value::Object(secrets.clone())] {
        visit_strings(&tree, "", &mut |_, text| {
            // What is malformed is told when the Definition is run.
            let Ok(template) = parse(text) else { return };
            names.extend(template.parts.into_iter().filter_map(|part| match part {
                Part::Placeholder { text, .. } => Some(text),
                Part::Literal(_) => None,
            }));
        });
    }
    let lines: String = names.iter().map(|name| format!("  {}: \"\"\n", yaml_key(name))).collect();
    let placeholders =
        if lines.is_empty() { "placeholders: {}\n".to_owned() } else { format!("placeholders:\n{lines}") };
    let mut secret_lines = String::new();
    secret_skeleton(&secrets, 1, &mut secret_lines);
    let secret_refs =
        if secret_lines.is_empty() { "secretRefs: {}\n".to_owned() } else { format!("secretRefs:\n{secret_lines}") };
    Ok(format!("cookie: null\n{placeholders}resource: {{}}\n{secret_refs}"))
}

/// A line for each secret that lies in a store, and those around it.
fn secret_skeleton(tree: &Map<String, Value>, depth: usize, out: &mut String) {
    for (name, value) in tree {
        let Value::Object(inner) = value else { continue };
        let indent = "  ".repeat(depth);
        if inner.contains_key("store") {
            out.push_str(&format!("{indent}{}: \"\"\n", yaml_key(name)));
        } else if !inner.contains_key("value") {
            let mut lines = String::new();
            secret_skeleton(inner, depth + 1, &mut lines);
            if !lines.is_empty() {
                out.push_str(&format!("{indent}{}:\n{lines}", yaml_key(name)));
            }
        }
    }
}

/// A key, quoted when YAML would take it for something else.
fn yaml_key(key: &str) -> String {
    let expected = json!({ key: "" });
    match crate::yaml::parse_documents(&format!("{key}: \"\"")) {
        Ok(documents) if documents == [expected] => key.to_owned(),
        _ => format!("'{}'", key.replace('\'', "''")),
    }
}

/// Runs the Driver of a Definition, and gives what it makes: for `template`
/// the keys `cookie`, `init`, `manifests`, `outputs`, `secrets`, for `echo`
/// `secrets` and `values`.
///
/// # Errors
/// [`TrialError`].
pub fn run(definition: &CreateDefinition, inputs: &TrialInputs) -> Result<Trial, TrialError> {
    let driver = driver(definition)?;
    let expanded = Expanded::new(definition, inputs)?;
    match driver {
        Tried::Echo => {
            let result = json!({"secrets": expanded.secrets, "values": expanded.values});
            Ok(Trial { result, warnings: Vec::new() })
        }
        Tried::Template => run_template(definition, inputs, &expanded),
    }
}

/// The driver inputs of a Definition with the values of the inputs file.
struct Expanded {
    values: Map<String, Value>,
    secrets: Map<String, Value>,
    known: Known,
}

impl Expanded {
    fn new(definition: &CreateDefinition, inputs: &TrialInputs) -> Result<Self, TrialError> {
        let (values, secret_tree) = driver_inputs(definition);
        let mut known = Known::new(inputs.placeholders.as_ref())?;
        let values = known.expand(&values, "driver_inputs.values");
        let given = inputs.secret_refs.clone().unwrap_or_default();
        let secrets = known.secrets(&secret_tree, &given, "secretRefs");
        known.findings.sort();
        known.findings.dedup();
        if known.findings.is_empty() {
            Ok(Self { values, secrets, known })
        } else {
            Err(TrialError::BadInputs(known.findings))
        }
    }
}

/// The seed of a Definition's random values.
fn seed(definition: &CreateDefinition) -> [u8; 32] {
    crate::hash::sha256(format!("test-definition\0{}", definition.id).as_bytes())
}

/// The id of the resource: the one in the inputs file, or one made up.
fn guresid(definition: &CreateDefinition, known: &Known) -> String {
    match known.find(&Reference::Context("res.guresid".to_owned())) {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        _ => crate::hash::hex(&seed(definition)[..20]),
    }
}

fn run_template(definition: &CreateDefinition, inputs: &TrialInputs, expanded: &Expanded) -> Result<Trial, TrialError> {
    let Expanded { values, secrets, known } = expanded;
    let guresid = guresid(definition, known);
    let mut texts = Vec::new();
    collect_secrets(&Value::Object(secrets.clone()), &mut texts);
    let pasted = pasted(definition, known);
    let mut random = Random::seeded(seed(definition));
    let old_templates = secrets.get("templates").and_then(|templates| templates.get("outputs"));
    let rendered = template::render(TemplateInputs {
        templates: values.get("templates"),
        values: TemplateValue::from_json(&Value::Object(values.clone())),
        secrets: TemplateValue::from_json(&Value::Object(secrets.clone())),
        secret_templates: old_templates.map(SecretTemplates::Known),
        resource: TemplateValue::from_json(&Value::Object(inputs.resource.clone().unwrap_or_default())),
        guresid: &guresid,
        cookie: TemplateValue::from_json(&inputs.cookie),
        scanner: SecretScanner::new(&texts),
        random: Some(&mut random),
        markers: None,
    })
    .map_err(|error| failed(&[error.to_string()], &pasted))?;
    let parts = [
        ("cookie", rendered.cookie),
        ("init", rendered.init),
        ("manifests", rendered.manifests.map(Value::Object)),
        ("outputs", rendered.outputs.map(Value::Object)),
        ("secrets", rendered.secrets.map(Value::Object)),
    ];
    let mut result = Map::new();
    let mut failures: Vec<String> = Vec::new();
    for (name, part) in parts {
        match part {
            Ok(value) => drop(result.insert(name.to_owned(), value)),
            Err(error) => failures.push(error.to_string()),
        }
    }
    if !failures.is_empty() {
        return Err(failed(&failures, &pasted));
    }
    let mut texts_in: BTreeSet<String> = random.drawn().iter().cloned().collect();
    collect_secrets(&inputs.cookie, &mut texts);
    texts_in.extend(texts.iter().map(|text| text.expose().to_owned()));
    let mut warnings = pasted;
    warnings.extend(hazards::bare_booleans(&rendered.texts));
    warnings.extend(hazards::lost_texts(&rendered.texts, &texts_in));
    Ok(Trial { result: Value::Object(result), warnings })
}

/// Failures of templates; template text that came with a placeholder may be why.
fn failed(failures: &[String], pasted: &[String]) -> TrialError {
    let causes: String = pasted.iter().map(|warning| format!("\n  caused by: {warning}")).collect();
    TrialError::Failed(failures.join("\nError: ") + &causes)
}

/// Warnings of placeholders in templates, of the values and of the secrets.
fn pasted(definition: &CreateDefinition, known: &Known) -> Vec<String> {
    let (values, secrets) = driver_inputs(definition);
    let value_of = |tokens: &[String]| known.find(&Reference::from_tokens(tokens).ok()?).cloned();
    [(values, "driver_inputs.values.templates"), (secrets, "secretRefs.templates")]
        .iter()
        .filter_map(|(tree, place)| Some(hazards::pasted_templates(tree.get("templates")?, place, &value_of)))
        .flatten()
        .collect()
}

/// The placeholders that have a value, and what was found to be wrong.
struct Known {
    values: Vec<(Reference, Value)>,
    findings: Vec<String>,
}

impl Known {
    fn new(placeholders: Option<&Map<String, Value>>) -> Result<Self, TrialError> {
        let mut known = Self { values: Vec::new(), findings: Vec::new() };
        for (name, value) in placeholders.into_iter().flatten() {
            let reference = parse(&format!("${{{name}}}"))
                .map_err(|error| error.to_string())
                .and_then(|template| Reference::from_tokens(template.single().unwrap_or_default()));
            match reference {
                Ok(reference) => known.values.push((reference, value.clone())),
                Err(reason) => known.findings.push(format!("placeholders: `{name}` is no placeholder: {reason}")),
            }
        }
        if known.findings.is_empty() { Ok(known) } else { Err(TrialError::BadInputs(known.findings)) }
    }

    fn find(&self, reference: &Reference) -> Option<&Value> {
        self.values.iter().find(|(known, _)| known == reference).map(|(_, value)| value)
    }

    /// Replaces the placeholders of a mapping.
    fn expand(&mut self, tree: &Map<String, Value>, place: &str) -> Map<String, Value> {
        match self.expand_value(&Value::Object(tree.clone()), place) {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    fn expand_value(&mut self, value: &Value, place: &str) -> Value {
        let mut findings = Vec::new();
        let resolved = Expander {
            is_literal: nothing_literal,
            resolve: &mut |reference| self.find(reference).cloned().map(Resolved::Known).ok_or(()),
            failed: &mut |error| {
                let at = format!("{place}{}", error.pointer.replace('/', "."));
                findings.push(match error.reason {
                    Failure::Refused(()) => format!(
                        "{at}: placeholder `${{{name}}}` has no value\n  hint: add `{key}:` under `placeholders` of the inputs file",
                        name = error.placeholder,
                        key = yaml_key(&error.placeholder),
                    ),
                    Failure::Malformed(reason) => format!("{at}: placeholder `${{{}}}`: {reason}", error.placeholder),
                });
            },
        }
        .expand(value, "");
        self.findings.append(&mut findings);
        let (Resolved::Known(value) | Resolved::Deferred(value)) = resolved;
        value
    }

    /// The secrets that a Driver gets: those that are given, and for the
    /// others what the Definition says.
    fn secrets(&mut self, tree: &Map<String, Value>, given: &Map<String, Value>, place: &str) -> Map<String, Value> {
        let mut secrets = given.clone();
        for (name, value) in tree {
            let place = format!("{place}.{name}");
            let known = match (value, given.get(name)) {
                (Value::Object(inner), Some(Value::Object(given))) if is_branch(inner) => {
                    Value::Object(self.secrets(inner, given, &place))
                }
                (_, Some(_)) => continue,
                (Value::Object(inner), None) if is_branch(inner) => {
                    Value::Object(self.secrets(inner, &Map::new(), &place))
                }
                (Value::Object(inner), None) => match inner.get("value") {
                    Some(value) => self.expand_value(value, &place),
                    None => {
                        self.findings
                            .push(format!("{place}: the secret has no value\n  hint: add it to the inputs file"));
                        continue;
                    }
                },
                (other, None) => self.expand_value(other, &place),
            };
            secrets.insert(name.clone(), known);
        }
        secrets
    }
}

/// Reads an inputs file.
///
/// # Errors
/// [`TrialError::BadInputs`] with every unknown key, and with what is no mapping.
pub fn read_inputs(text: &str) -> Result<TrialInputs, TrialError> {
    let bad = |reason: String| TrialError::BadInputs(vec![reason]);
    let documents = crate::yaml::parse_documents(text).map_err(|error| bad(error.to_string()))?;
    let document = match documents.len() {
        0 => return Ok(TrialInputs::default()),
        1 => &documents[0],
        n_documents => return Err(bad(format!("it has {n_documents} documents, and one is expected"))),
    };
    let Value::Object(object) = document else { return Err(bad("an inputs file is a mapping".to_owned())) };
    let known = ["cookie", "placeholders", "resource", "secretRefs"];
    let unknown: Vec<String> = object
        .keys()
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| {
            let hint = decode::nearest(key, known);
            let hint = hint
                .map_or_else(|| format!("known are {}", known.join(", ")), |name| format!("did you mean `{name}`?"));
            format!("unknown key `{key}`\n  hint: {hint}")
        })
        .collect();
    if !unknown.is_empty() {
        return Err(TrialError::BadInputs(unknown));
    }
    // The reader's own message could show a secret.
    let wrong =
        known[1..].iter().find(|key| object.get(**key).is_some_and(|value| !value.is_object() && !value.is_null()));
    if let Some(key) = wrong {
        return Err(bad(format!("`{key}` is no mapping")));
    }
    serde_json::from_value(document.clone()).map_err(|_| bad("it is not as it should be".to_owned()))
}
