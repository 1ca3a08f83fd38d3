//! perennial-testkit
