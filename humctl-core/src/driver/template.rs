//! `humanitec/template`: outputs, manifests and secrets are rendered from Go
//! templates (spec/drivers.md §6).
//!
//! *Invariants.* While planning, secrets are references: the templates see
//! them as hidden values, so that no secret can reach an output or an error.
//! A secret output is known here only where it is one of those references,
//! passed on as it is; all else that looks at a secret is unknown. Where a
//! Deployment is rendered here ([`make`]), a reference may go anywhere, and
//! what it ends up in is a reference again.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::fragments::{self, Spelling, kind};
use super::markers::Markers;
use super::{Driver, DriverCall, DriverError, Outputs};
use crate::nodes::is_node;
use crate::secret::{SecretScanner, is_branch};
use crate::template::{Error, ErrorKind, Options, Random, Template, Value as TemplateValue};

mod planned;

pub use planned::{Planned, PlannedById};

/// The type of this Driver.
pub const DRIVER_TYPE: &str = "humanitec/template";

pub(super) struct TemplateDriver;

impl Driver for TemplateDriver {
    fn provision(&self, call: DriverCall<'_>) -> Result<Outputs, DriverError> {
        plan(call, None).map(|(outputs, _)| outputs)
    }

    fn reads_resource_inputs(&self) -> bool {
        true
    }
}

/// Runs the templates of a Definition while planning. `resource` are the
/// resource inputs, when all of them are known: what was made can then be made
/// use of again.
///
/// # Errors
/// [`DriverError`]; `Unknown` when the outputs are known only in the cluster.
pub(crate) fn plan(call: DriverCall<'_>, resource: Option<Value>) -> Result<(Outputs, Option<Planned>), DriverError> {
    let mut markers = Markers::new(MARKER);
    let given_secrets = reference_nodes(&call.secret_refs);
    let rendered = render(TemplateInputs {
        templates: call.values.get("templates"),
        values: TemplateValue::map(
            call.values.iter().map(|(key, value)| (key.as_str(), TemplateValue::from_json(value))),
        ),
        secrets: markers.hide(&given_secrets),
        // Templates that are secrets themselves cannot be read here.
        secret_templates: call.secret_refs.get("templates").map(|_| SecretTemplates::Hidden),
        resource: call.resource,
        guresid: &call.guresid,
        cookie: TemplateValue::from_json(&call.cookie),
        scanner: SecretScanner::default(),
        random: call.random,
        markers: None,
    })?;
    let (values, secrets) = (rendered.outputs?, rendered.secrets?);
    let secret_refs = handed_on(&markers, &secrets)?;
    let is_whole = rendered.init.is_ok() && rendered.manifests.is_ok() && planned::are_plain(&secrets);
    // What cannot be known is not asked for; what is wrong is told before it gets to the cluster.
    let manifests = match rendered.manifests {
        Err(DriverError::Unknown(_)) => Map::new(),
        manifests => manifests?,
    };
    let cookie = match rendered.cookie {
        Err(failed @ DriverError::Failed(_)) => return Err(failed),
        cookie => cookie.ok(),
    };
    let outputs = Outputs { values, secret_refs, manifests };
    let planned = resource.zip(cookie).filter(|_| is_whole && call.cookie.is_null()).and_then(|(resource, cookie)| {
        let Outputs { values, secret_refs, manifests } = outputs.clone();
        let made = Made { values, secrets: reference_nodes_of(&secret_refs), manifests, cookie };
        Planned::new(call.values, given_secrets, resource, made)
    });
    Ok((outputs, planned))
}

/// Seed of the markers while planning: only secret outputs are searched for them.
const MARKER: &[u8] = b"plan";

/// A tree of secret references in which each is a `$secretRef` node.
pub(crate) fn reference_nodes(tree: &Map<String, Value>) -> Value {
    Value::Object(reference_nodes_of(tree))
}

fn reference_nodes_of(tree: &Map<String, Value>) -> Map<String, Value> {
    let node = |value: &Value| match value {
        Value::Object(inner) if is_node(value) => Value::Object(inner.clone()),
        Value::Object(inner) if is_branch(inner) => reference_nodes(inner),
        leaf => json!({ "$secretRef": leaf }),
    };
    tree.iter().map(|(name, value)| (name.clone(), node(value))).collect()
}

