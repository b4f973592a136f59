//! The inventory, read with the rights of the caller.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Column, Declared, Inventory, Ledger, Needs, Run, Runs, Table, Treatment, WayOut, access, masked,
};
use crate::compliance::controller::Controller;
use crate::error::Result;
use crate::ledger::inspection::store::inspect;
use crate::ledger::lineage::report::Step;
use crate::ledger::lineage::report::store::{made_at, mark};
use crate::pg::{server, spi, user};
use crate::signs::tables::Context;
use crate::signs::{self, Access, Sort};
use crate::sync::request::pinned;

/// Reads the inventory of these schemas, or of all, as it is now, and no more of it than is needed; the
/// day is that which retention is reckoned from.
///
/// # Errors
/// As the interface; 42501 from the server where the caller may not read the ledger.
pub fn read(
    controller: &Controller,
    day: &str,
    schemas: Option<&[String]>,
    needs: Needs,
) -> Result<Inventory> {
    pinned(|| {
        let mut found = Inventory {
            made_at: made_at()?,
            made_by: user::name(user::outer()),
            database: server::database(),
            is_scoped: schemas.is_some(),
            ..Inventory::default()
        };
        if needs.ledger {
            found.ledger = ledger()?;
        }
        if needs.runs {
            found.runs = runs(controller)?;
        }
        columns(&mut found, controller, schemas)?;
        if needs.access {
            found.readers = access::store::readers(&found)?;
            found.settings = settings()?;
            found.admission = access::store::admission()?;
        }
        found.ways_out = ways_out(&found)?;
        if needs.rows {
            super::ages::store::read(&mut found, controller, day, schemas)?;
        }
        Ok(found)
    })
}

fn one(sql: &str) -> Result<Option<String>> {
    let found = spi::read(sql, &[], |row| row.get::<String>(1))?;
    Ok(found.into_iter().next().flatten())
}

fn ledger() -> Result<Ledger> {
    let findings = inspect(None, false)?.findings;
    let verified = spi::read(VERIFIED, &[], |row| {
        Ok((row.required::<String>(1)?, row.required::<bool>(2)?))
    })?;
    Ok(Ledger {
        findings,
        mark: mark()?,
        verified_at: verified.into_iter().next(),
        since: one(SINCE)?,
    })
}

fn runs(controller: &Controller) -> Result<Runs> {
    let mut found = Runs::default();
    let months = spi::read(MONTHS, &[], |row| {
        let counts = [2, 3, 4, 5].map(|place| row.required::<i64>(place));
        let [completed, failed, verified, scripts] = counts;
        let counts = [completed?, failed?, verified?, scripts?];
        Ok((row.required::<String>(1)?, counts))
    })?;
    for (month, [completed, failed, verified, scripts]) in months {
        found.completed += completed - scripts;
        found.failed += failed;
        found.verified += verified;
        found.scripts += scripts;
        found.months.push((month, completed, failed));
    }
    found.newest = spi::read(NEWEST, &[], |row| {
        Ok(Run {
            id: row.required(1)?,
            is_completed: row.required(2)?,
            origin: row.required(3)?,
            profile: row.get(4)?,
            source: row.get(5)?,
            target: row.get(6)?,
            ended_at: row.required(7)?,
            rows: row.get(8)?,
            passed: row.get(9)?,
        })
    })?;
    let ids = controller.of("rights_request");
    let ids: Vec<String> = ids
        .filter_map(|request| request.text("run_id"))
        .map(|run| run.to_lowercase())
        .collect();
    if !ids.is_empty() {
        found.named = spi::read(NAMED, &[ids.into()], |row| {
            Ok((row.required(1)?, row.required(2)?))
        })?;
    }
    Ok(found)
}

/// A column as the catalog has it.
struct Found {
    name: String,
    type_name: String,
    sort: Sort,
    is_array: bool,
    is_key: bool,
}

