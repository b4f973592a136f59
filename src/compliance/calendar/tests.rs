//! Deadlines over weekends, holidays and clock changes.

use proptest::prelude::*;

use super::holidays::easter;
use super::*;
use crate::strategies::calendar::{parse_date, parse_time};

/// A zone with the clock changes of Central Europe, or one without any.
struct Rule {
    standard: i64,
    has_summer: bool,
}

const HOUR: i64 = 3_600 * SECOND;
const BRUSSELS: Rule = Rule {
    standard: HOUR,
    has_summer: true,
};
const SAO_PAULO: Rule = Rule {
    standard: -3 * HOUR,
    has_summer: false,
};

impl Rule {
    fn offset(&self, moment: i64) -> i64 {
        let year = Civil::of(moment.div_euclid(DAY)).year;
        let last_sunday = |month| {
            let end = Civil {
                year,
                month,
                day: 31,
            }
            .days();
            (end - i64::from((weekday(end) + 1) % 7)) * DAY + HOUR
        };
        let is_summer = (last_sunday(3)..last_sunday(10)).contains(&moment);
        self.standard
            + if self.has_summer && is_summer {
                HOUR
            } else {
                0
            }
    }
}

impl Zone for Rule {
    fn wall(&self, moment: i64) -> Result<i64> {
        Ok(moment + self.offset(moment))
    }

    fn moment(&self, wall: i64) -> Result<i64> {
        let (late, early) = (wall - self.standard, wall - self.standard - HOUR);
        let is_summer = |moment| self.offset(moment) != self.standard;
        Ok(if is_summer(early) && is_summer(late) {
            early
        } else {
            late
        })
    }
}

fn holiday(name: &str, on: On, observed: Observed) -> Holiday {
    Holiday {
        name: name.into(),
        on,
        observed,
        closes: true,
        from: None,
        until: None,
    }
}

fn brazil() -> Calendar {
    let date = |name, month, day| holiday(name, On::Date { month, day }, Observed::There);
    Calendar {
        code: "BR".into(),
        title: "Brazil".into(),
        zone: "America/Sao_Paulo".into(),
        weekend: vec![5, 6],
        holidays: vec![
            date("New Year", 1, 1),
            holiday("Good Friday", On::Easter(-2), Observed::There),
            date("Tiradentes", 4, 21),
            date("Labour Day", 5, 1),
            Holiday {
                closes: false,
                ..holiday("Corpus Christi", On::Easter(60), Observed::There)
            },
            Holiday {
                from: Some(2024),
                ..date("Black Awareness", 11, 20)
            },
            date("Christmas", 12, 25),
        ],
        workdays: Vec::new(),
    }
}

fn federal() -> Calendar {
    let date = |name, month, day| holiday(name, On::Date { month, day }, Observed::Nearest);
    let weekday = |name, month, weekday, nth| {
        let on = On::Weekday {
            month,
            weekday,
            nth,
        };
        holiday(name, on, Observed::There)
    };
    Calendar {
        code: "US".into(),
        title: "Federal holidays".into(),
        zone: "America/Los_Angeles".into(),
        weekend: vec![5, 6],
        holidays: vec![
            date("New Year", 1, 1),
            date("Independence Day", 7, 4),
            weekday("Memorial Day", 5, 0, -1),
            weekday("Thanksgiving", 11, 3, 4),
        ],
        workdays: Vec::new(),
    }
}

fn day(text: &str) -> i64 {
    parse_date(text).unwrap().into()
}

/// The wall clock of the end of a span that begins at a wall clock.
fn due(calendar: &Calendar, zone: &Rule, from: &str, span: Span) -> String {
    let from = zone.moment(parse_time(from, false).unwrap()).unwrap();
    let end = calendar.due(from, span, zone).unwrap().unwrap();
    shown(end, zone).unwrap()[..19].to_owned()
}

