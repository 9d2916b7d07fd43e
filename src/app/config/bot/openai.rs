//! The keys of `[bot]` that are for a language model: which, what it is told to be, and how much it may see and say.

use std::fs;
use std::num::NonZeroUsize;

use super::for_header;
use crate::app::config::secret::{Secret, Sources};
use crate::app::config::section::Section;
use crate::app::config::tree::{Node, Value};
use crate::app::config::values::Setting;

const API_KEY: Sources = Sources { inline: "api_key", list: None, file: "api_key_file" };
/// So many messages are read for each turn at the most.
const MAX_HISTORY: usize = 200;

#[derive(Clone)]
pub struct OpenAi {
    pub api_key: Option<Secret>,
    pub model: String,
    pub system_prompt: String,
    pub max_tokens: NonZeroUsize,
    pub temperature: Option<f64>,
    pub history: usize,
    pub max_history_chars: usize,
}

/// Without the prompt, which is long.
impl std::fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAi").field("model", &self.model).finish_non_exhaustive()
    }
}

/// How far a model strays.
struct Temperature(f64);

impl Setting for Temperature {
    fn read(node: &Node) -> Result<Self, String> {
        let degrees = match node.value.as_toml() {
            Value::Float(float) => *float,
            Value::Integer(integer) => u8::try_from(*integer).map_or(f64::INFINITY, f64::from),
            other => return Err(format!("is {}; write a number from 0.0 to 2.0", other.kind())),
        };
        if (0.0..=2.0).contains(&degrees) {
            Ok(Self(degrees))
        } else {
            Err("is out of range; write a number from 0.0 to 2.0".to_owned())
        }
    }
}

impl OpenAi {
    pub(super) fn read(section: &mut Section<'_>, needed: bool) -> Option<Self> {
        let api_key = for_header(section, API_KEY);
        let model = if needed {
            section.required("model", "write the model's name, as its server knows it")
        } else {
            section.optional("model")
        };
        let system_prompt = system_prompt(section, needed);
        let max_tokens = section.optional("max_tokens").or(NonZeroUsize::new(500));
        let temperature: Option<Temperature> = section.optional("temperature");
        let history = section.or("history", 20_u64);
        let history = usize::try_from(history).unwrap_or(usize::MAX);
        if history > MAX_HISTORY {
            section.refuse("history", format!("is {history}; write 0 to {MAX_HISTORY}"));
        }
        let max_history_chars = section.or("max_history_chars", 8000_u64);
        Some(Self {
            api_key,
            model: model?,
            system_prompt: system_prompt?,
            max_tokens: max_tokens?,
            temperature: temperature.map(|temperature| temperature.0),
            history,
            max_history_chars: usize::try_from(max_history_chars).unwrap_or(usize::MAX),
        })
    }
}

/// What the model is told to be, there or in a file.
fn system_prompt(section: &mut Section<'_>, needed: bool) -> Option<String> {
    const KEYS: [&str; 2] = ["system_prompt", "system_prompt_file"];
    let inline: Option<String> = section.optional(KEYS[0]);
    let path: Option<String> = section.optional(KEYS[1]);
    let Some(key) = section.only_of(KEYS).ok()? else {
        if needed {
            section.refuse(KEYS[0], "is missing; write what the model is to be and to know, or name a file");
        }
        return None;
    };
    let prompt = if key == KEYS[0] {
        inline?
    } else {
        let path = path?;
        let read = fs::read_to_string(&path);
        let wrong = |error| section.refuse(key, format!("names \"{path}\", which cannot be read: {error}"));
        read.map_err(wrong).ok()?
    };
    let prompt = prompt.trim();
    if prompt.is_empty() {
        section.refuse(key, "is empty; write what the model is to be and to know");
        return None;
    }
    Some(prompt.to_owned())
}
