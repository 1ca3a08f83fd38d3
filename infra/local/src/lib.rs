//! The whole system in one process on loopback: the functions over embedded AWS services, with stand-ins for what they call.

pub mod bundle;
pub mod stack;
pub mod standins;
