//! `semver` and `semverCompare`.

use std::rc::Rc;

use super::Param::Text;
use super::{Function, exact};
use crate::template::error::{Failure, Outcome};
use crate::template::semver::{Constraints, Version};
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    exact("semver", &[Text], |args, _| Ok(Value::Version(Rc::new(version(args.text(0))?)))),
    exact("semverCompare", &[Text, Text], |args, _| {
        let constraints = Constraints::parse(args.text(0)).map_err(Failure::new)?;
        Ok(Value::Bool(constraints.holds_for(&version(args.text(1))?)))
    }),
];

fn version(text: &str) -> Outcome<Version> {
    Version::parse(text).ok_or_else(|| Failure::new("Invalid Semantic Version"))
}
