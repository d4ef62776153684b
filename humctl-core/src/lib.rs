//! core
pub mod hash;
pub mod json;
pub mod yaml;
pub mod decode;
pub mod secret;
pub mod placeholder;
pub mod set;
pub mod context;
pub mod matching;
pub mod builtin;
pub mod graph;
pub mod score;
pub mod driver;
pub mod plan;
pub mod render;
pub mod git;
pub mod state;
