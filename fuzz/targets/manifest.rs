//! `cargo fuzz run manifest --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| humctl_fuzz::manifest(text));
