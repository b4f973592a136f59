//! YAML 1.2 into a small tree that knows the place of every node, within fixed bounds.
//!
//! Everything a profile has no use for is refused by name: tags beyond the core schema, merge keys,
//! directives, a second document, aliases to mappings and lists (so nothing can expand), control
//! characters. Problems never quote a scalar; only keys and tags are named.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScanError, Tag};

use super::names::shown;
use super::scalar::{self, RefusedTag, Scalar, ScalarKind};
use super::{Place, Problems};

/// The largest document, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The deepest nesting of mappings and lists.
pub const MAX_DEPTH: usize = 64;
/// The most scalars, mappings and lists, keys included.
pub const MAX_NODES: usize = 100_000;
/// The most uses of aliases.
pub const MAX_ALIASES: usize = 32;
/// The longest scalar, in characters.
pub const MAX_TEXT: usize = 10_000;

/// How large a document may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// In bytes.
    pub bytes: usize,
    /// In scalars, mappings and lists, keys included.
    pub nodes: usize,
}

impl Bounds {
    /// Those of what people write.
    pub const USUAL: Self = Self {
        bytes: MAX_BYTES,
        nodes: MAX_NODES,
    };
}

/// One node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    List(Vec<Node>),
    Map(Vec<Entry>),
    Scalar(Scalar),
}

/// One key of a mapping, with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

impl Node {
    /// What the node is, for a message.
    pub(super) fn noun(&self) -> &'static str {
        match &self.content {
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
            Content::Scalar(scalar) => match scalar.kind {
                ScalarKind::Bool(_) => "a boolean",
                ScalarKind::Int => "an integer",
                ScalarKind::Null => "nothing",
                ScalarKind::Number => "a number",
                ScalarKind::Text => "a text",
            },
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.kind == ScalarKind::Null)
    }
}

/// Reads one document. Without a tree there is at least one error; with one, there may be errors
/// that let reading go on.
pub(super) fn parse(bytes: &[u8], problems: &mut Problems) -> Option<Node> {
    parse_within(Bounds::USUAL, bytes, problems)
}

/// The same, within other bounds.
pub(super) fn parse_within(bounds: Bounds, bytes: &[u8], problems: &mut Problems) -> Option<Node> {
    let text = checked_text(bytes, bounds.bytes);
    match text.and_then(|text| Builder::new(problems, bounds.nodes).run(text)) {
        Ok(root) => Some(root),
        Err(fatal) => {
            let hint = fatal.hint.map(str::to_owned);
            problems.error(fatal.place, "", fatal.code, fatal.message, hint);
            None
        }
    }
}

/// A problem that ends the reading.
struct Fatal {
    place: Option<Place>,
    code: &'static str,
    message: String,
    hint: Option<&'static str>,
}

impl Fatal {
    fn new(place: Place, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            code,
            message: message.into(),
            hint: None,
        }
    }

    fn tag(place: Place, message: String) -> Self {
        Self::new(place, "tag", message).hint("Remove the tag; a document holds plain data only.")
    }

    fn too_deep(place: Place) -> Self {
        Self::new(
            place,
            "limit",
            format!("nesting is deeper than {MAX_DEPTH} levels"),
        )
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl From<ScanError> for Fatal {
    fn from(error: ScanError) -> Self {
        let marker = error.marker();
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return Self::too_deep(place(marker.line(), marker.col()));
        }
        let message = match error.kind() {
            // The character may belong to a seed.
            ErrorKind::UnexpectedCharacter { .. } => "unexpected character".to_owned(),
            kind => kind.to_string().replace(char::is_control, " "),
        };
        Self::new(place(marker.line(), marker.col()), "syntax", message)
    }
}

/// Checks size, encoding and characters, before a parser sees the document.
fn checked_text(bytes: &[u8], most: usize) -> Result<&str, Fatal> {
    if bytes.len() > most {
        return Err(Fatal {
            place: None,
            code: "limit",
            message: format!(
                "document of {} bytes is larger than {most} bytes",
                bytes.len()
            ),
            hint: None,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        Fatal::new(end_of(&before), "encoding", "document is not valid UTF-8")
    })?;
    let refused = |c: char| is_forbidden(c) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    if let Some((at, found)) = text.char_indices().find(|&(_, c)| refused(c)) {
        let what = match found {
            '\0' => "a zero byte".to_owned(),
            '\u{feff}' => "a byte order mark after its beginning".to_owned(),
            other => format!("the control character U+{:04X}", u32::from(other)),
        };
        let message = format!("document contains {what}");
        return Err(Fatal::new(end_of(&text[..at]), "encoding", message));
    }
    Ok(text)
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// The place just behind `text`.
fn end_of(text: &str) -> Place {
    let (mut line, mut column) = (1, 0);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' || (c == '\r' && chars.peek() != Some(&'\n')) {
            (line, column) = (line + 1, 0);
        } else {
            column += 1;
        }
    }
    place(line, column)
}

/// A place from a line that counts from 1 and a column that counts from 0.
fn place(line: usize, column: usize) -> Place {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place {
        line: number(line),
        column: number(column.saturating_add(1)),
    }
}

/// A mapping or list that is still open.
struct Open {
    place: Place,
    frame: Frame,
}

enum Frame {
    List(Vec<Node>),
    /// The entries, and the key that waits for its value.
    Map(Vec<Entry>, Option<(String, Place)>),
}

struct Builder<'a> {
    problems: &'a mut Problems,
    open: Vec<Open>,
    root: Option<Node>,
    /// Scalars by anchor; a mapping or list is noted without content.
    anchors: HashMap<usize, Option<Scalar>>,
    nodes: usize,
    most_nodes: usize,
    aliases: usize,
}

