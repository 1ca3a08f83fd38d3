//! Compares the Terraform module with the CDK app, resource by resource.
//!
//! The module is read by an HCL parser and evaluated as `terraform plan` would for a new stage ([`evaluate()`]); the
//! template comes from `cdk synth`, and its references are resolved ([`template`]). Both are evaluated in one account
//! and region, so that every reference is a text. The module's resources are then converted to CloudFormation's terms
//! ([`cases::Case`]), and compared in both directions ([`compare`]): anything that only one side has, or that differs,
//! is a difference. Accepted differences are in [`by_nature`] with their reasons, and an unused one fails.

pub mod by_nature;
pub mod cases;
pub mod compare;
mod computed;
pub mod error;
mod evaluate;
mod functions;
mod map;
mod normal;
mod policy;
pub mod template;
mod types;
mod world;

pub use evaluate::{Evaluated, Instance, evaluate};
