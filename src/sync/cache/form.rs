//! A value as bytes, exactly: what is read back is what was written, to the last bit.
//!
//! Not [`Datum::bytes`], which is for keyed functions and holds both zeros to be one.

use std::borrow::Cow;

use crate::strategies::Datum;

const NULL: u8 = 0;

/// Calls `work` with a byte for the variant of a value, and its bytes. Nothing is copied to the
/// heap, where it would have to be wiped.
pub fn with<T>(value: &Datum<'_>, work: impl FnOnce(u8, &[u8]) -> T) -> T {
    match value {
        Datum::Bool(value) => work(1, &[u8::from(*value)]),
        Datum::Bytes(bytes) => work(2, bytes),
        Datum::Date(days) => work(3, &days.to_be_bytes()),
        Datum::Float(value) => work(4, &value.to_bits().to_be_bytes()),
        Datum::Hstore(text) => work(5, text.as_bytes()),
        Datum::Inet(text) => work(6, text.as_bytes()),
        Datum::Int(value) => work(7, &value.to_be_bytes()),
        Datum::Json(text) => work(8, text.as_bytes()),
        Datum::Mac(text) => work(9, text.as_bytes()),
        Datum::Numeric(text) => work(10, text.as_bytes()),
        Datum::Text(text) => work(11, text.as_bytes()),
        Datum::Timestamp(value) => work(12, &value.to_be_bytes()),
        Datum::Uuid(bytes) => work(13, bytes),
    }
}

/// How many bytes [`write`] gives.
pub fn size(value: Option<&Datum<'_>>) -> usize {
    1 + value.map_or(0, |value| with(value, |_, bytes| bytes.len()))
}

/// The bytes of a value; `None` stands for NULL.
pub fn write(value: Option<&Datum<'_>>) -> Box<[u8]> {
    // No larger than needed, so that no other copy is left behind when the box is made.
    let mut written = Vec::with_capacity(size(value));
    match value {
        None => written.push(NULL),
        Some(value) => with(value, |variant, bytes| {
            written.push(variant);
            written.extend_from_slice(bytes);
        }),
    }
    written.into_boxed_slice()
}

/// Reads what [`write`] gave; `None` where it did not.
pub fn read(written: &[u8]) -> Option<Option<Datum<'static>>> {
    let (variant, bytes) = written.split_first()?;
    let text = || Some(Cow::Owned(std::str::from_utf8(bytes).ok()?.to_owned()));
    let word = || Some(i64::from_be_bytes(bytes.try_into().ok()?));
    Some(Some(match *variant {
        NULL if bytes.is_empty() => return Some(None),
        1 => match bytes {
            [0] => Datum::Bool(false),
            [1] => Datum::Bool(true),
            _ => return None,
        },
        2 => Datum::Bytes(Cow::Owned(bytes.to_vec())),
        3 => Datum::Date(i32::from_be_bytes(bytes.try_into().ok()?)),
        4 => Datum::Float(f64::from_bits(u64::from_be_bytes(bytes.try_into().ok()?))),
        5 => Datum::Hstore(text()?),
        6 => Datum::Inet(text()?),
        7 => Datum::Int(word()?),
        8 => Datum::Json(text()?),
        9 => Datum::Mac(text()?),
        10 => Datum::Numeric(text()?),
        11 => Datum::Text(text()?),
        12 => Datum::Timestamp(word()?),
        13 => Datum::Uuid(bytes.try_into().ok()?),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_to_the_last_bit() {
        let nan = f64::from_bits(0x7ff8_0000_0000_1234);
        for value in [
            Datum::Bool(true),
            Datum::Bytes(Cow::Borrowed(b"\0\xff")),
            Datum::Date(i32::MIN),
            Datum::Float(-0.0),
            Datum::Float(nan),
            Datum::Hstore("\"a\"=>NULL".into()),
            Datum::Inet("192.0.2.1/24".into()),
            Datum::Int(i64::MIN),
            Datum::Json("{\"a\":  1}".into()),
            Datum::Mac("08:00:2b:01:02:03".into()),
            Datum::Numeric("1.500".into()),
            Datum::text(""),
            Datum::text("zoë"),
            Datum::Timestamp(i64::MAX),
            Datum::Uuid([7; 16]),
        ] {
            let written = write(Some(&value));
            assert_eq!(written.len(), size(Some(&value)));
            let back = read(&written).unwrap();
            assert_eq!(write(back.as_ref()), written, "{value:?}");
            assert_eq!(
                std::mem::discriminant(&back.unwrap()),
                std::mem::discriminant(&value)
            );
        }
        assert_eq!(read(&write(None)), Some(None));
        assert_eq!(size(None), 1);
    }

    #[test]
    fn bytes_that_are_no_value_are_none() {
        for bytes in [
            &[][..],
            &[0, 1],
            &[1, 2],
            &[3, 0],
            &[7],
            &[11, 0xff],
            &[13, 1],
            &[14],
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
