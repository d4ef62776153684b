//! Matching Criteria → the winning Resource Definition
//! (spec/resource-model.md §4).
//!
//! A rule matches when every field it names equals the context, so the
//! candidates for a resource are known beforehand: for each combination of
//! named fields there is one possible rule. The combinations that occur are
//! looked up from the most specific down, which makes matching independent of
//! how many Definitions there are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use humctl_api_types::definition::{MatchingCriteria, MatchingCriteriaRule, ResourceDefinition};
use humctl_api_types::id::{Class, DefinitionId};

use crate::context::{EnvironmentContext, ResourceKey};

/// The Resource Definitions of an Organization, ready to be matched.
#[derive(Debug, Default)]
pub struct Definitions<'a> {
    by_type: HashMap<&'a str, OfType<'a>>,
}

/// The Definitions of one Resource Type.
#[derive(Debug, Default)]
struct OfType<'a> {
    all: Vec<&'a ResourceDefinition>,
    of_org: Rules<'a>,
    defaults: Rules<'a>,
}

/// Rules by what they ask for.
#[derive(Debug, Default)]
struct Rules<'a> {
    /// Bit `n` is set when some rule names the combination of fields `n`.
    combinations: u16,
    by_key: HashMap<RuleKey<'a>, Vec<Rule<'a>>>,
}

/// A Definition together with the rule that selected it.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The Definition.
    pub definition: &'a ResourceDefinition,
    /// One of its rules.
    pub criteria: &'a MatchingCriteria,
}

impl Rule<'_> {
    /// Specificity without the class, which is equal among candidates:
    /// env type 1, app 2, environment 4, resource id 8.
    #[must_use]
    pub fn score(&self) -> u8 {
        score(self.criteria)
    }
}

/// Specificity of a rule, as [`Rule::score`] has it.
#[must_use]
pub fn score(criteria: &MatchingCriteria) -> u8 {
    u8::from(criteria.env_type.is_some())
        + 2 * u8::from(criteria.app_id.is_some())
        + 4 * u8::from(criteria.env_id.is_some())
        + 8 * u8::from(criteria.res_id.is_some())
}

/// Resources that are provisioned from a chosen version of their Definition
/// instead of its active one (spec/resource-model.md §1.6).
#[derive(Debug, Clone, Default)]
pub struct Pins(BTreeMap<ResourceKey, Pin>);

/// The version that one resource is pinned to.
#[derive(Debug, Clone)]
pub struct Pin {
    /// Id of the version.
    pub version: String,
    /// The Definition as that version has it, or why it cannot be used.
    pub definition: PinnedDefinition,
}

/// What became of a pinned version.
#[derive(Debug, Clone)]
pub enum PinnedDefinition {
    /// The Definition as the version has it, with that version as its active
    /// one; its criteria play no part.
    Usable(Box<ResourceDefinition>),
    /// It was archived, and may not be used any more.
    Archived,
    /// There is no such version.
    Missing,
}

impl Pins {
    /// No resource is pinned.
    pub const NONE: Self = Self(BTreeMap::new());

    /// The pin of a resource.
    #[must_use]
    pub fn get(&self, resource: &ResourceKey) -> Option<&Pin> {
        self.0.get(resource)
    }
}

impl FromIterator<(ResourceKey, Pin)> for Pins {
    fn from_iter<I: IntoIterator<Item = (ResourceKey, Pin)>>(pins: I) -> Self {
        Self(pins.into_iter().collect())
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RuleKey<'a> {
    class: &'a str,
    res_id: Option<&'a str>,
    env_id: Option<&'a str>,
    app_id: Option<&'a str>,
    env_type: Option<&'a str>,
}

impl<'a> Rules<'a> {
    fn add(&mut self, rule: Rule<'a>) {
        let criteria = rule.criteria;
        self.combinations |= 1 << rule.score();
        let key = RuleKey {
            class: criteria.class.as_str(),
            res_id: criteria.res_id.as_ref().map(AsRef::as_ref),
            env_id: criteria.env_id.as_ref().map(AsRef::as_ref),
            app_id: criteria.app_id.as_ref().map(AsRef::as_ref),
            env_type: criteria.env_type.as_ref().map(AsRef::as_ref),
        };
        self.by_key.entry(key).or_default().push(rule);
    }

