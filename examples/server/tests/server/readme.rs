//! What the README shows is what happens.

use std::path::Path;
use std::process::Command;

use chelseru_tests::Database;

use crate::harness::{Installation, Server};

const ENGLISH: &str = include_str!("../../../../README.md");
const PERSIAN: &str = include_str!("../../../../README.fa.md");

/// The blocks of code between two marks, or in the whole text.
fn code_blocks(text: &str) -> Vec<&str> {
    text.split("```").skip(1).step_by(2).collect()
}

fn login_section(text: &str) -> &str {
    let (_, rest) = text.split_once("<!-- login:start -->").expect("it begins");
    let (section, _) = rest.split_once("<!-- login:end -->").expect("it ends");
    section
}

/// Commands and what they print, in order.
fn commands(text: &str) -> Vec<(&str, &str)> {
    let consoles = code_blocks(login_section(text))
        .into_iter()
        .filter_map(|block| block.strip_prefix("console\n"));
    let steps = consoles.flat_map(|block| block.split("$ ").skip(1));
    // A `$ ` inside a command would be one step too many, and fail.
    steps
        .map(|step| step.split_once('\n').unwrap_or((step, "")))
        .collect()
}

/// What stays of an output when all that differs from run to run is taken away.
fn shape(output: &str) -> String {
    let mut shape = String::new();
    for word in
        output.split_inclusive(|char: char| !(char.is_ascii_alphanumeric() || "._-".contains(char)))
    {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, last)) if !(last.is_ascii_alphanumeric() || "._-".contains(last)) => {
                word.split_at(at)
            }
            _ => (word, ""),
        };
        let differs = word.starts_with("eyJ") || word.bytes().any(|byte| byte.is_ascii_digit());
        shape += if differs { "…" } else { word };
        shape += end;
    }
    shape
}

async fn run(server: &Server, folder: &Path, assignments: &str, command: &str) -> String {
    let mut command = command.replace("localhost:8000", server.address());
    if let Some((before, shown)) = command.split_once("code=") {
        let after = shown.trim_start_matches(|char: char| char.is_ascii_digit());
        let code = server.code_for("09121234567").await.unwrap();
        command = format!("{before}code={code}{after}");
    }
    let script = format!("{assignments}{command}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .output();
    let output = output.expect("bash runs");
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[ignore = "needs curl"]
async fn the_login_of_the_readme_prints_what_the_readme_shows() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let mut assignments = String::new();
    let steps = commands(ENGLISH);
    assert!(steps.len() >= 9, "{steps:?}");
    for (command, expected) in steps {
        let printed = run(&server, installation.folder(), &assignments, command).await;
        assert_eq!(
            shape(printed.trim_end()),
            shape(expected.trim_end()),
            "{command}"
        );
        if command.starts_with(|char: char| char.is_ascii_uppercase()) {
            assignments.extend([command, "\n"]);
        }
    }
}

#[test]
fn the_persian_readme_shows_the_same_code() {
    // Its comments are in Persian.
    let without_comments = |text| -> Vec<String> {
        code_blocks(text)
            .into_iter()
            .map(|block| {
                let lines = block
                    .lines()
                    .map(|line| line.split("  #").next().unwrap_or(line).trim_end());
                lines.collect::<Vec<_>>().join("\n")
            })
            .collect()
    };
    assert_eq!(without_comments(PERSIAN), without_comments(ENGLISH));
}
