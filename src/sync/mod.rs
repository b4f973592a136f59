//! The run: rows move from a source schema to a target schema, masked as a profile says.
//!
//! `planner` holds the profile against the catalog and says everything that is wrong before a row is
//! read; `run` copies, checks and commits data and evidence together, or nothing. What runs, runs
//! with the rights of the caller; where the caller is stronger than the owner of code that would
//! run, `trust` refuses.

pub mod alike;
pub mod cache;
pub mod checks;
pub mod clock;
pub mod copy;
pub mod coverage;
pub mod ddl;
pub mod decide;
pub mod described;
pub mod evidence;
pub mod existing;
pub mod facts;
pub mod failure;
pub mod fired;
pub mod fit;
pub mod forecast;
pub mod frame;
pub mod history;
pub mod hooks;
pub mod in_place;
pub mod joined;
pub mod leaks;
pub mod links;
pub mod log;
pub mod masks;
pub mod noise;
pub mod options;
pub mod pairs;
pub mod phase;
pub mod plan;
pub mod planner;
pub mod progress;
pub mod recheck;
pub mod redraw;
pub mod registry;
pub mod request;
pub mod resume;
pub mod rowcheck;
pub mod run;
pub mod scope;
pub mod shuffle;
pub mod sql;
pub mod statement;
pub mod store;
pub mod stored;
pub mod swap;
pub mod target;
pub mod tokens;
pub mod trackers;
pub mod tracking;
pub mod trust;
pub mod unique;
pub mod verify;
pub mod watch;
pub mod worked;
pub mod workers;
pub mod workshop;
