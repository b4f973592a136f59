//! `company`: the name of a company that was made up.
//!
//! A family name, a trade and a legal form in the order of the language: `Martin & Hayes Logistics
//! Ltd.`, `Transportes García S.L.` Drawn with the key; a real company of that name is possible by
//! chance. With `keep_unique` a made-up word of 80 bits follows the family name (`tail.rs`).

use super::dictionary::{LOCALES, List, Locale, below, fitting, longest, pick, width};
use super::draw::{self, LOCALE};
use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, ENTITY, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType, tail};

/// `company` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("max_length".to_owned(), Value::Int(24))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::Company, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// assert!(mask.text("Analytical Engines and Sons")?.chars().count() <= 24);
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "company",
    version: 1,
    about: "Name of a company that was made up",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[ENTITY],
    needs: Needs::Key,
    refuses: false,
    example: "anon_company('Analytical Engines', locale => 'de')",
    sample: "{}",
    parse: |reader| Ok(Box::new(Company::new(reader)?)),
};

/// The parameters of `company`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Company {
    locale: Locale,
    suffix: bool,
    unique: bool,
    max_length: Option<u16>,
}

/// How a language names its companies.
struct Style {
    /// Whether the trade may come first.
    trade_first: bool,
    /// Between two family names.
    and: &'static str,
    forms: &'static [&'static str],
}

impl Company {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        let max_length = reader.int_if_given("max_length", 1..=255)?;
        let company = Self {
            locale: reader.word("locale", &LOCALES)?,
            suffix: reader.bool("suffix", true),
            unique: reader.bool("keep_unique", false),
            max_length,
        };
        if company.short().is_some_and(|short| short.fewest() < FEWEST) {
            let behind = if company.unique { tail::LENGTH } else { 0 };
            let detail = format!(
                "It leaves too few family names and trades to draw from: {FEWEST} of each must \
                 fit, beside {behind} characters that make a name unique."
            );
            return Err(reader.invalid("max_length", detail));
        }
        Ok(company)
    }

    fn style(&self) -> &'static Style {
        match self.locale {
            Locale::De => &DE,
            Locale::En => &EN,
            Locale::Es => &ES,
            Locale::Fr => &FR,
            Locale::Pt => &PT,
        }
    }

    /// The most characters, whatever `max_length` says.
    fn longest(&self) -> usize {
        let family = longest(self.locale.family());
        let second = if self.unique {
            tail::LENGTH
        } else {
            self.style().and.len() + family
        };
        let form = if self.suffix {
            1 + longest(self.style().forms)
        } else {
            0
        };
        family + second + 1 + longest(self.locale.trade()) + form
    }

    /// The names and trades that fit where not all do.
    fn short(&self) -> Option<Short> {
        let limit = usize::from(self.max_length?);
        // The space between them takes one.
        let space = limit.saturating_sub(1 + if self.unique { tail::LENGTH } else { 0 });
        let (family, trade) = (space / 2, space - space / 2);
        (limit < self.longest()).then(|| Short {
            limit,
            family,
            trade,
            families: fitting(self.locale.family(), family),
            trades: fitting(self.locale.trade(), trade),
        })
    }

    /// How many bits the choice has at least. One is given up for the orders in which the parts
    /// may stand, one for what is drawn again.
    fn bits(&self) -> u32 {
        let (families, trades) = match &self.short() {
            Some(short) => (short.families.len(), short.trades.len()),
            None => (self.locale.family().len(), self.locale.trade().len()),
        };
        (families * trades).ilog2().saturating_sub(2)
    }
}

