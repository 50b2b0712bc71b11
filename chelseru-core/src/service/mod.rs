//! The service: what an application holds, and what an adapter calls.

mod chat;
mod codes;
mod hashing;
mod housekeeping;
mod limits;
mod login;
mod passwords;
mod profile;
mod session_cache;
mod sessions;
mod sms;
mod tokens;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jsonwebtoken::jwk::JwkSet;

use self::chat::Chats;
pub(crate) use self::chat::FileLink;
pub use self::chat::{ChatUpkeep, GroupDraft, Post, Posted, RoomUpdate, RoomView};
use self::hashing::Hashers;
pub use self::housekeeping::HousekeepingClaim;
pub use self::login::Login;
pub use self::passwords::{PasswordLogin, PasswordResetting, Registration};
pub use self::profile::Profile;
use self::session_cache::SessionCache;
pub use self::sessions::{CurrentUser, LogoutScope, SessionView};
pub use self::sms::{Balance, IdempotencyKey, InvalidIdempotencyKey, Message, ProviderHealth};
use self::sms::{Gateway, ToldBudgets};
use self::tokens::Successors;
use self::watch::Watch;
pub use self::watch::{AccountChangeStream, AccountsChanged, WatchClaim};
use crate::api::Uploads;
use crate::chat::{BlobStore, Bus, Hub, LocalBus};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{AuthConfig, AuthMethod, Config, ConfigError, PasswordsConfig};
use crate::events::{Event, EventStream, Events};
use crate::keyed_hash::{KeyedHash, KeyedHashes};
use crate::mobile::MobileNumber;
use crate::otp::{Code, CodeHasher};
use crate::sms::{SmsProvider, code_text_warnings};
use crate::store::Store;
use crate::token::Tokens;

/// The whole service over one store and one SMS provider. Cheap to clone; every clone is the same
/// service.
///
/// ```
/// use chelseru_core::{Chelseru, Config, store::MemoryStore};
/// # use chelseru_core::sms::{Sent, Sms, SmsError, SmsProvider};
/// # #[derive(Debug)]
/// # struct YourProvider;
/// # #[async_trait::async_trait]
/// # impl SmsProvider for YourProvider {
/// #     fn name(&self) -> &str { "YOURS" }
/// #     async fn send(&self, _: &Sms) -> Result<Sent, SmsError> { Ok(Sent::default()) }
/// # }
///
/// let config = Config::builder()
///     .signing_key("a secret of at least 32 bytes, kept")
///     .build()?;
/// let chelseru = Chelseru::builder(config)
///     .store(MemoryStore::new())
///     .sms(YourProvider)
///     .build()?;
/// # let _ = chelseru;
/// # Ok::<(), chelseru_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Chelseru {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    store: Arc<dyn Store>,
    gateways: Vec<Gateway>,
    clock: Arc<dyn Clock>,
    may_send_message: MaySendMessage,
    codes: CodeHasher,
    repeatable_codes: KeyedHash,
    test_codes: HashMap<MobileNumber, Code>,
    requests: KeyedHashes,
    login_names: KeyedHash,
    hashers: Hashers,
    tokens: Tokens,
    successors: Successors,
    sessions: SessionCache,
    watch: Watch,
    events: Events,
    hub: Hub,
    blobs: Option<Arc<dyn BlobStore>>,
    file_links: KeyedHashes,
    uploads: Uploads,
    chats: Chats,
    told_budgets: ToldBudgets,
    housekeeping_claimed: AtomicBool,
    upkeep_claimed: AtomicBool,
    warnings: Vec<String>,
}

impl Chelseru {
    /// Starts with the settings; a store and an SMS provider are needed as well.
    pub fn builder(config: Config) -> ChelseruBuilder {
        ChelseruBuilder {
            config,
            store: None,
            providers: Vec::new(),
            blobs: None,
            clock: Arc::new(SystemClock),
            may_send_message: Arc::new(|_, _| true),
            bus: Arc::new(LocalBus),
        }
    }

