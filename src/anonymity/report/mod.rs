//! The report on a relation: every measure, how many rows have NULLs, and what none of it promises.

use serde_json::{Value, json};

use super::fraction::float;
use super::risk::{Risk, Sizes};

pub mod html;
pub mod sql;
pub mod store;

/// What is known of a relation.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name, with the schema.
    pub relation: String,
    /// Names of the quasi-identifiers, each with how many rows have NULL there.
    pub keys: Vec<(String, u64)>,
    /// How many rows have NULL in any of them.
    pub rows_with_nulls: u64,
    /// How many rows it has.
    pub rows: u64,
    /// How many classes.
    pub classes: u64,
    /// The size of the smallest class, and with NULL standing for any value; none without rows.
    pub k: Option<u64>,
    /// As above.
    pub k_null_matches: Option<u64>,
    /// How many rows are alone in their class.
    pub unique: u64,
    /// The size of the largest class.
    pub largest: Option<u64>,
    /// How the rows are spread over classes of different sizes.
    pub bands: Vec<Band>,
    /// Whether NULL stands for any value in all that follows.
    pub null_matches: bool,
    /// Name of the population, if one was given.
    pub population: Option<String>,
    /// The risks, and the threshold they were held against.
    pub risks: Vec<Risk>,
    /// As above.
    pub threshold: f64,
    /// What the classes say of each sensitive column.
    pub sensitive: Vec<Sensitive>,
}

/// Classes of about the same size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The least size.
    pub from: u64,
    /// The greatest one; none for the last band.
    pub to: Option<u64>,
    /// How many classes there are.
    pub classes: u64,
    /// How many rows they have.
    pub rows: u64,
}

/// The least sizes of the bands. Below 5 a record is at risk by the usual threshold of 0.2, and 11 is
/// the least size of a cell that many publishers of health data ask for (El Emam 2013).
const BANDS: [u64; 6] = [1, 2, 5, 11, 51, 501];

/// Spreads the classes over the bands.
pub fn bands(sizes: &Sizes) -> Vec<Band> {
    let band = |(place, from): (usize, &u64)| {
        let to = BANDS.get(place + 1).map(|next| next - 1);
        let within = sizes.range(*from..=to.unwrap_or(u64::MAX));
        let (mut classes, mut rows) = (0, 0);
        for (size, count) in within {
            classes += count;
            rows += size * count;
        }
        Band {
            from: *from,
            to,
            classes,
            rows,
        }
    };
    BANDS.iter().enumerate().map(band).collect()
}

/// What the classes say of a sensitive column; nothing without rows.
#[derive(Clone, Debug)]
pub struct Sensitive {
    /// Its name.
    pub column: String,
    /// How many values it has.
    pub values: u64,
    /// How many rows have NULL in it.
    pub nulls: u64,
    /// Distinct, entropy and recursive l-diversity.
    pub distinct: Option<u64>,
    /// As above.
    pub entropy: Option<f64>,
    /// `l`, and what `c` must be more than.
    pub recursive: Option<(u64, f64)>,
    /// The greatest share of a value in a class.
    pub alpha: Option<f64>,
    /// The distances that the column has.
    pub equal: Option<f64>,
    /// As above.
    pub ordered: Option<f64>,
    /// As above.
    pub numeric: Option<f64>,
    /// δ-disclosure with and without values that a class lacks.
    pub delta: Option<f64>,
    /// As above.
    pub delta_finite: Option<f64>,
    /// β-likeness, plain and enhanced.
    pub beta: Option<f64>,
    /// As above.
    pub beta_enhanced: Option<f64>,
}

impl Report {
    /// The report as a document. What is infinite is written as the server writes it.
    pub fn document(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(|(name, _)| name).collect();
        let nulls: serde_json::Map<_, _> = self
            .keys
            .iter()
            .map(|(name, rows)| (name.clone(), json!(rows)))
            .collect();
        json!({
            "relation": self.relation,
            "rows": self.rows,
            "quasi_identifiers": keys,
            "nulls": {
                "policy": self.policy(), "rows": self.rows_with_nulls, "columns": nulls,
            },
            "k_anonymity": {
                "k": self.k, "k_null_matches": self.k_null_matches, "classes": self.classes,
                "unique_rows": self.unique, "largest_class": self.largest,
                "sizes": self.bands.iter().map(of_band).collect::<Vec<_>>(),
            },
            "risk": {
                "threshold": self.threshold,
                "population": self.population,
                "models": self.risks.iter().map(of_risk).collect::<Vec<_>>(),
            },
            "sensitive": self.sensitive.iter().map(Sensitive::document).collect::<Vec<_>>(),
            "limits": LIMITS,
        })
    }

    /// What NULL is to the measures.
    pub fn policy(&self) -> &'static str {
        match self.null_matches {
            true => {
                "NULL in a quasi-identifier stands for any value; k and the classes are also counted \
                 with NULL as a value like any other."
            }
            false => "NULL is a value like any other; k_null_matches lets it stand for any value.",
        }
    }

    /// The share of rows that are alone in their class.
    pub fn unique_share(&self) -> Option<f64> {
        (self.rows > 0).then(|| float(self.unique.into()) / float(self.rows.into()))
    }
}