impl Parsed for Company {
    fn properties(&self, _: ValueType) -> Properties {
        let bits = if self.unique { tail::BITS } else { self.bits() };
        Properties {
            folds_spellings: true,
            collision_bits: Some(bits),
            survival: Survival::Bits(bits),
            ..Properties::KEYED
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        let longest = self.longest();
        Some(
            self.max_length
                .map_or(longest, |most| longest.min(most.into())),
        )
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        let field = |label| Keyed::labeled(label, DEFINITION.version, keys.masking, seed);
        let short = self.short();
        Ok(Box::new(Mask {
            keyed: Keyed::new(Kind::Company, keys.masking, seed),
            again: short.is_some().then(|| field("company/again")),
            tail: self.unique.then(|| field("company/tail")),
            short,
            company: self.clone(),
        }))
    }
}

/// What fits into `max_length`.
struct Short {
    limit: usize,
    family: usize,
    trade: usize,
    families: Vec<&'static str>,
    trades: Vec<&'static str>,
}

impl Short {
    fn fewest(&self) -> usize {
        self.families.len().min(self.trades.len())
    }
}

/// `company` with its key.
struct Mask {
    company: Company,
    keyed: Keyed,
    again: Option<Keyed>,
    tail: Option<Keyed>,
    short: Option<Short>,
}

/// The parts of a name.
struct Parts {
    trade_first: bool,
    family: &'static str,
    second: Option<&'static str>,
    trade: &'static str,
    form: Option<&'static str>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, row: Row<'_>) -> Result<Option<Datum<'a>>> {
        match value {
            Datum::Text(text) => Ok(Some(Datum::text(self.text(&text, row)))),
            _ => Err(mismatch(DEFINITION.name, ValueType::Text)),
        }
    }
}

impl Mask {
    fn text(&self, value: &str, row: Row<'_>) -> String {
        let of = draw::source(value, row);
        let parts = self.draw(&of);
        let out = self.write(&parts, &of);
        match (&self.short, &self.again) {
            (Some(short), Some(again)) if width(&out) > short.limit => {
                let [_, family, trade, _] = draw::words(again, &of);
                let redraw = |old: &'static str, most, list: &List, word| {
                    if width(old) > most {
                        pick(list, word)
                    } else {
                        old
                    }
                };
                let parts = Parts {
                    family: redraw(parts.family, short.family, &short.families, family),
                    trade: redraw(parts.trade, short.trade, &short.trades, trade),
                    second: None,
                    form: None,
                    ..parts
                };
                self.write(&parts, &of)
            }
            _ => out,
        }
    }

    fn draw(&self, of: &str) -> Parts {
        let [shape, family, trade, second] = draw::words(&self.keyed, of);
        let (locale, style) = (self.company.locale, self.company.style());
        // The low bits choose the form, the high ones the order.
        let (order, form) = (below(shape, 4), shape << 2);
        Parts {
            trade_first: style.trade_first && order < 2,
            family: pick(locale.family(), family),
            second: (order == 3 && !self.company.unique).then(|| pick(locale.family(), second)),
            trade: pick(locale.trade(), trade),
            form: self.company.suffix.then(|| pick(style.forms, form)),
        }
    }

    fn write(&self, parts: &Parts, of: &str) -> String {
        let mut out = String::with_capacity(80);
        if parts.trade_first {
            out.push_str(parts.trade);
            out.push(' ');
        }
        out.push_str(parts.family);
        if let Some(keyed) = &self.tail {
            tail::push(&mut keyed.stream(of.as_bytes()), &mut out);
        }
        if let Some(second) = parts.second {
            out.push_str(self.company.style().and);
            out.push_str(second);
        }
        if !parts.trade_first {
            out.push(' ');
            out.push_str(parts.trade);
        }
        if let Some(form) = parts.form {
            out.push(' ');
            out.push_str(form);
        }
        out
    }
}

const FEWEST: usize = 32;

const DE: Style = Style {
    trade_first: false,
    and: " & ",
    forms: &["GmbH", "AG", "KG", "OHG", "e. K.", "GmbH & Co. KG"],
};
const EN: Style = Style {
    trade_first: false,
    and: " & ",
    forms: &["Inc.", "Ltd.", "LLC", "Corp.", "PLC", "LLP"],
};
const ES: Style = Style {
    trade_first: true,
    and: " y ",
    forms: &["S.L.", "S.A.", "S.L.U.", "S.A.U.", "S. Coop."],
};
const FR: Style = Style {
    trade_first: true,
    and: " & ",
    forms: &["SARL", "SAS", "SA", "EURL", "SCOP"],
};
const PT: Style = Style {
    trade_first: true,
    and: " & ",
    forms: &["Lda.", "S.A.", "Ltda.", "Unipessoal Lda."],
};

