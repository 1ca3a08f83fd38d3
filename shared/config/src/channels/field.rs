//! The names of a CRM's fields.

use super::Kind;

/// The end of the name of a Salesforce field that its users made.
const CUSTOM: &str = "__c";

/// The CRM that fields are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldsOf {
    /// HubSpot's properties.
    HubSpot,
    /// Salesforce's fields.
    Salesforce,
}

impl FieldsOf {
    /// Returns whose fields an endpoint's records have; `None` for one without records, whose receiver may call them anything.
    pub(crate) const fn of(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::HubSpot(_) => Some(Self::HubSpot),
            Kind::Salesforce(_) => Some(Self::Salesforce),
            Kind::Standard | Kind::Slack => None,
        }
    }

    /// Returns what is wrong with a field's name, and what may be meant; `None` if there can be such a field. HubSpot's internal names have small
    /// letters, digits and underscores; Salesforce's API names are part of URLs, only those of custom fields have underscores, and these
    /// end in `__c` (`__pc` for the contact's half of a person account).
    pub(crate) fn problem(self, name: &str) -> Option<String> {
        let fits = |c: char| {
            let is_capital = self == Self::Salesforce && c.is_ascii_uppercase();
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || is_capital
        };
        let example = match self {
            Self::HubSpot => "firstname or plan_name: small letters, digits and _",
            Self::Salesforce => "LastName or Region__c: letters, digits and _",
        };
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(fits) {
            let meant = self.nearest(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Some(format!("`{name}` is no field of the CRM; its internal name is one such as {example}{meant}"));
        }
        let is_custom = name.ends_with(CUSTOM) || name.ends_with("__pc");
        (self == Self::Salesforce && name.contains('_') && !is_custom).then(|| {
            let near = format!("{}{CUSTOM}", name.trim_end_matches("_c").trim_end_matches('_'));
            format!(
                "`{name}` is no field of the CRM: in Salesforce only custom fields have a _ in their API name, which ends in \
                 {CUSTOM}; did you mean `{near}`?"
            )
        })
    }

    /// Returns the name that a label or a name in another spelling stands for.
    fn nearest(self, name: &str) -> Option<String> {
        let words: Vec<&str> =
            name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let near = match self {
            Self::HubSpot => words.join("_").to_ascii_lowercase(),
            Self::Salesforce => format!("{}{CUSTOM}", words.join("_").trim_end_matches("_c")),
        };
        near.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_crms_document_are_fields() {
        for name in ["email", "perennial_churn", "hs_lead_status", "a1"] {
            assert_eq!(FieldsOf::HubSpot.problem(name), None, "{name}");
        }
        for name in ["LastName", "OwnerId", "Churn__c", "ns__Churn_Risk__c", "Stage__pc"] {
            assert_eq!(FieldsOf::Salesforce.problem(name), None, "{name}");
        }
    }

    #[test]
    fn other_names_come_with_the_one_that_may_be_meant() {
        let cases = [
            (FieldsOf::HubSpot, "Perennial Churn", "did you mean `perennial_churn`?"),
            (FieldsOf::HubSpot, "perennial-churn", "did you mean `perennial_churn`?"),
            (FieldsOf::HubSpot, "Churn__c", "did you mean `churn_c`?"),
            (FieldsOf::HubSpot, "1st", "small letters, digits and _"),
            (FieldsOf::Salesforce, "Churn Risk", "did you mean `Churn_Risk__c`?"),
            (FieldsOf::Salesforce, "perennial_churn", "did you mean `perennial_churn__c`?"),
            (FieldsOf::Salesforce, "Churn_c", "did you mean `Churn__c`?"),
        ];
        for (of, name, wanted) in cases {
            let problem = of.problem(name).unwrap_or_default();
            assert!(problem.contains(wanted), "{name}: {problem}");
        }
    }
}
