//! `cargo fuzz run score --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| humctl_fuzz::score(text));
