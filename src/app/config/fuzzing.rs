//! What must hold for any configuration: it is read, or all that is wrong with it is said. The body of a target in
//! `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use super::{Problems, read};

/// Parts the file from the lines `NAME=value` of the environment.
const ENVIRONMENT: &str = "\n# environment\n";

pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // Whatever file it named would be read.
    if text.contains("_file") || text.contains("_FILE") {
        return;
    }
    let (file, environment) = text.split_once(ENVIRONMENT).unwrap_or((&text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match read(file, variables).0 {
        Ok(config) => assert!(!format!("{config:?}").is_empty()),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let told = Problems::new("config.toml".into(), problems).to_string();
            assert!(
                told.contains("config.toml") || told.contains("SWITCHBOARD__"),
                "no place is named: {told}"
            );
        }
    }
}
