//! One provider: a port, what is recorded there, and what goes wrong there.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::book::{Book, SentSms};
use super::faults::{Effect, Fault, Injected, Moment};
use super::http::{self, Incoming, Request, Response};

/// So many requests are kept, the newest: a long test under load does not fill the memory.
const REQUESTS_KEPT: usize = 10_000;

/// So many connections wait to be accepted.
const BACKLOG: u32 = 4096;

/// What is particular to one provider.
pub(super) trait Api: fmt::Debug + Send + Sync {
    /// What the request asks for, as in the provider's documentation; the path when it is nothing known.
    fn operation(&self, request: &Request) -> String;

    /// Does what the request asks for and answers it.
    fn answer(&self, operation: &str, request: &Request, book: &mut Book) -> Response;

    /// Refuses the request with a code of the provider's.
    fn refusal(&self, operation: &str, code: i64) -> Response;
}

/// One of the [`FakeProviders`](crate::FakeProviders), on a port of its own.
#[derive(Debug)]
pub struct FakeProvider {
    address: SocketAddr,
    runtime: Handle,
    shared: Arc<Shared>,
    door: Mutex<Door>,
}

/// Whether connections are taken.
#[derive(Debug)]
enum Door {
    Open(JoinHandle<()>),
    /// The port is bound, so that nobody else gets it, and nobody listens.
    Shut {
        _reserved: TcpSocket,
    },
}

#[derive(Debug)]
struct Shared {
    api: Box<dyn Api>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    book: Book,
    requests: VecDeque<Request>,
    connections: usize,
    faults: Vec<Injected>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first fault that happens to this request; `None` is a connection of which nothing was read.
    fn fault(&self, operation: Option<&str>) -> Option<Injected> {
        let mut state = self.state();
        let before_reading = operation.is_none();
        let found = state
            .faults
            .iter()
            .find(|fault| fault.happens(before_reading, operation))
            .cloned();
        state.faults.retain(|fault| !fault.is_spent());
        found
    }

    fn answer(&self, operation: &str, request: &Request) -> Response {
        self.api.answer(operation, request, &mut self.state().book)
    }
}

impl FakeProvider {
    pub(super) fn start(api: impl Api + 'static, book: Book, runtime: &Handle) -> Self {
        let reserved = reserve(SocketAddr::from(([127, 0, 0, 1], 0)));
        let provider = Self {
            address: reserved.local_addr().expect("the port's address"),
            runtime: runtime.clone(),
            shared: Arc::new(Shared {
                api: Box::new(api),
                state: Mutex::new(State {
                    book,
                    requests: VecDeque::new(),
                    connections: 0,
                    faults: Vec::new(),
                }),
            }),
            door: Mutex::new(Door::Shut {
                _reserved: reserve_nothing(),
            }),
        };
        *provider.door() = provider.listen(reserved);
        provider
    }

    /// The base URL, as the setting takes it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every message that it really sent, in order.
    pub fn sent(&self) -> Vec<SentSms> {
        self.shared.state().book.sent().cloned().collect()
    }

    /// The messages that one receiver got, in order.
    pub fn sent_to(&self, number: &str) -> Vec<SentSms> {
        let state = self.shared.state();
        let messages = state.book.sent().filter(|sms| sms.to == number);
        messages.cloned().collect()
    }

