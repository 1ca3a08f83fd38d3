//! perennial-api
