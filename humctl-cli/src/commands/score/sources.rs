//! Which Score files one deployment is made from: the one that the flags name,
//! or those of a deploy config (spec/score.md §5.3).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use humctl_core::decode::{nearest, tolerant};
use humctl_core::score::merge;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::commands::score::file::read_document;
use crate::error::CliError;

/// A Score file and everything that changes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ScoreSources {
    pub(crate) file: PathBuf,
    pub(crate) overrides: Option<PathBuf>,
    pub(crate) extensions: Option<PathBuf>,
    /// Path → value; null removes.
    pub(crate) properties: Vec<(String, Value)>,
    pub(crate) image: Option<String>,
    /// Name that the Workload has to have.
    pub(crate) name: Option<String>,
    /// Address of the Score file, kept as an annotation.
    pub(crate) source_url: Option<String>,
    /// Resource Type as the file spells it → the type that is meant.
    pub(crate) type_aliases: BTreeMap<String, String>,
}

const API_VERSION: &str = "config.humanitec.io/v1b1";
const KIND: &str = "ScoreDeployConfig";
const WORKLOAD_KEYS: &[&str] = &["name", "specFile", "extensionsFile", "overridesFile", "image", "properties"];

/// One entry of a deploy config.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    spec_file: PathBuf,
    #[serde(default)]
    extensions_file: Option<PathBuf>,
    #[serde(default)]
    overrides_file: Option<PathBuf>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    properties: Map<String, Value>,
}

/// Reads a deploy config. Paths in it are relative to its directory; `image`
/// is for Workloads that name none.
pub(crate) fn from_config(
    path: &Path,
    image: Option<&str>,
    url_prefix: Option<&str>,
) -> Result<Vec<ScoreSources>, CliError> {
    let document = read_document(path)?;
    let at = |pointer: &str| {
        let position = document.positions().find(pointer);
        position.map(|at| format!("{}:{}:", at.line, at.column)).unwrap_or_default()
    };
    let fail = |pointer: &str, message: String| CliError::user(format!("{}:{} {message}", path.display(), at(pointer)));
    let is = |key: &str, expected: &str| document.value.get(key).and_then(Value::as_str) == Some(expected);
    if !is("apiVersion", API_VERSION) || !is("kind", KIND) {
        return Err(fail("", format!("a deploy config has apiVersion {API_VERSION} and kind {KIND}")));
    }
    for key in document.value.keys() {
        check_key(key, &["apiVersion", "kind", "workloads"]).map_err(|reason| fail(&format!("/{key}"), reason))?;
    }
    let Some(Value::Array(entries)) = document.value.get("workloads") else {
        return Err(fail("/workloads", "workloads must be a list".to_owned()));
    };
    if entries.is_empty() {
        return Err(fail("/workloads", "workloads is empty".to_owned()));
    }
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut sources = Vec::new();
    for (index, value) in entries.iter().enumerate() {
        let pointer = format!("/workloads/{index}");
        for key in value.as_object().into_iter().flat_map(Map::keys) {
            check_key(key, WORKLOAD_KEYS).map_err(|reason| fail(&format!("{pointer}/{key}"), reason))?;
        }
        let entry: Entry = tolerant(value).map_err(|error| fail(&pointer, error.message))?;
        sources.push(entry.sources(directory, image, url_prefix));
    }
    Ok(sources)
}

fn check_key(key: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&key) {
        return Ok(());
    }
    let hint = nearest(key, known.iter().copied()).map(|near| format!("\n  hint: did you mean '{near}'?"));
    Err(format!("additionalProperties '{key}' not allowed{}", hint.unwrap_or_default()))
}

impl Entry {
    fn sources(self, directory: &Path, image: Option<&str>, url_prefix: Option<&str>) -> ScoreSources {
        let source_url = url_prefix.map(|prefix| {
            let file = self.spec_file.strip_prefix(".").unwrap_or(&self.spec_file);
            format!("{}/{}", prefix.trim_end_matches('/'), file.display())
        });
        ScoreSources {
            file: directory.join(self.spec_file),
            overrides: self.overrides_file.map(|file| directory.join(file)),
            extensions: self.extensions_file.map(|file| directory.join(file)),
            properties: self.properties.into_iter().collect(),
            image: self.image.or_else(|| image.map(ToOwned::to_owned)),
            name: self.name,
            source_url,
            type_aliases: BTreeMap::new(),
        }
    }
}

/// Reads `TYPE=ORG/TYPE` of the command line: Score cannot spell the second,
/// which is how an Organization's own types are called.
pub(crate) fn type_alias(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((alias, res_type)) if !alias.is_empty() && !res_type.is_empty() => {
            Ok((alias.to_owned(), res_type.to_owned()))
        }
        _ => Err("it is written TYPE=ORG/TYPE, as in s3=my-org/s3".to_owned()),
    }
}

/// Properties of the command line, `PATH=VALUE` each, in their order.
pub(crate) fn properties(arguments: &[String]) -> Vec<(String, Value)> {
    arguments.iter().map(|argument| merge::parse_property(argument)).collect()
}
