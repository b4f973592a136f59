//! What a single value is, for whoever looks for personal data: the scanner, asked about all of it.

use super::scan::names::Names;
use super::scan::{Found, Kinds, Scanner};

/// A form that the scanner knows. Numbers of cards, accounts and persons have right check digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// An e-mail address.
    Email,
    /// The number of a bank account.
    Iban,
    /// The number of a payment card.
    Card,
    /// The number that a state gives to a person.
    NationalId,
    /// A network address.
    Ip,
    /// A telephone number.
    Phone,
    /// A link.
    Url,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::Iban,
        Self::Card,
        Self::NationalId,
        Self::Ip,
        Self::Phone,
        Self::Url,
    ];

    fn of(found: Found) -> Option<Self> {
        Some(match found {
            Found::Email => Self::Email,
            Found::Iban => Self::Iban,
            Found::Card => Self::Card,
            Found::NationalId => Self::NationalId,
            Found::Ip => Self::Ip,
            Found::Phone => Self::Phone,
            Found::Url => Self::Url,
            Found::Name => return None,
        })
    }
}

/// What stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognized {
    /// Nothing that the scanner knows.
    Nothing,
    /// Nothing else than this.
    All(Form),
    /// This among other words; the first of several.
    Within(Form),
}

/// Looks at a text.
pub fn recognize(text: &str) -> Recognized {
    let text = text.trim();
    let names = Names::default();
    let mut found = Scanner::new(text, Kinds::EVERY, &names, &[])
        .filter_map(|finding| Some((Form::of(finding.what)?, finding.span)));
    let Some((form, span)) = found.next() else {
        return Recognized::Nothing;
    };
    // A link alone says nothing of a person, so it does not hide what stands behind it.
    if span == (0..text.len()) {
        return Recognized::All(form);
    }
    let other = found.map(|(form, _)| form).find(|form| *form != Form::Url);
    Recognized::Within(match (form, other) {
        (Form::Url, Some(other)) => other,
        (form, _) => form,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognized_are_whole_values_with_right_checks() {
        for (text, form) in [
            (" ada@work.example ", Form::Email),
            ("GB82 WEST 1234 5698 7654 32", Form::Iban),
            ("4111 1111 1111 1111", Form::Card),
            ("12345678-Z", Form::NationalId),
            ("198.51.100.7", Form::Ip),
            ("+44 20 7946 0958", Form::Phone),
            ("https://work.example/ada", Form::Url),
        ] {
            assert_eq!(recognize(text), Recognized::All(form), "{text}");
        }
        for text in ["", "jam", "GB83 WEST 1234 5698 7654 32", "2024-01-15", "17"] {
            assert_eq!(recognize(text), Recognized::Nothing, "{text}");
        }
        assert_eq!(
            recognize("see https://work.example or write to ada@work.example"),
            Recognized::Within(Form::Email)
        );
    }
}
