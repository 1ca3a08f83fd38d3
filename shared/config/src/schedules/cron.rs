//! Cron expressions of EventBridge Scheduler,
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>.
//!
//! Six fields: minutes, hours, day of the month, month, day of the week and year. Beyond the reference, the service
//! also accepts: names in any case, `LW` and `L-3` as days of the month, `6L` as a day of the week, wrapping ranges
//! (`FRI-MON`) and increments of ranges (`9-17/2`).

use jiff::civil::{Date, DateTime, Weekday};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The allowed years.
const YEARS: RangeInclusive<u16> = 1970..=2199;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cron {
    /// Bit n is minute n.
    minutes: u64,
    /// Bit n is hour n.
    hours: u64,
    day: Day,
    /// Bit n is month n, from 1.
    months: u64,
    /// `None` is every year.
    years: Option<Vec<u16>>,
}

/// Which days of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Day {
    /// Bit n is day n, from 1.
    Dates(u64),
    /// A number of days before the last of the month.
    BeforeLast(u8),
    /// The last from Monday to Friday.
    LastWeekday,
    /// The day from Monday to Friday nearest to this one, in the same month.
    Nearest(u8),
    /// Bit n is day n of the week, from 1 = Sunday.
    OfWeek(u64),
    /// The last such day of the week of a month, from 1 = Sunday.
    Last(u8),
    /// The nth such day of the week of a month, both from 1.
    Nth(u8, u8),
}

