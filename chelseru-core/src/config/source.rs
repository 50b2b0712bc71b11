//! Where values come from: the tree of a file and the variables of the environment, as one map from
//! key to value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Problems;
use super::names;
use super::schema::{self, Names};

/// The table in which the Django package kept its settings.
const OUTER_TABLE: &str = "DJANGO_CHELSERU";

/// A value, and the variable that it comes from if it is not from a file.
///
/// A file has types, and a value of another type is not taken. In the environment all is text.
#[derive(Clone, Debug)]
pub(super) struct Found {
    value: Value,
    variable: Option<String>,
}

impl Found {
    /// What this is, for a message: only its type, where the value may be a secret.
    pub(super) fn describe(&self, hidden: bool) -> String {
        describe(&self.value, hidden)
    }

    pub(super) fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.value.as_str()
    }

    pub(super) fn whole(&self) -> Option<i64> {
        match self.variable_text() {
            Some(text) => text.trim().parse().ok(),
            None => self.value.as_i64(),
        }
    }

    pub(super) fn decimal(&self) -> Option<f64> {
        match self.variable_text() {
            Some(text) => text.trim().parse().ok(),
            None => self.value.as_f64(),
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.variable_text() {
            Some(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            None => self.value.as_bool(),
        }
    }

    /// The items of a list; in the environment they are separated by commas.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        let item = |value| Self {
            value,
            variable: self.variable.clone(),
        };
        match self.variable_text() {
            Some(text) => {
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty());
                Some(items.map(|text| item(Value::from(text))).collect())
            }
            None => Some(self.value.as_array()?.iter().cloned().map(item).collect()),
        }
    }

    fn variable_text(&self) -> Option<&str> {
        self.variable.as_ref().and_then(|_| self.text())
    }
}

/// Everything found, by key. What is added later replaces what was there.
#[derive(Debug)]
pub(super) struct Source<'a> {
    names: &'a Names,
    found: BTreeMap<String, Found>,
    problems: Problems,
}

impl<'a> Source<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self {
            names,
            found: BTreeMap::new(),
            problems: Problems::default(),
        }
    }

    /// Adds the values of a file, or of the settings of an application.
    pub(super) fn add_tree(&mut self, tree: Value) {
        let Value::Object(mut root) = tree else {
            let message = format!("{}, allowed is a table", describe(&tree, true));
            self.problems.add(OUTER_TABLE, message);
            return;
        };
        match root.remove(OUTER_TABLE) {
            None => self.add_branch("", Value::Object(root)),
            Some(inner) => {
                for key in root.keys() {
                    let message =
                        format!("stands beside {OUTER_TABLE}, but settings belong inside it");
                    self.problems.add(key, message);
                }
                self.add_tree(inner);
            }
        }
    }

    /// Tables become paths. A table where none belongs stays a value, to be reported as one.
    fn add_branch(&mut self, path: &str, value: Value) {
        match value {
            Value::Object(entries) if path.is_empty() || self.names.is_table(path) => {
                for (name, value) in entries {
                    let path = if path.is_empty() {
                        name
                    } else {
                        format!("{path}.{name}")
                    };
                    self.add_branch(&path, value);
                }
            }
            Value::Object(ids)
                if schema::inside(schema::TEMPLATES, path).is_some() && !ids.is_empty() =>
            {
                self.add_template(path, ids);
            }
            value => self.add(path.to_owned(), value, None),
        }
    }

    /// A template's ids by provider, each under a key of its own: a variable can replace one of them.
    fn add_template(&mut self, path: &str, ids: Map<String, Value>) {
        for (provider, id) in ids {
            let key = format!("{path}.{provider}");
            if schema::is_provider(&provider) {
                self.add(key, id, None);
            } else {
                let allowed = schema::allowed_providers();
                let message = format!("is not of a known provider, {allowed}");
                self.problems.add(&key, message);
            }
        }
    }

    /// Adds the variables that are settings; an empty one counts as not set.
    pub(super) fn add_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) {
        for (variable, text) in variables {
            let Some(path) = variable.strip_prefix(names::VARIABLE_PREFIX) else {
                continue;
            };
            if text.is_empty() {
                continue;
            }
            if path.contains(names::VARIABLE_SEPARATOR) {
                let key = names::key_of(path);
                self.add(key, Value::from(text), Some(variable));
            } else if let Some(meant) = names::variable_meant_by(&variable, self.names.settings()) {
                let message = format!("is not the variable of a setting; did you mean {meant}?");
                self.problems.add(&variable, message);
            }
        }
    }

    fn add(&mut self, key: String, value: Value, variable: Option<String>) {
        self.found.insert(key, Found { value, variable });
    }

    /// The value for one key.
    pub(super) fn get(&self, key: &str) -> Option<&Found> {
        self.found.get(key)
    }

    /// The values in one table, each with its name there.
    pub(super) fn inside(&self, table: &str) -> impl Iterator<Item = (&str, &Found)> {
        let entries = self.found.iter();
        entries.filter_map(move |(key, found)| Some((schema::inside(table, key)?, found)))
    }

    /// The problems of keys that nobody asks for: unknown ones, and values in the place of tables.
    pub(super) fn problems(&self) -> Problems {
        let mut problems = self.problems.clone();
        for (key, found) in &self.found {
            if self.names.is_table(key) {
                let what = found.describe(true);
                problems.add(key, format!("{what}, allowed is a table of settings"));
            } else if !self.names.is_setting(key) {
                problems.add(key, self.unknown(key, found));
            }
        }
        problems
    }

    /// What is said of an unknown key. Never what it holds, which may be a secret under a misspelt name.
    fn unknown(&self, key: &str, found: &Found) -> String {
        let known = self
            .names
            .settings()
            .iter()
            .copied()
            .chain(self.names.tables());
        let meant = names::key_meant_by(key, known).map(|meant| match found.variable {
            Some(_) => names::variable_of(meant),
            None => meant.to_owned(),
        });
        match meant {
            Some(meant) => format!("is not a known setting; did you mean {meant}?"),
            None => "is not a known setting".to_owned(),
        }
    }
}

/// What stands where something else is wanted: only its type, where the value may be a secret.
fn describe(value: &Value, hidden: bool) -> String {
    match value {
        Value::Object(_) => "is a table".to_owned(),
        Value::Array(_) if hidden => "is a list".to_owned(),
        Value::String(text) if hidden => format!("is a text, {} bytes long", text.len()),
        Value::Number(_) if hidden => "is a number".to_owned(),
        Value::Bool(_) if hidden => "is true or false".to_owned(),
        shown => format!("found {shown}"),
    }
}
