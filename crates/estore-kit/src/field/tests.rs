use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::{Map, Value, json};

use super::source::{KeySource, RingError, Stamp};
use super::{Environment, Fields, KeyFile, KeyState, Names, PREFIX, Place, Ring, SealError, is_reserved};

const HERE: Place<i32> = Place { table: "orders", column: "metadata", row: 7 };

fn of_file(path: &std::path::Path) -> Fields {
    Fields::new(Ring::open(Box::new(KeyFile::open(path).unwrap())).unwrap(), Names::default())
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

#[test]
fn personal_leaves_are_sealed_at_any_depth_and_open_as_they_were() {
    let fields = Fields::passing().unwrap();
    let plain = json!({
        "gift": true, "source": "app", "email": "ada@example.com", "phone": 442_071_234_567_u64, "note": null,
        "shipping": {"address": {"street": "12 St James's Square", "zip": "SW1Y 4LB"}, "speed": "slow"},
        "people": [{"name": "Ada \"L\" \\ ü"}, {"name": "Grace"}, 7],
    });
    let mut sealed = object(plain.clone());
    assert!(fields.seal_leaves(&mut sealed, HERE).unwrap());
    let mut sealed = Value::Object(sealed);
    let text = sealed.to_string();
    // None is so short that base64 may have it by chance.
    for secret in ["ada@", "442071234567", "James", "SW1Y 4LB", "Ada \\", "Grace", "street", "\"zip\""] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for open in ["\"gift\":true", "\"source\":\"app\"", "\"note\":null", "\"speed\":\"slow\""] {
        assert!(text.contains(open), "{open}: {text}");
    }
    assert!(fields.has_open_leaves(&plain) && !fields.has_open_leaves(&sealed));
    assert!(fields.has_open_leaves(&json!({"people": [7, {"name": "Grace"}]})), "within a list");
    // As text, byte for byte, and as a document.
    assert_eq!(fields.open_json(&text, HERE).unwrap(), plain.to_string());
    fields.open_leaves(&mut sealed, HERE).unwrap();
    assert_eq!(sealed, plain);
    // Nothing to seal is left alone, and what is sealed stays.
    let mut nothing = object(json!({"gift": true, "note": null}));
    assert!(!fields.seal_leaves(&mut nothing, HERE).unwrap());
    assert_eq!(fields.open_json("{\"gift\": true}", HERE).unwrap(), "{\"gift\": true}");
}

#[test]
fn a_sealed_field_opens_in_its_row_and_column_alone_and_unaltered() {
    let fields = Fields::passing().unwrap();
    let sealed = fields.seal_text("a letter", HERE).unwrap();
    assert_eq!(fields.open_text(sealed.clone(), HERE).unwrap(), "a letter");
    assert_ne!(fields.seal_text("a letter", HERE).unwrap(), sealed, "a row key is used once");
    let elsewhere =
        [Place { row: 8, ..HERE }, Place { column: "details", ..HERE }, Place { table: "checkouts", ..HERE }];
    for place in elsewhere {
        let refused = fields.open_text(sealed.clone(), place).unwrap_err();
        assert_eq!(refused, SealError::Broken(place.to_string()));
        assert!(fields.rewrap(&sealed, place).unwrap().is_none(), "its key is the newest");
    }
    let begin = sealed.rfind(':').unwrap() + 1;
    for at in begin..sealed.len() {
        let mut altered = sealed.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        // The last character has bits that say nothing: such text is not what we write, and is no sealed field.
        let opened = fields.open_text(altered.clone(), HERE);
        assert!(opened.is_err() || opened.unwrap() == altered, "{at}");
    }
}

#[test]
fn what_looks_sealed_is_not_taken_from_outside_and_text_about_it_is_left_alone() {
    let fields = Fields::passing().unwrap();
    let sealed = fields.seal_text("x", HERE).unwrap();
    assert!(is_reserved(&json!({"a": [{"b": sealed}]})) && is_reserved(&json!({format!("{PREFIX}x"): 1})));
    assert!(!is_reserved(&json!({"a": format!("it says {sealed}")})));
    for text in [format!("it says {sealed}"), format!("\"{sealed}\" it says"), format!("{PREFIX}short"), String::new()]
    {
        let json = Value::String(text).to_string();
        assert_eq!(fields.open_json(&json, HERE).unwrap(), json);
    }
}

#[test]
fn a_new_key_wraps_data_keys_anew_and_the_old_one_opens_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("field-keys");
    let fields = of_file(&path);
    let file = KeyFile::open(&path).unwrap();
    let mut document = object(json!({"name": "Ada", "city": "London", "gift": 1}));
    fields.seal_leaves(&mut document, HERE).unwrap();
    let before = Value::Object(document).to_string();
    let old = Fields::keys_in(&before).next().unwrap().to_owned();
    assert_eq!(Fields::keys_in(&before).collect::<Vec<_>>(), [&old, &old]);
    assert!(fields.rewrap(&before, HERE).unwrap().is_none());

    let new = file.add().unwrap();
    // A process that has not looked meets the key first: it reads the file then.
    let beside = of_file(&path).seal_text("new", HERE).unwrap();
    assert_eq!(Fields::keys_in(&beside).collect::<Vec<_>>(), [&new]);
    assert_eq!(fields.open_text(beside, HERE).unwrap(), "new");
    let after = fields.rewrap(&before, HERE).unwrap().unwrap();
    assert_eq!(Fields::keys_in(&after).collect::<Vec<_>>(), [&new, &new]);
    assert!(matches!(of_file(&path).rewrap(&before, Place { row: 8, ..HERE }), Err(SealError::Broken(_))));
    assert_eq!(fields.open_json(&after, HERE).unwrap(), fields.open_json(&before, HERE).unwrap());

    file.retire(std::slice::from_ref(&old)).unwrap();
    let states: Vec<_> = fields.ring().all().unwrap().iter().map(|(key, state)| (key.id.clone(), *state)).collect();
    assert_eq!(states, [(old.clone(), KeyState::Retired), (new.clone(), KeyState::Seals)]);
    assert_eq!(of_file(&path).open_json(&before, HERE).unwrap(), fields.open_json(&before, HERE).unwrap());
    // Without the old key what it sealed is lost, and the message says which key is to be found.
    let text = std::fs::read_to_string(&path).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(&old)).collect();
    std::fs::write(&path, kept.join("\n")).unwrap();
    let lost = of_file(&path).open_json(&before, HERE).unwrap_err().to_string();
    assert!(lost.contains(&old) && lost.contains("field-keys") && lost.contains("orders|metadata|7"), "{lost}");
}

