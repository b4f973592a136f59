//! The catalog of Citus, the nodes asked through it with the rights of the caller, and the setup.

use std::collections::BTreeMap;

use super::node::{
    COORDINATOR, Found, Keys, Line, Status, Step, Worker, line, listed, missing, words,
};
use crate::custody::share::bundle::uuid_bytes;
use crate::custody::share::store as sharing;
use crate::custody::store as custody;
use crate::error::{Error, Kind, Result};
use crate::keys::{self, setup};
use crate::pg::spi::{self, Nonatomic};
use crate::pg::{guc, ident, owner};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a worker answers, or its error in its words.
type Answer<T> = std::result::Result<T, String>;

/// The key that signs, where the setup makes one, and what it is for.
const SIGNING: [&str; 2] = ["signing", "ledger"];

/// How it stands with the coordinator and every worker; changes nothing.
///
/// # Errors
/// 0A000 without Citus; 55000 on a worker; 57014.
pub fn report() -> Result<Vec<Line>> {
    let workers = workers()?;
    let here = keys_here()?;
    let found = ask(&workers)?;
    Ok(lines(&workers, &here, &found))
}

/// Does what is missing on every node, and says of each what was done and how it stands with it now.
/// Each act is committed before the next one, and a key on record before its document leaves.
///
/// # Errors
/// As [`report`]; 55000 without a masking key here; what the providers raise here. What fails on a
/// worker is in its line.
pub fn set_up(provider: &str, connection: &Nonatomic) -> Result<Vec<Line>> {
    let workers = workers()?;
    // Opened before anything is done, so that what keeps it from being used is said by its provider.
    setup::provider(setup::chosen()?)?.health()?;
    keys::store::active_now(keys::MASKING)?;
    let here = keys_here()?;
    let mut done = vec![Done::default()];
    if !here.signs {
        custody::create(SIGNING[0], SIGNING[1])?;
        connection.commit()?;
        done[0].steps.push(Step::Sign);
    }
    for (worker, found) in workers.iter().zip(ask(&workers)?) {
        done.push(match &found {
            Found::Keys(keys) if keys.problem.is_none() => {
                take_all(missing(keys, &here), worker, provider, connection)?
            }
            _ => Done::default(),
        });
    }
    let after = lines(&workers, &keys_here()?, &ask(&workers)?);
    Ok(after
        .into_iter()
        .zip(done)
        .map(|(line, done)| told(line, done))
        .collect())
}

/// What the setup did on a node.
#[derive(Default)]
struct Done {
    steps: Vec<Step>,
    /// What a worker said of the step that failed.
    failed: Option<String>,
}

/// What is said of a node after the setup.
fn told(mut line: Line, done: Done) -> Line {
    // What is still missing was tried.
    if line.status == Status::ToDo {
        line.status = Status::Fail;
    }
    let missing = done.failed.or(line.detail.take());
    let said: Vec<String> = listed(&done.steps, Step::done)
        .into_iter()
        .chain(missing)
        .collect();
    line.detail = (!said.is_empty()).then(|| said.join("; "));
    line
}

/// Takes steps on a worker, up to the first one that fails there.
fn take_all(
    steps: Vec<Step>,
    worker: &Worker,
    provider: &str,
    connection: &Nonatomic,
) -> Result<Done> {
    let mut done = Done::default();
    for step in steps {
        let taken = match &step {
            Step::Sign => sign(worker)?,
            Step::Share(purpose) | Step::Replace(purpose) => {
                share(purpose, worker, provider, connection)?
            }
        };
        if let Err(why) = taken {
            done.failed = Some(format!("{} failed: {why}", step.to_do()));
            break;
        }
        done.steps.push(step);
    }
    Ok(done)
}

fn sign(worker: &Worker) -> Result<Answer<()>> {
    let [name, purpose] = SIGNING.map(ident::literal);
    let make = format!("SELECT confiture.create_key({name}::text, {purpose}::text)");
    Ok(tell(worker, &make)?.map(drop))
}

fn share(
    purpose: &str,
    worker: &Worker,
    provider: &str,
    connection: &Nonatomic,
) -> Result<Answer<()>> {
    let recipient = match tell(worker, "SELECT confiture.installation_id()")? {
        Ok(id) => id,
        Err(why) => return Ok(Err(why)),
    };
    let Some(recipient) = uuid_bytes(&recipient) else {
        return Ok(Err("its installation has no id".to_owned()));
    };
    let key = keys::store::active_now(purpose)?;
    let shared = sharing::share(&key.name, Some(key.version), recipient, provider)?;
    connection.commit()?;
    let shared = ident::literal(&shared.to_string());
    let import = format!("SELECT confiture.import_key({shared}::text)");
    Ok(tell(worker, &import)?.map(drop))
}

fn lines(workers: &[Worker], here: &Keys, found: &[Found]) -> Vec<Line> {
    let own = Found::Keys(here.clone());
    let coordinator = line(COORDINATOR.to_owned(), &own, here, VERSION);
    let workers = workers.iter().zip(found);
    std::iter::once(coordinator)
        .chain(workers.map(|(worker, found)| line(worker.to_string(), found, here, VERSION)))
        .collect()
}

