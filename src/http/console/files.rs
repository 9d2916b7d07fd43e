//! The console's files, carried by the program. A test compares this list with the folder.

use sha2::{Digest, Sha256};

use crate::domain::digest;

/// One file.
pub struct File {
    pub name: &'static str,
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal $path:literal;)*) => {
        const FILES: &[File] = &[
            $(File { name: $name, bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)) },)*
        ];
    };
}

files! {
    "client.mjs" "clients/javascript/client.mjs";
    "alerts.js" "console/alerts.js";
    "announcer.js" "console/announcer.js";
    "api.js" "console/api.js";
    "attention.js" "console/attention.js";
    "bubble.js" "console/bubble.js";
    "clock.js" "console/clock.js";
    "colours.css" "console/colours.css";
    "composer.css" "console/composer.css";
    "composer.js" "console/composer.js";
    "console.webmanifest" "console/console.webmanifest";
    "controls.css" "console/controls.css";
    "conversation.js" "console/conversation.js";
    "count-line.js" "console/count-line.js";
    "desk.css" "console/desk.css";
    "desk.js" "console/desk.js";
    "details.js" "console/details.js";
    "dialogs.css" "console/dialogs.css";
    "dialogs.js" "console/dialogs.js";
    "dom.js" "console/dom.js";
    "drafts.js" "console/drafts.js";
    "frame.js" "console/frame.js";
    "gate-notice.js" "console/gate-notice.js";
    "handover.js" "console/handover.js";
    "heard.js" "console/heard.js";
    "help.js" "console/help.js";
    "icon.svg" "console/icon.svg";
    "icons.js" "console/icons.js";
    "inbox-feed.js" "console/inbox-feed.js";
    "inbox-list.js" "console/inbox-list.js";
    "inbox-row.js" "console/inbox-row.js";
    "inbox-views.js" "console/inbox-views.js";
    "inbox.css" "console/inbox.css";
    "inbox.js" "console/inbox.js";
    "index.html" "console/index.html";
    "labels.js" "console/labels.js";
    "live.js" "console/live.js";
    "main.js" "console/main.js";
    "may-write.js" "console/may-write.js";
    "outbox.js" "console/outbox.js";
    "picker.js" "console/picker.js";
    "plain-characters.js" "console/plain-characters.js";
    "preferences.js" "console/preferences.js";
    "problems.js" "console/problems.js";
    "route.js" "console/route.js";
    "row-window.js" "console/row-window.js";
    "search.js" "console/search.js";
    "segments.js" "console/segments.js";
    "settings.js" "console/settings.js";
    "shortcuts.js" "console/shortcuts.js";
    "sign-in.js" "console/sign-in.js";
    "suggestions.js" "console/suggestions.js";
    "switch.js" "console/switch.js";
    "theme.js" "console/theme.js";
    "thread-head.js" "console/thread-head.js";
    "thread-log.js" "console/thread-log.js";
    "thread.css" "console/thread.css";
    "thread.js" "console/thread.js";
    "toasts.js" "console/toasts.js";
    "typing-signal.js" "console/typing-signal.js";
    "words.js" "console/words.js";
}

pub fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

impl File {
    /// Another one for another content.
    pub fn tag(&self) -> String {
        let hash: [u8; 32] = Sha256::digest(self.bytes).into();
        format!("\"{}\"", &digest::hex(&hash)[..16])
    }

    pub fn content_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js" | "mjs") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("webmanifest") => "application/manifest+json",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_carried() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/console")).unwrap();
        let entries = folder.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
        let there: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(there.len() > 10, "{there:?}");
        for name in &there {
            assert!(find(name).is_some(), "add {name} to the list");
        }
        for file in FILES {
            assert_ne!(file.content_type(), "application/octet-stream", "{}", file.name);
        }
    }
}
