//! Notes against published ones, and against everything that is none.

use proptest::prelude::*;

use super::*;

// Of the tests of Go's `sumdb/note`.
const SIGNER: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const BY_PETER: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN\
                        1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH: &str = "\u{2014} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF\
                        1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn keys(texts: &[&str]) -> Vec<VerifierKey> {
    texts
        .iter()
        .map(|text| VerifierKey::parse(text).unwrap())
        .collect()
}

fn peter() -> Secret {
    let bytes = STANDARD.decode(SIGNER).unwrap();
    Secret::copy_of(bytes[1..].try_into().unwrap())
}

/// Who signed, among these keys.
fn signer(note: &str, known: &[VerifierKey]) -> Result<String, &'static str> {
    Ok(match Note::parse(note)?.signed(known, |key| key) {
        Signed::By(key) => key.name().to_owned(),
        Signed::Falsely => "falsely".to_owned(),
        Signed::ByStrangers => "strangers".to_owned(),
    })
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "confiture/9c154a19-85ce-4482-9665-12f8c7348e88".into(),
        size: 812,
        root: [7; 32],
    }
}

#[test]
fn checkpoint_signs_as_the_published_note_is() {
    assert_eq!(
        sign(TEXT, "PeterNeumann", &peter()),
        format!("{TEXT}\n{BY_PETER}")
    );
    let key = VerifierKey::of_seed("PeterNeumann", &peter()).unwrap();
    assert_eq!(key.to_string(), PETER);
}

#[test]
fn checkpoint_opens_published_notes() {
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    assert_eq!(Note::parse(&both).unwrap().text, TEXT);
    assert_eq!(signer(&both, &keys(&[PETER])).unwrap(), "PeterNeumann");
    assert_eq!(signer(&both, &keys(&[ENOCH])).unwrap(), "EnochRoot");
    assert_eq!(signer(&both, &[]).unwrap(), "strangers");
    // Of the specification of signed notes.
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n\u{2014} example.com/foo \
                Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu7\
                2IneyaQM=\n";
    assert_eq!(signer(note, &keys(&[key])).unwrap(), "example.com/foo");
    // A text with an empty line of its own.
    let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è \
                subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5\
                QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    assert!(Note::parse(note).unwrap().text.ends_with("sera.\n"));
    // And the checkpoint of that of transparency logs.
    let note = "example.com/behind-the-sofa\n20852163\n\
                CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} \
                example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7\
                u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let found = Checkpoint::parse(Note::parse(note).unwrap().text).unwrap();
    assert_eq!(found.size, 20_852_163);
    assert_eq!(found.origin, "example.com/behind-the-sofa");
}

#[test]
fn checkpoint_refuses_a_wrong_signature_and_ignores_strangers() {
    let known = keys(&[PETER]);
    let damaged = BY_PETER.replace("ZJkuBS9U", "ZJkuBS9V");
    let enoch_damaged = BY_ENOCH.replace("eBzmZa0S", "eBzmZa0T");
    for (signatures, expected) in [
        (damaged.clone(), "falsely"),
        (format!("{BY_PETER}{damaged}"), "falsely"),
        (format!("{damaged}{BY_PETER}"), "falsely"),
        (format!("{enoch_damaged}{BY_PETER}"), "PeterNeumann"),
        (enoch_damaged, "strangers"),
        // Another key's id, or another key's name, is another key.
        (BY_PETER.replace("x08g", "xxxx"), "strangers"),
        (BY_PETER.replace("PeterNeumann", "Nobody"), "strangers"),
    ] {
        let note = format!("{TEXT}\n{signatures}");
        assert_eq!(signer(&note, &known).unwrap(), expected, "{signatures}");
    }
    for changed in [TEXT.replace("you", "me"), format!("{TEXT}\nmore\n")] {
        let note = format!("{changed}\n{BY_PETER}");
        assert_eq!(signer(&note, &known).unwrap(), "falsely");
    }
}

#[test]
fn checkpoint_refuses_what_is_no_note() {
    let good = format!("{TEXT}\n{BY_PETER}");
    let many = BY_ENOCH.repeat(MOST_SIGNATURES - 1) + BY_PETER;
    assert_eq!(
        signer(&format!("{TEXT}\n{many}"), &keys(&[PETER])).unwrap(),
        "PeterNeumann"
    );
    for note in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        good[..good.len() - 1].to_owned(),
        format!("{good}\n"),
        format!("{good}Unexpected line.\n"),
        format!("{good} "),
        format!("\u{1}{good}"),
        good.replace('\n', "\r\n"),
        format!("{TEXT}{BY_PETER}"),
        format!(
            "{TEXT}\n{}",
            BY_PETER.replace("PeterNeumann", "Peter Neumann")
        ),
        format!(
            "{TEXT}\n{}",
            BY_PETER.replace("PeterNeumann", "Peter\u{a0}N")
        ),
        format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "Peter+N")),
        format!("{TEXT}\n{}", BY_PETER.replace("PeterNeumann", "")),
        format!("{TEXT}\n{}", BY_PETER.replace('\u{2014}', "-")),
        format!("{TEXT}\n{}", BY_PETER.replace('=', "")),
        // The same bytes in another spelling.
        format!("{TEXT}\n{}", BY_PETER.replace("AM=", "AN=")),
        format!("{TEXT}\n\u{2014} a AAAA\n"),
        format!("{TEXT}\n\u{2014} a AAAAAA==\n"),
        format!("{TEXT}\n{BY_ENOCH}{many}"),
        format!("{}\n{BY_PETER}", TEXT.repeat(LONGEST / TEXT.len() + 1)),
    ] {
        assert!(Note::parse(&note).is_err(), "{note:?}");
    }
}

