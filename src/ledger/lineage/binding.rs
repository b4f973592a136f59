//! What the values of a column are bound to, beside the column, so that they cannot change rows
//! unnoticed.

/// What a value is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowBinding {
    /// These columns of its row, in this order.
    Key(Vec<String>),
    /// A text that a script gave for its row.
    Text,
    /// Nothing: which row it stands in is not committed to.
    None,
}

const KEY: &str = "key ";

impl RowBinding {
    /// As it stands in the lineage: `key` with the names as a JSON array, `text`, `none`.
    pub fn name(&self) -> String {
        match self {
            Self::Key(columns) => format!("{KEY}{}", serde_json::json!(columns)),
            Self::Text => "text".to_owned(),
            Self::None => "none".to_owned(),
        }
    }

    /// Reads it; `None` where it is none of these words.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "none" => Some(Self::None),
            _ => serde_json::from_str(name.strip_prefix(KEY)?)
                .ok()
                .map(Self::Key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binding_is_read_as_it_was_written() {
        for binding in [
            RowBinding::Key(vec!["id".to_owned()]),
            RowBinding::Key(vec!["a \"b\"".to_owned(), "ä,\n".to_owned()]),
            RowBinding::Text,
            RowBinding::None,
        ] {
            assert_eq!(RowBinding::of(&binding.name()), Some(binding));
        }
        assert_eq!(
            RowBinding::Key(vec!["id".to_owned(), "no".to_owned()]).name(),
            r#"key ["id","no"]"#
        );
        for unknown in ["", "key", "key id", "keys [\"id\"]"] {
            assert_eq!(RowBinding::of(unknown), None);
        }
    }
}
