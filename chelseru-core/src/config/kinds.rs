//! What a setting may be: how it is read, which values are allowed, and how both are said.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::source::Found;
use super::{TemplateIds, texts};
use crate::otp::Code;
use crate::secret::Secret;
use crate::sms::TemplateId;
use ipnet::IpNet;

/// A kind of setting that is kept in a field of type `F`.
pub(super) trait Kind<F> {
    /// The value, where it has the right type.
    fn read(&self, found: &Found) -> Option<F>;

    /// What is said of a value that cannot be read, as in "found true".
    fn unreadable(&self, found: &Found) -> String {
        found.describe(self.is_hidden())
    }

    /// What is wrong with a value of the right type, as in "found 12".
    fn fault(&self, _field: &F) -> Option<String> {
        None
    }

    /// What is allowed, as in "allowed are whole numbers from 3 to 10".
    fn allowed(&self) -> String;

    /// Whether no part of the value may be shown.
    fn is_hidden(&self) -> bool {
        false
    }
}

fn found(value: impl Display) -> String {
    format!("found {value}")
}

/// One of several names.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy> Choice<T> {
    /// What the name stands for.
    pub(super) fn named(&self, name: &str) -> Option<T> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(*value)
    }
}

impl<T: Copy> Kind<T> for Choice<T> {
    fn read(&self, found: &Found) -> Option<T> {
        self.named(found.text()?)
    }

    fn allowed(&self) -> String {
        let names: Vec<_> = self
            .0
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        match names.as_slice() {
            [only] => format!("allowed is {only}"),
            _ => format!("allowed are {}", names.join(", ")),
        }
    }
}

/// One or several of the names, each once, in an order that means something.
pub(super) struct Choices<T: 'static>(pub(super) Choice<T>);

impl<T: Copy + PartialEq> Kind<Vec<T>> for Choices<T> {
    fn read(&self, found: &Found) -> Option<Vec<T>> {
        match found.list() {
            Some(items) => items.iter().map(|item| self.0.read(item)).collect(),
            None => self.0.read(found).map(|one| vec![one]),
        }
    }

    /// Only the item that is wrong: in a list of several it would have to be searched for.
    fn unreadable(&self, found: &Found) -> String {
        let items = found.list().unwrap_or_default();
        let wrong = items.iter().find(|item| self.0.read(item).is_none());
        wrong.unwrap_or(found).describe(self.is_hidden())
    }

    fn fault(&self, values: &Vec<T>) -> Option<String> {
        if values.is_empty() {
            return Some("is empty".to_owned());
        }
        let mut places = 1..values.len();
        let twice = places.find(|&place| values[..place].contains(&values[place]))?;
        let mut names = self.0.0.iter();
        let (name, _) = names.find(|(_, value)| *value == values[twice])?;
        Some(format!("found {name:?} twice"))
    }

