//! A Score file with its companions, read and checked on this machine.
//!
//! Every finding is reported with file, line and column. Files that the Score
//! file names as `source` are put into it, since only this machine sees them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use humctl_api_types::deployment::ConvertScore;
use humctl_api_types::id::WorkloadId;
use humctl_core::score::convert::effective_document;
use humctl_core::score::read::{Document, read};
use humctl_core::score::upgrade::upgrade;
use humctl_core::score::{Finding, Level, check, extension, merge, parse};
use humctl_core::yaml::{MAX_BYTES, Position};
use serde_json::{Map, Value};

use crate::commands::score::sources::ScoreSources;
use crate::error::CliError;
use crate::input::read_text;

/// What came of reading and checking.
#[derive(Debug)]
pub(crate) struct Checked {
    file: PathBuf,
    document: Document,
    /// The extension file, where there is one.
    extension: Option<(PathBuf, Document)>,
    /// The conversion request.
    request: ConvertScore,
    /// The Score file with overrides, properties and image, in its current form.
    pub(crate) effective: Map<String, Value>,
    /// Everything that was found, sorted within each file.
    pub(crate) findings: Vec<FileFinding>,
}

/// A finding and the file that it is about.
#[derive(Debug)]
pub(crate) struct FileFinding {
    file: PathBuf,
    at: Option<Position>,
    pub(crate) finding: Finding,
}

impl Checked {
    /// The request, for use.
    ///
    /// # Errors
    /// Every error that was found, or a container without image; warnings go
    /// to the log.
    pub(crate) fn into_request(self) -> Result<ConvertScore, CliError> {
        let is_error = |found: &&FileFinding| found.finding.level == Level::Error;
        let errors: Vec<String> = self.findings.iter().filter(is_error).map(ToString::to_string).collect();
        if !errors.is_empty() {
            return Err(CliError::user(errors.join("\nError: ")));
        }
        for warning in &self.findings {
            tracing::warn!("{warning}");
        }
        require_images(&self.file, &self.effective)?;
        Ok(self.request)
    }

    /// Adds what somebody else found about the Score file.
    pub(crate) fn add(&mut self, found: Vec<Finding>) {
        self.findings.extend(place(&self.file, &self.document, found));
    }

    /// The profile that the extension file names.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.extension.as_ref()?.1.value.get("profile")?.as_str()
    }

    /// Adds what somebody else found about the extension file.
    pub(crate) fn add_to_extension(&mut self, found: Vec<Finding>) {
        if let Some((file, document)) = &self.extension {
            self.findings.extend(place(file, document, found));
        }
    }
}

/// `file:line:column: pointer: message`, with the hint on a line of its own.
impl fmt::Display for FileFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(at) = self.at {
            write!(f, "{}:{}:", at.line, at.column)?;
        }
        write!(f, " {}", self.finding)?;
        match &self.finding.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Reads and checks everything.
///
/// # Errors
/// A file that cannot be read or is no mapping; what is wrong inside one is a
/// finding.
pub(crate) fn check(sources: &ScoreSources) -> Result<Checked, CliError> {
    let document = read_document(&sources.file)?;
    let mut spec = document.value.clone();
    let mut found = inline_sources(&mut spec, &sources.file);
    let read = |file: &PathBuf| Ok::<_, CliError>((file.clone(), read_addition(file)?));
    let extension = sources.extensions.as_ref().map(read).transpose()?;
    let overrides = sources.overrides.as_ref().map(read).transpose()?;
    let request = ConvertScore {
        image: sources.image.clone(),
        resource_type_aliases: (!sources.type_aliases.is_empty()).then(|| sources.type_aliases.clone()),
        extensions: extension.as_ref().map(|(_, document)| document.value.clone()),
        ..with_changes(&document, spec, sources)?
    };
    found.extend(unused_image(&request));
    let mut effective = effective_document(&request).unwrap_or_else(|finding| {
        found.push(finding);
        request.spec.clone()
    });
    match parse(&effective) {
        Ok((score, warnings)) => {
            found.extend(warnings);
            if sources.name.as_ref().is_some_and(|expected| expected != score.metadata.name.as_str()) {
                found.push(other_name(sources));
            }
        }
        Err(errors) => found.extend(errors),
    }
    upgrade(&mut effective);
    // What the overrides brought in stands in their file.
    let is_of_overrides = |finding: &Finding| match &overrides {
        Some((_, document)) => !finding.pointer.is_empty() && holds(&document.value, &finding.pointer),
        None => false,
    };
    let (of_overrides, found): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(is_of_overrides);
    let mut findings = place(&sources.file, &document, found);
    if let Some((file, document)) = &overrides {
        findings.extend(place(file, document, of_overrides));
    }
    if let Some((file, document)) = &extension {
        findings.extend(place(file, document, check_extension(&effective, &document.value)));
    }
    Ok(Checked { file: sources.file.clone(), document, extension, request, effective, findings })
}

