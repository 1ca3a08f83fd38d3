//! The architecture rules that types cannot express: dependencies between crates, the use of services and clocks, and
//! the layout of files.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

/// The crates whose sources and whole dependency tree have no network, no AWS and no clock.
const PURE: [&str; 5] =
    ["perennial-domain", "perennial-config", "perennial-engine", "perennial-imports", "perennial-reports"];

/// The allowed dependencies of each shared crate, without the common prefix `perennial-`. These are the arrows of the
/// design: a crate that is not listed is rejected until it has a place here.
const SHARED: [(&str, &str); 12] = [
    ("domain", ""),
    ("config", "domain"),
    ("engine", "config domain"),
    ("reports", "engine config domain"),
    ("contracts", "config domain"),
    ("imports", "contracts config domain"),
    ("lambda-kit", "contracts config domain"),
    ("store", "contracts engine config domain"),
    ("channels", "contracts engine config domain"),
    ("views", "lambda-kit channels store reports contracts engine config domain"),
    ("charts", "views lambda-kit channels store reports contracts engine config domain"),
    ("testkit", "contracts engine config domain"),
];

/// The same for the crates of `infra/`. They may use any function and shared crate.
const INFRA: [(&str, &str); 4] =
    [("embedded-aws", ""), ("sample", ""), ("local", "embedded-aws"), ("perennial", "local embedded-aws sample")];

/// The shared crates that may use an AWS service; functions and crates in `infra/` may too, for their wiring.
const NAME_SERVICES: [&str; 3] = ["perennial-store", "perennial-channels", "perennial-lambda-kit"];

/// The prefixes of crate names of an async runtime, a network, AWS or Lambda.
const IMPURE: [&str; 9] = ["tokio", "async-std", "smol-", "mio", "hyper", "reqwest", "aws-", "aws_", "lambda_"];

/// Every way to read the clock in the workspace's dependencies.
const CLOCKS: [&str; 4] = ["Timestamp::now(", "Zoned::now(", "SystemTime::now(", "Instant::now("];

/// All entries that are allowed at the top of the repository, besides dot-files and the target directory.
const TOP_LEVEL: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "functions",
    "shared",
    "infra",
    "events",
    "tests",
    "README.md",
    "LICENSE",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "rust-toolchain.toml",
];

/// The minimum files of every function crate.
const FUNCTION_FILES: [&str; 5] = ["src/main.rs", "src/handler.rs", "src/config.rs", "src/lib.rs", "README.md"];

