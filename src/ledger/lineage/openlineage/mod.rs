//! The end of a run as an event of OpenLineage 2-0-2, from the ledger alone: the same run gives the
//! same event for ever, whatever became of its tables.
//!
//! Sources: spec/OpenLineage.json 2-0-2, spec/Naming.md and the facets columnLineage 1-2-0, schema
//! 1-2-0, version 1-0-1, outputStatistics 1-0-2 and errorMessage 1-0-1 of OpenLineage/OpenLineage.

pub mod store;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind, Result};

const PRODUCER: &str = concat!("urn:confiture:", env!("CARGO_PKG_VERSION"));
const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// docs/openlineage.json of the sources.
const OWN: &str = "urn:confiture:openlineage:1-0-0";

/// Where a database is reached, for the names of its tables: `postgres://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Takes a scheme, a host and a port, and nothing else: no name of a user, no password.
    ///
    /// # Errors
    /// 22023 for anything else, which is not repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Self> {
        let host = text.strip_prefix("postgres://").unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if host.is_empty() || host.len() > 300 || !host.chars().all(fits) {
            return Err(Error::new(
                Kind::InvalidParameter,
                "the namespace does not have the form postgres://host:port",
            )
            .with_detail("It takes a host and a port; no user, password, path or option."));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What the ledger says of a run that ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The run.
    pub run_id: String,
    /// Whether it ended well.
    pub is_complete: bool,
    /// When, in ISO 8601 and UTC.
    pub at: String,
    /// The profile.
    pub profile: Option<String>,
    /// Its version.
    pub profile_version: Option<String>,
    /// Database and schema read.
    pub source: (String, String),
    /// Database and schema written.
    pub target: (String, String),
    /// The tables.
    pub tables: Vec<String>,
    /// Rows per table.
    pub rows: Option<Value>,
    /// What the entry adds.
    pub details: Option<Value>,
    /// The cluster's identifier.
    pub cluster: String,
    /// Place of the entry that signs all of it.
    pub ledger: Place,
    /// The masked columns.
    pub columns: Vec<Column>,
}

/// The entry of the audit log that an event is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Id of the log.
    pub log_id: String,
    /// Number of the entry.
    pub seq: i64,
    /// Its hash, hexadecimal.
    pub entry_hash: String,
    /// Merkle root over the lineage, hexadecimal.
    pub lineage_root: Option<String>,
    /// Name and version of the key that signed.
    pub key: String,
    /// Whose word it is.
    pub origin: String,
}

/// An entry of the lineage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Number of the entry.
    pub seq: i64,
    /// Table.
    pub table: String,
    /// Column.
    pub name: String,
    /// Strategy.
    pub strategy: String,
    /// Its version.
    pub version: i32,
    /// Rows copied.
    pub seen: i64,
    /// Values replaced.
    pub changed: Option<i64>,
    /// Values that came through as they were.
    pub unchanged: Option<i64>,
    /// Values that were NULL.
    pub nulls: Option<i64>,
    /// Whether a key gives originals back.
    pub reversible: bool,
    /// How the commitments are made.
    pub commitment: String,
    /// What a value is bound to.
    pub row_binding: String,
    /// Commitment to the values as they were, hexadecimal.
    pub original: Option<String>,
    /// Commitment to the values as stored, hexadecimal.
    pub anonymized: Option<String>,
}

impl Run {
    /// The event. Columns that were copied as they are have no part in it: the ledger holds no
    /// entry of them.
    pub fn event(&self, namespace: Option<&Namespace>) -> Value {
        // No address of this machine: who knows how it is reached says so.
        let namespace = namespace.map_or_else(
            || format!("postgres://cluster-{}", self.cluster),
            |given| given.0.clone(),
        );
        let job = format!("{}.{}", self.target.0, self.job());
        let dataset = |place: &(String, String), table: &str| {
            json!({
                "namespace": namespace,
                "name": format!("{}.{}.{table}", place.0, place.1),
            })
        };
        let mut columns: BTreeMap<&str, Vec<&Column>> = BTreeMap::new();
        for column in &self.columns {
            columns.entry(&column.table).or_default().push(column);
        }
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for table in &self.tables {
            let source = dataset(&self.source, table);
            let mut target = dataset(&self.target, table);
            if self.is_complete {
                let masked = columns.get(table.as_str()).map_or(&[][..], Vec::as_slice);
                self.describe(&source, &mut target, table, masked);
            }
            inputs.push(source);
            outputs.push(target);
        }
        json!({
            "eventType": if self.is_complete { "COMPLETE" } else { "FAIL" },
            "eventTime": self.at,
            "producer": PRODUCER,
            "schemaURL": EVENT,
            "run": {"runId": self.run_id, "facets": self.run_facets()},
            "job": {"namespace": "confiture", "name": job},
            "inputs": inputs,
            "outputs": outputs,
        })
    }

