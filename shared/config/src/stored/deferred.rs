//! Parts of a compiled configuration that most processes never use.

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::OnceLock;

/// A part of a compiled configuration cannot be read, although its checksum fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part of the compiled configuration cannot be read; push the configuration again")]
pub struct Unreadable;

/// A value that is read from its bytes when it is first used.
#[derive(Clone)]
pub(crate) struct Deferred<T> {
    /// Empty if the value was compiled from the files.
    bytes: Box<[u8]>,
    value: OnceLock<Result<T, Unreadable>>,
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Self { bytes: Box::default(), value: OnceLock::from(Ok(value)) }
    }
}

impl<T: DeserializeOwned> Deferred<T> {
    /// Returns the value.
    ///
    /// # Errors
    /// [`Unreadable`] if the bytes are those of something else.
    pub(crate) fn get(&self) -> Result<&T, Unreadable> {
        let read = || postcard::from_bytes(&self.bytes).map_err(|_| Unreadable);
        self.value.get_or_init(read).as_ref().map_err(|error| *error)
    }
}

impl<T: DeserializeOwned + PartialEq> PartialEq for Deferred<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: DeserializeOwned + fmt::Debug> fmt::Debug for Deferred<T> {
    /// The value, whether it was read before or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Ok(value) => value.fmt(f),
            Err(error) => error.fmt(f),
        }
    }
}

impl<T: DeserializeOwned + Serialize> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.get().map_err(S::Error::custom)?;
        serializer.serialize_bytes(&postcard::to_stdvec(value).map_err(S::Error::custom)?)
    }
}

impl<'de, T> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Box<[u8]>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Box<[u8]>, E> {
                Ok(bytes.into())
            }
        }
        let bytes = deserializer.deserialize_bytes(Bytes)?;
        if bytes.is_empty() {
            return Err(D::Error::custom("a part is empty"));
        }
        Ok(Self { bytes, value: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn value_is_read_at_its_first_use_and_equals_the_one_that_was_written() {
        let written = Deferred::from(vec!["a".to_owned(), "b".to_owned()]);
        let bytes = postcard::to_stdvec(&written).unwrap();
        let read: Deferred<Vec<String>> = postcard::from_bytes(&bytes).unwrap();
        assert!(read.value.get().is_none());
        assert_eq!(postcard::to_stdvec(&read.clone()).unwrap(), bytes);
        assert_eq!(read, written);
        assert!(read.value.get().is_some());
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
    }

    #[test]
    fn bytes_of_something_else_are_an_error_at_each_use() {
        // Bytes of length 1: a list of 9 elements that are not there.
        let read: Deferred<Vec<String>> = postcard::from_bytes(&[1, 9]).unwrap();
        assert_eq!((read.get(), read.get()), (Err(Unreadable), Err(Unreadable)));
        assert!(postcard::to_stdvec(&read).is_err());
        assert!(postcard::from_bytes::<Deferred<Vec<String>>>(&[0]).is_err());
    }
}
