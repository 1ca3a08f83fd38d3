//! The command, for tests that start and kill it as a process.

fn main() -> std::process::ExitCode {
    perennial::main()
}
