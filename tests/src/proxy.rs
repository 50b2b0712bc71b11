//! A TCP proxy that does what networks do: refuse, cut, hang.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures_util::future::{Either, select};
use rand::{Rng, RngExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How many bytes pass at once.
const CHUNK: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// Nothing gets through.
    hangs: bool,
    /// A connection lives as long as this is what it was when it was made.
    generation: u64,
}

/// How one connection is cut.
#[derive(Debug)]
struct Cut {
    /// How much of the next bytes still gets through.
    percent: usize,
    /// Whether the connection is reset for who opened it, and whether for the target; else it just ends.
    resets: [bool; 2],
    done: oneshot::Sender<()>,
}

/// The connections that can be cut one by one.
type Living = Mutex<Vec<oneshot::Sender<Cut>>>;

/// Stands between the service and its database, or clients and their server. Runs on the test's own runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    living: Arc<Living>,
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
            living: Arc::default(),
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

    /// Cuts one connection, in the middle of the next bytes that pass it in either direction. False when
    /// there is none, or it ended before.
    pub async fn cut_one(&self, random: &mut impl Rng) -> bool {
        let (done, was_cut) = oneshot::channel();
        let cut = Cut {
            percent: random.random_range(0..100),
            resets: random.random(),
            done,
        };
        let order = {
            let mut living = self.living.lock().unwrap();
            living.retain(|order| !order.is_closed());
            if living.is_empty() {
                return false;
            }
            let place = random.random_range(0..living.len());
            living.swap_remove(place)
        };
        order.send(cut).is_ok() && was_cut.await.is_ok()
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
        let living = Arc::clone(&self.living);
        self.accepting = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (order, ordered) = oneshot::channel();
                living.lock().unwrap().push(order);
                tokio::spawn(forward(client, target, weather.subscribe(), ordered));
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

async fn forward(
    mut client: TcpStream,
    target: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    ordered: oneshot::Receiver<Cut>,
) {
    let Weather { hangs, generation } = *weather.borrow_and_update();
    if !hangs {
        let pass = async {
            if let Ok(mut server) = TcpStream::connect(target).await {
                let _ = pass(&mut client, &mut server, ordered).await;
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

/// Passes bytes both ways until both have ended, one has failed, or the connection is cut.
async fn pass(
    client: &mut TcpStream,
    server: &mut TcpStream,
    ordered: oneshot::Receiver<Cut>,
) -> io::Result<()> {
    for end in [&*client, &*server] {
        end.set_nodelay(true)?;
    }
    let ordered = Mutex::new(ordered);
    let cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pin!(pass_one_way(from_client, to_server, &ordered));
        let down = pin!(pass_one_way(from_server, to_client, &ordered));
        match select(up, down).await {
            Either::Left((ended, down)) => match ended? {
                None => down.await?,
                cut => cut,
            },
            Either::Right((ended, up)) => match ended? {
                None => up.await?,
                cut => cut,
            },
        }
    };
    if let Some(cut) = cut {
        for (end, is_reset) in [client, server].into_iter().zip(cut.resets) {
            if is_reset {
                end.set_zero_linger()?;
            }
        }
        let _ = cut.done.send(());
    }
    Ok(())
}

/// Until these bytes end or the connection is to be cut.
async fn pass_one_way(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    ordered: &Mutex<oneshot::Receiver<Cut>>,
) -> io::Result<Option<Cut>> {
    let mut bytes = vec![0; CHUNK];
    loop {
        let length = from.read(&mut bytes).await?;
        if length == 0 {
            to.shutdown().await?;
            return Ok(None);
        }
        let cut = ordered.lock().unwrap().try_recv().ok();
        let passing = match &cut {
            Some(cut) => length * cut.percent / 100,
            None => length,
        };
        to.write_all(&bytes[..passing]).await?;
        if cut.is_some() {
            return Ok(cut);
        }
    }
}
