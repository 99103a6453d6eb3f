#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estore_users::fuzz::customer_files(bytes));