/// Secret outputs that are handed on as they came, as references.
fn handed_on(markers: &Markers, tree: &Map<String, Value>) -> Result<Map<String, Value>, DriverError> {
    tree.iter()
        .map(|(name, value)| {
            let reference = match (value, markers.show(value)) {
                (Value::Object(inner), _) => Value::Object(handed_on(markers, inner)?),
                (_, shown) => match shown.get("$secretRef") {
                    Some(reference) => reference.clone(),
                    None => {
                        let reason = format!("the secret output `{name}` is made by its template, in the cluster");
                        return Err(DriverError::Unknown(reason));
                    }
                },
            };
            Ok((name.clone(), reference))
        })
        .collect()
}

/// What templates make where nothing but this program runs: trees in which
/// references are nodes, also in the middle of a text.
#[derive(Clone, Default, PartialEq)]
pub struct Made {
    /// Outputs.
    pub values: Map<String, Value>,
    /// Secret outputs; a text among them is a secret that exists only as a value.
    pub secrets: Map<String, Value>,
    /// Fragments, name → `{location, data}`.
    pub manifests: Map<String, Value>,
    /// What the next run gets as cookie.
    pub cookie: Value,
}

impl std::fmt::Debug for Made {
    /// Shows nothing: a secret output may be text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made(…)")
    }
}

/// Runs the templates of a Definition for good. `call` is settled: its values,
/// resource inputs and cookie may hold reference nodes.
///
/// # Errors
/// [`DriverError`]; `Unknown` when a template looks into a secret.
pub fn make(call: SettledCall<'_>) -> Result<Made, DriverError> {
    let SettledCall { values, secrets, resource, guresid, cookie, random } = call;
    // Who writes a part of the inputs does not know all of them, and so none of the markers.
    let seed = json!([values, secrets, resource, cookie]).to_string();
    let mut markers = Markers::new(seed.as_bytes());
    let templates = values.get("templates").map(|templates| markers.as_text(templates));
    let secret_templates = secrets.get("templates").and_then(|templates| templates.get("outputs"));
    let rendered = render(TemplateInputs {
        templates: templates.as_ref(),
        values: markers.hide(values),
        secrets: markers.hide(secrets),
        secret_templates: secret_templates.map(|_| SecretTemplates::Hidden),
        resource: markers.hide(resource),
        guresid,
        cookie: markers.hide(cookie),
        scanner: SecretScanner::default(),
        random: Some(random),
        markers: Some(&mut markers),
    })?;
    let shown = |tree: Map<String, Value>| -> Map<String, Value> {
        tree.iter().map(|(key, value)| (key.clone(), markers.show(value))).collect()
    };
    Ok(Made {
        values: shown(rendered.outputs?),
        secrets: shown(rendered.secrets?),
        manifests: shown(rendered.manifests?),
        cookie: markers.show(&rendered.cookie?),
    })
}

/// The inputs of a Template Driver with everything settled.
pub struct SettledCall<'c> {
    /// `driver_inputs.values`.
    pub values: &'c Value,
    /// `driver_inputs.secret_refs`, each leaf a node.
    pub secrets: &'c Value,
    /// Resource inputs.
    pub resource: &'c Value,
    /// The `GUResID` of the resource.
    pub guresid: &'c str,
    /// What the last run left; null at the first.
    pub cookie: &'c Value,
    /// Where random values come from.
    pub random: &'c mut Random,
}

/// Where templates for secret outputs stood in old Definitions:
/// `driver_inputs.secrets.templates.outputs`.
pub(super) enum SecretTemplates<'i> {
    /// They are known.
    Known(&'i Value),
    /// They are secrets, and not known here.
    Hidden,
}

/// What templates are rendered with.
pub(super) struct TemplateInputs<'i> {
    /// What stands under `driver_inputs.values.templates`.
    pub(super) templates: Option<&'i Value>,
    pub(super) values: TemplateValue,
    pub(super) secrets: TemplateValue,
    pub(super) secret_templates: Option<SecretTemplates<'i>>,
    pub(super) resource: TemplateValue,
    pub(super) guresid: &'i str,
    pub(super) cookie: TemplateValue,
    /// Knows the secrets, which an error must not show.
    pub(super) scanner: SecretScanner,
    pub(super) random: Option<&'i mut Random>,
    /// Stand for the references, when every template may print them.
    pub(super) markers: Option<&'i mut Markers>,
}