    /// The rules that hold, most specific first. Those that share a place in
    /// the order are equal rules.
    fn holding<'q>(
        &'q self,
        context: &'q EnvironmentContext,
        resource: &'q ResourceKey,
    ) -> impl Iterator<Item = &'q [Rule<'a>]> + 'q {
        // The number of a combination is its score, so counting down goes from
        // the most specific rule to the least.
        (0..16_u8).rev().filter(|fields| self.combinations & (1 << fields) != 0).filter_map(move |fields| {
            let named = |bit: u8, value| (fields & bit != 0).then_some(value);
            let key = RuleKey {
                class: resource.class.as_str(),
                res_id: named(8, resource.id.as_str()),
                env_id: named(4, context.env.as_str()),
                app_id: named(2, context.app.as_str()),
                env_type: named(1, context.env_type.as_str()),
            };
            self.by_key.get(&key).map(Vec::as_slice)
        })
    }
}

/// Why a resource has no Definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchError {
    /// No rule of any Definition holds.
    NoMatch,
    /// Several Definitions have the very same rule.
    Ambiguous(Vec<DefinitionId>),
}

/// How far one rule is from matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The Definition.
    pub definition: DefinitionId,
    /// Each field that differs; empty when the Definition has no rules at all.
    pub differences: Vec<Difference>,
}

/// A field of a rule that the context does not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the field.
    pub field: &'static str,
    /// What the rule asks for.
    pub wanted: String,
    /// What the context has.
    pub actual: String,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.definition)?;
        if self.differences.is_empty() {
            return f.write_str("has no Matching Criteria, so it is never chosen");
        }
        for (index, difference) in self.differences.iter().enumerate() {
            let Difference { field, wanted, actual } = difference;
            let lead = if index == 0 { "asks for" } else { "; and for" };
            write!(f, "{lead} {field} `{wanted}`, here it is `{actual}`")?;
        }
        Ok(())
    }
}

impl<'a> Definitions<'a> {
    /// Indexes Definitions; deleted ones never match.
    #[must_use]
    pub fn new(definitions: impl IntoIterator<Item = &'a ResourceDefinition>) -> Self {
        let mut by_type: HashMap<&'a str, OfType<'a>> = HashMap::new();
        for definition in definitions.into_iter().filter(|definition| !definition.is_deleted) {
            let of_type = by_type.entry(definition.res_type.as_str()).or_default();
            of_type.all.push(definition);
            let rules = if definition.is_default { &mut of_type.defaults } else { &mut of_type.of_org };
            definition.criteria.iter().for_each(|criteria| rules.add(Rule { definition, criteria }));
        }
        Self { by_type }
    }

    /// True when any Definition is of this type.
    #[must_use]
    pub fn has_type(&self, res_type: &str) -> bool {
        self.by_type.contains_key(res_type)
    }

    /// The Definitions of a type, in no particular order.
    #[must_use]
    pub fn of_type(&self, res_type: &str) -> &[&'a ResourceDefinition] {
        self.by_type.get(res_type).map(|of_type| of_type.all.as_slice()).unwrap_or_default()
    }

    /// Finds the Definition for a resource. Those of the Organization come
    /// before the built-in defaults, whatever the specificity.
    ///
    /// # Errors
    /// [`MatchError`] when there is none, or no single one.
    pub fn match_definition(
        &self,
        context: &EnvironmentContext,
        resource: &ResourceKey,
    ) -> Result<Rule<'a>, MatchError> {
        self.match_without(None, context, resource)
    }

    /// As [`Self::match_definition`], as if one Definition did not exist.
    ///
    /// # Errors
    /// [`MatchError`] when there is none, or no single one.
    pub fn match_without(
        &self,
        without: Option<&DefinitionId>,
        context: &EnvironmentContext,
        resource: &ResourceKey,
    ) -> Result<Rule<'a>, MatchError> {
        let Some(of_type) = self.by_type.get(resource.res_type.as_str()) else { return Err(MatchError::NoMatch) };
        let holding = [&of_type.of_org, &of_type.defaults].into_iter().flat_map(|r| r.holding(context, resource));
        for equal in holding {
            let mut rules = equal.iter().filter(|rule| Some(&rule.definition.id) != without);
            match (rules.next(), rules.next()) {
                (None, _) => {}
                (Some(rule), None) => return Ok(*rule),
                (Some(_), Some(_)) => {
                    let mut ids: Vec<_> = equal.iter().map(|rule| rule.definition.id.clone()).collect();
                    ids.retain(|id| Some(id) != without);
                    ids.sort();
                    ids.dedup();
                    if let [_] = ids.as_slice() {
                        // A rule that one Definition has twice does no harm.
                        return equal
                            .iter()
                            .find(|rule| rule.definition.id == ids[0])
                            .copied()
                            .ok_or(MatchError::NoMatch);
                    }
                    return Err(MatchError::Ambiguous(ids));
                }
            }
        }
        Err(MatchError::NoMatch)
    }

    /// Every Definition of the resource's type with what keeps it from
    /// matching, nearest first.
    #[must_use]
    pub fn near_misses(&self, context: &EnvironmentContext, resource: &ResourceKey) -> Vec<NearMiss> {
        let mut misses: Vec<NearMiss> = self
            .of_type(resource.res_type.as_str())
            .iter()
            .map(|definition| NearMiss {
                definition: definition.id.clone(),
                differences: definition
                    .criteria
                    .iter()
                    .map(|criteria| differences(criteria, context, resource))
                    .min_by_key(Vec::len)
                    .unwrap_or_default(),
            })
            .collect();
        misses.sort_by(|a, b| {
            let rank = |miss: &NearMiss| if miss.differences.is_empty() { usize::MAX } else { miss.differences.len() };
            (rank(a), &a.definition).cmp(&(rank(b), &b.definition))
        });
        misses
    }
}

