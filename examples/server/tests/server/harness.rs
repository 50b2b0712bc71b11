//! Starts the server's binary in a folder of its own and talks to it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use chelseru_core::config::SmsService;
use chelseru_diesel::DieselStore;
use chelseru_tests::{Database, FakeProviders, TestDatabase, memory_kib};
use serde_json::{Value, json};

use crate::dump;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chelseru-server-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder for the server");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A folder, a database and the settings of a server that can be started in it again and again.
pub(crate) struct Installation {
    folder: Folder,
    database: TestDatabase,
    settings: BTreeMap<String, String>,
}

impl Installation {
    /// With no settings but a free port, and the database's URL unless it is the default one.
    pub(crate) async fn new(database: Database) -> Self {
        let database = TestDatabase::create(database).await;
        let url = database.url().to_owned();
        let installation = Self {
            folder: Folder::new(),
            database,
            settings: BTreeMap::new(),
        };
        installation
            .set("CHELSERU_SERVER__BIND", "127.0.0.1:0")
            .set("CHELSERU_DATABASE__URL", url)
    }

    pub(crate) fn set(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.settings.insert(variable.to_owned(), value.into());
        self
    }

    /// Sends by these services of the fakes.
    pub(crate) fn send_by(mut self, fakes: &FakeProviders, services: &[SmsService]) -> Self {
        self.settings.extend(fakes.environment(services));
        self
    }

    pub(crate) fn unset(mut self, variable: &str) -> Self {
        self.settings.remove(variable);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Makes the database as a server does when it starts, and nothing else.
    pub(crate) async fn make_database(&self) {
        let store = DieselStore::open(self.database.url()).await;
        drop(store.expect("a fresh database"));
    }

    /// Puts a file into the folder.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder().join(name), text).expect("a file is written");
    }

    /// All that the database holds, as text.
    pub(crate) async fn dump(&self) -> String {
        dump::of(self.database.url()).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chelseru-server"));
        command
            .current_dir(self.folder())
            .env_clear()
            .envs(&self.settings);
        command
    }

    /// Runs a command, or a server that is expected to end by itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command()
            .args(arguments)
            .output()
            .expect("the server runs")
    }

    /// Starts a command and leaves it running.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts")
    }

    /// Starts a server and waits until it says what it serves.
    pub(crate) fn start(&self) -> Server {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut greeting = String::new();
        for _ in 0..3 {
            stdout.read_line(&mut greeting).expect("the server greets");
        }
        let logs = Arc::default();
        let readers = vec![
            collect(stdout, &Arc::default()),
            collect(BufReader::new(child.stderr.take().expect("piped")), &logs),
        ];
        let Some(address) = greeting
            .split_once("http://")
            .and_then(|(_, rest)| rest.split('/').next())
            .map(str::to_owned)
        else {
            let _ = child.wait();
            drop(readers);
            panic!("no greeting but {greeting:?} and {:?}", logs.lock());
        };
        Server {
            child,
            address,
            greeting,
            logs,
            readers,
            http: reqwest::Client::new(),
        }
    }
}

fn collect(mut from: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
    })
}

/// Sends a signal, `-INT` for one, to a process.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: String,
    pub(crate) greeting: String,
    logs: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    pub(crate) http: reqwest::Client,
}

/// What a login gave.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Server {
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let response = self.http.get(self.url(path)).send().await;
        response.expect("the server answers")
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<(u16, Value), reqwest::Error> {
        let response = self.http.post(self.url(path)).json(body).send().await?;
        let status = response.status().as_u16();
        Ok((status, response.json().await?))
    }

    pub(crate) async fn sessions(&self, access: &str) -> Result<(u16, Value), reqwest::Error> {
        let request = self
            .http
            .get(self.url("/api/sessions/"))
            .bearer_auth(access);
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.json().await?))
    }

    /// Asks a route that needs nothing but to know the user, until the access token is refused or, else,
    /// lets in: on a running server it is known for a moment.
    pub(crate) async fn wait_until(&self, access: &str, comes_in: bool) {
        loop {
            let request = self.http.post(self.url("/api/message/send/"));
            let response = request.json(&json!({})).bearer_auth(access).send().await;
            let status = response.expect("the server answers").status().as_u16();
            assert!([400, 401].contains(&status), "{status}");
            if (status == 400) == comes_in {
                return;
            }
        }
    }

    /// The code in the newest message to that number, read in the development inbox.
    pub(crate) async fn code_for(&self, number: &str) -> Result<String, reqwest::Error> {
        let inbox = self.http.get(self.url("/dev/inbox.json")).send().await?;
        let messages: Value = inbox.json().await?;
        let message = messages
            .as_array()
            .and_then(|messages| {
                messages
                    .iter()
                    .find(|message| message["mobile_number"] == number)
            })
            .unwrap_or_else(|| panic!("no message for {number} in {messages}"));
        let text = message["text"].as_str().unwrap_or_default();
        let code = text
            .split(|char: char| !char.is_ascii_digit())
            .max_by_key(|run| run.len());
        Ok(code.unwrap_or_default().to_owned())
    }

    /// Logs in by code; an error when the server goes away meanwhile.
    pub(crate) async fn log_in(&self, number: &str) -> Result<Tokens, reqwest::Error> {
        let (status, body) = self
            .post("/api/otp/send/", &json!({ "mobile_number": number }))
            .await?;
        assert_eq!(status, 200, "{body}");
        let code = self.code_for(number).await?;
        let login = json!({ "mobile_number": number, "code": code });
        let (status, body) = self.post("/api/authenticate/", &login).await?;
        assert_eq!(status, 200, "{body}");
        Ok(Tokens {
            access: body["access"].as_str().unwrap_or_default().to_owned(),
            refresh: body["refresh"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// A figure of its memory in KiB, as [`memory_kib`] names it.
    pub(crate) fn memory_kib(&self, figure: &str) -> u32 {
        memory_kib(self.child.id(), figure).expect("a process that runs")
    }

    /// SIGKILL, while others still use it.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    /// Asks the server to end, as an operator does, and waits until it has.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("-TERM");
        let status = self.child.wait().expect("it ends");
        for reader in self.readers.drain(..) {
            reader.join().expect("the output was read");
        }
        let logs = self.logs.lock().unwrap().clone();
        (status, String::from_utf8_lossy(&logs).into_owned())
    }

    fn signal(&self, name: &str) {
        signal(&self.child, name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
