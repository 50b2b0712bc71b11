//! Reading the database URL. No error shows it: it may hold a password.

use std::path::PathBuf;

use crate::error::OpenError;

/// What a URL names.
#[derive(Debug)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<tokio_postgres::Config>),
}

pub(crate) fn read(url: &str) -> Result<Target, OpenError> {
    let (scheme, rest) = url.split_once("://").ok_or_else(unknown_scheme)?;
    match scheme {
        "sqlite" => sqlite(rest),
        "postgres" | "postgresql" => postgres(url),
        _ => Err(unknown_scheme()),
    }
}

fn unknown_scheme() -> OpenError {
    OpenError::Url("sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE is expected".to_owned())
}

fn sqlite(file: &str) -> Result<Target, OpenError> {
    let problem = match file {
        "" => "a file name is expected after sqlite://",
        ":memory:" => "a database in memory is not supported; core's MemoryStore is one",
        _ if file.contains(['?', '\0']) => {
            "a file name holds neither ? nor NUL; there are no options"
        }
        // Joined to the current folder, so that SQLite never takes a name for a URL of its own.
        _ => return Ok(Target::Sqlite(PathBuf::from(".").join(file))),
    };
    Err(OpenError::Url(problem.to_owned()))
}

fn postgres(url: &str) -> Result<Target, OpenError> {
    use tokio_postgres::config::SslMode;

    // The parser's own message quotes what it did not understand: perhaps half a password.
    let config: tokio_postgres::Config = url.parse().map_err(|_| {
        let hint = "it cannot be read; special characters in a password are written %40 for @ and so on, \
                    and sslmode may be disable or prefer";
        OpenError::Url(hint.to_owned())
    })?;
    match config.get_ssl_mode() {
        SslMode::Disable | SslMode::Prefer => Ok(Target::Postgres(Box::new(config))),
        _ => Err(OpenError::Url(
            "sslmode=require is asked for, but connections are not encrypted yet; reach the \
             database over loopback, a Unix socket or a private network"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, read};
    use std::path::Path;

    fn refusal(url: &str) -> String {
        read(url).expect_err("a refusal").to_string()
    }

    #[test]
    fn sqlite_files_are_relative_or_absolute() {
        for (url, path) in [
            ("sqlite://app.db", "./app.db"),
            ("sqlite:///var/app.db", "/var/app.db"),
        ] {
            let Ok(Target::Sqlite(file)) = read(url) else {
                panic!("{url} names a file");
            };
            assert_eq!(file, Path::new(path));
        }
    }

    #[test]
    fn both_names_of_postgresql_are_known() {
        for url in [
            "postgres://u@h/d",
            "postgresql://u:p@h:5433/d?sslmode=disable",
        ] {
            assert!(matches!(read(url), Ok(Target::Postgres(_))), "{url}");
        }
    }

    #[test]
    fn every_other_url_is_refused_with_what_is_expected() {
        for url in ["", "app.db", "mysql://u@h/d", "://", "sqlite:app.db"] {
            assert!(refusal(url).contains("sqlite://FILE"), "{url}");
        }
        assert!(refusal("sqlite://").contains("file name"));
        assert!(refusal("sqlite://:memory:").contains("MemoryStore"));
        assert!(refusal("sqlite://app.db?mode=rw").contains("no options"));
        assert!(refusal("postgres://u@h/d?sslmode=require").contains("sslmode=require"));
    }

    #[test]
    fn no_refusal_shows_the_password() {
        for url in [
            "postgres://u:hunter2@h/d?sslmode=require",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:half#hunter2@h:port/d",
            "mysql://u:hunter2@h/d",
            "hunter2",
        ] {
            let text = refusal(url);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
