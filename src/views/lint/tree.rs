//! Rules as the server keeps them: which columns of which tables their queries read, and write.
//!
//! `pg_depend` knows that a rule names a column, not what for: a masked view names each column that
//! it masks, to ask whether it is NULL. So the tree is read. Its form is that of `outfuncs.c`: nodes
//! in braces with fields, lists in parentheses, words in which a backslash protects the next letter.

use std::collections::BTreeSet;

/// A column of a relation, by its number; 0 is the whole row.
pub type Place = (u32, i32);

/// What a rule does with the columns of relations.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// What it shows, computes with, or compares.
    pub read: BTreeSet<Place>,
    /// What it compares with constants or columns of the same row, to choose rows of one table.
    pub chosen_by: BTreeSet<Place>,
    /// What it gives to a mask, or asks no more of than whether it is NULL.
    pub masked: BTreeSet<Place>,
    /// What it writes.
    pub written: BTreeSet<Place>,
    /// The numbers of the masked views whose masks it calls.
    pub numbers: BTreeSet<i32>,
}

/// Nodes deeper than this are not followed.
const DEEPEST: usize = 800;

/// What the queries of a rule use, given the numbers of the functions that mask; `None` where the
/// text has another form than expected.
pub fn uses(text: &str, masks: &[u32]) -> Option<Uses> {
    let mut words = Words { rest: text };
    let mut walk = Walk {
        masks,
        uses: Uses::default(),
        is_lost: false,
    };
    while let Some(word) = words.next() {
        let node = Node::after(word, &mut words, 0)?;
        walk.node(&node, None, Sight::Open, 0);
    }
    (!walk.is_lost).then_some(walk.uses)
}

struct Words<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.rest.trim_start_matches([' ', '\n', '\t']);
        let first = text.chars().next()?;
        let mut end = first.len_utf8();
        if !is_mark(first) {
            let mut is_protected = false;
            let over = text.char_indices().find(|&(_, letter)| {
                let ends = !is_protected && (is_mark(letter) || " \n\t".contains(letter));
                is_protected = !is_protected && letter == '\\';
                ends
            });
            end = over.map_or(text.len(), |(at, _)| at);
        }
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

const fn is_mark(letter: char) -> bool {
    matches!(letter, '(' | ')' | '{' | '}')
}

enum Node<'t> {
    Word(&'t str),
    List(Vec<Node<'t>>),
    Named(&'t str, Vec<(&'t str, Vec<Node<'t>>)>),
}

impl<'t> Node<'t> {
    /// The node that begins with a word.
    fn after(word: &'t str, words: &mut Words<'t>, depth: usize) -> Option<Self> {
        if depth > DEEPEST {
            return None;
        }
        match word {
            "(" => {
                let mut items = Vec::new();
                loop {
                    match words.next()? {
                        ")" => return Some(Self::List(items)),
                        word => items.push(Self::after(word, words, depth + 1)?),
                    }
                }
            }
            "{" => {
                let name = words.next()?;
                let mut fields = Vec::new();
                let mut word = words.next()?;
                while word != "}" {
                    let field = word.strip_prefix(':')?;
                    // What follows a name is a value, whatever it looks like.
                    let mut values = vec![Self::after(words.next()?, words, depth + 1)?];
                    word = words.next()?;
                    while word != "}" && !word.starts_with(':') {
                        values.push(Self::after(word, words, depth + 1)?);
                        word = words.next()?;
                    }
                    fields.push((field, values));
                }
                Some(Self::Named(name, fields))
            }
            ")" | "}" => None,
            word => Some(Self::Word(word)),
        }
    }

    fn name(&self) -> &'t str {
        match self {
            Self::Named(name, _) => name,
            _ => "",
        }
    }

    fn values(&self, field: &str) -> &[Self] {
        match self {
            Self::Named(_, fields) => fields
                .iter()
                .find(|(name, _)| *name == field)
                .map_or(&[], |(_, values)| values.as_slice()),
            _ => &[],
        }
    }

    fn field(&self, field: &str) -> Option<&Self> {
        self.values(field).first()
    }

    fn number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        match self.field(field)? {
            Self::Word(word) => word.parse().ok(),
            _ => None,
        }
    }

    fn items(&self, field: &str) -> &[Self] {
        match self.field(field) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }

    fn holds(&self, wanted: &str) -> bool {
        let any = |nodes: &[Self]| nodes.iter().any(|node| node.holds(wanted));
        match self {
            Self::Word(_) => false,
            Self::List(items) => any(items),
            Self::Named(name, fields) => {
                *name == wanted || fields.iter().any(|(_, values)| any(values))
            }
        }
    }
}

