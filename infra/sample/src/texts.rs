//! Texts that the people of the story write: short sentences, all invented, some positive and some negative.

use super::rng::Rng;

/// For a 9 or 10.
const DELIGHTED: [&str; 10] = [
    "I love it, the forecast alone saves us a day every week.",
    "Great product and wonderful support, thank you!",
    "Easy to use, and the cohorts are brilliant.",
    "Our managers trust the numbers at last. Excellent work.",
    "The best tool we have introduced in years!",
    "Setting it up was a pleasure, and everybody likes it.",
    "Alerts told us of a problem before our customers did. Amazing.",
    "Clear, fast and reliable. Happy to recommend it.",
    "It is fun to work with, and support is so friendly.",
    "We won back two customers thanks to the alerts. Perfect.",
];
/// For a 7 or 8.
const CONTENT: [&str; 6] = [
    "Does what we need. The export could be faster.",
    "Mostly fine, a few menus are hard to find.",
    "Good value, but I miss a dark theme.",
    "We use the dashboards daily, the rest not so much.",
    "Okay so far, ask me again in a year.",
    "Solid, although the first import took some time.",
];
/// For 6 or less.
const UPSET: [&str; 10] = [
    "The import fails all the time, this is very frustrating.",
    "Terrible. We lost a day of work because of errors.",
    "Too slow, and support is useless.",
    "I hate the new menu, nothing is where it was.",
    "Bad experience: three errors on my first day.",
    "Not worth the price, sadly. We are disappointed.",
    "It crashed in front of my boss. Awful.",
    "The numbers were wrong twice, so nobody trusts them any more.",
    "Confusing and unreliable, I gave up on the alerts.",
    "Annoying limits everywhere, and no answer from anybody.",
];
/// In tickets.
const TROUBLE: [&str; 6] = [
    "The import stops with an error, please help.",
    "I get the same error again and again, this is really annoying.",
    "Our report is broken since this morning and the meeting is at noon!",
    "It fails whenever I open the forecast. Terrible timing.",
    "The export is stuck. Could you have a look?",
    "Error after error, I am losing my patience.",
];
/// In a ticket that was closed too early.
const STILL_BROKEN: [&str; 3] = [
    "This is not solved at all. I am really disappointed.",
    "Same failure as before. Did anybody try it?",
    "Closed and still broken, that is bad service.",
];
/// Answers to "what made you look for a new solution?".
const REASONS: [&str; 5] = [
    "Spreadsheets were a nightmare, and we lost customers without noticing.",
    "Our old tool was slow and ugly.",
    "A colleague praised it.",
    "We want to see who is about to leave before they do.",
    "The budget meeting: nobody believed our numbers.",
];
/// Answers to "what can you do now that you could not before?".
const GAINS: [&str; 5] = [
    "We see a month ahead, that is a wonderful feeling.",
    "I answer the board's questions in minutes. Great.",
    "Nothing yet, to be honest.",
    "We talk to unhappy customers before they cancel, with success.",
    "Better forecasts, better sleep.",
];
/// Answers to "what would you change with a magic wand?".
const WISHES: [&str; 5] = [
    "Fewer errors when I import large files.",
    "I would make the export ten times as fast.",
    "Nothing, I like it as it is!",
    "A calendar, please.",
    "Better help pages, the present ones are poor.",
];
/// In the community, under an answer.
const ANSWERS: [&str; 4] = [
    "Happy to help: turn the filter off first, then import again.",
    "We solved this with an alert on the weekly numbers, works great.",
    "Yes, that is possible. The trick is to share the dashboard.",
    "Had the same problem, the new importer is much better.",
];
/// Positive public mentions.
const PRAISE: [&str; 5] = [
    "Really impressed by how good these forecasts are.",
    "Best support I have had in a long time. Thank you!",
    "Our team loves the new alerts.",
    "If you need to keep customers, try this. Excellent.",
    "Great webinar today, learned a lot!",
];
/// Negative public mentions.
const BLAME: [&str; 5] = [
    "Disappointed again: errors all week and nobody answers.",
    "Worst update ever. Everything is slow now.",
    "Thinking of leaving, the import is a joke.",
    "Paying for a tool that fails every Monday. Ridiculous.",
    "Terrible service, avoid.",
];
/// Public mentions on the day of the outage.
const OUTAGE: [&str; 6] = [
    "Down again? This is unacceptable.",
    "Nothing works this morning. Horrible.",
    "Our whole team is stuck, what a disaster.",
    "Third failure this hour, I am furious.",
    "No status page, no answer, no data. Awful.",
    "Hate to say it: this outage costs us real money.",
];

/// Returns a comment with `nps` points.
pub(super) fn about(nps: i64, rng: &mut Rng) -> &'static str {
    match nps {
        9.. => rng.pick(DELIGHTED),
        7..=8 => rng.pick(CONTENT),
        _ => rng.pick(UPSET),
    }
}

/// Returns one of the three open questions, by its name, and an answer.
pub(super) fn open_question(rng: &mut Rng) -> (&'static str, &'static str) {
    let (question, answers) =
        rng.pick([("new_solution", &REASONS), ("could_not_before", &GAINS), ("magic_wand", &WISHES)]);
    (question, rng.pick(*answers))
}

pub(super) fn ticket(rng: &mut Rng) -> &'static str {
    rng.pick(TROUBLE)
}

pub(super) fn reopened_ticket(rng: &mut Rng) -> &'static str {
    rng.pick(STILL_BROKEN)
}

pub(super) fn community_answer(rng: &mut Rng) -> &'static str {
    rng.pick(ANSWERS)
}

pub(super) fn praise(rng: &mut Rng) -> &'static str {
    rng.pick(PRAISE)
}

pub(super) fn blame(rng: &mut Rng) -> &'static str {
    rng.pick(BLAME)
}

pub(super) fn outage(rng: &mut Rng) -> &'static str {
    rng.pick(OUTAGE)
}
