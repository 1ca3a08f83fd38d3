//! perennial-engine
