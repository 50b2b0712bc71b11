//! The real server, for the time of a test.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, Responder, rt, web};
use chelseru_actix::{CurrentUser, InGroup};
use chelseru_core::chat::Bus;
use chelseru_core::config::{ConfigBuilder, PumpingGuard};
use chelseru_core::sms::SmsProvider;
use chelseru_core::store::Store;
use chelseru_core::testing::{ManualClock, StubProvider};
use chelseru_core::{Chelseru, Config, HousekeepingClaim, WatchClaim};
use chelseru_files::Files;
use reqwest::Method;
use tokio::sync::Mutex;

use crate::database::{self, Database, TestDatabase};
use crate::folder::TestFolder;
use crate::{Call, raw};

/// The key that tokens are signed with.
pub const SIGNING_KEY: &str = "a signing key that only the tests know";

/// How long any answer may take. Far more than the limits of the service's own: a request that takes
/// longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an idle connection is kept, as `HttpServer` does it.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What a server is made of, before it starts. Clones share the database, the clock and the provider.
#[derive(Clone)]
pub struct Setup {
    database: Arc<TestDatabase>,
    files: Arc<TestFolder>,
    url: Option<String>,
    config: ConfigBuilder,
    clock: ManualClock,
    sms: StubProvider,
    providers: Providers,
    workers: usize,
    is_in_http_server: bool,
    does_housekeeping: bool,
    bus: Link,
}

/// How servers over one database hear of each other.
#[derive(Clone)]
enum Link {
    OfTheStore,
    Made(Arc<dyn Bus>),
}

/// Who sends the messages.
#[derive(Clone)]
enum Providers {
    Recording,
    Made(Arc<dyn SmsProvider>),
    OfTheSettings,
}

impl Setup {
    /// Over a fresh database, with default settings, but without limits on what one number, one
    /// address and one user may do: tests do in a second what people do in a day.
    pub async fn new(database: Database) -> Self {
        Self {
            database: Arc::new(TestDatabase::create(database).await),
            files: Arc::new(TestFolder::new()),
            url: None,
            config: Config::builder()
                .signing_key(SIGNING_KEY)
                .otp_per_number_per_hour(0)
                .otp_per_number_per_day(0)
                .otp_per_address_per_hour(0)
                .otp_failures_per_number_per_hour(0)
                .otp_failures_per_address_per_hour(0)
                .login_failures_per_user_per_hour(0)
                .login_failures_per_user_and_address_per_hour(0)
                .login_failures_per_address_per_hour(0)
                .pumping_guard(PumpingGuard::Off)
                .messages_per_user_per_hour(0)
                .messages_per_receiver_per_hour(0)
                .chat_messages_per_user_per_minute(0)
                .chat_rooms_per_user_per_day(0)
                .chat_lookups_per_user_per_hour(0),
            clock: ManualClock::default(),
            sms: StubProvider::new(),
            providers: Providers::Recording,
            workers: 2,
            is_in_http_server: false,
            does_housekeeping: false,
            bus: Link::OfTheStore,
        }
    }

    /// With the default settings for limits too; call it before [`config`](Self::config).
    #[must_use]
    pub fn with_limits(mut self) -> Self {
        self.config = Config::builder().signing_key(SIGNING_KEY);
        self
    }

