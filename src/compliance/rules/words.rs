//! The words of rules, and what they stand for.

/// Whom a requirement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Who decides on purposes and means.
    Controller,
    /// Who processes for another.
    Processor,
    /// Both.
    Both,
    /// A public body.
    Agency,
}

impl Actor {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("controller", Self::Controller),
        ("processor", Self::Processor),
        ("both", Self::Both),
        ("agency", Self::Agency),
    ];
}

/// Kinds of requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A record to be kept.
    Record,
    /// Something to be told beforehand.
    Notice,
    /// A right of those whose data they are.
    Right,
    /// Protection.
    Security,
    /// How long data are kept.
    Retention,
    /// Where data go.
    Transfer,
    /// Consent.
    Consent,
    /// What to do when something went wrong.
    Breach,
    /// A look ahead at risks.
    Assessment,
    /// Who answers for it, and how.
    Governance,
    /// How data end.
    Disposal,
}

impl Kind {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("record", Self::Record),
        ("notice", Self::Notice),
        ("right", Self::Right),
        ("security", Self::Security),
        ("retention", Self::Retention),
        ("transfer", Self::Transfer),
        ("consent", Self::Consent),
        ("breach", Self::Breach),
        ("assessment", Self::Assessment),
        ("governance", Self::Governance),
        ("disposal", Self::Disposal),
    ];
}

/// When a requirement applies. Where nobody has said whether it does, it is taken to, but for those
/// that depend on what an organisation is: few are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Always.
    Always,
    /// When data are processed for another.
    Processor,
    /// When data go to another country.
    Transfers,
    /// When data are handed to others.
    Recipients,
    /// When there are sensitive data.
    Sensitive,
    /// When there are special ones: health, belief and the like, and criminal ones.
    Special,
    /// When there are data of children.
    Children,
    /// When a program decides, or helps to.
    AutomatedDecision,
    /// When data are sold or shared.
    Sale,
    /// When data are provided to others, who decide themselves what becomes of them, or published.
    HandedOn,
    /// When something went wrong.
    Incident,
    /// When something went wrong for very many people.
    Affected,
    /// When data are used for research without consent.
    Research,
    /// When data come from others than those whose data they are.
    Indirect,
    /// When something rests on legitimate interests.
    Interests,
    /// When something rests on consent.
    Consent,
    /// When data of very many people are handled.
    Volume,
    /// When the organisation has no place of business there.
    Abroad,
    /// When it is an operator of critical infrastructure.
    Critical,
    /// When it is an organ of the state.
    PublicBody,
    /// When it is not.
    PrivateBody,
    /// When it is a federal agency.
    FederalAgency,
}

impl Trigger {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 22] = [
        ("always", Self::Always),
        ("processor", Self::Processor),
        ("transfers", Self::Transfers),
        ("recipients", Self::Recipients),
        ("sensitive", Self::Sensitive),
        ("special", Self::Special),
        ("children", Self::Children),
        ("automated_decision", Self::AutomatedDecision),
        ("sale", Self::Sale),
        ("handed_on", Self::HandedOn),
        ("incident", Self::Incident),
        ("affected", Self::Affected),
        ("research", Self::Research),
        ("indirect", Self::Indirect),
        ("interests", Self::Interests),
        ("consent", Self::Consent),
        ("volume", Self::Volume),
        ("abroad", Self::Abroad),
        ("critical", Self::Critical),
        ("public_body", Self::PublicBody),
        ("private_body", Self::PrivateBody),
        ("federal_agency", Self::FederalAgency),
    ];
}

/// Classes of penalties, the heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PenaltyClass {
    /// A share of turnover, or tens of millions.
    Turnover,
    /// Millions at most.
    Millions,
    /// For each violation, or each person.
    Each,
    /// Less than a million at most.
    Fixed,
    /// None of its own.
    None,
}

impl PenaltyClass {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("turnover", Self::Turnover),
        ("millions", Self::Millions),
        ("each", Self::Each),
        ("fixed", Self::Fixed),
        ("none", Self::None),
    ];
}

