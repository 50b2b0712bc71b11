//! `SendSimpleSMS2` of the SOAP API: texts.

use chelseru_core::sms::SmsErrorKind::{NotSent, PerhapsSent, TemplateRefused, TextRefused};
use chelseru_core::sms::{Sent, SmsError};

use super::{OF_BOTH, OF_TEXTS, SOAP};
use crate::server::{Answer, Server};
use crate::setup::{SOAP_SUCCESS, config, provider, refusal, send_each, template, text};

const SERVER_ERROR: &str = "500 Internal Server Error";

fn with_result(result: &str) -> String {
    SOAP_SUCCESS.replace("5461268677656004204", result)
}

async fn send(answer: Answer) -> Result<Sent, SmsError> {
    crate::setup::send(SOAP, &text("hi"), answer).await
}

#[tokio::test]
async fn a_text_is_posted_as_an_envelope_with_the_elements_in_their_order() {
    let mut server = Server::that_answers(Answer::xml("200 OK", SOAP_SUCCESS)).await;
    provider(&config(SOAP, &server.url))
        .send(&text("کد <1> & \"2\"\r\n'3'"))
        .await
        .unwrap();
    let request = server.request();
    assert_eq!(request.line, "POST /post/Send.asmx HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("text/xml; charset=utf-8")
    );
    assert_eq!(
        request.header("soapaction"),
        Some("\"http://tempuri.org/SendSimpleSMS2\"")
    );
    assert_eq!(
        request.body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <SendSimpleSMS2 xmlns=\"http://tempuri.org/\">\
         <username>hush-user</username><password>hush&amp;pass=word</password>\
         <to>09121234567</to><from>50004000</from>\
         <text>کد &lt;1&gt; &amp; \"2\"&#13;\n'3'</text><isflash>false</isflash>\
         </SendSimpleSMS2></soap:Body></soap:Envelope>"
    );
}

#[tokio::test]
async fn an_id_of_19_digits_keeps_its_last_digit() {
    for reply in [
        SOAP_SUCCESS.to_owned(),
        format!("\u{FEFF}{SOAP_SUCCESS}"),
        with_result("\n  5461268677656004204\n"),
        with_result("<![CDATA[5461268677656004204]]>"),
        with_result("546126867765600420&#52;"),
        SOAP_SUCCESS
            .replace("soap:", "SOAP-ENV:")
            .replace(":soap", ":SOAP-ENV"),
        SOAP_SUCCESS
            .replace("<SendSimple", "<ns1:SendSimple")
            .replace("</SendSimple", "</ns1:SendSimple")
            .replace("xmlns=", "xmlns:ns1="),
        SOAP_SUCCESS.replace(
            "<soap:Body>",
            "<soap:Header><x/></soap:Header>\n<soap:Body>",
        ),
    ] {
        for status in ["200 OK", SERVER_ERROR] {
            let sent = send(Answer::xml(status, &reply)).await;
            assert_eq!(sent, Ok(Sent::with_id("5461268677656004204")), "{reply}");
        }
    }
}

#[tokio::test]
async fn every_code_has_its_kind() {
    let table: Vec<_> = OF_BOTH.into_iter().chain(OF_TEXTS).collect();
    let answers = table
        .iter()
        .map(|(code, _)| Answer::xml("200 OK", &with_result(&code.to_string())))
        .collect();
    let results = send_each(SOAP, &text("hi"), answers).await;
    for ((code, kind), result) in table.into_iter().zip(results) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.code(), Some(code.to_string().as_str()));
    }
}

#[tokio::test]
async fn an_undocumented_code_is_kept_and_was_perhaps_sent() {
    for code in ["1", "13", "1000", "-4", "-9223372036854775809"] {
        let error = send(Answer::xml("200 OK", &with_result(code)))
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.code()), (PerhapsSent, Some(code)));
    }
}

#[tokio::test]
async fn a_reply_without_a_result_was_perhaps_sent() {
    let element = "<SendSimpleSMS2Result>5461268677656004204</SendSimpleSMS2Result>";
    for reply in [
        with_result(""),
        with_result("  "),
        with_result("Ok"),
        with_result("5.461268677656004204E18"),
        with_result("<id>5461268677656004204</id>"),
        SOAP_SUCCESS.replace(element, ""),
        SOAP_SUCCESS.replace(element, "<SendSimpleSMS2Result/>"),
        SOAP_SUCCESS.replace(
            element,
            "<SendSimpleSMS2Result xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"true\"/>",
        ),
        SOAP_SUCCESS.replace(element, &element.repeat(2)),
        // Not where it belongs, and not whole.
        element.to_owned(),
        SOAP_SUCCESS.replace("soap:Body", "soap:Header"),
        SOAP_SUCCESS.replace("</soap:Envelope>", ""),
        // A result of another operation.
        SOAP_SUCCESS.replace("SendSimpleSMS2", "GetCredit"),
        "5461268677656004204".to_owned(),
    ] {
        let error = send(Answer::xml("200 OK", &reply)).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{reply}");
        assert_eq!(error.code(), Some("HTTP 200"), "{reply}");
    }
}

fn fault(code: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
         <faultcode>{code}</faultcode><faultstring>Server was unable to read request.</faultstring>\
         <detail /></s:Fault></s:Body></s:Envelope>"
    )
}

#[tokio::test]
async fn an_envelope_that_was_not_accepted_was_not_sent() {
    for (code, kept) in [
        ("soap:Client", "SOAP Client"),
        ("Client", "SOAP Client"),
        ("s:Client.Authentication", "SOAP Client"),
        ("soap:VersionMismatch", "SOAP VersionMismatch"),
        ("soap:MustUnderstand", "SOAP MustUnderstand"),
    ] {
        for status in [SERVER_ERROR, "200 OK", "400 Bad Request"] {
            let error = send(Answer::xml(status, &fault(code))).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (NotSent, Some(kept)),
                "{code}"
            );
        }
    }
}

#[tokio::test]
async fn a_message_on_which_the_server_failed_was_perhaps_sent() {
    let error = send(Answer::xml(SERVER_ERROR, &fault("soap:Server")))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (PerhapsSent, Some("SOAP Server"))
    );
}

#[tokio::test]
async fn an_error_of_the_server_that_is_no_fault_was_perhaps_sent() {
    for reply in [
        fault("soap:Hiccup"),
        fault(""),
        fault("soap:Client").replace("s:Fault>", "s:Failure>"),
        fault("soap:Client").replace("</s:Envelope>", ""),
        "<html><body>soap:Client</body></html>".to_owned(),
        String::new(),
    ] {
        let error = send(Answer::xml(SERVER_ERROR, &reply)).await.unwrap_err();
        assert_eq!(error.kind(), PerhapsSent, "{reply}");
        assert_eq!(error.code(), Some("HTTP 500"), "{reply}");
    }
}

#[tokio::test]
async fn a_text_that_xml_cannot_carry_is_refused_before_sending() {
    for character in ['\0', '\u{1B}', '\u{B}', '\u{FFFE}'] {
        let error = refusal(SOAP, &text(&format!("a{character}b"))).await;
        assert_eq!(error.kind(), TextRefused, "{character:?}");
    }
}

#[tokio::test]
async fn a_template_is_refused_before_sending() {
    let error = refusal(SOAP, &template("1", &["2"])).await;
    assert_eq!(error.kind(), TemplateRefused);
}
