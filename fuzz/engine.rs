//! Runs one target: the corpus as it is, then mutations of it until the time is over.

use std::collections::{BTreeSet, hash_map::DefaultHasher};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, fs::File};

use super::coverage::Coverage;
use super::mutate::{LONGEST, Xorshift, mutate};

/// What a target does with an input; it panics where something does not hold.
pub(crate) type Run = fn(&[u8]);

/// Longer than any input may take, on a machine that is busy as well.
const SLOW: Duration = Duration::from_secs(10);

/// The inputs that are committed, a folder for each target.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// Where inputs are put that were found.
pub(crate) fn found() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz")
}

/// Runs a target for `FUZZ_SECONDS`, by default one.
pub(crate) fn fuzz(name: &str, run: Run) {
    let seconds = env::var("FUZZ_SECONDS").map_or(1.0, |text| text.parse().expect("seconds"));
    let seed = env::var("FUZZ_SEED").map_or_else(|_| now(), |text| text.parse().expect("a seed"));
    let kept = found().join(name);
    fs::create_dir_all(&kept).expect("a folder for what is found");
    let running = found().join(format!("{name}.running"));
    let mut session = Session {
        name,
        run,
        running: File::create(&running).expect("a file"),
        inputs: Vec::new(),
        coverage: Coverage::default(),
        runs: 0,
    };
    let committed = inputs(&corpus().join(name));
    assert!(!committed.is_empty(), "{name} has no corpus");
    for input in &committed {
        session.attempt(input);
    }
    // What was found by another build may fail no more, or only now.
    for input in inputs(&kept) {
        session.attempt(&input);
    }
    let words = words(&committed);
    session.inputs.extend(committed);
    let mut random = Xorshift::new(seed);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        let base = &session.inputs[session.pick(&mut random)];
        let other = &session.inputs[random.below(session.inputs.len())];
        let input = mutate(base, other, &words, &mut random);
        if session.attempt(&input) {
            fs::write(kept.join(format!("{:016x}", digest(&input))), &input).expect("a file");
        }
    }
    let _ = fs::remove_file(&running);
    println!(
        "{name}: {} runs, {} inputs, {} edges, seed {seed}",
        session.runs,
        session.inputs.len(),
        if Coverage::is_there() {
            session.coverage.edges().to_string()
        } else {
            "uncounted".to_owned()
        },
    );
}

struct Session<'a> {
    name: &'a str,
    run: Run,
    /// The input that is running: what is left where the process dies. Kept open: to make it anew for each
    /// would take longer than most inputs.
    running: File,
    inputs: Vec<Vec<u8>>,
    coverage: Coverage,
    runs: u64,
}

impl Session<'_> {
    /// Runs an input and keeps it if it takes new edges; whether it was kept.
    fn attempt(&mut self, input: &[u8]) -> bool {
        self.runs += 1;
        let length = input.len() as u64;
        let noted = self.running.write_all_at(input, 0);
        noted
            .and_then(|()| self.running.set_len(length))
            .expect("a file");
        let started = Instant::now();
        Coverage::begin();
        let fails = fails(self.run, input);
        let is_new = Coverage::is_there() && self.coverage.is_new();
        if fails || started.elapsed() > SLOW {
            self.give_up(input, fails);
        }
        if is_new {
            self.inputs.push(input.to_vec());
        }
        is_new
    }

    /// One of the inputs, those that were found last more often.
    fn pick(&self, random: &mut Xorshift) -> usize {
        let count = self.inputs.len();
        if random.below(2) == 0 {
            return random.below(count);
        }
        count - 1 - random.below(count.min(16))
    }

    fn give_up(&self, input: &[u8], fails: bool) -> ! {
        let small = if fails {
            reduced(self.run, input)
        } else {
            input.to_vec()
        };
        let folder = found().join("failed");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{}-{:016x}", self.name, digest(&small)));
        fs::write(&file, &small).expect("a file");
        let _ = fs::remove_file(found().join(format!("{}.running", self.name)));
        panic!(
            "{} {} on {} bytes: {}\n{:?}",
            self.name,
            if fails { "fails" } else { "is slow" },
            small.len(),
            file.display(),
            String::from_utf8_lossy(&small),
        );
    }
}

fn fails(run: Run, input: &[u8]) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| run(input))).is_err()
}

/// A shorter input that fails as well, found in some seconds.
fn reduced(run: Run, input: &[u8]) -> Vec<u8> {
    let said = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let end = Instant::now() + Duration::from_secs(5);
    let mut small = input.to_vec();
    let mut length = small.len() / 2;
    while length > 0 && Instant::now() < end {
        let mut at = 0;
        while at < small.len() && Instant::now() < end {
            let mut shorter = small.clone();
            shorter.drain(at..(at + length).min(small.len()));
            if fails(run, &shorter) {
                small = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    panic::set_hook(said);
    small
}

/// The files of a folder, in their order.
fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort_unstable();
    let read = |path: &PathBuf| {
        let mut input = fs::read(path).expect("an input");
        input.truncate(LONGEST);
        input
    };
    paths.iter().map(read).collect()
}

/// Words of the corpus: what one input says is tried in the others.
fn words(corpus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let all = corpus
        .iter()
        .flat_map(|input| input.split(|byte| !is_of_word(byte)));
    let long = all.filter(|word| (2..=32).contains(&word.len()));
    let found: BTreeSet<Vec<u8>> = long.map(<[u8]>::to_vec).collect();
    found.into_iter().collect()
}

fn digest(input: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(1, |now| now.subsec_nanos().into())
}
