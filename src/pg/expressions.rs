//! Expressions over values of one row, planned once and kept as long as they are needed.
//!
//! They are the list of a SELECT without a table. It is run by the server's programming interface,
//! which plans it anew by itself when something changes that it names.

use std::ffi::{CString, c_char};

use pgrx::pg_sys;
use pgrx::spi::Spi;

use crate::error::{Error, Kind, Result};

/// Expressions that are ready to be computed.
pub struct Expressions {
    plan: pg_sys::SPIPlanPtr,
    given: usize,
    of: Vec<pg_sys::Oid>,
}

/// What they give: the values, and whether each is NULL.
pub(super) type Values = (Vec<pg_sys::Datum>, Vec<bool>);

impl Expressions {
    /// Plans a SELECT of one row, in which `$1` and so on have the types `given`, and whose columns have
    /// the types `of`.
    ///
    /// # Errors
    /// XX000 when the interface fails. Server errors unwind.
    pub fn plan(select: &str, given: &[pg_sys::Oid], of: Vec<pg_sys::Oid>) -> Result<Self> {
        let text = CString::new(select).map_err(|_| broken("NUL in a statement"))?;
        let mut types = given.to_vec();
        let count = i32::try_from(types.len()).map_err(|_| broken("too many values"))?;
        let plan = Spi::connect(|_| {
            // SAFETY: SPI is connected, the text is NUL-terminated, and there are as many types as said;
            // a kept plan lives until it is freed.
            unsafe {
                let generic = pg_sys::CURSOR_OPT_GENERIC_PLAN.cast_signed();
                let plan =
                    pg_sys::SPI_prepare_cursor(text.as_ptr(), count, types.as_mut_ptr(), generic);
                if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                    return Err(broken("a statement could not be prepared"));
                }
                Ok(plan)
            }
        })?;
        Ok(Self {
            plan,
            given: given.len(),
            of,
        })
    }

    /// Computes them; what comes out lives in the memory that is current now.
    ///
    /// # Safety
    /// The values are of the types that the expressions were planned for.
    pub(super) unsafe fn compute(
        &self,
        values: &mut [pg_sys::Datum],
        nulls: &[bool],
    ) -> Result<Values> {
        if values.len() != self.given || nulls.len() != self.given {
            return Err(broken("another number of values"));
        }
        let marks: Vec<c_char> = nulls
            .iter()
            .map(|is_null| if *is_null { b'n' } else { b' ' }.cast_signed())
            .collect();
        Spi::connect(|_| {
            // SAFETY: SPI is connected; both arrays have one element for each value of the plan. The row
            // is copied into the memory that was current before, and its columns point into the copy.
            unsafe {
                let status = pg_sys::SPI_execute_plan(
                    self.plan,
                    values.as_mut_ptr(),
                    marks.as_ptr(),
                    true,
                    1,
                );
                let table = pg_sys::SPI_tuptable;
                if status != pg_sys::SPI_OK_SELECT.cast_signed()
                    || table.is_null()
                    || (*table).numvals != 1
                {
                    return Err(broken("a statement gave no row"));
                }
                let described = (*table).tupdesc;
                let count = i32::try_from(self.of.len()).unwrap_or(i32::MAX);
                let fits = (*described).natts == count
                    && (1..=count)
                        .zip(&self.of)
                        .all(|(column, of)| pg_sys::SPI_gettypeid(described, column) == *of);
                if !fits {
                    return Err(broken("a statement gave other types"));
                }
                let row = pg_sys::SPI_copytuple(*(*table).vals);
                let (mut made, mut nulls) = (
                    vec![pg_sys::Datum::from(0); self.of.len()],
                    vec![true; self.of.len()],
                );
                pg_sys::heap_deform_tuple(row, described, made.as_mut_ptr(), nulls.as_mut_ptr());
                Ok((made, nulls))
            }
        })
    }
}

impl Drop for Expressions {
    fn drop(&mut self) {
        // After an error the server may not be asked for anything; the plan stays until the process ends.
        if !std::thread::panicking() {
            // SAFETY: kept by `plan`, and freed once.
            unsafe { pg_sys::SPI_freeplan(self.plan) };
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(Kind::Internal, "server programming interface failed")
        .with_detail(format!("{what}."))
}
