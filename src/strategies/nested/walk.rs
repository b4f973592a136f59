//! One pass over the text of a document: what is masked is written anew, the rest is copied.
//!
//! Order and duplicates of keys, numbers, escapes and white space of everything untouched stay byte
//! for byte, and a document in which nothing changes is not copied at all. Time and memory are
//! linear in the length of the text: depth costs no stack, and there is a limit to it.

use std::borrow::Cow;
use std::ops::Range;

use super::path::Label;
use super::rules::{Follower, State};
use super::scalar::Act;
use super::token;
use crate::error::{Error, Result};
use crate::strategies::Row;
use crate::strategies::definition::{Input, outside};
use crate::strategies::pause::Pace;

/// How deep objects and arrays may stand in one another.
pub(super) const DEEPEST: usize = 512;

/// Masks a document: `acts` is what becomes of every part that no path leads to, and then, path by
/// path, of the parts they lead to.
pub(super) fn walk<'a>(
    text: &'a str,
    follower: &Follower,
    acts: &[Act],
    row: Row<'_>,
) -> Result<Cow<'a, str>> {
    let inputs: Vec<_> = if row.0.is_empty() {
        Vec::new()
    } else {
        acts.iter().map(|act| act.inputs(row)).collect()
    };
    let mut walk = Walk {
        text,
        bytes: text.as_bytes(),
        at: token::space(text.as_bytes(), 0),
        out: String::new(),
        copied: 0,
        follower,
        acts,
        inputs: &inputs,
        states: Vec::new(),
        open: Vec::new(),
        name: String::new(),
    };
    walk.document()?;
    if walk.copied == 0 && walk.out.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    walk.copy_to(text.len());
    Ok(Cow::Owned(walk.out))
}

struct Walk<'a, 'r> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: String,
    /// How much of the text is in `out`, or was left out of it on purpose.
    copied: usize,
    follower: &'r Follower,
    acts: &'r [Act],
    /// What the strategies of `acts` read of the row; empty if nothing is given.
    inputs: &'r [Vec<Input<'r>>],
    /// The states at every open container, one range after another.
    states: Vec<State>,
    open: Vec<Container>,
    /// A key with escapes, decoded.
    name: String,
}

/// An object or an array that the walk is inside of.
struct Container {
    is_object: bool,
    act: usize,
    states: Range<usize>,
    /// The index of the part at hand, and how many parts are left so far.
    index: usize,
    kept: usize,
    /// Where a part begins to be left out: at the comma before it, or after what opens the
    /// container or an earlier comma.
    cut: usize,
    /// What to return to if the container itself is left out.
    before: Mark,
    /// What to return to if the part at hand is left out, once its name has been written.
    named: Option<Mark>,
}

/// How much was written.
#[derive(Clone, Copy)]
struct Mark {
    out: usize,
    copied: usize,
}

/// What became of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Cached,
    Out,
}

/// A part that is about to be read.
struct Part {
    act: usize,
    states: Range<usize>,
}

impl Walk<'_, '_> {
    fn document(&mut self) -> Result<()> {
        let arrived = self.follower.start(&mut self.states);
        let mut part = Part {
            act: arrived.map_or(0, |place| place + 1),
            states: 0..self.states.len(),
        };
        let pace = Pace::new();
        loop {
            pace.step();
            let Some(mut left) = self.value(part)? else {
                part = self.part()?;
                continue;
            };
            loop {
                let Some(container) = self.open.last_mut() else {
                    return self.end(left);
                };
                if left == Left::Cached {
                    container.kept += 1;
                }
                container.index += 1;
                let comma = token::space(self.bytes, self.at);
                let continues = self.bytes.get(comma) == Some(&b',');
                let first = container.kept == 0;
                let cut = container.cut;
                container.cut = if first { comma + 1 } else { comma };
                let named = container.named.take();
                if left == Left::Out {
                    if let Some(named) = named {
                        self.back_to(named);
                    }
                    self.copy_to(cut);
                    // The first part that stays has no comma before it.
                    self.copied = match (continues, first) {
                        (true, true) => comma + 1,
                        (true, false) => comma,
                        (false, _) => self.at,
                    };
                }
                self.at = comma;
                if continues {
                    self.at += 1;
                    self.at = token::space(self.bytes, self.at);
                    part = self.part()?;
                    break;
                }
                left = self.close()?;
            }
        }
    }

