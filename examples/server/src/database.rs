//! What the database's URL tells a person.

use std::path::PathBuf;

/// The file of an SQLite database; none for a database elsewhere.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    let file = url.strip_prefix("sqlite://")?;
    // What is no file's name is refused when the database is opened.
    (!file.is_empty() && !file.starts_with(':') && !file.contains('?')).then(|| PathBuf::from(file))
}

/// The URL without user, password and parameters.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url
        .split_once("://")
        .filter(|(scheme, _)| *scheme != "sqlite")
    else {
        return url.to_owned();
    };
    // First the credentials: a password may hold any character, a host none of these.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split('?').next().unwrap_or(place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_database_is_named_without_its_password() {
        for (url, shown) in [
            ("sqlite://chelseru.db", "sqlite://chelseru.db"),
            (
                "postgres://app:p@ss@db:5432/app?x=y",
                "postgres://db:5432/app",
            ),
            ("postgres://app:hun?ter2@db/app", "postgres://db/app"),
            ("postgres://localhost/app", "postgres://localhost/app"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
