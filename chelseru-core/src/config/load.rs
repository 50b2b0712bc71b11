//! Reading settings from files, from the environment, and inside an application's own settings.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::error::Problems;
use super::kinds::{Kind, Template, TestCode};
use super::schema::{self, Names, Visitor};
use super::source::{Found, Source};
use super::{Config, ConfigError, TemplateIds};
use crate::mobile::MobileNumber;
use crate::secret::Secret;

impl Config {
    /// Reads a file, TOML or JSON by its extension.
    ///
    /// # Errors
    ///
    /// Every problem in the file; or one that names the file, if it cannot be read as a whole.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        read(Some(tree_of_file(path.as_ref())?), [])
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// Every problem in the text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        read(Some(tree_of_toml("TOML", text)?), [])
    }

    /// Reads JSON.
    ///
    /// # Errors
    ///
    /// Every problem in the text.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        read(Some(tree_of_json("JSON", text)?), [])
    }

    /// Reads a file, if there is one, and the environment, which is usually [`std::env::vars`].
    ///
    /// A variable beats the file, and the file beats the default. A variable's name is `CHELSERU_` and
    /// the key with two underscores between its levels; the items of a list are separated by commas;
    /// an empty variable counts as not set.
    ///
    /// ```
    /// use chelseru_core::Config;
    ///
    /// let variables = [("CHELSERU_AUTH__OPTIONS__OTP_LENGTH".to_owned(), "6".to_owned())];
    /// let config = Config::load(None, variables)?;
    /// assert_eq!(config.auth.options.length, 6);
    /// # Ok::<(), chelseru_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem in the file and in the environment; or one that names the file, if it cannot be
    /// read as a whole.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let tree = file.map(tree_of_file).transpose()?;
        read(tree, environment)
    }
}

/// Settings inside the settings of an application, under a name of its choice.
///
/// Print the error of a format's library without an excerpt of the source, which may hold a secret
/// (`toml::de::Error::message`, not its `Display`).
impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Some(Value::deserialize(deserializer)?), []).map_err(D::Error::custom)
    }
}

fn read(
    tree: Option<Value>,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let names = Names::collect();
    let mut source = Source::new(&names);
    if let Some(tree) = tree {
        source.add_tree(tree);
    }
    source.add_environment(variables);

    let mut config = Config::default();
    let mut reader = Reader {
        source: &source,
        problems: Problems::default(),
    };
    schema::walk(&mut config, &mut reader);

    let mut problems = reader.problems;
    config.normalise();
    config.check(&mut problems);
    problems.append(source.problems());
    for problem in problems.iter_mut() {
        if let Some(variable) = source.get(&problem.key).and_then(Found::variable) {
            problem.message = format!("{} (set by the variable {variable})", problem.message);
        }
    }
    problems.into_result(&names)?;
    Ok(config)
}

/// Takes values out of the source; a setting that cannot be read keeps its default.
struct Reader<'a> {
    source: &'a Source<'a>,
    problems: Problems,
}

impl Reader<'_> {
    fn value<F>(&mut self, key: &str, found: &Found, kind: &impl Kind<F>) -> Option<F> {
        let value = kind.read(found);
        if value.is_none() {
            let unreadable = kind.unreadable(found);
            self.problems
                .add(key, format!("{unreadable}, {}", kind.allowed()));
        }
        value
    }
}

impl Visitor for Reader<'_> {
    fn setting<F>(&mut self, key: &'static str, field: &mut F, kind: &impl Kind<F>) {
        if let Some(found) = self.source.get(key)
            && let Some(value) = self.value(key, found, kind)
        {
            *field = value;
        }
    }

    fn test_numbers(&mut self, table: &'static str, numbers: &mut BTreeMap<MobileNumber, Secret>) {
        for (name, found) in self.source.inside(table) {
            let key = format!("{table}.{name}");
            let Ok(number) = name.parse() else {
                let message = "is not a mobile number, such as 09120000000";
                self.problems.add(&key, message.to_owned());
                continue;
            };
            if let Some(code) = self.value(&key, found, &TestCode)
                && numbers.insert(number, code).is_some()
            {
                let message = "is a number that is there in another spelling";
                self.problems.add(&key, message.to_owned());
            }
        }
    }

    fn templates(&mut self, table: &'static str, templates: &mut BTreeMap<String, TemplateIds>) {
        for (name, found) in self.source.inside(table) {
            let key = format!("{table}.{name}");
            if let Some((name, provider)) = schema::name_and_provider(name) {
                if let Some(id) = self.value(&key, found, &Template::OfProvider) {
                    let ids = templates.entry(name.to_owned()).or_default();
                    ids.of.insert(provider.to_owned(), id);
                }
            } else if let Some(id) = self.value(&key, found, &Template::OfAll) {
                templates.entry(name.to_owned()).or_default().any = Some(id);
            }
        }
    }
}

fn tree_of_file(path: &Path) -> Result<Value, ConfigError> {
    let name = path.display().to_string();
    let parse = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => tree_of_toml,
        Some("json") => tree_of_json,
        _ => {
            return Err(ConfigError::about(
                name,
                "is of an unknown format, allowed are .toml and .json",
            ));
        }
    };
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&name, &text),
        Err(error) => Err(ConfigError::about(name, format!("cannot be read: {error}"))),
    }
}

// Both libraries can show the line with the error. It may hold a secret, so only its place is told.

fn tree_of_toml(name: &str, text: &str) -> Result<Value, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let place = error
            .span()
            .map_or(String::new(), |span| place(text, span.start));
        ConfigError::about(name, format!("{place}{}", error.message()))
    })
}

fn tree_of_json(name: &str, text: &str) -> Result<Value, ConfigError> {
    // The library's message ends with the line and the column.
    serde_json::from_str(text).map_err(|error| ConfigError::about(name, error.to_string()))
}

/// The line and the column of a byte, both from 1.
fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|char| *char != '\n')
        .count()
        + 1;
    format!("line {line}, column {column}: ")
}
