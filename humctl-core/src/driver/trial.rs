//! Trying a Resource Definition out with made-up inputs, for
//! `resources test-definition` (spec/drivers.md §6.9, spec/cli.md §6.13.2).
//!
//! Nothing is matched, planned or stored. Secrets are what whoever tests gives
//! as such, and are shown in the result. Random functions draw from a seed
//! that depends on the Definition alone, so that a run can be compared with
//! the one before.

mod http;

use std::collections::BTreeSet;

use humctl_api_types::definition::CreateDefinition;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::hazards;
use super::http::collect_secrets;
use super::template::{self, SecretTemplates, TemplateInputs};
use crate::decode;
use crate::placeholder::{Expander, Failure, Part, Reference, Resolved, nothing_literal, parse, visit_strings};
use crate::secret::SecretScanner;
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
        values,
        secrets: TemplateValue::from_json(&Value::Object(secrets.clone())),
        secret_templates: old_templates.map(SecretTemplates::Known),
        resource: TemplateValue::from_json(&Value::Object(inputs.resource.clone().unwrap_or_default())),
        guresid: &guresid,
        cookie: &inputs.cookie,
        scanner: SecretScanner::new(&texts),
        random: Some(&mut random),
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

/// True for a mapping of secrets, false for one that is a reference to a secret.
fn is_branch(object: &Map<String, Value>) -> bool {
    !object.contains_key("store") && !object.contains_key("value")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(driver_type: &str, driver_inputs: &Value) -> CreateDefinition {
        serde_json::from_value(json!({
            "id": "def", "name": "def", "type": "redis", "driver_type": driver_type, "driver_inputs": driver_inputs,
        }))
        .unwrap()
    }

    #[test]
    fn a_skeleton_has_a_line_for_each_placeholder_and_secret() {
        let inputs = json!({
            "values": {
                "id": "${context.res.id}",
                "text": "a ${resources['config#app'].outputs.region} b ${context.res.id} $\\{not.this}",
                "templates": {"outputs": "x: ${resources.dns<route.outputs.path}\ny: ${[\"shared\"].x}"},
            },
            "secret_refs": {
                "password": {"store": "vault", "ref": "p"},
                "nested": {"user": {"store": "vault", "ref": "u"}},
                "token": {"value": "${resources.other.outputs.token}"},
            },
        });
        insta::assert_snapshot!(skeleton(&definition("humanitec/template", &inputs), false).unwrap(), @r#"
        cookie: null
        placeholders:
          '["shared"].x': ""
          context.res.id: ""
          resources.dns<route.outputs.path: ""
          resources.other.outputs.token: ""
          resources['config#app'].outputs.region: ""
        resource: {}
        secretRefs:
          nested:
            user: ""
          password: ""
        "#);
        let plain = skeleton(&definition("acme/any", &json!({"values": {"a": 1}})), true).unwrap();
        assert_eq!(plain, "cookie: null\nplaceholders: {}\nresource: {}\nsecretRefs: {}\n");
    }

    fn run_with(definition: &CreateDefinition, inputs: &str) -> Result<Value, String> {
        read_inputs(inputs)
            .and_then(|inputs| run(definition, &inputs))
            .map(|trial| trial.result)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_echo_definition_gives_back_its_inputs() {
        let inputs = json!({
            "values": {"region": "${resources['config#app'].outputs.region}", "list": ["${context.app.id}-x"], "n": 1},
            "secrets": {"key": "k-${context.app.id}", "literal": "l"},
        });
        let text = "placeholders:\n  context.app.id: shop\n  resources[\"config#app\"].outputs.region: {a: 1}\n";
        assert_eq!(
            run_with(&definition("humanitec/echo", &inputs), text),
            Ok(json!({
                "values": {"region": {"a": 1}, "list": ["shop-x"], "n": 1},
                "secrets": {"key": "k-shop", "literal": "l"},
            }))
        );
    }

    #[test]
    fn a_template_definition_gives_what_its_templates_make() {
        let inputs = json!({
            "values": {"resId": "${context.res.id}", "templates": {
                "init": "{{- if .cookie }}\npw: {{ .cookie.pw | toRawJson }}\n{{- else }}\npw: {{ randAlphaNum 16 | quote }}\n{{- end }}\nname: cache-{{ index (splitList \".\" .driver.values.resId) 1 }}",
                "manifests": {"svc": {"location": "namespace", "data": "kind: Service\nname: {{ .init.name }}"}},
                "outputs": "host: {{ .init.name }}\nport: {{ .resource.port | default 6379 }}\nid: {{ .id }}",
                "secrets": "password: {{ .init.pw }}\ntoken: {{ .driver.secrets.token }}\nurl: redis://{{ .outputs.values.host }}",
                "cookie": "pw: {{ .init.pw | toRawJson }}",
            }},
            "secret_refs": {"token": {"store": "vault", "ref": "t"}},
        });
        let definition = definition("humanitec/template", &inputs);
        let text =
            "placeholders: {context.res.id: modules.web.externals.db}\nresource: {port: 1}\nsecretRefs: {token: t1}\n";
        let first = run_with(&definition, text).unwrap();
        assert_eq!(run_with(&definition, text).unwrap(), first);
        assert_eq!(first["outputs"], json!({"host": "cache-web", "port": 1, "id": first["outputs"]["id"]}));
        assert_eq!(first["manifests"]["svc"]["data"], json!({"kind": "Service", "name": "cache-web"}));
        assert_eq!(first["secrets"]["token"], json!("t1"));
        assert_eq!(first["secrets"]["url"], json!("redis://cache-web"));
        // With its cookie, the second run keeps what the first one made up.
        let cookie = format!("{text}cookie: {}\n", first["cookie"]);
        assert_eq!(run_with(&definition, &cookie).unwrap(), first);
        let other = format!("{text}cookie: {{pw: other}}\n");
        assert_eq!(run_with(&definition, &other).unwrap()["secrets"]["password"], json!("other"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_at_once() {
        let inputs = json!({
            "values": {"a": "${context.res.id}", "b": ["${values.X}"], "templates": {"outputs": "a: {{ fail \"no\" }}"}},
            "secret_refs": {"p": {"store": "vault", "ref": "p"}},
        });
        let definition = definition("humanitec/template", &inputs);
        let full = "placeholders: {context.res.id: x, values.X: y}\nsecretRefs: {p: canary-secret}\n";
        let errors = [
            run_with(&definition, "").unwrap_err(),
            run_with(&definition, full).unwrap_err(),
            run_with(&definition, "placeholder: {}\nx: 1").unwrap_err(),
            run_with(&definition, "placeholders: {a b: 1}").unwrap_err(),
            run_with(&definition, "secretRefs: canary-secret").unwrap_err(),
            run_with(&definition, "- a").unwrap_err(),
            skeleton(&self::definition("humanitec/terraform", &json!({})), false).unwrap_err().to_string(),
        ];
        insta::assert_snapshot!(errors.join("\n\n"), @"
        driver_inputs.values.a: placeholder `${context.res.id}` has no value
          hint: add `context.res.id:` under `placeholders` of the inputs file
        Error: driver_inputs.values.b.0: placeholder `${values.X}` has no value
          hint: add `values.X:` under `placeholders` of the inputs file
        Error: secretRefs.p: the secret has no value
          hint: add it to the inputs file

        templates.outputs:1:7: no

        unknown key `placeholder`
          hint: did you mean `placeholders`?
        Error: unknown key `x`
          hint: known are cookie, placeholders, resource, secretRefs

        placeholders: `a b` is no placeholder: placeholder `${a b}`: a part of its path has a character that needs brackets and quotes

        `secretRefs` is no mapping

        an inputs file is a mapping

        Definition `def` is for the Driver `humanitec/terraform`, which does not run here
          hint: test-definition runs `humanitec/echo` and `humanitec/template`; an HTTP Driver runs with --driver-url URL
        ");
    }

    #[test]
    fn what_the_operator_may_read_differently_is_a_warning() {
        let warnings = |templates: Value, inputs: &str| {
            let inputs_of = json!({
                "values": {"templates": templates},
                "secret_refs": {"pin": {"store": "vault", "ref": "p"}},
            });
            let inputs = read_inputs(&format!("secretRefs: {{pin: \"471100\"}}\n{inputs}")).unwrap();
            run(&definition("humanitec/template", &inputs_of), &inputs).unwrap().warnings
        };
        for (templates, inputs, expected) in [
            (json!({"outputs": "a: \"yes\"\nb: {{ .id | quote }}"}), "", &[][..]),
            (json!({"outputs": "a: no"}), "", &["templates.outputs: `a` is the bare word `no`"]),
            (json!({"outputs": {"a": "yes"}}), "", &["templates.outputs.a: its text is the bare word `yes`"]),
            (
                json!({"manifests": {"m": {"location": "namespace", "data": "spec: {on: 1}"}}}),
                "",
                &["templates.manifests.m.data: a key is the bare word `on`"],
            ),
            (
                json!({"manifests": "m:\n  location: namespace\n  data: |\n    spec: {a: off}\n"}),
                "",
                &["templates.manifests.m.data: `spec.a` is the bare word `off`"],
            ),
            (json!({"init": "pw: {{ randNumeric 12 | quote }}"}), "", &[]),
            (
                json!({"init": "pw: {{ randNumeric 12 | quote }}", "cookie": "pw: {{ .init.pw }}"}),
                "",
                &["templates.cookie: `pw` gets a random or secret text"],
            ),
            (json!({"init": "pw: {{ randNumeric 12 }}"}), "", &["templates.init: `pw` gets a random"]),
            (
                json!({"cookie": "pw: {{ .cookie.pw }}"}),
                "cookie: {pw: \"12e3\"}",
                &["templates.cookie: `pw` gets a random or secret text without quotes, and becomes a number"],
            ),
            (json!({"secrets": "pin: {{ .driver.secrets.pin }}"}), "", &["templates.secrets: `pin` gets"]),
            (
                json!({"outputs": "a: ${values.A}"}),
                "placeholders: {values.A: \"{{ 1 }}\"}",
                &["driver_inputs.values.templates.outputs: the value of placeholder `${values.A}` holds `{{`"],
            ),
        ] {
            let found = warnings(templates.clone(), inputs);
            assert_eq!(found.len(), expected.len(), "{templates}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{templates}: {found}");
                assert!(!found.contains("471100"), "{found}");
            }
        }
    }

    #[test]
    fn template_text_in_a_placeholder_is_named_as_the_cause() {
        let inputs = json!({"values": {"templates": {"outputs": "a: ${values.A}"}}});
        let error = run_with(&definition("humanitec/template", &inputs), "placeholders: {values.A: \"{{ canary\"}");
        let error = error.unwrap_err();
        assert!(error.contains("\n  caused by: driver_inputs.values.templates.outputs: the value of"), "{error}");
    }

    #[test]
    fn errors_show_no_secret() {
        for template in [
            "a: [{{ .driver.secrets.p }}\nb: 1",
            "{{ fail .driver.secrets.p }}",
            "{{ .driver.secrets.p | b64enc | fail }}",
            "{{ printf \"the password %s is too short\" .driver.secrets.p | fail }}",
            "{{ range $k, $v := .driver.secrets.p }}{{ end }}",
        ] {
            let inputs = json!({
                "values": {"templates": {"outputs": template}}, "secret_refs": {"p": {"store": "vault", "ref": "p"}},
            });
            let error = run_with(&definition("humanitec/template", &inputs), "secretRefs: {p: canary-secret}");
            let error = error.unwrap_err();
            let shows = ["canary", "Y2FuYXJ5"].iter().any(|form| error.contains(form));
            assert!(error.contains("templates.outputs") && !shows, "{template}: {error}");
        }
    }
}
