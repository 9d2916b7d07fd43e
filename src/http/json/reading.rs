//! Single JSON values, as the types that they stand for.

use serde_json::Value;

/// A value that a field may have. The error is where inside the value, as a JSON pointer, and what is wrong there.
pub trait FromJson: Sized {
    fn from_json(value: Value) -> Result<Self, (String, String)>;
}

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(wrong("a string", &other)),
        }
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        value.as_bool().ok_or_else(|| wrong("a boolean", &value))
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        let Value::Array(values) = value else { return Err(wrong("an array", &value)) };
        let read = |(place, value)| {
            T::from_json(value).map_err(|(inside, detail)| (format!("/{place}{inside}"), detail))
        };
        values.into_iter().enumerate().map(read).collect()
    }
}

fn wrong(expected: &str, value: &Value) -> (String, String) {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    (String::new(), format!("must be {expected}, not {found}"))
}