    /// The settings that it runs with.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The store, for what the service itself does not do.
    pub fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// What happens from now on; each stream gets everything.
    ///
    /// ```
    /// # use chelseru_core::{Chelseru, Client, Config, events::Event, store::MemoryStore, testing::StubProvider};
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let config = Config::builder().signing_key("a secret of at least 32 bytes, kept").build().unwrap();
    /// # let chelseru = Chelseru::builder(config)
    /// #     .store(MemoryStore::new()).sms(StubProvider::new()).build().unwrap();
    /// let mut events = chelseru.events();
    /// chelseru.send_code("09121234567".parse()?, Client::default()).await?;
    /// while let Some(event) = events.next().await {
    ///     if let Event::CodeSent { mobile_number } = event {
    ///         assert_eq!(mobile_number.as_str(), "09121234567");
    ///         break;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn events(&self) -> EventStream {
        self.inner.events.subscribe()
    }

    /// What is allowed in the settings and deserves a look, a sentence each, as it was logged when the
    /// service was built.
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// The keys that others may verify tokens with; none for HS algorithms.
    pub(crate) fn public_keys(&self) -> Option<JwkSet> {
        self.inner.tokens.public_keys()
    }

    fn tell(&self, event: Event) {
        self.inner.events.tell(event);
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.inner.uploads
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.inner.hub
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

impl fmt::Debug for Chelseru {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chelseru")
            .field("config", &self.inner.config)
            .field("gateways", &self.inner.gateways)
            .finish_non_exhaustive()
    }
}

/// Puts a [`Chelseru`] together.
pub struct ChelseruBuilder {
    config: Config,
    store: Option<Arc<dyn Store>>,
    providers: Vec<Arc<dyn SmsProvider>>,
    blobs: Option<Arc<dyn BlobStore>>,
    clock: Arc<dyn Clock>,
    may_send_message: MaySendMessage,
    bus: Arc<dyn Bus>,
}

/// Whether a user may send a message.
type MaySendMessage = Arc<dyn Fn(&CurrentUser, &Message) -> bool + Send + Sync>;

impl ChelseruBuilder {
    /// Where everything is kept: a `DieselStore`, a store of your own, or an `Arc<dyn Store>`.
    #[must_use]
    pub fn store(mut self, store: impl IntoShared<dyn Store>) -> Self {
        self.store = Some(store.into_shared());
        self
    }

    /// Who sends the messages: what `chelseru_sms::from_config` gives, a provider of your own, or
    /// several, in the order in which they are tried.
    #[must_use]
    pub fn sms(mut self, providers: impl IntoProviders) -> Self {
        self.providers = providers.into_providers();
        self
    }

    /// Where the files of messages are kept: what `chelseru_files` opens, or a place of your own. Without
    /// one, uploads are refused.
    #[must_use]
    pub fn files(mut self, blobs: impl IntoShared<dyn BlobStore>) -> Self {
        self.blobs = Some(blobs.into_shared());
        self
    }