const PARAMS: &[ParamSpec] = &[
    LOCALE,
    ParamSpec::new(
        "suffix",
        ParamKind::Bool,
        "true",
        "Writes a legal form such as Ltd. or GmbH behind the name.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Puts a made-up word of 80 bits behind the family name, so that two names practically \
         never meet.",
    ),
    ParamSpec::optional(
        "max_length",
        ParamKind::Int,
        "The most characters; longer names lose their form and parts that are too long.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::params::Value;

    fn company(params: &[(&str, Value)]) -> Result<Company, ParamError> {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        Company::new(&Reader::new(Kind::Company, &params.collect())?)
    }

    fn texts(params: &[(&str, Value)], count: u32) -> Vec<String> {
        let company = company(params).unwrap();
        let keys = Subkeys::new(&[7; 32], &[7; 32]);
        let mask = company
            .compile(&keys, Seed::new(1), ValueType::Text)
            .unwrap();
        let text = |n: u32| match mask.apply(Datum::text(n.to_string()), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        };
        (0..count).map(text).collect()
    }

    #[test]
    fn company_consists_of_a_family_a_trade_and_a_form() {
        for (locale, of) in LOCALES {
            let company = company(&[("locale", Value::from(locale))]).unwrap();
            for name in texts(&[("locale", Value::from(locale))], 300) {
                let has = |list: &List| list.iter().any(|entry| name.contains(entry));
                assert!(has(of.family()) && has(of.trade()), "{name}");
                let forms = company.style().forms;
                assert!(forms.iter().any(|form| name.ends_with(form)), "{name}");
                assert!(width(&name) <= company.output_limit(None).unwrap());
            }
        }
    }

    #[test]
    fn company_goes_without_a_form_when_asked() {
        let plain = texts(&[("suffix", Value::Bool(false))], 300);
        let formal = texts(&[], 300);
        for (plain, formal) in plain.iter().zip(formal) {
            assert!(formal.starts_with(&format!("{plain} ")), "{plain} {formal}");
        }
    }

    #[test]
    fn company_fits_where_a_column_is_narrow() {
        for (locale, _) in LOCALES {
            for most in [16, 20, 30, 60] {
                let params = [
                    ("locale", Value::from(locale)),
                    ("max_length", Value::Int(most)),
                ];
                let limit = company(&params).unwrap().output_limit(None).unwrap();
                assert!(limit <= usize::try_from(most).unwrap());
                for name in texts(&params, 500) {
                    assert!(width(&name) <= limit, "{name}");
                }
            }
        }
        for (most, unique) in [(8, false), (30, true), (0, false), (256, false)] {
            let params = [
                ("max_length", Value::Int(most)),
                ("keep_unique", Value::Bool(unique)),
            ];
            assert_eq!(company(&params).unwrap_err().param, "max_length");
        }
    }

    #[test]
    fn company_keeps_short_names_whatever_the_length() {
        let all = texts(&[], 500);
        let fitted = texts(&[("max_length", Value::Int(24))], 500);
        let same = all.iter().zip(&fitted).filter(|(a, b)| a == b).count();
        let short = all.iter().filter(|name| width(name) <= 24).count();
        assert!(same == short && short > 50, "{same} {short}");
    }

    #[test]
    fn company_is_unique_by_a_tail() {
        let names = texts(&[("keep_unique", Value::Bool(true))], 20_000);
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        let bits = |params: &[(&str, Value)]| {
            let properties = company(params).unwrap().properties(ValueType::Text);
            properties.collision_bits
        };
        assert_eq!(bits(&[("keep_unique", Value::Bool(true))]), Some(80));
        for (locale, promised) in [("en", 18), ("fr", 18), ("de", 17), ("es", 17), ("pt", 14)] {
            assert_eq!(bits(&[("locale", Value::from(locale))]), Some(promised));
        }
    }
}
