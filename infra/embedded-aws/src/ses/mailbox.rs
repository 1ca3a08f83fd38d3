//! The storage of the embedded SES: captured mails, the suppression list, configuration sets. SQLite, in a file or in
//! memory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::mail::CapturedMail;

/// The file in the data directory with the mails.
pub const MAILS_FILE: &str = "mails.sqlite";

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS mails (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, mail TEXT NOT NULL, events TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS mails_unpublished ON mails (seq) WHERE events IS NOT NULL;
    CREATE TABLE IF NOT EXISTS recipients (address TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (address, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS suppressed (address TEXT PRIMARY KEY, reason TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS configuration_sets (name TEXT PRIMARY KEY) STRICT;
";

/// The mails' file could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// SQLite failed.
    #[error("the mails' file failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A stored mail cannot be read by this version.
    #[error("a stored mail cannot be read: {0}")]
    Format(#[from] serde_json::Error),
}

/// Which captured mails to list.
#[derive(Debug, Clone, Default)]
pub struct MailQuery {
    /// Only mails to this bare address (domain in lower case).
    pub recipient: Option<String>,
    /// Only mails before this one, an earlier result's id: for paging.
    pub before: Option<String>,
    /// The most results; 0 means 100.
    pub limit: usize,
}

/// An address on the suppression list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suppressed {
    pub(super) address: String,
    /// `BOUNCE` or `COMPLAINT`.
    pub(super) reason: String,
    pub(super) at_ms: i64,
}

/// The captured mails. Cheap to clone; clones look at the same mails.
#[derive(Debug, Clone)]
pub struct Mails(Arc<Mutex<Connection>>);

impl Mails {
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, MailboxError> {
        let connection = match dir {
            Some(dir) => Connection::open(dir.join(MAILS_FILE))?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of captured mails.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn count(&self) -> Result<u64, MailboxError> {
        let count: i64 = self.connection().query_row("SELECT count(*) FROM mails", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Captured mails, the newest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self, query: &MailQuery) -> Result<Vec<CapturedMail>, MailboxError> {
        let limit = if query.limit == 0 { 100 } else { i64::try_from(query.limit).unwrap_or(i64::MAX) };
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT mail FROM mails
             WHERE (?1 IS NULL OR seq IN (SELECT seq FROM recipients WHERE address = ?1))
               AND (?2 IS NULL OR seq < (SELECT seq FROM mails WHERE id = ?2))
             ORDER BY seq DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![query.recipient, query.before, limit], |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// The mail that `SendEmail` answered `message_id` to.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn by_id(&self, message_id: &str) -> Result<Option<CapturedMail>, MailboxError> {
        let connection = self.connection();
        let found: Option<String> =
            connection.query_row("SELECT mail FROM mails WHERE id = ?1", [message_id], |row| row.get(0)).optional()?;
        found.map(|mail| Ok(serde_json::from_str(&mail)?)).transpose()
    }

    /// Stores a mail, and its events until they are published.
    pub(super) fn keep(&self, mail: &CapturedMail, events: Option<&[String]>) -> Result<(), MailboxError> {
        let (text, events) = (serde_json::to_string(mail)?, events.map(serde_json::to_string).transpose()?);
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.prepare_cached("INSERT INTO mails (id, mail, events) VALUES (?1, ?2, ?3)")?.execute(params![
            mail.message_id,
            text,
            events
        ])?;
        let seq = transaction.last_insert_rowid();
        for address in &mail.recipients {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO recipients VALUES (?1, ?2)")?
                .execute(params![address, seq])?;
        }
        Ok(transaction.commit()?)
    }

    /// Marks a mail's events as published.
    pub(super) fn published(&self, message_id: &str) -> Result<(), MailboxError> {
        self.connection().prepare_cached("UPDATE mails SET events = NULL WHERE id = ?1")?.execute([message_id])?;
        Ok(())
    }

    /// Returns the mails whose events were not published yet, oldest first.
    pub(super) fn unpublished(&self) -> Result<Vec<(String, Vec<String>)>, MailboxError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT id, events FROM mails WHERE events IS NOT NULL ORDER BY seq")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (id, events) = row?;
            Ok((id, serde_json::from_str(&events)?))
        })
        .collect()
    }

    pub(super) fn suppress(&self, address: &str, reason: &str, at: Timestamp) -> Result<(), MailboxError> {
        let sql = "INSERT OR REPLACE INTO suppressed VALUES (?1, ?2, ?3)";
        self.connection().execute(sql, params![address.to_ascii_lowercase(), reason, at.as_millisecond()])?;
        Ok(())
    }

    pub(super) fn suppressed(&self, address: &str) -> Result<Option<Suppressed>, MailboxError> {
        let sql = "SELECT address, reason, at_ms FROM suppressed WHERE address = ?1";
        Ok(self.connection().query_row(sql, [address.to_ascii_lowercase()], read_suppressed).optional()?)
    }

    /// Up to `limit` entries after the address `after`, by address.
    pub(super) fn list_suppressed(
        &self,
        reasons: &[String],
        after: &str,
        limit: usize,
    ) -> Result<Vec<Suppressed>, MailboxError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare("SELECT address, reason, at_ms FROM suppressed WHERE address > ?1 ORDER BY address")?;
        let rows = statement.query_map([after], read_suppressed)?;
        let wanted =
            rows.filter(|row| row.as_ref().map_or(true, |entry| reasons.is_empty() || reasons.contains(&entry.reason)));
        Ok(wanted.take(limit).collect::<Result<_, _>>()?)
    }

    /// Removes an entry, and returns whether it existed.
    pub(super) fn unsuppress(&self, address: &str) -> Result<bool, MailboxError> {
        Ok(self.connection().execute("DELETE FROM suppressed WHERE address = ?1", [address.to_ascii_lowercase()])? > 0)
    }

    /// Adds a set, and returns whether it is new.
    pub fn add_configuration_set(&self, name: &str) -> Result<bool, MailboxError> {
        Ok(self.connection().execute("INSERT OR IGNORE INTO configuration_sets VALUES (?1)", [name])? > 0)
    }

    pub(super) fn configuration_sets(&self) -> Result<Vec<String>, MailboxError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT name FROM configuration_sets ORDER BY name")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Deletes a set, and returns whether it existed.
    pub(super) fn remove_configuration_set(&self, name: &str) -> Result<bool, MailboxError> {
        Ok(self.connection().execute("DELETE FROM configuration_sets WHERE name = ?1", [name])? > 0)
    }
}

fn read_suppressed(row: &rusqlite::Row<'_>) -> rusqlite::Result<Suppressed> {
    Ok(Suppressed { address: row.get(0)?, reason: row.get(1)?, at_ms: row.get(2)? })
}