    /// Where the time comes from; the machine's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Which messages users may send (`/message/send/`): those of which this says so, of users of
    /// `AUTH.OPTIONS.MESSAGE_SEND_GROUPS`. All unless set. The others are answered 403.
    ///
    /// It is called in the midst of a request, so it should answer at once and from memory.
    ///
    /// ```
    /// # use chelseru_core::{Chelseru, Config};
    /// # let config = Config::builder().signing_key("a secret of at least 32 bytes, kept").build()?;
    /// let builder = Chelseru::builder(config)
    ///     .may_send_message(|user, message| message.to == user.mobile_number);
    /// # let _ = builder;
    /// # Ok::<(), chelseru_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn may_send_message(
        mut self,
        may: impl Fn(&CurrentUser, &Message) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.may_send_message = Arc::new(may);
        self
    }

    /// How servers over one database tell each other of the chat: what `DieselStore::bus` gives, or a bus
    /// of your own. Without one each finds what happened on the others some seconds later.
    #[must_use]
    pub fn bus(mut self, bus: impl IntoShared<dyn Bus>) -> Self {
        self.bus = bus.into_shared();
        self
    }

    /// The service.
    ///
    /// # Errors
    ///
    /// A setting that cannot be used, a missing or too short signing key among them, or no store or
    /// provider.
    pub fn build(self) -> Result<Chelseru, ConfigError> {
        self.config.validate()?;
        let tokens = Tokens::new(&self.config.auth.jwt)?;
        let missing =
            |what| ConfigError::about("Chelseru::builder", format!("{what} was not given"));
        if self.providers.is_empty() {
            return Err(missing("an SMS provider"));
        }
        let mut warnings = self.config.auth.jwt.weak_keys();
        warnings.extend(what_cannot_work(&self.config, &self.providers));
        warnings.extend(weak_hashing(&self.config.auth));
        warnings.extend(open_privilege(&self.config));
        warnings.extend(test_number_warning(&self.config));
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let sms = &self.config.sms;
        let providers = self.providers.into_iter();
        let secrets = self.config.auth.jwt.secrets();
        Ok(Chelseru {
            inner: Arc::new(Inner {
                gateways: providers
                    .map(|provider| Gateway::new(provider, sms))
                    .collect(),
                codes: CodeHasher::new(&secrets),
                repeatable_codes: KeyedHash::new(
                    &self.config.auth.jwt.signing_key,
                    "chelseru repeatable code v1",
                ),
                test_codes: test_codes(&self.config),
                requests: KeyedHashes::new(&secrets, "chelseru idempotent request v1"),
                login_names: KeyedHash::new(
                    &self.config.auth.jwt.signing_key,
                    "chelseru login name v1",
                ),
                hashers: Hashers::new(&self.config.auth.passwords),
                successors: Successors::new(&secrets),
                tokens,
                sessions: SessionCache::new(),
                watch: Watch::new(),
                events: Events::new(),
                hub: Hub::new(self.bus),
                blobs: self.blobs,
                file_links: KeyedHashes::new(&secrets, "chelseru file link v1"),
                uploads: Uploads::default(),
                chats: Chats::new(&secrets),
                told_budgets: ToldBudgets::default(),
                store: self.store.ok_or_else(|| missing("a store"))?,
                clock: self.clock,
                may_send_message: self.may_send_message,
                config: self.config,
                housekeeping_claimed: AtomicBool::new(false),
                upkeep_claimed: AtomicBool::new(false),
                warnings,
            }),
        })
    }
}

/// The fixed codes of test numbers. All were looked at with the settings.
fn test_codes(config: &Config) -> HashMap<MobileNumber, Code> {
    let numbers = config.auth.test_numbers.iter();
    let codes = numbers.filter_map(|(number, code)| Some((*number, code.expose().parse().ok()?)));
    codes.collect()
}

fn test_number_warning(config: &Config) -> Option<String> {
    let numbers: Vec<_> = config.auth.test_numbers.keys().collect();
    (!numbers.is_empty()).then(|| {
        format!(
            "AUTH.TEST_NUMBERS has {} ({numbers:?}): who knows their codes logs in without an SMS",
            numbers.len()
        )
    })
}

/// Settings that are allowed, and with which codes cost too much or cannot be sent.
fn what_cannot_work(config: &Config, providers: &[Arc<dyn SmsProvider>]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut sends_text = false;
    for provider in providers {
        let can = provider.capabilities();
        let template = config.auth.options.sms_template.as_ref();
        let has_template = template.is_some_and(|ids| ids.with(provider.name()).is_some());
        if can.templates && has_template {
            continue;
        }
        sends_text |= can.texts;
        if !can.texts {
            warnings.push(format!(
                "AUTH.OPTIONS.OTP_SMS_TEMPLATE_ID has no template for {}, which sends templates only: \
                 it can send no code",
                provider.name()
            ));
        }
    }
    if sends_text {
        warnings.extend(code_text_warnings(&config.auth.options));
    }
    warnings
}