    /// Reads a value. None if it is a container that the walk has gone into.
    fn value(&mut self, part: Part) -> Result<Option<Left>> {
        let start = self.at;
        let (act, row) = (&self.acts[part.act], row(self.inputs, part.act));
        let Some(&first) = self.bytes.get(start) else {
            return Err(self.invalid());
        };
        if matches!(first, b'{' | b'[') {
            let nothing_below = part.states.is_empty();
            let whole = match act {
                Act::Keep => nothing_below,
                // Of what no path leads to, every part is dropped for itself; the root stays.
                Act::Drop => part.act != 0 || nothing_below && !self.open.is_empty(),
                Act::Null => part.act != 0,
                Act::Mask(masks) => masks.takes_documents(),
            };
            if !whole {
                return self.enter(part, first == b'{');
            }
        }
        self.states.truncate(part.states.start);
        let end = self.end_of(first)?;
        self.at = end;
        match act {
            Act::Keep => {}
            Act::Drop => return Ok(Some(Left::Out)),
            Act::Null => self.replace(start..end, |out| {
                out.push_str("null");
                Ok(true)
            })?,
            Act::Mask(masks) => {
                let token = &self.text[start..end];
                self.replace(start..end, |out| {
                    match first {
                        b'"' => {
                            let inside = token::unescape_lossy(&token[1..token.len() - 1]);
                            let value = inside.ok_or_else(|| invalid(start))?;
                            return masks.string(&value, row, out);
                        }
                        b'n' => return Ok(false),
                        b't' | b'f' => masks.boolean(first == b't', row, out)?,
                        b'{' | b'[' => masks.document(token, row, out)?,
                        _ => masks.number(token, row, out)?,
                    }
                    Ok(true)
                })?;
            }
        }
        Ok(Some(Left::Cached))
    }

