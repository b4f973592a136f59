//! The memory in which runs show how far they are: made by a run, found by the lock that it holds.

use std::cell::RefCell;
use std::rc::Rc;

use super::{About, Board, Standing};
use crate::error::{Error, Kind, Result};
use crate::pg::lock::{Class, SessionLock};
use crate::pg::processed::{self, Times, count_into};
use crate::pg::shared::Shared;
use crate::pg::{report, server, spi, user};
use crate::sync::store::shown_id;

/// What a run shows; nothing where the server has no shared memory to give. It goes with the value.
pub struct Shown {
    about: Rc<About>,
    /// Seconds between what the caller is told; 0 for nothing.
    told_every: u32,
    standing: RefCell<Standing>,
    // The lock goes first: who has found it finds the memory.
    _lock: Option<SessionLock>,
    memory: Option<Rc<Shared>>,
}

/// A load that goes on: of which run, and the memory where that is shown.
type Loading = Option<(Rc<About>, Rc<Shared>)>;

thread_local! {
    /// What the caller is told of.
    static LOADING: RefCell<Loading> = const { RefCell::new(None) };
}

/// Keeps the rows up to date of the load that goes on, until dropped; then those again of the one that
/// was going on before, where a run is called inside another.
pub struct Counting<'a> {
    rows: processed::Counting<'a>,
    before: Loading,
}

impl Counting<'_> {
    /// How the time was divided of the INSERT that has run; `None` where nobody asked.
    pub fn times(&self) -> Option<Times> {
        self.rows.times()
    }
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        LOADING.set(self.before.take());
    }
}

/// Tells the caller how far the load is, where it is time. Called for every value of a run.
#[inline]
pub fn tell_where_due() {
    if processed::is_due() {
        tell();
    }
}

#[cold]
fn tell() {
    let line = LOADING.with_borrow(|loading| {
        let (about, memory) = loading.as_ref()?;
        let standing = Board::of(memory.words())?.standing()?;
        standing.line(about, server::now())
    });
    if let Some(line) = line {
        report::notice(&line);
    }
}

impl Shown {
    /// Shows that a run begins, and tells the caller every so many seconds, or never for 0.
    pub fn begin(about: About, told_every: u32) -> Self {
        let now = server::now();
        let memory = Shared::new(Board::words(&about));
        let lock = memory.as_ref().and_then(|memory| {
            Board::begin(memory.words(), &about, server::pid(), now);
            SessionLock::try_take(Class::Progress, memory.handle().into())
        });
        Self {
            about: Rc::new(about),
            told_every,
            standing: Standing {
                began: now,
                ..Standing::default()
            }
            .into(),
            _lock: lock,
            memory: memory.map(Rc::new),
        }
    }

    /// Shows that a phase begins, of a table by its place or of all.
    pub fn enter(&self, phase: &str, table: Option<usize>) {
        let mut standing = self.standing.borrow_mut();
        phase.clone_into(&mut standing.phase);
        standing.phase_began = server::now();
        standing.table = table;
        standing.rows = 0;
        self.show(&standing);
    }

    /// Shows the rows of the INSERT that comes, until dropped; with `timed` its time is divided.
    pub fn counting(&self, timed: bool) -> Option<Counting<'_>> {
        let memory = self.memory.as_ref()?;
        let rows = Board::of(memory.words())?.rows();
        let loading = Some((Rc::clone(&self.about), Rc::clone(memory)));
        Some(Counting {
            before: LOADING.replace(loading),
            rows: count_into(rows, self.told_every, timed),
        })
    }

    /// Whether somebody has asked it to wait.
    pub fn is_paused(&self) -> bool {
        self.board().is_some_and(|board| board.is_paused())
    }

    /// Shows that a table is loaded.
    pub fn loaded(&self, rows: u64) {
        let mut standing = self.standing.borrow_mut();
        standing.tables_loaded += 1;
        standing.rows_loaded += rows;
        standing.loaded_in += server::now() - standing.phase_began;
        standing.table = None;
        standing.rows = 0;
        self.show(&standing);
    }

    fn show(&self, standing: &Standing) {
        if let Some(board) = self.board() {
            board.show(standing);
        }
    }

    fn board(&self) -> Option<Board<'_>> {
        self.memory
            .as_ref()
            .and_then(|memory| Board::of(memory.words()))
    }
}

/// A run of this database that goes on.
pub struct Going {
    /// Its process.
    pub pid: i32,
    /// What does not change.
    pub about: About,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it is to wait while it loads.
    pub is_paused: bool,
}

/// The runs of this database that go on.
///
/// # Errors
/// As the interface.
pub fn going() -> Result<Vec<Going>> {
    let found = locks()?.into_iter();
    Ok(found
        .filter_map(|(handle, pid)| read(handle, pid))
        .collect())
}

/// The memory of the runs of this database that go on, and their processes.
fn locks() -> Result<Vec<(i64, i32)>> {
    spi::read(
        "SELECT l.objid::pg_catalog.int8, l.pid
           FROM pg_catalog.pg_locks l
           JOIN pg_catalog.pg_database d ON d.oid = l.database
          WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = $1
            AND d.datname = pg_catalog.current_database()
          ORDER BY l.pid",
        &[(Class::Progress as u16).cast_signed().into()],
        |row| Ok((row.required::<i64>(1)?, row.required::<i32>(2)?)),
    )
}

/// The run may end meanwhile, and anything else be where it was.
fn read(handle: i64, pid: i32) -> Option<Going> {
    let memory = Shared::attach(u32::try_from(handle).ok()?)?;
    let board = Board::of(memory.words()).filter(|board| board.pid() == pid)?;
    Some(Going {
        pid,
        about: board.about()?,
        standing: board.standing()?,
        is_paused: board.is_paused(),
    })
}

/// Has a run wait while it loads, or go on; whether that is another thing than before.
///
/// # Errors
/// 42704 where no such run goes on; 42501 for roles that may not cancel its statement.
pub fn pause(run: [u8; 16], paused: bool) -> Result<bool> {
    let run = shown_id(run);
    let found = locks()?.into_iter().find_map(|(handle, pid)| {
        let memory = Shared::attach(u32::try_from(handle).ok()?)?;
        let board = Board::of(memory.words()).filter(|board| board.pid() == pid)?;
        let about = board.about().filter(|about| about.run == run)?;
        Some((memory, about))
    });
    let (memory, about) = found.ok_or_else(|| {
        Error::new(Kind::UndefinedObject, format!("no run \"{run}\" goes on"))
            .with_hint("See confiture.sync_progress.")
    })?;
    let caller = user::caller();
    let may = |role: &str| user::number(role).is_some_and(|of| user::has_rights_of(caller, of));
    // As pg_cancel_backend has it.
    let is_superusers = user::number(&about.user).is_some_and(user::is_superuser);
    let may_signal = may("pg_signal_backend") && !is_superusers;
    if !may(&about.user) && !may_signal {
        return Err(Error::new(
            Kind::Permission,
            format!("permission denied to pause run \"{run}\""),
        )
        .with_detail(format!("Role \"{}\" has called it.", about.user))
        .with_hint(
            "Members of that role may, and those of pg_signal_backend if it is no superuser.",
        ));
    }
    if paused && !about.can_pause {
        return Err(
            Error::new(Kind::Unsupported, format!("run \"{run}\" cannot be paused"))
                .with_detail("Runs can in mode swap, while they load.")
                .with_hint("Cancel it, or run in mode swap."),
        );
    }
    Ok(Board::of(memory.words()).is_some_and(|board| board.pause(paused)))
}
