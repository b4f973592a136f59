//! One value of a column, and the types there are, for rooms that do not speak to the server.
//!
//! Numbers of arbitrary precision, network addresses and documents arrive in the text form of the
//! server: pure code reads them without knowing how the server stores them.

pub mod unseen;

use std::borrow::Cow;

/// A value that is not NULL.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    /// boolean.
    Bool(bool),
    /// bytea.
    Bytes(Cow<'a, [u8]>),
    /// date: days since 2000-01-01; `i32::MIN` and `i32::MAX` are the infinities.
    Date(i32),
    /// real, double precision. A real holds what fits its 24 bits.
    Float(f64),
    /// hstore, in its text form.
    Hstore(Cow<'a, str>),
    /// inet, cidr: the address in text form, with `/bits` where the server writes them.
    Inet(Cow<'a, str>),
    /// smallint, integer, bigint.
    Int(i64),
    /// json, jsonb.
    Json(Cow<'a, str>),
    /// macaddr, macaddr8, in lower case with colons.
    Mac(Cow<'a, str>),
    /// numeric in text form: `-12.50`, `NaN`, `Infinity`, `-Infinity`.
    Numeric(Cow<'a, str>),
    /// text and what is written like it, the labels of an enum included.
    Text(Cow<'a, str>),
    /// timestamp, timestamptz: microseconds since 2000-01-01 00:00 (UTC); `i64::MIN` and
    /// `i64::MAX` are the infinities.
    Timestamp(i64),
    /// uuid.
    Uuid([u8; 16]),
}

impl<'a> Datum<'a> {
    /// Makes a text of borrowed or owned characters.
    pub fn text(value: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(value.into())
    }

    /// How many bytes it has, of those whose number varies; 0 for the others.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Hstore(text)
            | Self::Inet(text)
            | Self::Json(text)
            | Self::Mac(text)
            | Self::Numeric(text)
            | Self::Text(text) => text.len(),
            _ => 0,
        }
    }

    /// The bytes that stand for the value in a keyed function: equal for equal values of one type.
    /// Numbers are big-endian, everything else is its text or its bytes. For values whose text
    /// form is not unique (numeric, json) the caller brings them into a canonical form first.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Bool(value) => Cow::Owned(vec![u8::from(*value)]),
            Self::Bytes(value) => Cow::Borrowed(value),
            Self::Date(days) => Cow::Owned(days.to_be_bytes().to_vec()),
            // Both zeros are equal.
            Self::Float(value) => Cow::Owned((value + 0.0).to_bits().to_be_bytes().to_vec()),
            Self::Int(value) | Self::Timestamp(value) => Cow::Owned(value.to_be_bytes().to_vec()),
            Self::Hstore(text)
            | Self::Inet(text)
            | Self::Json(text)
            | Self::Mac(text)
            | Self::Numeric(text)
            | Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Uuid(bytes) => Cow::Borrowed(bytes),
        }
    }
}

/// Declares the types with their names in SQL.
macro_rules! value_types {
    ($($(#[$doc:meta])* $type:ident = $name:literal,)*) => {
        /// The types of values a mask may meet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ValueType {
            $($(#[$doc])* $type,)*
        }

        impl ValueType {
            /// All of them, by name of the variant.
            pub const ALL: &'static [Self] = &[$(Self::$type,)*];

            /// Returns the name of the type in SQL.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$type => $name,)*
                }
            }
        }
    };
}

value_types! {
    /// boolean.
    Bool = "boolean",
    /// bytea.
    Bytes = "bytea",
    /// cidr.
    Cidr = "cidr",
    /// date.
    Date = "date",
    /// An enum: a text out of a closed list.
    Enum = "anyenum",
    /// real.
    Float32 = "real",
    /// double precision.
    Float64 = "double precision",
    /// hstore, of the extension of that name.
    Hstore = "hstore",
    /// inet.
    Inet = "inet",
    /// smallint.
    Int16 = "smallint",
    /// integer.
    Int32 = "integer",
    /// bigint.
    Int64 = "bigint",
    /// json.
    Json = "json",
    /// jsonb.
    Jsonb = "jsonb",
    /// macaddr.
    Mac = "macaddr",
    /// macaddr8.
    Mac8 = "macaddr8",
    /// numeric.
    Numeric = "numeric",
    /// A composite: its fields are values of their own.
    Record = "record",
    /// text and what is written like it.
    Text = "text",
    /// timestamp without time zone.
    Timestamp = "timestamp without time zone",
    /// timestamp with time zone.
    Timestamptz = "timestamp with time zone",
    /// uuid.
    Uuid = "uuid",
}

impl ValueType {
    /// Every type but composites.
    pub const ANY: &'static [Self] = &[
        Self::Bool,
        Self::Bytes,
        Self::Cidr,
        Self::Date,
        Self::Enum,
        Self::Float32,
        Self::Float64,
        Self::Hstore,
        Self::Inet,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Json,
        Self::Jsonb,
        Self::Mac,
        Self::Mac8,
        Self::Numeric,
        Self::Text,
        Self::Timestamp,
        Self::Timestamptz,
        Self::Uuid,
    ];
    /// Texts alone.
    pub const TEXT: &'static [Self] = &[Self::Text];
    /// The integers.
    pub const INTS: &'static [Self] = &[Self::Int16, Self::Int32, Self::Int64];
    /// Every number.
    pub const NUMBERS: &'static [Self] = &[
        Self::Float32,
        Self::Float64,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Numeric,
    ];
    /// Dates and points in time.
    pub const TIMES: &'static [Self] = &[Self::Date, Self::Timestamp, Self::Timestamptz];

    /// Finds a type by its name in SQL.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|of| of.name() == name)
    }

    /// Names it inside a sentence. Of enums and composites there are many, and their common name
    /// in SQL is one that no column has.
    pub fn in_words(self) -> Cow<'static, str> {
        match self {
            Self::Enum => Cow::Borrowed("an enum type"),
            Self::Record => Cow::Borrowed("a composite type"),
            _ => Cow::Owned(format!("type {}", self.name())),
        }
    }

    /// The greatest integer of an integer type; the least is one below its negative.
    pub fn max_int(self) -> Option<i64> {
        match self {
            Self::Int16 => Some(i16::MAX.into()),
            Self::Int32 => Some(i32::MAX.into()),
            Self::Int64 => Some(i64::MAX),
            _ => None,
        }
    }

    /// Whether a value is one of this type.
    pub fn holds(self, value: &Datum<'_>) -> bool {
        match (self, value) {
            (Self::Bool, Datum::Bool(_))
            | (Self::Bytes, Datum::Bytes(_))
            | (Self::Cidr | Self::Inet, Datum::Inet(_))
            | (Self::Date, Datum::Date(_))
            | (Self::Float32 | Self::Float64, Datum::Float(_))
            | (Self::Hstore, Datum::Hstore(_))
            | (Self::Json | Self::Jsonb, Datum::Json(_))
            | (Self::Mac | Self::Mac8, Datum::Mac(_))
            | (Self::Numeric, Datum::Numeric(_))
            | (Self::Enum | Self::Text, Datum::Text(_))
            | (Self::Timestamp | Self::Timestamptz, Datum::Timestamp(_))
            | (Self::Uuid, Datum::Uuid(_)) => true,
            (_, Datum::Int(value)) => self
                .max_int()
                .is_some_and(|max| (-max - 1..=max).contains(value)),
            _ => false,
        }
    }
}
