//! perennial
