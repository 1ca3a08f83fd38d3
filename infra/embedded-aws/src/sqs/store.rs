//! The queues' file. The service works in memory; the file is written before a call is answered and read at start.
//!
//! SQLite in WAL mode without fsync: acknowledged changes survive the death of the process, but not a power cut.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::attributes::QueueAttributes;
use super::error::SqsError;
use super::message::{Message, Now, Place};
use super::queue::Queue;

/// The file in the data directory with the queues.
pub const QUEUES_FILE: &str = "queues.sqlite";

/// The longest delay of a message.
const LONGEST_DELAY_MS: i64 = 900_000;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS queues (
        name TEXT PRIMARY KEY, attributes TEXT NOT NULL, secret BLOB NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        seq INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
        sent_ms INTEGER NOT NULL, first_received_ms INTEGER, receives INTEGER NOT NULL, source TEXT, available_ms INTEGER NOT NULL
    ) STRICT;
";

/// One change of the stored state.
#[derive(Debug)]
pub(super) enum Change<'a> {
    /// The message is in this queue, new or moved.
    Put(&'a str, &'a Message),
    /// The message was received.
    Received(&'a Message),
    /// The message is gone.
    Delete(u64),
    /// The queue is there with these settings.
    PutQueue(&'a Queue),
    /// The queue has no messages.
    Purge(&'a str),
    /// The queue and its messages are gone.
    DeleteQueue(&'a str),
}

/// The open file, or nothing when queues are in memory only.
#[derive(Debug)]
pub(super) struct Store(Option<Connection>);

/// SQLite's integers are signed; sequence numbers and counts never reach the sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    pub(super) fn open(dir: Option<&Path>) -> rusqlite::Result<Self> {
        let Some(dir) = dir else { return Ok(Self(None)) };
        let connection = Connection::open(dir.join(QUEUES_FILE))?;
        connection.execute_batch(SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self(Some(connection)))
    }

    /// Applies all changes or none.
    pub(super) fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), SqsError> {
        let Some(connection) = &mut self.0 else { return Ok(()) };
        if changes.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for change in changes {
            apply_one(&transaction, change)?;
        }
        Ok(transaction.commit()?)
    }

    /// Returns the queues as stored.
    ///
    /// Messages that were in flight are ready again at once: their consumers ended with the process, and nobody should
    /// have to wait for their timeouts. Receive counts are kept. Delayed messages keep their time.
    pub(super) fn load(&self, now: Now) -> Result<Vec<Queue>, SqsError> {
        let Some(connection) = &self.0 else { return Ok(Vec::new()) };
        let mut statement =
            connection.prepare("SELECT name, attributes, secret, created_ms, modified_ms FROM queues")?;
        let rows = statement.query_map([], |row| {
            let (name, attributes): (String, String) = (row.get(0)?, row.get(1)?);
            let (secret, created_ms, modified_ms): (Vec<u8>, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok((name, attributes, secret, created_ms, modified_ms))
        })?;
        let mut queues = Vec::new();
        for row in rows {
            let (name, attributes, secret, created_ms, modified_ms) = row?;
            let attributes: std::collections::BTreeMap<String, String> = read_json(&attributes)?;
            let mut queue = Queue::new(name, QueueAttributes::from_map(&attributes)?, secret, created_ms);
            queue.modified_ms = modified_ms;
            load_messages(connection, &mut queue, now)?;
            queues.push(queue);
        }
        Ok(queues)
    }
}

fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, SqsError> {
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, "failed to read the queues' file: it is from another version");
        SqsError::new(super::error::Kind::Internal, "The queues could not be read.")
    })
}

fn write_json<T: serde::Serialize>(value: &T) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn load_messages(connection: &Connection, queue: &mut Queue, now: Now) -> Result<(), SqsError> {
    let sql = "SELECT seq, id, body, attributes, sent_ms, first_received_ms, receives, source, available_ms FROM messages WHERE queue = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([&queue.name], |row| {
        let receives: u32 = row.get(6)?;
        let available_ms: i64 = row.get(8)?;
        let message = Message {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            id: row.get(1)?,
            body: row.get(2)?,
            attributes: super::message::MessageAttributes::new(),
            sent_ms: row.get(4)?,
            first_received_ms: row.get(5)?,
            receives,
            source: row.get(7)?,
            place: if receives == 0 && available_ms > now.clock {
                // The clock of an earlier run may have been ahead of this one's: no delay is longer than that of a new message.
                Place::Delayed(available_ms.min(now.clock + LONGEST_DELAY_MS))
            } else {
                Place::Ready
            },
        };
        Ok((message, row.get::<_, String>(3)?))
    })?;
    let mut messages = Vec::new();
    for row in rows {
        let (mut message, attributes) = row?;
        message.attributes = read_json(&attributes)?;
        messages.push(message);
    }
    for message in messages {
        queue.insert(message);
    }
    Ok(())
}

fn apply_one(transaction: &Transaction<'_>, change: &Change<'_>) -> rusqlite::Result<()> {
    match change {
        Change::Put(queue, message) => transaction
            .prepare_cached("INSERT OR REPLACE INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                signed(message.seq),
                queue,
                message.id,
                message.body,
                write_json(&message.attributes)?,
                message.sent_ms,
                message.first_received_ms,
                message.receives,
                message.source,
                message.place.available_ms(),
            ]),
        Change::Received(message) => transaction
            .prepare_cached(
                "UPDATE messages SET receives = ?2, first_received_ms = ?3, available_ms = ?4 WHERE seq = ?1",
            )?
            .execute(params![
                signed(message.seq),
                message.receives,
                message.first_received_ms,
                message.place.available_ms()
            ]),
        Change::Delete(seq) => {
            transaction.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([signed(*seq)])
        }
        Change::PutQueue(queue) => {
            transaction.prepare_cached("INSERT OR REPLACE INTO queues VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                queue.name,
                write_json(&queue.attributes.to_map())?,
                queue.secret,
                queue.created_ms,
                queue.modified_ms
            ])
        }
        Change::Purge(queue) => transaction.execute("DELETE FROM messages WHERE queue = ?1", [queue]),
        Change::DeleteQueue(queue) => {
            transaction.execute("DELETE FROM messages WHERE queue = ?1", [queue])?;
            transaction.execute("DELETE FROM queues WHERE name = ?1", [queue])
        }
    }
    .map(drop)
}