#[test]
fn deadlines_are_what_the_clock_says() {
    let (br, eu, here) = (brazil(), brazil(), &SAO_PAULO);
    // Friday evening: 72 hours are Monday evening, three business days end on Wednesday.
    let friday = "2026-11-27 18:00";
    for (span, end) in [
        (Span::Hours(4), "2026-11-27 22:00:00"),
        (Span::Hours(72), "2026-11-30 18:00:00"),
        (Span::BusinessDays(3), "2026-12-02 23:59:59"),
        (Span::Days(45), "2027-01-11 23:59:59"),
        (Span::Months(1), "2026-12-27 23:59:59"),
        (Span::Months(24), "2028-11-27 23:59:59"),
        (Span::Yearly { month: 7, day: 1 }, "2027-07-01 23:59:59"),
        (Span::Yearly { month: 11, day: 27 }, "2026-11-27 23:59:59"),
    ] {
        assert_eq!(due(&br, here, friday, span), end, "{span}");
    }
    // The 20th of November is a holiday since 2024, and was none in 2023.
    let three = Span::BusinessDays(3);
    assert_eq!(
        due(&br, here, "2026-11-19 09:00", three),
        "2026-11-25 23:59:59"
    );
    assert_eq!(
        due(&br, here, "2023-11-17 09:00", three),
        "2023-11-22 23:59:59"
    );
    // Good Friday moves with Easter; what begins on a weekend counts from Monday.
    assert_eq!(
        due(&br, here, "2026-04-01 09:00", three),
        "2026-04-07 23:59:59"
    );
    assert_eq!(
        due(&br, here, "2026-11-28 09:00", three),
        "2026-12-02 23:59:59"
    );
    // Optional leave on Corpus Christi, 2026-06-04, does not make it later.
    assert_eq!(
        due(&br, here, "2026-06-03 09:00", three),
        "2026-06-08 23:59:59"
    );
    assert!(eu.due(0, Span::Feasible, here).unwrap().is_none());
}

#[test]
fn elapsed_hours_pass_by_clock_changes_and_days_do_not() {
    let calendar = Calendar {
        holidays: Vec::new(),
        ..brazil()
    };
    let at = |from, span| due(&calendar, &BRUSSELS, from, span);
    // The clock goes forward on 2027-03-28 and back on 2026-10-25.
    assert_eq!(
        at("2027-03-26 18:00", Span::Hours(72)),
        "2027-03-29 19:00:00"
    );
    assert_eq!(
        at("2026-10-23 18:00", Span::Hours(72)),
        "2026-10-26 17:00:00"
    );
    assert_eq!(at("2027-03-26 18:00", Span::Days(3)), "2027-03-29 23:59:59");
    assert_eq!(
        at("2026-10-23 18:00", Span::BusinessDays(1)),
        "2026-10-26 23:59:59"
    );
    // A month from the last of January is the last of February, whatever its length.
    assert_eq!(
        at("2027-01-31 12:00", Span::Months(1)),
        "2027-02-28 23:59:59"
    );
    assert_eq!(
        at("2028-01-31 12:00", Span::Months(1)),
        "2028-02-29 23:59:59"
    );
    assert_eq!(
        at("2028-02-29 12:00", Span::Months(12)),
        "2029-02-28 23:59:59"
    );
    assert_eq!(
        at("2026-10-31 23:30", Span::Months(1)),
        "2026-11-30 23:59:59"
    );
}

#[test]
fn moments_are_shown_by_the_clock_of_the_authority() {
    let summer = parse_time("2026-07-01 12:00:00Z", true).unwrap();
    let at = |zone| shown(summer, zone).unwrap();
    assert_eq!(at(&BRUSSELS), "2026-07-01 14:00:00 +02:00");
    assert_eq!(at(&SAO_PAULO), "2026-07-01 09:00:00 -03:00");
    let india = Rule {
        standard: -(5 * HOUR + HOUR / 2),
        has_summer: false,
    };
    assert_eq!(at(&india), "2026-07-01 06:30:00 -05:30");
}

#[test]
fn the_day_is_that_of_the_authority() {
    // 23:30 of Thursday in São Paulo is Friday in UTC.
    let from = SAO_PAULO
        .moment(parse_time("2026-11-26 23:30", false).unwrap())
        .unwrap();
    assert_eq!(Civil::of(from.div_euclid(DAY)).day, 27);
    let end = brazil()
        .due(from, Span::BusinessDays(1), &SAO_PAULO)
        .unwrap();
    let friday = day("2026-11-27") * DAY + 27 * HOUR - SECOND;
    assert_eq!(end, Some(friday));
}

