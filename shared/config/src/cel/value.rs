//! Values in conditions. They borrow text and lists from the lookup.

use std::borrow::Cow;

/// A source of the values of a program's slots.
pub trait Lookup<S> {
    /// Returns the value of `slot`; `None` if there is no such key, which differs from [`Value::Null`].
    fn get(&self, slot: &S) -> Option<Value<'_>>;
}

/// A value of the language.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// JSON's `null`: present, but empty.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(List<'a>),
    /// A JSON object. Conditions can read its keys but cannot write one.
    Map(&'a serde_json::Map<String, serde_json::Value>),
}

/// A list of values, from any storage.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// A JSON array.
    Json(&'a [serde_json::Value]),
    /// Texts, such as segment names.
    Texts(&'a [String]),
    /// Values kept elsewhere.
    Values(&'a [Value<'a>]),
    /// Owned values.
    Owned(Vec<Value<'a>>),
}

impl<'a> List<'a> {
    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(list) => list.len(),
            Self::Texts(list) => list.len(),
            Self::Values(list) => list.len(),
            Self::Owned(list) => list.len(),
        }
    }

    /// Returns whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<Value<'_>> {
        match self {
            Self::Json(list) => list.get(index).map(Value::from),
            Self::Texts(list) => list.get(index).map(|text| Value::from(text.as_str())),
            Self::Values(list) => list.get(index).map(Value::borrow),
            Self::Owned(list) => list.get(index).map(Value::borrow),
        }
    }

    /// The element at `index`, without the list; text is copied only where the list owns it.
    pub(crate) fn take(self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Json(list) => list.get(index).map(Value::from),
            Self::Texts(list) => list.get(index).map(|text| Value::from(text.as_str())),
            Self::Values(list) => list.get(index).map(Value::borrow),
            Self::Owned(mut list) => (index < list.len()).then(|| list.swap_remove(index)),
        }
    }

    /// The elements of both lists, in their order.
    pub(crate) fn join(self, other: Self) -> Vec<Value<'a>> {
        let mut all = self.into_values();
        all.extend(other.into_values());
        all
    }

    fn into_values(self) -> Vec<Value<'a>> {
        match self {
            Self::Json(list) => list.iter().map(Value::from).collect(),
            Self::Texts(list) => list.iter().map(|text| Value::from(text.as_str())).collect(),
            Self::Values(list) => list.iter().map(Value::borrow).collect(),
            Self::Owned(list) => list,
        }
    }

    /// The elements, one after another.
    pub fn iter(&self) -> impl Iterator<Item = Value<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl Value<'_> {
    /// Returns the same value without borrows; `None` for a JSON object, which conditions cannot write.
    pub(crate) fn detached(self) -> Option<Value<'static>> {
        Some(match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(b),
            Value::Int(i) => Value::Int(i),
            Value::Double(d) => Value::Double(d),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(list) => {
                Value::List(List::Owned(list.into_values().into_iter().map(Value::detached).collect::<Option<_>>()?))
            }
            Value::Map(_) => return None,
        })
    }

    /// The same value, borrowing from this one: no text is copied.
    pub fn borrow(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(*b),
            Value::Int(i) => Value::Int(*i),
            Value::Double(d) => Value::Double(*d),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::List(List::Json(list)) => Value::List(List::Json(list)),
            Value::List(List::Texts(list)) => Value::List(List::Texts(list)),
            Value::List(List::Values(list)) => Value::List(List::Values(list)),
            Value::List(List::Owned(list)) => Value::List(List::Values(list)),
            Value::Map(map) => Value::Map(map),
        }
    }
}

impl<'a> From<&'a serde_json::Value> for Value<'a> {
    /// Numbers become whole ones where JSON wrote them so and they fit 64 bits with a sign, else ones with a fraction.
    fn from(json: &'a serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => match n.as_i64() {
                Some(i) => Self::Int(i),
                None => Self::Double(n.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(list) => Self::List(List::Json(list)),
            serde_json::Value::Object(map) => Self::Map(map),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a [String]> for Value<'a> {
    fn from(value: &'a [String]) -> Self {
        Self::List(List::Texts(value))
    }
}
