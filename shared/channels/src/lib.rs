//! perennial-channels
