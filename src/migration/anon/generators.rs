//! What functions of PostgreSQL Anonymizer make up: `fake_…`, `dummy_…`, `pseudo_…`, `seeded_…`, and the
//! strategy that makes up the like.

use crate::migration::{Kind, Mask, lenient};

/// The strategy for what a function makes up, by the noun in its name.
pub fn of(noun: &str) -> Option<Mask> {
    let new = Mask::new;
    let name = |part: &str| new(Kind::Name).with("part", part);
    let address = |part: &str| new(Kind::Address).with("part", part);
    Some(match noun {
        "first_name" => name("first"),
        "last_name" => name("last"),
        "name" | "name_with_title" => new(Kind::Name),
        "email" | "free_email" | "safe_email" => new(Kind::Email),
        "username" => new(Kind::Username),
        "address" => address("full"),
        "street_name" => address("street"),
        "building_number" | "secondary_address" => new(Kind::Lorem),
        "city" | "city_name" => address("city"),
        "postcode" | "post_code" | "zip_code" | "zip" => address("postcode"),
        "state_name" => address("region"),
        "state_abbr" => address("region_code"),
        "country" | "country_name" => address("country"),
        "country_code" => address("country_code"),
        "company" | "company_name" => new(Kind::Company),
        "field" | "job" | "position" | "profession" | "seniority" | "title" => new(Kind::Job),
        "cell_number" | "phone" | "phone_number" => lenient(Kind::Phone),
        "iban" => lenient(Kind::Iban),
        "credit_card_number" => lenient(Kind::CreditCard),
        "ip" | "ipv4" | "ipv6" => lenient(Kind::Ip),
        "mac" | "mac_address" => lenient(Kind::Mac),
        "user_agent" => new(Kind::UserAgent),
        "lorem_ipsum" | "paragraph" | "paragraphs" | "sentence" | "sentences" | "word"
        | "words" => new(Kind::Lorem),
        "uuidv1" | "uuidv3" | "uuidv4" | "uuidv5" => lenient(Kind::Uuid),
        "bic"
        | "health_insurance_code"
        | "isbn"
        | "isbn10"
        | "isbn13"
        | "isin"
        | "licence_plate"
        | "password"
        | "siren"
        | "siret" => new(Kind::Hash),
        _ => return None,
    })
}

/// The same in a language of that tool, where there is one of ours.
pub fn in_locale(mask: Mask, locale: &str) -> Mask {
    let (language, country) = match locale {
        "fr_FR" => ("fr", "fr"),
        "pt_BR" => ("pt", "br"),
        _ => return mask,
    };
    match mask.proposal.kind {
        Kind::Address => mask.with("country", country),
        Kind::Company | Kind::Job | Kind::Name | Kind::Username => mask.with("locale", language),
        _ => mask,
    }
}
