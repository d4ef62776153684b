//! Everything that one Resource Definition refers to, found once however many
//! resources it serves.

use humctl_api_types::definition::{Provision, ResourceDefinition};
use serde_json::{Map, Value};

use crate::placeholder::{Part, Reference, ResourceRef, Selector, parse, visit_strings};
use crate::yaml::escape_pointer;

/// What one Definition refers to.
#[derive(Default)]
pub(super) struct Scan<'d> {
    pub(super) references: Vec<(String, ResourceRef)>,
    pub(super) selectors: Vec<(String, Selector)>,
    pub(super) provisions: Vec<CoProvisionKey<'d>>,
    pub(super) failures: Vec<(String, String, String)>,
    pub(super) literal_secrets: Vec<String>,
}

pub(super) struct CoProvisionKey<'d> {
    pub(super) text: &'d str,
    pub(super) reference: ResourceRef,
    pub(super) options: &'d Provision,
    pub(super) references: Vec<(String, ResourceRef)>,
}

/// Finds everything a Definition refers to.
pub(super) fn scan(definition: &ResourceDefinition) -> Scan<'_> {
    let mut scan = Scan::default();
    if let Some(account) = &definition.driver_account {
        scan_value(&Value::String(account.clone()), "/driver_account", &mut scan);
    }
    if let Some(inputs) = &definition.driver_inputs {
        for (name, value) in &inputs.values {
            scan_value(value, &format!("/driver_inputs/values/{}", escape_pointer(name)), &mut scan);
        }
        scan_secrets(&inputs.secret_refs, "/driver_inputs/secret_refs", &mut scan);
    }
    for (text, options) in &definition.provision {
        let pointer = format!("/provision/{}", escape_pointer(text));
        let reference = match text.parse::<ResourceRef>() {
            Ok(reference) => reference,
            Err(reason) => {
                scan.failures.push((pointer, text.clone(), reason));
                continue;
            }
        };
        let mut inner = Scan::default();
        if let Some(params) = &options.params {
            for (name, value) in params {
                scan_value(value, &format!("{pointer}/params/{}", escape_pointer(name)), &mut inner);
            }
        }
        scan.failures.append(&mut inner.failures);
        scan.failures.extend(inner.selectors.into_iter().map(|(pointer, _)| {
            (pointer, text.clone(), "a selector cannot stand in the params of a provision".to_owned())
        }));
        scan.provisions.push(CoProvisionKey { text, reference, options, references: inner.references });
    }
    scan
}

fn scan_value(value: &Value, pointer: &str, scan: &mut Scan<'_>) {
    visit_strings(value, pointer, &mut |pointer, text| {
        for (placeholder, reference) in references_in(text) {
            match reference {
                Ok(Reference::Context(_)) => {}
                Ok(Reference::Resource(reference, _)) => scan.references.push((pointer.to_owned(), reference)),
                Ok(Reference::Selected(selector, _)) => scan.selectors.push((pointer.to_owned(), selector)),
                Ok(_) => scan.failures.push((
                    pointer.to_owned(),
                    placeholder,
                    "a Resource Definition knows only `context` and `resources`".to_owned(),
                )),
                Err(reason) => scan.failures.push((pointer.to_owned(), placeholder, reason)),
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
                visit_strings(value, &pointer, &mut |pointer, _| {
                    scan.failures.push((
                        pointer.to_owned(),
                        String::new(),
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
            (Some(Value::String(store)), Some(Value::String(_))) if store == "humanitec" => Some(Self::Stored),
            (Some(Value::String(_)), Some(Value::String(_))) => Some(Self::Reference),
            _ => None,
        }
    }
}

/// The placeholders of a text and what each means, or what is wrong with it.
pub(super) fn references_in(text: &str) -> Vec<(String, Result<Reference, String>)> {
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
