//! Invented names, addresses and titles.

use super::rng::Rng;
use super::role::Role;

const FIRST: [&str; 16] = [
    "Aveline", "Borin", "Cadra", "Delmo", "Evanna", "Farrow", "Gisal", "Hanno", "Ilvy", "Jorun", "Kestra", "Lumo",
    "Maris", "Nevan", "Orla", "Perrin",
];
const LAST: [&str; 16] = [
    "Abernal",
    "Brookwit",
    "Carrowell",
    "Dunmarsh",
    "Eldergate",
    "Fennimor",
    "Grayloft",
    "Hollowin",
    "Ironbee",
    "Jesslow",
    "Kettlemere",
    "Larkhand",
    "Mossbrook",
    "Nightwell",
    "Oakensmit",
    "Pondergast",
];

/// Returns a first and a last name.
pub(super) fn name(rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(FIRST), rng.pick(LAST))
}

/// Returns the address of a person of this name. The number is unique and distinguishes namesakes.
pub(super) fn mail(name: &str, number: u64, domain: &str) -> String {
    format!("{}{number}@{domain}", name.to_lowercase().replace(' ', "."))
}

/// Returns the title, for roles that show in one.
pub(super) fn title(role: Role, rng: &mut Rng) -> Option<&'static str> {
    Some(match role {
        Role::ExecutiveSponsor => rng.pick([
            "Chief Financial Officer",
            "VP Operations",
            "Managing Director",
            "Founder",
            "Chief Customer Officer",
        ]),
        Role::Buyer => rng.pick(["Head of Procurement", "Purchasing Manager", "Senior Buyer"]),
        Role::It => rng.pick(["IT Manager", "System Administrator", "Security Engineer"]),
        Role::Administrator | Role::PowerUser | Role::EndUser => return None,
    })
}
