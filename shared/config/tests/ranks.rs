//! The rank of a journey's messages among others that are due.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use perennial_config::Config;
use perennial_config::journeys::Rank;
use perennial_testkit::ConfigBuilder;

fn load(journey: &str, step: &str) -> Result<Vec<Rank>, Vec<String>> {
    let journeys = format!(
        "[[journey]]\nid = \"a\"\ntrigger = {{ event = \"E\" }}\n{journey}\n\
         [[journey.step]]\nchannel = \"mail\"\ntemplate = \"t\"\n{step}\n\
         [[journey.step]]\nchannel = \"in_app\"\ntemplate = \"t\"\n"
    );
    let files = [("journeys.toml", journeys.as_str()), ("templates/t.toml", "subject = \"s\"\ntext = \"t\"\n")];
    match Config::load(&ConfigBuilder::least().with(&files).bundle()) {
        Ok(config) => Ok(config.journeys.all[0].messages().map(|message| message.rank).collect()),
        Err(errors) => Err(errors.to_string().lines().map(str::to_owned).collect()),
    }
}

#[test]
fn a_step_has_the_rank_of_its_journey_unless_it_says_otherwise() {
    let usual = Rank { priority: 50, worth: 0, max_age_days: 3 };
    assert_eq!(load("", "").unwrap(), [usual, usual]);
    let journey = Rank { priority: 70, worth: 20, max_age_days: 5 };
    let step = Rank { priority: 90, ..journey };
    assert_eq!(load("priority = 70\nworth = 20\nmax_age_days = 5", "priority = 90").unwrap(), [step, journey]);
}

#[test]
fn a_rank_out_of_range_is_an_error_with_its_place() {
    let errors = load("priority = 101\nworth = 1000001", "max_age_days = 0").unwrap_err().join("\n");
    for expected in
        ["priority must be from 0 to 100", "worth must be from 0 to 1000000", "max_age_days must be from 1 to 90"]
    {
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn only_messages_to_the_person_have_a_rank() {
    let journeys = "[[journey]]\nid = \"a\"\ntrigger = { event = \"E\" }\n\
        [[journey.step]]\nwait = { days = 1 }\npriority = 5\n";
    let bundle = ConfigBuilder::least().with(&[("journeys.toml", journeys)]).bundle();
    let errors = Config::load(&bundle).unwrap_err().to_string();
    assert!(errors.contains("only a mail or an in-app message has priority, worth and max_age_days"), "{errors}");
}
