//! Maps keyed by the hash of a name, in their stored form: four bytes a key. As a variable-length integer a hash takes
//! five.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

pub(crate) fn serialize<S: Serializer, V: Serialize>(map: &BTreeMap<u32, V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(key, value)| (key.to_be_bytes(), value)))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u32, V>, D::Error> {
    let map = BTreeMap::<[u8; 4], V>::deserialize(deserializer)?;
    Ok(map.into_iter().map(|(key, value)| (u32::from_be_bytes(key), value)).collect())
}

/// A set of hashes.
pub(crate) mod set {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeSet;

    pub(crate) fn serialize<S: Serializer>(set: &BTreeSet<u32>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(set.iter().map(|key| key.to_be_bytes()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<u32>, D::Error> {
        let set = BTreeSet::<[u8; 4]>::deserialize(deserializer)?;
        Ok(set.into_iter().map(u32::from_be_bytes).collect())
    }
}

/// A hash by itself, in four bytes.
pub(crate) mod fixed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(hash: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        hash.to_be_bytes().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        <[u8; 4]>::deserialize(deserializer).map(u32::from_be_bytes)
    }
}
