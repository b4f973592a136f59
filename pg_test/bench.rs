//! What a measurement asks from inside a server (`make bench`): nanoseconds per call, never a test.

#[pgrx::pg_schema]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use aes::Aes256;
    use fpe::ff1::{FF1, FlexibleNumeralString};
    use pgrx::pg_sys::panic::ErrorReport;
    use pgrx::prelude::*;

    use crate::error::{Error, Kind};
    use crate::keys::{MASKING, Use, store, subkey};
    use crate::strategies::{self, Params, Seed, Strategy, Subkeys, ValueType};

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
        let mask = Strategy::new(strategies::Kind::Hash, &Params::new())
            .map_err(Error::from)?
            .mask(
                &Subkeys::new(key.expose(), key.expose()),
                Seed::new(0),
                ValueType::Text,
            )?;
        let begun = Instant::now();
        for _ in 0..calls {
            black_box(mask.text(black_box(value))?);
        }
        Ok(per_call(begun, calls))
    }

    /// FF1 by crate `fpe`, for 16 digits: what our own is held against. The cipher is made once
    /// per call site, as ours is.
    #[pg_extern(stable)]
    fn bench_crate_fpe(
        value: &str,
        fcinfo: pg_sys::FunctionCallInfo,
    ) -> Result<String, ErrorReport> {
        let cipher = crate::pg::callsite::state(
            fcinfo,
            |_: &FF1<Aes256>| true,
            |_| FF1::<Aes256>::new(&[7; 32], 10).map_err(|_| broken()),
        )?;
        let numerals: Vec<u16> = value.bytes().map(|b| u16::from(b - b'0')).collect();
        let masked = cipher
            .encrypt(b"", &FlexibleNumeralString::from(numerals))
            .map_err(|_| broken())?;
        let digits: Vec<u16> = masked.into();
        Ok(digits
            .into_iter()
            .map(|digit| char::from(b'0' + digit.to_be_bytes()[1]))
            .collect())
    }

    fn broken() -> Error {
        Error::new(Kind::Internal, "the reference does not work")
    }

    fn per_call(begun: Instant, calls: i32) -> f64 {
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    }
}