/// Rules as they are stored: the class written out, and an id that follows from
/// Definition and content, so that loading them again is stable
/// (spec/resource-model.md §1.1, §4).
#[must_use]
pub fn stored_criteria(definition: &DefinitionId, rules: &[MatchingCriteriaRule]) -> Vec<MatchingCriteria> {
    rules
        .iter()
        .map(|rule| {
            let mut criteria = MatchingCriteria {
                id: String::new(),
                env_type: rule.env_type.clone(),
                app_id: rule.app_id.clone(),
                env_id: rule.env_id.clone(),
                res_id: rule.res_id.clone(),
                class: rule.class.clone().unwrap_or_else(Class::default_class),
            };
            let canonical = canonical_rule(&criteria);
            criteria.id = crate::hash::sha256_hex(format!("{definition}\0{canonical}").as_bytes())[..16].to_owned();
            criteria
        })
        .collect()
}

/// The content of a rule as canonical JSON: equal rules have the equal text.
#[must_use]
pub fn canonical_rule(criteria: &MatchingCriteria) -> String {
    crate::json::canonical(&crate::json::to_value(&criteria.rule()))
}

/// The fields of a rule from the most specific down: name, what the rule asks
/// for, what the resource has.
#[must_use]
pub fn compared<'c>(
    criteria: &'c MatchingCriteria,
    context: &'c EnvironmentContext,
    resource: &'c ResourceKey,
) -> [(&'static str, Option<&'c str>, &'c str); 5] {
    [
        ("class", Some(criteria.class.as_str()), resource.class.as_str()),
        ("res_id", criteria.res_id.as_ref().map(AsRef::as_ref), resource.id.as_str()),
        ("env_id", criteria.env_id.as_ref().map(AsRef::as_ref), context.env.as_str()),
        ("app_id", criteria.app_id.as_ref().map(AsRef::as_ref), context.app.as_str()),
        ("env_type", criteria.env_type.as_ref().map(AsRef::as_ref), context.env_type.as_str()),
    ]
}

fn differences(criteria: &MatchingCriteria, context: &EnvironmentContext, resource: &ResourceKey) -> Vec<Difference> {
    compared(criteria, context, resource)
        .into_iter()
        .filter_map(|(field, wanted, actual)| {
            let wanted = wanted.filter(|wanted| *wanted != actual)?;
            Some(Difference { field, wanted: wanted.to_owned(), actual: actual.to_owned() })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::context::tests::{context, key};
    use serde_json::{Value, json};

    /// A Definition from the parts that matter to a test.
    pub(crate) fn definition(id: &str, res_type: &str, rest: &Value) -> ResourceDefinition {
        let mut body = json!({
            "org_id": "acme", "id": id, "name": id, "type": res_type, "driver_type": "acme/terraform",
            "active_version_id": "", "created_at": "", "created_by": "",
        });
        for (field, value) in rest.as_object().unwrap() {
            body[field] = value.clone();
        }
        if let Some(rules) = body.get_mut("criteria").and_then(Value::as_array_mut) {
            for (index, rule) in rules.iter_mut().enumerate() {
                rule["id"] = json!(format!("rule-{index}"));
            }
        }
        serde_json::from_value(body).unwrap()
    }

    fn postgres(rules: &[(&str, Value)]) -> Vec<ResourceDefinition> {
        rules.iter().map(|(id, criteria)| definition(id, "postgres", &json!({ "criteria": criteria }))).collect()
    }

    fn winner(rules: &[(&str, Value)]) -> Result<(String, u8), MatchError> {
        let definitions = postgres(rules);
        Definitions::new(&definitions)
            .match_definition(&context(), &key("postgres.default#modules.w.externals.x"))
            .map(|rule| (rule.definition.id.to_string(), rule.score()))
    }

    #[test]
    fn the_most_specific_rule_wins() {
        // The decision samples of spec/resource-model.md §4.
        let won = |id: &str, score| Ok((id.to_owned(), score));
        let rules = [
            ("aaa", json!([{"env_type": "development"}])),
            ("bbb", json!([{"env_type": "development", "app_id": "shop"}])),
        ];
        assert_eq!(winner(&rules), won("bbb", 3));
        let rules = [
            ("aaa", json!([{"env_type": "development", "app_id": "shop"}])),
            ("bbb", json!([{"env_id": "development"}])),
        ];
        assert_eq!(winner(&rules), won("bbb", 4));
        let rules = [
            ("aaa", json!([{"app_id": "shop", "env_id": "development", "env_type": "development"}])),
            ("bbb", json!([{"res_id": "modules.w.externals.x"}])),
        ];
        assert_eq!(winner(&rules), won("bbb", 8));
        let rules = [("aaa", json!([{"class": "fast"}])), ("bbb", json!([{}]))];
        assert_eq!(winner(&rules), won("bbb", 0));
    }

    #[test]
    fn a_rule_without_a_class_is_for_class_default() {
        let definitions = postgres(&[("any", json!([{}])), ("big", json!([{"class": "big"}]))]);
        let definitions = Definitions::new(&definitions);
        for (resource, expected) in [
            ("postgres.default#shared.db", Ok("any")),
            ("postgres.big#shared.db", Ok("big")),
            ("postgres.rw#shared.db", Err(MatchError::NoMatch)),
        ] {
            let found = definitions.match_definition(&context(), &key(resource));
            assert_eq!(found.map(|rule| rule.definition.id.as_str()), expected, "{resource}");
        }
    }

    #[test]
    fn a_rule_that_one_definition_has_twice_does_no_harm() {
        assert_eq!(winner(&[("aaa", json!([{}, {}]))]), Ok(("aaa".to_owned(), 0)));
    }

    #[test]
    fn no_criteria_never_match_and_every_named_field_must_hold() {
        assert_eq!(winner(&[("aaa", json!([]))]), Err(MatchError::NoMatch));
        let rules = [("aaa", json!([{"env_id": "development", "env_type": "production"}]))];
        assert_eq!(winner(&rules), Err(MatchError::NoMatch));
    }

    #[test]
    fn equal_rules_are_ambiguous() {
        let rules = [("bbb", json!([{}])), ("aaa", json!([{}]))];
        let ids = ["aaa", "bbb"].map(|id| DefinitionId::new(id).unwrap());
        assert_eq!(winner(&rules), Err(MatchError::Ambiguous(ids.to_vec())));
    }

    #[test]
    fn defaults_rank_below_every_definition_of_the_organization() {
        let mut definitions = postgres(&[("aaa", json!([{"res_id": "modules.w.externals.x"}])), ("bbb", json!([{}]))]);
        definitions[0].is_default = true;
        let definitions = Definitions::new(&definitions);
        let rule = definitions.match_definition(&context(), &key("postgres.default#modules.w.externals.x")).unwrap();
        assert_eq!(rule.definition.id.as_str(), "bbb");
    }

    #[test]
    fn near_misses_say_which_field_differs() {
        let definitions = postgres(&[
            ("far", json!([{"app_id": "other", "env_type": "production"}])),
            ("none", json!([])),
            ("near", json!([{"app_id": "other", "env_id": "x1"}, {"env_type": "production"}])),
        ]);
        let misses = Definitions::new(&definitions).near_misses(&context(), &key("postgres.default#shared.db"));
        let shown: Vec<String> = misses.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "`near` asks for env_type `production`, here it is `development`",
                "`far` asks for app_id `other`, here it is `shop`; and for env_type `production`, here it is `development`",
                "`none` has no Matching Criteria, so it is never chosen",
            ]
        );
    }
}
