//! The command `perennial`.

fn main() -> std::process::ExitCode {
    perennial::main()
}