/// What this node can say of its keys; opens those that masks use.
///
/// # Errors
/// 57014; as the interface.
pub fn keys_here() -> Result<Keys> {
    let purposes = owner::acting_as_owner("confiture", || {
        spi::read("SELECT purpose FROM ONLY confiture.key", &[], |row| {
            row.required::<String>(1)
        })
    })?;
    let mut here = Keys {
        signs: purposes.iter().any(|purpose| purpose == SIGNING[1]),
        ..Keys::default()
    };
    match fingerprints(&purposes) {
        Ok(masks) => here.masks = masks,
        Err(error) if error.kind() == Kind::QueryCanceled => return Err(error),
        Err(error) => {
            here.problem = Some(match error.detail() {
                Some(detail) => format!("{}: {detail}", error.message()),
                None => error.message().to_owned(),
            });
        }
    }
    Ok(here)
}

fn fingerprints(purposes: &[String]) -> Result<BTreeMap<String, String>> {
    setup::provider(setup::chosen()?)?.health()?;
    purposes
        .iter()
        .filter(|purpose| *purpose == keys::MASKING || purpose.starts_with(keys::SALT_PREFIX))
        .map(|purpose| {
            let key = keys::store::active_now(purpose)?;
            Ok((purpose.clone(), keys::fingerprint(&key.secret)))
        })
        .collect()
}

/// The workers; secondaries have what their primary has.
///
/// # Errors
/// 0A000 without Citus; 55000 on a worker.
fn workers() -> Result<Vec<Worker>> {
    let is_there = read(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')",
        |row| row.required::<bool>(1),
    )?;
    if is_there != [true] {
        return Err(
            Error::new(Kind::Unsupported, "Citus is not installed in this database").with_hint(
                "On servers without Citus, share the masking key by confiture.share_key and \
                 confiture.import_key.",
            ),
        );
    }
    let group = read(
        "SELECT groupid FROM pg_catalog.pg_dist_local_group",
        |row| row.required::<i32>(1),
    )?;
    if group != [0] {
        return Err(Error::new(Kind::NotReady, "this node is a worker")
            .with_hint("Call it on the coordinator."));
    }
    read(
        "SELECT nodename, nodeport, isactive FROM pg_catalog.pg_dist_node
          WHERE groupid <> 0 AND noderole::text = 'primary' ORDER BY nodename, nodeport",
        |row| {
            Ok(Worker {
                host: row.required(1)?,
                port: row.required(2)?,
                is_active: row.required(3)?,
            })
        },
    )
}

fn read<T>(sql: &'static str, take: impl FnMut(&spi::Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    guc::with(PATH, || spi::read(sql, &[], take))
}

const PATH: &[(&str, &str)] = &[("search_path", "pg_catalog, pg_temp")];

/// What the extension has to say there: its version, and nothing where it is not installed.
const ASK_VERSION: &str = "
    SELECT (SELECT extversion FROM pg_catalog.pg_extension
             WHERE extname OPERATOR(pg_catalog.=) 'confiture'::pg_catalog.name)";

const ASK_KEYS: &str = "SELECT confiture._citus_keys()";

/// What every worker says of itself, in their order.
fn ask(workers: &[Worker]) -> Result<Vec<Found>> {
    let active: Vec<&Worker> = workers.iter().filter(|worker| worker.is_active).collect();
    let versions = tell_all(&active, ASK_VERSION)?;
    let alike: Vec<&Worker> = active
        .iter()
        .zip(&versions)
        .filter(|(_, said)| said.as_deref() == Ok(VERSION))
        .map(|(worker, _)| *worker)
        .collect();
    let mut keys = tell_all(&alike, ASK_KEYS)?.into_iter();
    let mut versions = versions.into_iter();
    let mut found = Vec::with_capacity(workers.len());
    for worker in workers {
        let said = if worker.is_active {
            versions.next()
        } else {
            None
        };
        found.push(match said {
            None => Found::Inactive,
            Some(Err(why)) => Found::Failed(why),
            Some(Ok(version)) if version.is_empty() => Found::Absent,
            Some(Ok(version)) if version != VERSION => Found::OtherVersion(words(&version)),
            Some(Ok(_)) => match keys.next() {
                Some(Ok(said)) => serde_json::from_str(&said).map_or_else(
                    |_| Found::Failed("what it said of its keys has another form".to_owned()),
                    Found::Keys,
                ),
                Some(Err(why)) => Found::Failed(why),
                None => Found::Failed("it said nothing of its keys".to_owned()),
            },
        });
    }
    Ok(found)
}

/// What one worker answers: a value as text.
fn tell(worker: &Worker, command: &str) -> Result<Answer<String>> {
    let said = tell_all(&[worker], command)?;
    Ok(said
        .into_iter()
        .next()
        .unwrap_or_else(|| Err("it did not answer".to_owned())))
}

/// Citus connects as the caller, and commits there at once.
fn tell_all(workers: &[&Worker], command: &str) -> Result<Vec<Answer<String>>> {
    if workers.is_empty() {
        return Ok(Vec::new());
    }
    let hosts: Vec<String> = workers.iter().map(|worker| worker.host.clone()).collect();
    let ports: Vec<i32> = workers.iter().map(|worker| worker.port).collect();
    let commands = vec![command.to_owned(); workers.len()];
    guc::with(PATH, || {
        spi::read(
            "SELECT r.success, r.result
               FROM pg_catalog.master_run_on_worker($1, $2, $3, true)
                    WITH ORDINALITY AS r (host, port, success, result, place)
              ORDER BY r.place",
            &[hosts.into(), ports.into(), commands.into()],
            |row| {
                let said = row.get::<String>(2)?.unwrap_or_default();
                Ok(if row.required(1)? {
                    Ok(said)
                } else {
                    Err(words(&said))
                })
            },
        )
    })
}
