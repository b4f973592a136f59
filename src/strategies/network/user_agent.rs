//! `user_agent`: a common user agent in place of the given one.
//!
//! Drawn with the key out of `data/agents.txt`: what current browsers, crawlers and libraries send.
//! With `keep_family` a phone stays a phone and a crawler a crawler. Rare user agents tell a device
//! apart from all others; the common ones do not. With `keep_unique` a made-up build follows, one
//! more product of the user agent (RFC 9110, 10.1.5).

use std::sync::LazyLock;

use crate::error::Result;
use crate::strategies::definition::{
    Apply, Definition, Needs, Parsed, Properties, Row, Seed, Subkeys, Survival, mismatch,
};
use crate::strategies::keyed::Keyed;
use crate::strategies::params::{ParamError, ParamKind, ParamSpec, Reader};
use crate::strategies::{Datum, Kind, ValueType};

use super::tokens::{UNIQUE, UNIQUE_BITS, push};

/// `user_agent` in the list of strategies.
///
/// # Examples
///
/// ```
/// use confiture::strategies::{Kind, Params, Seed, Strategy, Subkeys, Value, ValueType};
///
/// let params = Params::from([("keep_family".to_owned(), Value::Bool(true))]);
/// let keys = Subkeys::new(&[7; 32], &[8; 32]);
/// let strategy = Strategy::new(Kind::UserAgent, &params)?;
/// let mask = strategy.mask(&keys, Seed::new(1), ValueType::Text)?;
/// // A library stays one, and becomes no browser.
/// assert!(!mask.text("curl/8.5.0")?.starts_with("Mozilla/"));
/// # Ok::<(), confiture::error::Error>(())
/// ```
pub const DEFINITION: Definition = Definition {
    name: "user_agent",
    version: 1,
    about: "Common user agent in place of the given one",
    accepts: ValueType::TEXT,
    params: PARAMS,
    inputs: &[],
    needs: Needs::Key,
    refuses: false,
    example: "anon_user_agent('curl/8.5.0', keep_family => true)",
    sample: "{}",
    parse: |reader| Ok(Box::new(UserAgent::new(reader)?)),
};

/// The parameters of `user_agent`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UserAgent {
    keep_family: bool,
    unique: bool,
}

impl UserAgent {
    fn new(reader: &Reader<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            keep_family: reader.bool("keep_family", false),
            unique: reader.bool("keep_unique", false),
        })
    }
}

impl Parsed for UserAgent {
    fn properties(&self, _: ValueType) -> Properties {
        let drawn = Properties {
            keeps_format: true,
            // Common values meet their like by chance.
            survival: Survival::Unjudged,
            ..Properties::KEYED
        };
        if !self.unique {
            return drawn;
        }
        Properties {
            // White space around it does not count.
            folds_spellings: true,
            collision_bits: Some(UNIQUE_BITS),
            survival: Survival::Bits(UNIQUE_BITS),
            ..drawn
        }
    }

    fn output_limit(&self, _: Option<usize>) -> Option<usize> {
        let longest = AGENTS.iter().map(|(_, agent)| agent.len()).max()?;
        let behind = BUILD.len() + UNIQUE;
        Some(longest + if self.unique { behind } else { 0 })
    }

    fn compile(&self, keys: &Subkeys<'_>, seed: Seed, _: ValueType) -> Result<Box<dyn Apply>> {
        let keyed = Keyed::new(Kind::UserAgent, keys.masking, seed);
        let of = |family: Family| {
            let agents = AGENTS.iter().filter(|(of, _)| *of == family);
            agents.map(|(_, agent)| *agent).collect()
        };
        let families = if self.keep_family {
            Family::ALL.map(of).to_vec()
        } else {
            vec![
                [Family::Desktop, Family::Mobile, Family::Tablet]
                    .map(of)
                    .concat(),
            ]
        };
        let build = || Keyed::labeled("user_agent/unique", DEFINITION.version, keys.masking, seed);
        Ok(Box::new(Mask {
            keyed,
            families,
            build: self.unique.then(build),
        }))
    }
}