    /// The profile; of a run that a script declared, which has none, what the script calls it.
    fn job(&self) -> &str {
        let declared = || self.details.as_ref()?.get("run")?.as_str();
        let profile = self.profile.as_deref();
        profile.or_else(declared).unwrap_or("unknown")
    }

    fn run_facets(&self) -> Value {
        let place = &self.ledger;
        let mut facets = Map::new();
        facets.insert(
            "confiture_ledger".to_owned(),
            facet(
                &own("LedgerRunFacet"),
                json!({
                    "logId": place.log_id,
                    "auditSeq": place.seq,
                    "entryHash": place.entry_hash,
                    "lineageRoot": place.lineage_root,
                    "signingKey": place.key,
                    "origin": place.origin,
                    "profile": self.profile,
                    "profileVersion": self.profile_version,
                }),
            ),
        );
        if !self.is_complete {
            let detail = |name: &str| {
                let details = self.details.as_ref()?;
                details.get(name)?.as_str()
            };
            let message = match (detail("phase"), detail("sqlstate")) {
                (Some(phase), Some(code)) => format!("run failed while {phase}, SQLSTATE {code}"),
                (None, Some(code)) => format!("run failed, SQLSTATE {code}"),
                _ => "run failed".to_owned(),
            };
            facets.insert(
                "errorMessage".to_owned(),
                facet(
                    &official("1-0-1", "ErrorMessageRunFacet"),
                    json!({"message": message, "programmingLanguage": "SQL"}),
                ),
            );
        }
        Value::Object(facets)
    }

    /// The facets of a table that was written.
    fn describe(&self, source: &Value, target: &mut Value, table: &str, masked: &[&Column]) {
        let mut facets = Map::new();
        // Where source and target are the same table, no loop: it was another version of it.
        facets.insert(
            "version".to_owned(),
            facet(
                &official("1-0-1", "DatasetVersionDatasetFacet"),
                json!({"datasetVersion": self.run_id}),
            ),
        );
        if !masked.is_empty() {
            facets.insert("schema".to_owned(), schema(masked));
            facets.insert("columnLineage".to_owned(), lineage(source, masked));
            facets.insert("confiture_lineage".to_owned(), evidence(masked));
        }
        target["facets"] = Value::Object(facets);
        let rows = self
            .rows
            .as_ref()
            .and_then(|rows| rows.get(table)?.as_i64());
        if let Some(rows) = rows {
            target["outputFacets"] = json!({
                "outputStatistics": facet(
                    &official("1-0-2", "OutputStatisticsOutputDatasetFacet"),
                    json!({"rowCount": rows}),
                ),
            });
        }
    }
}

/// The masked columns: the ledger knows of no others, and of no type.
fn schema(masked: &[&Column]) -> Value {
    let fields: Vec<_> = masked
        .iter()
        .map(|column| json!({"name": column.name, "description": described(column)}))
        .collect();
    facet(
        &official("1-2-0", "SchemaDatasetFacet"),
        json!({"fields": fields}),
    )
}

fn lineage(source: &Value, masked: &[&Column]) -> Value {
    let fields: Map<_, _> = masked
        .iter()
        .map(|column| {
            let input = json!({
                "namespace": source["namespace"],
                "name": source["name"],
                "field": column.name,
                "transformations": [{
                    "type": "DIRECT",
                    "subtype": "TRANSFORMATION",
                    "description": described(column),
                    "masking": true,
                }],
            });
            (column.name.clone(), json!({"inputFields": [input]}))
        })
        .collect();
    facet(
        &official("1-2-0", "ColumnLineageDatasetFacet"),
        json!({"fields": fields}),
    )
}

fn evidence(masked: &[&Column]) -> Value {
    let fields: Map<_, _> = masked
        .iter()
        .map(|column| {
            let facts = json!({
                "lineageSeq": column.seq,
                "strategy": column.strategy,
                "strategyVersion": column.version,
                "reversible": column.reversible,
                "rowsSeen": column.seen,
                "rowsChanged": column.changed,
                "rowsUnchanged": column.unchanged,
                "nulls": column.nulls,
                "commitment": column.commitment,
                "rowBinding": column.row_binding,
                "originalCommitment": column.original,
                "anonymizedCommitment": column.anonymized,
            });
            (column.name.clone(), facts)
        })
        .collect();
    facet(&own("LineageDatasetFacet"), json!({"fields": fields}))
}

fn described(column: &Column) -> String {
    format!("masked by {}/{}", column.strategy, column.version)
}

fn official(version: &str, name: &str) -> String {
    format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}")
}

fn own(name: &str) -> String {
    format!("{OWN}#/$defs/{name}")
}

fn facet(schema: &str, mut members: Value) -> Value {
    members["_producer"] = json!(PRODUCER);
    members["_schemaURL"] = json!(schema);
    members
}
