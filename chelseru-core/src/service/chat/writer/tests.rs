//! The queue over a store that waits, fails and panics as it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::{MAX_BATCH, MAX_WAITING, Writer, append};
use crate::chat::{ChatMessage, LogEntry, MessageId, MessageType, RoomId, Seq};
use crate::clock::Timestamp;
use crate::store::{
    Appended, MessageStore, NewChatMessage, Revised, Revision, Search, Span, StoreError,
    StoreResult,
};
use crate::user::UserId;

/// Numbers what it is given. Each batch waits for a permit.
struct GatedStore {
    permits: Semaphore,
    entered: mpsc::UnboundedSender<usize>,
    last_seq: Mutex<i64>,
}

const PANIC: &str = "panic";
const FAIL: &str = "fail";

#[async_trait]
impl MessageStore for GatedStore {
    async fn append(&self, messages: &[NewChatMessage]) -> StoreResult<Vec<Appended>> {
        let _ = self.entered.send(messages.len());
        self.permits.acquire().await.unwrap().forget();
        let has = |text| messages.iter().any(|message| message.text == text);
        assert!(!has(PANIC), "as the test wants it");
        if has(FAIL) {
            return Err(StoreError::Fault("as the test wants it".into()));
        }
        let mut last_seq = self.last_seq.lock().unwrap();
        let stored = messages.iter().map(|message| {
            *last_seq += 1;
            Appended::Stored(ChatMessage {
                id: MessageId(*last_seq),
                room: message.room,
                seq: Seq(*last_seq),
                sender: None,
                message_type: message.message_type,
                text: message.text.clone(),
                client_id: None,
                reply_to: None,
                attachment: None,
                created_at: message.now,
                edited_at: None,
                deleted_at: None,
            })
        });
        Ok(stored.collect())
    }

    async fn read_log(&self, _: RoomId, _: UserId, _: Span, _: u32) -> StoreResult<Vec<LogEntry>> {
        unreachable!("the queue only writes")
    }

    async fn find_message(&self, _: MessageId, _: UserId) -> StoreResult<Option<ChatMessage>> {
        unreachable!("the queue only writes")
    }

    async fn revise(&self, _: &Revision) -> StoreResult<Revised> {
        unreachable!("the queue only writes")
    }

    async fn hide_message(&self, _: MessageId, _: UserId, _: Timestamp) -> StoreResult<()> {
        unreachable!("the queue only writes")
    }

    async fn search_messages(&self, _: &Search) -> StoreResult<Vec<ChatMessage>> {
        unreachable!("the queue only writes")
    }
}

struct Fixture {
    writer: Arc<Writer>,
    store: Arc<GatedStore>,
    entered: mpsc::UnboundedReceiver<usize>,
    told: Arc<Mutex<Vec<i64>>>,
}

impl Fixture {
    fn new() -> Self {
        let (sender, entered) = mpsc::unbounded_channel();
        Self {
            writer: Arc::default(),
            store: Arc::new(GatedStore {
                permits: Semaphore::new(0),
                entered: sender,
                last_seq: Mutex::new(0),
            }),
            entered,
            told: Arc::default(),
        }
    }

    fn append(&self, text: &str) -> impl Future<Output = StoreResult<Appended>> + Send + use<> {
        let appended = self.append_all(vec![message(text)]);
        async move { appended.await.remove(0) }
    }

    fn append_all(
        &self,
        messages: Vec<NewChatMessage>,
    ) -> impl Future<Output = Vec<StoreResult<Appended>>> + Send + use<> {
        let (writer, store) = (Arc::clone(&self.writer), Arc::clone(&self.store));
        let told = Arc::clone(&self.told);
        async move {
            let tell = move |message: ChatMessage, _| told.lock().unwrap().push(message.seq.0);
            append(&writer, store, tell, messages).await
        }
    }

    fn send(&self, text: &str) -> JoinHandle<StoreResult<Appended>> {
        tokio::spawn(self.append(text))
    }

    /// Waits until a batch is being stored, and gives its size.
    async fn batch(&mut self) -> usize {
        self.entered.recv().await.unwrap()
    }

    /// Waits until so many wait behind the batch that is being stored.
    async fn waiting(&self, count: usize) {
        while self.writer.state().waiting.len() < count {
            tokio::task::yield_now().await;
        }
    }

    fn open(&self, batches: usize) {
        self.store.permits.add_permits(batches);
    }

    fn told(&self) -> Vec<i64> {
        self.told.lock().unwrap().clone()
    }
}

fn message(text: &str) -> NewChatMessage {
    NewChatMessage {
        room: RoomId(1),
        revision: 1,
        sender: UserId(1),
        client_id: None,
        fingerprint: [0; 32],
        message_type: MessageType::Text,
        text: text.to_owned(),
        folded_text: text.to_owned(),
        reply_to: None,
        attachment: None,
        now: Timestamp::default(),
    }
}

