//! `[log]`: how much is logged, and in which form.

use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    pub level: tracing::Level,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON anywhere else.
    Auto,
    Pretty,
    Json,
}

impl Setting for LogFormat {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("auto", Self::Auto), ("pretty", Self::Pretty), ("json", Self::Json)])
    }
}

impl Setting for tracing::Level {
    fn read(node: &Node) -> Result<Self, String> {
        let levels = [
            ("error", Self::ERROR),
            ("warn", Self::WARN),
            ("info", Self::INFO),
            ("debug", Self::DEBUG),
            ("trace", Self::TRACE),
        ];
        choice(node, &levels)
    }
}

impl LogSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let level = section.or("level", tracing::Level::INFO);
        let format = section.or("format", LogFormat::Auto);
        section.finish();
        Self { level, format }
    }
}
