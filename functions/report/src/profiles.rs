//! Counts profiles, a page of the table at a time.

use crate::error::ReportError;
use crate::handler::Deps;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_reports::{Counted, Tally};
use perennial_store::figures::Pass;

/// Counts on until all profiles are counted or the run that began at `began` is over.
pub(crate) async fn count(
    deps: &Deps,
    pass: &mut Pass<Tally>,
    config: &Config,
    began: Timestamp,
) -> Result<(), ReportError> {
    let Some(tally) = &mut pass.counted else { return Ok(()) };
    while !pass.is_read {
        let page = deps.store.people(pass.from.clone()).await?;
        tally.unreadable += page.unreadable;
        for stored in page.known() {
            let summary = &stored.summary;
            let (scores, segments) = (&summary.scores, &summary.segments);
            tally.add(config, &Counted { profile: &stored.profile, stage: summary.stage, scores, segments });
        }
        pass.is_read = page.next.is_none();
        pass.from = page.next;
        if deps.is_over(began) {
            break;
        }
    }
    Ok(())
}