fn seq(answer: StoreResult<Appended>) -> i64 {
    match answer.unwrap() {
        Appended::Stored(message) => message.seq.0,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_unavailable(answer: &StoreResult<Appended>) {
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn what_comes_while_a_batch_is_stored_goes_together_as_the_next() {
    let mut fixture = Fixture::new();
    let first = fixture.send("a");
    assert_eq!(fixture.batch().await, 1);
    let others: Vec<_> = (0..10).map(|_| fixture.send("b")).collect();
    fixture.waiting(10).await;
    assert!(fixture.told().is_empty());
    fixture.open(2);
    assert_eq!(fixture.batch().await, 10);
    assert_eq!(seq(first.await.unwrap()), 1);
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(fixture.told(), (1..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn callers_that_are_dropped_leave_nobody_waiting_and_what_is_stored_is_told() {
    let mut fixture = Fixture::new();
    let leader = fixture.send("a");
    assert_eq!(fixture.batch().await, 1);
    let follower = fixture.send("b");
    let other = fixture.send("c");
    fixture.waiting(2).await;
    for gone in [leader, follower] {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    fixture.open(2);
    let last = seq(other.await.unwrap());
    assert_eq!(last, 3);
    assert_eq!(fixture.told(), [1, 2, 3]);
}

#[tokio::test]
async fn an_empty_queue_ends_its_task_and_the_next_message_starts_another() {
    let fixture = Fixture::new();
    fixture.open(3);
    for nth in 1..=3 {
        assert_eq!(seq(fixture.append("a").await), nth);
        while fixture.writer.state().has_task {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn when_the_store_panics_all_who_wait_are_told_and_the_next_message_is_stored() {
    let mut fixture = Fixture::new();
    let first = fixture.send(PANIC);
    fixture.batch().await;
    let waiting = fixture.send("b");
    fixture.waiting(1).await;
    fixture.open(1);
    assert_unavailable(&first.await.unwrap());
    assert_unavailable(&waiting.await.unwrap());
    fixture.open(1);
    assert_eq!(seq(fixture.append("c").await), 1);
    assert_eq!(fixture.told(), [1]);
}

#[test]
fn when_the_runtime_of_the_task_ends_all_who_wait_are_told_and_the_next_message_is_stored() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap()
    };
    let (one, other) = (runtime(), runtime());
    let mut fixture = Fixture::new();
    one.spawn(fixture.append("a"));
    other.block_on(async {
        fixture.batch().await;
        let waiting = fixture.send("b");
        fixture.waiting(1).await;
        one.shutdown_background();
        assert_unavailable(&waiting.await.unwrap());
        fixture.open(1);
        assert_eq!(seq(fixture.append("c").await), 1);
    });
}

#[tokio::test]
async fn an_error_of_the_store_is_that_of_the_whole_batch_and_nothing_is_told() {
    let mut fixture = Fixture::new();
    let first = fixture.send("a");
    fixture.batch().await;
    let others = [fixture.send("b"), fixture.send(FAIL)];
    fixture.waiting(2).await;
    fixture.open(2);
    assert_eq!(seq(first.await.unwrap()), 1);
    for other in others {
        let answer = other.await.unwrap();
        assert!(matches!(answer, Err(StoreError::Fault(_))), "{answer:?}");
    }
    assert_eq!(fixture.told(), [1]);
}

#[tokio::test]
async fn what_waits_is_bounded_and_so_is_a_batch() {
    let mut fixture = Fixture::new();
    let first = fixture.send("a");
    fixture.batch().await;
    let waiting: Vec<_> = (0..MAX_WAITING).map(|_| fixture.send("b")).collect();
    fixture.waiting(MAX_WAITING).await;
    assert_unavailable(&fixture.append("c").await);
    fixture.open(1 + MAX_WAITING.div_ceil(MAX_BATCH));
    first.await.unwrap().unwrap();
    for message in waiting {
        message.await.unwrap().unwrap();
    }
    for _ in 0..MAX_WAITING / MAX_BATCH {
        assert_eq!(fixture.batch().await, MAX_BATCH);
    }
    assert_eq!(fixture.told().len(), MAX_WAITING + 1);
}

#[tokio::test]
async fn messages_of_one_caller_go_together_and_those_that_find_no_room_are_refused() {
    let mut fixture = Fixture::new();
    let together = tokio::spawn(fixture.append_all(vec![message("a"); 3]));
    assert_eq!(fixture.batch().await, 3);
    let too_many = tokio::spawn(fixture.append_all(vec![message("b"); MAX_WAITING + 2]));
    fixture.waiting(MAX_WAITING).await;
    fixture.open(1 + MAX_WAITING.div_ceil(MAX_BATCH));
    let seqs: Vec<_> = together.await.unwrap().into_iter().map(seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
    let mut answers = too_many.await.unwrap();
    for refused in answers.split_off(MAX_WAITING) {
        assert_unavailable(&refused);
    }
    let seqs: Vec<_> = answers.into_iter().map(seq).collect();
    assert!(seqs.is_sorted());
}