/// Whether nothing asks for the rows of a WITH, which only selects.
fn is_idle(node: &Node<'_>) -> bool {
    const SELECT: i32 = 1;
    let query = node.field("ctequery");
    node.number::<i32>("cterefcount") == Some(0)
        && query.and_then(|query| query.number("commandType")) == Some(SELECT)
}

/// A query and those around it.
struct Scope<'n, 't> {
    query: &'n Node<'t>,
    around: Option<&'n Scope<'n, 't>>,
}

/// What becomes of the columns that are met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    Choice,
    Mask,
    Beside,
}

struct Walk<'m> {
    masks: &'m [u32],
    uses: Uses,
    is_lost: bool,
}

impl Walk<'_> {
    fn nodes(
        &mut self,
        nodes: &[Node<'_>],
        scope: Option<&Scope<'_, '_>>,
        sight: Sight,
        depth: usize,
    ) {
        for node in nodes {
            self.node(node, scope, sight, depth);
        }
    }

    fn node(&mut self, node: &Node<'_>, scope: Option<&Scope<'_, '_>>, sight: Sight, depth: usize) {
        if depth > DEEPEST {
            self.is_lost = true;
            return;
        }
        let depth = depth + 1;
        let fields = match node {
            Node::Word(_) => return,
            Node::List(items) => return self.nodes(items, scope, sight, depth),
            Node::Named(_, fields) => fields,
        };
        match node.name() {
            "QUERY" => {
                let inner = Scope {
                    query: node,
                    around: scope,
                };
                self.written(node);
                for (_, values) in fields {
                    self.nodes(values, Some(&inner), sight, depth);
                }
            }
            // Never executed, it shows nothing.
            "COMMONTABLEEXPR" if is_idle(node) => self.stated(node, scope, depth),
            "VAR" => self.column(node, scope, sight, depth),
            "NULLTEST" if node.field("arg").is_some_and(|arg| arg.name() == "VAR") => {
                self.nodes(node.values("arg"), scope, Sight::Mask, depth);
            }
            "FUNCEXPR" if self.is_mask(node) => {
                let given = node.items("args");
                self.uses.numbers.extend(given.first().and_then(constant));
                for (place, node) in given.iter().enumerate() {
                    // The value itself; what follows are columns that the mask reads beside it.
                    let sight = if place == 2 {
                        Sight::Mask
                    } else {
                        Sight::Beside
                    };
                    self.node(node, scope, sight, depth);
                }
            }
            "FROMEXPR" => {
                self.nodes(node.values("fromlist"), scope, sight, depth);
                let quals = node.values("quals");
                let is_choice = sight == Sight::Open
                    && node.items("fromlist").len() == 1
                    && node
                        .items("fromlist")
                        .iter()
                        .all(|from| from.name() == "RANGETBLREF")
                    && !quals.iter().any(|qual| qual.holds("QUERY"));
                let sight = if is_choice { Sight::Choice } else { sight };
                self.nodes(quals, scope, sight, depth);
            }
            _ => {
                for (name, values) in fields {
                    // All columns of a join stand there; those that are used are met elsewhere.
                    if *name != "joinaliasvars" {
                        self.nodes(values, scope, sight, depth);
                    }
                }
            }
        }
    }

    /// What a view states of itself: its number with how many columns it masks, those, and what its
    /// masks read beside them.
    fn stated(&mut self, with: &Node<'_>, scope: Option<&Scope<'_, '_>>, depth: usize) {
        let Some(query) = with.field("ctequery") else {
            return;
        };
        let inner = Scope {
            query,
            around: scope,
        };
        let targets = query.items("targetList");
        let call = targets.first().and_then(|target| target.field("expr"));
        let masked = call.filter(|call| self.is_mask(call)).and_then(|call| {
            self.uses
                .numbers
                .extend(call.items("args").first().and_then(constant));
            let count = call.items("args").last().and_then(constant)?;
            usize::try_from(count).ok()
        });
        let masked = masked.unwrap_or(0);
        for target in targets.iter().skip(1).take(masked) {
            self.node(target, Some(&inner), Sight::Mask, depth);
        }
    }

    fn is_mask(&self, call: &Node<'_>) -> bool {
        call.number("funcid")
            .is_some_and(|number| self.masks.contains(&number))
    }

    fn column(
        &mut self,
        var: &Node<'_>,
        scope: Option<&Scope<'_, '_>>,
        sight: Sight,
        depth: usize,
    ) {
        let (Some(up), Some(from), Some(number)) = (
            var.number::<usize>("varlevelsup"),
            var.number::<usize>("varno"),
            var.number::<i32>("varattno"),
        ) else {
            self.is_lost = true;
            return;
        };
        let mut scope = scope;
        for _ in 0..up {
            scope = scope.and_then(|scope| scope.around);
        }
        // A condition of a rule stands in no query: what it names are the rows of its own table.
        let Some(scope) = scope else { return };
        let Some(entry) = from
            .checked_sub(1)
            .and_then(|at| scope.query.items("rtable").get(at))
        else {
            self.is_lost = true;
            return;
        };
        match entry.number::<u32>("rtekind") {
            Some(RELATION) if number >= 0 => {
                let Some(relation) = entry.number("relid") else {
                    self.is_lost = true;
                    return;
                };
                let met = match sight {
                    Sight::Open => &mut self.uses.read,
                    Sight::Choice => &mut self.uses.chosen_by,
                    Sight::Mask => &mut self.uses.masked,
                    Sight::Beside => return,
                };
                met.insert((relation, number));
            }
            Some(JOIN) => {
                let columns = entry.items("joinaliasvars");
                let one = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                match one {
                    Some(one) => {
                        if let Some(column) = columns.get(one) {
                            self.node(column, Some(scope), sight, depth);
                        }
                    }
                    None => self.nodes(columns, Some(scope), sight, depth),
                }
            }
            Some(_) => {}
            None => self.is_lost = true,
        }
    }

    fn written(&mut self, query: &Node<'_>) {
        if !matches!(query.number("commandType"), Some(UPDATE | INSERT)) {
            return;
        }
        let at = query
            .number::<usize>("resultRelation")
            .and_then(|n| n.checked_sub(1));
        let entry = at.and_then(|at| query.items("rtable").get(at));
        let Some(relation) = entry.and_then(|entry| entry.number("relid")) else {
            return;
        };
        let columns = query.items("targetList").iter();
        let numbers = columns.filter_map(|column| column.number("resno"));
        self.uses
            .written
            .extend(numbers.map(|number: i32| (relation, number)));
    }
}

