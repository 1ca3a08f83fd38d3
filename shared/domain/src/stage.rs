//! Life-cycle stages of a profile.

use serde::{Deserialize, Serialize};

/// The lifecycle: visitor -> lead -> trial or freemium -> customer (onboarding, adopting, established) -> at risk ->
/// churned -> won back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Seen, but not known.
    #[default]
    Visitor,
    /// Known, and has not tried the product.
    Lead,
    /// Tries the product for a time.
    Trial,
    /// Uses the product for free.
    Freemium,
    /// Pays, and is new.
    Onboarding,
    /// Pays, and grows into the product.
    Adopting,
    /// Pays, and has stayed.
    Established,
    /// Pays, but has become inactive or cancelled.
    AtRisk,
    /// Paid once, and left.
    Churned,
    /// Left once, and pays again.
    WonBack,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 10] = [
        Self::Visitor,
        Self::Lead,
        Self::Trial,
        Self::Freemium,
        Self::Onboarding,
        Self::Adopting,
        Self::Established,
        Self::AtRisk,
        Self::Churned,
        Self::WonBack,
    ];

    /// Returns the name in config and JSON, such as `at_risk`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Lead => "lead",
            Self::Trial => "trial",
            Self::Freemium => "freemium",
            Self::Onboarding => "onboarding",
            Self::Adopting => "adopting",
            Self::Established => "established",
            Self::AtRisk => "at_risk",
            Self::Churned => "churned",
            Self::WonBack => "won_back",
        }
    }

    /// Returns whether the person pays now: prospect campaigns must not reach them.
    pub fn pays(self) -> bool {
        matches!(self, Self::Onboarding | Self::Adopting | Self::Established | Self::AtRisk | Self::WonBack)
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
