//! `muster sql` against a real instance: exit status, files, variables, standard input.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

mod harness;

use harness::{Instance, PASSWORD, Scratch, program};
use std::io::Write as _;
use std::process::Stdio;

/// Runs the client, which trusts any certificate, with a text on standard input. Output and exit status.
fn sql(instance: &Instance, switches: &[&str], input: &str) -> (String, i32) {
    sql_trusting(instance, &["-C"], switches, input)
}

fn sql_trusting(
    instance: &Instance,
    trust: &[&str],
    switches: &[&str],
    input: &str,
) -> (String, i32) {
    let mut child = program()
        .args(["sql", "-S", &instance.server(), "-U", "sa"])
        .args(trust)
        .args(switches)
        .env("SQLCMDPASSWORD", PASSWORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A client that has ended already does not read its input.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (text, output.status.code().unwrap())
}

#[test]
fn the_client_does_what_sqlcmd_does() {
    let scratch = Scratch::new("sql");
    let instance = Instance::start(&scratch, "MASTER");
    let check = |switches: &[&str], input: &str, expected: &str, code: i32| {
        let (text, status) = sql(&instance, switches, input);
        assert_eq!(
            (text.as_str(), status),
            (expected, code),
            "{switches:?} {input}"
        );
    };

    check(&["-Q", "PRINT N'é'"], "", "é\n", 0);
    check(
        &[
            "-W",
            "-h",
            "-1",
            "-s",
            ",",
            "-Q",
            "SET NOCOUNT ON SELECT 1, N'x '",
        ],
        "",
        "1,x\n",
        0,
    );
    check(&[], "PRINT 'a'\nGO 2\nPRINT 'b'\n", "a\na\nb\n", 0);
    check(
        &["-v", "who=you"],
        ":setvar what \"hello \"\nPRINT '$(what)$(WHO)'\n",
        "hello you\n",
        0,
    );
    check(&[], "PRINT 'a'\nGO\nexit\nPRINT 'b'\n", "a\n", 0);

    // Errors end a run with -b or :on error exit alone.
    let error =
        "Msg 8134, Level 16, State 1, Server MASTER, Line 2\nDivide by zero error encountered.\n";
    let script = "DECLARE @a int\nSET @a = 1 / 0\nGO\nPRINT 'on'\n";
    check(&[], script, &format!("{error}on\n"), 0);
    check(&["-b"], script, error, 1);
    check(&[], &format!(":on error exit\n{script}"), error, 1);

    // Files, one including another, in the encodings that tools save.
    let folder = scratch.path();
    let inner = folder.join("inner.sql");
    std::fs::write(&inner, "PRINT 'inner'\r\nGO\r\n").unwrap();
    let outer = folder.join("outer.sql");
    let text = format!("\u{feff}:r \"{}\"\r\nPRINT N'ä'", inner.display());
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&outer, wide).unwrap();
    let outer = outer.to_str().unwrap();
    check(
        &["-i", outer, inner.to_str().unwrap()],
        "",
        "inner\nä\ninner\n",
        0,
    );
    let result = folder.join("result.txt");
    check(&["-i", outer, "-o", result.to_str().unwrap()], "", "", 0);
    assert_eq!(std::fs::read_to_string(result).unwrap(), "inner\nä\n");
    let own = folder.join("own.sql");
    std::fs::write(&own, format!(":r {}\n", own.display())).unwrap();
    let (text, status) = sql(&instance, &["-i", own.to_str().unwrap()], "");
    assert!(text.contains("files include each other"), "{text}");
    assert_eq!(status, 1);

    // What cannot be done is said, on standard error.
    check(
        &["-Q", "PRINT '$(nobody)'"],
        "",
        "muster: -Q, line 1: 'nobody' scripting variable not defined\n",
        1,
    );
    let (text, status) = sql(&instance, &["-P", "wrong", "-Q", "SELECT 1"], "");
    assert!(
        text.starts_with("muster: login refused: Msg 18456"),
        "{text}"
    );
    assert_eq!(status, 1);
}

#[test]
fn an_exported_authority_is_trusted_and_no_other() {
    let scratch = Scratch::new("sql-ca");
    let instance = Instance::start(&scratch, "MASTER");
    let other = Instance::start(&scratch, "OTHER");
    let export = |of: &Instance| {
        let output = program()
            .args(["ca", "export", "--data"])
            .arg(&of.data)
            .output()
            .unwrap();
        let file = scratch.path().join(format!("{}.pem", of.name));
        std::fs::write(&file, output.stdout).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (own, foreign) = (export(&instance), export(&other));
    for mode in ["-Nmandatory", "-Nstrict"] {
        let select = [mode, "-h", "-1", "-W", "-Q", "SET NOCOUNT ON SELECT 1"];
        let ask = |trust: &[&str]| sql_trusting(&instance, trust, &select, "");
        assert_eq!(ask(&["--ca", &own]), ("1\n".to_owned(), 0), "{mode}");
        for trust in [&["--ca", &foreign][..], &[]] {
            let (text, status) = ask(trust);
            assert_eq!(status, 1, "{mode} {trust:?} {text}");
            assert!(text.contains("certificate"), "{mode} {trust:?} {text}");
        }
    }
    let empty = scratch.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty, scratch.path().join("none.pem")] {
        let file = file.to_str().unwrap();
        let (text, status) = sql_trusting(&instance, &["--ca", file], &["-Q", "SELECT 1"], "");
        assert_eq!(status, 1, "{text}");
        assert!(text.contains("--ca") && text.contains(file), "{text}");
    }
}
