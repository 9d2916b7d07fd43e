//! The fields of a JSON object, asked for one by one. Keeps every complaint; what is left over is one, too.

use serde_json::{Map, Value};

use super::FromJson;
use crate::http::problem::FieldError;

/// How many unknown fields are named at the most: a hostile body has thousands.
const MOST_UNKNOWN: usize = 20;

pub struct Fields {
    object: Map<String, Value>,
    asked_for: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(object: Map<String, Value>) -> Self {
        Self { object, asked_for: Vec::new(), errors: Vec::new() }
    }

    /// A field that must be there.
    pub fn required<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        if let Some(value) = self.take(name) {
            return self.convert(name, value);
        }
        self.refuse(name, "is required");
        None
    }

    /// A field that may be left out. There is no null.
    pub fn optional<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        let value = self.take(name)?;
        self.convert(name, value)
    }

    /// A field that may be left out (`None`), or cleared with null (`Some(None)`).
    pub fn nullable<T: FromJson>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => self.convert(name, value).map(Some),
        }
    }

    /// Complains about the value of a field.
    pub fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer(name), detail: detail.into() });
    }

    /// The value, if there was nothing to complain about.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<FieldError>> {
        let unknown: Vec<String> = self.object.keys().cloned().collect();
        let known = self.asked_for.join(", ");
        for name in unknown.into_iter().take(MOST_UNKNOWN) {
            self.refuse(&name, format!("is not known; known fields are {known}"));
        }
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked_for.push(name);
        // In order: what is left over is complained about as it came.
        self.object.shift_remove(name)
    }

    fn convert<T: FromJson>(&mut self, name: &str, value: Value) -> Option<T> {
        T::from_json(value)
            .map_err(|(place, detail)| {
                let pointer = format!("{}{place}", pointer(name));
                self.errors.push(FieldError { pointer, detail });
            })
            .ok()
    }
}

/// The JSON pointer of a field (RFC 6901, section 3).
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The fields that a body is asked for, for comparing them with what the documentation lists.
#[cfg(test)]
pub(in crate::http) fn fields_of<T: super::FromFields>() -> Vec<&'static str> {
    let mut fields = Fields::new(Map::new());
    let _ = T::read(&mut fields);
    fields.asked_for
}
