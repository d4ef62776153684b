//! The cases of the official example library and of our own examples.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use humctl_core::render::CrFile;
use serde_json::{Map, Value, json};

use crate::conformance::objects::Case;
use crate::conformance::objects::scene::{self, Recipe};
use crate::root;

/// Every Score file with the Definitions beside it, and every Definition with a
/// Workload that asks for its type.
pub(super) fn cases() -> Result<Vec<Case>> {
    let library = root().join("../shared/data/example-library");
    let mut files = yaml_files(&library)?;
    files.extend(yaml_files(&root().join("examples"))?);
    let recipes = recipes(&files)?;
    let mut cases = Vec::new();
    for (file, text) in files.iter().filter(|(_, text)| text.contains("apiVersion: score.dev/")) {
        // A Score file is deployed with all that lies beside it.
        let home = file.parent().unwrap_or(file);
        let (beside, others): (Vec<_>, Vec<_>) = recipes.iter().partition(|(place, _)| place.starts_with(home));
        let others = others.into_iter().filter(|(_, recipe)| !recipe.is_implicit());
        let preferred: Vec<Recipe> = beside.into_iter().chain(others).map(|(_, recipe)| recipe.clone()).collect();
        let files = scene::score(file, text).and_then(|set| scene::render(set, &preferred));
        cases.push(Case { name: name(file), files });
    }
    for (file, recipe) in &recipes {
        let files = by_itself(file, recipe, &recipes);
        cases.push(Case { name: name(file), files });
    }
    Ok(cases)
}

/// A Definition with a Workload that asks for its type, among the others.
fn by_itself(file: &Path, recipe: &Recipe, recipes: &[(PathBuf, Recipe)]) -> Result<Vec<CrFile>> {
    let is_beside = |place: &Path| place.parent() == file.parent();
    let others = recipes.iter().filter(|(_, other)| other.id != recipe.id);
    let (beside, others): (Vec<_>, Vec<_>) = others.partition(|(place, _)| is_beside(place));
    let others = others.into_iter().filter(|(_, other)| !other.is_implicit());
    let others = beside.into_iter().chain(others).map(|(_, other)| other.clone());
    let mut preferred: Vec<Recipe> = std::iter::once(recipe.clone()).chain(others).collect();
    let mut resources = Map::new();
    if recipe.res_type() == "ingress" {
        // It comes to something when there are routes on its name only.
        preferred.insert(0, scene::dns_with_ingress());
        let params = json!({"host": "${resources.dns.host}", "path": "/", "port": 80});
        resources.insert("dns".to_owned(), json!({"type": "dns"}));
        resources.insert("route".to_owned(), json!({"type": "route", "params": params}));
    } else if recipe.is_indirect() {
        preferred.insert(0, recipe.asker());
        resources.insert("asker".to_owned(), json!({"type": "redis"}));
    } else if !recipe.is_implicit() {
        for (number, (res_type, class, _)) in recipe.roles().into_iter().enumerate() {
            resources.insert(format!("it-{number}"), json!({"type": res_type, "class": class}));
        }
    }
    scene::render(scene::workload("web", &Value::Object(resources))?, &preferred)
}

/// The Definitions among the files, but those of clusters: they say where
/// objects go and bring none.
fn recipes(files: &[(PathBuf, String)]) -> Result<Vec<(PathBuf, Recipe)>> {
    let mut found = Vec::new();
    for (file, text) in files.iter().filter(|(_, text)| text.contains("kind: Definition")) {
        for document in humctl_core::yaml::parse_documents(text).with_context(|| file.display().to_string())? {
            let id = document["metadata"]["id"].as_str().unwrap_or_default().to_owned();
            let recipe = Recipe { id, entity: document["entity"].clone() };
            if !matches!(recipe.res_type(), "k8s-cluster" | "agent") {
                found.push((file.clone(), recipe));
            }
        }
    }
    Ok(found)
}

/// The path of a file below the library, or below the root.
fn name(file: &Path) -> String {
    let below = [root().join("../shared/data/example-library"), root()];
    let path = below.iter().find_map(|base| file.strip_prefix(base).ok()).unwrap_or(file);
    path.with_extension("").display().to_string()
}

/// The YAML files below a directory, sorted, with their text.
fn yaml_files(directory: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path)?;
            found.push((path, text));
        }
    }
    found.sort();
    Ok(found)
}