impl Cron {
    /// Parses the text between the brackets of `cron(…)`.
    ///
    /// # Errors
    /// The invalid field, and what is allowed.
    pub fn parse(fields: &str) -> Result<Self, String> {
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, date, month, weekday, year] = fields[..] else { return Err(wrong_count(&fields)) };
        let minutes = set(&MINUTES, minutes)?;
        let hours = set(&HOURS, hours)?;
        let months = set(&MONTH, month)?;
        let years = if year == "*" { None } else { Some(numbers(&YEAR, year)?) };
        let day = match (date, weekday) {
            ("?", "?") => return Err(format!("day-of-month and day-of-week are both `?`. {ONE_OF}")),
            ("?", weekday) => of_week(weekday)?,
            (date, "?") => of_month(date)?,
            // The star that was meant as "any" is the one that the other field goes beyond.
            (date, weekday) => {
                let fixed = if date == "*" { format!("? {month} {weekday}") } else { format!("{date} {month} ?") };
                let both = format!("day-of-month is `{date}` and day-of-week is `{weekday}`. {ONE_OF}");
                let which = [date, weekday].contains(&"*");
                return Err(if which { format!("{both}, such as `{fixed}`") } else { both });
            }
        };
        Ok(Self { minutes, hours, day, months, years })
    }

    /// Returns the first matching time after `after`, by the clock of its time zone.
    pub(super) fn next(&self, after: DateTime) -> Option<DateTime> {
        let mut date = after.date();
        loop {
            if u16::try_from(date.year()).ok()? > *YEARS.end() {
                return None;
            }
            if !self.names_year(date.year()) {
                date = Date::new(date.year() + 1, 1, 1).ok()?;
                continue;
            }
            if !has(self.months, date.month().unsigned_abs()) {
                date = date.last_of_month().tomorrow().ok()?;
                continue;
            }
            if self.day.is(date) {
                let first = if date == after.date() { after.hour() } else { 0 };
                for hour in (first..24).filter(|hour| has(self.hours, hour.unsigned_abs())) {
                    for minute in (0..60).filter(|minute| has(self.minutes, *minute)) {
                        let at = date.at(hour, minute.cast_signed(), 0, 0);
                        if at > after {
                            return Some(at);
                        }
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
    }

    fn names_year(&self, year: i16) -> bool {
        self.years.as_ref().is_none_or(|years| years.iter().any(|named| i32::from(*named) == i32::from(year)))
    }
}

impl Day {
    fn is(self, date: Date) -> bool {
        let day = date.day().unsigned_abs();
        let last = date.days_in_month().unsigned_abs();
        let weekday = weekday(date);
        match self {
            Self::Dates(days) => has(days, day),
            Self::BeforeLast(before) => day + before == last,
            Self::LastWeekday => day == nearest(date.last_of_month()),
            Self::Nearest(wanted) => {
                wanted <= last && date.with().day(wanted.cast_signed()).build().is_ok_and(|date| nearest(date) == day)
            }
            Self::OfWeek(days) => has(days, weekday),
            Self::Last(wanted) => weekday == wanted && day + 7 > last,
            Self::Nth(wanted, nth) => weekday == wanted && (day - 1) / 7 + 1 == nth,
        }
    }
}

/// The day of the month from Monday to Friday that is nearest to `date` within its month.
fn nearest(date: Date) -> u8 {
    let (day, last) = (date.day().unsigned_abs(), date.days_in_month().unsigned_abs());
    match date.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    }
}

/// From 1 = Sunday.
fn weekday(date: Date) -> u8 {
    date.weekday().to_sunday_one_offset().unsigned_abs()
}

fn has(set: u64, number: u8) -> bool {
    set & (1 << number) != 0
}

const ONE_OF: &str = "Only one of them says which days; the other one has to be `?`";

/// A field and its allowed values.
struct Field {
    name: &'static str,
    least: u16,
    most: u16,
    /// Names of the numbers, from `least` on.
    names: &'static [&'static str],
    /// The allowed values, in words.
    allowed: &'static str,
}

const MINUTES: Field = Field { name: "minutes", least: 0, most: 59, names: &[], allowed: "0-59 and , - * /" };
const HOURS: Field = Field { name: "hours", least: 0, most: 23, names: &[], allowed: "0-23 and , - * /" };
const DATE: Field = Field { name: "day-of-month", least: 1, most: 31, names: &[], allowed: "1-31 and , - * ? / L W" };
const MONTH: Field =
    Field { name: "month", least: 1, most: 12, names: &MONTHS, allowed: "1-12 or JAN-DEC and , - * /" };
const WEEKDAY: Field = Field {
    name: "day-of-week",
    least: 1,
    most: 7,
    names: &DAYS,
    allowed: "1-7 (1 is Sunday) or SUN-SAT and , - * ? L #",
};
const YEAR: Field =
    Field { name: "year", least: *YEARS.start(), most: *YEARS.end(), names: &[], allowed: "1970-2199 and , - * /" };

impl Field {
    fn wrong(&self, text: &str) -> String {
        format!("`{text}` is not allowed for {}, which takes {}", self.name, self.allowed)
    }

    /// Returns the number that `text` is or names.
    fn number(&self, text: &str) -> Option<u16> {
        if let Some(at) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return u16::try_from(at).ok().map(|at| at + self.least);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits)?;
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

/// Returns the numbers of a list, sorted.
fn numbers(field: &Field, text: &str) -> Result<Vec<u16>, String> {
    let mut all = Vec::new();
    for item in text.split(',') {
        let wrong = || field.wrong(if item.is_empty() { text } else { item });
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => {
                let digits = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
                let step = step.parse::<u16>().ok().filter(|step| digits && (1..=field.most).contains(step));
                (range, Some(step.ok_or_else(wrong)?))
            }
        };
        let (first, last) = match range {
            "*" => (field.least, field.most),
            // An increment from the beginning.
            "" if step.is_some() => (field.least, field.most),
            range => match range.split_once('-') {
                Some((first, last)) => (field.number(first).ok_or_else(wrong)?, field.number(last).ok_or_else(wrong)?),
                None => {
                    let first = field.number(range).ok_or_else(wrong)?;
                    // An increment continues to the end.
                    (first, if step.is_some() { field.most } else { first })
                }
            },
        };
        let step = usize::from(step.unwrap_or(1));
        if first <= last {
            all.extend((first..=last).step_by(step));
        } else if field.most == YEAR.most {
            return Err(format!("`{item}` of {} goes backwards", field.name));
        } else {
            // From Friday on to Monday.
            all.extend((first..=field.most).chain(field.least..=last).step_by(step));
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn set(field: &Field, text: &str) -> Result<u64, String> {
    Ok(numbers(field, text)?.into_iter().fold(0, |set, number| set | 1 << number))
}

fn of_month(text: &str) -> Result<Day, String> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "L" => return Ok(Day::BeforeLast(0)),
        "LW" | "WL" => return Ok(Day::LastWeekday),
        _ => {}
    }
    let small = |text: &str| DATE.number(text).and_then(|number| u8::try_from(number).ok());
    if let Some(before) = upper.strip_prefix("L-") {
        let before = small(before).filter(|before| *before <= 30);
        return before.map(Day::BeforeLast).ok_or_else(|| DATE.wrong(text));
    }
    if let Some(day) = upper.strip_suffix('W').or_else(|| upper.strip_prefix('W')).filter(|day| !day.is_empty()) {
        let wrong = || format!("{}; W goes with one day, such as 3W, or with L", DATE.wrong(text));
        return small(day).map(Day::Nearest).ok_or_else(wrong);
    }
    Ok(Day::Dates(set(&DATE, text)?))
}

fn of_week(text: &str) -> Result<Day, String> {
    let upper = text.to_ascii_uppercase();
    let small = |text: &str| WEEKDAY.number(text).and_then(|number| u8::try_from(number).ok());
    if upper == "L" {
        // The last day of the week is Saturday.
        return Ok(Day::OfWeek(1 << 7));
    }
    if let Some((day, nth)) = upper.split_once('#') {
        let wrong = || format!("{}; # takes one day and 1 to 5, such as 3#2, the second Tuesday", WEEKDAY.wrong(text));
        let nth = nth.parse::<u8>().ok().filter(|nth| (1..=5).contains(nth));
        return Ok(Day::Nth(small(day).ok_or_else(wrong)?, nth.ok_or_else(wrong)?));
    }
    // JUL and the like are not days, so a final L is the wildcard.
    if let Some(day) = upper.strip_suffix('L') {
        let wrong =
            || format!("{}; L goes with one day, such as 6L, the last Friday of the month", WEEKDAY.wrong(text));
        return small(day).map(Day::Last).ok_or_else(wrong);
    }
    Ok(Day::OfWeek(set(&WEEKDAY, text)?))
}

fn wrong_count(fields: &[&str]) -> String {
    let takes = "cron takes six fields: minutes hours day-of-month month day-of-week year, such as cron(0 6 * * ? *)";
    // crontab(5) has five fields, and its week begins with 0 = Sunday.
    let unix = match *fields {
        [minutes, hours, date, month, "*"] => Some(format!("cron({minutes} {hours} {date} {month} ? *)")),
        [minutes, hours, "*", month, weekday] if !weekday.bytes().any(|byte| byte.is_ascii_digit()) => {
            Some(format!("cron({minutes} {hours} ? {month} {weekday} *)"))
        }
        _ => None,
    };
    match unix.filter(|text| Cron::parse(text.trim_start_matches("cron(").trim_end_matches(')')).is_ok()) {
        Some(unix) => format!("{takes}, and this has five, as crontab takes them: did you mean {unix}?"),
        None => format!("{takes}, and this has {}", fields.len()),
    }
}

#[cfg(test)]
#[path = "cron_tests.rs"]
mod tests;
