//! What a measurement asks from inside a server (`make bench`): nanoseconds per call, never a test.

#[pgrx::pg_schema]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use pgrx::pg_sys::panic::ErrorReport;
    use pgrx::prelude::*;

    use crate::keys::{MASKING, Use, store, subkey};
    use crate::strategies::{Kind, Params, Seed, Strategy};

    /// Asks for the active masking key as often as told, in one statement.
    #[pg_extern(volatile)]
    fn bench_key_use(calls: i32) -> Result<f64, ErrorReport> {
        store::active(MASKING)?;
        let begun = Instant::now();
        for _ in 0..calls {
            black_box(store::active(black_box(MASKING))?);
        }
        Ok(per_call(begun, calls))
    }

    /// What a call site compares before each row: whether its state is still good.
    #[pg_extern(volatile)]
    fn bench_call_site(calls: i32) -> f64 {
        let kept = store::stamp();
        let begun = Instant::now();
        for _ in 0..calls {
            black_box(black_box(kept) == store::stamp());
        }
        per_call(begun, calls)
    }

    /// Masks one value as often as told with a key at hand: what a row costs by itself.
    #[pg_extern(volatile)]
    fn bench_mask(value: &str, calls: i32) -> Result<f64, ErrorReport> {
        let key = subkey(&store::active(MASKING)?.secret, Use::Masking);
        let mask = Strategy::new(Kind::Hash, &Params::new())
            .map_err(crate::error::Error::from)?
            .mask(key.expose(), Seed::new(0));
        let begun = Instant::now();
        for _ in 0..calls {
            black_box(mask.text(black_box(value))?);
        }
        Ok(per_call(begun, calls))
    }

    fn per_call(begun: Instant, calls: i32) -> f64 {
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    }
}
