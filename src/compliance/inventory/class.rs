//! Which kinds of personal data weigh more, and what other laws call them.

use crate::signs::Category;

/// Whether a kind is sensitive by itself: health, belief and the like (GDPR Art. 9, POPIA s. 26),
/// financial accounts and whereabouts (PIPL Art. 28), what identifies a person to a state, secrets.
pub fn is_sensitive(category: Category) -> bool {
    matches!(
        category,
        Category::BankAccount
            | Category::Belief
            | Category::CreditCard
            | Category::Geo
            | Category::Health
            | Category::Iban
            | Category::NationalId
            | Category::Secret
            | Category::Trait
    )
}

/// Whether a kind is special in the sense of GDPR Art. 9.
pub fn is_special(category: Category) -> bool {
    matches!(
        category,
        Category::Belief | Category::Health | Category::Trait
    )
}

/// Whether it gives access to money.
pub fn is_financial(category: Category) -> bool {
    matches!(
        category,
        Category::BankAccount | Category::CreditCard | Category::Iban | Category::Salary
    )
}

/// The category of 1798.140(v)(1) of the California Civil Code that a kind belongs to.
pub fn of_california(category: Category) -> &'static str {
    match category {
        Category::AccountNumber
        | Category::Address
        | Category::City
        | Category::Email
        | Category::FamilyName
        | Category::GivenName
        | Category::NationalId
        | Category::PersonName
        | Category::Phone
        | Category::PostalCode
        | Category::Region
        | Category::Username => "(A) identifiers",
        Category::BankAccount | Category::CreditCard | Category::Iban => {
            "(B) customer records, and sensitive personal information"
        }
        Category::Belief
        | Category::BirthDate
        | Category::Gender
        | Category::Health
        | Category::Trait => "(C) characteristics of protected classifications",
        Category::Device | Category::Ip | Category::Mac | Category::Url => {
            "(F) internet or other network activity"
        }
        Category::Geo => "(G) geolocation data",
        Category::Company | Category::Salary => "(I) professional or employment-related",
        Category::Secret => "(L) sensitive personal information",
        Category::Attachment | Category::Document | Category::FreeText => {
            "not told by its name: to be looked into"
        }
    }
}

/// The kind of sensitive information of PIPL Article 28 that a kind belongs to.
pub fn of_china(category: Category) -> Option<&'static str> {
    Some(match category {
        Category::BankAccount | Category::CreditCard | Category::Iban => "financial accounts",
        Category::Belief => "religious beliefs",
        Category::Geo => "whereabouts",
        Category::Health => "medical and health",
        Category::NationalId => "specific identity",
        Category::Trait => "biometrics or specific identity",
        Category::Secret => "other, whose leak may harm",
        _ => return None,
    })
}