impl<'a> Builder<'a> {
    fn new(problems: &'a mut Problems, most_nodes: usize) -> Self {
        Self {
            problems,
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            nodes: 0,
            most_nodes,
            aliases: 0,
        }
    }

    fn run(mut self, text: &str) -> Result<Node, Fatal> {
        let mut options = Options::default();
        options.disallow_directives = true;
        // The parser looks ahead of the events, so it keeps the bound on depth as well.
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        options.set_emit_comments(false);
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event?;
            let at = place(span.start.line(), span.start.col());
            if let Event::DocumentStart(..) = event {
                documents += 1;
                if documents > 1 {
                    return Err(Fatal::new(at, "documents", "more than one document"));
                }
            }
            let tag_at = span
                .tag_start()
                .map_or(at, |mark| place(mark.line(), mark.col()));
            self.event(event, at, tag_at)?;
        }
        self.root
            .ok_or_else(|| Fatal::new(place(1, 0), "syntax", "document is empty"))
    }

    fn event(&mut self, event: Event<'_>, at: Place, tag_at: Place) -> Result<(), Fatal> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                check_length(&text, at)?;
                let scalar = match Scalar::read(text, style, tag.as_deref()) {
                    Ok(scalar) => scalar,
                    Err(RefusedTag(message)) => return Err(Fatal::tag(tag_at, message)),
                };
                if anchor > 0 {
                    self.anchors.insert(anchor, Some(scalar.clone()));
                }
                self.node(Node {
                    place: at,
                    content: Content::Scalar(scalar),
                })
            }
            Event::SequenceStart(_, anchor, tag) => {
                collection_tag(tag.as_deref(), "seq", tag_at)?;
                self.push(at, anchor, Frame::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                collection_tag(tag.as_deref(), "map", tag_at)?;
                self.push(at, anchor, Frame::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.pop(),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd => Ok(()),
            _ => Err(Fatal::new(at, "syntax", "unsupported YAML construct")),
        }
    }

    fn push(&mut self, place: Place, anchor: usize, frame: Frame) -> Result<(), Fatal> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Fatal::too_deep(place));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.open.push(Open { place, frame });
        Ok(())
    }

    fn pop(&mut self) -> Result<(), Fatal> {
        let Some(Open { place, frame }) = self.open.pop() else {
            return Ok(());
        };
        let content = match frame {
            Frame::List(items) => Content::List(items),
            Frame::Map(entries, _) => Content::Map(self.without_duplicates(entries)),
        };
        self.node(Node { place, content })
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<(), Fatal> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            let message = format!("aliases are used more than {MAX_ALIASES} times");
            return Err(Fatal::new(at, "limit", message));
        }
        match self.anchors.get(&anchor) {
            Some(Some(scalar)) => {
                let content = Content::Scalar(scalar.clone());
                self.node(Node { place: at, content })
            }
            _ => Err(
                Fatal::new(at, "alias", "alias to a mapping or list is not supported")
                    .hint("Write the mapping or list out."),
            ),
        }
    }

    /// Puts a finished node where it belongs.
    fn node(&mut self, node: Node) -> Result<(), Fatal> {
        self.nodes += 1;
        let most = self.most_nodes;
        if self.nodes > most {
            let message = format!("document has more than {most} nodes");
            return Err(Fatal::new(node.place, "limit", message));
        }
        match self.open.last_mut().map(|open| &mut open.frame) {
            None => self.root = Some(node),
            Some(Frame::List(items)) => items.push(node),
            Some(Frame::Map(entries, waiting)) => match waiting.take() {
                Some((key, place)) => entries.push(Entry {
                    key,
                    place,
                    value: node,
                }),
                None => *waiting = Some(key_of(node)?),
            },
        }
        Ok(())
    }

    /// Keeps the first of every key, and reports the others.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: HashMap<String, Place> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(earlier) = first.get(&entry.key) {
                let message = format!("key \"{}\" is already used at {earlier}", shown(&entry.key));
                self.problems
                    .error(entry.place, "", "duplicate_key", message, None);
            } else {
                first.insert(entry.key.clone(), entry.place);
                kept.push(entry);
            }
        }
        kept
    }
}

fn key_of(node: Node) -> Result<(String, Place), Fatal> {
    let at = node.place;
    match node.content {
        Content::Scalar(scalar) if scalar.kind == ScalarKind::Null => {
            Err(Fatal::new(at, "syntax", "key is missing"))
        }
        Content::Scalar(scalar) if scalar.text == "<<" => {
            Err(
                Fatal::new(at, "merge_key", "merge key \"<<\" is not supported")
                    .hint("Write the keys out."),
            )
        }
        Content::Scalar(scalar) => Ok((scalar.text, at)),
        _ => Err(Fatal::new(at, "syntax", "key must be a text")),
    }
}

fn collection_tag(tag: Option<&Tag>, allowed: &str, at: Place) -> Result<(), Fatal> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.core_suffix() == Some(allowed) => Ok(()),
        Some(tag) => Err(Fatal::tag(at, scalar::refused_tag(tag))),
    }
}

fn check_length(text: &str, at: Place) -> Result<(), Fatal> {
    if text.chars().nth(MAX_TEXT).is_some() {
        let message = format!("text is longer than {MAX_TEXT} characters");
        return Err(Fatal::new(at, "limit", message));
    }
    if text.contains(is_forbidden) {
        return Err(Fatal::new(
            at,
            "encoding",
            "text contains a control character",
        ));
    }
    Ok(())
}
