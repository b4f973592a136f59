//! A run that did not come to its end, made again.
//!
//! A run is one transaction: of one that failed, or was interrupted, no row, file or table is left, and
//! its snapshot has gone with it. So there are no ranges to go on with: it is made from the beginning,
//! with the same version of the profile and the same options, and its entries say which run it resumes.

use serde_json::Value;

use super::options::Options;
use super::request::Request;
use crate::error::{Error, Kind, Result};

pub mod sql;
pub mod store;

/// What is on record of a run.
pub struct Former {
    /// Its number.
    pub run_id: [u8; 16],
    /// How it is shown.
    pub shown: String,
    /// `run`, or `declared` where a script said that it began one.
    pub origin: String,
    /// Whether it was part of a transaction of its caller.
    pub in_transaction: bool,
    /// As the view `runs` has it.
    pub state: String,
    /// What it was asked for; `None` where its entry does not say so.
    pub asked: Option<Asked>,
    /// Whether another one has written the same target since.
    pub is_overtaken: bool,
}

/// What a run was asked for.
pub struct Asked {
    /// Profile's name.
    pub profile: String,
    /// Profile's version.
    pub version: String,
    /// Schema read.
    pub source: String,
    /// Schema written.
    pub target: String,
    /// Options as its caller gave them.
    pub options: Value,
}

impl Former {
    /// The request by which it is made again.
    ///
    /// # Errors
    /// 55006 while it goes on; 55000 where it is complete, where another run has written its target
    /// since, and where it is none that could be made again.
    pub fn request(self) -> Result<Request> {
        let is = |what: &str| Error::new(Kind::NotReady, format!("run {} {what}", self.shown));
        match self.state.as_str() {
            "running" => {
                return Err(Error::new(
                    Kind::InUse,
                    format!("run {} goes on", self.shown),
                ));
            }
            "completed" => return Err(is("is complete").with_hint("Call confiture.sync.")),
            _ => {}
        }
        if self.origin != "run" {
            return Err(is("was a script's own").with_hint("Have the script begin another one."));
        }
        let Some(asked) = self.asked.filter(|_| !self.in_transaction) else {
            return Err(Error::new(
                Kind::NotReady,
                format!("run {} cannot be resumed", self.shown),
            )
            .with_detail("It masked a schema in place, or was part of a transaction of its caller.")
            .with_hint("Call the procedure again that it was made by."));
        };
        if self.is_overtaken {
            return Err(Error::new(
                Kind::NotReady,
                format!(
                    "schema \"{}\" was written by another run since run {}",
                    asked.target, self.shown
                ),
            )
            .with_hint("Call confiture.sync to write it anew."));
        }
        let mut options = Options::parse(&asked.options)?;
        options.version = Some(asked.version);
        Ok(Request {
            profile: asked.profile,
            source: asked.source,
            target: asked.target,
            options,
            in_place: None,
            given: Some(asked.options),
            resumes: Some(self.run_id),
        })
    }
}
