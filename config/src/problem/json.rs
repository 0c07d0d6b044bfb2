//! Problems for scripts.

use serde_json::{Value, json};

use super::{Place, Problem, Problems};

impl Problems {
    /// For scripts: one JSON object, `{ok, file, errors, warnings, problems: [{severity, code,
    /// message, help, place, related}]}`, where a place is `{file, line, column, end_column,
    /// source_line}` or null. `ok` says that no problem is an error.
    #[must_use]
    pub fn render_json(&self) -> String {
        let report = json!({
            "ok": self.errors() == 0,
            "file": self.file(),
            "errors": self.errors(),
            "warnings": self.warnings(),
            "problems": self.iter().map(problem).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

fn problem(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.as_str(),
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "place": problem.place.as_ref().map(place),
        "related": problem.related.iter().map(related).collect::<Vec<_>>(),
    })
}

fn related((at, message): &(Place, String)) -> Value {
    json!({ "message": message, "place": place(at) })
}

fn place(place: &Place) -> Value {
    json!({
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column,
        "source_line": place.source_line,
    })
}
