//! The config folder as a [`Bundle`]: from the disk, or the one that the binary was built with.

use perennial_config::Bundle;
use std::{fs, io, path::Path};

/// A file of `infra/config` with the text that it had when the binary was built.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../config/", $name)))),*]
    };
}

/// Every file of the default configuration. A test compares the list with the folder.
const EMBEDDED: [(&str, &str); 65] = files![
    "accounts.toml",
    "billing.toml",
    "channels.toml",
    "deployment.toml",
    "features.toml",
    "identity.toml",
    "imports.toml",
    "journeys.toml",
    "lifecycle.toml",
    "limits.toml",
    "personas.toml",
    "schedules.toml",
    "scoring.toml",
    "segments.toml",
    "sources.toml",
    "templates/add_on_alerts.toml",
    "templates/alert_mention_spike.toml",
    "templates/before_you_go.toml",
    "templates/confirm_address.toml",
    "templates/education_habit.toml",
    "templates/education_high_value.toml",
    "templates/error_help.toml",
    "templates/feature_released.toml",
    "templates/feature_unused.toml",
    "templates/first_steps.toml",
    "templates/free_hold.toml",
    "templates/free_question.toml",
    "templates/incident.toml",
    "templates/incident_notice.toml",
    "templates/incident_resolved.toml",
    "templates/invite_advisory_board.toml",
    "templates/invite_community.toml",
    "templates/invite_testimonial.toml",
    "templates/lost_trial_14.toml",
    "templates/lost_trial_45.toml",
    "templates/loyalty_habits.toml",
    "templates/loyalty_results.toml",
    "templates/loyalty_story.toml",
    "templates/next_course.toml",
    "templates/next_plan_offer.toml",
    "templates/next_steps_article.toml",
    "templates/payment_failed.toml",
    "templates/payment_failed_notice.toml",
    "templates/put_into_practice.toml",
    "templates/renewal_sponsor.toml",
    "templates/renewal_users.toml",
    "templates/roi_analysis.toml",
    "templates/task_account_ready.toml",
    "templates/task_cancelling.toml",
    "templates/task_churn_risk.toml",
    "templates/task_detractor.toml",
    "templates/task_sales_ready.toml",
    "templates/task_still_at_risk.toml",
    "templates/task_trial_idle.toml",
    "templates/trial_chat.toml",
    "templates/trial_help.toml",
    "templates/trial_rescue.toml",
    "templates/upgrade_offer.toml",
    "templates/upgrade_question.toml",
    "templates/we_miss_you.toml",
    "templates/webinar_recording.toml",
    "templates/welcome.toml",
    "templates/welcome_back.toml",
    "templates/why_leaving.toml",
    "templates/wish_granted.toml",
];

/// Returns the default configuration, built into the binary, which is used if no folder is given.
pub fn embedded() -> Bundle {
    Bundle { files: EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect() }
}

/// Reads the `.toml` files of `folder` and of its `templates` folder; other files and folders are ignored. Windows line
/// ends and a byte order mark are removed ([`Bundle::normalised`]).
///
/// # Errors
/// If the folder or one of its files cannot be read, or a file is not UTF-8; the error contains the path.
pub fn read_dir(folder: &Path) -> io::Result<Bundle> {
    Ok(read_as_written(folder)?.normalised())
}

/// The same, byte for byte: for checksums of the files.
///
/// # Errors
/// As [`read_dir`].
pub fn read_as_written(folder: &Path) -> io::Result<Bundle> {
    let mut bundle = Bundle::default();
    read_into(&mut bundle, folder, "")?;
    let templates = folder.join("templates");
    if templates.is_dir() {
        read_into(&mut bundle, &templates, "templates/")?;
    }
    Ok(bundle)
}

fn read_into(bundle: &mut Bundle, folder: &Path, prefix: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| at(folder, &error))? {
        let path = entry.map_err(|error| at(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".toml"));
        if let Some(name) = name.filter(|_| path.is_file()) {
            let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => {
                    io::Error::new(error.kind(), format!("{}: the file is not UTF-8; save it as UTF-8", path.display()))
                }
                _ => at(&path, &error),
            })?;
            bundle.files.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}

/// The same error with the path that it is about, which `std::io` leaves out.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_embedded_config_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
        let (folder, embedded) = (read_dir(&folder).unwrap().files, embedded().files);
        assert!(folder.keys().eq(embedded.keys()), "list in EMBEDDED what the folder has: {:?}", folder.keys());
        for (name, text) in &folder {
            assert_eq!(text, &embedded[name], "{name}");
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = read_dir(Path::new("no/such/folder")).unwrap_err();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
    }
}