/// The name of the Workload alone. Whoever removes a Workload needs no more of
/// its file, be the rest as it may.
///
/// # Errors
/// A file that cannot be read, or names no Workload.
pub(crate) fn workload(sources: &ScoreSources) -> Result<WorkloadId, CliError> {
    let document = read_document(&sources.file)?;
    let effective = match effective_document(&with_changes(&document, document.value.clone(), sources)?) {
        Ok(effective) => effective,
        Err(finding) => return Err(told(&place(&sources.file, &document, vec![finding]))),
    };
    let name = effective.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
    match name.map(WorkloadId::new) {
        Some(Ok(name)) if sources.name.as_ref().is_some_and(|expected| expected != name.as_str()) => {
            Err(told(&place(&sources.file, &document, vec![other_name(sources)])))
        }
        Some(Ok(name)) => Ok(name),
        _ => {
            let (Ok((_, mut found)) | Err(mut found)) = parse(&effective);
            found.retain(|finding| "/metadata/name".starts_with(&finding.pointer));
            Err(told(&place(&sources.file, &document, found)))
        }
    }
}

/// A request with everything that changes the Score file itself.
fn with_changes(
    document: &Document,
    spec: Map<String, Value>,
    sources: &ScoreSources,
) -> Result<ConvertScore, CliError> {
    let overrides = sources.overrides.as_deref().map(read_addition).transpose()?;
    let overrides = overrides.map(|document| document.value);
    let mut request = ConvertScore { spec, overrides, ..ConvertScore::default() };
    for (path, value) in &sources.properties {
        if request.property_overrides.as_ref().is_some_and(|others| others.contains_key(path)) {
            // A request holds a path once, so that what came before goes into the file itself.
            let spec =
                effective_document(&request).map_err(|finding| told(&place(&sources.file, document, vec![finding])))?;
            request = ConvertScore { spec, ..ConvertScore::default() };
        }
        request.property_overrides.get_or_insert_default().insert(path.clone(), value.clone());
    }
    Ok(request)
}

/// A warning about an image that no container takes.
fn unused_image(request: &ConvertScore) -> Option<Finding> {
    let image = request.image.as_ref()?;
    let mut document = effective_document(&ConvertScore { image: None, ..request.clone() }).ok()?;
    let message = format!("every container has an image, so `{image}` is not used");
    (merge::set_image(&mut document, image) == 0).then_some(Finding {
        pointer: "/containers".to_owned(),
        level: Level::Warning,
        message,
        hint: None,
    })
}

fn other_name(sources: &ScoreSources) -> Finding {
    let expected = sources.name.as_deref().unwrap_or_default();
    let message = format!("the deploy config calls this workload '{expected}'");
    Finding { pointer: "/metadata/name".to_owned(), level: Level::Error, message, hint: None }
}

/// Findings as one error, a line each.
fn told(findings: &[FileFinding]) -> CliError {
    CliError::user(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nError: "))
}

/// True when there is a value at a JSON pointer.
fn holds(document: &Map<String, Value>, pointer: &str) -> bool {
    Value::Object(document.clone()).pointer(pointer).is_some()
}

/// What is wrong with an extension file, beside this Score file.
fn check_extension(score: &Map<String, Value>, document: &Map<String, Value>) -> Vec<Finding> {
    let (extension, mut found) = extension::read(document);
    found.extend(check::check_extension(&Value::Object(score.clone()), &extension));
    found
}

pub(crate) fn read_document(path: &Path) -> Result<Document, CliError> {
    parse_document(path, &read_text(path)?)
}

fn parse_document(path: &Path, text: &str) -> Result<Document, CliError> {
    read(text).map_err(|error| {
        let place =
            error.position.map(|position| format!("{}:{}:", position.line, position.column)).unwrap_or_default();
        CliError::user(format!("{}:{place} {}", path.display(), error.message))
    })
}

/// Overrides or an extension file; an empty one adds nothing.
fn read_addition(path: &Path) -> Result<Document, CliError> {
    let text = read_text(path)?;
    if humctl_core::yaml::parse_documents(&text).is_ok_and(|documents| documents.is_empty()) {
        return Ok(Document::default());
    }
    parse_document(path, &text)
}

/// Findings with their places, sorted.
fn place(file: &Path, document: &Document, mut found: Vec<Finding>) -> Vec<FileFinding> {
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Vec::new();
    }
    let positions = document.positions();
    let place = |finding: Finding| {
        // A key that may not be there is shown where it stands, not where its mapping does.
        let key = finding.message.strip_prefix("additionalProperties '").and_then(|rest| rest.split('\'').next());
        let pointer = key.map(|key| format!("{}/{}", finding.pointer, humctl_core::yaml::escape_pointer(key)));
        let at = positions.find(pointer.as_ref().unwrap_or(&finding.pointer));
        FileFinding { file: file.to_owned(), at, finding }
    };
    found.into_iter().map(place).collect()
}

/// Refuses a container that still has no image.
fn require_images(file: &Path, effective: &Map<String, Value>) -> Result<(), CliError> {
    let containers = effective.get("containers").and_then(Value::as_object);
    let is_open = |container: &Value| container.get("image").and_then(Value::as_str) == Some(".");
    match containers.into_iter().flatten().find(|(_, container)| is_open(container)) {
        None => Ok(()),
        Some((name, _)) => Err(CliError::user(format!(
            "failed to convert '{}' because container '{name}' has no image and --image was not provided",
            file.display()
        ))),
    }
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
    let metadata = fs::metadata(&path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    if metadata.len() > MAX_BYTES as u64 {
        return Err(format!("it is larger than {MAX_BYTES} bytes"));
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
