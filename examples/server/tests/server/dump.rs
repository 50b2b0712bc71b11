//! What a thief of the database would read.

use std::fs;

use tokio_postgres::NoTls;

/// Everything in the database at that URL, as text.
pub(crate) async fn of(url: &str) -> String {
    match url.strip_prefix("sqlite://") {
        Some(file) => file_bytes(file),
        None => table_rows(url).await,
    }
}

/// The bytes of the file and of its write-ahead log: SQLite keeps text as it is, and more of it than
/// its tables still show.
fn file_bytes(file: &str) -> String {
    let mut bytes = fs::read(file).expect("the database's file");
    bytes.extend(fs::read(format!("{file}-wal")).unwrap_or_default());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Every row of every table.
async fn table_rows(url: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("a connection");
    let connection = tokio::spawn(connection);
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let mut dump = String::new();
    for table in client.query(tables, &[]).await.expect("the tables") {
        let table: String = table.get(0);
        let rows = format!("SELECT row::text FROM \"{table}\" AS row");
        for row in client.query(&rows, &[]).await.expect("the rows") {
            dump += row.get::<_, &str>(0);
            dump.push('\n');
        }
    }
    connection.abort();
    dump
}
