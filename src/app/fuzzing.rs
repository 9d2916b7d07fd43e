//! Every fuzz target by its name. The targets themselves stand beside what they attack, one `fuzzing.rs` a floor;
//! `fuzz/` runs them on whatever the fuzzer thinks of, the tests here on everything that is kept in `fuzz/seeds` and
//! `fuzz/regressions`.

pub use crate::bot::openai::fuzzing::*;
pub use crate::bot::rasa::fuzzing::*;
pub use crate::bot::webhook::fuzzing::*;
pub use crate::domain::fuzzing::*;
pub use crate::http::fuzzing::*;
pub use crate::provider::twilio::fuzzing::*;
pub use crate::store::embedded::fuzzing::*;
pub use crate::store::export::fuzzing::*;

pub use super::config::fuzzing::*;

pub type Target = fn(&[u8]);

macro_rules! targets {
    ($($name:ident)*) => {
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $name as Target)),*];
    };
}

targets! {
    api_body bot_answer chat_completion configuration cursor export_file export_line fetch_answer follow form init_event keys keywords listing_page media_list phone query rasa_answer receipt records
    segments send_answer signature webhook_text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The inputs kept of one kind, by target.
    fn kept(kind: &str, target: &str) -> Vec<PathBuf> {
        let folder = folder(kind).join(target);
        if !folder.exists() {
            return Vec::new();
        }
        names(&folder).into_iter().map(|name| folder.join(name)).collect()
    }

    #[test]
    fn whatever_is_kept_of_inputs_passes_its_target() {
        for (name, target) in TARGETS {
            let seeds = kept("seeds", name);
            assert!(
                !seeds.is_empty(),
                "{name} has no seeds: the fuzzer would have to guess what they look like"
            );
            for path in seeds.into_iter().chain(kept("regressions", name)) {
                let data = fs::read(&path).unwrap();
                let holds = std::panic::catch_unwind(|| target(&data)).is_ok();
                assert!(holds, "{name} does not hold for {}", path.display());
            }
        }
    }

    #[test]
    fn inputs_are_kept_for_targets_only() {
        let known: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        for kind in ["seeds", "regressions"] {
            let strays: Vec<_> = names(&folder(kind)).difference(&known).cloned().collect();
            assert!(
                strays.is_empty() || strays == ["README.md"],
                "fuzz/{kind} has {strays:?}, which is no target"
            );
        }
    }

    #[test]
    fn every_target_is_run_by_the_fuzzer() {
        let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
        let files = names(&folder("fuzz_targets"));
        assert_eq!(files.len(), TARGETS.len(), "{files:?}");
        for (name, _) in TARGETS {
            let program = fs::read_to_string(folder("fuzz_targets").join(format!("{name}.rs"))).unwrap();
            assert!(
                program.contains(&format!("fuzzing::{name}(")),
                "fuzz_targets/{name}.rs runs another target"
            );
            assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
        }
    }

    #[test]
    fn records_are_read_that_an_older_version_wrote() {
        for path in kept("seeds", "records") {
            let kind = path.file_name().unwrap().to_str().unwrap();
            let read = crate::store::embedded::fuzzing::reads_as(kind, &fs::read(&path).unwrap());
            assert!(read, "{} cannot be read any more", path.display());
        }
    }
}
