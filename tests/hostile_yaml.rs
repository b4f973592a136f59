//! Hostile documents against the reader of profiles: no panic, an error that names its place, and
//! bounded memory. The measurements behind the choice of the parser are in
//! `docs/decisions/0002-yaml-parser.md`.

use confiture::profile::{self, Problem, Severity};

const VALID: &str = "# production.yaml
name: production
version: 1.0
global_seed: 12345

strategies:
  email_mask:
    type: email
    config: {preserve_domain: false}
  phone_mask: {type: phone, seed_env_var: ANONYMIZATION_SEED}

tables:
  users:
    rules:
      - column: email
        strategy: email_mask
      - {column: phone, strategy: phone_mask, seed: 99999, options: {}}
    preserve: [{column: id, why: \"surrogate \\u006bey\"}]
    where: [[created_at, \">=\", '2024-01-01']]
  orders: [{column: user_email, strategy: email_mask}]
";

const OTHER: &str = "name: &n t
version: \"1\"
description: |
  two
  lines
strategies: {}
tables:
  ? a
  : rules: []
  b: {rules: [], preserve: [{column: \"*\", why: *n}]}
";

/// The most memory the whole of these tests may ever hold.
const MAX_KIB: u64 = 64 * 1024;

#[test]
fn hostile_documents_are_refused_with_line_and_column() {
    for (name, yaml, code, place) in placed() {
        let errors = errors(name, &yaml);
        let first = &errors[0];
        let found = first.place.map(|place| (place.line, place.column));
        assert_eq!(
            (first.code, found),
            (code, Some(place)),
            "{name}: {}",
            first.message
        );
        let error = profile::load(&yaml).unwrap_err();
        let end = format!(" at line {} column {}", place.0, place.1);
        assert!(
            error.message().starts_with("invalid profile: "),
            "{name}: {error}"
        );
        assert!(error.message().ends_with(&end), "{name}: {error}");
    }
    assert_memory_is_bounded();
}

#[test]
fn document_over_one_mebibyte_is_refused_by_its_size() {
    for size in [1024 * 1024 + 1, 10 * 1024 * 1024] {
        let mut yaml = b"a: ".to_vec();
        yaml.resize(size, b'x');
        let errors = errors("scalar", &yaml);
        let expected = format!("document of {size} bytes is larger than 1048576 bytes");
        assert_eq!(
            (errors.len(), errors[0].message.as_str()),
            (1, expected.as_str())
        );
    }
    assert_memory_is_bounded();
}

#[test]
fn documents_of_one_mebibyte_are_read_within_bounds() {
    let size = 1024 * 1024;
    let repeated = |(start, unit, end): (&str, &str, &str)| {
        let times = (size - start.len() - end.len()) / unit.len();
        format!("{start}{}{end}", unit.repeat(times)).into_bytes()
    };
    let rule = "{\"column\":\"\u{1f600}\",\"strategy\":\"m\",\"options\":{}},";
    let start = format!(
        "name: p\nversion: 1\nstrategies: {{m: {{type: redact, config: {{replacement: {}}}}}}}\n\
         tables: {{t: [",
        "\u{1f600}".repeat(200)
    );
    for (name, parts) in [
        ("open lists", ("", "[", "")),
        ("open mappings", ("", "{a: ", "")),
        ("block lists", ("", "- ", "")),
        ("explicit keys", ("", "? ", "")),
        ("numbers", ("[", "1,", "1]")),
        ("pairs", ("{", "\"a\":1,", "}")),
        ("pairs by line", ("{", "a: 1,\n", "}")),
        ("aliases", ("[&a x, ", "*a,", "]")),
        ("tags", ("[", "!a ", "]")),
        ("core tags", ("[", "!!str a,", "]")),
        ("anchors", ("[", "&a x,", "]")),
        ("colons", ("", ":", "")),
        ("dashes", ("", "-", "")),
        ("percent", ("", "%", "")),
        ("line feeds", ("a:", "\n", "x")),
        ("comments", ("a: 1\n", "# x\n", "")),
        ("folded", ("a: >\n", " x\n\n", "")),
        ("escapes", ("a: \"", "\\x41", "\"")),
        ("quotes", ("a: '", "''", "'")),
        ("duplicates", ("", "a: 1\n", "")),
        ("long key", ("", "x", ": 1")),
        ("rules", (&start, rule, "]}")),
    ] {
        errors(name, &repeated(parts));
    }
    assert_memory_is_bounded();
}

#[test]
fn largest_profiles_are_accepted_within_bounds() {
    // Every rule lays its own options over a long parameter.
    let mut yaml = format!(
        "name: p\nversion: 1\nstrategies: {{m: {{type: redact, config: {{replacement: {}}}}}}}\n\
         tables: {{t: [",
        "\u{1f600}".repeat(200)
    );
    for i in 0..11_000 {
        let text = "\u{1f600}".repeat(10);
        yaml += &format!("{{column: c{i}, strategy: m, options: {{replacement: {text}}}}},");
    }
    yaml += "]}\n";
    let (profile, _) = profile::read(yaml.as_bytes());
    let profile = profile.expect("a profile");
    assert_eq!(profile.tables[0].rules.len(), 11_000);
    assert_memory_is_bounded();
}

#[test]
fn valid_documents_are_accepted_with_a_byte_order_mark_and_any_line_end() {
    for yaml in [VALID, OTHER] {
        for variant in [
            yaml.to_owned(),
            format!("\u{feff}{yaml}"),
            format!("---\n{yaml}...\n"),
            yaml.replace('\n', "\r\n"),
            yaml.replace('\n', "\r"),
        ] {
            let (profile, problems) = profile::read(variant.as_bytes());
            assert!(profile.is_some(), "{variant:?}: {problems:?}");
        }
    }
}

#[test]
fn mutated_documents_never_panic_and_every_error_has_a_place() {
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let (mut accepted, mut refused) = (0, 0);
    for i in 0..1000 {
        let base = if i % 2 == 0 { VALID } else { OTHER };
        let yaml = mutate(base.as_bytes(), &mut random);
        let (profile, problems) = profile::read(&yaml);
        let is_error = |p: &&Problem| p.severity == Severity::Error;
        assert_eq!(
            profile.is_none(),
            problems.iter().any(|p| is_error(&p)),
            "{yaml:?}"
        );
        for problem in &problems {
            assert!(
                problem.place.is_some(),
                "{problem:?} {:?}",
                String::from_utf8_lossy(&yaml)
            );
            assert!(!problem.message.contains(char::is_control), "{problem:?}");
        }
        match profile {
            Some(profile) => {
                profile.profile_hash();
                accepted += 1;
            }
            None => refused += 1,
        }
    }
    // Both outcomes are exercised; the documents are the same on every run.
    assert!(
        accepted > 0 && refused > 500,
        "{accepted} accepted, {refused} refused"
    );
    assert_memory_is_bounded();
}

/// A name, a document, and the code and place of its first error.
type Placed = (&'static str, Vec<u8>, &'static str, (u32, u32));

fn placed() -> Vec<Placed> {
    let bomb: String = (1..=9).fold("a0: &a0 [x, x]\n".to_owned(), |yaml, i| {
        let uses = format!("*a{}, ", i - 1).repeat(10);
        format!("{yaml}a{i}: &a{i} [{uses}]\n")
    });
    let text = |yaml: &str| yaml.as_bytes().to_vec();
    let tag = "strategies:\n  evil:\n    type: !!python/object/apply:os.system\n    args: ['x']\n";
    vec![
        ("python tag", text(tag), "tag", (3, 11)),
        ("local tag", text("a: !x 1\n"), "tag", (1, 4)),
        ("binary tag", text("a: !!binary aGk=\n"), "tag", (1, 4)),
        ("tag of a list", text("a: !!set {x}\n"), "tag", (1, 4)),
        ("tag that does not fit", text("a: !!int x\n"), "tag", (1, 4)),
        ("bare tag", text("a: ! x\n"), "tag", (1, 4)),
        ("verbatim tag", text("a: !<tag:x> x\n"), "tag", (1, 4)),
        (
            "tag directive",
            text("%TAG !! tag:x,\n---\na: !!y z\n"),
            "syntax",
            (1, 1),
        ),
        ("alias bomb", text(&bomb), "alias", (2, 10)),
        ("alias to itself", text("a: &a [*a]\n"), "alias", (1, 8)),
        ("alias to nothing", text("a: *b\n"), "syntax", (1, 4)),
        (
            "merge key",
            text("a: &a {b: 1}\nc:\n  <<: *a\n"),
            "merge_key",
            (3, 3),
        ),
        (
            "deep list",
            text(&("[".repeat(10_000) + &"]".repeat(10_000))),
            "limit",
            (1, 65),
        ),
        (
            "deep mapping",
            text(&("{a: ".repeat(10_000) + &"}".repeat(10_000))),
            "limit",
            (1, 257),
        ),
        (
            "deep block",
            text(&("- ".repeat(10_000) + "x")),
            "limit",
            (1, 129),
        ),
        (
            "duplicate key",
            text(
                "name: a
version: 1
strategies: {}
name: b
tables: {t: []}
",
            ),
            "duplicate_key",
            (4, 1),
        ),
        (
            "duplicate deep key",
            text(
                "{name: a, version: 1, strategies: {}, tables: {t: {exclude: [
{column: c, why: w, why: x}]}}}
",
            ),
            "duplicate_key",
            (2, 21),
        ),
        ("key that is a list", text("[a]: 1\n"), "syntax", (1, 1)),
        ("key that is missing", text("a: 1\n: 2\n"), "syntax", (2, 1)),
        (
            "invalid UTF-8",
            b"name: ok\nb: \xff\xfe\n".to_vec(),
            "encoding",
            (2, 4),
        ),
        (
            "surrogate",
            b"name: \xed\xa0\x80\n".to_vec(),
            "encoding",
            (1, 7),
        ),
        ("UTF-16", b"\xff\xfen\0".to_vec(), "encoding", (1, 1)),
        ("zero byte", text("name: o\0k\n"), "encoding", (1, 8)),
        (
            "escaped zero byte",
            text("name: \"o\\0k\"\n"),
            "encoding",
            (1, 7),
        ),
        (
            "byte order mark inside",
            text("name: o\u{feff}k\n"),
            "encoding",
            (1, 8),
        ),
        ("control character", text("é: \u{7}\n"), "encoding", (1, 4)),
        (
            "escape sequence",
            text("name: \"\\e[2J\"\n"),
            "encoding",
            (1, 7),
        ),
        (
            "two documents",
            text("a: 1\n---\nb: 2\n"),
            "documents",
            (2, 1),
        ),
        ("empty document", Vec::new(), "syntax", (1, 1)),
        ("only a comment", text("# x\n"), "syntax", (1, 1)),
        ("only a scalar", text("x\n"), "type", (1, 1)),
        ("unclosed list", text("a: [1,\nb: \"x\n"), "syntax", (2, 4)),
        ("tab as indentation", text("a:\n\tb: 1\n"), "syntax", (2, 2)),
        (
            "long text",
            text(&format!("a: {}\n", "x".repeat(10_001))),
            "limit",
            (1, 4),
        ),
    ]
}

fn errors(name: &str, yaml: &[u8]) -> Vec<Problem> {
    let (profile, problems) = profile::read(yaml);
    assert!(profile.is_none(), "{name} was accepted");
    let errors: Vec<_> = problems
        .into_iter()
        .filter(|p| p.severity == Severity::Error)
        .collect();
    assert!(!errors.is_empty(), "{name} was refused without an error");
    for error in &errors {
        let is_size = error.message.starts_with("document of ");
        assert!(error.place.is_some() || is_size, "{name}: {error:?}");
    }
    errors
}

/// The high-water mark of this process, which holds only these tests.
fn assert_memory_is_bounded() {
    let status = std::fs::read_to_string("/proc/self/status").expect("a proc file system");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a high-water mark");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number of kB");
    assert!(kib < MAX_KIB, "{kib} KiB");
}

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or_default()
    }
}

