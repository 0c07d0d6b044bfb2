//! Files that results are written to.

use std::io;
use std::path::Path;

pub(super) type Failure = Box<dyn std::error::Error>;

pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| about(file, "write", &error).into())
}

/// Reads what `--json` wrote.
pub(super) fn read_result<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = std::fs::read(file).map_err(|error| about(file, "read", &error))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("{} is no result of --json: {error}", file.display()).into())
}

fn about(file: &Path, what: &str, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", file.display())
}

/// Writes a table into a page, between the lines `<!-- NAME -->` and `<!-- /NAME -->`; or makes the
/// file, where there is none.
pub(super) fn place(file: &Path, name: &str, table: &str) -> Result<(), Failure> {
    let old = match std::fs::read_to_string(file) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return write(file, table),
        Err(error) => return Err(about(file, "read", &error).into()),
    };
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = old.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}{table}{end}{after}"))
    });
    match parts {
        Some(new) => write(file, &new),
        None => Err(format!(
            "{} has no lines `{}` and `{end}` to write between",
            file.display(),
            begin.trim(),
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_is_around_its_table() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        std::fs::write(&file, "above\n<!-- x -->\nold\n<!-- /x -->\nbelow\n").unwrap();
        place(&file, "x", "new\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        assert_eq!(page, "above\n<!-- x -->\nnew\n<!-- /x -->\nbelow\n");
        let refused = place(&file, "y", "new\n").unwrap_err().to_string();
        assert!(refused.ends_with("has no lines `<!-- y -->` and `<!-- /y -->` to write between"));
    }
}
