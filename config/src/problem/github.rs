//! Problems as GitHub workflow commands, which show them beside the changed line.

use std::fmt::Write as _;

use super::human::printable;
use super::{Problem, Problems};

impl Problems {
    /// For GitHub Actions: one `::error file=…,line=…,col=…,endColumn=…,title=…::message` a problem.
    #[must_use]
    pub fn render_github(&self) -> String {
        self.iter().fold(String::new(), |mut out, problem| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}", command(self.file(), problem));
            out
        })
    }
}

fn command(file: &str, problem: &Problem) -> String {
    let place = match &problem.place {
        Some(at) => format!(
            "file={},line={},col={},endColumn={},",
            property(&at.file),
            at.line,
            at.column,
            at.end_column
        ),
        None => format!("file={},", property(file)),
    };
    let mut message = problem.message.clone();
    for (at, text) in &problem.related {
        let _ = write!(message, "\n{text}: {}:{}:{}", at.file, at.line, at.column);
    }
    if let Some(help) = &problem.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    format!(
        "::{} {place}title={}::{}",
        problem.severity.as_str(),
        property(problem.code),
        data(&message)
    )
}

/// Escapes what would end the command's line.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes what would end one of the command's properties, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
