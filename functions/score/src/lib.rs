//! perennial-score
