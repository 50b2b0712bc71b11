//! What can be asked of the program, and what it says to the rest.

use chelseru_tests::Database;

use crate::harness::{Installation, stderr, stdout};

#[tokio::test]
async fn the_help_shows_the_commands_and_the_version_is_bare() {
    let installation = Installation::new(Database::Sqlite).await;
    for help in ["--help", "-h"] {
        let output = installation.run(&[help]);
        assert!(output.status.success());
        let text = stdout(&output);
        for word in [
            "--config <FILE>",
            "sms",
            "users",
            "sessions",
            "housekeeping",
            "docs/settings.md",
        ] {
            assert!(text.contains(word), "{word} is missing in {text}");
        }
    }
    for version in ["--version", "-V"] {
        let output = installation.run(&[version]);
        assert!(output.status.success());
        assert_eq!(stdout(&output).trim_end(), env!("CARGO_PKG_VERSION"));
    }
}

#[tokio::test]
async fn an_unknown_argument_stops_the_start_and_what_was_meant_is_named() {
    let installation = Installation::new(Database::Sqlite).await;
    for (arguments, meant) in [
        (&["--confg", "x"][..], "--config"),
        (&["sms", "sned"], "send"),
        (&["sms", "send", "--fil", "x", "text"], "--file"),
        (&["users", "fnd", "1"], "find"),
        (&["sessions", "end", "1", "--sesion", "2"], "--session"),
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = stderr(&output);
        assert!(message.contains(&format!("'{meant}'")), "{message}");
        assert_eq!(stdout(&output), "");
        let is_start = arguments[0].starts_with("--");
        assert_eq!(
            message.starts_with("chelseru-server cannot start:"),
            is_start,
            "{message}"
        );
    }
}

#[tokio::test]
async fn the_file_of_settings_is_named_before_or_after_the_command() {
    let installation = Installation::new(Database::Sqlite).await;
    installation.write("wrong.toml", "AUTH.OPTIONS.OTP_LENGTH = 99");
    for arguments in [
        &["--config=wrong.toml", "sms", "status"][..],
        &["sms", "status", "--config", "wrong.toml"],
    ] {
        let output = installation.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        let message = stderr(&output);
        assert!(message.contains("AUTH.OPTIONS.OTP_LENGTH"), "{message}");
    }
}
