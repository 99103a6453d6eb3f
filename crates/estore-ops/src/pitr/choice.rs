//! Which base backup brings a moment back, and whether any does.

use jiff::Timestamp;
use serde::Serialize;

use super::archiver::{Base, Reach};
use super::error::PitrError;
use super::mark::Mark;
use super::moment::{Lsn, Moment};

/// What can be brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The base backups, oldest first.
    pub bases: Vec<Base>,
    /// How far the archive reaches.
    pub reach: Option<Reach>,
    /// The moments that have a name.
    pub marks: Vec<Mark>,
}

impl Window {
    /// From when: the oldest base backup that is whole.
    #[must_use]
    pub fn begins_at(&self) -> Option<Timestamp> {
        self.sound().next().map(|base| base.whole_at)
    }

    /// Until when: the last transaction that is archived.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.reach.and_then(|reach| reach.committed_at)
    }

    /// In words.
    #[must_use]
    pub fn shown(&self) -> String {
        let marks: Vec<&str> = self.marks.iter().map(|mark| mark.name.as_str()).collect();
        let marks = if marks.is_empty() { String::new() } else { format!("; marks: {}", marks.join(", ")) };
        match (self.begins_at(), self.reach) {
            (None, _) => "There is no base backup; `estore backup pitr create` takes one".to_owned(),
            (Some(from), Some(Reach { committed_at: Some(to), lsn })) if to > from => {
                format!("The archive brings back every moment from {from} to {to} ({lsn}){marks}")
            }
            (Some(from), _) => format!("The archive begins at {from} and holds no transaction since{marks}"),
        }
    }

    /// The base backup that a moment is replayed from: the newest that was whole before it.
    ///
    /// # Errors
    /// [`PitrError::Outside`] when none was, or when the archive does not reach so far.
    pub fn choose(&self, moment: &Moment) -> Result<&Base, PitrError> {
        let refuse = |reason: String| PitrError::Outside { moment: moment.to_string(), reason, window: self.shown() };
        let base = match moment {
            Moment::Latest => self.sound().next_back(),
            Moment::Time(time) => {
                if let Some(end) = self.ends_at().filter(|end| end < time) {
                    let latest = "`--to latest` brings back all there is";
                    return Err(refuse(format!("it is after {end}, the last transaction that is archived ({latest})")));
                }
                // Base backups know the second only.
                self.sound().rfind(|base| base.whole_at.as_second() < time.as_second())
            }
            Moment::Lsn(lsn) => self.base_before(*lsn).map_err(&refuse)?,
            Moment::Mark(name) => {
                let mark = self.marks.iter().find(|mark| &mark.name == name);
                let mark = mark.ok_or_else(|| refuse("there is no mark of that name".to_owned()))?;
                self.base_before(mark.lsn).map_err(&refuse)?
            }
        };
        base.ok_or_else(|| refuse("no base backup was whole before it".to_owned()))
    }

    fn base_before(&self, lsn: Lsn) -> Result<Option<&Base>, String> {
        match self.reach {
            Some(reach) if lsn <= reach.lsn => Ok(self.sound().rfind(|base| base.whole_at_lsn <= lsn)),
            Some(reach) => Err(format!("it lies behind {}, the end of what is archived", reach.lsn)),
            None => Err("nothing is archived yet".to_owned()),
        }
    }

    fn sound(&self) -> impl DoubleEndedIterator<Item = &Base> {
        self.bases.iter().filter(|base| !base.damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::super::archiver::Kind;
    use super::*;

    fn base(label: &str, whole_at: &str, lsn: &str, damaged: bool) -> Base {
        let (label, kind, whole_at) = (label.to_owned(), Kind::Full, whole_at.parse().unwrap());
        Base { label, kind, whole_at, whole_at_lsn: lsn.parse().unwrap(), bytes: 1, stored_bytes: 1, damaged }
    }

    fn window() -> Window {
        Window {
            bases: vec![
                base("first", "2026-11-25T10:00:00Z", "0/3000000", false),
                base("torn", "2026-11-25T11:30:00Z", "0/4500000", true),
                base("second", "2026-11-25T12:00:00Z", "0/5000000", false),
            ],
            reach: Some(Reach {
                committed_at: Some("2026-11-25T14:00:00.5Z".parse().unwrap()),
                lsn: "0/7000000".parse().unwrap(),
            }),
            marks: vec![
                Mark {
                    name: "noon".to_owned(),
                    at: "2026-11-25T11:59:00Z".parse().unwrap(),
                    lsn: "0/4FFFFFF".parse().unwrap(),
                },
                Mark {
                    name: "lost".to_owned(),
                    at: "2026-11-25T14:01:00Z".parse().unwrap(),
                    lsn: "0/7000001".parse().unwrap(),
                },
            ],
        }
    }

    fn chosen(moment: &str) -> Result<String, String> {
        let window = window();
        let base = window.choose(&moment.parse().unwrap());
        base.map(|base| base.label.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_newest_base_that_was_whole_before_the_moment() {
        for (moment, base) in [
            ("latest", "second"),
            ("2026-11-25T10:00:01Z", "first"),
            ("2026-11-25T12:00:00.9Z", "first"),
            ("2026-11-25T12:00:01Z", "second"),
            ("2026-11-25T14:00:00.5Z", "second"),
            ("0/4FFFFFF", "first"),
            ("0/5000000", "second"),
            ("noon", "first"),
        ] {
            assert_eq!(chosen(moment).as_deref(), Ok(base), "{moment}");
        }
    }

    #[test]
    fn what_cannot_be_brought_back_is_told_with_the_window() {
        for (moment, reason) in [
            ("2026-11-25T10:00:00.999Z", "no base backup was whole before it"),
            ("2026-11-25T14:00:00.6Z", "the last transaction that is archived"),
            ("0/2FFFFFF", "no base backup was whole before it"),
            ("0/7000001", "the end of what is archived"),
            ("lost", "the end of what is archived"),
            ("tuesday", "there is no mark of that name"),
        ] {
            let said = chosen(moment).unwrap_err();
            assert!(said.contains(reason), "{moment}: {said}");
            assert!(said.contains("from 2026-11-25T10:00:00Z to 2026-11-25T14:00:00.5Z"), "{said}");
            assert!(said.contains("marks: noon, lost"), "{said}");
        }
    }
}
