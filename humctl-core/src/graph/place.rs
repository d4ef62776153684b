//! Which placeholder may stand where in a Deployment Set
//! (spec/resource-model.md §5.3).

use crate::placeholder::Reference;

/// A kind of place in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetPlace {
    /// Labels and annotations, which go onto objects.
    Label,
    /// A variable of a container.
    Variable,
    /// A file of a container.
    File,
    /// Resource inputs.
    Params,
    /// Anything else in a module.
    Other,
}

impl SetPlace {
    /// The kind of place that a JSON pointer into a module, or into a shared
    /// resource, leads to.
    pub(super) fn of(pointer: &str) -> Self {
        let parts: Vec<&str> = pointer.split('/').skip(1).collect();
        match parts.as_slice() {
            ["spec", "labels" | "annotations", ..]
            | ["spec", "pod" | "deployment" | "service", "labels" | "annotations", ..] => Self::Label,
            ["spec", "containers", _, "variables", ..] => Self::Variable,
            ["spec", "containers", _, "files", ..] => Self::File,
            ["externals", _, "params", ..] | ["params", ..] => Self::Params,
            _ => Self::Other,
        }
    }

    /// Says why a placeholder may not stand here; `is_whole` when there is
    /// nothing but it in the string.
    pub(super) fn refuses(self, reference: &Reference, is_whole: bool) -> Option<&'static str> {
        match (reference, self) {
            (Reference::Pod(_), Self::Variable) if is_whole => None,
            (Reference::Pod(_), Self::Variable) => Some("a field of the pod must be the whole variable"),
            (Reference::Pod(_), _) => Some("a field of the pod can only be the value of a variable"),
            (Reference::Container { .. }, Self::Variable | Self::File) => None,
            (Reference::Container { .. }, _) => Some("limits of a container stand in variables and files only"),
            (Reference::ModuleExternal(..), Self::Label) => {
                Some("a label cannot show an output of another Workload's resource")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placeholder::parse;

    #[test]
    fn the_catalogue_says_what_may_stand_where() {
        // Rows of spec/resource-model.md §5.3: placeholder, then label, variable, file, params.
        for (text, expected) in [
            ("${context.app.id}", [true, true, true, true]),
            ("${values.KEY}", [true, true, true, true]),
            ("${externals.db.host}", [true, true, true, true]),
            ("${shared.dns.host}", [true, true, true, true]),
            ("${modules.api.service.name}", [true, true, true, true]),
            ("${modules.api.externals.db.host}", [false, true, true, true]),
            ("${containers.main.limits.cpu}", [false, true, true, false]),
            ("${pod.metadata.namespace}", [false, true, false, false]),
        ] {
            let reference = Reference::from_tokens(parse(text).unwrap().single().unwrap()).unwrap();
            let places =
                ["/spec/pod/labels/x", "/spec/containers/c/variables/X", "/spec/containers/c/files/~1f/content"];
            let places = places.into_iter().chain(["/externals/www/params/host"]);
            let found: Vec<bool> = places.map(|at| SetPlace::of(at).refuses(&reference, true).is_none()).collect();
            assert_eq!(found, expected, "{text}");
        }
        let pod = Reference::Pod("metadata.name".to_owned());
        assert!(SetPlace::Variable.refuses(&pod, false).is_some(), "only as the whole variable");
    }
}
