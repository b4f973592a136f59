//! How much of a text is shown, and the writing over of the rest.

use super::characters::{each, is_separator};
use super::parts::{split_address, split_number};
use super::{Keep, Retention};

impl Retention {
    pub(super) fn text(&self, value: &str) -> String {
        let opened = match self.keep {
            Keep::None => Some(("", value, "")),
            Keep::EmailDomain => split_address(value),
            Keep::Phone => split_number(value),
        };
        let (head, part, tail) = opened.unwrap_or(("", value, ""));
        let padding = usize::from(self.pad_to) * self.mask_char.len();
        let mut out = String::with_capacity(value.len() + padding);
        out.push_str(head);
        self.cover(part, self.plan(part, opened.is_some()), &mut out);
        out.push_str(tail);
        out
    }

    /// Decides how much of a part is shown: nothing of a value that is not what `keep` asks for.
    fn plan(&self, part: &str, is_as_asked: bool) -> Plan {
        let (mut separators, mut others) = (0, 0);
        each(part, |character| {
            if is_separator(character) {
                separators += 1;
            } else {
                others += 1;
            }
        });
        if !is_as_asked {
            return Plan::hidden(separators + others);
        }
        let apart = self.keep_separators && separators < others;
        let maskable = if apart { others } else { separators + others };
        let most = if maskable > 2 { maskable / 2 } else { 0 };
        let (first, last) = (usize::from(self.keep_first), usize::from(self.keep_last));
        let (first, last) = if first + last <= most {
            (first, last)
        } else if self.pad_to > 0 {
            // How many are shown would tell the length.
            (0, 0)
        } else {
            // The longer end is cut first, of two equal ones the first.
            let last = last.min(most.saturating_sub(first).max(most.div_ceil(2)));
            (first.min(most - last), last)
        };
        Plan {
            maskable,
            apart,
            first,
            last,
            of_class: most - first - last,
        }
    }

    fn cover(&self, part: &str, plan: Plan, out: &mut String) {
        let (mut at, mut of_class) = (0, plan.of_class);
        each(part, |character| {
            if plan.apart && is_separator(character) {
                if self.pad_to == 0 {
                    out.push_str(character);
                }
                return;
            }
            let is_end = at < plan.first || at >= plan.maskable - plan.last;
            let is_shown =
                is_end || of_class > 0 && self.keep_class.is_some_and(|sort| sort.holds(character));
            if is_shown {
                of_class -= usize::from(!is_end);
                out.push_str(character);
            } else if self.pad_to == 0 {
                out.push_str(&self.mask_char);
            } else if at == plan.first {
                self.pad(out);
            }
            at += 1;
        });
        if plan.maskable == 0 {
            self.pad(out);
        }
    }

    fn pad(&self, out: &mut String) {
        for _ in 0..self.pad_to {
            out.push_str(&self.mask_char);
        }
    }
}

/// How much of a part is shown.
#[derive(Clone, Copy)]
struct Plan {
    /// How many characters may be written over.
    maskable: usize,
    /// Whether separators are none of them.
    apart: bool,
    /// How many are shown at the beginning.
    first: usize,
    /// How many are shown at the end.
    last: usize,
    /// How many more are shown if they are of the sort.
    of_class: usize,
}

