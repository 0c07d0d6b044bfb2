//! `gateway hash-password`: what stands in the configuration in a password's place.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::output::{UNREADABLE, complain, print};

/// Arguments of `gateway hash-password`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The password is read from stdin, up to the end of the first line; on a terminal it is not shown. What
is printed stands in `users` of `auth = { basic }`, or behind `user:` in a file of users. It is made by
argon2id, and is another one each time.

Examples:
  gateway hash-password                            asks for the password
  pwgen 20 1 | tee password.txt | gateway hash-password
  echo \"alice:$(gateway hash-password)\" >> htpasswd")]
pub(super) struct Arguments {}

pub(super) fn main(_arguments: &Arguments) -> ExitCode {
    let password = match read() {
        Ok(password) => password,
        Err(error) => {
            complain(&format!("error: cannot read the password from stdin: {error}\n"));
            return UNREADABLE.into();
        }
    };
    if password.is_empty() {
        complain("error: there is no password on stdin; write it on one line\n");
        return UNREADABLE.into();
    }
    match Argon2::default().hash_password(password.as_bytes()) {
        Ok(hash) => print(&format!("{hash}\n"), ExitCode::SUCCESS),
        Err(error) => {
            complain(&format!("error: the password cannot be hashed: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// One line, without its end.
fn read() -> std::io::Result<String> {
    let stdin = std::io::stdin();
    let _hidden = if stdin.is_terminal() {
        let mut stderr = std::io::stderr();
        stderr.write_all(b"Password: ")?;
        stderr.flush()?;
        Some(Hidden::begin()?)
    } else {
        None
    };
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone shows nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
        complain("\n");
    }
}
