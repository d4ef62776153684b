//! Everything that one Resource Definition refers to, found once however many
//! resources it serves.

use std::sync::Arc;

use humctl_api_types::definition::{DriverInputs, Provision, ResourceDefinition};
use serde_json::{Map, Value};

use crate::placeholder::{Part, Projection, Reference, ResourceRef, Selector, parse, visit_strings};
use crate::values::OWN_STORE;
use crate::yaml::escape_pointer;

/// What one Definition refers to.
#[derive(Default)]
pub(super) struct Scan<'d> {
    pub(super) references: Vec<Found<ResourceRef>>,
    pub(super) selectors: Vec<Found<Selector>>,
    pub(super) provisions: Vec<CoProvisionKey<'d>>,
    /// Pointer, placeholder and what is wrong with it.
    pub(super) failures: Vec<(String, String, String)>,
    /// Pointers of secrets that exist only as values.
    pub(super) literal_secrets: Vec<String>,
    /// Things a person should know, each with its pointer.
    pub(super) notes: Vec<String>,
}

/// A placeholder that names resources.
pub(super) struct Found<T> {
    /// JSON pointer into the Definition.
    pub(super) at: Arc<str>,
    /// The text between `${` and `}`.
    pub(super) text: String,
    /// The resources it names.
    pub(super) target: T,
    /// What it asks of them.
    pub(super) projection: Projection,
}

pub(super) struct CoProvisionKey<'d> {
    pub(super) text: Arc<str>,
    pub(super) reference: ResourceRef,
    pub(super) options: &'d Provision,
    pub(super) references: Vec<Found<ResourceRef>>,
}

/// Finds everything a Definition refers to, with these driver inputs.
pub(super) fn scan<'d>(definition: &'d ResourceDefinition, inputs: Option<&DriverInputs>) -> Scan<'d> {
    let mut scan = Scan::default();
    if let Some(account) = &definition.driver_account {
        scan_value(&Value::String(account.clone()), "/driver_account", &mut scan);
    }
    if let Some(inputs) = inputs {
        for (name, value) in &inputs.values {
            scan_value(value, &format!("/driver_inputs/values/{}", escape_pointer(name)), &mut scan);
        }
        scan_secrets(&inputs.secret_refs, "/driver_inputs/secret_refs", &mut scan);
    }
    for found in scan.references.iter().filter(|found| matches!(found.projection, Projection::Bare(_))) {
        scan.failures.push((found.at.to_string(), found.text.clone(), BARE.to_owned()));
    }
    for found in scan.selectors.iter().filter(|found| matches!(found.projection, Projection::Bare(_))) {
        scan.failures.push((found.at.to_string(), found.text.clone(), BARE.to_owned()));
    }
    for (text, options) in &definition.provision {
        scan_provision(text, options, &mut scan);
    }
    scan
}

const BARE: &str = "after a resource comes `outputs`, `values`, `guresid` or `account`, as in `.outputs.host`, \
                    and a resource with a dot in it stands in brackets, as in `['config#a.b']`";

fn scan_provision<'d>(text: &str, options: &'d Provision, scan: &mut Scan<'d>) {
    let pointer = format!("/provision/{}", escape_pointer(text));
    let reference = match text.parse::<ResourceRef>() {
        Ok(reference) => reference,
        Err(reason) => {
            scan.failures.push((pointer, text.to_owned(), reason));
            return;
        }
    };
    let mut inner = Scan::default();
    if let Some(params) = &options.params {
        for (name, value) in params {
            scan_value(value, &format!("{pointer}/params/{}", escape_pointer(name)), &mut inner);
        }
    }
    scan.failures.append(&mut inner.failures);
    scan.failures.extend(inner.selectors.into_iter().map(|found| {
        (found.at.to_string(), found.text, "a selector cannot stand in the params of a provision".to_owned())
    }));
    for found in &inner.references {
        if matches!(found.projection, Projection::Bare(_)) {
            scan.notes.push(format!(
                "at `{}`: `${{{}}}` is an old form; write `.outputs.` before the output",
                found.at, found.text
            ));
        }
    }
    scan.notes.append(&mut inner.notes);
    scan.provisions.push(CoProvisionKey { text: text.into(), reference, options, references: inner.references });
}

