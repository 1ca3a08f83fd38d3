//! The sizes that a request may have.

/// The most bytes of a request's body. Lambda itself allows 6 MB.
pub(crate) const MAX_WIRE_BYTES: usize = 10 << 20;

/// The most bytes that a body may have once it is inflated. Server SDKs that undercount have been seen to send 1.2 MB.
pub(crate) const MAX_INFLATED_BYTES: usize = 4 << 20;
