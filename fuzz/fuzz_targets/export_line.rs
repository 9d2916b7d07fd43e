#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard::app::fuzzing::export_line(data));
