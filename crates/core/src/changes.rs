//! What one request did to the data, key by key, kept so that it can be replayed on a newer record.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::data::{Data, DataBuilder, Raw};
use crate::data_error::DataError;

/// The name of a value: a constant's of a Rust program, or one that only the running program knows.
pub(crate) type Name = Cow<'static, str>;

/// A step of an update: from the value as it is, to the value as it shall be.
pub(crate) type Step = Arc<dyn Fn(Option<&str>) -> Result<Option<Raw>, DataError> + Send + Sync>;

/// The changes of one request, in a form that can be applied to any version of the data.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// Everything that is not among `keys` was removed.
    cleared: bool,
    /// `None` is the same as empty, and dropped without a call, with every request that writes nothing.
    keys: Option<BTreeMap<Name, Change>>,
}

#[derive(Clone)]
enum Change {
    Set(Raw),
    Remove,
    /// To be run on whatever value is there; `latest` is what came out on the value this request saw.
    Update {
        steps: Vec<Step>,
        latest: Option<Raw>,
    },
}

/// What the changes say about a key.
pub(crate) enum Verdict<'a> {
    Untouched,
    Is(&'a Raw),
    IsGone,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        !self.cleared && self.keys.as_ref().is_none_or(BTreeMap::is_empty)
    }

    pub(crate) fn verdict(&self, key: &str) -> Verdict<'_> {
        match self.keys.as_ref().and_then(|keys| keys.get(key)) {
            Some(
                Change::Set(value)
                | Change::Update {
                    latest: Some(value), ..
                },
            ) => Verdict::Is(value),
            Some(Change::Remove | Change::Update { latest: None, .. }) => Verdict::IsGone,
            None if self.cleared => Verdict::IsGone,
            None => Verdict::Untouched,
        }
    }

    /// The keys that have a value by these changes alone.
    pub(crate) fn keys_set(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().flatten();
        keys.map(|(key, _)| &**key)
            .filter(|key| matches!(self.verdict(key), Verdict::Is(_)))
    }

    pub(crate) fn set(&mut self, key: impl Into<Name>, value: Raw) {
        self.keys_mut().insert(key.into(), Change::Set(value));
    }

    pub(crate) fn remove(&mut self, key: impl Into<Name>) {
        self.keys_mut().insert(key.into(), Change::Remove);
    }

    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        self.keys = None;
    }

    pub(crate) fn update(&mut self, key: impl Into<Name>, step: Step, latest: Option<Raw>) {
        let is_cleared = self.cleared;
        match self.keys_mut().entry(key.into()) {
            Entry::Occupied(mut entry) => match entry.get_mut() {
                // What was written outright is known, so the outcome of a step on it is, too.
                change @ (Change::Set(_) | Change::Remove) => *change = Change::outright(latest),
                Change::Update { steps, latest: known } => {
                    steps.push(step);
                    *known = latest;
                }
            },
            Entry::Vacant(entry) if is_cleared => {
                entry.insert(Change::outright(latest));
            }
            Entry::Vacant(entry) => {
                entry.insert(Change::Update {
                    steps: vec![step],
                    latest,
                });
            }
        }
    }

    /// These changes and `later` ones as one.
    pub(crate) fn then(mut self, later: Self) -> Self {
        if later.cleared {
            return later;
        }
        for (key, change) in later.keys.into_iter().flatten() {
            match change {
                Change::Update { steps, latest } => {
                    steps
                        .into_iter()
                        .for_each(|step| self.update(key.clone(), step, latest.clone()));
                }
                change => {
                    self.keys_mut().insert(key, change);
                }
            }
        }
        self
    }

    fn keys_mut(&mut self) -> &mut BTreeMap<Name, Change> {
        self.keys.get_or_insert_default()
    }

    /// The data after these changes, if it differs from `base`. On the base that the request saw,
    /// updates have been run already.
    pub(crate) fn apply(&self, base: &Data) -> Result<Option<Data>, DataError> {
        self.merge(base, |_, _, latest| Ok(latest.clone()))
    }

    /// The same on a newer base: every update is run again, on the value that is there now.
    pub(crate) fn replay(&self, newer: &Data) -> Result<Option<Data>, DataError> {
        self.merge(newer, |value, steps, _| {
            let mut result = value.map(Raw::from);
            for step in steps {
                result = step(result.as_deref())?;
            }
            Ok(result)
        })
    }

    fn merge(
        &self,
        base: &Data,
        run: impl Fn(Option<&str>, &[Step], &Option<Raw>) -> Result<Option<Raw>, DataError>,
    ) -> Result<Option<Data>, DataError> {
        let mut merged = DataBuilder::with_capacity(base.json().len() + 64);
        let mut differs = false;
        let mut changes = self.keys.iter().flatten().peekable();
        let mut kept = base.iter().peekable();
        loop {
            let side = match (kept.peek(), changes.peek()) {
                (None, None) => break,
                (Some(_), None) => Side::Kept,
                (None, Some(_)) => Side::Changed,
                (Some((kept, _)), Some((changed, _))) => match (*kept).cmp(&***changed) {
                    std::cmp::Ordering::Less => Side::Kept,
                    std::cmp::Ordering::Greater => Side::Changed,
                    std::cmp::Ordering::Equal => Side::Both,
                },
            };
            let old = if matches!(side, Side::Changed) {
                None
            } else {
                kept.next()
            };
            let change = if matches!(side, Side::Kept) {
                None
            } else {
                changes.next()
            };
            match (old, change) {
                (Some(_), None) if self.cleared => differs = true,
                (Some((key, value)), None) => merged.push(key, value),
                (old, Some((key, change))) => {
                    let old = old.map(|(_, value)| value);
                    let new: Option<Raw> = match change {
                        Change::Set(value) => Some(value.clone()),
                        Change::Remove => None,
                        Change::Update { steps, latest } => run(old, steps, latest)?,
                    };
                    differs |= old != new.as_deref();
                    if let Some(value) = new {
                        merged.push(key, &value);
                    }
                }
                (None, None) => break,
            }
        }
        Ok(differs.then(|| merged.finish()))
    }
}

