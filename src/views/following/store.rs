//! Views that mask by another version than the one in use now, made anew where the caller may.

use crate::error::Result;
use crate::pg::snapshot::Active;
use crate::pg::subxact::{Failure, tried};
use crate::pg::{guc, heap, ident, owner, report, spi, user};
use crate::views::list::store as list;
use crate::views::list::store::Listed;
use crate::views::store::{create, groups};

/// How long a view is waited for that somebody is reading: whoever loads a profile asked for no
/// view, and everybody else who reads it would wait too.
const PATIENCE: &str = "3s";

/// Makes the views of a profile anew by the version that is in use now. Where the caller does not
/// own them, where they would have to be filled, or where they cannot be made, they go on by
/// theirs, and a warning says so.
///
/// # Errors
/// As the interface.
pub fn follow(profile: &str) -> Result<()> {
    // The statement that calls does not see the version that it has stored.
    let _as_of_now = Active::now();
    for target in targets(profile)? {
        let views = list::of(&target, Some(profile))?;
        match hindrance(&views) {
            Some(why) => stays(&target, profile, &why),
            None => anew(&target, profile, &views),
        }
    }
    Ok(())
}

/// Why views are not made anew without being asked for it.
fn hindrance(views: &[Listed]) -> Option<String> {
    // A stronger role would own those of tables that have come, beside those of another.
    let is_owned = |view: &Listed| {
        let there = view.relation();
        there.is_none_or(|there| heap::owner(there) == user::current())
    };
    if !views.iter().all(is_owned) {
        return Some("They belong to another role.".to_owned());
    }
    let is_filled = views.iter().any(|view| view.is_materialized);
    is_filled.then(|| "They are materialized, and filling them takes a while.".to_owned())
}

fn anew(target: &str, profile: &str, views: &[Listed]) {
    let made = tried(|| {
        guc::with(&[("lock_timeout", PATIENCE)], || {
            for (profile, source, options) in groups(views) {
                create(&profile, &source, target, &options)?;
            }
            Ok(())
        })
    });
    match made {
        Ok(()) => report::notice(&format!(
            "masked views of schema \"{target}\" follow profile \"{profile}\""
        )),
        Err(Failure::Own(error)) => stays(target, profile, &format!("Reason: {error}.")),
        // What the server says may hold more than names.
        Err(Failure::Server(error)) => stays(
            target,
            profile,
            &format!("Reason: SQLSTATE {}.", error.sqlstate.as_str()),
        ),
    }
}

fn stays(target: &str, profile: &str, why: &str) {
    report::warning(
        &format!(
            "masked views of schema \"{target}\" go on by another version of profile \"{profile}\""
        ),
        Some(&format!(
            "{why} To make them anew: SELECT * FROM confiture.refresh_masked_views({});",
            ident::literal(target)
        )),
    );
}

/// Schemas with views of a profile that mask by another version than the one that is in use now.
fn targets(profile: &str) -> Result<Vec<String>> {
    owner::acting_as_owner("confiture", || {
        spi::rows(
            "SELECT DISTINCT v.schema_name
               FROM ONLY confiture.masked_view v
              CROSS JOIN LATERAL (
                SELECT p.profile_hash FROM ONLY confiture.profile p
                 WHERE p.name = v.profile_name AND p.retired_at IS NULL
                 ORDER BY p.loaded_at DESC, p.id DESC LIMIT 1) AS n
              WHERE v.profile_name = $1 AND v.profile_hash <> n.profile_hash ORDER BY 1",
            &[profile.into()],
            |row| row.required(1),
        )
    })
}
