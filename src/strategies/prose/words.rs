//! The words of placeholder text, by their number of letters: Latin, none of them a name.

/// The most letters of a word.
pub(super) const LONGEST: usize = 12;

/// How many words there are.
pub(super) const COUNT: u16 = 256;

/// Those of one letter, of two, and so on, each in alphabetical order.
pub(super) const WORDS: [&[&str]; LONGEST] = [
    &["a", "e", "o"],
    &[
        "ab", "ac", "ad", "an", "at", "da", "de", "ea", "eo", "et", "ex", "id", "in", "ne", "se",
        "si", "te", "tu", "ut",
    ],
    &[
        "aut", "cum", "dis", "dui", "est", "hac", "mus", "nam", "nec", "non", "per", "qui", "quo",
        "rem", "sed", "sem", "sit", "vel",
    ],
    &[
        "amet", "ante", "arcu", "diam", "eget", "eius", "elit", "enim", "erat", "fuga", "iste",
        "modi", "nemo", "nibh", "nisi", "nisl", "nunc", "odio", "odit", "orci", "pede", "quae",
        "quam", "quas", "quia", "quis", "quod", "sint", "sunt", "urna", "vero",
    ],
    &[
        "animi", "augue", "autem", "culpa", "dolor", "donec", "earum", "error", "etiam", "fusce",
        "illum", "ipsam", "ipsum", "lacus", "lorem", "magna", "massa", "metus", "morbi", "natus",
        "neque", "nihil", "nobis", "nulla", "omnis", "optio", "porta", "proin", "purus", "quasi",
        "risus", "saepe", "totam", "ullam", "velit", "vitae",
    ],
    &[
        "aenean", "aliqua", "auctor", "beatae", "congue", "cumque", "cursus", "dictum", "fugiat",
        "labore", "lectus", "libero", "ligula", "litora", "magnam", "magnis", "mattis", "mauris",
        "minima", "mollis", "montes", "nostra", "ornare", "platea", "primis", "rutrum", "sapien",
        "semper", "tempor", "tempus", "tortor", "turpis", "varius",
    ],
    &[
        "aliquam", "aliquet", "blandit", "commodo", "conubia", "ducimus", "egestas", "eiusmod",
        "facilis", "feugiat", "gravida", "iaculis", "integer", "lacinia", "laoreet", "maximus",
        "natoque", "nostrud", "officia", "potenti", "pretium", "quaerat", "ratione", "rhoncus",
        "sodales", "vivamus", "viverra",
    ],
    &[
        "accumsan", "adipisci", "corporis", "corrupti", "deleniti", "dictumst", "eleifend",
        "eligendi", "facilisi", "faucibus", "habitant", "interdum", "invidunt", "lobortis",
        "molestie", "nesciunt", "occaecat", "placerat", "possimus", "praesent", "sagittis",
        "sapiente", "senectus", "suscipit", "torquent", "vehicula", "volutpat",
    ],
    &[
        "accusamus",
        "consequat",
        "convallis",
        "cupidatat",
        "dignissim",
        "efficitur",
        "elementum",
        "explicabo",
        "facilisis",
        "fringilla",
        "habitasse",
        "hendrerit",
        "imperdiet",
        "inventore",
        "molestiae",
        "molestias",
        "obcaecati",
        "phasellus",
        "porttitor",
        "provident",
        "ridiculus",
        "similique",
        "tristique",
        "ultricies",
        "veritatis",
        "vulputate",
    ],
    &[
        "adipiscing",
        "architecto",
        "asperiores",
        "aspernatur",
        "blanditiis",
        "cupiditate",
        "distinctio",
        "doloremque",
        "incididunt",
        "laboriosam",
        "laudantium",
        "parturient",
        "recusandae",
        "reiciendis",
        "temporibus",
        "vestibulum",
        "voluptatem",
        "voluptates",
    ],
    &[
        "accusantium",
        "condimentum",
        "consectetur",
        "consequatur",
        "dignissimos",
        "perferendis",
        "praesentium",
        "repellendus",
        "repudiandae",
        "scelerisque",
        "suspendisse",
        "ullamcorper",
    ],
    &[
        "consectetuer",
        "consequuntur",
        "exercitation",
        "pellentesque",
        "perspiciatis",
        "sollicitudin",
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order_and_as_long_as_their_place_says() {
        for (length, words) in (1..).zip(WORDS) {
            assert!(words.is_sorted() && words.len() >= 3);
            for word in words {
                assert_eq!(word.len(), length, "{word}");
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()));
            }
        }
        assert_eq!(
            WORDS.iter().map(|words| words.len()).sum::<usize>(),
            usize::from(COUNT)
        );
        const { assert!(COUNT >= 150 && COUNT <= 256) };
    }
}
