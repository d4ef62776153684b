//! One object for one name: what comes twice is one, unless it differs.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifests::check::{Draft, ObjectId, Traits};
use crate::manifests::error::{ManifestError, Place, Problem};

/// Keeps one of equal objects, and refuses different ones of the same name.
/// So it does with Secrets that the cluster would make from two objects.
pub(super) fn unique(drafts: Vec<Draft>, errors: &mut Vec<ManifestError>) -> Vec<Draft> {
    let mut by_id: BTreeMap<ObjectId, Vec<Draft>> = BTreeMap::new();
    // Secret → the objects that make it, with their places.
    let mut makers: BTreeMap<ObjectId, BTreeSet<(ObjectId, Place)>> = BTreeMap::new();
    for draft in drafts {
        let made = draft.makes.clone().unwrap_or_else(|| draft.id.clone());
        makers.entry(made).or_default().insert((draft.id.clone(), draft.place.clone()));
        by_id.entry(draft.id.clone()).or_default().push(draft);
    }
    for (made, makers) in makers {
        let ids: BTreeSet<&ObjectId> = makers.iter().map(|(id, _)| id).collect();
        if ids.len() > 1 {
            errors.extend(clash(&made, makers.into_iter().map(|(_, place)| place)));
        }
    }
    let mut unique = Vec::new();
    for (id, mut same) in by_id {
        // Which one stays must not hang on the order in which they came.
        same.sort_by(|a, b| a.place.cmp(&b.place));
        if same.iter().any(|draft| draft.object != same[0].object) {
            errors.extend(clash(&id, same.into_iter().map(|draft| draft.place)));
            continue;
        }
        let is_stateful = same.iter().any(|draft| draft.traits.is_stateful);
        // Whoever comes first may need it.
        let wave = same.iter().map(|draft| draft.traits.wave).min().unwrap_or_default();
        let traits = Traits { is_stateful, wave };
        // Two may give an object of a kind that nobody knows different locations.
        let is_cluster_scoped = same.iter().any(|draft| draft.is_cluster_scoped);
        unique.extend(same.into_iter().next().map(|draft| Draft { traits, is_cluster_scoped, ..draft }));
    }
    unique
}

fn clash(id: &ObjectId, places: impl Iterator<Item = Place>) -> Option<ManifestError> {
    let places: Vec<Place> = places.collect::<BTreeSet<Place>>().into_iter().collect();
    let (first, others) = places.split_first()?;
    // Two of one Workload have the same place.
    let others = if others.is_empty() { vec![first.clone()] } else { others.to_vec() };
    Some(ManifestError { place: first.clone(), object: Some(id.label()), problem: Problem::Clash { others } })
}
