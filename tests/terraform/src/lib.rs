//! Compares the Terraform module with the CDK app, resource by resource.
//!
//! The module is read by an HCL parser and worked out as `terraform plan` would do it for a new stage ([`evaluate()`]); the template comes from
//! `cdk synth`, and its references are resolved ([`template`]). Both are read in one account and region, so that every reference is a text. The
//! module's resources are then told in CloudFormation's terms ([`cases::Case`]), and both sides compared both ways ([`compare`]): what only one
//! of them has, or says otherwise, is a difference. What is rendered otherwise by nature stands in [`by_nature`] with its reason, and fails
//! where it is not needed any more.

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
