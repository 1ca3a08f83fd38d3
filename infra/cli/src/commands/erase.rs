//! `perennial export` and `perennial erase`: exports or erases everything about a person.

use super::client::Target;
use super::tables::number;
use crate::operate::Operated;
use crate::operate::erase::{Asked, Erasure, Progress};
use crate::operate::export::export;
use crate::operate::receipt::Receipt;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use perennial_domain::PersonId;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

/// The person, and the output.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "One JSON document: the profile with its scores and reasons, its identity states as stored, messages, mail \
    preferences, accounts, rejected events that name them, and every archived event. It reads the whole table \
    and archive, which takes time.\n\n  \
    perennial export ada@example.com --stack perennial --out ada.json"
)]
pub(super) struct ExportArgs {
    /// The person: user id, anonymous id, id in another system (TYPE:ID), mail address or profile id.
    person: String,
    /// The file to write, which must not exist yet; default: standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

/// The person, and options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Removes the profile with all of its identities, messages, the ledger of event ids, index entries, their \
    entries in accounts (which are recomputed), rejected events that name them, and their events in the \
    archive, whose objects are rewritten without them. The receipt lists what is kept, and why: mainly a hash \
    of the mail address if it bounced, complained or unsubscribed, so that no more mails are sent to it.\n\n\
    It can be interrupted and run again, which continues it. Run only one at a time: two runs at once could \
    restore what the other removed from an object. Stop sending their events first; an event that is still in a \
    queue creates a new, empty profile, which another run removes. Data that was sent to other systems (CRM, \
    mail service, webhooks) has to be erased there.\n\n  \
    perennial export ada --out ada.json && perennial erase ada"
)]
pub(super) struct EraseArgs {
    /// The person: user id, anonymous id, id in another system (TYPE:ID), mail address or profile id.
    person: String,
    /// Do not ask whether that is meant.
    #[arg(long)]
    yes: bool,
    /// Forget also that their addresses get no mail, and what their readers chose.
    #[arg(long)]
    forget_suppression: bool,
    /// The file for the receipt [default: erased-PERSON-ID.json].
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run_export(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    ensure_one(operated, &args.person).await?;
    let asked = Asked::find(operated, &args.person).await?;
    let bar = Bar::new();
    let tell = |progress| bar.tell(progress);
    let mut out: Box<dyn Write + Send> = match &args.out {
        Some(path) => Box::new(BufWriter::new(create(path)?)),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let exported = export(operated, &asked, &tell, &mut *out).await;
    bar.clear();
    let events = exported.inspect_err(|_| {
        // Do not leave an incomplete file.
        if let Some(path) = &args.out {
            drop(std::fs::remove_file(path));
        }
    })?;
    if let Some(path) = &args.out {
        println!("{}: all that is known, {} archived events among it", path.display(), number(events));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that `person` can mean one profile only: nobody may be left out of an erasure, or into an export, unseen.
///
/// # Errors
/// If there are several; each can be named by its own id.
async fn ensure_one(operated: &Operated, person: &str) -> anyhow::Result<()> {
    if PersonId::parse(person.trim()).is_ok() {
        return Ok(());
    }
    let people = operated.store.all_named(person).await?;
    let ids: Vec<String> = people.iter().map(PersonId::to_string).collect();
    anyhow::ensure!(
        people.len() <= 1,
        "`{person}` is an id or the mail address of {} profiles: {}. Name each by its profile id, one after the other",
        people.len(),
        ids.join(", ")
    );
    Ok(())
}

/// A new file that only its owner may read.
fn create(path: &Path) -> anyhow::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("{} could not be created", path.display()))
}

pub(super) async fn run_erase(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    ensure_one(operated, &args.person).await?;
    let asked = Asked::find(operated, &args.person).await?;
    let person = asked.person().with_context(|| format!("`{}` is not a valid id", args.person))?;
    if !args.yes && !is_meant(operated, &args.person, &asked)? {
        println!("Nothing was erased.");
        return Ok(ExitCode::FAILURE);
    }
    let path = args.receipt.unwrap_or_else(|| PathBuf::from(format!("erased-{person}.json")));
    let before = unfinished(&path)?;
    let bar = Bar::new();
    let tell = |progress| bar.tell(progress);
    let keep = |receipt: &Receipt| write(&path, receipt);
    let erased = async {
        let erasure = Erasure::new(operated, &tell, &keep, args.forget_suppression, before).await?;
        erasure.run(asked).await
    };
    let erased = erased.await;
    bar.clear();
    let receipt = erased.context("the erasure is not complete; run it again to continue")?;
    if !receipt.found_anything() {
        std::fs::remove_file(&path).with_context(|| path.display().to_string())?;
        anyhow::bail!("nothing is stored about `{}`: no profile, no message, no event", args.person);
    }
    println!("{}", serde_json::to_string_pretty(&receipt)?);
    eprintln!("The receipt is in {}.", path.display());
    Ok(ExitCode::SUCCESS)
}

/// Asks for confirmation.
fn is_meant(operated: &Operated, person: &str, asked: &Asked) -> anyhow::Result<bool> {
    anyhow::ensure!(std::io::stdin().is_terminal(), "this needs a confirmation: use --yes");
    let who = match asked.subject().ids.len() {
        _ if !asked.has_profile() => format!("`{person}`, which has no profile"),
        1 => format!("`{person}`"),
        ids => format!(
            "`{person}` with all {ids} ids of theirs ({})",
            asked.subject().ids.iter().cloned().collect::<Vec<_>>().join(", ")
        ),
    };
    eprint!("Erase {who} from {} permanently? Type `erase` to continue: ", operated.name);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "erase")
}

/// Returns the receipt of an interrupted run.
fn unfinished(path: &Path) -> anyhow::Result<Option<Receipt>> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(None) };
    let receipt: Receipt =
        serde_json::from_str(&text).with_context(|| format!("{} is there and is no receipt", path.display()))?;
    anyhow::ensure!(
        receipt.completed_at.is_none(),
        "{} is the receipt of an erasure that is complete; name another file with --receipt",
        path.display()
    );
    Ok(Some(receipt))
}

/// Writes it whole or not at all.
fn write(path: &Path, receipt: &Receipt) -> anyhow::Result<()> {
    let beside = path.with_extension("json.new");
    let written = std::fs::write(&beside, serde_json::to_string_pretty(receipt)? + "\n");
    let written = written.and_then(|()| std::fs::rename(&beside, path));
    written.with_context(|| format!("{} could not be written", path.display()))
}

/// A progress bar.
struct Bar {
    bar: ProgressBar,
    shown: Mutex<&'static str>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, shown: Mutex::new("") }
    }

    fn tell(&self, progress: Progress) {
        let (what, done, total) = match progress {
            Progress::Archive(done, total) => ("archive, objects", done, total),
            Progress::Table(done, total) => ("table, items", done, total),
        };
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *shown != what {
            *shown = what;
            // The template is a constant; without it the bar is plainer.
            if let Ok(style) =
                ProgressStyle::with_template("{msg:<18} {bar:40.cyan/blue} {human_pos:>9}/{human_len}  {elapsed}")
            {
                self.bar.set_style(style);
            }
            self.bar.set_message(what);
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