#[test]
fn dependencies_point_down_only() -> Outcome {
    let workspace = Workspace::read()?;
    let functions = workspace.functions();
    let mut broken = Vec::new();
    for member in &workspace.members {
        for (dependency, is_dev) in &member.dependencies {
            let Some(on) = workspace.members.iter().find(|other| &other.name == dependency) else {
                continue;
            };
            let testing = *is_dev || member.is_in("tests");
            let allowed = match on.name.as_str() {
                "perennial-testkit" => testing,
                // A crate's own tests enable its features this way.
                name if name == member.name => *is_dev,
                _ if member.is_in("tests") => true,
                _ if on.is_in("tests") => false,
                name if on.is_in("infra") => member.is_in("infra") && allows(&INFRA, member, name)?,
                name if functions.contains(name) => member.is_in("infra"),
                name if member.is_in("shared") => allows(&SHARED, member, name)?,
                _ => true,
            };
            if !allowed {
                broken.push(format!("{} depends on {}", member.name, on.name));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    Ok(())
}

#[test]
fn only_the_edges_name_aws_services() -> Outcome {
    let workspace = Workspace::read()?;
    let broken: Vec<String> = workspace
        .members
        .iter()
        .filter(|member| member.is_in("shared") && !NAME_SERVICES.contains(&member.name.as_str()))
        .flat_map(|member| member.dependencies.iter().map(move |(dependency, _)| (&member.name, dependency)))
        .filter(|(_, dependency)| dependency.starts_with("aws-sdk-"))
        .map(|(member, dependency)| format!("{member} names {dependency}"))
        .collect();
    assert_eq!(broken, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_pure_crates_bring_no_runtime_no_network_and_no_aws() -> Outcome {
    let workspace = Workspace::read()?;
    for name in PURE {
        let brought = workspace.links(name)?;
        // The crate is in its own list: an empty one would mean that nothing was read.
        assert!(brought.contains(name));
        let impure: Vec<&String> =
            brought.iter().filter(|brought| IMPURE.iter().any(|start| brought.starts_with(start))).collect();
        assert!(impure.is_empty(), "{name} brings {impure:?}");
    }
    Ok(())
}

#[test]
fn what_the_edges_bring_would_be_noticed_in_a_pure_crate() -> Outcome {
    let brought = Workspace::read()?.links("perennial-store")?;
    for expected in ["tokio", "aws-sdk-dynamodb", "perennial-engine"] {
        assert!(brought.contains(expected), "the dependency graph is not followed: no {expected} in {brought:?}");
    }
    Ok(())
}

#[test]
fn the_pure_crates_never_ask_the_clock() -> Outcome {
    let workspace = Workspace::read()?;
    let mut broken = Vec::new();
    for member in workspace.members.iter().filter(|member| PURE.contains(&member.name.as_str())) {
        for file in rust_files(&member.directory.join("src"))? {
            let source = fs::read_to_string(&file)?;
            broken.extend(clocks_asked(&source).into_iter().map(|line| format!("{}:{line}", file.display())));
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_call_of_the_clock_is_found_and_a_mention_is_not() {
    let source = "/// Unlike `Timestamp::now()`, this takes `now`.\nfn f() {\n    let t = jiff::Timestamp::now();\n}\n";
    assert_eq!(clocks_asked(source), [3]);
    assert_eq!(clocks_asked("fn now(clock: &Clock) { clock.now() } // not SystemTime::now()"), [0_usize; 0]);
}

#[test]
fn the_top_level_holds_nothing_but_the_agreed_names() -> Outcome {
    let workspace = Workspace::read()?;
    let mut strange = BTreeSet::new();
    for entry in fs::read_dir(&workspace.root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = TOP_LEVEL.contains(&name.as_str()) || name.starts_with('.') || name == "target";
        if !known && entry.path() != workspace.target {
            strange.insert(name);
        }
    }
    assert_eq!(strange, BTreeSet::new());
    Ok(())
}

#[test]
fn every_function_has_the_five_files_of_a_function() -> Outcome {
    let workspace = Workspace::read()?;
    let functions: Vec<&Member> = workspace.members.iter().filter(|member| member.is_in("functions")).collect();
    assert!(!functions.is_empty());
    let missing: Vec<String> = functions
        .iter()
        .flat_map(|function| FUNCTION_FILES.iter().map(|file| function.directory.join(file)))
        .filter(|file| !file.is_file())
        .map(|file| file.display().to_string())
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    Ok(())
}

/// Returns whether the arrows allow `member` to depend on the crate `name`.
fn allows(arrows: &[(&str, &str)], member: &Member, name: &str) -> Result<bool, String> {
    let of_member = arrows.iter().find(|(crate_name, _)| *crate_name == short(&member.name));
    let (_, allowed) = of_member.ok_or_else(|| format!("no arrows are listed for {}", member.name))?;
    Ok(allowed.split(' ').any(|allowed| allowed == short(name)))
}

fn short(name: &str) -> &str {
    name.trim_start_matches("perennial-")
}

/// Returns the line numbers, from 1, on which `source` reads a clock outside of a comment.
fn clocks_asked(source: &str) -> Vec<usize> {
    source
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            let code = line.split("//").next().unwrap_or_default();
            CLOCKS.iter().any(|clock| code.contains(clock))
        })
        .map(|(index, _)| index + 1)
        .collect()
}

/// All `.rs` files below `directory`.
fn rust_files(directory: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The workspace as cargo sees it.
struct Workspace {
    root: PathBuf,
    target: PathBuf,
    members: Vec<Member>,
    /// The name of each package by its id.
    names: BTreeMap<String, String>,
    /// The ids of the packages that each package links, by its id, without build and test dependencies.
    links: BTreeMap<String, Vec<String>>,
}

struct Member {
    name: String,
    directory: PathBuf,
    /// Its parent directory below the root, such as `functions`.
    place: String,
    /// The names of its direct dependencies, and whether only its tests need them.
    dependencies: Vec<(String, bool)>,
}

impl Member {
    fn is_in(&self, place: &str) -> bool {
        self.place == place
    }
}

impl Workspace {
    fn read() -> Result<Self, Box<dyn Error>> {
        // Packages of other platforms may be missing, so the graph is requested for this one only.
        let compiler = Command::new("rustc").arg("-vV").output()?;
        let compiler = String::from_utf8(compiler.stdout)?;
        let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let root = PathBuf::from(text(&metadata["workspace_root"])?);
        let member_ids: BTreeSet<&str> =
            list(&metadata["workspace_members"])?.iter().filter_map(Value::as_str).collect();

        let mut members = Vec::new();
        let mut names = BTreeMap::new();
        for package in list(&metadata["packages"])? {
            let id = text(&package["id"])?;
            names.insert(id.to_owned(), text(&package["name"])?.to_owned());
            if member_ids.contains(id) {
                members.push(member(package, &root)?);
            }
        }

        let mut links = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"])? {
            let mut linked = Vec::new();
            for dependency in list(&node["deps"])? {
                // A kind of null is cargo's name for an ordinary dependency.
                if list(&dependency["dep_kinds"])?.iter().any(|how| how["kind"].is_null()) {
                    linked.push(text(&dependency["pkg"])?.to_owned());
                }
            }
            links.insert(text(&node["id"])?.to_owned(), linked);
        }
        let target = PathBuf::from(text(&metadata["target_directory"])?);
        Ok(Self { root, target, members, names, links })
    }

    fn functions(&self) -> BTreeSet<&str> {
        self.members.iter().filter(|member| member.is_in("functions")).map(|member| member.name.as_str()).collect()
    }

    /// Returns the names of all packages that are linked with the package `name`, itself included.
    fn links(&self, name: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
        let start = self.names.iter().find(|(_, found)| *found == name).ok_or_else(|| format!("no package {name}"))?.0;
        let mut seen = BTreeSet::from([start.clone()]);
        let mut open = vec![start.clone()];
        while let Some(id) = open.pop() {
            for next in self.links.get(&id).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        Ok(seen.iter().filter_map(|id| self.names.get(id).cloned()).collect())
    }
}

fn member(package: &Value, root: &Path) -> Result<Member, Box<dyn Error>> {
    let manifest = PathBuf::from(text(&package["manifest_path"])?);
    let directory = manifest.parent().ok_or("a manifest lies in a directory")?.to_owned();
    let place = directory.strip_prefix(root)?.components().next().ok_or("a member lies below the root")?;
    let mut dependencies = Vec::new();
    for dependency in list(&package["dependencies"])? {
        dependencies.push((text(&dependency["name"])?.to_owned(), dependency["kind"] == "dev"));
    }
    Ok(Member {
        name: text(&package["name"])?.to_owned(),
        place: place.as_os_str().to_string_lossy().into_owned(),
        directory,
        dependencies,
    })
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("cargo metadata gave {value} for a string"))
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("cargo metadata gave {value} for a list"))
}
