//! Keeps the floors of the house. If this fails, the message says which import goes the wrong way, and what to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each floor, and the floors that it may use.
const FLOORS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("provider", &["domain"]),
    ("bot", &["domain"]),
    ("notify", &["domain"]),
    ("gateway", &["domain", "store", "provider", "bot", "notify"]),
    ("http", &["domain", "store", "provider", "bot", "notify", "gateway"]),
    ("app", &["domain", "store", "provider", "bot", "notify", "gateway", "http"]),
];

/// What is swapped by configuration: its name is known in its own folder and in `app`, nowhere else.
const ADAPTERS: [(&str, &[&str]); 4] = [
    ("notify", &["webhook", "slack"]),
    ("store", &["embedded", "memory", "postgres"]),
    ("provider", &["twilio", "simulator"]),
    ("bot", &["webhook", "rasa", "openai", "init", "echo", "none"]),
];

/// Crates that do I/O, and the only places where they may be used.
const CRATES: [(&str, &[&str]); 7] = [
    ("sled", &["src/store/embedded/sled"]),
    ("fjall", &["src/store/embedded/fjall"]),
    ("tokio_postgres", &["src/store/postgres", "src/app"]),
    ("axum", &["src/http", "src/app", "src/provider/simulator"]),
    ("reqwest", &["src/provider", "src/notify", "src/bot", "src/app"]),
    ("utoipa", &["src/http"]),
    ("clap", &["src/app", "src/main.rs"]),
];

struct Source {
    path: String,
    /// Without comments, and without the tests at its foot.
    code: String,
}

impl Source {
    /// `src/gateway/turns.rs` stands on the floor `gateway`.
    fn floor(&self) -> Option<&str> {
        let mut parts = self.path.split('/').skip(1);
        parts.next().filter(|_| parts.next().is_some())
    }
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files);
    assert!(
        files.len() > 40,
        "only {} source files were found: is this run from the repository's root?",
        files.len()
    );
    files.into_iter().map(|path| read(&path)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            // A folder of tests may stand on anything.
            true if name == "tests" => {}
            true => collect(&path, files),
            false if path.extension().is_some_and(|kind| kind == "rs") && name != "tests.rs" => {
                files.push(path);
            }
            false => {}
        }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    Source { path: path.to_string_lossy().replace('\\', "/"), code }
}

/// The first names after `crate::`, one level deep or two: `crate::store::memory` gives (`store`, `memory`).
fn uses(code: &str) -> BTreeSet<(String, Option<String>)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .map(|(at, found)| {
            let floor = word(&code[at + found.len()..]);
            let rest = &code[at + found.len() + floor.len()..];
            (floor, rest.strip_prefix("::").map(word).filter(|inner| !inner.is_empty()))
        })
        .collect()
}

#[test]
fn each_floor_stands_only_on_those_below_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(floor) = source.floor() else { continue };
        let (_, below) = FLOORS.iter().find(|(name, _)| *name == floor).unwrap_or_else(|| {
            panic!("{} stands on no floor: src/ has exactly the floors of FLOORS in this test", source.path)
        });
        for (used, _) in uses(&source.code) {
            let known = FLOORS.iter().any(|(name, _)| *name == used);
            if known && used != floor && !below.contains(&used.as_str()) {
                wrong.push(format!("{} (on floor `{floor}`) uses `crate::{used}`", source.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "Imports go down only: domain <- store, provider, bot, notify <- gateway <- http <- app.\n\
         A rule that two floors need belongs into `domain`; something that a lower floor must ask of a higher one\n\
         becomes a value or a trait of the lower one.\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn only_app_names_an_engine_a_provider_or_a_bot() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (floor, adapters) in ADAPTERS {
            for adapter in adapters {
                let home = source.path.starts_with(&format!("src/{floor}/{adapter}/"));
                let named = uses(&source.code).contains(&(floor.to_owned(), Some((*adapter).to_owned())));
                if named && !home && source.floor() != Some("app") {
                    wrong.push(format!("{} names `{floor}::{adapter}`", source.path));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "Engines, providers and bots are chosen by the configuration, in `app`. Everybody else asks the trait,\n\
         and the adapters know nothing of one another.\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn input_and_output_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (krate, homes) in CRATES {
            let used = source.code.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("use {krate}::"))
                    || line.starts_with(&format!("use {krate};"))
                    || line.contains(&format!(" {krate}::"))
                    || line.contains(&format!("({krate}::"))
                    || line.contains(&format!("<{krate}::"))
            });
            if used && !homes.iter().any(|home| source.path.starts_with(home)) {
                wrong.push(format!("{} uses the crate `{krate}`", source.path));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "These crates are kept to their places (CRATES in this test), so that the use-cases can be run without them.\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn the_way_out_has_one_door() {
    // The server that the Twilio adapter's tests talk to has its client beside it.
    let homes = ["src/app/outside/", "src/provider/twilio/scripted_server.rs"];
    let makes = ["Client::builder(", "Client::new(", "ClientBuilder::new(", "ClientBuilder::default("];
    let wrong: Vec<_> = sources()
        .into_iter()
        .filter(|source| !homes.iter().any(|home| source.path.starts_with(home)))
        .filter(|source| makes.iter().any(|make| source.code.contains(&format!("reqwest::{make}"))))
        .map(|source| source.path)
        .collect();
    assert!(
        wrong.is_empty(),
        "Every HTTP client is built in `app::outside`, so that it calls nothing inside and follows no redirect.\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|source| !fs::read_to_string(&source.path).unwrap().starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert!(
        silent.is_empty(),
        "The first line of a file says what it owns (`//! …`). These do not:\n  {}",
        silent.join("\n  ")
    );
}

#[test]
fn the_gateway_leaves_nothing_to_chance() {
    let mut chance = Vec::new();
    for source in sources().into_iter().filter(|source| source.floor() == Some("gateway")) {
        for (at, found) in source.code.match_indices("select! {") {
            if !source.code[at + found.len()..].trim_start().starts_with("biased;") {
                chance.push(format!("{}: a `select!` that is not `biased`", source.path));
            }
        }
    }
    assert!(
        chance.is_empty(),
        "The same events in the same order give the same run: that is what lets `tests/simulation` replay a failure.\n\
         Begin every `select!` with `biased;`, the stop first.\n  {}",
        chance.join("\n  ")
    );
}
