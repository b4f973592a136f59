//! The documents that are compiled in.

/// Their texts.
pub const DOCUMENTS: [&str; 10] = [
    include_str!("../../../rules/calendars.yaml"),
    include_str!("../../../rules/ccpa.yaml"),
    include_str!("../../../rules/conflicts.yaml"),
    include_str!("../../../rules/controls.yaml"),
    include_str!("../../../rules/gdpr.yaml"),
    include_str!("../../../rules/lgpd.yaml"),
    include_str!("../../../rules/pipeda.yaml"),
    include_str!("../../../rules/pipl.yaml"),
    include_str!("../../../rules/popia.yaml"),
    include_str!("../../../rules/privacy_act.yaml"),
];
