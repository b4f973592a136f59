//! The strategies of a profile that is being written: each proposal once, under a name of its own.

use super::Category;
use super::propose::Proposal;

/// The strategies so far, in the order they were needed.
#[derive(Debug, Default)]
pub struct Definitions {
    named: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    name: String,
    category: Option<Category>,
    definition: String,
}

impl Definitions {
    /// The name of a proposal: that of its category, with a number where others have taken it.
    pub fn name(&mut self, category: Option<Category>, proposal: &Proposal) -> String {
        let definition = proposal.flow();
        let mut same = self.named.iter().filter(|named| named.category == category);
        if let Some(known) = same.clone().find(|named| named.definition == definition) {
            return known.name.clone();
        }
        let base = category.map_or("other", Category::name);
        let name = match same.by_ref().count() {
            0 => base.to_owned(),
            others => format!("{base}_{}", others + 1),
        };
        self.named.push(Named {
            name: name.clone(),
            category,
            definition,
        });
        name
    }

    /// What stands below `strategies`; empty where there is none.
    pub fn written(&self) -> String {
        let lines = self.named.iter();
        lines
            .map(|named| format!("  {}: {}\n", named.name, named.definition))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::Sort;
    use crate::signs::propose::propose;

    #[test]
    fn definitions_have_names_of_their_own() {
        let mut definitions = Definitions::default();
        let birth = Some(Category::BirthDate);
        let date = propose(Category::BirthDate, Sort::Date, &[]);
        let text = propose(Category::BirthDate, Sort::Text, &[]);
        assert_eq!(definitions.name(birth, &date), "date_of_birth");
        assert_eq!(definitions.name(birth, &text), "date_of_birth_2");
        assert_eq!(definitions.name(birth, &date), "date_of_birth");
        assert_eq!(definitions.written().lines().count(), 2);
    }
}