fn of_band(band: &Band) -> Value {
    json!({"from": band.from, "to": band.to, "classes": band.classes, "rows": band.rows})
}

fn of_risk(risk: &Risk) -> Value {
    json!({
        "model": risk.model,
        "max_risk": number(risk.max),
        "avg_risk": number(risk.average),
        "records_at_risk": number(risk.at_risk),
        "expected_reidentified": number(risk.expected),
    })
}

impl Sensitive {
    fn document(&self) -> Value {
        json!({
            "column": self.column,
            "values": self.values,
            "nulls": self.nulls,
            "l_diversity": {
                "distinct": self.distinct,
                "entropy": number(self.entropy),
                "recursive": self.recursive.map(|(l, c)| json!({"l": l, "c": number(Some(c))})),
            },
            "alpha": number(self.alpha),
            "t_closeness": {
                "equal": number(self.equal),
                "ordered": number(self.ordered),
                "numeric": number(self.numeric),
            },
            "delta_disclosure": {
                "delta": number(self.delta),
                "delta_finite": number(self.delta_finite),
            },
            "beta_likeness": {
                "beta": number(self.beta),
                "beta_enhanced": number(self.beta_enhanced),
            },
        })
    }
}

fn number(number: Option<f64>) -> Value {
    match number {
        Some(number) if number.is_finite() => json!(number),
        Some(number) if number > 0.0 => json!("Infinity"),
        _ => Value::Null,
    }
}

/// What the measures do not promise.
pub const LIMITS: [&str; 6] = [
    "All of this is true of one table as it is now, and of the columns that are named here: a column \
     that is left out although others know it is not counted.",
    "Whoever knows more than the quasi-identifiers can tell more rows apart than these numbers say.",
    "Two releases that are each k-anonymous can be put together into one that is not (Ganta, \
     Kasiviswanathan and Smith 2008).",
    "k-anonymity does not keep a sensitive value secret: a class whose rows all have the same one \
     discloses it of all of them. That is what l, t, delta and beta are about.",
    "Who knows how the table was made coarser may undo a part of it (the minimality attack, Wong, \
     Fu, Wang and Pei 2007).",
    "A risk is that of a link by the quasi-identifiers. It is no probability that somebody tries, and \
     no promise of differential privacy.",
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A report with one of everything, and names that mean something to HTML.
    pub(crate) fn report() -> Report {
        Report {
            relation: "s.<t>".to_owned(),
            keys: vec![("a\"b".to_owned(), 1), ("</style>".to_owned(), 0)],
            rows_with_nulls: 1,
            rows: 10,
            classes: 4,
            k: Some(1),
            k_null_matches: Some(2),
            unique: 2,
            largest: Some(6),
            bands: bands(&Sizes::from([(1, 2), (2, 1), (6, 1)])),
            null_matches: false,
            population: None,
            risks: vec![Risk {
                model: "prosecutor",
                max: Some(1.0),
                average: Some(0.4),
                at_risk: Some(0.2),
                expected: Some(4.0),
            }],
            threshold: 0.2,
            sensitive: vec![Sensitive {
                column: "<script>alert('x')</script>".to_owned(),
                values: 3,
                nulls: 0,
                distinct: Some(1),
                entropy: Some(1.0),
                recursive: Some((2, f64::INFINITY)),
                alpha: Some(1.0),
                equal: Some(0.5),
                ordered: None,
                numeric: None,
                delta: Some(f64::INFINITY),
                delta_finite: Some(1.5),
                beta: Some(2.0),
                beta_enhanced: Some(f64::INFINITY),
            }],
        }
    }

    #[test]
    fn every_row_is_in_one_band() {
        let sizes = Sizes::from([(1, 3), (4, 1), (5, 2), (50, 1), (51, 1), (9_000, 2)]);
        let bands = bands(&sizes);
        let rows: Vec<u64> = bands.iter().map(|band| band.rows).collect();
        assert_eq!(rows, [3, 4, 10, 50, 51, 18_000]);
        let classes: Vec<u64> = bands.iter().map(|band| band.classes).collect();
        assert_eq!(classes, [3, 1, 2, 1, 1, 2]);
        assert_eq!(
            (bands[1].from, bands[1].to, bands[5].to),
            (2, Some(4), None)
        );
    }

    #[test]
    fn reports_write_what_json_has_no_number_for() {
        let document = report().document();
        let sensitive = &document["sensitive"][0];
        assert_eq!(sensitive["l_diversity"]["recursive"]["c"], "Infinity");
        assert_eq!(sensitive["delta_disclosure"]["delta"], "Infinity");
        assert_eq!(sensitive["delta_disclosure"]["delta_finite"], 1.5);
        assert_eq!(sensitive["t_closeness"]["ordered"], Value::Null);
        assert_eq!(document["k_anonymity"]["k"], 1);
        assert_eq!(document["nulls"]["columns"]["a\"b"], 1);
        assert_eq!(document["limits"].as_array().map(Vec::len), Some(6));
        assert_eq!(report().unique_share(), Some(0.2));
    }
}
