//! A network between a store and PostgreSQL that can be taken away.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;

use super::{Schema, postgres_url};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forward,
    Refuse,
    Hang,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mode = Arc::new(watch::Sender::new(Mode::Forward));
        let modes = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, modes.subscribe()));
            }
        });
        Self { address, mode }
    }

    /// The URL of a schema by way of the proxy.
    pub(crate) fn url(&self, schema: &Schema) -> String {
        let config = server();
        let user = config.get_user().unwrap_or("postgres");
        let password = config
            .get_password()
            .map(|it| format!(":{}", String::from_utf8_lossy(it)));
        let database = config.get_dbname().unwrap_or(user);
        let (password, address) = (password.unwrap_or_default(), self.address);
        format!(
            "postgres://{user}{password}@{address}/{database}?{}",
            schema.options()
        )
    }

    /// Connections work.
    pub(crate) fn forward(&self) {
        self.mode.send_replace(Mode::Forward);
    }

    /// All connections are closed, and new ones at once.
    pub(crate) fn refuse(&self) {
        self.mode.send_replace(Mode::Refuse);
    }

    /// Connections stay open and nothing comes over them any more, not even later.
    pub(crate) fn hang(&self) {
        self.mode.send_replace(Mode::Hang);
    }
}

fn server() -> tokio_postgres::Config {
    postgres_url().parse().expect("a PostgreSQL URL")
}

async fn serve(mut client: TcpStream, mut mode: watch::Receiver<Mode>) {
    let config = server();
    let host = match config.get_hosts() {
        [Host::Tcp(host), ..] => host.clone(),
        _ => "127.0.0.1".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    if *mode.borrow_and_update() == Mode::Forward {
        let mut server = TcpStream::connect((host, port))
            .await
            .expect("PostgreSQL is reachable");
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = mode.changed() => {}
        }
    }
    if *mode.borrow_and_update() == Mode::Hang {
        // Held open until the test is over.
        std::future::pending::<()>().await;
    }
}
