//! `loadtest origin`.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use super::output::{UNUSABLE, complain};
use crate::origin::Origin;

/// An origin that costs little, for what stands behind a proxy while it is measured.
///
/// `GET /` answers 130 bytes, `GET /size/N` N bytes, `POST` and `PUT` the number of bytes that they
/// brought, `/ws` is an echo. The first line on stdout says where it listens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  loadtest origin\n  loadtest origin --listen 127.0.0.1:8000")]
pub(super) struct Arguments {
    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Read whatever is sent to this address and throw it away: for the logs of a proxy that sends them
    #[arg(long, value_name = "ADDRESS")]
    sink: Option<SocketAddr>,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match serve(arguments) {
        Ok(never) => match never {},
        Err(error) => {
            complain(&format!("error: the origin at {} has ended: {error}\n", arguments.listen));
            ExitCode::from(UNUSABLE)
        }
    }
}

fn serve(arguments: &Arguments) -> io::Result<Infallible> {
    let origin = Origin::bind(arguments.listen, arguments.sink)?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", origin.address()?)?;
    if let Some(sink) = origin.sink()? {
        writeln!(stdout, "throwing away what is sent to {sink}")?;
    }
    stdout.flush()?;
    drop(stdout);
    origin.serve()
}
