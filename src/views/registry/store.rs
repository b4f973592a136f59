//! Masked columns as they were registered, read straight by their numbers, and the masks they stand for.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Error, Kind, Result};
use crate::keys::{self, Secret, Use, subkey};
use crate::pg::scan::{Key, Lookup, Table};
use crate::profile::{self, Profile, Rule, seed};
use crate::settings;
use crate::strategies::{Mask, Subkeys, ValueType};

/// What a call names: the view and the column, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The view.
    pub view: i32,
    /// The column.
    pub number: i32,
}

/// A masked column, as its view registered it.
pub struct Registered {
    /// The number of the view.
    pub id: i32,
    /// Schema of the view.
    pub schema: String,
    /// The view.
    pub view: String,
    /// Schema of its table.
    pub source_schema: String,
    /// Its table.
    pub source_table: String,
    /// The profile.
    pub profile: String,
    /// Its version.
    pub version: String,
    /// The hash of that.
    pub hash: Vec<u8>,
    /// Name and version of the key, where a mask of the view needs one.
    pub key: Option<(String, i32)>,
    /// Whether the view is materialized.
    pub is_materialized: bool,
    /// The column, of the view as of the table.
    pub column: String,
    /// Name and version of its salt.
    pub salt: Option<(String, i32)>,
}

const VIEW: Lookup = Lookup {
    schema: c"confiture",
    table: c"masked_view",
    index: Some(c"masked_view_pkey"),
    columns: &[
        "schema_name",
        "view_name",
        "source_schema",
        "source_table",
        "profile_name",
        "profile_version",
        "profile_hash",
        "key_name",
        "key_version",
        "is_materialized",
    ],
};

const COLUMN: Lookup = Lookup {
    schema: c"confiture",
    table: c"masked_column",
    index: Some(c"masked_column_pkey"),
    columns: &["column_name", "salt_name", "salt_version"],
};

/// What a mask reads beside the value.
pub struct Named {
    /// Whether it is a list.
    pub many: bool,
    /// The columns.
    pub columns: Vec<String>,
}

impl Registered {
    /// Looks it up as the server looks up the view that names it: as of now, whatever the statement
    /// sees, and without beginning another command, which a parallel query cannot.
    ///
    /// # Errors
    /// 42704 where it is not registered.
    pub fn find(asked: Asked) -> Result<Self> {
        let unknown = || {
            Error::new(
                Kind::UndefinedObject,
                "there is no masked view of that number, or it has no such masked column",
            )
            .with_hint("Make the views again with confiture.create_masked_views.")
        };
        let views =
            Table::open(&VIEW, None)?.find(&[("id", Key::Integer(asked.view))], |row, _| {
                Ok(Self {
                    id: asked.view,
                    schema: row.required(1)?,
                    view: row.required(2)?,
                    source_schema: row.required(3)?,
                    source_table: row.required(4)?,
                    profile: row.required(5)?,
                    version: row.required(6)?,
                    hash: row.required(7)?,
                    key: row.get::<String>(8)?.zip(row.get::<i32>(9)?),
                    is_materialized: row.required(10)?,
                    column: String::new(),
                    salt: None,
                })
            })?;
        let columns = Table::open(&COLUMN, None)?.find(
            &[
                ("view_id", Key::Integer(asked.view)),
                ("number", Key::Integer(asked.number)),
            ],
            |row, _| {
                let salt = row.get::<String>(2)?.zip(row.get::<i32>(3)?);
                Ok((row.required::<String>(1)?, salt))
            },
        )?;
        let view = views.into_iter().next().ok_or_else(unknown)?;
        let (column, salt) = columns.into_iter().next().ok_or_else(unknown)?;
        Ok(Self {
            column,
            salt,
            ..view
        })
    }

