//! The nouns of the Humanitec API: request, response and manifest types.
//!
//! Plain data with serde derives; no IO and no policy. Types that a server
//! answers with are tolerant (unknown fields are ignored, unknown words of an
//! enumeration are kept); whether a *manifest* has unknown keys is found by its
//! reader, which knows the positions.

pub mod application;
pub mod change;
pub mod check;
pub mod custom_resource;
pub mod definition;
pub mod delta;
pub mod deployment;
pub mod driver;
pub mod endpoint;
pub mod environment;
pub mod error;
pub mod id;
pub mod kind;
pub mod manifest;
pub mod pipeline;
pub mod plain;
pub mod resource;
pub mod resource_type;
pub mod score;
pub mod secret;
pub mod set;
pub mod time;
pub mod user;
pub mod value;
