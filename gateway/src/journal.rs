//! What the process says about itself, on stderr: one JSON object a line for machines, one readable
//! line where there is a terminal. Requests do not stand here; they have the access log.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::time::SystemTime;

use serde_json::{Map, Value};

/// How urgent an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Info => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Error => "\x1b[31m",
        }
    }
}

/// How events are written, found out once: for people on a terminal, JSON elsewhere.
#[derive(Debug, Clone, Copy)]
struct Style {
    json: bool,
    colour: bool,
}

static STYLE: OnceLock<Style> = OnceLock::new();

fn style() -> Style {
    *STYLE.get_or_init(|| {
        let terminal = std::io::stderr().is_terminal();
        Style {
            json: !terminal,
            colour: terminal && crate::terminal::may_be_coloured(&std::io::stderr()),
        }
    })
}

pub(crate) fn info(event: &str, message: impl Display, fields: &[(&str, &dyn Display)]) {
    write(Level::Info, event, &message, fields);
}

pub(crate) fn warn(event: &str, message: impl Display, fields: &[(&str, &dyn Display)]) {
    write(Level::Warn, event, &message, fields);
}

pub(crate) fn error(event: &str, message: impl Display, fields: &[(&str, &dyn Display)]) {
    write(Level::Error, event, &message, fields);
}

fn write(level: Level, event: &str, message: &dyn Display, fields: &[(&str, &dyn Display)]) {
    let style = style();
    let mut line = if style.json {
        json(SystemTime::now(), level, event, message, fields)
    } else {
        human(style.colour, level, message, fields)
    };
    line.push('\n');
    // A stderr that is closed leaves nobody to tell.
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}

fn json(
    now: SystemTime,
    level: Level,
    event: &str,
    message: &dyn Display,
    fields: &[(&str, &dyn Display)],
) -> String {
    let mut object = Map::new();
    let text = |value: &dyn Display| Value::String(value.to_string());
    object.insert("time".into(), text(&crate::time::Rfc3339(now)));
    object.insert("level".into(), text(&level.name()));
    object.insert("event".into(), text(&event));
    object.insert("message".into(), text(message));
    for (name, value) in fields {
        object.insert((*name).into(), text(value));
    }
    Value::Object(object).to_string()
}

fn human(
    colour: bool,
    level: Level,
    message: &dyn Display,
    fields: &[(&str, &dyn Display)],
) -> String {
    let (on, dim, off) = if colour { (level.colour(), "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let mut line = format!("{on}{:>5}{off}  {message}", level.name());
    for (name, value) in fields {
        line.push_str(&format!("  {dim}{name}={off}{value}"));
    }
    line
}
