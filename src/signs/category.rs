//! The kinds of personal data that are told apart.

use super::Sort;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Category {
    AccountNumber,
    Address,
    Attachment,
    BankAccount,
    Belief,
    BirthDate,
    City,
    Company,
    CreditCard,
    Device,
    Document,
    Email,
    FamilyName,
    FreeText,
    Gender,
    Geo,
    GivenName,
    Health,
    Iban,
    Ip,
    Mac,
    NationalId,
    PersonName,
    Phone,
    PostalCode,
    Region,
    Salary,
    Secret,
    Trait,
    Url,
    Username,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 31] = [
        Self::AccountNumber,
        Self::Address,
        Self::Attachment,
        Self::BankAccount,
        Self::Belief,
        Self::BirthDate,
        Self::City,
        Self::Company,
        Self::CreditCard,
        Self::Device,
        Self::Document,
        Self::Email,
        Self::FamilyName,
        Self::FreeText,
        Self::Gender,
        Self::Geo,
        Self::GivenName,
        Self::Health,
        Self::Iban,
        Self::Ip,
        Self::Mac,
        Self::NationalId,
        Self::PersonName,
        Self::Phone,
        Self::PostalCode,
        Self::Region,
        Self::Salary,
        Self::Secret,
        Self::Trait,
        Self::Url,
        Self::Username,
    ];

    /// Its name, as it is shown and as a profile calls the strategy for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountNumber => "account_number",
            Self::Address => "address",
            Self::Attachment => "attachment",
            Self::BankAccount => "bank_account",
            Self::Belief => "belief",
            Self::BirthDate => "date_of_birth",
            Self::City => "city",
            Self::Company => "company",
            Self::CreditCard => "credit_card",
            Self::Device => "device",
            Self::Document => "document",
            Self::Email => "email",
            Self::FamilyName => "family_name",
            Self::FreeText => "free_text",
            Self::Gender => "gender",
            Self::Geo => "geo",
            Self::GivenName => "given_name",
            Self::Health => "health",
            Self::Iban => "iban",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::NationalId => "national_id",
            Self::PersonName => "person_name",
            Self::Phone => "phone",
            Self::PostalCode => "postal_code",
            Self::Region => "region",
            Self::Salary => "salary",
            Self::Secret => "secret",
            Self::Trait => "trait",
            Self::Url => "url",
            Self::Username => "username",
        }
    }

    /// Whether a column of that sort can hold it.
    pub fn fits(self, sort: Sort) -> bool {
        match self {
            Self::Belief | Self::Gender | Self::Health | Self::Trait => {
                !matches!(sort, Sort::Json | Sort::Record | Sort::Date | Sort::Uuid)
            }
            Self::AccountNumber
            | Self::BankAccount
            | Self::CreditCard
            | Self::NationalId
            | Self::Phone
            | Self::PostalCode => matches!(sort, Sort::Text | Sort::Number),
            Self::Attachment => matches!(sort, Sort::Bytes | Sort::Other),
            Self::BirthDate => matches!(sort, Sort::Text | Sort::Date | Sort::Number),
            Self::Document => matches!(sort, Sort::Json | Sort::Record),
            Self::Geo => matches!(sort, Sort::Text | Sort::Number | Sort::Point | Sort::Other),
            Self::Ip => matches!(sort, Sort::Text | Sort::Inet | Sort::Network),
            Self::Mac => matches!(sort, Sort::Text | Sort::Mac),
            Self::Salary => matches!(sort, Sort::Text | Sort::Number | Sort::Other),
            Self::Device | Self::Secret => matches!(sort, Sort::Text | Sort::Uuid | Sort::Bytes),
            Self::Address
            | Self::City
            | Self::Company
            | Self::Email
            | Self::FamilyName
            | Self::FreeText
            | Self::GivenName
            | Self::Iban
            | Self::PersonName
            | Self::Region
            | Self::Url
            | Self::Username => sort == Sort::Text,
        }
    }

    /// Whether a table that has such a column is about persons.
    pub fn shows_a_person(self) -> bool {
        matches!(
            self,
            Self::BirthDate
                | Self::Email
                | Self::FamilyName
                | Self::GivenName
                | Self::NationalId
                | Self::PersonName
                | Self::Phone
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_are_all_there_under_names_of_their_own() {
        let mut names: Vec<_> = Category::ALL.map(Category::name).to_vec();
        names.dedup();
        assert_eq!(names.len(), Category::ALL.len());
        assert!(Category::ALL.is_sorted());
    }
}