impl Change {
    fn outright(value: Option<Raw>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }
}

enum Side {
    Kept,
    Changed,
    Both,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw(text: &str) -> Raw {
        text.into()
    }

    fn add(amount: u64) -> Step {
        Arc::new(move |value| {
            let value: u64 = value.map_or(0, |text| text.parse().unwrap_or(0));
            Ok(Some(raw(&(value + amount).to_string())))
        })
    }

    fn json(changed: Option<Data>) -> Option<String> {
        changed.map(|data| data.json().to_owned())
    }

    #[test]
    fn writing_what_is_there_is_no_change() {
        let base = Data::parse(r#"{"a":1,"b":2}"#).unwrap();
        let mut changes = Changes::default();
        changes.set("a", raw("1"));
        changes.remove("c");
        assert_eq!(json(changes.apply(&base).unwrap()), None);
    }

    #[test]
    fn untouched_keys_of_the_newer_data_stay() {
        let mut changes = Changes::default();
        changes.set("a", raw("9"));
        changes.remove("b");
        let newer = Data::parse(r#"{"a":1,"b":2,"c":[ 3 ]}"#).unwrap();
        assert_eq!(
            json(changes.replay(&newer).unwrap()).unwrap(),
            r#"{"a":9,"c":[ 3 ]}"#
        );
    }

    #[test]
    fn an_update_runs_again_on_the_newer_value() {
        let mut changes = Changes::default();
        changes.update("n", add(1), Some(raw("1")));
        changes.update("n", add(10), Some(raw("11")));
        let newer = Data::parse(r#"{"n":100}"#).unwrap();
        assert_eq!(
            json(changes.apply(&Data::empty()).unwrap()).unwrap(),
            r#"{"n":11}"#
        );
        assert_eq!(json(changes.replay(&newer).unwrap()).unwrap(), r#"{"n":111}"#);
    }

    #[test]
    fn clearing_removes_what_others_added_too() {
        let mut changes = Changes::default();
        changes.set("a", raw("1"));
        changes.clear();
        changes.set("b", raw("2"));
        let newer = Data::parse(r#"{"a":7,"z":8}"#).unwrap();
        assert_eq!(json(changes.replay(&newer).unwrap()).unwrap(), r#"{"b":2}"#);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Set(usize, u64),
        Remove(usize),
        Add(usize, u64),
        Clear,
    }

    const KEYS: [&str; 4] = ["a", "b", "c", "d"];

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            (0..4usize, 0..9u64).prop_map(|(key, value)| Act::Set(key, value)),
            (0..4usize).prop_map(Act::Remove),
            (0..4usize, 1..9u64).prop_map(|(key, value)| Act::Add(key, value)),
            Just(Act::Clear),
        ];
        proptest::collection::vec(act, 0..12)
    }

    fn data_of(model: &BTreeMap<&'static str, u64>) -> Data {
        let mut builder = DataBuilder::with_capacity(0);
        model
            .iter()
            .for_each(|(key, value)| builder.push(key, &value.to_string()));
        builder.finish()
    }

    fn run_on_model(model: &mut BTreeMap<&'static str, u64>, act: &Act) {
        match *act {
            Act::Set(key, value) => drop(model.insert(KEYS[key], value)),
            Act::Remove(key) => drop(model.remove(KEYS[key])),
            Act::Add(key, value) => *model.entry(KEYS[key]).or_default() += value,
            Act::Clear => model.clear(),
        }
    }

    fn record(changes: &mut Changes, seen: &mut BTreeMap<&'static str, u64>, act: &Act) {
        run_on_model(seen, act);
        match *act {
            Act::Set(key, value) => changes.set(KEYS[key], raw(&value.to_string())),
            Act::Remove(key) => changes.remove(KEYS[key]),
            Act::Add(key, value) => {
                let latest = raw(&seen[KEYS[key]].to_string());
                changes.update(KEYS[key], add(value), Some(latest));
            }
            Act::Clear => changes.clear(),
        }
    }

    proptest! {
        /// The law of the whole thing: recorded on one base and replayed on another, changes do what
        /// the same acts would have done there, in one piece or in two.
        #[test]
        fn replaying_equals_acting_on_the_newer_data(
            seen in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), 0..9u64, 0..4),
            newer in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), 0..9u64, 0..4),
            first in acts(),
            second in acts(),
        ) {
            let (mut one, mut early, mut late) = (Changes::default(), Changes::default(), Changes::default());
            let (mut view, mut again) = (seen.clone(), seen.clone());
            first.iter().chain(&second).for_each(|act| record(&mut one, &mut view, act));
            first.iter().for_each(|act| record(&mut early, &mut again, act));
            second.iter().for_each(|act| record(&mut late, &mut again, act));

            let mut acted = newer.clone();
            first.iter().chain(&second).for_each(|act| run_on_model(&mut acted, act));
            for changes in [one, early.then(late)] {
                let replayed = json(changes.replay(&data_of(&newer)).unwrap());
                let expected = (acted != newer).then(|| data_of(&acted).json().to_owned());
                prop_assert_eq!(replayed, expected);
                let applied = json(changes.apply(&data_of(&seen)).unwrap());
                let expected = (view != seen).then(|| data_of(&view).json().to_owned());
                prop_assert_eq!(applied, expected);
            }
        }
    }
}
