//! Access: what each kind of work may call and read, given and taken on the record.

pub mod sql;
pub mod store;

/// A kind of work.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Patterns, as of LIKE, of the names of functions that it may call.
    pub functions: &'static [&'static str],
    /// Tables and views of schema `confiture` that it may read.
    pub relations: &'static [&'static str],
}

/// What a revealer of one domain of tokens may call: the domain is asked for in each call.
pub const OF_DOMAIN: Kind = Kind {
    name: "revealer",
    functions: &[
        r"anon\_detokenize",
        "reveal",
        r"reveal\_batch",
        r"load\_keys",
        r"forget\_keys",
    ],
    relations: &["vault_domains"],
};

/// The kinds there are, in the order they are named to users.
pub const KINDS: [Kind; 5] = [
    Kind {
        name: "masker",
        functions: &[
            r"anon\_%",
            r"\_strategies",
            r"validate\_value",
            r"tokenize\_batch",
            r"load\_keys",
            r"forget\_keys",
        ],
        relations: &["strategies", "vault_domains"],
    },
    Kind {
        name: "operator",
        functions: &[
            r"validate\_profile",
            r"load\_profile",
            r"retire\_profile",
            r"resolve\_seed",
            "plan",
            r"plan\_warnings",
            "preview",
            "detect",
            r"suggest\_profile",
            "sync",
            r"register\_hook",
            r"unregister\_hook",
            r"hook\_%",
            r"\_run\_mask",
            r"\_run\_scan",
            r"\_run\_track",
            r"\_mask\_value",
            r"create\_masked\_views",
            r"refresh\_masked\_views",
            r"drop\_masked\_views",
            r"lint\_access",
            r"begin\_run",
            "track",
            r"end\_run",
            r"fail\_run",
            r"\_strategies",
            r"validate\_value",
            r"export\_anchor",
            r"tokenize\_batch",
            r"cleanup\_expired\_tokens",
            r"load\_keys",
            r"forget\_keys",
            r"provider\_problem",
        ],
        relations: &[
            "hooks",
            "profiles",
            "key_status",
            "masked_views",
            "strategies",
            "vault_domains",
        ],
    },
    Kind {
        name: "revealer",
        functions: &[
            r"anon\_%\_decrypt",
            r"verify\_lineage\_row",
            r"\_run\_mac",
            r"load\_keys",
            r"forget\_keys",
        ],
        relations: &[],
    },
    Kind {
        name: "auditor",
        functions: &[
            r"get\_audit\_log",
            r"audit\_entry\_json",
            r"verify\_ledger",
            r"verify\_lineage\_data",
            r"verify\_lineage\_integrity",
            r"verify\_lineage\_rows",
            r"\_run\_mac",
            r"record\_verification",
            r"\_run\_track",
            r"anchor\_key",
            r"export\_anchor",
            r"export\_ledger",
            r"inclusion\_proof",
            r"consistency\_proof",
            r"lineage\_history",
            r"lineage\_report",
            r"export\_openlineage",
            r"issue\_%",
            r"lint\_access",
            r"provider\_problem",
        ],
        relations: &[
            "audit_log",
            "journal",
            "lineage",
            "lineage_columns",
            "lineage_row_chunk",
            "masked_views",
            "reveals",
            "hooks",
            "run_report",
            "runs",
            "verification",
            "profiles",
            "key_status",
            "token_access",
            "vault_domains",
        ],
    },
    Kind {
        name: "admin",
        functions: &[
            r"create\_key",
            r"rotate\_key",
            r"rotate\_kek",
            r"rewrap\_keys",
            r"destroy\_key\_version",
            r"share\_key",
            r"import\_key",
            r"installation\_id",
            r"shred\_run\_key",
            r"register\_hook",
            r"unregister\_hook",
            r"create\_domain",
            r"forget\_subject",
            r"cleanup\_expired\_tokens",
            r"rewrap\_tokens",
            r"load\_keys",
            r"forget\_keys",
            r"provider\_problem",
        ],
        relations: &["hooks", "key_status", "shared_key", "vault_domains"],
    },
];