/// Whether something is law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, or will be from its first day on.
    InForce,
    /// It is enacted for a later day.
    Future,
    /// It is not.
    Proposed,
    /// It is no longer.
    Repealed,
}

impl Standing {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("in_force", Self::InForce),
        ("future", Self::Future),
        ("proposed", Self::Proposed),
        ("repealed", Self::Repealed),
    ];
}

/// Where a row comes from. Neither is the official text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From a source that was read for this project.
    Read,
    /// From general knowledge.
    Knowledge,
}

impl Origin {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 2] =
        [("read", Self::Read), ("knowledge", Self::Knowledge)];
}

/// How a control relates to a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is the same: it covers it.
    Equal,
    /// It is more: it covers it.
    Superset,
    /// It is a part of it.
    Subset,
    /// It is a part of it, and something else.
    Intersects,
}

impl Relation {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("equal", Self::Equal),
        ("superset", Self::Superset),
        ("subset", Self::Subset),
        ("intersects", Self::Intersects),
    ];

    /// Whether the control alone covers the requirement.
    pub fn covers(self) -> bool {
        matches!(self, Self::Equal | Self::Superset)
    }
}

/// Whether somebody else looked at a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Not yet.
    Draft,
    /// Yes.
    Reviewed,
}

impl Review {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 2] =
        [("draft", Self::Draft), ("reviewed", Self::Reviewed)];
}

/// Who sees to a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This extension.
    Confiture,
    /// Who runs the database.
    Dba,
    /// The controller.
    Controller,
}

impl Owner {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("confiture", Self::Confiture),
        ("dba", Self::Dba),
        ("controller", Self::Controller),
    ];
}

/// Kinds of evidence, for readers: how much it weighs is said by the function that finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The database shows it.
    Db,
    /// The ledger does.
    Ledger,
    /// Somebody says so.
    Attestation,
    /// A document does.
    Document,
}

impl Proof {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("db", Self::Db),
        ("ledger", Self::Ledger),
        ("attestation", Self::Attestation),
        ("document", Self::Document),
    ];
}

/// How a conflict is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The earliest moment.
    Min,
    /// The highest number.
    Max,
    /// Everything that one of them asks for.
    Union,
    /// What all of them allow.
    Intersect,
    /// What protects most.
    MostProtective,
    /// Apart from each other.
    Segregate,
    /// Somebody must decide.
    Escalate,
}

impl Operator {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("MIN", Self::Min),
        ("MAX", Self::Max),
        ("UNION", Self::Union),
        ("INTERSECT", Self::Intersect),
        ("MOST_PROTECTIVE", Self::MostProtective),
        ("SEGREGATE", Self::Segregate),
        ("ESCALATE", Self::Escalate),
    ];

    /// Whether no rule answers it.
    pub fn needs_decision(self) -> bool {
        matches!(self, Self::Segregate | Self::Escalate)
    }
}

/// What tells whether a conflict is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detect {
    /// It is where both laws hold.
    Present,
    /// By the deadlines of its requirements.
    Deadlines,
    /// By how long its requirements have something kept.
    Keep,
    /// By the retention rules that the controller declared, category by category.
    Retention,
    /// By the ages of its requirements.
    Age,
    /// By the fields of its requirements.
    Contents,
    /// By the declared transfers.
    Transfers,
    /// By the state of masked columns.
    Columns,
    /// By the requests that are open.
    Requests,
    /// By the holds that are declared.
    Hold,
}

impl Detect {
    /// The words of data.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("present", Self::Present),
        ("deadlines", Self::Deadlines),
        ("keep", Self::Keep),
        ("retention", Self::Retention),
        ("age", Self::Age),
        ("contents", Self::Contents),
        ("transfers", Self::Transfers),
        ("columns", Self::Columns),
        ("requests", Self::Requests),
        ("hold", Self::Hold),
    ];
}
