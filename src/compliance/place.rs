//! Countries, and which jurisdiction each belongs to.

/// Whether a text is the code of a country, of a part of one, or `EU`: ISO 3166-1 and 3166-2.
pub fn is_code(text: &str) -> bool {
    let (country, part) = match text.split_once('-') {
        Some((country, part)) => (country, Some(part)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        (1..=3).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    match part {
        Some(part) => COUNTRIES.contains(&country) && is_part(part),
        None => country == "EU" || COUNTRIES.contains(&country),
    }
}

/// Whether a place belongs to a jurisdiction; `None` where the text is no code, so that nobody can say.
pub fn is_within(place: &str, jurisdiction: &str) -> Option<bool> {
    if !is_code(place) {
        return None;
    }
    let of = place.split_once('-').map_or(place, |(country, _)| country);
    Some(match jurisdiction.split_once('-') {
        // Of a country without its part nobody says that it is another part.
        Some((whole, _)) => place == jurisdiction || place == whole,
        None if jurisdiction == "EU" => of == "EU" || UNION.contains(&of),
        None => of == jurisdiction,
    })
}

/// The member states of the European Union with the parts of them that have a code of their own and
/// belong to it, and the states of the European Economic Area, where Regulation (EU) 2016/679 is law
/// by Decision No 154/2018 of the EEA Joint Committee.
const UNION: [&str; 37] = [
    "AT", "AX", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GF", "GP", "GR", "HR",
    "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MF", "MQ", "MT", "NL", "NO", "PL", "PT", "RE",
    "RO", "SE", "SI", "SK", "YT",
];

/// Every code of ISO 3166-1.
#[rustfmt::skip]
const COUNTRIES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ",
    "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS",
    "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN",
    "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE",
    "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF",
    "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM",
    "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM",
    "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC",
    "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA",
    "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG",
    "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW",
    "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS",
    "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO",
    "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI",
    "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_order() {
        assert!(COUNTRIES.is_sorted() && UNION.is_sorted());
        assert!(UNION.iter().all(|code| COUNTRIES.contains(code)));
        for code in ["DE", "EU", "US-CA", "FR-75"] {
            assert!(is_code(code), "{code}");
        }
        for text in ["Germany", "de", "XX", "", "US-", "US-CALI", "EU-DE", "D E"] {
            assert!(!is_code(text), "{text}");
        }
    }

    #[test]
    fn a_place_belongs_to_its_jurisdiction() {
        for (place, jurisdiction, is) in [
            ("DE", "EU", Some(true)),
            ("DE-BY", "EU", Some(true)),
            ("EU", "EU", Some(true)),
            ("NO", "EU", Some(true)),
            ("CH", "EU", Some(false)),
            ("AU", "AU", Some(true)),
            ("NZ", "AU", Some(false)),
            ("US", "US-CA", Some(true)),
            ("US-CA", "US-CA", Some(true)),
            ("US-NY", "US-CA", Some(false)),
            ("US-NY", "US", Some(true)),
            ("Germany", "EU", None),
        ] {
            assert_eq!(is_within(place, jurisdiction), is, "{place} {jurisdiction}");
        }
    }
}