#[test]
fn checkpoint_text_has_one_spelling() {
    let good = checkpoint();
    let text = good.text();
    assert_eq!(Checkpoint::parse(&text), Ok(good));
    let root = STANDARD.encode([7; 32]);
    for bad in [
        text.replace("812", "0812"),
        text.replace("812", "+812"),
        text.replace("812", "-812"),
        text.replace("812", "812 "),
        text.replace("812", "812.0"),
        text.replace("812", "0x32c"),
        text.replace("812", ""),
        text.replace("812", "\u{668}\u{661}\u{662}"),
        text.replace("812", "18446744073709551616"),
        text.replace(&root, &root.replace('=', "")),
        text.replace(&root, &root.replace("c=", "d=")),
        text.replace(&root, &STANDARD.encode([7; 31])),
        text.replace(&root, &STANDARD.encode([7; 33])),
        text.replace(&root, &hex::encode([7; 32])),
        text.replace(&root, ""),
        text.replace("confiture/9c154a19-85ce-4482-9665-12f8c7348e88", ""),
        format!("{text}extension\n"),
        format!("{text}\n"),
        format!("\n{text}"),
        text[..text.len() - 1].to_owned(),
        String::new(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    for size in [0, 1, u64::MAX] {
        let checkpoint = Checkpoint {
            size,
            ..checkpoint()
        };
        assert_eq!(Checkpoint::parse(&checkpoint.text()), Ok(checkpoint));
    }
}

#[test]
fn checkpoint_of_a_log_verifies_and_no_changed_byte_does() {
    let seed = Secret::random().unwrap();
    let checkpoint = checkpoint();
    let note = checkpoint.sign(&checkpoint.origin, &seed);
    let known = [VerifierKey::of_seed(&checkpoint.origin, &seed).unwrap()];
    assert_eq!(signer(&note, &known).unwrap(), checkpoint.origin);
    assert_eq!(note, checkpoint.sign(&checkpoint.origin, &seed));
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let found = signer(&changed, &known);
        assert!(found != Ok(checkpoint.origin.clone()), "byte {at}");
    }
}

#[test]
fn checkpoint_key_has_one_spelling() {
    for good in [PETER, ENOCH] {
        assert_eq!(VerifierKey::parse(good).unwrap().to_string(), good);
    }
    for from in 0..PETER.len() {
        for to in from..=PETER.len() {
            if to - from < PETER.len() {
                assert!(VerifierKey::parse(&PETER[from..to]).is_err(), "{from} {to}");
            }
        }
    }
    for at in 0..PETER.len() {
        let mut bytes = PETER.as_bytes().to_vec();
        bytes[at] += 1;
        let changed = String::from_utf8(bytes).unwrap();
        assert!(VerifierKey::parse(&changed).is_err(), "{changed}");
    }
    for bad in [
        // Of Go's tests: a wrong length and an unknown type, each with its right id.
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        &PETER.replace("c74f20a3", "C74F20A3"),
        &format!("{PETER}\n"),
        &format!(" {PETER}"),
    ] {
        assert!(VerifierKey::parse(bad).is_err(), "{bad}");
    }
    // The neutral element, under which every text would have a signature.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(VerifierKey::new("a", &weak).is_none());
}

proptest! {
    #[test]
    fn checkpoint_parsers_take_anything(text in ".*", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let known = keys(&[PETER]);
        for text in [text, String::from_utf8_lossy(&bytes).into_owned()] {
            prop_assert!(signer(&text, &known) != Ok("PeterNeumann".to_owned()));
            prop_assert!(VerifierKey::parse(&text).is_err());
            if let Ok(found) = Checkpoint::parse(&text) {
                prop_assert_eq!(found.text(), text);
            }
        }
    }

    #[test]
    fn checkpoint_survives_damaged_notes(
        at in any::<prop::sample::Index>(),
        until in any::<prop::sample::Index>(),
        put in prop::sample::select(vec!["", "\n", "\n\n", " ", "+", "=", "\u{2014} ", "\0", "é"]),
    ) {
        let good = format!("{}\n{BY_PETER}{BY_ENOCH}", checkpoint().text());
        let (at, until) = (at.index(good.len()), until.index(good.len()));
        if good.is_char_boundary(at) && good.is_char_boundary(until) {
            let damaged = format!("{}{put}{}", &good[..at], &good[until.max(at).min(good.len())..]);
            if let Ok(note) = Note::parse(&damaged) {
                let _ = Checkpoint::parse(note.text);
                prop_assert!(note.signed(&keys(&[PETER]), |key| key) != Signed::By(&keys(&[PETER])[0]));
            }
        }
    }

    #[test]
    fn checkpoint_of_any_size_and_root_comes_back(
        size in any::<u64>(),
        root in any::<[u8; 32]>(),
        seed in any::<[u8; 32]>(),
    ) {
        let seed = Secret::copy_of(&seed);
        let checkpoint = Checkpoint { origin: "a/b".into(), size, root };
        let note = checkpoint.sign("a/b", &seed);
        let parsed = Note::parse(&note).unwrap();
        prop_assert_eq!(Checkpoint::parse(parsed.text), Ok(checkpoint));
        let known = [VerifierKey::of_seed("a/b", &seed).unwrap()];
        prop_assert!(matches!(parsed.signed(&known, |key| key), Signed::By(_)));
    }
}
