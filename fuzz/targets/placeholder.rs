//! `cargo fuzz run placeholder --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| humctl_fuzz::placeholder(text));
