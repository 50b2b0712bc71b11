//! Accounts with a password, where the server has them.

use chelseru_tests::{Browser, Database};

use super::{SARA, ascii, click_text};
use crate::harness::Installation;

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn an_account_is_made_with_a_password_that_logs_in_from_then_on() {
    let installation = Installation::new(Database::Sqlite)
        .await
        .set("CHELSERU_AUTH__AUTH_METHOD", "OTP,PASSWD");
    let server = installation.start();
    let sara = Browser::start().await;
    sara.open(&server.url("/")).await;
    sara.wait_for("input[name=mobile_number]").await;
    click_text(&sara, ".ways button", "ورود با رمز").await;
    click_text(&sara, ".ways button", "ساختن حساب").await;
    sara.write("input[name=mobile_number]", SARA).await;
    sara.click("button.primary").await;
    sara.wait_for("input[name=code]").await;
    let code = server.code_for(&ascii(SARA)).await.unwrap();
    sara.write("input[name=code]", &code).await;
    sara.write("input[name=username]", "golnar").await;
    sara.write("input[name=new-password]", "12345678").await;
    sara.click("button.primary").await;
    // Everybody tries that one first, and the code is still good.
    sara.wait_for("input[name=new-password][aria-invalid]")
        .await;
    sara.write("input[name=new-password]", " دریا و کوه").await;
    sara.click("button.primary").await;
    sara.click("a[href='#/you']").await;
    sara.wait_for(".about-head h2").await;
    assert_eq!(sara.texts(".about-head h2").await, ["golnar"]);

    click_text(&sara, ".page button", "خروج").await;
    click_text(&sara, ".ways button", "ورود با رمز").await;
    sara.write("input[name=username]", "golnar").await;
    sara.write("input[name=current-password]", "another").await;
    sara.click("button.primary").await;
    sara.wait_for("input[aria-invalid]").await;
    let rest = "document.querySelector('input[name=current-password]').value = '';";
    sara.run(rest, &[]).await;
    let password = "12345678 دریا و کوه";
    sara.write("input[name=current-password]", password).await;
    sara.click("button.primary").await;
    sara.wait_for(".room-list").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_server_without_passwords_offers_none() {
    let installation = Installation::new(Database::Sqlite).await;
    let server = installation.start();
    let sara = Browser::start().await;
    sara.open(&server.url("/")).await;
    sara.wait_for("input[name=mobile_number]").await;
    assert!(!sara.sees(".ways button").await);
}
