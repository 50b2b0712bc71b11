//! Two processes with one SQLite file. The second is this test run once more, told by its environment.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::common::{Folder, NOW, code, number};
use chelseru_core::store::{NewSms, OtpStore, Reservation, SmsLog, SmsPurpose};
use chelseru_diesel::DieselStore;

const NUMBERS: usize = 300;
const URL: &str = "CHELSERU_TEST_SECOND_PROCESS";

#[test]
fn two_processes_write_and_read_one_file() {
    if let Ok(url) = std::env::var(URL) {
        return second_process(&url);
    }
    let folder = Folder::new();
    let mut second = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "processes::two_processes_write_and_read_one_file",
            "--nocapture",
        ])
        .env(URL, folder.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(second.stdout.take().unwrap()).lines();
    let mut answer = |word: &str| {
        let mut lines = answers.by_ref().map(Result::unwrap);
        lines
            .find_map(|line| line.strip_prefix(word).map(str::to_owned))
            .expect(word)
    };

    let runtime = runtime();
    let store = runtime.block_on(DieselStore::open(&folder.url())).unwrap();
    answer("opened");
    writeln!(second.stdin.take().unwrap(), "go").unwrap();
    let ours = runtime.block_on(work(&store, 0));
    let theirs: usize = answer("won ").parse().unwrap();
    assert!(second.wait().unwrap().success());

    assert_eq!(
        ours + theirs,
        NUMBERS,
        "each number was reserved by one of the two"
    );
    let logged = runtime.block_on(store.recent_sms(None, u32::MAX)).unwrap();
    assert_eq!(
        logged.len(),
        2 * NUMBERS,
        "nothing that was written is lost"
    );
}

fn second_process(url: &str) {
    let runtime = runtime();
    let store = runtime.block_on(DieselStore::open(url)).unwrap();
    println!("\nopened");
    let mut go = String::new();
    std::io::stdin().read_line(&mut go).unwrap();
    assert_eq!(go, "go\n");
    let won = runtime.block_on(work(&store, 1_000_000));
    println!("\nwon {won}");
}

/// Reserves every number and logs as many messages, several at once. How many reservations were won.
async fn work(store: &DieselStore, first_id: i64) -> usize {
    let tasks: Vec<_> = (0..NUMBERS)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let id = first_id + i64::try_from(n).unwrap();
                let reserved = store.reserve_code(&code(number(n), id, NOW)).await.unwrap();
                let sms = NewSms {
                    mobile_number: number(n),
                    provider: "TEST".to_owned(),
                    purpose: SmsPurpose::Code,
                    user: None,
                    parts: None,
                    local_id: None,
                    request: None,
                    may_repeat: None,
                    created_at: NOW,
                };
                let id = store.log_sms(&sms, NOW).await.unwrap();
                let newest = store.recent_sms(None, 1).await.unwrap();
                assert!(newest[0].id >= id, "what was written is read");
                reserved
            })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap() == Reservation::Reserved);
    }
    won
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
