//! Every Definition of a type, compared with one resource field by field.

use humctl_api_types::definition::{MatchingCriteria, ResourceDefinition};

use super::{Candidate, CandidateOutcome, FieldFacts, Named, RuleFacts, RunnerUp};
use crate::context::ResourceKey;
use crate::graph::build::GraphInput;
use crate::matching::{MatchError, compared};

/// All candidates, the winner first, then by rank, and the runner-up.
pub(super) fn compare(
    input: GraphInput<'_, '_>,
    resource: &ResourceKey,
    is_named: Named,
) -> (Vec<Candidate>, Option<RunnerUp>) {
    let winner = input.definitions.match_definition(input.context, resource);
    let without = winner.as_ref().ok().map(|rule| &rule.definition.id);
    let runner_up = match without {
        Some(winner) => input.definitions.match_without(Some(winner), input.context, resource).ok(),
        None => None,
    };
    let outcome = |definition: &ResourceDefinition, rules: &[RuleFacts]| {
        let id = &definition.id;
        match &winner {
            Ok(rule) if rule.definition.id == *id => CandidateOutcome::Wins,
            Err(MatchError::Ambiguous(ids)) if ids.contains(id) => CandidateOutcome::Ambiguous,
            _ if runner_up.is_some_and(|rule| rule.definition.id == *id) => CandidateOutcome::RunnerUp,
            _ if rules.is_empty() => CandidateOutcome::NoCriteria,
            _ if rules.iter().any(|rule| rule.matches) => CandidateOutcome::Outranked,
            _ => CandidateOutcome::NoMatch,
        }
    };
    let mut candidates: Vec<Candidate> = input
        .definitions
        .of_type(resource.res_type.as_str())
        .iter()
        .map(|definition| {
            let mut rules: Vec<RuleFacts> =
                definition.criteria.iter().map(|criteria| rule(criteria, input, resource, is_named)).collect();
            rules.sort_by_key(|rule| (!rule.matches, n_missed(rule), u8::MAX - rule.score, rule.id.clone()));
            Candidate {
                definition: definition.id.clone(),
                is_default: definition.is_default,
                outcome: outcome(definition, &rules),
                rules,
            }
        })
        .collect();
    candidates.sort_by_cached_key(|candidate| {
        let best = candidate.rules.first();
        let score = best.filter(|rule| rule.matches).map_or(0, |rule| rule.score);
        let missed = best.map_or(usize::MAX, n_missed);
        (candidate.outcome, candidate.is_default, u8::MAX - score, missed, candidate.definition.clone())
    });
    let runner_up = runner_up.map(|rule| RunnerUp { definition: rule.definition.id.clone(), score: rule.score() });
    (candidates, runner_up)
}

fn n_missed(rule: &RuleFacts) -> usize {
    rule.fields.iter().filter(|field| !field.matches).count()
}

fn rule(criteria: &MatchingCriteria, input: GraphInput<'_, '_>, resource: &ResourceKey, is_named: Named) -> RuleFacts {
    let fields: Vec<FieldFacts> = compared(criteria, input.context, resource)
        .into_iter()
        .filter_map(|(field, wanted, actual)| {
            let wanted = wanted?;
            let is_known = match field {
                "app_id" => is_named.app,
                "env_id" => is_named.env,
                "res_id" => is_named.res_id,
                _ => true,
            };
            Some(FieldFacts {
                field,
                wanted: wanted.to_owned(),
                actual: is_known.then(|| actual.to_owned()),
                matches: is_known && wanted == actual,
            })
        })
        .collect();
    RuleFacts {
        id: criteria.id.clone(),
        matches: fields.iter().all(|field| field.matches),
        score: crate::matching::score(criteria),
        fields,
    }
}
