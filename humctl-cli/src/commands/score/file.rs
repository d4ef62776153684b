//! A Score file with its companions, read and checked on this machine.
//!
//! Every finding is reported with file, line and column. Files that the Score
//! file names as `source` are put into it, since only this machine sees them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use humctl_api_types::deployment::ConvertScore;
use humctl_core::score::convert::effective_document;
use humctl_core::score::read::{Document, read};
use humctl_core::score::{Finding, Level, merge, parse};
use serde_json::{Map, Value};

use crate::error::CliError;

/// Which files and changes make a Workload.
#[derive(Debug)]
pub(crate) struct ScoreSources<'a> {
    pub(crate) file: &'a Path,
    pub(crate) overrides: Option<&'a Path>,
    pub(crate) extensions: Option<&'a Path>,
    pub(crate) properties: &'a [String],
    pub(crate) image: Option<&'a str>,
}

/// Reads and checks everything, and makes the conversion request of it.
pub(crate) fn load(sources: &ScoreSources<'_>) -> Result<(ConvertScore, String), CliError> {
    let document = read_document(sources.file)?;
    let mut spec = document.value.clone();
    let mut findings = inline_sources(&mut spec, sources.file);
    let properties: Map<String, Value> =
        sources.properties.iter().map(|property| merge::parse_property(property)).collect();
    let request = ConvertScore {
        spec,
        image: sources.image.map(ToOwned::to_owned),
        overrides: sources.overrides.map(|file| read_document(file).map(|document| document.value)).transpose()?,
        property_overrides: (!properties.is_empty()).then_some(properties),
        resource_type_aliases: None,
        extensions: sources.extensions.map(read_mapping).transpose()?,
    };
    let effective = match effective_document(&request) {
        Ok(effective) => effective,
        Err(finding) => return Err(report(sources.file, &document, vec![finding])),
    };
    let name = match parse(&effective) {
        Ok((score, warnings)) => {
            for warning in &warnings {
                tracing::warn!("{}", place(sources.file, &document, warning));
            }
            score.metadata.name.to_string()
        }
        Err(found) => {
            findings.extend(found);
            String::new()
        }
    };
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Err(report(sources.file, &document, findings));
    }
    if let Some(container) = open_image(&effective) {
        return Err(CliError::user(format!(
            "failed to convert '{}' because container '{container}' has no image and --image was not provided",
            sources.file.display()
        )));
    }
    Ok((request, name))
}

fn read_document(path: &Path) -> Result<Document, CliError> {
    let text = fs::read_to_string(path).map_err(|error| CliError::file("read", path, &error))?;
    read(&text).map_err(|error| {
        let place =
            error.position.map(|position| format!("{}:{}:", position.line, position.column)).unwrap_or_default();
        CliError::user(format!("{}:{place} {}", path.display(), error.message))
    })
}

/// An extension file; an empty one adds nothing.
fn read_mapping(path: &Path) -> Result<Map<String, Value>, CliError> {
    let text = fs::read_to_string(path).map_err(|error| CliError::file("read", path, &error))?;
    let documents = humctl_core::yaml::parse_documents(&text)
        .map_err(|error| CliError::user(format!("{}:{error}", path.display())))?;
    match documents.into_iter().next() {
        None => Ok(Map::new()),
        Some(Value::Object(mapping)) => Ok(mapping),
        Some(_) => Err(CliError::user(format!("{}: an extension file is one mapping", path.display()))),
    }
}

/// `file:line:column: message`, with the hint on a line of its own.
fn place(file: &Path, document: &Document, finding: &Finding) -> String {
    // A key that may not be there is shown where it stands, not where its mapping does.
    let key = finding.message.strip_prefix("additionalProperties '").and_then(|rest| rest.split('\'').next());
    let pointer = key.map(|key| format!("{}/{}", finding.pointer, humctl_core::yaml::escape_pointer(key)));
    let at = document.positions().find(pointer.as_ref().unwrap_or(&finding.pointer));
    let at = at.map(|position| format!("{}:{}: ", position.line, position.column)).unwrap_or_default();
    let pointer = if finding.pointer.is_empty() { String::new() } else { format!("{}: ", finding.pointer) };
    let hint = finding.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{}:{at}{pointer}{}{hint}", file.display(), finding.message)
}

fn report(file: &Path, document: &Document, mut findings: Vec<Finding>) -> CliError {
    findings.retain(|finding| finding.level == Level::Error);
    findings.sort();
    findings.dedup();
    let lines: Vec<String> = findings.iter().map(|finding| place(file, document, finding)).collect();
    CliError::user(lines.join("\nError: "))
}

/// The first container that still has no image.
fn open_image(document: &Map<String, Value>) -> Option<String> {
    let containers = document.get("containers")?.as_object()?;
    let open = containers.iter().find(|(_, container)| container.get("image").and_then(Value::as_str) == Some("."));
    open.map(|(name, _)| name.clone())
}

/// Replaces `source` by `content`, or by `binaryContent` for bytes that are
/// no text.
fn inline_sources(spec: &mut Map<String, Value>, score_file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let directory = score_file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(Value::Object(containers)) = spec.get_mut("containers") else { return findings };
    for (name, container) in containers {
        let pointer = format!("/containers/{}/files", humctl_core::yaml::escape_pointer(name));
        let files: Vec<(String, &mut Value)> = match container.get_mut("files") {
            Some(Value::Object(files)) => files.iter_mut().map(|(target, file)| (target.clone(), file)).collect(),
            Some(Value::Array(files)) => files.iter_mut().enumerate().map(|(i, file)| (i.to_string(), file)).collect(),
            _ => continue,
        };
        for (target, file) in files {
            let Value::Object(file) = file else { continue };
            let Some(Value::String(source)) = file.get("source") else { continue };
            if file.contains_key("content") || file.contains_key("binaryContent") || source.is_empty() {
                continue;
            }
            let keeps_placeholders = file.get("noExpand").and_then(Value::as_bool).unwrap_or_default();
            match read_source(directory, source, keeps_placeholders) {
                Ok((key, text)) => {
                    file.remove("source");
                    file.insert(key.to_owned(), Value::String(text));
                }
                Err(reason) => findings.push(Finding {
                    pointer: format!("{pointer}/{}/source", humctl_core::yaml::escape_pointer(&target)),
                    level: Level::Error,
                    message: format!("embedding file '{source}' for container '{name}': {reason}"),
                    hint: None,
                }),
            }
        }
    }
    findings
}

fn read_source(directory: &Path, source: &str, keeps_placeholders: bool) -> Result<(&'static str, String), String> {
    let root = fs::canonicalize(directory).map_err(|error| error.to_string())?;
    let path: PathBuf = fs::canonicalize(root.join(source)).map_err(|error| error.to_string())?;
    if !path.starts_with(&root) {
        return Err("it is not below the directory of the Score file".to_owned());
    }
    let bytes = fs::read(&path).map_err(|error| error.to_string())?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(("content", text)),
        Err(error) if keeps_placeholders => {
            Ok(("binaryContent", base64::engine::general_purpose::STANDARD.encode(error.as_bytes())))
        }
        Err(_) => Err("source content contains non-utf8 bytes; set noExpand=true or use binaryContent".to_owned()),
    }
}
