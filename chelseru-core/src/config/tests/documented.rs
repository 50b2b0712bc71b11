//! docs/settings.md tells the truth.

use super::*;

/// The rows of the table in docs/settings.md, each a list of cells.
fn documented_settings() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        row.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    })
    .collect()
}

#[test]
fn the_documentation_lists_every_setting_in_order_with_its_variable() {
    let rows = documented_settings();
    let documented: Vec<_> = rows
        .iter()
        .map(|row| row[0].as_str())
        .filter(|key| !key.contains('*'))
        .collect();
    assert_eq!(documented, Names::collect().settings());
    for row in &rows {
        assert_eq!(row[1], names::variable_of(&row[0]));
    }
}

#[test]
fn the_documentation_tells_the_true_defaults() {
    let rows = documented_settings();
    let defaults = rows.iter().filter(|row| row[3] != "none");
    let environment: Vec<_> = defaults
        .map(|row| (row[1].clone(), row[3].replace("\\n", "\n")))
        .collect();
    assert!(environment.len() > 20);
    let config = Config::load(None, environment).unwrap();
    assert_eq!(contents(&config), contents(&Config::default()));
}
