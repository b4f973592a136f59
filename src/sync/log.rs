//! The log of a run: one line for each phase, table and outcome, with the id of the run, in fields
//! that programs can read. Names and numbers, never a value.

use std::time::Instant;

use crate::pg::report;

/// The lines of one run.
pub struct Log {
    run: String,
    began: Instant,
}

impl Log {
    /// Of a run that began then.
    pub fn new(run: String, began: Instant) -> Self {
        Self { run, began }
    }

    /// When the run began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Writes a line into the log of the server, and nowhere else.
    pub fn line(&self, what: &str) {
        let since = self.began.elapsed().as_secs_f64();
        report::line(&format!("confiture run={} {what} at={since:.3}", self.run));
    }
}

/// A name in a line: quoted as in JSON, so that nothing in it ends the field or the line.
pub fn field(name: &str, value: &str) -> String {
    format!("{name}={}", serde_json::Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_a_line() {
        assert_eq!(field("table", "people"), "table=\"people\"");
        assert_eq!(
            field("table", "a\"b\nconfiture run=x completed"),
            "table=\"a\\\"b\\nconfiture run=x completed\""
        );
    }
}
