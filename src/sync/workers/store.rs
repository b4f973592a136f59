//! The memory that a run shares with its workers: made by the run for each table, found by a worker by a
//! setting that the server hands on.

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};

use super::super::cache::Caching;
use super::super::masks::{self, Place, Raised, Refusal};
use super::super::{leaks, redraw, trackers};
use super::board::Board;
use super::kit::Kit;
use super::report::Shape;
use crate::error::{Error, Kind, Result, Sqlstate};
use crate::pg::{parallel, report, server, shared, trusted};
use crate::settings;

/// Times that workers may be started for one statement: each part of its plan may have its own.
const PARTS: usize = 8;

/// The memory of one load, wiped when dropped.
pub struct Shared(shared::Shared);

impl Shared {
    /// Puts a kit there, for so many workers.
    ///
    /// # Errors
    /// 53200 where the server has no memory to share.
    pub fn new(kit: &Kit, workers: u32, caching: &Caching) -> Result<Self> {
        let bytes = kit.bytes();
        let report = kit.shape().report(caching).len();
        let places = workers as usize * PARTS;
        let memory = shared::Shared::new(Board::words(bytes.len(), places, report));
        let memory = memory.ok_or_else(|| {
            Error::new(
                Kind::Server(Sqlstate::new("53200")),
                "the server has no memory to share with workers",
            )
            .with_hint("Run without workers, or with fewer sessions at once.")
        })?;
        let memory = memory.wiped_at_end();
        Board::begin(memory.words(), server::pid(), &bytes, places, report);
        Ok(Self(memory))
    }

    /// By what a worker finds it.
    pub fn handle(&self) -> u32 {
        self.0.handle()
    }

    /// Adds what the workers have seen.
    ///
    /// # Errors
    /// XX000 where one of them has said nothing.
    pub fn collect(&self, kit: &Kit, caching: &Caching) -> Result<()> {
        let Some(board) = self.board() else {
            return Err(silent());
        };
        let shape = kit.shape();
        for place in 0..board.taken() {
            let told = board.told(place).ok_or_else(silent)?;
            if !shape.merge(&told, caching) {
                return Err(silent());
            }
        }
        Ok(())
    }

    fn board(&self) -> Option<Board<'_>> {
        Board::of(self.0.words(), server::pid())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(board) = self.board() {
            if let Some(told) = board.refused().and_then(|bytes| read(&bytes)) {
                told.note();
            }
            board.wipe();
        }
    }
}

fn silent() -> Error {
    Error::new(Kind::Internal, "a worker has not said what it has seen")
}

/// A worker that has joined a run.
struct Joined {
    words: &'static [AtomicU64],
    leader: i32,
    place: usize,
    shape: Shape,
    caching: Caching,
}

thread_local! {
    static JOINED: RefCell<Option<Joined>> = const { RefCell::new(None) };
}

/// In a worker of a run, the first time: makes the masks, trackers and the scan of the table callable.
/// Elsewhere nothing.
///
/// # Errors
/// XX000 where the kit cannot be read; as the making of masks.
pub fn join() -> Result<()> {
    let Some(leader) = parallel::leader() else {
        return Ok(());
    };
    if JOINED.with_borrow(Option::is_some) {
        return Ok(());
    }
    // Who calls this outside of a run is told so by what it calls.
    let Some(memory) = settings::kit().and_then(shared::Shared::attach) else {
        return Ok(());
    };
    let words = memory.keep();
    let Some(board) = Board::of(words, leader) else {
        return Ok(());
    };
    let kit = Kit::read(&board.kit())?;
    let place = board.take().ok_or_else(|| {
        Error::new(
            Kind::Internal,
            "a run has more workers than it has asked for",
        )
    })?;
    trusted::only_from_now_on();
    let caching = kit.caching()?;
    let (made, redraws) = kit.make(&caching)?;
    let about = &kit.about;
    // For as long as the process lasts, which is until the table is loaded.
    std::mem::forget(masks::install_from(about.first_mask, made));
    std::mem::forget(redraw::install_from(about.first_mask, redraws));
    std::mem::forget(trackers::install_from(about.first_tracker, kit.trackers()?));
    if let Some((number, scan)) = kit.scan() {
        std::mem::forget(leaks::running::install_from(number, vec![scan]));
    }
    let joined = Joined {
        words,
        leader,
        place,
        shape: kit.shape(),
        caching,
    };
    JOINED.set(Some(joined));
    parallel::at_end(tell_all);
    Ok(())
}

fn tell_all() {
    let is_told = JOINED.with_borrow(|joined| {
        let joined = joined.as_ref()?;
        let words = joined.shape.report(&joined.caching);
        // Wiped already where the run has failed: it wants to know nothing any more.
        let board = Board::of(joined.words, joined.leader)?;
        Some(board.tell(joined.place, &words))
    });
    if is_told == Some(false) {
        report::raise(silent());
    }
}

/// What is told of a value that was not taken.
#[derive(Serialize, Deserialize)]
struct Told {
    place: Place,
    constraint: Option<String>,
    /// What the mask says; `None` where the server has raised an error about the value.
    refusal: Option<Words>,
}

/// The words of a refusal.
#[derive(Serialize, Deserialize)]
struct Words {
    sqlstate: String,
    message: String,
    detail: Option<String>,
}

/// In a worker of a run: tells the run of a value that a mask did not take.
pub fn tell(refusal: &Refusal) {
    let error = &refusal.error;
    say(&Told {
        place: refusal.place.clone(),
        constraint: refusal.constraint.clone(),
        refusal: Some(Words {
            sqlstate: error.kind().sqlstate().as_str().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
        }),
    });
}

/// In a worker of a run: tells the run where an error was raised about a value.
pub fn tell_raised(raised: &Raised) {
    say(&Told {
        place: raised.place.clone(),
        constraint: raised.constraint.clone(),
        refusal: None,
    });
}

fn say(told: &Told) {
    JOINED.with_borrow(|joined| {
        let Some(joined) = joined else {
            return;
        };
        let board = Board::of(joined.words, joined.leader);
        if let (Some(board), Ok(bytes)) = (board, serde_json::to_vec(told)) {
            board.refuse(joined.place, &bytes);
        }
    });
}

fn read(bytes: &[u8]) -> Option<Told> {
    serde_json::from_slice(bytes).ok()
}

impl Told {
    /// Has the run know it, as if it had happened here.
    fn note(self) {
        let Self {
            place, constraint, ..
        } = self;
        let Some(words) = self.refusal else {
            return masks::was_raised(Raised { place, constraint });
        };
        let kind = match Kind::Check.sqlstate().as_str() == words.sqlstate {
            true => Kind::Check,
            false => Kind::Server(Sqlstate::new(&words.sqlstate)),
        };
        let error = Error::new(kind, words.message);
        let error = match words.detail {
            Some(detail) => error.with_detail(detail),
            None => error,
        };
        masks::refused(Refusal {
            place,
            constraint,
            error,
        });
    }
}