const RELATION: u32 = 0;
const JOIN: u32 = 2;
const UPDATE: u32 = 2;
const INSERT: u32 = 3;

/// An integer that stands in a tree by its bytes, in the server's order.
fn constant(node: &Node<'_>) -> Option<i32> {
    let bytes = node
        .values("constvalue")
        .iter()
        .filter_map(|value| match value {
            Node::Word(word) => word.parse::<i16>().ok(),
            _ => None,
        });
    // The first is how many there are; each is printed with its sign.
    let bytes: Vec<u8> = bytes.skip(1).map(|byte| byte.to_le_bytes()[0]).collect();
    let datum = i64::from_ne_bytes(bytes.try_into().ok()?);
    i32::try_from(datum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "{RTE :alias <> :eref {ALIAS :aliasname s :colnames (\"id\" \"e\\ \\}m\")} \
                         :rtekind 0 :relid 77 :relkind r}";

    fn query(targets: &str, quals: &str) -> String {
        format!(
            "({{QUERY :commandType 1 :resultRelation 0 :rtable ({TABLE}) :jointree {{FROMEXPR \
             :fromlist ({{RANGETBLREF :rtindex 1}}) :quals {quals}}} :targetList ({targets})}}) <>"
        )
    }

    fn var(number: i32) -> String {
        format!("{{VAR :varno 1 :varattno {number} :vartype 25 :varlevelsup 0 :location -1}}")
    }

    #[test]
    fn a_null_test_and_a_mask_show_nothing() {
        let number = "{CONST :consttype 23 :constisnull false :constvalue 4 [ 7 0 0 0 0 0 0 0 ]}";
        let mask = format!(
            "{{FUNCEXPR :funcid 500 :args ({number} {number} {})}}",
            var(3)
        );
        let test = format!("{{NULLTEST :arg {} :nulltesttype 1}}", var(2));
        let text = query(&format!("{test} {mask}"), "<>");
        let found = uses(&text, &[500]).expect("a tree");
        assert!(found.read.is_empty());
        assert_eq!(found.masked, BTreeSet::from([(77, 2), (77, 3)]));
        assert_eq!(found.numbers, BTreeSet::from([7]));
        // Of another function's argument it is a reading.
        assert_eq!(
            uses(&text, &[]).expect("a tree").read,
            BTreeSet::from([(77, 3)])
        );
    }

    #[test]
    fn a_view_states_what_it_masks_and_what_its_masks_read_besides() {
        let int =
            |number| format!("{{CONST :consttype 23 :constvalue 4 [ {number} 0 0 0 0 0 0 0 ]}}");
        let call = format!("{{FUNCEXPR :funcid 500 :args ({} {})}}", int(7), int(1));
        let entries = [call, var(2), var(1)].map(|expr| format!("{{TARGETENTRY :expr {expr}}}"));
        let inner = query(&entries.join(" "), "<>");
        let inner = inner.trim_end_matches(") <>").trim_start_matches('(');
        let with = |count| {
            format!(
                "({{QUERY :cteList ({{COMMONTABLEEXPR :ctequery {inner} :cterefcount {count}}})}})"
            )
        };
        let found = uses(&with(0), &[500]).expect("a tree");
        assert_eq!(found.masked, BTreeSet::from([(77, 2)]));
        assert_eq!(found.numbers, BTreeSet::from([7]));
        assert!(found.read.is_empty());
        // What is read from shows what it shows.
        let found = uses(&with(1), &[500]).expect("a tree");
        assert_eq!(found.read, BTreeSet::from([(77, 1), (77, 2)]));
    }

    #[test]
    fn columns_are_read_and_chosen_by() {
        let found = uses(
            &query(&var(1), &format!("{{OPEXPR :args ({})}}", var(2))),
            &[],
        );
        let found = found.expect("a tree");
        assert_eq!(found.read, BTreeSet::from([(77, 1)]));
        assert_eq!(found.chosen_by, BTreeSet::from([(77, 2)]));
    }

    #[test]
    fn a_name_that_looks_like_a_field_is_a_value() {
        let entry = format!("{{TARGETENTRY :expr {} :resno 1 :resname :varno}}", var(2));
        let found = uses(&query(&entry, "<>"), &[]).expect("a tree");
        assert_eq!(found.read, BTreeSet::from([(77, 2)]));
    }

    #[test]
    fn a_text_of_another_form_is_not_judged() {
        assert_eq!(uses("({QUERY :rtable (", &[]), None);
        assert_eq!(
            uses(
                &query("{VAR :varno 9 :varattno 1 :varlevelsup 0}", "<>"),
                &[]
            ),
            None
        );
        assert_eq!(uses(&"(".repeat(5000), &[]), None);
    }
}
