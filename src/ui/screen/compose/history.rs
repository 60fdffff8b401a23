//! Undo and redo for the text, which the toolkit's editor lacks. A run of typing is one step.

use iced::widget::text_editor::{Action, Content, Cursor, Edit};

/// Steps kept; a step is a copy of the text.
const STEPS: usize = 200;
/// All copies together, in bytes.
const BYTES: usize = 8 * 1024 * 1024;

#[derive(Clone, Debug)]
struct Snapshot {
    text: String,
    cursor: Cursor,
}

/// What the text was, and what was taken back.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<Snapshot>,
    future: Vec<Snapshot>,
    /// What kind of edit the newest step holds, so that typing goes on in it.
    run: Option<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Typing,
    Deleting,
}

fn snapshot(content: &Content) -> Snapshot {
    Snapshot {
        text: content.text(),
        cursor: content.cursor(),
    }
}

fn restore(content: &mut Content, snapshot: &Snapshot) {
    *content = Content::with_text(&snapshot.text);
    content.move_to(snapshot.cursor);
}

impl History {
    /// Notes the text before an edit.
    pub fn before(&mut self, content: &Content, action: &Action) {
        let run = match action {
            Action::Edit(Edit::Insert(character)) if !character.is_whitespace() => Some(Run::Typing),
            Action::Edit(Edit::Backspace | Edit::Delete) => Some(Run::Deleting),
            _ => None,
        };
        if run.is_none() || run != self.run {
            self.past.push(snapshot(content));
            self.trim();
        }
        self.run = run;
        self.future.clear();
    }

    fn trim(&mut self) {
        let bytes: usize = self.past.iter().map(|step| step.text.len()).sum();
        if self.past.len() > STEPS || bytes > BYTES && self.past.len() > 1 {
            self.past.remove(0);
        }
    }

    pub fn undo(&mut self, content: &mut Content) -> bool {
        let Some(step) = self.past.pop() else { return false };
        self.future.push(snapshot(content));
        restore(content, &step);
        self.run = None;
        true
    }

    pub fn redo(&mut self, content: &mut Content) -> bool {
        let Some(step) = self.future.pop() else {
            return false;
        };
        self.past.push(snapshot(content));
        restore(content, &step);
        self.run = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(history: &mut History, content: &mut Content, text: &str) {
        for character in text.chars() {
            let action = Action::Edit(Edit::Insert(character));
            history.before(content, &action);
            content.perform(action);
        }
    }

    fn text(content: &Content) -> String {
        content.text().trim_end_matches('\n').to_owned()
    }

    #[test]
    fn takes_back_word_by_word_and_brings_back() {
        let (mut history, mut content) = (History::default(), Content::new());
        type_in(&mut history, &mut content, "one two");
        assert!(history.undo(&mut content));
        assert_eq!(text(&content), "one ");
        assert!(history.undo(&mut content));
        assert_eq!(text(&content), "one");
        assert!(history.redo(&mut content));
        assert!(history.redo(&mut content));
        assert!(!history.redo(&mut content));
        assert_eq!(text(&content), "one two");
        while history.undo(&mut content) {}
        assert_eq!(text(&content), "");
    }

    #[test]
    fn typing_after_undo_forgets_what_was_taken_back() {
        let (mut history, mut content) = (History::default(), Content::new());
        type_in(&mut history, &mut content, "one");
        history.undo(&mut content);
        type_in(&mut history, &mut content, "two");
        assert!(!history.redo(&mut content));
        assert_eq!(text(&content), "two");
    }
}
