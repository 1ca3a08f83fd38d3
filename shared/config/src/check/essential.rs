//! Finds marketing in mails that cannot be unsubscribed from.
//!
//! Essential mails are required by law or contract, such as a failed payment, a receipt or a security notice: they
//! reach readers who stopped all mails, at any hour. Advertising is not essential (ePrivacy Directive 2002/58/EC,
//! article 13; CAN-SPAM Act, "primary purpose").

use super::Remarks;
use super::places::Part::{At, Key};
use crate::channels::Template;
use crate::config::Config;
use crate::journeys::Does;
use perennial_domain::Channel;

/// Words and phrases of advertising in lower case: English, and equivalents in German, French, Spanish, Portuguese and
/// Italian.
const MARKETING: [&[&str]; 6] = [
    &[
        "% off",
        "add-on",
        "black friday",
        "coupon",
        "coupons",
        "best deal",
        "discount",
        "discounted",
        "discounts",
        "exclusive offer",
        "free plan",
        "free trial",
        "invite a friend",
        "limited time",
        "limited offer",
        "lower price",
        "lower the price",
        "lowers the price",
        "new features",
        "newsletter",
        "offer",
        "offers",
        "on sale",
        "percent off",
        "premium",
        "promo",
        "promo code",
        "promotion",
        "promotions",
        "recommend us",
        "refer a friend",
        "referral",
        "save money",
        "save up to",
        "special price",
        "testimonial",
        "try it free",
        "try our",
        "upgrade",
        "upgrade now",
        "upgrades",
        "upsell",
        "voucher",
        "vouchers",
        "webinar",
    ],
    &[
        "% günstiger",
        "% reduziert",
        "angebot",
        "angebote",
        "ermäßigung",
        "gratis testen",
        "gutschein",
        "gutscheine",
        "kostenlos testen",
        "kostenlose testversion",
        "kostenloser plan",
        "kostenloser tarif",
        "kostenlosen plan",
        "kostenlosen tarif",
        "nur für kurze zeit",
        "preisnachlass",
        "probieren sie unser",
        "probieren sie unsere",
        "rabatt",
        "rabatte",
        "sonderangebot",
        "sonderpreis",
        "testen sie unser",
        "testen sie unsere",
        "upgraden",
        "zeitlich begrenzt",
        "zeitlich begrenztes",
    ],
    &[
        "bon de réduction",
        "code promo",
        "durée limitée",
        "essai gratuit",
        "essayez gratuitement",
        "essayez nos",
        "essayez notre",
        "formule gratuite",
        "forfait gratuit",
        "offre exclusive",
        "offre limitée",
        "offre spéciale",
        "offres",
        "passez à la formule",
        "passez à la version",
        "prix spécial",
        "promotionnelle",
        "réduction",
        "réductions",
        "remise",
        "remises",
        "soldes",
        "temps limité",
    ],
    &[
        "cupón",
        "cupones",
        "descuento",
        "descuentos",
        "mejora tu plan",
        "mejore su plan",
        "oferta",
        "ofertas",
        "plan gratis",
        "plan gratuito",
        "precio especial",
        "promoción",
        "promociones",
        "prueba gratis",
        "prueba gratuita",
        "prueba nuestra",
        "prueba nuestro",
        "pruebe nuestra",
        "pruebe nuestro",
        "tiempo limitado",
    ],
    &[
        "cupão",
        "cupom",
        "desconto",
        "descontos",
        "experimente a nossa",
        "experimente grátis",
        "experimente nossa",
        "experimente nosso",
        "experimente o nosso",
        "faça upgrade",
        "plano gratuito",
        "plano grátis",
        "preço especial",
        "promoção",
        "promoções",
        "teste grátis",
        "teste gratuito",
        "tempo limitado",
    ],
    &[
        "codice promozionale",
        "offerta",
        "offerte",
        "piano gratuito",
        "prezzo speciale",
        "promozione",
        "promozioni",
        "prova gratis",
        "prova gratuita",
        "prova i nostri",
        "prova il nostro",
        "prova la nostra",
        "sconti",
        "sconto",
        "tempo limitato",
    ],
];

pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    for (name, template) in &config.templates {
        let Some(topic) = config.topic_of(name).filter(|topic| topic.essential) else { continue };
        if let Some(word) = advertises(template) {
            let message = format!(
                "template `{name}` speaks of \"{word}\", and its topic `{}` is essential, so that it reaches readers who stopped all mails. Essential is only what law or \
                 contract makes necessary, such as a failed payment, a receipt or a security notice: give it another topic",
                topic.id
            );
            remarks.at(&format!("templates/{name}.toml"), &[Key("topic")], message);
        }
    }
    for (at, journey) in config.journeys.all.iter().enumerate().filter(|(_, journey)| journey.essential) {
        for step in &journey.steps {
            let Does::Send(message) = &step.does else { continue };
            let template = config.templates.get(&message.template).filter(|_| message.channel == Channel::Mail);
            // Essential topics have their own remark.
            let is_told = config.topic_of(&message.template).is_some_and(|topic| topic.essential);
            if let Some(word) = template.filter(|_| !is_told).and_then(advertises) {
                let message = format!(
                    "journey `{}` is essential, so that no limit holds for its mails, and its template `{}` speaks of \"{word}\": leave `essential` out",
                    journey.id, message.template
                );
                remarks.at("journeys.toml", &[Key("journey"), At(at), Key("essential")], message);
            }
        }
    }
    for (at, topic) in config.channels.topics.iter().enumerate().filter(|(_, topic)| topic.essential) {
        if let Some(word) = word_of(&format!("{} {}", topic.title, topic.description)) {
            let message = format!(
                "topic `{}` is essential and promises \"{word}\": readers cannot stop it, so it must hold nothing but what they have to know",
                topic.id
            );
            remarks.at("channels.toml", &[Key("topic"), At(at), Key("essential")], message);
        }
    }
}

/// Returns the first advertising word in a mail.
fn advertises(template: &Template) -> Option<&'static str> {
    let html = template.html.as_deref().or(template.mjml.as_deref()).unwrap_or_default();
    [template.subject.as_str(), template.text.as_str(), html].into_iter().find_map(word_of)
}

fn word_of(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let is_word = |at: usize, word: &str| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        // Within a URL or a variable's name, a word means nothing.
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "/_-=.".contains(c));
        let ends = after.is_none_or(|c| !(c.is_alphanumeric() || "/_-=".contains(c)));
        (word.starts_with('%') || !is_part(before)) && ends
    };
    MARKETING.into_iter().flatten().copied().find(|word| text.match_indices(word).any(|(at, _)| is_word(at, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advertisements_are_told_from_what_readers_have_to_know() {
        for (text, word) in [
            ("Renew now for a  Discount of a tenth", Some("discount")),
            ("Get 20% off.", Some("% off")),
            ("A term of two years lowers the price by a tenth", Some("lowers the price")),
            ("Join our webinar!", Some("webinar")),
            ("Try our new plan", Some("try our")),
            ("Go Premium today", Some("premium")),
            ("Nur für kurze Zeit: 20% günstiger", Some("% günstiger")),
            ("Jetzt kostenlos testen", Some("kostenlos testen")),
            ("20 % de réduction, offre limitée", Some("offre limitée")),
            ("Essayez notre nouvelle version", Some("essayez notre")),
            ("Prueba nuestro plan, 20 % de descuento", Some("descuento")),
            ("Por tempo limitado", Some("tempo limitado")),
            ("Sconto del 20 %", Some("sconto")),
            ("Essayez à nouveau avec une autre carte", None),
            ("Le solde de votre compte est négatif", None),
            ("Bitte prüfen Sie Ihre Karte und versuchen Sie es erneut", None),
            ("Prova di nuovo con un'altra carta", None),
            ("Inténtelo de nuevo: el pago no se pudo cobrar", None),
            ("Your payment did not go through. To change the card: https://app.example/billing", None),
            ("Your receipt: https://app.example/offers/upgrade-receipt", None),
            ("Save this receipt. Someone signed in from a new device, of course.", None),
            ("{{ person.offer_id }} {{ cause.upgrade }}", None),
        ] {
            assert_eq!(word_of(text), word, "{text}");
        }
    }
}