fn columns(
    inventory: &mut Inventory,
    controller: &Controller,
    schemas: Option<&[String]>,
) -> Result<()> {
    let mut tables: Vec<(Table, Vec<Found>)> = Vec::new();
    spi::read(COLUMNS, &[schemas.map(<[_]>::to_vec).into()], |row| {
        let (schema, name): (String, String) = (row.required(1)?, row.required(2)?);
        let is_same = tables
            .last()
            .is_some_and(|(last, _)| last.schema == schema && last.name == name);
        if !is_same {
            let rows = row.required::<f64>(3)?;
            #[allow(clippy::cast_possible_truncation, reason = "an estimate")]
            let table = Table {
                schema,
                name,
                rows: (rows >= 0.0).then_some(rows as i64),
                row_security: row.required(4)?,
                columns: 0,
            };
            tables.push((table, Vec::new()));
        }
        let (name, kind, category): (String, String, String) =
            (row.required(7)?, row.required(8)?, row.required(9)?);
        if let Some((table, columns)) = tables.last_mut() {
            table.columns += 1;
            columns.push(Found {
                name: row.required(5)?,
                type_name: row.required(6)?,
                sort: sort(&name, &kind, &category),
                is_array: row.required(10)?,
                is_key: row.required(11)?,
            });
        }
        Ok(())
    })?;
    let mut treatments = masked::store::read()?.treatments();
    let declared = declared(controller);
    // A table that runs have written is a copy: what is declared of its source holds of it.
    let copies: HashMap<(String, String), String> = treatments
        .values()
        .filter_map(Treatment::step)
        .filter(|step| step.source != step.target)
        .map(|step| {
            (
                (step.target.clone(), step.table.clone()),
                step.source.clone(),
            )
        })
        .collect();
    for (table, columns) in tables {
        let source = copies.get(&(table.schema.clone(), table.name.clone()));
        let seen = signs_of(&table, &columns);
        let context = Context::of(&seen.name, &seen.columns);
        for (place, column) in columns.into_iter().enumerate() {
            let verdict = signs::judge(&seen, context, &seen.columns[place], None);
            let category = verdict.category.filter(|_| verdict.is_personal());
            let key = (table.schema.clone(), table.name.clone(), column.name);
            let of = |schema: &str| {
                let found = declared.get(&(schema, key.1.as_str(), key.2.as_str()));
                found.cloned()
            };
            let declared = of(&key.0).or_else(|| source.and_then(|source| of(source)));
            let treatment = treatments.remove(&key).unwrap_or_default();
            inventory.columns_total += 1;
            if category.is_some() || declared.is_some() || treatment.step().is_some() {
                inventory.columns.push(Column {
                    schema: key.0,
                    table: key.1,
                    name: key.2,
                    type_name: column.type_name,
                    category,
                    declared,
                    treatment,
                });
            }
        }
        if inventory.schemas.last() != Some(&table.schema) {
            inventory.schemas.push(table.schema.clone());
        }
        inventory.tables.push(table);
    }
    Ok(())
}

/// The table as the signs of personal data see it: by names and types, no value.
fn signs_of(table: &Table, columns: &[Found]) -> signs::Table {
    signs::Table {
        schema: table.schema.clone(),
        name: table.name.clone(),
        access: Access::Open,
        rows: 0.0,
        has_blocks: false,
        columns: columns
            .iter()
            .map(|column| signs::Column {
                name: column.name.clone(),
                sort: column.sort,
                is_array: column.is_array,
                is_key: column.is_key,
                is_virtual: false,
                fields: Vec::new(),
            })
            .collect(),
    }
}