    /// Writes something in place of a part of the text, unless nothing is written.
    fn replace(
        &mut self,
        part: Range<usize>,
        write: impl FnOnce(&mut String) -> Result<bool>,
    ) -> Result<()> {
        let before = self.mark();
        self.copy_to(part.start);
        if write(&mut self.out)? {
            self.copied = part.end;
        } else {
            self.back_to(before);
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark {
            out: self.out.len(),
            copied: self.copied,
        }
    }

    fn back_to(&mut self, mark: Mark) {
        self.out.truncate(mark.out);
        self.copied = mark.copied;
    }

    /// Returns the end of the value that begins here.
    fn end_of(&self, first: u8) -> Result<usize> {
        let (bytes, at) = (self.bytes, self.at);
        let end = match first {
            b'"' => token::string(bytes, at + 1).map(|(end, _)| end),
            b'{' | b'[' => token::value(bytes, at, DEEPEST - self.open.len()),
            b't' => token::word(bytes, at, "true"),
            b'f' => token::word(bytes, at, "false"),
            b'n' => token::word(bytes, at, "null"),
            _ => token::number(bytes, at).map(|number| number.end),
        };
        end.ok_or_else(|| self.invalid())
    }

    /// Goes into a container; if it is empty, it is done at once.
    fn enter(&mut self, part: Part, is_object: bool) -> Result<Option<Left>> {
        if self.open.len() == DEEPEST {
            return Err(self.invalid());
        }
        // What may be left out again is never copied twice.
        if part.act == 0 && matches!(self.acts[0], Act::Drop) {
            let cut = self
                .open
                .last()
                .map_or(self.copied, |container| container.cut);
            self.copy_to(cut);
        }
        self.at += 1;
        self.open.push(Container {
            is_object,
            act: part.act,
            states: part.states,
            index: 0,
            kept: 0,
            cut: self.at,
            before: self.mark(),
            named: None,
        });
        self.at = token::space(self.bytes, self.at);
        let close = if is_object { b'}' } else { b']' };
        if self.bytes.get(self.at) == Some(&close) {
            return self.close().map(Some);
        }
        Ok(None)
    }

    /// Leaves a container at what closes it.
    fn close(&mut self) -> Result<Left> {
        let Some(container) = self.open.pop() else {
            return Err(self.invalid());
        };
        let close = if container.is_object { b'}' } else { b']' };
        if self.bytes.get(self.at) != Some(&close) {
            return Err(self.invalid());
        }
        self.at += 1;
        self.states.truncate(container.states.start);
        // What no path leads to and nothing is left in is left out like a scalar; the root stays.
        let dropped = container.act == 0 && matches!(self.acts[0], Act::Drop);
        if dropped && container.kept == 0 && !self.open.is_empty() {
            self.back_to(container.before);
            return Ok(Left::Out);
        }
        Ok(Left::Cached)
    }

    /// Reads what leads to the next part of the innermost container.
    fn part(&mut self) -> Result<Part> {
        let Some(container) = self.open.last() else {
            return Err(self.invalid());
        };
        let (states, act, index) = (container.states.clone(), container.act, container.index);
        let mut name_at = 0..0;
        let label = if container.is_object {
            let key = token::key(self.bytes, self.at).ok_or_else(|| self.invalid())?;
            self.at = key.value;
            name_at = key.start - 1..key.end + 1;
            let written = &self.text[key.start..key.end];
            if key.escaped {
                self.name.clear();
                self.name
                    .push_str(&token::unescape_lossy(written).unwrap_or_default());
                Label::Key(&self.name)
            } else {
                Label::Key(written)
            }
        } else {
            Label::Index(index)
        };
        let start = self.states.len();
        let arrived = self.follower.step(&mut self.states, states, label);
        if let (Some(name), Label::Key(key)) = (arrived.name, label) {
            let key = key.to_owned();
            self.rename(name + 1, &key, name_at)?;
        }
        Ok(Part {
            act: arrived.value.map_or(act, |place| place + 1),
            states: start..self.states.len(),
        })
    }

    /// Writes another name of a member, by what becomes of names there.
    fn rename(&mut self, act: usize, key: &str, written: Range<usize>) -> Result<()> {
        let (Act::Mask(masks), row) = (&self.acts[act], row(self.inputs, act)) else {
            return Ok(());
        };
        let before = self.mark();
        self.replace(written, |out| masks.name(key, row, out))?;
        if let Some(container) = self.open.last_mut() {
            container.named = Some(before);
        }
        Ok(())
    }

    /// Ends the document. A root that is left out becomes null.
    fn end(&mut self, left: Left) -> Result<()> {
        let end = token::space(self.bytes, self.at);
        if end != self.bytes.len() {
            return Err(self.invalid());
        }
        if left == Left::Out {
            self.out.push_str("null");
            self.copied = self.text.len();
        }
        Ok(())
    }

    fn copy_to(&mut self, end: usize) {
        if self.copied < end {
            self.out.push_str(&self.text[self.copied..end]);
            self.copied = end;
        }
    }

    fn invalid(&self) -> Error {
        invalid(self.at)
    }
}

fn invalid(at: usize) -> Error {
    let detail = format!(
        "What begins at byte {} is no JSON, or deeper than {DEEPEST} objects and arrays.",
        at + 1
    );
    outside("json", "not a JSON document", detail)
}

fn row<'s>(inputs: &'s [Vec<Input<'_>>], act: usize) -> Row<'s> {
    inputs.get(act).map_or(Row::NONE, |inputs| Row(inputs))
}
