//! Tables in which rows that arrive are masked, as they were set up; read straight by their numbers.

use crate::error::{Error, Kind, Result};
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::{owner, spi, user};
use crate::strategies::ValueType;

/// A table, as it was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replicated {
    /// Its number, or the next one.
    pub id: Option<i32>,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The profile.
    pub profile: String,
    /// Its version.
    pub version: String,
    /// The hash of that.
    pub hash: Vec<u8>,
    /// Name and version of the masking key, where a mask needs it.
    pub key: Option<(String, i32)>,
    /// All of its columns.
    pub columns: Vec<Column>,
}

/// A column, as it was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as written.
    pub type_name: String,
    /// The word for what becomes of it.
    pub decision: String,
    /// What is stored in it, as an expression over the row `s`.
    pub expression: Option<String>,
    /// The other columns that the expression reads.
    pub inputs: Vec<String>,
    /// The number of its mask and what that takes, where the expression calls one.
    pub mask: Option<(usize, ValueType)>,
    /// Name and version of its salt.
    pub salt: Option<(String, i32)>,
}

impl Column {
    /// Whether what arrives is stored as it is.
    pub fn is_kept(&self) -> bool {
        !["masked", "excluded"].contains(&self.decision.as_str())
    }
}

const TABLE: Lookup = Lookup {
    schema: c"confiture",
    table: c"replicated_table",
    index: Some(c"replicated_table_pkey"),
    columns: &[
        "schema_name",
        "table_name",
        "profile_name",
        "profile_version",
        "profile_hash",
        "key_name",
        "key_version",
    ],
};

const COLUMN: Lookup = Lookup {
    schema: c"confiture",
    table: c"replicated_column",
    index: Some(c"replicated_column_pkey"),
    columns: &[
        "column_name",
        "column_type",
        "decision",
        "expression",
        "inputs",
        "mask_number",
        "value_type",
        "salt_name",
        "salt_version",
    ],
};

const ANY: Lookup = Lookup {
    schema: c"confiture",
    table: c"replicated_table",
    index: None,
    columns: &["id"],
};

/// Whether anything is set up: no query, since many commands ask.
///
/// # Errors
/// As [`Table::open`].
pub fn is_awake() -> Result<bool> {
    Ok(!Table::open(&ANY, None)?
        .find(&[], |_, _| Ok(()))?
        .is_empty())
}

impl Replicated {
    /// Looks it up, as of now.
    ///
    /// # Errors
    /// As the interface.
    pub fn find(id: i32) -> Result<Option<Self>> {
        let key = Key::Integer(id);
        let tables = Table::open(&TABLE, None)?.find(&[("id", key)], |row, _| {
            Ok(Self {
                id: Some(id),
                schema: row.required(1)?,
                table: row.required(2)?,
                profile: row.required(3)?,
                version: row.required(4)?,
                hash: row.required(5)?,
                key: row.get::<String>(6)?.zip(row.get::<i32>(7)?),
                columns: Vec::new(),
            })
        })?;
        let Some(found) = tables.into_iter().next() else {
            return Ok(None);
        };
        let columns = Table::open(&COLUMN, None)?.find(&[("table_id", key)], |row, _| {
            let number = row.get::<i32>(6)?.and_then(|of| usize::try_from(of).ok());
            let of = row.get::<String>(7)?;
            let of = of.and_then(|name| {
                let all = ValueType::ALL.iter();
                all.copied().find(|of| of.name() == name)
            });
            Ok(Column {
                name: row.required(1)?,
                type_name: row.required(2)?,
                decision: row.required(3)?,
                expression: row.get(4)?,
                inputs: row.required(5)?,
                mask: number.zip(of),
                salt: row.get::<String>(8)?.zip(row.get::<i32>(9)?),
            })
        })?;
        Ok(Some(Self { columns, ..found }))
    }

