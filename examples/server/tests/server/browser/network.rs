//! What two users see who chat over a network that breaks, and who was logged out elsewhere.

use chelseru_tests::{Browser, Database, Proxy, until};
use serde_json::json;

use super::{ALI, Pair, SARA, ascii, keep, log_in, messages, open_pair, say, sees};
use crate::harness::Installation;

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn two_users_chat_and_who_was_cut_off_sees_what_the_other_sees() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let mut proxy = Proxy::to(server.address().parse().unwrap()).await;
    let (sara, ali) = (Browser::start().await, Browser::start().await);
    log_in(&sara, server.address(), &server, SARA).await;
    let ali_through = proxy.address().to_string();
    let name = log_in(&ali, &ali_through, &server, ALI).await;
    open_pair(&sara, &name).await;
    say(&sara, "سلام علی").await;

    // He has not opened the room: one message that was not read, in the language's digits.
    ali.wait_for(".room .badge").await;
    assert_eq!(ali.texts(".room .badge").await, ["۱"]);
    ali.click(".room").await;
    sees(&ali, "سلام علی").await;
    sara.wait_for(".message.mine .state.checks").await;
    say(&ali, "سلام سارا، چه خبر؟").await;
    sees(&sara, "سلام سارا، چه خبر؟").await;
    assert_eq!(
        sara.run("return document.documentElement.dir;", &[]).await,
        "rtl"
    );
    keep("page-desktop.png", &sara.screenshot().await);

    let shows_her_online = async || ali.texts(".chat-title").await[0].contains("آنلاین");
    until("she is shown to be here", shows_her_online).await;
    proxy.refuse().await;
    ali.wait_for(".banner").await;
    assert!(!shows_her_online().await, "nobody knows without a network");
    say(&ali, "این را بی شبکه نوشتم").await;
    ali.wait_for(".message.mine .state.clock").await;
    say(&sara, "هستی؟").await;
    say(&sara, "منتظرم").await;
    sara.wait_for_no(".message .state.clock").await;
    assert!(!messages(&ali).await.contains(&"منتظرم".to_owned()));
    ali.become_a_phone(360, 740).await;
    keep("page-phone-cut.png", &ali.screenshot().await);

    proxy.recover().await;
    ali.wait_for_no(".banner").await;
    until("she is shown to be here", shows_her_online).await;
    sees(&ali, "منتظرم").await;
    sees(&sara, "این را بی شبکه نوشتم").await;
    ali.wait_for_no(".message .state.clock").await;
    let expected = [
        "سلام علی",
        "سلام سارا، چه خبر؟",
        "هستی؟",
        "منتظرم",
        "این را بی شبکه نوشتم",
    ];
    assert_eq!(messages(&sara).await, expected);
    assert_eq!(messages(&ali).await, expected);
    let width = ali
        .run("return document.documentElement.scrollWidth;", &[])
        .await;
    assert_eq!(width, 360, "nothing is wider than a phone");
    keep("page-phone.png", &ali.screenshot().await);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_device_without_network_keeps_what_is_written_over_a_reload_and_sends_it_once() {
    let pair = Pair::meet().await;
    let (sara, ali) = (&pair.sara, &pair.ali);
    say(sara, "یک").await;
    sara.wait_for(".message.mine .state.checks").await;
    sara.set_offline(true).await;
    sara.wait_for(".shell[data-connection=offline] .banner")
        .await;
    say(sara, "دو").await;
    sara.wait_for(".message.mine .state.clock").await;
    // The tab is closed before the network is back.
    sara.open("about:blank").await;
    sara.set_offline(false).await;
    sara.open(&pair.server.url("/")).await;
    sara.click(".room").await;
    sees(sara, "دو").await;
    sara.wait_for_no(".message .state.clock").await;
    sees(ali, "دو").await;
    assert_eq!(messages(ali).await, ["یک", "دو"]);
    assert_eq!(messages(sara).await, ["یک", "دو"]);
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_session_that_is_ended_elsewhere_leads_back_to_the_login() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let sara = Browser::start().await;
    log_in(&sara, server.address(), &server, SARA).await;
    // Her code is used up, so the next one can be asked for at once.
    let body = json!({ "mobile_number": ascii(SARA) });
    server.post("/api/otp/send/", &body).await.unwrap();
    let code = server.code_for(&ascii(SARA)).await.unwrap();
    let login = json!({ "mobile_number": ascii(SARA), "code": code });
    let (_, elsewhere) = server.post("/api/authenticate/", &login).await.unwrap();
    let ended = server
        .http
        .delete(server.url("/api/sessions/"))
        .bearer_auth(elsewhere["access"].as_str().unwrap())
        .send();
    assert_eq!(ended.await.unwrap().status(), 204);
    sara.wait_for("input[name=mobile_number]").await;
    assert_eq!(sara.texts(".notice[role=status]").await.len(), 1);
}
