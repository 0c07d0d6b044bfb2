//! SIGTERM and SIGINT: nobody new comes in, who is in may finish, and it ends in time.

mod draining;
mod signals;