fn scan_value(value: &Value, pointer: &str, scan: &mut Scan<'_>) {
    visit_strings(value, pointer, &mut |pointer, text| {
        for (text, reference) in references_in(text) {
            match reference {
                Ok(Reference::Context(name)) => {
                    if name.starts_with("deploy.") {
                        scan.notes.push(format!(
                            "at `{pointer}`: `${{{text}}}` differs in every Deployment, so each one changes this resource"
                        ));
                    }
                }
                Ok(Reference::Resource(target, projection)) => {
                    scan.references.push(Found { at: pointer.into(), text, target, projection });
                }
                Ok(Reference::Selected(target, projection)) => {
                    scan.selectors.push(Found { at: pointer.into(), text, target, projection });
                }
                Ok(_) => scan.failures.push((
                    pointer.to_owned(),
                    text,
                    "a Resource Definition knows only `context` and `resources`".to_owned(),
                )),
                Err(reason) => scan.failures.push((pointer.to_owned(), text, reason)),
            }
        }
    });
}

/// Walks `secret_refs` down to its leaves.
fn scan_secrets(tree: &Map<String, Value>, pointer: &str, scan: &mut Scan<'_>) {
    for (name, value) in tree {
        let pointer = format!("{pointer}/{}", escape_pointer(name));
        match SecretLeaf::read(value) {
            Some(SecretLeaf::Value(text)) => scan_value(&Value::String(text.to_owned()), &pointer, scan),
            Some(SecretLeaf::Stored) => scan.literal_secrets.push(pointer.replacen("secret_refs", "secrets", 1)),
            Some(SecretLeaf::Reference) => {
                visit_strings(value, &pointer, &mut |pointer, text| {
                    scan.failures.push((
                        pointer.to_owned(),
                        text.trim_start_matches("${").trim_end_matches('}').to_owned(),
                        "a secret reference cannot hold placeholders".to_owned(),
                    ));
                });
            }
            None => {
                if let Value::Object(inner) = value {
                    scan_secrets(inner, &pointer, scan);
                }
            }
        }
    }
}

/// A leaf of `driver_inputs.secret_refs`.
pub(crate) enum SecretLeaf<'v> {
    /// `{value: "${…}"}`.
    Value(&'v str),
    /// `{store: humanitec, …}`: a value that we keep.
    Stored,
    /// `{store, ref, version?}`.
    Reference,
}

impl<'v> SecretLeaf<'v> {
    /// Recognises a leaf; `None` for a mapping that holds further leaves.
    pub(crate) fn read(value: &'v Value) -> Option<Self> {
        let object = value.as_object()?;
        if let Some(Value::String(text)) = object.get("value") {
            return Some(Self::Value(text));
        }
        match (object.get("store"), object.get("ref")) {
            (Some(Value::String(store)), Some(Value::String(_))) if store == OWN_STORE => Some(Self::Stored),
            (Some(Value::String(_)), Some(Value::String(_))) => Some(Self::Reference),
            _ => None,
        }
    }
}

/// The placeholders of a text and what each means, or what is wrong with it.
pub(crate) fn references_in(text: &str) -> Vec<(String, Result<Reference, String>)> {
    match parse(text) {
        Err(error) => {
            let shown = error.placeholder.trim_start_matches("${").trim_end_matches('}').to_owned();
            vec![(shown, Err(error.reason.to_owned()))]
        }
        Ok(template) => template
            .parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Literal(_) => None,
                Part::Placeholder { text, tokens } => Some((text, Reference::from_tokens(&tokens))),
            })
            .collect(),
    }
}
