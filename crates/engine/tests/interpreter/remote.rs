use crate::support::{Fixture, Transcript, fixture, same};
use engine::{CancelToken, RpcCall, RpcOutcome, RpcParam, RpcProcedure};
use tsql::{SqlType, Value};

pub(crate) fn n(text: &str) -> RpcParam {
    input("", SqlType::NVARCHAR_MAX, Value::string(text))
}

pub(crate) fn input(name: &str, ty: SqlType, value: Value) -> RpcParam {
    RpcParam {
        name: name.to_owned(),
        ty,
        value: Some(value),
        output: false,
        table: None,
    }
}

pub(crate) fn int(value: i32) -> RpcParam {
    input("", SqlType::Int, Value::Int(value))
}

pub(crate) fn output(name: &str) -> RpcParam {
    RpcParam {
        output: true,
        ..input(name, SqlType::Int, Value::Null)
    }
}

pub(crate) fn call(
    fixture: &mut Fixture,
    procedure: RpcProcedure,
    params: Vec<RpcParam>,
) -> (RpcOutcome, String) {
    let mut sink = Transcript::default();
    let call = RpcCall { procedure, params };
    let outcome = fixture
        .session
        .execute_rpc(call, &mut sink, &CancelToken::new());
    (outcome, sink.text)
}

pub(crate) fn outputs(outcome: &RpcOutcome) -> Vec<(usize, &str, Value)> {
    outcome
        .outputs
        .iter()
        .map(|output| (output.ordinal, output.name.as_str(), output.value.clone()))
        .collect()
}

#[test]
fn a_procedure_by_name() {
    let mut fixture = fixture();
    let name = RpcProcedure::Name("msdb.dbo.sp_add_thing".to_owned());
    let by_default = RpcParam {
        value: None,
        ..input("@count", SqlType::Int, Value::Null)
    };
    let (outcome, _) = call(
        &mut fixture,
        name.clone(),
        vec![
            input("@name", SqlType::nvarchar(10), Value::string("x")),
            by_default,
            output("@id"),
        ],
    );
    assert_eq!(outcome.return_status, Some(0));
    assert_eq!(outputs(&outcome), [(2, "@id", Value::Int(42))]);
    assert_eq!(fixture.log(), ["sp_add_thing x, 7*, NULL, NULL*"]);

    let (outcome, text) = call(
        &mut fixture,
        name,
        vec![input("@x", SqlType::Int, Value::Int(1)), int(2)],
    );
    assert_eq!(outcome.return_status, None);
    assert!(outcome.batch.aborted);
    assert_eq!(outcome.batch.last_error.unwrap().number, 8145);
    assert!(
        text.starts_with("Msg 8145, Level 16, State 1, Procedure sp_add_thing"),
        "{text}"
    );

    let (outcome, text) = call(
        &mut fixture,
        RpcProcedure::Name("sp_fail".to_owned()),
        vec![],
    );
    assert_eq!(outcome.return_status, Some(1));
    assert_eq!(text.matches("Msg 14262").count(), 1, "{text}");
    let (outcome, _) = call(
        &mut fixture,
        RpcProcedure::Name("sp_none".to_owned()),
        vec![],
    );
    assert_eq!(outcome.batch.last_error.unwrap().number, 2812);
}

#[test]
fn positional_after_named_is_refused() {
    let params = vec![
        input("@name", SqlType::nvarchar(10), Value::string("x")),
        int(1),
    ];
    let (outcome, _) = call(
        &mut fixture(),
        RpcProcedure::Name("sp_add_thing".to_owned()),
        params,
    );
    assert_eq!(outcome.batch.last_error.unwrap().number, 119);
}

#[test]
fn sp_executesql_by_number() {
    let mut fixture = fixture();
    let params = vec![
        n("SELECT @a AS a SET @b = @a + 1"),
        n("@a int, @b int OUTPUT"),
        input("@a", SqlType::Int, Value::Int(1)),
        output("@b"),
    ];
    let (outcome, text) = call(&mut fixture, RpcProcedure::Id(10), params);
    assert_eq!(outcome.return_status, Some(0));
    assert_eq!(outputs(&outcome), [(3, "@b", Value::Int(2))]);
    assert!(text.starts_with("[a]\n(1)\ndone 1 inside\n"), "{text}");
}