/// `user_agent` with its key.
struct Mask {
    keyed: Keyed,
    /// By family, or all browsers.
    families: Vec<Vec<&'static str>>,
    /// Of the build that keeps user agents apart.
    build: Option<Keyed>,
}

impl Apply for Mask {
    fn apply<'a>(&self, value: Datum<'a>, _: Row<'_>) -> Result<Option<Datum<'a>>> {
        let Datum::Text(text) = value else {
            return Err(mismatch(DEFINITION.name, ValueType::Text));
        };
        let text = text.trim();
        let agents = match &*self.families {
            [all] => all,
            families => &families[Family::of(text) as usize % families.len()],
        };
        let count = u16::try_from(agents.len()).unwrap_or(256).clamp(1, 256);
        let drawn = self.keyed.stream(text.as_bytes()).below(count);
        let agent = agents.get(usize::from(drawn)).copied().unwrap_or("");
        let Some(build) = &self.build else {
            return Ok(Some(Datum::text(agent)));
        };
        let mut out = String::with_capacity(agent.len() + BUILD.len() + UNIQUE);
        out.push_str(agent);
        out.push_str(BUILD);
        push(build, SIGNS, text, UNIQUE, &mut out);
        Ok(Some(Datum::text(out)))
    }
}

/// What sends a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Bot,
    Desktop,
    Library,
    Mobile,
    Tablet,
}

impl Family {
    const ALL: [Self; 5] = [
        Self::Bot,
        Self::Desktop,
        Self::Library,
        Self::Mobile,
        Self::Tablet,
    ];

    /// Tells the family by the words that name it; what names none is a desktop.
    fn of(agent: &str) -> Self {
        let agent = agent.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| agent.contains(word));
        if says(BOTS) {
            Self::Bot
        } else if says(TABLETS) || says(&["android"]) && !says(&["mobile"]) {
            Self::Tablet
        } else if says(MOBILES) {
            Self::Mobile
        } else if agent.contains('/')
            && !agent.starts_with("mozilla/")
            && !agent.starts_with("opera/")
        {
            Self::Library
        } else {
            Self::Desktop
        }
    }
}

/// What stands before a build: the name of the product.
const BUILD: &str = " Build/";

/// Base32 of Crockford: without I, L, O and U no word comes out that names a family.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const BOTS: &[&str] = &["bot", "crawl", "spider", "slurp", "externalhit", "preview"];
const TABLETS: &[&str] = &["ipad", "tablet", "kindle"];
const MOBILES: &[&str] = &["mobile", "iphone", "ipod", "android"];

const TEXT: &str = include_str!("data/agents.txt");