    /// Writes it down, in place of what is there under its name; its number.
    ///
    /// # Errors
    /// As the interface.
    pub fn register(&self) -> Result<i32> {
        as_owner(|| {
            let id = spi::one::<i32>(
                INSERT,
                &[
                    self.schema.as_str().into(),
                    self.table.as_str().into(),
                    self.profile.as_str().into(),
                    self.version.as_str().into(),
                    self.hash.clone().into(),
                    self.key.as_ref().map(|(name, _)| name.as_str()).into(),
                    self.key.as_ref().map(|(_, version)| *version).into(),
                    user::name(user::caller()).into(),
                ],
            )?
            .ok_or_else(|| Error::new(Kind::Internal, "a table was not registered"))?;
            spi::run(
                "DELETE FROM ONLY confiture.replicated_column WHERE table_id = $1",
                &[id.into()],
            )?;
            for (number, column) in (1_i32..).zip(&self.columns) {
                let mask = column.mask;
                let mask_number = mask.and_then(|(number, _)| i32::try_from(number).ok());
                spi::run(
                    "INSERT INTO confiture.replicated_column
                            (table_id, number, column_name, column_type, decision, expression, inputs,
                             mask_number, value_type, salt_name, salt_version)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                    &[
                        id.into(),
                        number.into(),
                        column.name.as_str().into(),
                        column.type_name.as_str().into(),
                        column.decision.as_str().into(),
                        column.expression.as_deref().into(),
                        column.inputs.clone().into(),
                        mask_number.into(),
                        mask.map(|(_, of)| of.name()).into(),
                        column.salt.as_ref().map(|(name, _)| name.as_str()).into(),
                        column.salt.as_ref().map(|(_, version)| *version).into(),
                    ],
                )?;
            }
            Ok(id)
        })
    }
}

const INSERT: &str = "
    INSERT INTO confiture.replicated_table
           (schema_name, table_name, profile_name, profile_version, profile_hash, key_name, key_version,
            made_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (schema_name, table_name) DO UPDATE
       SET profile_name = excluded.profile_name, profile_version = excluded.profile_version,
           profile_hash = excluded.profile_hash, key_name = excluded.key_name,
           key_version = excluded.key_version, made_by = excluded.made_by, made_at = excluded.made_at
    RETURNING id";

/// A table that is set up.
pub struct Listed {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub table: String,
    /// The profile.
    pub profile: String,
    /// Who set it up.
    pub made_by: String,
}

/// The tables of a schema that are set up, by a profile or by any.
///
/// # Errors
/// As the interface.
pub fn of(schema: &str, profile: Option<&str>) -> Result<Vec<Listed>> {
    as_owner(|| {
        spi::rows(
            "SELECT id, table_name, profile_name, made_by FROM ONLY confiture.replicated_table
              WHERE schema_name = $1 AND ($2::pg_catalog.text IS NULL OR profile_name = $2) ORDER BY 2",
            &[schema.into(), profile.into()],
            |row| {
                Ok(Listed {
                    id: row.required(1)?,
                    table: row.required(2)?,
                    profile: row.required(3)?,
                    made_by: row.required(4)?,
                })
            },
        )
    })
}

/// Keeps others from setting up or taking away, and from commands that ask what is set up, until the
/// transaction ends.
///
/// # Errors
/// As the interface.
pub fn lock() -> Result<()> {
    as_owner(|| {
        spi::run(
            "LOCK TABLE ONLY confiture.replicated_table IN SHARE ROW EXCLUSIVE MODE",
            &[],
        )?;
        Ok(())
    })
}

/// Forgets one.
///
/// # Errors
/// As the interface.
pub fn forget(id: i32) -> Result<()> {
    as_owner(|| {
        let id = [id.into()];
        spi::run(
            "DELETE FROM ONLY confiture.replicated_column WHERE table_id = $1",
            &id,
        )?;
        spi::run(
            "DELETE FROM ONLY confiture.replicated_table WHERE id = $1",
            &id,
        )?;
        Ok(())
    })
}

fn as_owner<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    owner::acting_as_owner("confiture", work)
}