/// What the templates of a Definition make; each part with its own failure.
pub(super) struct Rendered {
    pub(super) init: Result<Value, DriverError>,
    pub(super) manifests: Result<Map<String, Value>, DriverError>,
    pub(super) outputs: Result<Map<String, Value>, DriverError>,
    pub(super) secrets: Result<Map<String, Value>, DriverError>,
    pub(super) cookie: Result<Value, DriverError>,
    /// Every text that was read as YAML.
    pub(super) texts: Vec<RenderedText>,
}

/// What a template made, before it was read.
pub(super) struct RenderedText {
    /// The key below the inputs, for example `templates.outputs.host`.
    pub(super) place: String,
    pub(super) text: String,
}

/// Renders `init`, `manifests`, `outputs`, `secrets` and `cookie`, in this order.
///
/// Fails as a whole only when there are no templates, or when `init` is wrong,
/// on which all others rest.
pub(super) fn render(inputs: TemplateInputs<'_>) -> Result<Rendered, DriverError> {
    let TemplateInputs {
        templates,
        values,
        secrets,
        secret_templates,
        resource,
        guresid,
        cookie,
        scanner,
        random,
        markers,
    } = inputs;
    let templates = match templates {
        Some(Value::Object(templates)) => templates,
        Some(_) => return Err(DriverError::Failed("the value `templates` is no mapping".to_owned())),
        None => return Err(DriverError::Failed("the value `templates` is missing".to_owned())),
    };
    let known = ["init", "manifests", "outputs", "secrets", "cookie"];
    if let Some(unknown) = templates.keys().find(|key| !known.contains(&key.as_str())) {
        let hint = crate::decode::nearest(unknown, known);
        let hint = hint.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return Err(DriverError::Failed(format!(
            "`templates` has no key `{unknown}`{hint}\n  hint: known are {}",
            known.join(", ")
        )));
    }
    let driver = TemplateValue::map([("values", values), ("secrets", secrets)]);
    let resource = match resource {
        TemplateValue::Missing | TemplateValue::Nil => TemplateValue::map([]),
        resource => resource,
    };
    let mut run = Run {
        root: vec![
            ("driver".into(), driver),
            ("resource".into(), resource),
            ("id".into(), TemplateValue::text(guresid)),
            ("cookie".into(), cookie),
        ],
        scanner,
        random,
        markers,
        texts: Vec::new(),
    };
    let init = match run.section("init", templates.get("init")) {
        Err(DriverError::Failed(reason)) => return Err(DriverError::Failed(reason)),
        init => init,
    };
    let init_root = run.as_root(init.as_ref());
    run.root.push(("init".into(), init_root));
    let manifests = run.section("manifests", templates.get("manifests")).and_then(|value| {
        run.texts.extend(inner_texts(&value));
        // Names and locations may be made from anything.
        manifests(value).map_err(|reason| DriverError::Failed(run.scanner.redact(&reason)))
    });
    let outputs = run.section("outputs", templates.get("outputs")).and_then(|value| mapping("outputs", value));
    let output_values = outputs.as_ref().map(|outputs| Value::Object(outputs.clone()));
    let outputs_root = run.as_root(output_values.as_ref().map_err(|error| *error));
    run.root.push(("outputs".into(), TemplateValue::map([("values", outputs_root)])));
    let secrets = match (templates.get("secrets"), secret_templates) {
        (None, Some(SecretTemplates::Hidden)) => {
            Err(DriverError::Unknown("its secret outputs are made by a secret template".to_owned()))
        }
        (None, Some(SecretTemplates::Known(template))) => run.section("secrets", Some(template)),
        (template, _) => run.section("secrets", template),
    };
    let secrets = secrets.and_then(|value| mapping("secrets", value));
    let cookie = run.section("cookie", templates.get("cookie"));
    Ok(Rendered { init, manifests, outputs, secrets, cookie, texts: run.texts })
}

struct Run<'r> {
    root: Vec<(Rc<str>, TemplateValue)>,
    scanner: SecretScanner,
    random: Option<&'r mut Random>,
    markers: Option<&'r mut Markers>,
    texts: Vec<RenderedText>,
}

