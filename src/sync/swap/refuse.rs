//! What keeps a target from being filled in mode swap: what would have to be altered for the load,
//! under a lock that readers wait for; and neighbors that cannot be held still, or looked at.

use super::super::existing::hidden_rows;
use super::super::plan::{Input, TablePlan, Target};
use super::{Key, neighbors};
use crate::error::{Error, Kind};

/// Adds a problem for everything of that kind.
pub fn check(
    input: &Input<'_>,
    keys: &[Key],
    tables: &[TablePlan],
    prepare: &Target,
    problems: &mut Vec<Error>,
) {
    for plan in tables {
        let Some(existing) = input.target.table(&plan.source.name) else {
            continue;
        };
        for part in input.target.partitions(existing.oid) {
            if part.kind != 'r' && part.kind != 'p' {
                problems.push(
                    Error::new(
                        Kind::Unsupported,
                        format!("partition {} of the target is foreign", part.shown()),
                    )
                    .with_detail("Its rows are where no file of this server is swapped.")
                    .with_hint(INSTEAD),
                );
            }
        }
        for part in input.source.partitions(plan.source.oid) {
            if input.target.table(&part.name).is_none() {
                problems.push(
                    Error::new(
                        Kind::NotReady,
                        format!(
                            "target table {} lacks the partition \"{}\" of the source",
                            existing.shown(),
                            part.name
                        ),
                    )
                    .with_detail("Attaching one may need a lock that readers wait for.")
                    .with_hint(format!("Create it. {INSTEAD}")),
                );
            }
        }
    }
    for statement in &prepare.unchecked {
        problems.push(
            Error::new(Kind::Unsupported, "a CHECK of the target is NOT VALID")
                .with_detail(format!(
                    "It would have to go while rows are loaded, which readers wait for: {statement}."
                ))
                .with_hint(format!("Validate it. {INSTEAD}")),
        );
    }
    keys_of(keys, problems);
}

const INSTEAD: &str = "Mode atomic can do without.";

fn keys_of(keys: &[Key], problems: &mut Vec<Error>) {
    for key in keys.iter().filter(|key| key.period) {
        problems.push(
            Error::new(
                Kind::Unsupported,
                format!(
                    "foreign key \"{}\" of table {} is one of periods",
                    key.name,
                    key.child.shown()
                ),
            )
            .with_hint(INSTEAD),
        );
    }
    for end in neighbors(keys) {
        let mut refuse = |kind, what: &str, hint: String| {
            problems.push(
                Error::new(
                    kind,
                    format!(
                        "table {}, which a foreign key ties to the target, {what}",
                        end.shown()
                    ),
                )
                .with_hint(hint),
            );
        };
        if !end.owned {
            refuse(
                Kind::Permission,
                &format!("belongs to role \"{}\"", end.owner),
                "Its writers wait for the run: run as a member of that role, name the table in the \
                 profile, or drop the foreign key."
                    .to_owned(),
            );
        } else if !end.can_select {
            refuse(
                Kind::Permission,
                "cannot be read: permission denied",
                "Grant SELECT on it to the role that runs.".to_owned(),
            );
        } else if end.row_security {
            refuse(
                Kind::Permission,
                "has row-level security that would hide rows from this role",
                hidden_rows(end.owned).to_owned(),
            );
        }
    }
}
