//! `gateway run`: serves until it is told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gateway_config::{LoadError, Loaded, find_default};

use super::{ConfigFile, colour_wanted};
use crate::{Gateway, Handle, StartError, journal};

/// Arguments of `gateway run`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let Some(loaded) = load(arguments.file.config.as_deref()) else { return ExitCode::FAILURE };
    match serve(loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                journal::error("start", line, &[]);
            }
            ExitCode::FAILURE
        }
    }
}

/// Reads a configuration; what is wrong with it has been shown when this returns `None`.
pub(super) fn load(named: Option<&Path>) -> Option<Loaded> {
    let file = named.map_or_else(find_default, Path::to_owned);
    match gateway_config::load(&file) {
        Ok(loaded) => {
            show(&loaded.warnings.render_human(colour_wanted()));
            Some(loaded)
        }
        Err(LoadError::Invalid(problems)) => {
            show(&problems.render_human(colour_wanted()));
            None
        }
        Err(error) => {
            show(&format!("error: {error}\n"));
            None
        }
    }
}

#[expect(clippy::print_stderr, reason = "what is wrong with the file is shown where people look")]
fn show(text: &str) {
    eprint!("{text}");
}

fn serve(loaded: Loaded) -> Result<(), StartError> {
    let gateway = Gateway::bind(loaded.config)?;
    for (listener, address) in gateway.addresses() {
        journal::info("listening", format_args!("listening on {address} ({listener})"), &[
            ("listener", listener),
            ("address", address),
        ]);
    }
    if let Some(ca) = gateway.local_ca() {
        journal::info("local_ca", "self-signed sites are signed by the local CA; to trust it here", &[
            ("run", &ca.trust_command()),
        ]);
    }
    stop_on_signals(gateway.handle())?;
    journal::info("ready", "ready", &[("version", &env!("CARGO_PKG_VERSION"))]);
    gateway.run()
}

/// SIGTERM and SIGINT stop; a second one ends the process at once, with the status that shells
/// give to a process that died of the signal.
pub(super) fn stop_on_signals(handle: Handle) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut term, mut int) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let mut asked = false;
            loop {
                let number = tokio::select! {
                    _ = term.recv() => 15,
                    _ = int.recv() => 2,
                };
                if asked {
                    std::process::exit(128 + number);
                }
                asked = true;
                handle.stop();
            }
        });
    })?;
    Ok(())
}

/// The configuration that a command is about.
pub(super) fn file_of(named: Option<&Path>) -> PathBuf {
    named.map_or_else(find_default, Path::to_owned)
}
