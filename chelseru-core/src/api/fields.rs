//! Request bodies: JSON or form, and the checks of their fields.
//!
//! The rules and texts are those of Django REST framework's serializers: numbers are accepted for
//! text fields, text is trimmed, every faulty field is reported at once.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Request, Response};
use crate::password::{InvalidPassword, Password};

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NOT_A_STRING: &str = "Not a valid string.";
const NUL_CHARACTER: &str = "Null characters are not allowed.";
const NOT_AN_INTEGER: &str = "A valid integer is required.";

/// The fields of a body, and the problems found so far.
pub(super) struct Fields {
    values: Map<String, Value>,
    problems: Problems,
}

/// What is wrong with which field, in the order of the checks.
#[derive(Default)]
struct Problems(Vec<(String, String)>);

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, problem)| (name, [problem])))
    }
}

impl Fields {
    /// Reads the body by its content type. An empty body has no fields.
    pub(super) fn parse(request: &Request<'_>) -> Result<Self, Response> {
        let values = if request.body.is_empty() {
            Map::new()
        } else {
            let content_type = request.content_type.unwrap_or_default();
            let media_type = content_type.split(';').next().unwrap_or_default().trim();
            match media_type.to_ascii_lowercase().as_str() {
                "application/json" => json_object(request.body)?,
                "application/x-www-form-urlencoded" => form(request.body)?,
                _ => return Err(unsupported_media_type(content_type)),
            }
        };
        Ok(Self {
            values,
            problems: Problems::default(),
        })
    }

    /// A text that must be there and read as a `T`.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match self.values.remove(name) {
            None => Err(REQUIRED.to_owned()),
            Some(value) => text(&value),
        };
        self.note(name, text.and_then(|text| read(&text)))
    }

    /// A password that must be there. Of all texts it alone is not trimmed.
    pub(super) fn required_password(&mut self, name: &str) -> Option<Password> {
        let text = match self.values.remove(name) {
            None => Err(REQUIRED.to_owned()),
            Some(value) => verbatim(&value),
        };
        let read =
            text.and_then(|text| text.parse().map_err(|why: InvalidPassword| why.to_string()));
        self.note(name, read)
    }

    /// A value that must be there; `read` decides on it, null and blank included.
    pub(super) fn required_value<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.values.remove(name).ok_or_else(|| REQUIRED.to_owned());
        self.note(name, value.and_then(|value| read(&value)))
    }

    /// Another name of a field, for where that is not given.
    pub(super) fn alias(&mut self, alias: &str, name: &str) {
        if let Some(value) = self.values.remove(alias) {
            self.values.entry(name).or_insert(value);
        }
    }

    /// A text that may be missing, and must else be right.
    pub(super) fn if_there<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.values.contains_key(name) {
            self.required(name, read)
        } else {
            None
        }
    }

    /// A whole number that may be missing, null or blank.
    pub(super) fn optional_integer(&mut self, name: &str, min: i64) -> Option<i64> {
        let value = self.values.remove(name)?;
        self.note(name, integer(&value, min))?
    }

    /// A text that may be missing, null or blank.
    pub(super) fn optional_text<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.has(name) {
            self.required(name, read)
        } else {
            None
        }
    }

    /// A value that may be missing, null or blank; anything else `read` decides on.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<Option<T>, String>,
    ) -> Option<T> {
        let value = self.values.remove(name)?;
        self.note(name, read(&value))?
    }

    /// Whether the field is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !is_blank(value))
    }

    /// Ends the checks: nothing, or the answer that names every faulty field.
    pub(super) fn finish(self) -> Result<(), Response> {
        if self.problems.0.is_empty() {
            Ok(())
        } else {
            Err(Response::json(400, &self.problems))
        }
    }

    fn note<T>(&mut self, name: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.0.push((name.to_owned(), problem));
                None
            }
        }
    }
}

/// A whole number as DRF takes it: also as text, also with a fraction of zeros.
pub(super) fn integer(value: &Value, min: i64) -> Result<Option<i64>, String> {
    if is_blank(value) {
        return Ok(None);
    }
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(NOT_AN_INTEGER.to_owned()),
    };
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text.as_str(),
    };
    match whole.parse::<i64>() {
        Ok(number) if number >= min => Ok(Some(number)),
        Ok(_) => Err(format!(
            "Ensure this value is greater than or equal to {min}."
        )),
        Err(_) => Err(NOT_AN_INTEGER.to_owned()),
    }
}

/// Nothing, or a text that says nothing.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A text as it is.
pub(super) fn verbatim(value: &Value) -> Result<String, String> {
    match value {
        Value::Null => Err(NULL.to_owned()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(NOT_A_STRING.to_owned()),
    }
}

/// Yes or no, as DRF takes it where nobody means anything else.
pub(super) fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
        Value::String(text) if matches!(text.as_str(), "true" | "True" | "1") => Ok(true),
        Value::String(text) if matches!(text.as_str(), "false" | "False" | "0") => Ok(false),
        Value::Null => Err(NULL.to_owned()),
        _ => Err("Must be a valid boolean.".to_owned()),
    }
}

/// A whole number that is none of nothing.
pub(super) fn whole(value: &Value, min: i64) -> Result<i64, String> {
    if value.is_null() {
        return Err(NULL.to_owned());
    }
    integer(value, min)?.ok_or_else(|| NOT_AN_INTEGER.to_owned())
}

/// A list of whole numbers; in a form, separated by commas.
pub(super) fn whole_numbers(value: &Value, min: i64) -> Result<Vec<i64>, String> {
    match value {
        Value::Null => Err(NULL.to_owned()),
        Value::Array(items) => items.iter().map(|item| whole(item, min)).collect(),
        Value::String(text) if text.trim().is_empty() => Err(BLANK.to_owned()),
        Value::String(text) => {
            let items = text.split(',');
            items.map(|item| whole(&item.into(), min)).collect()
        }
        _ => Err("Expected a list of items.".to_owned()),
    }
}

fn text(value: &Value) -> Result<String, String> {
    let text = verbatim(value)?;
    let trimmed = text.trim();
    if trimmed.is_empty() {
        Err(BLANK.to_owned())
    } else if trimmed.contains('\0') {
        Err(NUL_CHARACTER.to_owned())
    } else {
        Ok(trimmed.to_owned())
    }
}

fn json_object(body: &[u8]) -> Result<Map<String, Value>, Response> {
    let value = serde_json::from_slice(body)
        // Its text names a position and what was expected there, not what was found.
        .map_err(|error| Response::detail(400, format!("JSON parse error - {error}")))?;
    let kind = match value {
        Value::Object(fields) => return Ok(fields),
        Value::Null => {
            return Err(Response::field_error(
                "non_field_errors",
                "No data provided",
            ));
        }
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
    };
    Err(Response::field_error(
        "non_field_errors",
        &format!("Invalid data. Expected a dictionary, but got {kind}."),
    ))
}

fn form(body: &[u8]) -> Result<Map<String, Value>, Response> {
    // Of a field that is given twice the last one counts, as in Django.
    serde_urlencoded::from_bytes::<Vec<(String, String)>>(body)
        .map(|fields| {
            fields
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect()
        })
        .map_err(|_| Response::detail(400, "Form parse error - the body is not form-urlencoded"))
}

pub(super) fn unsupported_media_type(content_type: &str) -> Response {
    Response::detail(
        415,
        format!("Unsupported media type \"{content_type}\" in request."),
    )
}
