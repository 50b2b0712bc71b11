//! Finding, changing and taking back what was said.

use chelseru_tests::until;
use serde_json::json;

use super::{Pair, choose, click_text, messages, say, sees};

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn words_are_found_in_other_letter_forms_and_shown_in_their_place() {
    let pair = Pair::meet().await;
    say(&pair.ali, "این كتاب را بخوان <b>زود</b>").await;
    sees(&pair.sara, "این كتاب را بخوان <b>زود</b>").await;
    let room = pair.room().await;
    for number in 0..90 {
        let body = json!({ "chat_room": room, "text": format!("حرف {number}") });
        pair.call(&pair.ali, "/api/chat/messages/", Some(&body))
            .await;
    }
    // Read anew, the page has the newest messages alone.
    pair.sara.run("location.reload();", &[]).await;
    sees(&pair.sara, "حرف 89").await;
    assert!(!messages(&pair.sara).await.contains(&"حرف 0".to_owned()));

    pair.sara
        .click("button[aria-label='جستجو در این گفتگو']")
        .await;
    pair.sara.write(".search input", "کتاب").await;
    pair.sara.wait_for(".result mark").await;
    assert_eq!(pair.sara.texts(".result mark").await, ["كتاب"]);
    assert_eq!(
        pair.sara.texts(".result-text").await,
        ["این كتاب را بخوان <b>زود</b>"]
    );
    pair.sara.click(".result").await;
    pair.sara.wait_for(".message.found").await;
    assert_eq!(
        pair.sara.texts(".message.found .text").await,
        ["این كتاب را بخوان <b>زود</b>"]
    );
    sees(&pair.sara, "حرف 0").await;

    // From there the newest message is one click away.
    pair.sara.click(".to-end").await;
    sees(&pair.sara, "حرف 89").await;
    pair.sara.wait_for_no(".to-end").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn what_is_changed_or_taken_back_is_seen_so_by_the_other() {
    let pair = Pair::meet().await;
    say(&pair.sara, "سلم").await;
    sees(&pair.ali, "سلم").await;
    choose(&pair.sara, ".message.mine .actions", "ویرایش").await;
    let clear = "document.querySelector('.composer textarea').value = '';";
    pair.sara.run(clear, &[]).await;
    say(&pair.sara, "سلام").await;
    until("the other sees the change", async || {
        messages(&pair.ali).await == ["سلام"]
    })
    .await;

    choose(&pair.ali, ".message .actions", "پاسخ").await;
    say(&pair.ali, "علیک").await;
    sees(&pair.sara, "علیک").await;
    assert_eq!(pair.sara.texts(".message .quote span").await, ["سلام"]);

    choose(&pair.sara, ".message.mine .actions", "پاک کردن برای همه").await;
    click_text(&pair.sara, "dialog button", "پاک کردن برای همه").await;
    for browser in [&pair.ali, &pair.sara] {
        browser.wait_for(".message.deleted").await;
        until("nothing of it is left", async || {
            let page = browser.texts(".chat").await.concat();
            !page.contains("سلام")
        })
        .await;
    }
}
