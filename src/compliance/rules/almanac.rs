//! Calendars of a document: zones, weekends, holidays.

use super::fields::{Fields, NOUN, day};
use crate::compliance::calendar::{Calendar, Holiday, Observed, On, WEEKDAYS};
use crate::error::Result;
use crate::profile::document::{self, Tree};

/// Reads a calendar.
///
/// # Errors
/// 22P02 or 22023, with the place.
pub fn calendar(tree: &Tree, path: &str) -> Result<Calendar> {
    let fields = Fields::open(tree, path, &CALENDAR_KEYS)?;
    let mut weekend = Vec::new();
    for (tree, path) in fields.items("weekend")? {
        let place = WEEKDAYS.iter().position(|name| tree.text() == Some(name));
        let place = place.and_then(|place| u8::try_from(place).ok());
        weekend.push(place.ok_or_else(|| {
            let message = "a day of the week is expected, as \"sunday\"";
            document::problem(NOUN, tree.place, &path, "value", message, None)
        })?);
    }
    if weekend.len() > 6 {
        return Err(fields.refuse(Some("weekend"), "no day of the week is worked".into()));
    }
    let zone = fields.text("zone")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '-' | '+');
    if !zone.chars().all(is_part) {
        return Err(fields.refuse(
            Some("zone"),
            "time zone must have a name of the server".into(),
        ));
    }
    Ok(Calendar {
        code: fields.id("code")?,
        title: fields.text("title")?,
        zone,
        weekend,
        holidays: fields
            .items("holidays")?
            .iter()
            .map(|(tree, path)| holiday(tree, path))
            .collect::<Result<_>>()?,
        workdays: days(&fields, "workdays")?,
    })
}

fn days(fields: &Fields<'_>, key: &str) -> Result<Vec<i64>> {
    fields
        .items(key)?
        .iter()
        .map(|(tree, path)| day(tree, path))
        .collect()
}

fn holiday(tree: &Tree, path: &str) -> Result<Holiday> {
    let fields = Fields::open(tree, path, &HOLIDAY_KEYS)?;
    let given: Vec<_> = ["date", "easter", "weekday", "days"]
        .into_iter()
        .filter(|key| fields.get(key).is_some())
        .collect();
    let on = match given.as_slice() {
        ["date"] => {
            let date = |key| -> Result<(i64, i64)> {
                let (month, day) = month_and_day(&fields, key)?;
                Ok((month.into(), day.into()))
            };
            let first = date("date")?;
            match fields.get("through") {
                Some(_) => On::Period {
                    first,
                    last: date("through")?,
                },
                None => On::Date {
                    month: first.0,
                    day: first.1,
                },
            }
        }
        ["easter"] => On::Easter(fields.whole("easter", -100, 100)?),
        ["weekday"] => {
            let numbered: Vec<_> = (0..).zip(WEEKDAYS).map(|(n, name)| (name, n)).collect();
            let nth = fields.whole("nth", -5, 5)?;
            if nth == 0 {
                return Err(fields.refuse(Some("nth"), "\"nth\" must not be 0".into()));
            }
            On::Weekday {
                month: fields.whole("month", 1, 12)?,
                weekday: fields.word("weekday", &numbered)?,
                nth,
            }
        }
        ["days"] => On::Days(days(&fields, "days")?),
        _ => {
            let message = "one of \"date\", \"easter\", \"weekday\" and \"days\" is expected";
            return Err(fields.refuse(None, message.into()));
        }
    };
    let observed = fields.maybe_word("observed", &Observed::NAMES)?;
    let is_period = matches!(on, On::Period { .. });
    if is_period && observed.is_some() {
        let message = "what lasts for days is observed on none other";
        return Err(fields.refuse(Some("observed"), message.into()));
    }
    if !is_period && fields.get("through").is_some() {
        let message = "\"through\" needs the \"date\" of its first day";
        return Err(fields.refuse(Some("through"), message.into()));
    }
    Ok(Holiday {
        name: fields.text("name")?,
        on,
        observed: observed.unwrap_or_default(),
        closes: fields.flag("closes", true)?,
        from: fields.maybe_whole("from", 1900, 2200)?,
        until: fields.maybe_whole("until", 1900, 2200)?,
    })
}

/// A month and a day, as `"12-31"`.
///
/// # Errors
/// 22023 for anything else.
pub fn month_and_day(fields: &Fields<'_>, key: &str) -> Result<(u8, u8)> {
    let text = fields.text(key)?;
    let number = |part: &str, most: u8| {
        let is_plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse().ok().filter(|_| is_plain)?;
        (1..=most).contains(&number).then_some(number)
    };
    text.split_once('-')
        .and_then(|(month, day)| Some((number(month, 12)?, number(day, 31)?)))
        .ok_or_else(|| fields.refuse(Some(key), "a date is written as \"12-31\"".into()))
}

const CALENDAR_KEYS: [&str; 6] = ["code", "title", "zone", "weekend", "holidays", "workdays"];
const HOLIDAY_KEYS: [&str; 12] = [
    "name", "date", "through", "easter", "weekday", "nth", "month", "days", "observed", "closes",
    "from", "until",
];
