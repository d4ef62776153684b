//! `${…}` in Deployment Sets and Resource Definitions, as a typed tree.
//!
//! [`parse`] splits text into literal parts and placeholders; [`reference`]
//! says what a placeholder means, [`expand`]
//! replaces them inside JSON. What a reference resolves to is decided
//! where the Resource Graph is known: `graph/` for the edges, `render/` for
//! the custom resources.

pub mod expand;
pub mod parse;
pub mod reference;

pub use expand::{ExpandError, Expander, Failure, Resolved, nothing_literal, visit_strings};
pub use parse::{ParseError, Part, Template, has_placeholder, parse, protect};
pub use reference::{Projection, Reference, ResourceRef, Selector, SelectorStep, StepDirection, Wanted};
