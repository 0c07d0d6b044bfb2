//! `gateway run`: serves until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;

use gateway_config::Loaded;

use super::load::ConfigFile;
use super::output::show;
use crate::{Gateway, Handle, StartError, descriptors, journal};

/// Arguments of `gateway run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The access log goes to stdout, one record a request. What the gateway says about itself goes to
stderr: readable lines on a terminal, otherwise one JSON object a line.

SIGHUP and `gateway reload` have it read the configuration again. Where anything is wrong with that,
the one before is served on.

SIGTERM and SIGINT stop it: nothing new is accepted, and requests may go on for as long as `drain`
allows. A second signal ends it at once.

Examples:
  gateway run
  gateway run --config /etc/gateway/gateway.toml")]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    let loaded = match arguments.file.load() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    show(&loaded.warnings);
    match serve(loaded, arguments.file.path()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in error.to_string().lines() {
                journal::error("start", line, &[]);
            }
            ExitCode::FAILURE
        }
    }
}

fn serve(loaded: Loaded, file: PathBuf) -> Result<(), StartError> {
    descriptors::raise_limit();
    let gateway = Gateway::bind(loaded.config)?.reload_from(move || gateway_config::load(&file));
    for (listener, address) in gateway.addresses() {
        journal::info(
            "listening",
            format_args!("listening on {address} ({listener})"),
            &[("listener", listener), ("address", address)],
        );
    }
    if let Some(ca) = gateway.local_ca() {
        journal::info(
            "local_ca",
            "self-signed sites are signed by the local CA; to trust it here",
            &[("run", &ca.trust_command())],
        );
    }
    heed_signals(gateway.handle(), Hangup::Reloads)?;
    gateway.run()
}

/// What SIGHUP means: to a daemon, to read its configuration again; to what runs in a terminal, that
/// the terminal is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hangup {
    Reloads,
    Ends,
}

/// SIGTERM and SIGINT stop; a second one ends the process at once, with the status that shells
/// give to a process that died of the signal.
pub(super) fn heed_signals(handle: Handle, hangup: Hangup) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut term, mut int, mut hup) = {
        let _inside = runtime.enter();
        let hup = (hangup == Hangup::Reloads).then(|| signal(SignalKind::hangup())).transpose()?;
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, hup)
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let mut asked = false;
            loop {
                let number = tokio::select! {
                    _ = term.recv() => 15,
                    _ = int.recv() => 2,
                    () = received(hup.as_mut()) => {
                        handle.reload();
                        continue;
                    }
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

async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}
