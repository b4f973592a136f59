//! Fields behind their lengths.

/// Appends a field as a u32 big-endian length and its bytes: no two lists of fields give the same
/// bytes.
pub(crate) fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&field_length(field));
    out.extend_from_slice(field);
}

/// The length of a field as it stands before it. Values of PostgreSQL stay below 1 GiB.
pub(crate) fn field_length(field: &[u8]) -> [u8; 4] {
    u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes()
}