impl Run<'_> {
    /// A result that later templates see; one that failed is hidden from them.
    fn as_root(&mut self, value: Result<&Value, &DriverError>) -> TemplateValue {
        match (value, &mut self.markers) {
            (Err(_), _) => TemplateValue::Hidden("not known".into()),
            (Ok(value), None) => TemplateValue::from_json(value),
            (Ok(value), Some(markers)) => {
                let shown = markers.show(value);
                markers.hide(&shown)
            }
        }
    }

    /// Renders what stands under one key of `templates`; null when nothing does.
    fn section(&mut self, key: &'static str, template: Option<&Value>) -> Result<Value, DriverError> {
        let Some(template) = template else { return Ok(Value::Null) };
        self.walk(&format!("templates.{key}"), key == "secrets", template)
    }

    /// A string is a template; in a mapping or list, every string is one.
    fn walk(&mut self, place: &str, is_secret: bool, template: &Value) -> Result<Value, DriverError> {
        match template {
            Value::String(text) => self.text(place, is_secret, text),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.map(|(index, item)| self.walk(&format!("{place}.{index}"), is_secret, item)).collect()
            }
            Value::Object(object) => object
                .iter()
                .map(|(key, item)| Ok((key.clone(), self.walk(&format!("{place}.{key}"), is_secret, item)?)))
                .collect::<Result<Map<String, Value>, DriverError>>()
                .map(Value::Object),
            other => Ok(other.clone()),
        }
    }

    fn text(&mut self, place: &str, is_secret: bool, text: &str) -> Result<Value, DriverError> {
        // Each gets a mapping of its own, which it may change.
        let data = TemplateValue::Map(self.root.iter().cloned().collect());
        let shows_hidden = is_secret || self.markers.is_some();
        let options = Options { random: self.random.as_deref_mut(), shows_hidden, ..Options::default() };
        let rendered = Template::known(text)
            .and_then(|template| template.render(&data, options))
            .map_err(|error| self.failure(place, &error))?;
        let value = fragments::read_yaml(&rendered).map_err(|(line, reason)| {
            // A whole text of secrets is not shown, wherever they came from.
            let shown = if is_secret || place.ends_with(".cookie") { String::new() } else { excerpt(&rendered, line) };
            let shown = self.scanner.redact(&shown);
            DriverError::Failed(format!("{place}: the rendered text is no YAML: {reason}{shown}"))
        })?;
        self.texts.push(RenderedText { place: place.to_owned(), text: rendered });
        Ok(value)
    }

    fn failure(&self, place: &str, error: &Error) -> DriverError {
        let text = self.scanner.redact(&format!("{place}:{error}"));
        match error.kind {
            ErrorKind::Unknown => DriverError::Unknown(text),
            _ => DriverError::Failed(text),
        }
    }
}

/// The lines around a line, numbered.
fn excerpt(text: &str, line: Option<usize>) -> String {
    let Some(line) = line else { return String::new() };
    let lines = text.lines().enumerate().map(|(index, text)| (index + 1, text));
    lines
        .filter(|(number, _)| number.abs_diff(line) <= 2)
        .map(|(number, text)| format!("\n  {number:>4} | {text}"))
        .collect()
}

fn mapping(key: &str, value: Value) -> Result<Map<String, Value>, DriverError> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        other => Err(DriverError::Failed(format!("templates.{key} makes {}, and has to make a mapping", kind(&other)))),
    }
}

/// Brings manifests to one form: name → `{location, data}`.
fn manifests(value: Value) -> Result<Map<String, Value>, String> {
    let named: Vec<(String, Value)> = match value {
        Value::Null => Vec::new(),
        Value::Object(object) => object.into_iter().collect(),
        Value::Array(items) => items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        other => {
            return Err(format!("templates.manifests makes {}, and has to make a mapping", kind(&other)));
        }
    };
    let fragments = named
        .into_iter()
        .map(|(name, item)| match fragments::read(item, Spelling::Template) {
            Ok(fragment) => Ok((name, fragment)),
            Err(reason) => Err(format!("templates.manifests.{name}: {reason}")),
        })
        .collect::<Result<Map<String, Value>, String>>()?;
    fragments::check_names(&fragments).map_err(|reason| format!("templates.manifests: {reason}"))?;
    Ok(fragments)
}

/// The texts that are YAML inside the manifests' own YAML.
fn inner_texts(manifests: &Value) -> Vec<RenderedText> {
    let named: Vec<(String, &Value)> = match manifests {
        Value::Object(object) => object.iter().map(|(name, item)| (name.clone(), item)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let text_of = |item: &Value| Some(item.get("data").or_else(|| item.get("manifest"))?.as_str()?.to_owned());
    named
        .into_iter()
        .filter_map(|(name, item)| {
            Some(RenderedText { place: format!("templates.manifests.{name}.data"), text: text_of(item)? })
        })
        .collect()
}

#[cfg(test)]
mod tests;
