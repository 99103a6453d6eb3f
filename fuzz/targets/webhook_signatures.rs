#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| estore_payments::fuzz::webhook_signatures(bytes));
