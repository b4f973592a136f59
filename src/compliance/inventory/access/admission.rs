//! Whom the server lets in without encryption, by the rules in its file: the first that fits a connection
//! decides.

/// A rule of `pg_hba.conf`, as `pg_hba_file_rules` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its line.
    pub line: i32,
    /// `local`, `host`, `hostssl`, `hostnossl`, `hostgssenc` or `hostnogssenc`.
    pub kind: String,
    /// Whether it is about every database and every role.
    pub is_of_all: bool,
    /// The address: a name, an address, or a word such as `all`.
    pub address: String,
    /// The mask of an address.
    pub netmask: String,
    /// How who fits it proves who he is.
    pub method: String,
    /// Whether the server does not understand it.
    pub is_wrong: bool,
}

/// What the rules come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// The role that asks may not read them.
    #[default]
    Unseen,
    /// Some are not understood, so that nobody can say.
    Unclear,
    /// Lines that let in who comes from elsewhere without encryption; none where all must encrypt.
    Plain(Vec<i32>),
}

impl Admission {
    /// Reads rules in their order.
    pub fn of(rules: &[Rule]) -> Self {
        if rules.is_empty() || rules.iter().any(|rule| rule.is_wrong) {
            return Self::Unclear;
        }
        // Whether everybody without encryption was turned away before.
        let mut is_closed = [false, false];
        let mut plain = Vec::new();
        for rule in rules {
            let takes_plain = matches!(rule.kind.as_str(), "host" | "hostnossl");
            let takes_unwrapped = rule.kind == "hostnogssenc";
            if rule.method == "reject" {
                if takes_plain && rule.is_of_all {
                    is_closed[0] |= rule.is_of(Family::Four);
                    is_closed[1] |= rule.is_of(Family::Six);
                }
                continue;
            }
            let is_open = is_closed != [true, true];
            if (takes_plain || takes_unwrapped) && is_open && !rule.is_of_this_machine() {
                plain.push(rule.line);
            }
        }
        Self::Plain(plain)
    }
}

#[derive(Clone, Copy)]
enum Family {
    Four,
    Six,
}

impl Rule {
    /// Whether it is about every address of a family.
    fn is_of(&self, family: Family) -> bool {
        let zero = match family {
            Family::Four => ["0.0.0.0"; 2],
            Family::Six => ["::"; 2],
        };
        self.address == "all" || [self.address.as_str(), self.netmask.as_str()] == zero
    }

    /// Whether nobody fits it but who is on the machine of the server. A name may be that of any.
    fn is_of_this_machine(&self) -> bool {
        let is_whole = |mask: &str| {
            matches!(
                mask,
                "255.255.255.255" | "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
            )
        };
        match self.address.as_str() {
            "samehost" => true,
            "::1" => is_whole(&self.netmask),
            address => {
                address.starts_with("127.")
                    && (is_whole(&self.netmask) || self.netmask == "255.0.0.0")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules as `kind address/mask method`, the first of line 1.
    fn of(rules: &[&str]) -> Admission {
        let rules: Vec<Rule> = (1..)
            .zip(rules)
            .map(|(line, rule)| {
                let words: Vec<_> = rule.split(' ').collect();
                let (address, netmask) = words[1].split_once('/').unwrap_or((words[1], ""));
                Rule {
                    line,
                    kind: words[0].into(),
                    is_of_all: words.get(3).is_none(),
                    address: address.into(),
                    netmask: netmask.into(),
                    method: words[2].into(),
                    is_wrong: words[2] == "?",
                }
            })
            .collect();
        Admission::of(&rules)
    }

    #[test]
    fn the_rules_say_who_must_encrypt() {
        let none = Admission::Plain(Vec::new());
        let own = [
            "local - peer",
            "host 127.0.0.1/255.255.255.255 trust",
            "host ::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff trust",
            "host samehost scram-sha-256",
        ];
        assert_eq!(of(&own), none);
        assert_eq!(
            of(&["hostssl all scram-sha-256", "hostgssenc all gss"]),
            none
        );
        for plain in [
            "host all scram-sha-256",
            "hostnossl all scram-sha-256",
            "hostnogssenc all scram-sha-256",
            "host 10.0.0.0/255.0.0.0 md5",
            "host localhost md5",
            "host samenet md5",
            "host 127.0.0.1/0.0.0.0 trust",
        ] {
            assert_eq!(
                of(&["local - peer", plain]),
                Admission::Plain(vec![2]),
                "{plain}"
            );
        }
    }

    #[test]
    fn who_was_turned_away_is_let_in_by_no_later_line() {
        let none = Admission::Plain(Vec::new());
        let host = "host all scram-sha-256";
        assert_eq!(of(&["hostnossl all reject", host]), none);
        let both = [
            "hostnossl 0.0.0.0/0.0.0.0 reject",
            "hostnossl ::/:: reject",
            host,
        ];
        assert_eq!(of(&both), none);
        assert_eq!(of(&[both[0], host]), Admission::Plain(vec![2]));
        // Some databases or roles only; those that encrypt; too late.
        assert_eq!(
            of(&["hostnossl all reject some", host]),
            Admission::Plain(vec![2])
        );
        assert_eq!(of(&["hostssl all reject", host]), Admission::Plain(vec![2]));
        assert_eq!(
            of(&[host, "hostnossl all reject"]),
            Admission::Plain(vec![1])
        );
    }

    #[test]
    fn what_the_server_does_not_understand_says_nothing() {
        assert_eq!(of(&[]), Admission::Unclear);
        assert_eq!(
            of(&["hostssl all scram-sha-256", "host all ?"]),
            Admission::Unclear
        );
    }
}
