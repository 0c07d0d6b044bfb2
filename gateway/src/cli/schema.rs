//! `gateway schema`: the configuration language, for editors and for people.

use std::process::ExitCode;

use gateway_config::schema::{json_schema, reference_markdown};

use super::check_config::codes_outside_the_file;
use super::output::print;

/// Arguments of `gateway schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gateway schema > gateway.schema.json    for an editor: put `#:schema ./gateway.schema.json` into
                                          the first line of gateway.toml (Taplo, Even Better TOML)
  gateway schema --markdown | less        every key with its kind, default, meaning and an example")]
pub(super) struct Arguments {
    /// Print the reference, in Markdown
    #[arg(long)]
    markdown: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let text = if arguments.markdown { reference() } else { format!("{:#}\n", json_schema()) };
    print(&text, ExitCode::SUCCESS)
}

fn reference() -> String {
    let mut text = reference_markdown();
    text.push_str(
        "\n### Further codes of `gateway check-config`\n\n| code | meaning |\n|---|---|\n",
    );
    for (code, meaning) in codes_outside_the_file() {
        text.push_str(&format!("| `{code}` | {meaning} |\n"));
    }
    text
}
