#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estore_users::fuzz::access_tokens(bytes));