    /// With other settings.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(ConfigBuilder) -> ConfigBuilder) -> Self {
        self.config = change(self.config);
        self
    }

    /// With other capabilities of the recording provider, or another name.
    #[must_use]
    pub fn sms(mut self, change: impl FnOnce(StubProvider) -> StubProvider) -> Self {
        self.sms = change(self.sms);
        self
    }

    /// With a provider made of the recording one.
    #[must_use]
    pub fn provider<P: SmsProvider + 'static>(
        mut self,
        make: impl FnOnce(StubProvider) -> P,
    ) -> Self {
        self.providers = Providers::Made(Arc::new(make(self.sms.clone())));
        self
    }

    /// With the real providers that the settings name, as [`FakeProviders`](crate::FakeProviders) give
    /// them.
    #[must_use]
    pub fn providers_of_the_settings(mut self) -> Self {
        self.providers = Providers::OfTheSettings;
        self
    }

    /// With this number of threads instead of two.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// In an `HttpServer`, as in most applications, instead of `chelseru_actix::listen`, as in the bundled
    /// server.
    #[must_use]
    pub fn in_http_server(mut self) -> Self {
        self.is_in_http_server = true;
        self
    }

    /// With a proxy between the service and its database.
    #[must_use]
    pub fn behind(mut self, proxy: SocketAddr) -> Self {
        self.url = Some(self.database.url_through(proxy));
        self
    }

    /// With the housekeeping in the background, which tests else do themselves, when they want it.
    #[must_use]
    pub fn with_housekeeping(mut self) -> Self {
        self.does_housekeeping = true;
        self
    }

    /// With another bus between the servers than the database's own.
    #[must_use]
    pub fn bus(mut self, bus: impl Bus + 'static) -> Self {
        self.bus = Link::Made(Arc::new(bus));
        self
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Starts it.
    pub async fn start(self) -> TestServer {
        let url = self.url.as_deref().unwrap_or(self.database.url());
        let store = database::open_store(url).await;
        let bus = match &self.bus {
            Link::OfTheStore => store.bus(),
            Link::Made(bus) => Arc::clone(bus),
        };
        let config = self.config.clone().build().expect("usable settings");
        let providers = match &self.providers {
            Providers::Recording => vec![Arc::new(self.sms.clone()) as _],
            Providers::Made(provider) => vec![Arc::clone(provider)],
            Providers::OfTheSettings => chelseru_sms::from_config(&config.sms).expect("clients"),
        };
        let chelseru = Chelseru::builder(config)
            .store(store)
            .bus(bus)
            .sms(providers)
            .files(Files::in_folder(self.files.path()).expect("a folder for files"))
            .clock(self.clock.clone())
            .build()
            .expect("a service");
        // Kept, so that nobody else has it.
        let housekeeping = if self.does_housekeeping {
            None
        } else {
            chelseru.claim_housekeeping()
        };
        let watch = chelseru.claim_watch();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port's address");
        let (handle, thread) = self.serve(listener, chelseru.clone()).await;
        TestServer {
            sms: self.sms.clone(),
            clock: self.clock.clone(),
            chelseru,
            _watch: watch,
            address,
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .expect("an HTTP client"),
            handle,
            thread: Some(thread),
            setup: Some(self),
            housekeeping: Mutex::new(housekeeping),
        }
    }

    /// Runs the server on a thread of its own, and its workers on theirs.
    async fn serve(
        &self,
        listener: TcpListener,
        chelseru: Chelseru,
    ) -> (ServerHandle, JoinHandle<()>) {
        let (workers, is_in_http_server) = (self.workers, self.is_in_http_server);
        let (started, start) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let app = move || {
                    App::new()
                        .service(chelseru_actix::jwks(&chelseru))
                        .service(chelseru_actix::scope("/api", &chelseru))
                        .route("/whoami", web::get().to(whoami))
                        .route("/staff", web::get().to(staff))
                };
                let server = if is_in_http_server {
                    HttpServer::new(app)
                        .workers(workers)
                        .on_connect(chelseru_actix::on_connect)
                        .disable_signals()
                        .listen(listener)
                        .expect("a socket to listen on")
                        .run()
                } else {
                    let server = Server::build().workers(workers).disable_signals();
                    chelseru_actix::listen(server, listener, KEEP_ALIVE, app)
                        .expect("a socket to listen on")
                        .run()
                };
                let _ = started.send(server.handle());
                server
                    .await
                    .expect("a server that runs until it is stopped");
            });
        });
        (start.await.expect("a server that starts"), thread)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// The documented routes under `/api`, and of an application's own `/whoami`, that only users may call,
/// and `/staff`, for those of group 7.
///
/// It remembers nobody: every request asks the store, until a test calls [`Chelseru::watch`] by hand.
/// Then it remembers for a second of its clock.
///
/// Dropping it stops it and removes its database.
#[derive(Debug)]
pub struct TestServer {
    /// What the provider was asked to send.
    pub sms: StubProvider,
    /// The time.
    pub clock: ManualClock,
    /// The service.
    pub chelseru: Chelseru,
    /// Held, so that nobody else watches.
    _watch: Option<WatchClaim>,
    address: SocketAddr,
    client: reqwest::Client,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    setup: Option<Setup>,
    housekeeping: Mutex<Option<HousekeepingClaim>>,
}

impl TestServer {
    /// Starts one with default settings.
    pub async fn start(database: Database) -> Self {
        Setup::new(database).await.start().await
    }

    /// Stops it and starts another one over the same database.
    #[must_use = "the new server stops when it is dropped"]
    pub async fn restart(mut self, change: impl FnOnce(Setup) -> Setup) -> Self {
        self.stop();
        let setup = self.setup.take().expect("what it was made of");
        drop(self);
        change(setup).start().await
    }

    /// Starts another one over the same database, as a second process would be.
    #[must_use = "the new server stops when it is dropped"]
    pub async fn beside(&self) -> Self {
        let setup = self.setup.clone().expect("what it was made of");
        setup.start().await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, without the service.
    pub fn store(&self) -> &dyn Store {
        self.chelseru.store()
    }

    /// How many files of messages are kept.
    pub fn files(&self) -> usize {
        let setup = self.setup.as_ref().expect("what it was made of");
        count(setup.files.path())
    }

    /// Does now what is else done in the background.
    pub async fn housekeep(&self) {
        let claimed = self.housekeeping.lock().await.take();
        let mut claim = claimed.expect("nobody else has the housekeeping");
        claim.work().await;
        *self.housekeeping.lock().await = Some(claim);
    }

    /// A request.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(
            &self.client,
            &format!("http://{}", self.address),
            method,
            path,
        )
    }

    /// A GET request.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A POST request.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A DELETE request.
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// [`raw::exchange`] with this server.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> Option<u16> {
        raw::exchange(self.address, bytes.as_ref()).await
    }

    fn stop(&mut self) {
        // The command is sent by the call itself; awaiting would only wait for its end.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let result = thread.join();
            assert!(
                result.is_ok() || std::thread::panicking(),
                "the server panicked"
            );
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The files in a folder and the folders in it.
fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let entries = entries.map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}

/// For group 7 alone.
async fn staff(user: InGroup<7>) -> impl Responder {
    user.id.0.to_string()
}

async fn whoami(user: CurrentUser) -> impl Responder {
    format!("{} {} {}", user.id.0, user.group, user.mobile_number)
}