fn sort(name: &str, kind: &str, category: &str) -> Sort {
    match (name, kind, category) {
        (_, "e", _) => Sort::Enum,
        (_, "c", _) => Sort::Record,
        ("json" | "jsonb" | "hstore", ..) => Sort::Json,
        ("bool", ..) => Sort::Boolean,
        ("bytea", ..) => Sort::Bytes,
        ("inet", ..) => Sort::Inet,
        ("cidr", ..) => Sort::Network,
        ("macaddr" | "macaddr8", ..) => Sort::Mac,
        ("uuid", ..) => Sort::Uuid,
        ("point", ..) => Sort::Point,
        ("jsonpath" | "tsvector" | "xml", ..) => Sort::Words,
        ("money" | "oid", ..) => Sort::Other,
        (.., "S") => Sort::Text,
        (.., "D" | "T") => Sort::Date,
        (.., "N") => Sort::Number,
        _ => Sort::Other,
    }
}

/// What is declared of columns, by schema, table and name.
fn declared(controller: &Controller) -> HashMap<(&str, &str, &str), Declared> {
    let mut found = HashMap::new();
    let there: HashSet<&str> = controller
        .of("activity")
        .map(|activity| activity.id.as_str())
        .collect();
    for fact in controller.of("columns") {
        let Some((schema, table)) = fact.word("table").and_then(|table| table.split_once('.'))
        else {
            continue;
        };
        for column in fact.list("columns") {
            let entry: &mut Declared = found.entry((schema, table, column)).or_default();
            entry.add(fact, &there);
        }
    }
    found
}

/// An entry of the lineage: a row of a statement that asks for these columns.
pub(super) fn step(row: &spi::Row<'_>) -> Result<Step> {
    Ok(Step {
        run_id: row.required(1)?,
        finished_at: row.get(2)?,
        source: row.required(3)?,
        target: row.required(4)?,
        table: row.required(5)?,
        column: row.required(6)?,
        strategy: row.required(7)?,
        version: row.required(8)?,
        seen: row.required(9)?,
        unchanged: row.get(10)?,
        reversible: row.required(11)?,
        commitment: row.required(12)?,
        origin: row.required(13)?,
        ..Step::default()
    })
}

/// The tables with personal columns: schemas and names, place by place.
fn personal_tables(inventory: &Inventory) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<(&str, &str)> = inventory
        .personal()
        .map(|column| (column.schema.as_str(), column.table.as_str()))
        .collect();
    names.dedup();
    names
        .into_iter()
        .map(|(schema, table)| (schema.to_owned(), table.to_owned()))
        .unzip()
}

fn settings() -> Result<BTreeMap<String, String>> {
    let found = spi::read(SETTINGS, &[], |row| {
        Ok((row.required::<String>(1)?, row.required::<String>(2)?))
    })?;
    Ok(found.into_iter().collect())
}

fn ways_out(inventory: &Inventory) -> Result<Vec<WayOut>> {
    let (schemas, tables) = personal_tables(inventory);
    let publications = publications();
    let kinds = [
        ("foreign server", FOREIGN_SERVERS, vec![]),
        (
            "publication",
            publications.as_str(),
            vec![schemas.into(), tables.into()],
        ),
        ("subscription", SUBSCRIPTIONS, vec![]),
        ("replication slot", SLOTS, vec![]),
    ];
    let mut found = Vec::new();
    for (kind, sql, args) in kinds {
        found.extend(spi::read(sql, &args, |row| {
            Ok(WayOut {
                kind,
                name: row.required(1)?,
                detail: row.get(2)?,
            })
        })?);
    }
    Ok(found)
}