#[test]
fn holidays_are_observed_as_they_say() {
    let us = federal();
    let closed = |text| us.holiday(day(text)).map(|holiday| holiday.name.as_str());
    // 2027-07-04 is a Sunday, 2026-07-04 a Saturday, 2028-01-01 a Saturday: kept the year before.
    assert_eq!(closed("2027-07-05"), Some("Independence Day"));
    assert_eq!(closed("2027-07-04"), None);
    assert_eq!(closed("2026-07-03"), Some("Independence Day"));
    assert_eq!(closed("2027-12-31"), Some("New Year"));
    assert_eq!(closed("2026-05-25"), Some("Memorial Day"));
    assert_eq!(closed("2026-11-26"), Some("Thanksgiving"));
    let kept = |observed: Observed, text| observed.of(day(text));
    assert_eq!(kept(Observed::After, "2026-07-04"), day("2026-07-06"));
    assert_eq!(kept(Observed::AfterSunday, "2026-07-04"), day("2026-07-04"));
    assert_eq!(kept(Observed::AfterSunday, "2027-07-04"), day("2027-07-05"));
    // A holiday of leap years, a fifth Monday that is not there, days that were announced.
    let leap = holiday("x", On::Date { month: 2, day: 29 }, Observed::There);
    assert!(leap.falls_on(2028, day("2028-02-29")) && !leap.falls_on(2027, day("2027-03-01")));
    let fifth = On::Weekday {
        month: 11,
        weekday: 0,
        nth: 5,
    };
    let fifth = holiday("x", fifth, Observed::There);
    assert!(fifth.falls_on(2026, day("2026-11-30")) && !fifth.falls_on(2025, day("2025-12-01")));
    let announced = holiday("x", On::Days(vec![day("2026-02-17")]), Observed::There);
    assert!(announced.falls_on(2026, day("2026-02-17")));
    let worked = Calendar {
        workdays: vec![day("2026-02-14")],
        ..brazil()
    };
    assert!(
        worked.is_business_day(day("2026-02-14")) && !worked.is_business_day(day("2026-02-15"))
    );
}

#[test]
fn easter_is_when_it_was() {
    for known in [
        "1818-03-22",
        "1961-04-02",
        "2000-04-23",
        "2008-03-23",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2038-04-25",
        "2049-04-18",
        "2285-03-22",
    ] {
        assert_eq!(easter(Civil::of(day(known)).year), day(known), "{known}");
    }
}

#[test]
fn a_calendar_without_business_days_is_an_error() {
    let never = Calendar {
        weekend: (0..7).collect(),
        ..brazil()
    };
    let error = never.due(0, Span::BusinessDays(1), &SAO_PAULO).unwrap_err();
    assert_eq!(error.message(), "calendar \"BR\" has no business day");
    assert!(brazil().due(i64::MAX, Span::Hours(1), &SAO_PAULO).is_err());
    // Whatever can be declared can be reckoned from.
    for moment in ["1900-01-01 00:00:00+14:59", "2200-12-31 23:59:59-14:59"] {
        let from = parse_time(moment, true).unwrap();
        assert!(
            brazil().due(from, Span::Hours(1), &SAO_PAULO).is_ok(),
            "{moment}"
        );
    }
}

#[test]
fn spans_are_read_and_shown() {
    let shown = |count, unit| Span::of(count, unit).map(|span| span.to_string());
    assert_eq!(shown(3, "business_day").unwrap(), "3 business days");
    assert_eq!(shown(1, "month").unwrap(), "1 month");
    assert_eq!(shown(5, "year").unwrap(), "5 years");
    assert_eq!(shown(72, "hour").unwrap(), "72 hours");
    assert_eq!(shown(0, "hour"), None);
    assert_eq!(shown(1, "week"), None);
    assert_eq!(shown(Span::MOST + 1, "day"), None);
    assert_eq!(Span::Feasible.to_string(), "as soon as feasible");
    assert!(Span::Hours(72).least_hours() <= Span::BusinessDays(3).least_hours());
    assert_eq!(Span::read("2 weeks"), Some(Span::Days(14)));
    assert_eq!(Span::read("833 years"), Some(Span::Months(9_996)));
    assert_eq!(Span::read("9999 years"), None);
    for unit in Span::UNITS {
        assert!(Span::of(1, unit).is_some(), "{unit}");
    }
}

