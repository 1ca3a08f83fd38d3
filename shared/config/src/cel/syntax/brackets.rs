//! Brackets, choices and commas, and the height of the tree.

use super::{Checker, MAX_CHOICES, MAX_HEIGHT, MAX_NESTING};
use crate::cel::lex::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    Whole,
    Group,
    Call,
    List,
    Index,
    Map,
}

/// An open bracket.
pub(super) struct Frame {
    pub(super) bracket: Bracket,
    /// The opening token.
    pub(super) opened: usize,
    /// Each `?` without its `:`.
    pub(super) choices: Vec<usize>,
    /// The height of what stands since the last `&&`, `||`, `,`, `?` or `:`.
    pub(super) term: usize,
    /// The greatest height of what stands before that.
    pub(super) highest: usize,
    /// The number of `&&` and `||`, whose chains become balanced trees.
    pub(super) logic: usize,
}

impl Frame {
    pub(super) fn end_term(&mut self) {
        self.highest = self.highest.max(self.term);
        self.term = 0;
    }

    pub(super) fn height(&self) -> usize {
        self.highest.max(self.term) + self.logic.checked_ilog2().map_or(0, |log| log as usize + 2)
    }
}

impl Checker<'_> {
    pub(super) fn open(&mut self, at: usize, bracket: Bracket) -> bool {
        if self.frames.len() == MAX_NESTING + 1 {
            let message = format!("brackets are nested deeper than {MAX_NESTING}: take the condition apart");
            self.wrong(self.at(at), message);
        }
        // Signs before a bracket count where it is closed.
        let signs = std::mem::take(&mut self.signs);
        self.frames.push(Frame { bracket, opened: at, choices: Vec::new(), term: 0, highest: signs, logic: 0 });
        true
    }

    pub(super) fn close(&mut self, at: usize) -> bool {
        let Kind::Close(closing) = self.tokens[at].kind else { return false };
        let fits = |frame: &Frame| match frame.bracket {
            Bracket::Whole => false,
            Bracket::Group | Bracket::Call => closing == b')',
            Bracket::List | Bracket::Index => closing == b']',
            Bracket::Map => closing == b'}',
        };
        if !self.frames.iter().any(fits) {
            let place = self.at(at);
            let message = format!("`{}` closes nothing", self.text(&place));
            self.wrong(place, message);
            return false;
        }
        // Brackets opened inside and never closed are reported here.
        while let Some(frame) = self.frames.pop() {
            self.end_choices(&frame);
            if fits(&frame) {
                if frame.bracket == Bracket::Group {
                    self.groups[frame.opened] = true;
                    self.groups[at] = true;
                }
                self.found_value(frame.height() + 1);
                break;
            }
            let place = self.at(frame.opened);
            let message = format!("`{}` is not closed", self.text(&place));
            self.wrong(place, message);
        }
        self.limit_height(at);
        false
    }

    /// Returns whether this bracket closes a call or a list that may be empty here.
    pub(super) fn may_be_empty(&self, at: usize) -> bool {
        let Some(frame) = self.frames.last() else { return false };
        let empty = frame.opened + 1 == at;
        let trailing = at > 0 && self.tokens[at - 1].kind == Kind::Comma;
        match frame.bracket {
            Bracket::Call => empty,
            Bracket::List | Bracket::Map => empty || trailing,
            _ => false,
        }
    }

    pub(super) fn choose(&mut self, at: usize) -> bool {
        self.choices += 1;
        if self.choices == MAX_CHOICES + 1 {
            self.wrong(self.at(at), format!("a condition may have {MAX_CHOICES} `?`: take it apart"));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.choices.push(at);
            frame.end_term();
            // The rest is below this choice.
            frame.highest += 1;
        }
        true
    }

    pub(super) fn otherwise(&mut self, at: usize) -> bool {
        let open = match self.frames.last_mut() {
            Some(frame) => {
                frame.end_term();
                frame.choices.pop().is_some() || frame.bracket == Bracket::Map
            }
            None => false,
        };
        if !open {
            self.wrong(self.at(at), "`:` has no `?` before it: a choice is `condition ? a : b`");
        }
        true
    }

    pub(super) fn comma(&mut self, at: usize) -> bool {
        let Some(frame) = self.frames.last_mut() else { return true };
        frame.end_term();
        let unfinished = std::mem::take(&mut frame.choices);
        let message = match frame.bracket {
            Bracket::Call | Bracket::List | Bracket::Map => None,
            Bracket::Index => Some("an index is one value"),
            Bracket::Whole | Bracket::Group => {
                Some("`,` separates arguments and elements only: write `&&` or `||`, or a list in `[…]`")
            }
        };
        if let Some(message) = message.filter(|_| self.text(&self.at(at)) == ",") {
            self.wrong(self.at(at), message);
        }
        self.choices_without_colon(&unfinished);
        true
    }

    pub(super) fn end_choices(&mut self, frame: &Frame) {
        self.choices_without_colon(&frame.choices);
    }

    pub(super) fn choices_without_colon(&mut self, choices: &[usize]) {
        for at in choices {
            self.wrong(self.at(*at), "`?` has no `:` after it: a choice is `condition ? a : b`");
        }
    }

    pub(super) fn limit_height(&mut self, at: usize) {
        let higher = self.frames.last().is_some_and(|frame| frame.height() > MAX_HEIGHT);
        if higher && !self.told_of_height {
            self.told_of_height = true;
            let message = format!("the condition is nested deeper than {MAX_HEIGHT} operators: take it apart");
            self.wrong(self.at(at), message);
        }
    }
}
