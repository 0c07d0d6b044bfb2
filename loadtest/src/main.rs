//! The `loadtest` program.

/// rustls allocates for every record, on every thread of its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    loadtest::cli::main()
}
