//! As much of Markdown as the documents use: code blocks, headings, links, tables.

use crate::project;

/// A document.
pub(crate) struct Document {
    /// Its path, seen from the root of the project.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// The first word behind the fence.
    pub(crate) language: String,
    /// The second word: the name of the file that the block is.
    pub(crate) file: Option<String>,
    /// Where it begins, as `README.md:12`.
    pub(crate) place: String,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn open(path: &str) -> Self {
        Self { path: path.to_owned(), text: project::read(path) }
    }

    pub(crate) fn all() -> Vec<Self> {
        project::documents().iter().map(|path| Self::open(path)).collect()
    }

    /// Its code blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let mut words = info.split_whitespace().map(str::to_owned);
                    open = Some(Block {
                        language: words.next().unwrap_or_default(),
                        file: words.next(),
                        place: format!("{}:{}", self.path, index + 1),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{} has a code block without an end", self.path);
        blocks
    }

    /// Its lines outside code blocks, with their numbers.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_block = false;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let fence = line.starts_with("```");
            in_block ^= fence;
            (!in_block && !fence).then_some((index + 1, line))
        })
    }

    /// The anchors of its headings, as code hosts make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let titles = self.prose().filter(|(_, line)| line.starts_with('#'));
        titles.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// What stands in code in the first column of the table below a heading, in order.
    pub(crate) fn first_column(&self, heading: &str) -> Vec<String> {
        let below = self.prose().skip_while(|(_, line)| *line != heading).skip(1);
        let section = below.take_while(|(_, line)| !line.starts_with('#'));
        let cells = section.filter_map(|(_, line)| line.strip_prefix("| `")?.split('`').next());
        let cells: Vec<String> = cells.map(str::to_owned).collect();
        assert!(!cells.is_empty(), "{} has no table below {heading:?}", self.path);
        cells
    }
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn blocks_know_their_language_their_file_and_their_place() {
    let text = "# A *b* `c`\n```toml gateway.toml\na = 1\n```\nword\n```sh\nls\n```\n";
    let document = Document { path: "x.md".into(), text: text.into() };
    let blocks = document.blocks();
    assert_eq!(blocks.len(), 2);
    assert_eq!(
        (blocks[0].language.as_str(), blocks[0].file.as_deref()),
        ("toml", Some("gateway.toml"))
    );
    assert_eq!((blocks[1].text.as_str(), blocks[1].place.as_str()), ("ls\n", "x.md:6"));
    assert_eq!(document.prose().map(|(line, _)| line).collect::<Vec<_>>(), [1, 5]);
    assert_eq!(document.anchors(), ["a-b-c"]);
}
