//! Paths with places that change from request to request: `/items?n={n}&r={random}`.

use super::problem::{Complaint, quoted};
use super::suggest::nearest;

const PLACES: [&str; 2] = ["n", "random"];

/// A path and query, in the order in which it is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) pieces: Vec<Piece>,
    /// As the scenario has it.
    pub(crate) text: String,
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// Counts from 0.
    Counter,
    /// 16 hexadecimal digits.
    Random,
}

impl Path {
    pub(crate) fn read(text: &str) -> Result<Self, Complaint> {
        if !text.starts_with('/') {
            return Err(Complaint::new(
                format!("{} is not a path", quoted(text)),
                "begin it with `/`; the host is the scenario's `target`",
            ));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() || *c == '#') {
            return Err(Complaint::new(
                format!("{} has {odd:?} in it, which no request may have there", quoted(text)),
                "write it percent-encoded",
            ));
        }
        Ok(Self { pieces: pieces(text)?, text: text.to_owned() })
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, Complaint> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let Some((name, after)) = from.split_once('}') else {
            let message = format!("{} has a brace that nothing closes", quoted(text));
            return Err(Complaint::new(message, "write {n}, {random}, or %7B for a brace"));
        };
        pieces.push(match name {
            "n" => Piece::Counter,
            "random" => Piece::Random,
            name => {
                let help = match nearest(name, PLACES) {
                    Some(near) => format!("did you mean `{{{near}}}`?"),
                    None => {
                        "there are {n}, which counts, and {random}; write braces as %7B and %7D"
                            .into()
                    }
                };
                return Err(Complaint::new(format!("there is no `{{{name}}}`"), help));
            }
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stand_between_texts() {
        let path = Path::read("/a?n={n}&r={random}").unwrap();
        let text = |text: &str| Piece::Text(text.into());
        assert_eq!(path.pieces, [text("/a?n="), Piece::Counter, text("&r="), Piece::Random]);
        for text in ["", "a", "/a b", "/a#b", "/{x}", "/{n", "/ä"] {
            assert!(Path::read(text).is_err(), "{text}");
        }
    }
}
