//! `gateway check-config`: everything that is wrong with a configuration, at once.

mod compose;
mod finding;
mod live;
mod places;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use gateway_config::model::Config;
use gateway_config::{Loaded, Problems, find_default};

use super::load::load;
use super::output::{UNREADABLE, print, show};
use places::Places;

pub(super) use finding::codes as codes_outside_the_file;

/// Arguments of `gateway check-config`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --live and --compose nothing but the configuration is read: no name is resolved, no
certificate opened, no secret read, nothing written. The same file gives the same answer everywhere.

Problems go to stderr for people, and to stdout as json or github; a good file is said to be good on
stdout.

Exit codes: 0 good (warnings allowed), 1 errors, 2 a file that cannot be read.

Examples:
  gateway check-config
  gateway check-config deploy/gateway.toml --compose deploy/compose.yml
  gateway check-config --format github          in a GitHub workflow: problems beside the lines
  gateway check-config --live                   on the machine that will serve")]
pub(super) struct Arguments {
    /// The configuration, a file or a folder [default: gateway.toml, then /etc/gateway/gateway.toml]
    file: Option<PathBuf>,
    /// The same, as other commands name it
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    config: Option<PathBuf>,
    /// How problems are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Look at this machine too: names resolve, certificates fit, secrets can be read, storage can
    /// be written to, addresses are free
    #[arg(long)]
    live: bool,
    /// Compare upstreams with the services of a Compose file; may be given several times
    #[arg(long, value_name = "FILE")]
    compose: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The line, a caret, and what to do
    Human,
    /// One JSON object: {ok, file, errors, warnings, problems}
    Json,
    /// Workflow commands of GitHub Actions
    Github,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let named = arguments.file.as_deref().or(arguments.config.as_deref());
    let file = named.map_or_else(find_default, Path::to_owned);
    let checked = match load(&file) {
        Err(rejected) => {
            Checked { config: None, files: 0, problems: rejected.problems, code: rejected.code }
        }
        Ok(loaded) => look_further(arguments, loaded),
    };
    report(arguments, &checked)
}

struct Checked {
    /// None where the file is not good enough to be one.
    config: Option<Config>,
    /// How many files it is in.
    files: usize,
    problems: Problems,
    code: ExitCode,
}

/// What a good file is compared with, where that was asked for.
fn look_further(arguments: &Arguments, loaded: Loaded) -> Checked {
    let Loaded { config, warnings: mut problems, files } = loaded;
    let mut code = ExitCode::SUCCESS;
    if arguments.live || !arguments.compose.is_empty() {
        let places = Places::of(&files);
        if arguments.live {
            live::check(&config, &places, &mut problems);
        }
        if !arguments.compose.is_empty()
            && !compose::check(&arguments.compose, &config, &places, &mut problems)
        {
            code = UNREADABLE.into();
        }
    }
    if code == ExitCode::SUCCESS && problems.errors() > 0 {
        code = ExitCode::FAILURE;
    }
    Checked { config: Some(config), files: files.count(), problems, code }
}

fn report(arguments: &Arguments, checked: &Checked) -> ExitCode {
    let Checked { config, files, problems, code } = checked;
    match arguments.format {
        Format::Json => print(&problems.render_json(), *code),
        Format::Github => print(&problems.render_github(), *code),
        Format::Human => {
            show(problems);
            match config {
                Some(config) if problems.errors() == 0 => {
                    print(&praise(arguments, config, *files, problems), *code)
                }
                _ => *code,
            }
        }
    }
}

/// "gateway.toml: good: 3 sites, 12 routes, 2 upstreams, 1 warning".
fn praise(arguments: &Arguments, config: &Config, files: usize, problems: &Problems) -> String {
    let routes = config.sites.iter().map(|site| site.routes.len()).sum();
    let mut counts = vec![
        counted(config.sites.len(), "site"),
        counted(routes, "route"),
        counted(config.upstreams.len(), "upstream"),
    ];
    if files > 1 {
        counts.push(counted(files, "file"));
    }
    if problems.warnings() > 0 {
        counts.push(counted(problems.warnings(), "warning"));
    }
    let mut with: Vec<String> = Vec::new();
    if arguments.live {
        with.push("with this machine".into());
    }
    with.extend(arguments.compose.iter().map(|file| format!("with {}", file.display())));
    let compared =
        if with.is_empty() { String::new() } else { format!("; agrees {}", with.join(" and ")) };
    format!("{}: good: {}{compared}\n", problems.file(), counts.join(", "))
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