/// Parameters of argon2id below the least that OWASP recommends (Password Storage Cheat Sheet), in each of
/// its pairs of memory and iterations.
fn weak_hashing(auth: &AuthConfig) -> Option<String> {
    const LEAST: [(u32, u32); 5] = [
        (47_104, 1),
        (19_456, 2),
        (12_288, 3),
        (9_216, 4),
        (7_168, 5),
    ];
    let PasswordsConfig {
        memory_kib,
        iterations,
        ..
    } = auth.passwords;
    let mut least = LEAST.iter();
    let is_enough = least.any(|&(memory, times)| memory_kib >= memory && iterations >= times);
    (auth.methods.contains(&AuthMethod::Passwd) && !is_enough).then(|| {
        format!(
            "AUTH.PASSWORDS.MEMORY_KIB: with {memory_kib} KiB and {iterations} iterations, passwords of \
             a copy of the database are guessed faster than is usual; 19456 and 2 are the least"
        )
    })
}

/// A privilege of a group in which anybody may make an account.
fn open_privilege(config: &Config) -> Option<String> {
    let options = &config.auth.options;
    let is_open = |group: &&i64| {
        let open = options.signup_groups.as_ref();
        open.is_none_or(|groups| groups.contains(group))
    };
    let group = options.message_send_groups.as_ref()?.iter().find(is_open)?;
    Some(format!(
        "AUTH.OPTIONS.MESSAGE_SEND_GROUPS has group {group}, in which anybody may make an account: \
         AUTH.OPTIONS.SIGNUP_GROUPS does not keep them out"
    ))
}

impl fmt::Debug for ChelseruBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChelseruBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// A part that is given by value or already shared, so that the builder takes both.
pub trait IntoShared<T: ?Sized> {
    /// The part, shared.
    fn into_shared(self) -> Arc<T>;
}

/// A place for files, by value or already shared.
impl<B: BlobStore + 'static> IntoShared<dyn BlobStore> for B {
    fn into_shared(self) -> Arc<dyn BlobStore> {
        Arc::new(self)
    }
}

impl IntoShared<dyn BlobStore> for Arc<dyn BlobStore> {
    fn into_shared(self) -> Self {
        self
    }
}

/// One SMS provider or several, by value or already shared.
pub trait IntoProviders {
    /// The providers, in the order in which they are tried.
    fn into_providers(self) -> Vec<Arc<dyn SmsProvider>>;
}

impl<S: Store + 'static> IntoShared<dyn Store> for S {
    fn into_shared(self) -> Arc<dyn Store> {
        Arc::new(self)
    }
}

impl IntoShared<dyn Store> for Arc<dyn Store> {
    fn into_shared(self) -> Self {
        self
    }
}

impl<B: Bus + 'static> IntoShared<dyn Bus> for B {
    fn into_shared(self) -> Arc<dyn Bus> {
        Arc::new(self)
    }
}

impl IntoShared<dyn Bus> for Arc<dyn Bus> {
    fn into_shared(self) -> Self {
        self
    }
}

impl<P: SmsProvider + 'static> IntoProviders for P {
    fn into_providers(self) -> Vec<Arc<dyn SmsProvider>> {
        vec![Arc::new(self)]
    }
}

impl IntoProviders for Arc<dyn SmsProvider> {
    fn into_providers(self) -> Vec<Arc<dyn SmsProvider>> {
        vec![self]
    }
}

impl IntoProviders for Vec<Arc<dyn SmsProvider>> {
    fn into_providers(self) -> Vec<Arc<dyn SmsProvider>> {
        self
    }
}
