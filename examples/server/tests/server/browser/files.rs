//! Photos and files: sent, seen, saved, stopped; and what is in them is never run.

use std::path::PathBuf;

use chelseru_tests::until;
use serde_json::{Value, json};

use super::{Pair, keep, messages, say, sees};

/// A red pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\
    \x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

impl Pair {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.installation.write(name, bytes);
        self.installation.folder().join(name)
    }

    /// Sara chooses a file and sends it.
    async fn send_file(&self, name: &str, bytes: &[u8]) {
        let path = self.write(name, bytes);
        let path = path.to_str().unwrap();
        self.sara.write(".composer input[type=file]", path).await;
        self.sara.wait_for(".tray li").await;
        self.sara.click(".composer .send").await;
    }

    /// The link to the file of the newest message, as Ali gets it.
    async fn newest_link(&self) -> String {
        let path = format!("/api/chat/messages/?chat_room={}", self.room().await);
        let page = self.call(&self.ali, &path, None).await;
        let link = page["results"][0]["file_url"].as_str().unwrap();
        self.server.url(link)
    }
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_photo_with_words_is_seen_by_the_other_and_kept_over_a_reload() {
    let pair = Pair::meet().await;
    let path = pair.write("سفر.png", PNG);
    let input = ".composer input[type=file]";
    pair.sara.write(input, path.to_str().unwrap()).await;
    pair.sara.wait_for(".tray li").await;
    say(&pair.sara, "این جاست").await;
    for browser in [&pair.sara, &pair.ali] {
        browser.wait_for(".message .photo.loaded img").await;
        sees(browser, "این جاست").await;
    }
    pair.sara.wait_for_no(".upload").await;
    pair.ali.run("location.reload();", &[]).await;
    pair.ali.wait_for(".message .photo.loaded img").await;
    let width = "return document.querySelector('.photo img').naturalWidth;";
    assert_eq!(pair.ali.run(width, &[]).await, 1);
    keep("page-photo.png", &pair.ali.screenshot().await);

    // A link is good for some minutes; who still looks at the photo then gets another one.
    let old = "document.querySelector('.photo img').src = '/api/chat/files/1/content/?reader=1&expires=1&signature=0';";
    pair.ali.run(old, &[]).await;
    until("the link is renewed", async || {
        let shown = "const image = document.querySelector('.photo img');
            return image !== null && image.naturalWidth === 1 && !image.src.includes('expires=1&');";
        pair.ali.run(shown, &[]).await == true
    })
    .await;

    pair.ali.click(".message .photo").await;
    pair.ali.wait_for("dialog.viewer img").await;
    assert_eq!(pair.ali.texts("dialog.viewer h2").await, ["سفر.png"]);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_file_waits_for_the_network_over_a_reload_and_is_sent_once() {
    let pair = Pair::meet().await;
    pair.sara.set_offline(true).await;
    pair.sara
        .wait_for(".shell[data-connection=offline] .banner")
        .await;
    pair.send_file("یک.txt", b"one").await;
    pair.send_file("دو.txt", b"two").await;
    until("both wait", async || {
        pair.sara.texts(".upload .file-name").await == ["یک.txt", "دو.txt"]
    })
    .await;
    // The second one is given up.
    let cancel = "document.querySelectorAll('.upload .icon-button')[1].click();";
    pair.sara.run(cancel, &[]).await;
    until("one waits", async || {
        pair.sara.texts(".upload").await.len() == 1
    })
    .await;
    let hash = pair.sara.run("return location.hash;", &[]).await;
    pair.sara.open("about:blank").await;
    pair.sara.set_offline(false).await;
    let url = format!("/{}", hash.as_str().unwrap());
    pair.sara.open(&pair.server.url(&url)).await;
    for browser in [&pair.ali, &pair.sara] {
        until("it is there", async || {
            browser.texts(".message button .file-name").await == ["یک.txt"]
        })
        .await;
    }
    pair.sara.wait_for(".message.mine .state.checks").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_file_that_is_too_large_is_refused_before_it_is_uploaded() {
    let pair = Pair::meet().await;
    let path = pair.write("large.bin", &vec![7; 10 * 1024 * 1024 + 1]);
    let input = ".composer input[type=file]";
    pair.sara.write(input, path.to_str().unwrap()).await;
    pair.sara.wait_for(".toast").await;
    let toast = pair.sara.texts(".toast").await.concat();
    assert!(
        toast.contains("large.bin") && toast.contains("۱۰ مگابایت"),
        "{toast}"
    );
    assert!(!pair.sara.sees(".tray").await);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn what_is_in_a_file_is_never_run() {
    let pair = Pair::meet().await;
    let script = "<script>localStorage.setItem('ran', 'yes')</script>";
    let files = [
        ("page.html", format!("<!DOCTYPE html>{script}")),
        (
            "picture.svg",
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{script}</svg>"),
        ),
        ("photo.png", format!("<html>{script}</html>")),
        ("<img src=x onerror=alert(1)>.txt", "text".to_owned()),
    ];
    for (at, (name, text)) in files.iter().enumerate() {
        pair.send_file(name, text.as_bytes()).await;
        until("the file is there", async || {
            let names = pair.ali.texts(".message button.file .file-name").await;
            names.len() == at + 1 && names[at] == *name
        })
        .await;
        assert!(!pair.ali.sees(".message .photo").await, "{name}");

        // Whoever follows the link is offered a download, and no page comes of it.
        let link = pair.newest_link().await;
        let response = pair.server.http.get(&link).send().await.unwrap();
        let kind = response.headers()["content-disposition"].to_str().unwrap();
        assert!(kind.starts_with("attachment"), "{name}: {kind}");
        pair.ali.open(&link).await;
        let ran = "return [localStorage.getItem('ran'), location.pathname];";
        let ran = pair.ali.run(ran, &[]).await;
        assert_eq!(ran, json!([Value::Null, "/"]), "{name}");
    }
    assert!(messages(&pair.ali).await.is_empty());
}