/// The user agents with their families, in the order of the file.
static AGENTS: LazyLock<Vec<(Family, &'static str)>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (Family::of(line), line)).collect()
});

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "keep_family",
        ParamKind::Bool,
        "false",
        "Keeps what it is: desktop, mobile, tablet, bot or library; otherwise it becomes a browser.",
    ),
    ParamSpec::new(
        "keep_unique",
        ParamKind::Bool,
        "false",
        "Appends a made-up build of 80 bits, so that two user agents practically never meet.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(keep_family: bool) -> Box<dyn Apply> {
        compile(UserAgent {
            keep_family,
            unique: false,
        })
    }

    fn compile(of: UserAgent) -> Box<dyn Apply> {
        let keys = Subkeys::new(&[7; 32], &[8; 32]);
        of.compile(&keys, Seed::new(1), ValueType::Text).unwrap()
    }

    fn text(mask: &dyn Apply, value: &str) -> String {
        match mask.apply(Datum::text(value), Row::NONE) {
            Ok(Some(Datum::Text(text))) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn user_agent_families_are_told_by_their_words() {
        for (agent, family) in [
            ("Mozilla/5.0 (compatible; Googlebot/2.1)", Family::Bot),
            ("Mozilla/5.0 (X11; Linux x86_64)", Family::Desktop),
            ("Opera/9.80 (Windows NT 6.1)", Family::Desktop),
            ("", Family::Desktop),
            ("curl/8.5.0", Family::Library),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6)", Family::Mobile),
            ("Mozilla/5.0 (Linux; Android 10; K) Mobile", Family::Mobile),
            ("Mozilla/5.0 (Linux; Android 10; K)", Family::Tablet),
            ("Mozilla/5.0 (iPad; CPU OS 18_6)", Family::Tablet),
        ] {
            assert_eq!(Family::of(agent), family, "{agent}");
        }
    }

    #[test]
    fn user_agent_has_some_of_every_family() {
        for family in Family::ALL {
            let count = AGENTS.iter().filter(|(of, _)| *of == family).count();
            assert!((6..=256).contains(&count), "{family:?}: {count}");
        }
        let seen: std::collections::HashSet<_> = AGENTS.iter().map(|(_, agent)| agent).collect();
        assert_eq!(seen.len(), AGENTS.len());
        assert!(
            AGENTS
                .iter()
                .all(|(_, agent)| agent.is_ascii() && agent.len() <= 200)
        );
    }

    #[test]
    fn user_agent_keeps_the_family_only_when_asked() {
        let (kept, plain) = (mask(true), mask(false));
        for (family, agent) in AGENTS.iter() {
            assert_eq!(Family::of(&text(&*kept, agent)), *family);
            let made = Family::of(&text(&*plain, agent));
            assert!(!matches!(made, Family::Bot | Family::Library));
        }
    }

    #[test]
    fn user_agent_is_unique_by_a_build_and_stays_of_its_family() {
        for keep_family in [false, true] {
            let of = UserAgent {
                keep_family,
                unique: true,
            };
            let properties = of.properties(ValueType::Text);
            assert_eq!(properties.collision_bits, Some(UNIQUE_BITS));
            let limit = of.output_limit(None).unwrap();
            let (mask, plain) = (compile(of), mask(keep_family));
            let mut seen = std::collections::HashSet::new();
            for n in 0..20_000 {
                let value = format!("curl/{n}");
                let (made, plain) = (text(&*mask, &value), text(&*plain, &value));
                assert_eq!(Family::of(&made), Family::of(&plain), "{made}");
                let (before, build) = made.split_once(BUILD).unwrap();
                assert!(before == plain && build.len() == UNIQUE && made.len() <= limit);
                assert!(seen.insert(made));
            }
            assert_eq!(text(&*mask, " x\n"), text(&*mask, "x"));
            assert_ne!(text(&*mask, "X"), text(&*mask, "x"));
        }
    }

    /// A word could only begin before the build or be part of it.
    #[test]
    fn user_agent_builds_name_no_family() {
        let words = BOTS.iter().chain(TABLETS).chain(MOBILES);
        for word in words.chain(&["android", "mobile"]) {
            let signs = SIGNS.map(|sign| sign.to_ascii_lowercase());
            assert!(word.bytes().any(|byte| !signs.contains(&byte)), "{word}");
        }
        for (family, agent) in AGENTS.iter() {
            assert_eq!(Family::of(&format!("{agent}{BUILD}0")), *family);
        }
    }

    #[test]
    fn user_agent_masks_the_empty_and_the_odd() {
        for value in ["", " ", "x", "\u{1f600}"] {
            assert!(text(&*mask(false), value).starts_with("Mozilla/5.0 ("));
        }
    }

    /// Whoever changes the file raises the version: other data are other pseudonyms.
    #[test]
    fn user_agent_data_is_what_the_version_says() {
        use sha2::{Digest, Sha256};
        assert_eq!(DEFINITION.version, 1);
        let found = hex::encode(Sha256::digest(TEXT.as_bytes()));
        assert_eq!(found, HASH);
    }

    const HASH: &str = "2cd9597076504dd9fe440953d1adb890b9d9bd0d23b58a2d09c6b6252fa370bc";
}
