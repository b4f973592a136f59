//! United States: the system of records notice of a federal agency.

use crate::compliance::report::definition::{
    Ask::{Activities, All, Derive, Measures, Role},
    Law, Section, line,
};
use crate::compliance::report::derive::{columns, retention};

/// The report of the act of the United States.
pub const LAW: Law = Law {
    code: "privacy_act",
    variant: Some("US"),
    jurisdiction: "US",
    title: "System of records notice",
    act: "Privacy Act of 1974, 5 U.S.C. 552a(e)(4)",
    sections: &[Section {
        title: "Notice",
        lines: &[
            line(
                "us.e4.A",
                "US-552A-E4",
                "552a(e)(4)(A)",
                "Location of the system",
                Role(&["controller"], &["legal_name", "address"]),
            ),
            line(
                "us.e4.A.name",
                "US-552A-E4",
                "552a(e)(4)(A)",
                "Name of the system",
                Activities(&["system"]),
            ),
            line(
                "us.e4.B",
                "US-552A-E4",
                "552a(e)(4)(B)",
                "Categories of individuals",
                Activities(&["subjects"]),
            ),
            line(
                "us.e4.C",
                "US-552A-E4",
                "552a(e)(4)(C)",
                "Categories of records",
                Derive(columns::categories),
            ),
            line(
                "us.e4.D",
                "US-552A-E4",
                "552a(e)(4)(D)",
                "Routine uses, with users and purpose",
                All("recipient", &["category", "purpose"]),
            ),
            line(
                "us.e4.E.storage",
                "US-552A-E4",
                "552a(e)(4)(E)",
                "Storage and access controls",
                Derive(columns::safeguards),
            ),
            line(
                "us.e4.E.retrieval",
                "US-552A-E4",
                "552a(e)(4)(E)",
                "How records are retrieved",
                Activities(&["retrieved_by"]),
            ),
            line(
                "us.e4.E.retention",
                "US-552A-E4",
                "552a(e)(4)(E)",
                "Retention and disposal",
                Derive(retention::rules),
            ),
            line(
                "us.e4.F",
                "US-552A-E4",
                "552a(e)(4)(F)",
                "Responsible official",
                Role(&["responsible_official"], &["legal_name", "contact"]),
            ),
            line(
                "us.e4.G",
                "US-552A-E4",
                "552a(e)(4)(G)",
                "Procedure of notification",
                Measures(&["records_office"]),
            ),
            line(
                "us.e4.H",
                "US-552A-E4",
                "552a(e)(4)(H)",
                "Procedure of access and contest",
                Measures(&["access_procedure", "correction_procedure"]),
            ),
            line(
                "us.e4.I",
                "US-552A-E4",
                "552a(e)(4)(I)",
                "Sources of the records",
                Activities(&["sources"]),
            ),
        ],
    }],
    limits: &["For federal agencies of the United States only."],
};