#[test]
fn prepared_handles() {
    let mut fixture = fixture();
    // FreeTDS sends declaration and text as ntext.
    let ntext = |text: &str| input("", SqlType::NText, Value::string(text));
    let (outcome, text) = call(
        &mut fixture,
        RpcProcedure::Id(13),
        vec![
            output(""),
            ntext("@P1 int"),
            ntext("SELECT @P1 + 1 AS n"),
            int(4),
        ],
    );
    assert_eq!(outputs(&outcome), [(0, "", Value::Int(1))]);
    assert!(text.starts_with("[n]\n(5)\n"), "{text}");

    let (outcome, text) = call(&mut fixture, RpcProcedure::Id(12), vec![int(1), int(9)]);
    assert_eq!(outcome.return_status, Some(0));
    assert!(text.starts_with("[n]\n(10)\n"), "{text}");

    // sp_prepare, and a handle of its own.
    let (outcome, _) = call(
        &mut fixture,
        RpcProcedure::Id(11),
        vec![output("@handle"), n(""), n("PRINT 'prepared'"), int(1)],
    );
    assert_eq!(outputs(&outcome), [(0, "@handle", Value::Int(2))]);
    let (_, text) = call(&mut fixture, RpcProcedure::Id(12), vec![int(2)]);
    assert!(text.starts_with("> prepared"), "{text}");

    // A handle that is handed in gives way.
    let replaced = RpcParam {
        output: true,
        ..int(2)
    };
    let (outcome, _) = call(
        &mut fixture,
        RpcProcedure::Id(13),
        vec![replaced, n(""), n("PRINT 'new'")],
    );
    assert_eq!(outputs(&outcome), [(0, "", Value::Int(3))]);
    let (outcome, _) = call(&mut fixture, RpcProcedure::Id(12), vec![int(2)]);
    assert_eq!(outcome.batch.last_error.unwrap().number, 8179);

    let (outcome, _) = call(&mut fixture, RpcProcedure::Id(15), vec![int(1)]);
    assert_eq!(outcome.return_status, Some(0));
    let (outcome, _) = call(&mut fixture, RpcProcedure::Id(15), vec![int(1)]);
    assert_eq!(outcome.batch.last_error.unwrap().number, 8179);

    // Syntax is an error of the preparation.
    let (outcome, text) = call(
        &mut fixture,
        RpcProcedure::Id(11),
        vec![output(""), n(""), n("PRINT 1 WHERE"), int(1)],
    );
    assert!(text.contains("Msg 156"), "{text}");
    assert_eq!(outcome.batch.last_error.unwrap().number, 8180);
}

#[test]
fn a_prepared_procedure() {
    let mut fixture = fixture();
    let (outcome, _) = call(
        &mut fixture,
        RpcProcedure::Id(14),
        vec![output(""), n("sp_add_thing"), n("x"), int(1), output("")],
    );
    assert_eq!(outcome.return_status, Some(0));
    let [(0, "", Value::Int(_)), (4, "", Value::Int(42))] = outputs(&outcome)[..] else {
        panic!("{:?}", outcome.outputs);
    };
}

#[test]
fn a_remote_error_is_told_once() {
    let params = vec![n("PRINT 1/0 PRINT 'on' SELECT * FROM nothing")];
    let (outcome, text) = call(&mut fixture(), RpcProcedure::Id(10), params);
    same(
        &text,
        "Msg 8134, Level 16, State 1, Line 1: Divide by zero error encountered.
         done inside failed
         > on
         Msg 208, Level 16, State 1, Line 1: Invalid object name 'nothing'.
         done inside failed
         returned 208",
        "sp_executesql",
    );
    assert_eq!(outcome.return_status, Some(208));
}
