//! Times at which a `CronJob` runs, as Kubernetes reads them: it uses the
//! package robfig/cron, with five fields or a name.

const NAMES: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

struct Part {
    name: &'static str,
    least: usize,
    most: usize,
    /// Words for numbers, from `least` on.
    words: &'static [&'static str],
}

/// Sunday is 0 and never 7 there.
const PARTS: [Part; 5] = [
    Part { name: "minute", least: 0, most: 59, words: &[] },
    Part { name: "hour", least: 0, most: 23, words: &[] },
    Part { name: "day of the month", least: 1, most: 31, words: &[] },
    Part { name: "month", least: 1, most: 12, words: MONTHS },
    Part { name: "day of the week", least: 0, most: 6, words: DAYS },
];

/// Why a text is no schedule, and what to do.
pub(super) fn problem(schedule: &str) -> Option<String> {
    const EXAMPLE: &str =
        "hint: \"0 3 * * *\" is every night at three; @hourly, @daily and \"@every 2h\" are known, too";
    if schedule.contains("TZ") {
        return Some(
            "Kubernetes takes no time zone in a schedule\n  hint: set `cronjob.timeZone`, such as Etc/UTC".to_owned(),
        );
    }
    if schedule.starts_with('@') {
        let is_known = NAMES.contains(&schedule) || schedule.strip_prefix("@every ").is_some_and(is_duration);
        return (!is_known).then(|| format!("no schedule has this name\n  {EXAMPLE}"));
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != PARTS.len() {
        return Some(format!(
            "it is no schedule: it has {} fields, and minute, hour, day of the month, month and day of the week are five\n  {EXAMPLE}",
            fields.len()
        ));
    }
    let bad = PARTS.iter().zip(fields).find(|(part, field)| !field.split(',').all(|item| part.takes(item)));
    bad.map(|(part, field)| {
        let Part { name, least, most, .. } = part;
        format!("its {name} is `{field}`, which is none\n  hint: {least} to {most}, *, lists 1,2, ranges 1-5 and steps */2 can stand there")
    })
}

impl Part {
    /// True for one item of a list: `*`, `3`, `1-5`, each perhaps with a step.
    fn takes(&self, item: &str) -> bool {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let is_step = step.is_none_or(|step| step.parse::<usize>().is_ok_and(|step| step > 0));
        let is_range = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => true,
            Some((first, last)) => self.number(first).zip(self.number(last)).is_some_and(|(first, last)| first <= last),
            None => self.number(range).is_some(),
        };
        is_step && is_range
    }

    fn number(&self, text: &str) -> Option<usize> {
        let word = self.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        let number = word.map(|index| index + self.least).or_else(|| text.parse().ok());
        number.filter(|number| (self.least..=self.most).contains(number))
    }
}

/// True for a duration as Go writes it: `1h30m`, `1.5h`, `90s`.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = &rest[..rest.len() - unit.len()];
        let units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        // `m` is the start of `ms`, which so goes first.
        let Some(after) = units.iter().find_map(|name| unit.strip_prefix(name)) else { return false };
        if number.parse::<f64>().is_err() {
            return false;
        }
        rest = after;
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_those_of_kubernetes() {
        for (schedule, reason) in [
            ("0 3 * * *", ""),
            ("*/5 0-23/2 1,15 * 1-5", ""),
            ("0  0 ? JAN-mar Sun", ""),
            ("5/15 * * * *", ""),
            ("@hourly", ""),
            ("@midnight", ""),
            ("@every 1h30m", ""),
            ("@every 90s", ""),
            ("@every 5ms", ""),
            ("", "it has 0 fields"),
            ("every day", "it has 2 fields"),
            ("0 3 * *", "it has 4 fields"),
            ("0 0 3 * * *", "it has 6 fields"),
            ("60 3 * * *", "its minute is `60`"),
            ("0 24 * * *", "its hour is `24`"),
            ("0 0 0 * *", "its day of the month is `0`"),
            ("0 0 1 13 *", "its month is `13`"),
            ("0 0 * * 7", "its day of the week is `7`"),
            ("0 0 * * mond", "its day of the week is `mond`"),
            ("*/0 * * * *", "its minute is `*/0`"),
            ("5-1 * * * *", "its minute is `5-1`"),
            ("-1 * * * *", "its minute is `-1`"),
            ("1.5 * * * *", "its minute is `1.5`"),
            ("@Daily", "no schedule has this name"),
            ("@reboot", "no schedule has this name"),
            ("@every", "no schedule has this name"),
            ("@every day", "no schedule has this name"),
            ("@every 5", "no schedule has this name"),
            ("TZ=Etc/UTC 0 3 * * *", "no time zone in a schedule"),
            ("CRON_TZ=Etc/UTC 0 3 * * *", "no time zone in a schedule"),
        ] {
            let problem = problem(schedule).unwrap_or_default();
            assert_eq!(problem.is_empty(), reason.is_empty(), "{schedule}: {problem}");
            assert!(problem.contains(reason), "{schedule}: {problem}");
        }
    }
}
