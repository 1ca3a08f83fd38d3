//! perennial-deliver