#[test]
fn months_are_as_long_as_they_can_be_and_as_short() {
    let days = |months| {
        let span = Span::Months(months);
        (
            span.least_hours().unwrap() / 24,
            span.most_hours().unwrap() / 24,
        )
    };
    for (months, ends) in [
        (1, (28, 31)),
        (2, (59, 62)),
        (6, (181, 184)),
        (11, (334, 337)),
        (12, (365, 366)),
        (24, (730, 731)),
        // Between 2096 and 2104 no year is a leap year.
        (60, (1_825, 1_827)),
        (4_800, (146_097, 146_097)),
    ] {
        assert_eq!(days(months), ends, "{months}");
    }
}

#[test]
fn days_before_are_those_that_come_again() {
    let before = |text, span| Span::read(span).unwrap().before(day(text));
    assert_eq!(before("2026-03-31", "1 month"), Some(day("2026-02-28")));
    assert_eq!(before("2026-03-31", "2 weeks"), Some(day("2026-03-17")));
    assert_eq!(before("2028-02-29", "1 year"), Some(day("2027-02-28")));
    assert_eq!(before("1900-01-01", "833 years"), Some(day("1067-01-01")));
    assert_eq!(Span::Hours(1).before(0), None);
}

fn moments() -> impl Strategy<Value = i64> {
    (day("1990-01-01") * DAY)..(day("2100-01-01") * DAY)
}

proptest! {
    #[test]
    fn hours_are_elapsed_time(from in moments(), hours in 1..Span::MOST) {
        let end = brazil().due(from, Span::Hours(hours), &BRUSSELS).unwrap();
        prop_assert_eq!(end, Some(from + i64::from(hours) * HOUR));
    }

    #[test]
    fn business_days_are_counted_one_by_one(from in moments(), count in 1..60_u32) {
        for zone in [&BRUSSELS, &SAO_PAULO] {
            for calendar in [brazil(), federal()] {
                let end = calendar.due(from, Span::BusinessDays(count), zone).unwrap().unwrap();
                let first = zone.wall(from).unwrap().div_euclid(DAY);
                let wall = zone.wall(end).unwrap();
                let last = wall.div_euclid(DAY);
                prop_assert!(calendar.is_business_day(last));
                prop_assert_eq!(wall.rem_euclid(DAY), DAY - SECOND);
                let worked = (first + 1..=last).filter(|&day| calendar.is_business_day(day));
                prop_assert_eq!(worked.count(), count as usize);
                prop_assert!(i64::from(Span::BusinessDays(count).least_hours().unwrap()) * HOUR
                    - HOUR <= end - from + SECOND);
            }
        }
    }

    #[test]
    fn later_moments_have_no_earlier_ends(from in moments(), more in 0..40 * DAY, count in 1..40_u32) {
        let calendar = brazil();
        for span in [
            Span::Hours(count), Span::Days(count), Span::BusinessDays(count), Span::Months(count),
            Span::Yearly { month: 7, day: 1 },
        ] {
            let end = |from| calendar.due(from, span, &BRUSSELS).unwrap();
            prop_assert!(end(from) <= end(from + more), "{}", span);
            let may_be_today = span == Span::Yearly { month: 7, day: 1 };
            prop_assert!(end(from) > Some(from) || may_be_today);
        }
    }

    #[test]
    fn no_month_is_longer_or_shorter(from in 0..73_000_i64, count in 1..600_u32) {
        let length = u32::try_from(months_after(from, count) - from).unwrap() * 24;
        let span = Span::Months(count);
        prop_assert!(span.least_hours() <= Some(length) && Some(length) <= span.most_hours());
    }

    #[test]
    fn a_month_ends_on_its_own_number_or_on_its_last_day(from in 0..40_000_i64, count in 1..200_u32) {
        let (before, after) = (Civil::of(from), Civil::of(months_after(from, count)));
        let months = (after.year - before.year) * 12 + after.month - before.month;
        prop_assert_eq!(months, i64::from(count));
        let next = Civil { day: after.day + 1, ..after };
        let is_last = Civil::of(next.days()).day == 1;
        prop_assert!(after.day == before.day || (after.day < before.day && is_last));
    }

    #[test]
    fn easter_is_a_sunday_of_spring(year in 1583..4000_i64) {
        let sunday = easter(year);
        prop_assert_eq!(weekday(sunday), 6);
        let of = |month, day| Civil { year, month, day }.days();
        prop_assert!((of(3, 22)..=of(4, 25)).contains(&sunday));
    }
}