/// Changes one to six places: a byte, a deletion, an indicator of YAML, a copy, a cut.
fn mutate(base: &[u8], random: &mut Xorshift) -> Vec<u8> {
    const FRAGMENTS: [&[u8]; 24] = [
        b"!!",
        b"&a ",
        b"*n",
        b"<<: ",
        b"? ",
        b"- ",
        b": ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"|\n",
        b">-\n",
        b"\"",
        b"'",
        b"\n",
        b"\t",
        b"\0",
        b"\xff",
        b"---\n",
        b"#",
        b",",
        b"\xef\xbb\xbf",
        b"\r",
    ];
    let mut yaml = base.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(yaml.len() + 1);
        match random.below(5) {
            0 if at < yaml.len() => yaml[at] = random.next().to_le_bytes()[0],
            1 if at < yaml.len() => drop(yaml.remove(at)),
            2 => {
                let fragment = FRAGMENTS[random.below(FRAGMENTS.len())];
                yaml.splice(at..at, fragment.iter().copied());
            }
            3 => {
                let end = (at + random.below(40)).min(yaml.len());
                let copy = yaml[at..end].to_vec();
                let to = random.below(yaml.len() + 1);
                yaml.splice(to..to, copy);
            }
            _ => {
                let end = (at + random.below(20)).min(yaml.len());
                yaml.drain(at..end);
            }
        }
    }
    yaml
}
