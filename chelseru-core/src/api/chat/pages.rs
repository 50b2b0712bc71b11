//! Lists in pages: what the query asks for, and the links to the pages around.
//!
//! A cursor names a place in the list itself (a number of the log, a time, an id), so pages neither repeat
//! nor leave out anything however much is added and removed between them. Clients follow the links; what
//! a cursor is made of is nobody's business.

use serde::Serialize;
use serde_json::Value;

use crate::api::fields::whole;
use crate::api::{Request, Response};

const PAGE: u32 = 30;
const MAX_PAGE: i64 = 100;

/// The fields of a query.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(request: &Request<'_>) -> Result<Self, Response> {
        serde_urlencoded::from_str(request.query)
            .map(Self)
            .map_err(|_| Response::detail(400, "The query is not form-urlencoded."))
    }

    /// Of a field that is given twice the last one counts, as in bodies.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter().rev();
        let (_, value) = fields.find(|(field, _)| field == name)?;
        Some(value)
    }

    /// A whole number; `None` when it is not there.
    pub(super) fn whole(&self, name: &str, min: i64) -> Result<Option<i64>, Response> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = whole(&Value::from(text), min);
        let number = number.map_err(|problem| Response::field_error(name, &problem))?;
        Ok(Some(number))
    }

    /// How many results a page has.
    pub(super) fn page_size(&self) -> Result<u32, Response> {
        let size = self.whole("page_size", 1)?.unwrap_or(PAGE.into());
        if size > MAX_PAGE {
            let problem = format!("Ensure this value is less than or equal to {MAX_PAGE}.");
            return Err(Response::field_error("page_size", &problem));
        }
        Ok(u32::try_from(size).unwrap_or(PAGE))
    }

    /// The place that the cursor names.
    pub(super) fn cursor<T>(
        &self,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Response> {
        // Django REST framework's answer.
        let invalid = || Response::detail(404, "Invalid cursor");
        self.get("cursor")
            .map(|cursor| read(cursor).ok_or_else(invalid))
            .transpose()
    }

    /// The same request with another value of one field.
    pub(super) fn link(&self, request: &Request<'_>, name: &str, value: &str) -> String {
        let path = request.path.trim_matches('/');
        let others = self.0.iter().filter(|(field, _)| field != name);
        let fields: Vec<(&str, &str)> = others
            .map(|(field, value)| (field.as_str(), value.as_str()))
            .chain([(name, value)])
            .collect();
        // Pairs of texts always serialise.
        let query = serde_urlencoded::to_string(fields).unwrap_or_default();
        format!("{}/{path}/?{query}", request.mount)
    }
}

/// One page, its keys in Django REST framework's order.
#[derive(Serialize)]
pub(super) struct Page<T> {
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) results: Vec<T>,
}

/// Cuts off what was asked for beyond the page, and says whether there was any.
pub(super) fn cut<T>(items: &mut Vec<T>, size: u32) -> bool {
    let has_more = items.len() > size as usize;
    items.truncate(size as usize);
    has_more
}
