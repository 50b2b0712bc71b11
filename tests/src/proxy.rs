//! A TCP proxy that does what networks do: refuse, cut, hang.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// Nothing gets through.
    hangs: bool,
    /// A connection lives as long as this is what it was when it was made.
    generation: u64,
}

/// Stands between the service and its database. Runs on the test's own runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy on a free port that lets everything through to `target`.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut proxy = Self {
            address: listener.local_addr().expect("the port's address"),
            target,
            weather: Arc::default(),
            accepting: None,
        };
        proxy.listen(listener);
        proxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts all connections and refuses new ones: the database has stopped.
    pub async fn refuse(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // Only then is the port closed.
            let _ = accepting.await;
        }
        self.cut();
    }

    /// Cuts all connections and takes new ones: the database was restarted.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.hangs = false;
            weather.generation += 1;
        });
    }

    /// Takes connections and bytes, and lets nothing through in either direction.
    pub fn hang(&self) {
        self.weather.send_modify(|weather| weather.hangs = true);
    }

    /// All is well again.
    pub async fn recover(&mut self) {
        // What hung stays lost, as after a broken network.
        self.cut();
        if self.accepting.is_none() {
            let listener = TcpListener::bind(self.address)
                .await
                .expect("the same port again");
            self.listen(listener);
        }
    }

    fn listen(&mut self, listener: TcpListener) {
        let (target, weather) = (self.target, Arc::clone(&self.weather));
        self.accepting = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target, weather.subscribe()));
            }
        }));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
        self.cut();
    }
}

async fn forward(mut client: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let Weather { hangs, generation } = *weather.borrow_and_update();
    if !hangs {
        let pass = async {
            if let Ok(mut server) = TcpStream::connect(target).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        };
        tokio::select! {
            () = pass => return,
            _ = weather.changed() => {}
        }
    }
    // It hangs, or is over: both sockets stay open, with nothing between them, until it is over.
    let _ = weather.wait_for(|now| now.generation != generation).await;
}
