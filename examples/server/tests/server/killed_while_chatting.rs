//! Fifty people in one room while their connections break all the time and a server is killed: everyone ends
//! with the same log, which is the database's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chelseru_tests::{Database, Proxy, on_both_databases, until};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::chat_member::{Member, Stage, all_of, people, stored};
use crate::harness::{Installation, Server};

on_both_databases! { over_a_thousand_cuts_and_a_kill_all_have_the_same_messages_in_the_same_order }

const MEMBERS: usize = 50;
const MESSAGES: usize = 200;
const ALL: usize = MEMBERS * MESSAGES;
const CUTS: usize = 1000;

const KILL_AT: usize = ALL / 3;

/// When the chat is taken to hang: somebody waits for a message that was lost.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server, and the network between it and its clients.
struct Reached {
    server: Server,
    proxy: Arc<Proxy>,
}

impl Reached {
    async fn start(installation: &Installation) -> Self {
        let server = installation.start();
        let proxy = Proxy::to(server.address().parse().unwrap()).await;
        Self {
            server,
            proxy: Arc::new(proxy),
        }
    }
}

/// What breaks connections, one after the other.
#[derive(Default)]
struct Scissors {
    proxies: Mutex<Vec<Arc<Proxy>>>,
    cuts: Mutex<usize>,
}

impl Scissors {
    /// Clients reach these servers now.
    fn place(&self, stage: &Stage, servers: &[Reached]) {
        let proxies: Vec<_> = servers.iter().map(|it| Arc::clone(&it.proxy)).collect();
        *stage.addresses.lock().unwrap() = proxies.iter().map(|it| it.address()).collect();
        *self.proxies.lock().unwrap() = proxies;
    }

    fn cuts(&self) -> usize {
        *self.cuts.lock().unwrap()
    }

    /// Cuts a thousand connections, whichever, spread over the whole chat: nobody sends on before the next
    /// connection is about to be cut, in the middle of what is sent then.
    async fn cut(&self, stage: &Stage, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let mut left = ALL;
        for cut in 0..CUTS {
            until("a connection is cut", async || {
                let proxy = {
                    let proxies = self.proxies.lock().unwrap();
                    Arc::clone(&proxies[random.random_range(0..proxies.len())])
                };
                let turns = (left / (CUTS - cut)).max(1);
                left = left.saturating_sub(turns);
                // First the scissors, then what they cut.
                let (was_cut, ()) =
                    tokio::join!(proxy.cut_one(&mut random), async { stage.give(turns) });
                was_cut
            })
            .await;
            *self.cuts.lock().unwrap() += 1;
        }
        stage.give(left);
    }
}

/// Kills a server in the middle of the chat and starts another one.
async fn kill_one(
    installation: &Installation,
    servers: &mut [Reached],
    scissors: &Scissors,
    stage: &Stage,
) {
    let mut acks = stage.acks.subscribe();
    acks.wait_for(|acks| *acks >= KILL_AT).await.unwrap();
    servers[0].server.kill();
    let (sent, cuts) = (*acks.borrow(), scissors.cuts());
    assert!(sent < ALL / 2, "they were still sending, not at {sent}");
    assert!((CUTS / 10..CUTS / 2).contains(&cuts), "{cuts} cuts before");
    // Its port is another one.
    servers[0] = Reached::start(installation).await;
    scissors.place(stage, servers);
}

async fn over_a_thousand_cuts_and_a_kill_all_have_the_same_messages_in_the_same_order(
    database: Database,
) {
    let seed = rand::random();
    // Shown when the test fails.
    println!("seed {seed}");
    let installation = Installation::new(database)
        .await
        .set("CHELSERU_AUTH__JWT__ACCESS_TOKEN_LIFETIME", "3600")
        .set("CHELSERU_CHAT__LIMITS__MESSAGES_PER_USER_PER_MINUTE", "0")
        .set("CHELSERU_CHAT__LIMITS__FRAMES_PER_SOCKET_PER_SECOND", "0");
    let mut servers = vec![Reached::start(&installation).await];
    if database == Database::Postgres {
        servers.push(Reached::start(&installation).await);
    }
    let people = people(&servers[0].server, MEMBERS).await;
    let room = people[0].room;
    let (stage, scissors) = (Arc::new(Stage::in_turns()), Scissors::default());
    scissors.place(&stage, &servers);
    let mut taking_part = JoinSet::new();
    for (nth, person) in people.into_iter().enumerate() {
        let member = Member::new(nth, person, MESSAGES, ALL);
        let stage = Arc::clone(&stage);
        taking_part.spawn(async move { member.take_part(&stage).await });
    }
    let all = async {
        tokio::join!(
            all_of(taking_part),
            scissors.cut(&stage, seed),
            kill_one(&installation, &mut servers, &scissors, &stage),
        )
    };
    let (members, ..) = timeout(PATIENCE, all).await.expect("they come to an end");
    assert_eq!(scissors.cuts(), CUTS);

    let stored = stored(&installation, room).await;
    let places: Vec<_> = stored.iter().map(|entry| entry.seq).collect();
    let expected: Vec<_> = (1..=i64::try_from(ALL).unwrap()).collect();
    assert!(places == expected, "a log without gaps");
    let keys: BTreeSet<_> = stored.iter().map(|entry| &entry.client_id).collect();
    assert_eq!(keys.len(), ALL, "each message once");
    for Member { nth, log, .. } in &members {
        assert!(*log == stored, "member {nth} has another log");
    }
    let connections: usize = members.iter().map(|member| member.connections).sum();
    assert!(connections >= MEMBERS + CUTS, "each cut was noticed");
}
