//! SOAP 1.1: `/post/Send.asmx`, an envelope in and one out, whose result is a bare string: an id or a
//! code.

use roxmltree::{Document, Node};

use super::super::book::Book;
use super::super::http::{Request, Response};
use super::{BAD_CREDENTIALS, delivery, knows, send_pattern, send_text};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const NAMESPACE: &str = "http://tempuri.org/";
const XML: &str = "text/xml; charset=utf-8";

/// As much of the service's description as a client of these operations reads.
const DESCRIPTION: &str = include_str!("send.wsdl");

/// What this server does, and nothing else of the real one.
pub(super) const OPERATIONS: [&str; 4] = [
    "SendSimpleSMS2",
    "SendByBaseNumber2",
    "GetDelivery",
    "GetDeliveries2",
];

pub(super) fn operation(request: &Request) -> String {
    if request.query().eq_ignore_ascii_case("wsdl") {
        return "wsdl".to_owned();
    }
    let operation = Envelope::of(request).map(|envelope| envelope.operation);
    operation.unwrap_or_else(|_| request.path().to_owned())
}

pub(super) fn answer(operation: &str, request: &Request, book: &mut Book) -> Response {
    if operation == "wsdl" {
        return Response::new(200, XML, DESCRIPTION);
    }
    if request.method != "POST" {
        return Response::html(405);
    }
    if !request.is_of_type("text/xml") {
        return Response::html(415);
    }
    let envelope = match Envelope::of(request) {
        Ok(envelope) => envelope,
        Err(reason) => return fault(&reason),
    };
    if !OPERATIONS.contains(&operation) {
        return fault("Server did not recognize the operation");
    }
    // ASP.NET refuses an action that is not the body's; without a header the body decides.
    let action = request
        .header("soapaction")
        .map(|action| action.trim_matches('"'));
    if action.is_some_and(|action| action != format!("{NAMESPACE}{operation}")) {
        return fault("Server did not recognize the value of HTTP Header SOAPAction");
    }
    let field = |name: &str| envelope.field(name);
    // The reports of deliveries ask for no password.
    let asks_password = !matches!(operation, "GetDelivery" | "GetDeliveries2");
    if asks_password && !knows(field("username"), field("password")) {
        return result(operation, &BAD_CREDENTIALS.to_string());
    }
    let outcome = match operation {
        "SendSimpleSMS2" if !matches!(field("isflash"), "" | "true" | "false" | "1" | "0") => {
            return fault("Server was unable to read request: isflash is no boolean");
        }
        "SendSimpleSMS2" => send_text(operation, field("to"), field("from"), field("text"), book),
        "SendByBaseNumber2" => {
            let variables = field("text").split(';').map(ToOwned::to_owned).collect();
            send_pattern(operation, field("to"), field("bodyId"), variables, book)
        }
        _ => Ok(delivery(field("recId"), book).to_string()),
    };
    match outcome {
        Ok(value) => result(operation, &value),
        Err(code) => result(operation, &code.to_string()),
    }
}

/// What an envelope asks for.
struct Envelope {
    operation: String,
    fields: Vec<(String, String)>,
}

impl Envelope {
    fn of(request: &Request) -> Result<Self, String> {
        let text = std::str::from_utf8(&request.body).map_err(|error| error.to_string())?;
        let text = text.trim_start_matches('\u{FEFF}');
        let document = Document::parse(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if !root.has_tag_name((ENVELOPE, "Envelope")) {
            return Err("the root is no envelope of SOAP 1.1".to_owned());
        }
        let body = elements(root).find(|node| node.has_tag_name((ENVELOPE, "Body")));
        let call = body.and_then(|body| elements(body).next());
        let call = call.ok_or("the envelope has no body")?;
        if call.tag_name().namespace() != Some(NAMESPACE) {
            return Err("the operation is in a foreign namespace".to_owned());
        }
        // Elements of another namespace are unknown, and unknown ones are ignored: ASP.NET leaves
        // what it does not recognise empty.
        let fields = elements(call)
            .filter(|field| field.tag_name().namespace() == Some(NAMESPACE))
            .map(|field| {
                let value = field.text().unwrap_or_default();
                (field.tag_name().name().to_owned(), value.to_owned())
            });
        Ok(Self {
            operation: call.tag_name().name().to_owned(),
            fields: fields.collect(),
        })
    }

    fn field(&self, name: &str) -> &str {
        let mut fields = self.fields.iter().filter(|(known, _)| known == name);
        fields.next().map_or("", |(_, value)| value.as_str())
    }
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The value has nothing to escape: digits and a sign.
pub(super) fn result(operation: &str, value: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"{ENVELOPE}\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body>\
         <{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{value}</{operation}Result>\
         </{operation}Response></soap:Body></soap:Envelope>"
    );
    Response::new(200, XML, body)
}

fn fault(reason: &str) -> Response {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"{ENVELOPE}\">\
         <soap:Body><soap:Fault><faultcode>soap:Client</faultcode>\
         <faultstring>{reason}</faultstring><detail /></soap:Fault></soap:Body></soap:Envelope>"
    );
    Response::new(500, XML, body)
}
