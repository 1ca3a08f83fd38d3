//! perennial-sweep
