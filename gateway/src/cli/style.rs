//! How human output is coloured and laid out.

use std::fmt::Write as _;

/// No line of running text is longer, in characters.
const WIDTH: usize = 100;

/// Escape sequences; empty where there is no colour.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) name: &'static str,
    pub(super) good: &'static str,
    pub(super) bad: &'static str,
    pub(super) dim: &'static str,
    pub(super) strong: &'static str,
    pub(super) off: &'static str,
}

const PLAIN: Style = Style { name: "", good: "", bad: "", dim: "", strong: "", off: "" };
const ANSI: Style = Style {
    name: "\x1b[36m",
    good: "\x1b[32m",
    bad: "\x1b[31m",
    dim: "\x1b[2m",
    strong: "\x1b[1m",
    off: "\x1b[0m",
};

impl Style {
    pub(super) fn new(colour: bool) -> Self {
        if colour { ANSI } else { PLAIN }
    }

    /// A remark behind a value; nothing where there is none.
    pub(super) fn aside(self, remark: &str) -> String {
        let Self { dim, off, .. } = self;
        if remark.is_empty() { String::new() } else { format!(" {dim}({remark}){off}") }
    }
}

/// Adds an indented line of a name and a value, which goes on below itself where it is long.
pub(super) fn detail(text: &mut String, style: Style, name: &str, value: &str) {
    coloured(text, style, name, value, "");
}

/// The same for something that is not as it should be.
pub(super) fn alarm(text: &mut String, style: Style, name: &str, value: &str) {
    coloured(text, style, name, value, style.bad);
}

fn coloured(text: &mut String, style: Style, name: &str, value: &str, with: &str) {
    const INDENT: usize = 2;
    const NAMES: usize = 11;
    let Style { name: colour, off, .. } = style;
    for (index, line) in wrapped(value, WIDTH - INDENT - NAMES).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{:INDENT$}{colour}{name:<NAMES$}{off}", "");
        let end = if with.is_empty() { "" } else { off };
        let _ = writeln!(text, "{with}{line}{end}");
    }
}

/// Text in lines of at most so many characters; a word that is longer has a line to itself. What comes
/// from files and CAs must not be able to steer a terminal.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let word = word.replace(char::is_control, "\u{fffd}");
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_they_may_be_and_words_are_whole() {
        assert_eq!(wrapped("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrapped("abcdefgh ij", 5), ["abcdefgh", "ij"]);
        let (mut text, style) = (String::new(), Style::new(true));
        alarm(&mut text, style, "failed", "a\x1b[2J");
        assert_eq!(text, "  \x1b[36mfailed     \x1b[0m\x1b[31ma\u{fffd}[2J\x1b[0m\n");
        assert_eq!(wrapped("a\x1b[31m", 9), ["a\u{fffd}[31m"]);
    }
}
