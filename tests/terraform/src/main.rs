//! `compare-terraform MODULE CASE…`: compares the module with CDK's template in each case, and exits with 0 if nothing
//! differs.

use perennial_terraform_test::by_nature::Exceptions;
use perennial_terraform_test::cases::Case;
use perennial_terraform_test::error::Unreadable;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(module), cases) = (paths.next(), paths.collect::<Vec<_>>()) else {
        eprintln!("usage: compare-terraform MODULE CASE…");
        return ExitCode::FAILURE;
    };
    match compare(&module, &cases) {
        Ok(0) if !cases.is_empty() => ExitCode::SUCCESS,
        Ok(0) => {
            eprintln!("there are no cases");
            ExitCode::FAILURE
        }
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints all differences, and returns their number.
fn compare(module: &std::path::Path, cases: &[PathBuf]) -> Result<usize, Unreadable> {
    let (mut exceptions, mut found) = (Exceptions::default(), 0);
    for directory in cases {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        let case = Case::read(directory)?;
        let differences = case.differences(module, &mut exceptions)?;
        println!("{name}: {} resources, {} differences", case.resources(), differences.len());
        for difference in &differences {
            println!("  {difference}");
        }
        found += differences.len();
    }
    for idle in exceptions.idle() {
        println!("{idle}");
        found += 1;
    }
    Ok(found)
}