impl Plan {
    fn hidden(maskable: usize) -> Self {
        Self {
            maskable,
            apart: false,
            first: 0,
            last: 0,
            of_class: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::Kind;
    use crate::strategies::params::{Reader, Value};

    fn with(params: &[(&str, Value)], value: &str) -> String {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        let params = params.collect();
        let mask = Retention::new(&Reader::new(Kind::Mask, &params).unwrap()).unwrap();
        mask.text(value)
    }

    fn ends(first: i64, last: i64, value: &str) -> String {
        let params = [
            ("keep_first", Value::Int(first)),
            ("keep_last", Value::Int(last)),
        ];
        with(&params, value)
    }

    #[test]
    fn mask_writes_over_everything_by_default() {
        assert_eq!(ends(0, 0, "secret"), "******");
        assert_eq!(ends(0, 0, "john@example.com"), "****@*******.***");
        assert_eq!(ends(0, 0, "4111 1111 1111 1111"), "**** **** **** ****");
        assert_eq!(ends(0, 0, ""), "");
    }

    #[test]
    fn mask_never_shows_more_than_half() {
        for (first, last, value, expected) in [
            (3, 3, "secret", "s***et"),
            (2, 4, "secret", "s***et"),
            (2, 4, "12345", "1***5"),
            (1, 3, "abcd", "a**d"),
            (2, 2, "abc", "**c"),
            (2, 2, "0611", "0**1"),
            (1000, 1000, "ab", "**"),
            (1000, 1000, "a", "*"),
            (1000, 0, "abcde", "ab***"),
            (0, 1000, "abcde", "***de"),
            (1, 1000, "abcdefgh", "a****fgh"),
            (1000, 1, "abcdefgh", "abc****h"),
            (1, 3, "abcdefgh", "a****fgh"),
        ] {
            assert_eq!(ends(first, last, value), expected, "{value}");
        }
    }

    #[test]
    fn mask_counts_no_separators_among_the_kept() {
        assert_eq!(ends(0, 4, "4111-1111-1111-1234"), "****-****-****-1234");
        assert_eq!(ends(0, 4, "4111-1111-1111-12-34"), "****-****-****-12-34");
        assert_eq!(
            with(
                &[
                    ("keep_last", Value::Int(4)),
                    ("keep_separators", Value::Bool(false))
                ],
                "4111-1111"
            ),
            "*****1111"
        );
    }

    #[test]
    fn mask_takes_many_separators_for_content() {
        for (value, expected) in [
            ("---", "***"),
            ("a-", "**"),
            ("!@#$%^&a*()", "***********"),
            ("   ", "***"),
            ("a b", "* *"),
            (
                "„Zoë“ – «x»",
                "„***“ – «*»"
                    .replace(['„', '“', ' ', '–', '«', '»'], "*")
                    .as_str(),
            ),
        ] {
            assert_eq!(ends(0, 0, value), expected, "{value}");
        }
    }

    #[test]
    fn mask_counts_what_a_reader_sees() {
        assert_eq!(ends(1, 1, "Zoe\u{308}s"), "Z**s");
        assert_eq!(ends(1, 1, "👨‍👩‍👧‍👦🇩🇪❤️x"), "👨‍👩‍👧‍👦**x");
        assert_eq!(ends(0, 0, "a\r\nbc"), "*\r\n**");
        assert_eq!(ends(0, 0, "e\u{301}\u{301}"), "*");
        // A space that carries an accent is no separator.
        assert_eq!(ends(0, 0, "ab \u{308}c"), "****");
    }

    #[test]
    fn mask_keeps_the_domain_of_an_address() {
        let keep = ("keep", Value::from("email_domain"));
        let out = |value| with(std::slice::from_ref(&keep), value);
        assert_eq!(out("john@example.com"), "****@example.com");
        assert_eq!(out("j.doe+x@Example.co.uk"), "*.***+*@Example.co.uk");
        assert_eq!(out(" j@example.com "), "**@example.com ");
        let first = [keep, ("keep_first", Value::Int(1))];
        assert_eq!(with(&first, "john@example.com"), "j***@example.com");
        assert_eq!(with(&first, "jo@example.com"), "**@example.com");
    }

    #[test]
    fn mask_shows_nothing_of_what_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        for value in [
            "foo",
            "al@me",
            "@example.com",
            "a@b@example.com",
            "a@example.com, b@example.com",
            "John Doe <john@example.com>",
            "call me at x@example.com",
            "a@-example.com",
            "a@example..com",
            "a@1.2.3.4",
            "a@",
            &long,
        ] {
            let params = [
                ("keep", Value::from("email_domain")),
                ("keep_last", Value::Int(1000)),
                ("keep_class", Value::from("letters")),
            ];
            assert_eq!(with(&params, value), "*".repeat(value.len()), "{value}");
        }
    }

    #[test]
    fn mask_keeps_the_calling_code_of_a_number() {
        let out = |value| with(&[("keep", Value::from("phone"))], value);
        assert_eq!(out("+44 20 7946 0958"), "+44 ** **** ****");
        assert_eq!(out("0044-20-7946-0958"), "0044-**-****-****");
        assert_eq!(out("(+1) 202 555 0123"), "(+1) *** *** ****");
        assert_eq!(out("+1 202-555-0123"), "+1 ***-***-****");
        assert_eq!(out("+٣٣ 6 12 34 56 78"), "+٣٣ * ** ** ** **");
        assert_eq!(out("202-555-0123"), "***-***-****");
        assert_eq!(out("4420794609"), "**********");
        assert_eq!(out("+44"), "+**");
        let last = [("keep", Value::from("phone")), ("keep_last", Value::Int(2))];
        assert_eq!(with(&last, "+420 222 333 444"), "+420 *** *** *44");
        let bare = [
            ("keep", Value::from("phone")),
            ("keep_separators", Value::Bool(false)),
        ];
        assert_eq!(with(&bare, "+1 202-555"), "+1********");
    }

    #[test]
    fn mask_shows_nothing_of_what_is_no_number() {
        for value in [
            "+1 202 FLOWERS",
            "1+2",
            "++1 202 555",
            "+",
            "",
            "555 x12",
            "+1 202 ½",
            "+1a",
        ] {
            let params = [("keep", Value::from("phone")), ("keep_last", Value::Int(9))];
            let expected = "*".repeat(value.chars().count());
            assert_eq!(with(&params, value), expected, "{value}");
        }
    }

    #[test]
    fn mask_keeps_a_class_up_to_half() {
        let out = |class: &str, value| with(&[("keep_class", Value::from(class))], value);
        assert_eq!(out("digits", "AB-1234-CDEF"), "**-1234-****");
        assert_eq!(out("digits", "12345678"), "1234****");
        assert_eq!(out("digits", "x٣٤yz"), "*٣٤**");
        assert_eq!(out("upper", "Ada Lovelace"), "A** L*******");
        assert_eq!(out("lower", "XyZ0"), "*y**");
        assert_eq!(out("letters", "1é2a"), "*é*a");
        let both = [
            ("keep_class", Value::from("upper")),
            ("keep_last", Value::Int(2)),
        ];
        assert_eq!(with(&both, "ABcdeF"), "A***eF");
    }

    #[test]
    fn mask_pads_so_that_the_length_says_nothing() {
        let out = |last, value| {
            with(
                &[("pad_to", Value::Int(5)), ("keep_last", Value::Int(last))],
                value,
            )
        };
        let long = "x".repeat(1000);
        for value in ["", "a", "ab", "a-b", "--", "secret", &long] {
            assert_eq!(out(0, value), "*****");
        }
        assert_eq!(out(4, "4111-1111-1111-12-34"), "*****1234");
        assert_eq!(out(4, "1234567"), "*****");
        assert_eq!(out(4, "12345678"), "*****5678");
        let email = [
            ("pad_to", Value::Int(3)),
            ("keep", Value::from("email_domain")),
        ];
        assert_eq!(with(&email, "john.doe@example.com"), "***@example.com");
        assert_eq!(with(&email, "john.doe"), "***");
    }
}
