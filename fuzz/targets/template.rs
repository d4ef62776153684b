//! `cargo fuzz run template --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| humctl_fuzz::template(text));
