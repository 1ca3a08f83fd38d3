//! perennial-rollup
