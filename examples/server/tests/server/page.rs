//! The page at `/` and its files, as a browser asks for them.

use chelseru_tests::Database;

use crate::harness::{Installation, Server};

async fn page(server: &Server) -> String {
    server.get("/").await.text().await.unwrap()
}

/// The files that a page names.
fn files(page: &str) -> Vec<String> {
    let parts = page.split("=\"/app/").skip(1);
    let names = parts.map(|part| format!("/app/{}", part.split('"').next().unwrap_or_default()));
    names.collect()
}

#[tokio::test]
async fn the_page_and_all_its_files_are_served_as_what_they_are() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let files = files(&page(&server).await);
    assert!(files.len() > 20, "{files:?}");
    for path in files {
        let expected = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        let response = server.get(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], expected, "{path}");
        assert_eq!(
            response.headers()["x-content-type-options"],
            "nosniff",
            "{path}"
        );
    }
    assert_eq!(server.get("/app/mod.rs").await.status(), 404);
    assert_eq!(server.get("/app/../main.rs").await.status(), 404);
}

#[tokio::test]
async fn the_page_may_load_from_its_own_server_only() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let response = server.get("/").await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    let page = response.text().await.unwrap();
    assert!(
        !page.contains("<style") && !page.contains("style=") && !page.contains("//"),
        "{page}"
    );
    for script in page.split("<script").skip(1) {
        let (attributes, rest) = script.split_once('>').unwrap();
        assert!(
            attributes.contains("src=\"/app/") && rest.starts_with("</script>"),
            "{script}"
        );
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    for path in ["/", "/app/main.js"] {
        let first = server.get(path).await;
        let tag = first.headers()["etag"].clone();
        assert_eq!(first.headers()["cache-control"], "no-cache");
        let request = server
            .http
            .get(server.url(path))
            .header("if-none-match", tag);
        let second = request.send().await.unwrap();
        assert_eq!(second.status(), 304, "{path}");
        assert_eq!(second.text().await.unwrap(), "");
        let request = server
            .http
            .get(server.url(path))
            .header("if-none-match", "\"other\"");
        assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_page_is_told_under_which_prefix_the_routes_are() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_SERVER__PREFIX", "/v1/app");
    let server = installation.start();
    let page = page(&server).await;
    assert!(page.contains("data-prefix=\"/v1/app\""), "{page}");
    assert_eq!(server.get("/app/main.js").await.status(), 200);
}
