//! Secrets: how they are written, where else they may come from, and that nothing prints them.

use std::fmt;
use std::fs;
use std::io;

use super::section::Section;
use crate::domain::signature::SigningKey;

/// A text that must not be shown. `Debug` prints a dot row; there is no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for whoever signs or authenticates with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The keys that one secret can come from. Only one of them may be used.
#[derive(Clone, Copy)]
pub struct Sources {
    pub inline: &'static str,
    /// Several at once, the newest first, while one replaces another.
    pub list: Option<&'static str>,
    pub file: &'static str,
}

/// With what is signed for others, as Standard Webhooks has it.
pub const SIGNING: Sources = Sources { inline: "secret", list: Some("secrets"), file: "secret_file" };

/// Those secrets. `told`: whoever has to know them, where there has to be one.
pub fn signing(section: &mut Section<'_>, told: Option<&str>) -> Vec<Secret> {
    let secrets = SIGNING.read(section);
    if let Some(wrong) = secrets.iter().find_map(|secret| SigningKey::parse(secret.expose()).err()) {
        section.refuse(SIGNING.used_in(section), format!("cannot sign: {wrong}"));
    }
    if let (Some(told), false) = (told, SIGNING.any_in(section)) {
        let mend = format!("write \"whsec_\" and 24 to 64 random bytes in base64, and tell {told}");
        section.refuse(SIGNING.inline, format!("is missing; {mend}"));
    }
    secrets
}

impl Sources {
    fn names(self) -> impl Iterator<Item = &'static str> {
        [Some(self.inline), self.list, Some(self.file)].into_iter().flatten()
    }

    pub fn any_in(self, section: &Section<'_>) -> bool {
        self.names().any(|key| section.has(key))
    }

    /// The first key that is used, or else the one to write.
    pub fn used_in(self, section: &Section<'_>) -> &'static str {
        self.names().find(|key| section.has(key)).unwrap_or(self.inline)
    }

    /// All secrets that are given; empty if there are none, or if they are wrong and reported.
    pub fn read(self, section: &mut Section<'_>) -> Vec<Secret> {
        let inline: Option<String> = section.optional(self.inline);
        let list: Option<Vec<String>> = self.list.and_then(|key| section.optional(key));
        let file: Option<String> = section.optional(self.file);
        let Ok(used) = section.only_of(self.names()) else { return Vec::new() };
        let empty = list.as_ref().is_some_and(Vec::is_empty);
        let from_file = file.filter(|_| used == Some(self.file)).map(|path| self.read_file(section, &path));
        let list = list.filter(|_| used.is_some() && used == self.list);
        let found = from_file.or(list).or(inline.map(|secret| vec![secret])).unwrap_or_default();
        if let (Some(key), true) = (used, empty || found.iter().any(|secret| secret.trim().is_empty())) {
            section.refuse(key, "is empty; write the secret, or leave the key out");
        }
        found.into_iter().map(Secret).collect()
    }

    /// One secret. A file's white space around it is not part of it; where several are taken, it has one a line.
    fn read_file(self, section: &Section<'_>, path: &str) -> Vec<String> {
        match fs::read_to_string(path) {
            Ok(text) => {
                if is_world_readable(path).unwrap_or(false) {
                    section.warn(self.file, format!("can be read by everybody; run `chmod 600 {path}`"));
                }
                match self.list {
                    Some(_) if !text.trim().is_empty() => text
                        .lines()
                        .map(str::trim)
                        .filter(|line| !line.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    _ => vec![text.trim().to_owned()],
                }
            }
            Err(error) => {
                section.refuse(self.file, format!("names \"{path}\", which cannot be read: {error}"));
                Vec::new()
            }
        }
    }
}

#[cfg(unix)]
fn is_world_readable(path: &str) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_world_readable(_path: &str) -> io::Result<bool> {
    Ok(false)
}