    fn allowed(&self) -> String {
        format!("{}, or a list of them", self.0.allowed())
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Kind<bool> for Flag {
    fn read(&self, found: &Found) -> Option<bool> {
        found.flag()
    }

    fn allowed(&self) -> String {
        "allowed are true and false".to_owned()
    }
}

/// A whole number in a range.
pub(super) struct Whole<T>(pub(super) RangeInclusive<T>);

impl<T: TryFrom<i64> + PartialOrd + Display> Kind<T> for Whole<T> {
    fn read(&self, found: &Found) -> Option<T> {
        found.whole()?.try_into().ok()
    }

    fn fault(&self, number: &T) -> Option<String> {
        (!self.0.contains(number)).then(|| found(number))
    }

    fn allowed(&self) -> String {
        format!(
            "allowed are whole numbers from {} to {}",
            self.0.start(),
            self.0.end()
        )
    }
}

/// A time in whole seconds in a range.
pub(super) struct Seconds(pub(super) RangeInclusive<u64>);

impl Kind<Duration> for Seconds {
    fn read(&self, found: &Found) -> Option<Duration> {
        found.whole()?.try_into().ok().map(Duration::from_secs)
    }

    fn fault(&self, time: &Duration) -> Option<String> {
        let range = Duration::from_secs(*self.0.start())..=Duration::from_secs(*self.0.end());
        (!range.contains(time)).then(|| found(time.as_secs_f64()))
    }

    fn allowed(&self) -> String {
        format!(
            "allowed are whole seconds from {} to {}",
            self.0.start(),
            self.0.end()
        )
    }
}

/// A time in minutes, more than none.
pub(super) struct Minutes {
    pub(super) up_to: u64,
}

impl Kind<Duration> for Minutes {
    fn read(&self, found: &Found) -> Option<Duration> {
        Duration::try_from_secs_f64(found.decimal()? * 60.0).ok()
    }

    fn fault(&self, time: &Duration) -> Option<String> {
        let longest = Duration::from_secs(self.up_to * 60);
        // Time is kept in milliseconds: less than one is none.
        let is_right = time.as_millis() > 0 && *time <= longest;
        (!is_right).then(|| found(time.as_secs_f64() / 60.0))
    }

    fn allowed(&self) -> String {
        format!(
            "allowed are minutes, more than 0 and at most {}",
            self.up_to
        )
    }
}

/// A text that fulfils a condition.
#[derive(Clone, Copy)]
pub(super) struct Text {
    allowed: &'static str,
    accepts: fn(&str) -> bool,
    hidden: bool,
}

impl Text {
    pub(super) const fn allowed(allowed: &'static str, accepts: fn(&str) -> bool) -> Self {
        Self {
            allowed,
            accepts,
            hidden: false,
        }
    }

    /// The same text, but never shown.
    pub(super) const fn hidden(self) -> Self {
        Self {
            hidden: true,
            ..self
        }
    }

    fn fault_of(&self, text: &str) -> Option<String> {
        if (self.accepts)(text) {
            None
        } else if text.is_empty() {
            Some("is empty".to_owned())
        } else if self.hidden {
            Some(format!("is {} bytes long", text.len()))
        } else {
            Some(found(format_args!("{text:?}")))
        }
    }
}

impl Kind<String> for Text {
    fn read(&self, found: &Found) -> Option<String> {
        found.text().map(str::to_owned)
    }

    fn fault(&self, text: &String) -> Option<String> {
        self.fault_of(text)
    }

    fn allowed(&self) -> String {
        format!("allowed is {}", self.allowed)
    }

    fn is_hidden(&self) -> bool {
        self.hidden
    }
}

impl Kind<Secret> for Text {
    fn read(&self, found: &Found) -> Option<Secret> {
        found.text().map(Secret::from)
    }

    fn fault(&self, secret: &Secret) -> Option<String> {
        self.hidden().fault_of(secret.expose())
    }

    fn allowed(&self) -> String {
        Kind::<String>::allowed(self)
    }

    fn is_hidden(&self) -> bool {
        true
    }
}

/// A text that fulfils a condition, or none.
pub(super) struct Optional(pub(super) Text);

impl Kind<Option<String>> for Optional {
    fn read(&self, found: &Found) -> Option<Option<String>> {
        if found.is_null() {
            return Some(None);
        }
        let text = found.text()?;
        Some((!text.is_empty()).then(|| text.to_owned()))
    }

    fn fault(&self, text: &Option<String>) -> Option<String> {
        match text.as_deref()? {
            "" => Some("is empty".to_owned()),
            text => self.0.fault_of(text),
        }
    }

    fn allowed(&self) -> String {
        format!("allowed is {}, or null for none", self.0.allowed)
    }

    fn is_hidden(&self) -> bool {
        self.0.hidden
    }
}

/// A text or several, or none.
pub(super) struct Texts;

impl Kind<Vec<String>> for Texts {
    fn read(&self, found: &Found) -> Option<Vec<String>> {
        match found.list() {
            Some(items) => items
                .iter()
                .map(|item| item.text().map(str::to_owned))
                .collect(),
            None if found.is_null() => Some(Vec::new()),
            None => found.text().map(|text| vec![text.to_owned()]),
        }
    }

    fn fault(&self, texts: &Vec<String>) -> Option<String> {
        texts
            .iter()
            .any(String::is_empty)
            .then(|| found(format_args!("{texts:?}")))
    }

    fn allowed(&self) -> String {
        "allowed is a text or a list of texts, none of them empty".to_owned()
    }
}

/// A secret or several, or none.
pub(super) struct Secrets;

impl Kind<Vec<Secret>> for Secrets {
    fn read(&self, found: &Found) -> Option<Vec<Secret>> {
        let texts = Texts.read(found)?;
        Some(texts.into_iter().map(Secret::from).collect())
    }

    fn fault(&self, secrets: &Vec<Secret>) -> Option<String> {
        let is_one_empty = secrets.iter().any(Secret::is_empty);
        is_one_empty.then(|| "has an empty text".to_owned())
    }

    fn allowed(&self) -> String {
        Texts.allowed()
    }

    fn is_hidden(&self) -> bool {
        true
    }
}

/// The fixed code of a test number. Shorter ones are guessed within days.
pub(super) struct TestCode;

impl Kind<Secret> for TestCode {
    fn read(&self, found: &Found) -> Option<Secret> {
        let number = || found.whole().map(|number| number.to_string());
        let text = found.text().map(str::to_owned);
        text.or_else(number).map(Secret::from)
    }

    fn fault(&self, code: &Secret) -> Option<String> {
        let length = code.expose().parse::<Code>().map(|code| code.len());
        let is_right = length.is_ok_and(|length| length >= 5);
        (!is_right).then(|| format!("is {} bytes long", code.expose().len()))
    }

    fn allowed(&self) -> String {
        "allowed is a code of 5 to 10 digits, as a text".to_owned()
    }

    fn is_hidden(&self) -> bool {
        true
    }
}

/// A list of groups, or all of them.
pub(super) struct Groups;

impl Kind<Option<Vec<i64>>> for Groups {
    fn read(&self, found: &Found) -> Option<Option<Vec<i64>>> {
        if found.is_null() {
            return Some(None);
        }
        found
            .list()?
            .iter()
            .map(Found::whole)
            .collect::<Option<_>>()
            .map(Some)
    }

    fn fault(&self, groups: &Option<Vec<i64>>) -> Option<String> {
        let groups = groups.as_ref()?;
        groups
            .iter()
            .any(|group| *group < 0)
            .then(|| found(format_args!("{groups:?}")))
    }

    fn allowed(&self) -> String {
        "allowed is a list of whole numbers from 0, or null for every group".to_owned()
    }
}

/// The origins of web pages, or none of them named.
pub(super) struct Origins;

impl Kind<Option<Vec<String>>> for Origins {
    fn read(&self, found: &Found) -> Option<Option<Vec<String>>> {
        if found.is_null() {
            return Some(None);
        }
        let items = found.list()?;
        let texts = items.iter().map(|item| item.text().map(str::to_owned));
        texts.collect::<Option<_>>().map(Some)
    }

    fn fault(&self, origins: &Option<Vec<String>>) -> Option<String> {
        let mut origins = origins.iter().flatten();
        let wrong = origins.find(|origin| !texts::is_origin(origin))?;
        Some(found(format_args!("{wrong:?}")))
    }

    fn allowed(&self) -> String {
        "allowed is a list of origins such as https://app.example, without a path, or null for the \
         server's own host"
            .to_owned()
    }
}

/// A template's id: a number, or a name with providers that name their templates.
pub(super) enum Template {
    /// With every provider that has none of its own.
    OfAll,
    /// With one provider.
    OfProvider,
}

impl Kind<TemplateId> for Template {
    fn read(&self, found: &Found) -> Option<TemplateId> {
        match found.whole() {
            Some(id) => Some(TemplateId::from(id)),
            None => found.text().map(TemplateId::from),
        }
    }

    fn fault(&self, TemplateId(id): &TemplateId) -> Option<String> {
        let is_right = match id.parse::<i64>() {
            Ok(number) => number > 0,
            Err(_) => !id.is_empty(),
        };
        (!is_right).then(|| found(format_args!("{id:?}")))
    }

    fn allowed(&self) -> String {
        const ID: &str = "allowed is a template's id: a whole number from 1, or a text";
        match self {
            Self::OfAll => format!("{ID}, or a table of ids by provider"),
            Self::OfProvider => ID.to_owned(),
        }
    }
}

/// A template's id or its name in `SMS.TEMPLATES`; 0, an empty text and null mean none.
pub(super) struct OptionalTemplate;

impl Kind<Option<TemplateIds>> for OptionalTemplate {
    fn read(&self, found: &Found) -> Option<Option<TemplateIds>> {
        if found.is_null() {
            return Some(None);
        }
        let id = Template::OfAll.read(found)?;
        Some(Some(TemplateIds::from(id)))
    }

    fn fault(&self, template: &Option<TemplateIds>) -> Option<String> {
        let ids = template.as_ref()?;
        let mut ids = ids.any.iter().chain(ids.of.values());
        ids.find_map(|id| Template::OfAll.fault(id))
    }

    fn allowed(&self) -> String {
        "allowed is a template's id or its name in SMS.TEMPLATES, or 0 for none".to_owned()
    }
}

/// An address to listen at.
pub(super) struct Address;

impl Kind<SocketAddr> for Address {
    fn read(&self, found: &Found) -> Option<SocketAddr> {
        found.text()?.parse().ok()
    }

    fn allowed(&self) -> String {
        "allowed is an IP address with a port, such as 127.0.0.1:8000".to_owned()
    }
}

/// Addresses and networks.
pub(super) struct Networks;

impl Kind<Vec<IpNet>> for Networks {
    fn read(&self, found: &Found) -> Option<Vec<IpNet>> {
        let network = |item: &Found| {
            let text = item.text()?;
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address.ok().or_else(|| text.parse().ok())
        };
        found.list()?.iter().map(network).collect()
    }

    fn allowed(&self) -> String {
        "allowed is a list of IP addresses and networks, such as 10.0.0.0/8".to_owned()
    }
}
