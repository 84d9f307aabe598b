//! The list of databases: durable, bounded, safe against any name.

use crate::support::Place;
use engine::databases::{Databases, DatabasesError, USER_DATABASES_MAX};

#[test]
fn the_system_has_four_databases_and_no_file_until_something_is_made() {
    let place = Place::new();
    let databases = place.open();
    let names: Vec<(i32, String)> = databases
        .list()
        .into_iter()
        .map(|info| (info.id, info.name))
        .collect();
    let expected = [(1, "master"), (2, "tempdb"), (3, "model"), (4, "msdb")];
    assert_eq!(names, expected.map(|(id, name)| (id, name.to_owned())));
    assert!(!place.path().exists());
    let objects = databases.objects(4).unwrap();
    assert_eq!(objects.schemas().len(), 1);
    assert_eq!(objects.objects().count(), 0);
}

#[test]
fn a_database_of_any_name_is_there_after_a_restart() {
    let names = [
        "DBA",
        "../../etc/passwd",
        "a'b\"c]d",
        "Ünïcödé 数",
        "x\u{0}y",
        "CON",
        "",
    ];
    let place = Place::new();
    let databases = place.open();
    for name in names {
        let made = databases.create(name, 7, &[1, 2]).unwrap();
        assert_eq!(databases.numbered(made.id).unwrap().name, name);
    }
    let again = place.open();
    for name in names {
        let found = again.named(name).unwrap();
        assert_eq!(
            (found.created, found.owner_sid.as_slice()),
            (7, &[1, 2][..])
        );
    }
    // Nothing but numbered files was made.
    for entry in std::fs::read_dir(place.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let number = name.split('.').next().unwrap();
        assert!(number.parse::<i32>().is_ok(), "{name}");
    }
}

#[test]
fn names_are_taken_without_regard_to_case() {
    let place = Place::new();
    let databases = place.open();
    databases.create("Dba", 0, &[1]).unwrap();
    assert_eq!(databases.create("DBA ", 0, &[1]).unwrap_err().number, 1801);
    assert_eq!(databases.create("MSDB", 0, &[1]).unwrap_err().number, 1801);
    let other = databases.create("other", 0, &[1]).unwrap();
    assert_eq!(databases.rename(other.id, "dba").unwrap_err().number, 1801);
    databases.rename(other.id, "OTHER").unwrap();
    assert_eq!(place.open().named("other").unwrap().name, "OTHER");
}

#[test]
fn a_dropped_database_is_gone_with_its_file_and_its_number_is_free() {
    let place = Place::new();
    let databases = place.open();
    let made = databases.create("gone", 0, &[1]).unwrap();
    let file = place.path().join(format!("{}.db", made.id));
    assert!(file.exists());
    databases.drop_database(made.id).unwrap();
    assert!(!file.exists());
    assert!(place.open().named("gone").is_none());
    assert_eq!(databases.create("next", 0, &[1]).unwrap().id, made.id);
}

#[test]
fn the_number_of_databases_is_bounded() {
    let place = Place::new();
    let databases = place.open();
    for number in 0..USER_DATABASES_MAX {
        databases.create(&format!("d{number}"), 0, &[1]).unwrap();
    }
    assert_eq!(databases.create("more", 0, &[1]).unwrap_err().number, 1835);
}

#[test]
fn a_file_that_no_list_names_is_set_aside_at_the_start() {
    let place = Place::new();
    place.open().create("kept", 0, &[1]).unwrap();
    let stray = place.path().join("17.db");
    for text in ["left over", "once more"] {
        std::fs::write(&stray, text).unwrap();
        assert!(place.open().named("kept").is_some());
        assert!(!stray.exists());
    }
    for (name, text) in [
        ("17.db.orphan1", "left over"),
        ("17.db.orphan2", "once more"),
    ] {
        let kept = std::fs::read_to_string(place.path().join(name)).unwrap();
        assert_eq!(kept, text);
    }
}

#[test]
fn a_copy_without_the_list_is_not_opened_and_loses_nothing() {
    let place = Place::new();
    let made = place.open().create("precious", 0, &[1]).unwrap();
    let file = place.path().join(format!("{}.db", made.id));
    let list = place.path().join("1.db");
    // A copy of the files alone, while the list was still in the log beside them; then without the list's file.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path().join(format!("1.db{suffix}")));
    }
    std::fs::write(&list, b"").unwrap();
    for _ in 0..2 {
        let refused = Databases::open(place.path(), 0, &[1]).unwrap_err();
        assert!(
            matches!(refused, DatabasesError::Unlisted { .. }),
            "{refused}"
        );
        assert!(file.exists());
        let _ = std::fs::remove_file(&list);
    }
}
