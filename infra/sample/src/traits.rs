//! Traits of people, with countries and numbers, in the spellings that people use.

use super::plan::Person;
use serde_json::{Value, json};

/// Countries, each with a phone number that its regulator reserves for films and books.
const PLACES: [(&str, &str, &str, &str); 4] = [
    ("DE", "Deutschland", "030 23125 ", " (030) / 23125-"),
    ("GB", "united kingdom", "+44 20 7946 0", "+44 (0)20 7946  0"),
    ("US", "USA", "+1 212 555 01", "(212) 555-01"),
    ("FR", "France", "01 99 00 ", "01.99.00."),
];

/// Returns the traits of `identify`. Careless people write the address in capitals with spaces around it, the name in
/// one case, the country in a language of their own.
pub(super) fn traits(person: &Person, company: &str) -> Value {
    let mut traits = json!({"email": person.mail, "name": person.name, "company": company});
    if let Some(role) = &person.role_trait {
        traits["role"] = role.clone();
    }
    if let Some(title) = person.title {
        traits["title"] = title.into();
    }
    if let Some((place, extension)) = person.place {
        let (code, country, neat, sloppy) = PLACES[place % PLACES.len()];
        // The French numbers have two pairs left to fill, the others two to three digits.
        let digits = match code {
            "US" => format!("{:02}", extension % 100),
            "FR" => format!("{:02} {:02}", extension % 60, extension % 100),
            _ => format!("{:03}", extension % 1000),
        };
        traits["country"] = if person.sloppy { country } else { code }.into();
        traits["phone"] = format!("{}{digits}", if person.sloppy { sloppy } else { neat }).into();
    }
    if person.sloppy {
        traits["email"] = shout(&person.mail).into();
        let name = &person.name;
        traits["name"] = if name.len().is_multiple_of(2) { name.to_uppercase() } else { name.to_lowercase() }.into();
    }
    traits
}

/// An address as it is typed on a telephone in a hurry.
pub(super) fn shout(mail: &str) -> String {
    format!("  {} ", mail.to_uppercase())
}
