//! A small set of things and when each happened, as one text attribute: `HASH@TIME HASH@TIME`.

use crate::error::StoreError;
use crate::item::s;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use std::collections::BTreeMap;
use std::fmt;

/// Hashes of ids, each with its time, in the unit of its attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dated(pub(crate) BTreeMap<u32, i64>);

impl Dated {
    /// Parses `text`, the value of the attribute `name`.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, StoreError> {
        let entry = |entry: &str| {
            let (id, at) = entry.split_once('@')?;
            Some((u32::from_str_radix(id, 16).ok()?, at.parse().ok()?))
        };
        let entries = text.split(' ').filter(|entry| !entry.is_empty());
        let wrong = || StoreError::Corrupt(format!("attribute `{name}` is not of its form"));
        entries.map(|text| entry(text).ok_or_else(wrong)).collect::<Result<_, _>>().map(Self)
    }

    /// Makes `update` replace the attribute `name` with `self`, on condition that it is still `before`. The update's
    /// expression sets `#dated = :after`.
    pub(crate) fn in_place_of(
        &self,
        before: &Self,
        name: &str,
        update: UpdateItemFluentBuilder,
    ) -> UpdateItemFluentBuilder {
        let update = update
            .expression_attribute_names("#dated", name)
            .expression_attribute_values(":after", s(self.to_string()));
        if before.0.is_empty() {
            return update.condition_expression("attribute_not_exists(#dated)");
        }
        let before = s(before.to_string());
        update.condition_expression("#dated = :before").expression_attribute_values(":before", before)
    }

    /// Keeps the newest `most`; of the same time, those with the greater hashes.
    pub(crate) fn bound(&mut self, most: usize) {
        while self.0.len() > most {
            let oldest = self.0.iter().min_by_key(|(id, at)| (**at, **id)).map(|(id, _)| *id);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
    }
}

impl fmt::Display for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (id, at)) in self.0.iter().enumerate() {
            let gap = if number == 0 { "" } else { " " };
            write!(f, "{gap}{id:x}@{at}")?;
        }
        Ok(())
    }
}
