//! Groups: who is in one, and who is put out of it.

use chelseru_tests::until;

use super::{Pair, choose, click_text, say, sees};

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn who_is_removed_from_a_group_has_it_no_more() {
    let pair = Pair::meet().await;
    let ali = pair.sara.texts(".chat-names h1").await.remove(0);
    choose(&pair.sara, ".side button[aria-haspopup=menu]", "گروه تازه").await;
    pair.sara.write("dialog input[name=name]", "سفر").await;
    pair.sara.write("dialog input[name=username]", &ali).await;
    pair.sara.click("dialog button.primary").await;
    until("the group is open", async || {
        pair.sara.texts(".chat-names h1").await == ["سفر"]
    })
    .await;
    say(&pair.sara, "کجا برویم؟").await;
    until("he is in it, too", async || {
        pair.ali.texts(".room-name").await.contains(&"سفر".into())
    })
    .await;
    click_text(&pair.ali, ".room-name bdi", "سفر").await;
    sees(&pair.ali, "کجا برویم؟").await;
    say(&pair.ali, "دریا").await;
    // In a group the sender sees who has read a message.
    pair.ali.wait_for(".message.mine .state.checks").await;
    choose(&pair.ali, ".message.mine .actions", "چه کسانی خوانده‌اند").await;
    pair.ali.wait_for("dialog .people li").await;
    pair.ali.click("dialog header button").await;

    pair.sara.click(".chat-title").await;
    choose(&pair.sara, ".people .icon-button", "بیرون کردن از گروه").await;
    click_text(&pair.sara, "dialog .danger", "بیرون کردن از گروه").await;
    until("the group is gone", async || {
        pair.ali.texts(".room-name").await.len() == 1 && !pair.ali.sees(".message").await
    })
    .await;
}
