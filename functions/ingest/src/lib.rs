//! perennial-ingest