    /// The mask of the column, and the columns it reads beside it.
    ///
    /// # Errors
    /// 55000 where the profile is not as it was; as the keys.
    pub fn mask(&self, of: ValueType) -> Result<(Mask, Vec<Named>)> {
        let profile =
            stored(&self.profile, &self.version, &self.hash)?.ok_or_else(|| altered(self))?;
        let rule = rule(&profile, &self.source_table, &self.column).ok_or_else(|| altered(self))?;
        let mask = made(&profile, rule, self.key.as_ref(), self.salt.as_ref(), of)?;
        let specs = rule.resolved.kind().definition().inputs.iter();
        let inputs = match rule.inputs.is_empty() {
            true => Vec::new(),
            false => specs
                .map(|spec| {
                    let named = rule.inputs.get(spec.name);
                    Named {
                        many: spec.many,
                        columns: named.cloned().unwrap_or_default(),
                    }
                })
                .collect(),
        };
        Ok((mask, inputs))
    }
}

/// What a profile says of a column.
pub fn rule<'a>(profile: &'a Profile, table: &str, column: &str) -> Option<&'a Rule> {
    let table = profile.tables.iter().find(|of| of.name == table)?;
    table.rules.iter().find(|rule| rule.column == column)
}

/// The mask of a rule, with the versions of key and salt that were written down for it.
///
/// # Errors
/// As the keys, and as the seeds.
pub fn made(
    profile: &Profile,
    rule: &Rule,
    key: Option<&(String, i32)>,
    salt: Option<&(String, i32)>,
    of: ValueType,
) -> Result<Mask> {
    let allow = settings::seed_env_allow();
    let (seed, _) = profile.seed_of(rule, &profile::store::environment, &|name| {
        seed::env_allowed(&allow, name)
    })?;
    let (masking, fpe) = match key {
        Some((name, version)) => {
            let key = keys::store::version(name, *version)?;
            (
                subkey(&key.secret, Use::Masking),
                subkey(&key.secret, Use::Fpe),
            )
        }
        // No mask works with it; never one that anybody could know.
        None => (Secret::random()?, Secret::random()?),
    };
    let salt = match salt {
        Some((name, version)) => Some(keys::store::salt(name, Some(*version))?),
        None => None,
    };
    let keys = Subkeys {
        salt: salt.as_ref().map(Secret::expose),
        ..Subkeys::new(masking.expose(), fpe.expose())
    };
    rule.resolved.mask(&keys, seed, of)
}

fn altered(view: &Registered) -> Error {
    Error::new(
        Kind::NotReady,
        format!(
            "profile \"{}\" version \"{}\" is not as it was when the masked view was made",
            view.profile, view.version
        ),
    )
    .with_hint("Make the views again with confiture.create_masked_views.")
}

/// A profile with its hash, which takes longer to make than everything else of a call.
struct Kept {
    hash: [u8; 32],
    profile: Rc<Profile>,
}

thread_local! {
    /// Versions of profiles never change, so they are kept; each is asked for by its hash too.
    static PROFILES: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// Profiles kept at once.
const MOST: usize = 16;

/// A version of a profile with that hash; `None` where the version that is stored has another one.
///
/// # Errors
/// 42704 when it is not stored.
pub fn stored(name: &str, version: &str, hash: &[u8]) -> Result<Option<Rc<Profile>>> {
    let is_it = |kept: &&Kept| {
        kept.profile.name == name && kept.profile.version == version && kept.hash == hash
    };
    let found = |kept: &Vec<Kept>| kept.iter().find(is_it).map(|of| Rc::clone(&of.profile));
    if let Some(found) = PROFILES.with_borrow(found) {
        return Ok(Some(found));
    }
    let read = profile::store::pick(name, Some(version))?;
    let read = Kept {
        hash: read.profile_hash(),
        profile: Rc::new(read),
    };
    if !is_it(&&read) {
        return Ok(None);
    }
    let profile = Rc::clone(&read.profile);
    PROFILES.with_borrow_mut(|kept| {
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(read);
    });
    Ok(Some(profile))
}