const SINCE: &str = "
    SELECT pg_catalog.to_char(\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD')
      FROM ONLY confiture.audit_log ORDER BY seq LIMIT 1";

const VERIFIED: &str = "
    SELECT pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           coalesce(e.verification_passed, false)
      FROM ONLY confiture.audit_log e
     WHERE e.event = 'VERIFIED'
     ORDER BY e.seq DESC LIMIT 1";

const MONTHS: &str = "
    SELECT pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM'),
           pg_catalog.count(*) FILTER (WHERE e.event = 'COMPLETED'),
           pg_catalog.count(*) FILTER (WHERE e.event = 'FAILED'),
           pg_catalog.count(*) FILTER (WHERE e.event = 'COMPLETED' AND e.verification_passed
                                         AND e.origin = 'run'),
           pg_catalog.count(*) FILTER (WHERE e.event = 'COMPLETED' AND e.origin <> 'run')
      FROM ONLY confiture.audit_log e
     WHERE e.event IN ('COMPLETED', 'FAILED') AND e.run_id IS NOT NULL
     GROUP BY 1 ORDER BY 1";

const NEWEST: &str = "
    SELECT e.run_id::text, e.event = 'COMPLETED', e.origin, e.profile_name, e.source_schema,
           e.target_schema,
           pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           (SELECT pg_catalog.sum(r.value::bigint)::bigint
              FROM pg_catalog.jsonb_each_text(e.rows_anonymized) r),
           e.verification_passed
      FROM ONLY confiture.audit_log e
     WHERE e.event IN ('COMPLETED', 'FAILED') AND e.run_id IS NOT NULL
     ORDER BY e.seq DESC LIMIT 20";

const NAMED: &str = "
    SELECT e.run_id::text,
           pg_catalog.to_char(e.\"timestamp\" AT TIME ZONE 'UTC', 'YYYY-MM-DD')
      FROM ONLY confiture.audit_log e
     WHERE e.event = 'COMPLETED' AND e.run_id::text = ANY ($1)";

const COLUMNS: &str = include_str!("columns.sql");

const SETTINGS: &str = "
    SELECT s.name, s.setting FROM pg_catalog.pg_settings s
     WHERE s.name = ANY (ARRAY['data_checksums', 'log_connections', 'log_statement',
           'password_encryption', 'shared_preload_libraries', 'ssl', 'ssl_min_protocol_version',
           'server_version', 'wal_level'])";

const FOREIGN_SERVERS: &str = "
    SELECT s.srvname::text, (SELECT pg_catalog.substr(o, 6) FROM pg_catalog.unnest(s.srvoptions) o
                              WHERE o LIKE 'host=%' LIMIT 1)
      FROM pg_catalog.pg_foreign_server s ORDER BY s.srvname";

/// What leaves now, by the server's own reckoning, and by which rule tables made later will. A table that
/// is partitioned may leave as its parts.
fn publications() -> String {
    // Server 14 knows no schemas in publications.
    let of_schemas = if server::version_num() < 150_000 {
        "NULL::text"
    } else {
        "(SELECT pg_catalog.string_agg(n.nspname::text, ', ' ORDER BY n.nspname)
            FROM pg_catalog.pg_publication_namespace s
            JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)"
    };
    format!(
        "
    WITH personal AS (
      SELECT c.oid
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w (s, t)
        JOIN pg_catalog.pg_namespace n ON n.nspname = w.s::name
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.t::name)
    SELECT p.pubname::text,
           CASE WHEN p.puballtables THEN 'every table'
                ELSE coalesce('every table of ' || {of_schemas}, 'some tables')
           END || ': ' || t.tables || ' now, ' || t.personal || ' with personal columns'
      FROM pg_catalog.pg_publication p
     CROSS JOIN LATERAL (
           SELECT pg_catalog.count(*) AS tables,
                  pg_catalog.count(*) FILTER (WHERE EXISTS (
                    SELECT FROM personal o
                     WHERE o.oid = g.relid OR o.oid IN (
                           SELECT a.relid FROM pg_catalog.pg_partition_ancestors(g.relid) a)))
                    AS personal
             FROM pg_catalog.pg_get_publication_tables(p.pubname::text) g) t
     ORDER BY p.pubname"
    )
}

const SUBSCRIPTIONS: &str = "
    SELECT s.subname::text, NULL::text FROM pg_catalog.pg_subscription s
      JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
     WHERE d.datname = pg_catalog.current_database() ORDER BY s.subname";

const SLOTS: &str = "
    SELECT s.slot_name::text, s.slot_type FROM pg_catalog.pg_replication_slots s
     WHERE s.database IS NULL OR s.database = pg_catalog.current_database() ORDER BY s.slot_name";
