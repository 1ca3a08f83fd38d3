//! Items and their attributes.

use crate::error::StoreError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;
use jiff::Timestamp;
use std::collections::HashMap;

/// The most bytes of an item that is written. DynamoDB's limit is 400 KB (409,600 bytes).
pub const MAX_ITEM_BYTES: usize = 390 * 1024;

/// An item, or a key.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A string.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Bytes.
pub(crate) fn b(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// A moment, as milliseconds since 1970.
pub(crate) fn at(moment: Timestamp) -> AttributeValue {
    n(moment.as_millisecond())
}

/// JSON as bytes.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_json::to_vec(value).map(b).map_err(|error| StoreError::Unstorable(error.to_string()))
}

/// Reads attributes by name; one of another type counts as unreadable.
pub(crate) trait Read {
    fn text(&self, name: &str) -> Result<Option<&str>, StoreError>;
    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StoreError>;
    fn bytes(&self, name: &str) -> Result<Option<&[u8]>, StoreError>;

    fn moment(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let Some(millis) = self.number::<i64>(name)? else { return Ok(None) };
        Timestamp::from_millisecond(millis).map(Some).map_err(|_| wrong(name))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
    }

    fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.bytes(name)?.map(|bytes| serde_json::from_slice(bytes).map_err(|_| wrong(name))).transpose()
    }
}

impl Read for Item {
    fn text(&self, name: &str) -> Result<Option<&str>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name)),
        }
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(text)) => text.parse().map(Some).map_err(|_| wrong(name)),
            Some(_) => Err(wrong(name)),
        }
    }

    fn bytes(&self, name: &str) -> Result<Option<&[u8]>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::B(blob)) => Ok(Some(blob.as_ref())),
            Some(_) => Err(wrong(name)),
        }
    }
}

fn wrong(name: &str) -> StoreError {
    StoreError::Corrupt(format!("attribute `{name}` is not of its form"))
}

/// Several items of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// Those that can be read.
    pub items: Vec<T>,
    /// How many cannot be read, and are not among these.
    pub unreadable: u64,
}

/// Reads each of `items`, and counts those that cannot be read: they concern no other.
pub(crate) fn readable<'a, T>(
    items: impl IntoIterator<Item = &'a Item>,
    read: impl Fn(&'a Item) -> Result<Option<T>, StoreError>,
) -> (Vec<T>, u64) {
    let (mut all, mut unreadable) = (Vec::new(), 0);
    for item in items {
        match read(item) {
            Ok(read) => all.extend(read),
            Err(_) => unreadable += 1,
        }
    }
    (all, unreadable)
}

/// Returns the readable ones of `what`. Logs the number of the others, which callers have no use for.
pub(crate) fn logged<T>(what: &'static str, (items, unreadable): (Vec<T>, u64)) -> Vec<T> {
    if unreadable > 0 {
        tracing::warn!(what, unreadable, "stored items cannot be read; they were passed over");
    }
    items
}

/// Returns the value of a required attribute.
pub(crate) fn needed<T>(name: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::Corrupt(format!("attribute `{name}` is missing")))
}

/// Returns `item` where it is small enough to be written.
///
/// # Errors
/// [`StoreError::TooLarge`] where it has more than [`MAX_ITEM_BYTES`].
pub(crate) fn bounded(what: &'static str, item: Item) -> Result<Item, StoreError> {
    let bytes = size(&item);
    if bytes > MAX_ITEM_BYTES {
        return Err(StoreError::TooLarge { what, bytes, most: MAX_ITEM_BYTES });
    }
    Ok(item)
}

/// Returns the bytes that DynamoDB counts for an item: names and values, numbers at two digits a byte and one more.
pub fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| name.len() + value_size(value) + 1).sum::<usize>(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| value_size(value) + 1).sum::<usize>(),
        _ => 1,
    }
}
