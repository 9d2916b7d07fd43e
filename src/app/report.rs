//! What a command says to whoever ran it: results on stdout, complaints on stderr. Not for logs.

use std::io::Write;

use super::cli::Format;

/// A result. A reader who has gone away is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()));
}

/// Why it did not work.
pub fn complain(text: &str) {
    let mut out = std::io::stderr().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

/// The same result for people or for programs.
pub fn result(format: Format, json: &serde_json::Value, text: &str) {
    match format {
        Format::Json => print(&json.to_string()),
        Format::Text => print(text),
    }
}
