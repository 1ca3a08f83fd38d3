//! perennial-store