    /// Every request that was read, in order; of very many the newest.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.iter().cloned().collect()
    }

    /// The only request that was read.
    #[track_caller]
    pub fn request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// Forgets the requests, not the messages.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Lets something go wrong. Of several faults the first that fits a request happens to it.
    pub fn inject(&self, fault: Fault) -> Injected {
        let injected = Injected::new(fault);
        self.shared.state().faults.push(injected.clone());
        injected
    }

    /// All is well for further requests. What hangs or is held stays so.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Refuses all connections, as when nobody listens. Those that were made live on.
    pub async fn refuse_connections(&self) {
        let door = std::mem::replace(
            &mut *self.door(),
            Door::Shut {
                _reserved: reserve_nothing(),
            },
        );
        if let Door::Open(accepting) = door {
            accepting.abort();
            // Only then is the port closed.
            let _ = accepting.await;
        }
        *self.door() = Door::Shut {
            _reserved: reserve(self.address),
        };
    }

    /// Takes connections again, on the same port.
    pub fn accept_connections(&self) {
        let mut door = self.door();
        if let Door::Shut { .. } = *door {
            *door = self.listen(reserve(self.address));
        }
    }

    /// What is left in the account: rial for Kavenegar, messages for Melipayamak and Parsian.
    pub fn credit(&self) -> i64 {
        self.shared.state().book.credit
    }

    /// Charges the account to this much.
    pub fn set_credit(&self, credit: i64) {
        self.shared.state().book.credit = credit;
    }

    /// What a message costs from now on.
    pub fn set_cost(&self, cost: i64) {
        self.shared.state().book.cost = cost;
    }

    /// Approves a template; its text has the provider's own placeholders.
    pub fn add_template(&self, id: &str, text: &str) {
        let mut state = self.shared.state();
        state.book.templates.insert(id.to_owned(), text.to_owned());
    }

    /// A message is said to be queued this often, and then to be delivered; once by default.
    pub fn deliver_after(&self, polls: u32) {
        self.shared.state().book.polls_until_delivered = polls;
    }

    /// From now on this is said of a message that was sent, in the provider's own code.
    pub fn set_delivery(&self, message_id: &str, code: i64) {
        self.shared.state().book.set_delivery(message_id, code);
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, socket: TcpSocket) -> Door {
        let shared = Arc::clone(&self.shared);
        // Sockets belong to a runtime from when they listen.
        let _runtime = self.runtime.enter();
        let listener = socket.listen(BACKLOG).expect("a port to listen on");
        Door::Open(tokio::spawn(accept(listener, shared)))
    }
}

/// A socket that is bound to this address and does not listen.
fn reserve(address: SocketAddr) -> TcpSocket {
    let socket = reserve_nothing();
    socket.set_reuseaddr(true).expect("an option of sockets");
    socket.bind(address).expect("the port");
    socket
}

fn reserve_nothing() -> TcpSocket {
    TcpSocket::new_v4().expect("a socket")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                shared.state().connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
            // Too many open files: there will be fewer.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// One connection, to its end.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    if let Some(injected) = shared.fault(None) {
        let _waiting = injected.happen();
        match injected.fault().effect {
            Effect::Reset => reset(stream),
            Effect::Hang => until_client_leaves(&mut stream).await,
            _ => {}
        }
        return;
    }
    let mut buffer = Vec::new();
    loop {
        let request = match http::read(&mut stream, &mut buffer).await {
            Incoming::Request(request) => request,
            Incoming::Unreadable(response) => {
                let _ = stream.write_all(&response.bytes()).await;
                return;
            }
            Incoming::Nothing => return,
        };
        let operation = shared.api.operation(&request);
        {
            let mut state = shared.state();
            if state.requests.len() == REQUESTS_KEPT {
                state.requests.pop_front();
            }
            state.requests.push_back(request.clone());
        }
        let response = match shared.fault(Some(&operation)) {
            None => shared.answer(&operation, &request),
            Some(injected) => {
                let suffered = suffer(stream, &injected, &shared, &operation, &request).await;
                let Some((survived, response)) = suffered else {
                    return;
                };
                stream = survived;
                response
            }
        };
        if stream.write_all(&response.bytes()).await.is_err() || request.is_last() {
            return;
        }
    }
}

/// What a fault does to a request that was read: the connection and what is to be answered on it, or
/// the end of both.
async fn suffer(
    mut stream: TcpStream,
    injected: &Injected,
    shared: &Shared,
    operation: &str,
    request: &Request,
) -> Option<(TcpStream, Response)> {
    let taken =
        (injected.fault().moment == Moment::Taken).then(|| shared.answer(operation, request));
    let _waiting = injected.happen();
    match &injected.fault().effect {
        Effect::Reset => reset(stream),
        Effect::Close => {}
        Effect::Hang => until_client_leaves(&mut stream).await,
        Effect::Hold => {
            tokio::select! {
                () = injected.released() => {
                    let response = taken.unwrap_or_else(|| shared.answer(operation, request));
                    return Some((stream, response));
                }
                () = until_client_leaves(&mut stream) => {}
            }
        }
        Effect::Truncate => {
            let response = taken.unwrap_or_else(|| Response::html(200));
            let _ = stream.write_all(&response.truncated()).await;
        }
        Effect::Answer(response) => return Some((stream, response.clone())),
        Effect::Refuse(code) => return Some((stream, shared.api.refusal(operation, *code))),
    }
    None
}

/// Ends a connection with RST in place of FIN.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}

async fn until_client_leaves(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}