#[test]
fn a_key_file_is_private_and_a_broken_one_is_refused_by_line() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("field-keys");
    KeyFile::open(&path).unwrap().add().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let good = std::fs::read_to_string(&path).unwrap();
    let line = good.lines().last().unwrap();
    let refused =
        |text: String| Ring::open(Box::new(Environment::new("ESTORE_FIELDS__KEYS", &text))).unwrap_err().to_string();
    assert!(refused(format!("{line}\n{line}")).contains("line 2: its name stands there twice"));
    assert!(refused(format!("{line} sealed")).contains("line 1"));
    assert!(refused(line.replace(' ', "-")).contains("ESTORE_FIELDS__KEYS, line 1"));
    assert!(refused(line.get(..line.len() - 8).unwrap().to_owned()).contains("32 bytes"));
    assert!(refused(format!("{line} retired")).contains("holds no key that seals"));
    assert!(refused("# nothing".to_owned()).contains("holds no key that seals"));
    assert!(!format!("{:?}", of_file(&path)).contains(line.split(' ').nth(2).unwrap()));
}

/// Answers at once when it is first asked, and then when it is told to.
struct FarAway {
    keys: Environment,
    asked: Sender<()>,
    may_answer: Mutex<Receiver<()>>,
}

impl KeySource for FarAway {
    fn name(&self) -> String {
        "far away".to_owned()
    }

    fn stamp(&self) -> Option<Stamp> {
        None
    }

    fn read(&self) -> Result<Vec<super::RingKey>, RingError> {
        self.asked.send(()).unwrap();
        self.may_answer.lock().unwrap().recv().unwrap();
        self.keys.read()
    }
}

#[test]
fn nobody_waits_for_a_source_that_somebody_else_asks() {
    let ((asked, hear), (let_answer, may_answer)) = (channel(), channel());
    let keys = Environment::passing("far away").unwrap();
    let_answer.send(()).unwrap();
    let ring = Ring::open(Box::new(FarAway { keys, asked, may_answer: Mutex::new(may_answer) })).unwrap();
    hear.recv().unwrap();
    let fields = Fields::new(ring, Names::default());
    let sealed = fields.seal_text("a letter", HERE).unwrap();
    thread::scope(|scope| {
        let unknown = scope.spawn(|| fields.ring().has("00000000"));
        hear.recv().unwrap();
        assert_eq!(fields.open_text(sealed, HERE).unwrap(), "a letter");
        let_answer.send(()).unwrap();
        assert!(!unknown.join().unwrap());
    });
}
