//! The shape of trees.

use super::*;

#[test]
fn job_script() {
    let text = "\
DECLARE @ReturnCode INT
DECLARE @jobId BINARY(16)
IF NOT EXISTS (SELECT name FROM msdb.dbo.syscategories WHERE name=N'x' AND category_class=1)
BEGIN
EXEC @ReturnCode = msdb.dbo.sp_add_job @job_name=N'a', @enabled=1, @job_id = @jobId OUTPUT
IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback
END
QuitWithRollback:
    IF (@@TRANCOUNT > 0) ROLLBACK TRANSACTION";
    insta::assert_debug_snapshot!(statements(text), @r#"
    [
        Statement {
            span: 1:0..23,
            kind: Declare(
                [
                    Scalar {
                        variable: @ReturnCode:1,
                        ty: TypeName {
                            name: INT@1,
                            args: None,
                            span: 1:20..23,
                        },
                        value: None,
                    },
                ],
            ),
        },
        Statement {
            span: 2:24..49,
            kind: Declare(
                [
                    Scalar {
                        variable: @jobId:2,
                        ty: TypeName {
                            name: BINARY@2,
                            args: One(
                                16,
                            ),
                            span: 2:39..49,
                        },
                        value: None,
                    },
                ],
            ),
        },
        Statement {
            span: 3:50..303,
            kind: If {
                condition: Expr {
                    span: 3:53..142,
                    kind: Not(
                        Expr {
                            span: 3:57..142,
                            kind: Exists(
                                Query {
                                    body: Select(
                                        Select {
                                            distinct: false,
                                            top: None,
                                            items: [
                                                Expr {
                                                    expr: Expr {
                                                        span: 3:72..76,
                                                        kind: Column(
                                                            [
                                                                name@3,
                                                            ],
                                                        ),
                                                    },
                                                    alias: None,
                                                },
                                            ],
                                            into: None,
                                            from: [
                                                Table {
                                                    name: msdb.dbo.syscategories@3,
                                                    alias: None,
                                                    hints: [],
                                                },
                                            ],
                                            filter: Some(
                                                Expr {
                                                    span: 3:111..141,
                                                    kind: And(
                                                        Expr {
                                                            span: 3:111..120,
                                                            kind: Compare {
                                                                op: Equal,
                                                                left: Expr {
                                                                    span: 3:111..115,
                                                                    kind: Column(
                                                                        [
                                                                            name@3,
                                                                        ],
                                                                    ),
                                                                },
                                                                right: Expr {
                                                                    span: 3:116..120,
                                                                    kind: Literal(
                                                                        String {
                                                                            text: "x",
                                                                            unicode: true,
                                                                        },
                                                                    ),
                                                                },
                                                            },
                                                        },
                                                        Expr {
                                                            span: 3:125..141,
                                                            kind: Compare {
                                                                op: Equal,
                                                                left: Expr {
                                                                    span: 3:125..139,
                                                                    kind: Column(
                                                                        [
                                                                            category_class@3,
                                                                        ],
                                                                    ),
                                                                },
                                                                right: Expr {
                                                                    span: 3:140..141,
                                                                    kind: Literal(
                                                                        Int(
                                                                            1,
                                                                        ),
                                                                    ),
                                                                },
                                                            },
                                                        },
                                                    ),
                                                },
                                            ),
                                            group_by: None,
                                            having: None,
                                            span: 3:65..141,
                                        },
                                    ),
                                    order_by: [],
                                    offset: None,
                                    for_clause: None,
                                    span: 3:65..141,
                                },
                            ),
                        },
                    ),
                },
                then: Statement {
                    span: 4:143..303,
                    kind: Block(
                        [
                            Statement {
                                span: 5:149..239,
                                kind: Execute(
                                    Execute {
                                        result: Some(
                                            @ReturnCode:5,
                                        ),
                                        target: Procedure(
                                            msdb.dbo.sp_add_job@5,
                                        ),
                                        args: [
                                            ExecuteArgument {
                                                name: Some(
                                                    @job_name:5,
                                                ),
                                                value: Expr {
                                                    span: 5:198..202,
                                                    kind: Literal(
                                                        String {
                                                            text: "a",
                                                            unicode: true,
                                                        },
                                                    ),
                                                },
                                                output: false,
                                            },
                                            ExecuteArgument {
                                                name: Some(
                                                    @enabled:5,
                                                ),
                                                value: Expr {
                                                    span: 5:213..214,
                                                    kind: Literal(
                                                        Int(
                                                            1,
                                                        ),
                                                    ),
                                                },
                                                output: false,
                                            },
                                            ExecuteArgument {
                                                name: Some(
                                                    @job_id:5,
                                                ),
                                                value: Expr {
                                                    span: 5:226..232,
                                                    kind: Variable(
                                                        @jobId:5,
                                                    ),
                                                },
                                                output: true,
                                            },
                                        ],
                                        options: [],
                                    },
                                ),
                            },
                            Statement {
                                span: 6:240..299,
                                kind: If {
                                    condition: Expr {
                                        span: 6:243..277,
                                        kind: Or(
                                            Expr {
                                                span: 6:244..256,
                                                kind: Compare {
                                                    op: NotEqual,
                                                    left: Expr {
                                                        span: 6:244..251,
                                                        kind: Global(
                                                            @@ERROR:6,
                                                        ),
                                                    },
                                                    right: Expr {
                                                        span: 6:255..256,
                                                        kind: Literal(
                                                            Int(
                                                                0,
                                                            ),
                                                        ),
                                                    },
                                                },
                                            },
                                            Expr {
                                                span: 6:260..276,
                                                kind: Compare {
                                                    op: NotEqual,
                                                    left: Expr {
                                                        span: 6:260..271,
                                                        kind: Variable(
                                                            @ReturnCode:6,
                                                        ),
                                                    },
                                                    right: Expr {
                                                        span: 6:275..276,
                                                        kind: Literal(
                                                            Int(
                                                                0,
                                                            ),
                                                        ),
                                                    },
                                                },
                                            },
                                        ),
                                    },
                                    then: Statement {
                                        span: 6:278..299,
                                        kind: Goto(
                                            QuitWithRollback@6,
                                        ),
                                    },
                                    otherwise: None,
                                },
                            },
                        ],
                    ),
                },
                otherwise: None,
            },
        },
        Statement {
            span: 8:304..321,
            kind: Label(
                QuitWithRollback@8,
            ),
        },
        Statement {
            span: 9:326..367,
            kind: If {
                condition: Expr {
                    span: 9:329..346,
                    kind: Compare {
                        op: Greater,
                        left: Expr {
                            span: 9:330..341,
                            kind: Global(
                                @@TRANCOUNT:9,
                            ),
                        },
                        right: Expr {
                            span: 9:344..345,
                            kind: Literal(
                                Int(
                                    0,
                                ),
                            ),
                        },
                    },
                },
                then: Statement {
                    span: 9:347..367,
                    kind: Rollback {
                        name: None,
                    },
                },
                otherwise: None,
            },
        },
    ]
    "#);
}

#[test]
fn query() {
    let text = "\
SELECT TOP (5) j.name AS [Job], total = COUNT(*), h.*
FROM msdb..sysjobs AS j WITH (NOLOCK)
LEFT JOIN msdb.dbo.sysjobhistory h ON h.job_id = j.job_id AND h.step_id = 0
WHERE j.name LIKE N'%x%' AND (j.enabled = 1 OR h.run_date BETWEEN 1 AND 2)
GROUP BY j.name
ORDER BY 2 DESC
OPTION (MAXRECURSION 5)";
    insta::assert_debug_snapshot!(statements(text), @r#"
    [
        Statement {
            span: 1:0..298,
            kind: Select(
                SelectStatement {
                    with: None,
                    query: Query {
                        body: Select(
                            Select {
                                distinct: false,
                                top: Some(
                                    Top {
                                        count: Expr {
                                            span: 1:12..13,
                                            kind: Literal(
                                                Int(
                                                    5,
                                                ),
                                            ),
                                        },
                                        percent: false,
                                        with_ties: false,
                                    },
                                ),
                                items: [
                                    Expr {
                                        expr: Expr {
                                            span: 1:15..21,
                                            kind: Column(
                                                [
                                                    j@1,
                                                    name@1,
                                                ],
                                            ),
                                        },
                                        alias: Some(
                                            [Job]@1,
                                        ),
                                    },
                                    Expr {
                                        expr: Expr {
                                            span: 1:40..48,
                                            kind: Function(
                                                FunctionCall {
                                                    name: COUNT@1,
                                                    parenthesised: true,
                                                    distinct: false,
                                                    star: true,
                                                    args: [],
                                                    ignore_nulls: None,
                                                    within_group: [],
                                                    over: None,
                                                },
                                            ),
                                        },
                                        alias: Some(
                                            total@1,
                                        ),
                                    },
                                    Wildcard {
                                        qualifier: Some(
                                            h@1,
                                        ),
                                        span: 1:50..53,
                                    },
                                ],
                                into: None,
                                from: [
                                    Join {
                                        left: Table {
                                            name: msdb..sysjobs@2,
                                            alias: Some(
                                                TableAlias {
                                                    name: j@2,
                                                    columns: [],
                                                },
                                            ),
                                            hints: [
                                                TableHint {
                                                    name: "NOLOCK",
                                                    args: [],
                                                    span: 2:84..90,
                                                },
                                            ],
                                        },
                                        kind: Left,
                                        right: Table {
                                            name: msdb.dbo.sysjobhistory@3,
                                            alias: Some(
                                                TableAlias {
                                                    name: h@3,
                                                    columns: [],
                                                },
                                            ),
                                            hints: [],
                                        },
                                        on: Some(
                                            Expr {
                                                span: 3:130..167,
                                                kind: And(
                                                    Expr {
                                                        span: 3:130..149,
                                                        kind: Compare {
                                                            op: Equal,
                                                            left: Expr {
                                                                span: 3:130..138,
                                                                kind: Column(
                                                                    [
                                                                        h@3,
                                                                        job_id@3,
                                                                    ],
                                                                ),
                                                            },
                                                            right: Expr {
                                                                span: 3:141..149,
                                                                kind: Column(
                                                                    [
                                                                        j@3,
                                                                        job_id@3,
                                                                    ],
                                                                ),
                                                            },
                                                        },
                                                    },
                                                    Expr {
                                                        span: 3:154..167,
                                                        kind: Compare {
                                                            op: Equal,
                                                            left: Expr {
                                                                span: 3:154..163,
                                                                kind: Column(
                                                                    [
                                                                        h@3,
                                                                        step_id@3,
                                                                    ],
                                                                ),
                                                            },
                                                            right: Expr {
                                                                span: 3:166..167,
                                                                kind: Literal(
                                                                    Int(
                                                                        0,
                                                                    ),
                                                                ),
                                                            },
                                                        },
                                                    },
                                                ),
                                            },
                                        ),
                                    },
                                ],
                                filter: Some(
                                    Expr {
                                        span: 4:174..242,
                                        kind: And(
                                            Expr {
                                                span: 4:174..192,
                                                kind: Like {
                                                    operand: Expr {
                                                        span: 4:174..180,
                                                        kind: Column(
                                                            [
                                                                j@4,
                                                                name@4,
                                                            ],
                                                        ),
                                                    },
                                                    pattern: Expr {
                                                        span: 4:186..192,
                                                        kind: Literal(
                                                            String {
                                                                text: "%x%",
                                                                unicode: true,
                                                            },
                                                        ),
                                                    },
                                                    escape: None,
                                                    negated: false,
                                                },
                                            },
                                            Expr {
                                                span: 4:197..242,
                                                kind: Or(
                                                    Expr {
                                                        span: 4:198..211,
                                                        kind: Compare {
                                                            op: Equal,
                                                            left: Expr {
                                                                span: 4:198..207,
                                                                kind: Column(
                                                                    [
                                                                        j@4,
                                                                        enabled@4,
                                                                    ],
                                                                ),
                                                            },
                                                            right: Expr {
                                                                span: 4:210..211,
                                                                kind: Literal(
                                                                    Int(
                                                                        1,
                                                                    ),
                                                                ),
                                                            },
                                                        },
                                                    },
                                                    Expr {
                                                        span: 4:215..241,
                                                        kind: Between {
                                                            operand: Expr {
                                                                span: 4:215..225,
                                                                kind: Column(
                                                                    [
                                                                        h@4,
                                                                        run_date@4,
                                                                    ],
                                                                ),
                                                            },
                                                            low: Expr {
                                                                span: 4:234..235,
                                                                kind: Literal(
                                                                    Int(
                                                                        1,
                                                                    ),
                                                                ),
                                                            },
                                                            high: Expr {
                                                                span: 4:240..241,
                                                                kind: Literal(
                                                                    Int(
                                                                        2,
                                                                    ),
                                                                ),
                                                            },
                                                            negated: false,
                                                        },
                                                    },
                                                ),
                                            },
                                        ),
                                    },
                                ),
                                group_by: Some(
                                    GroupBy {
                                        all: false,
                                        items: [
                                            Expr(
                                                Expr {
                                                    span: 5:252..258,
                                                    kind: Column(
                                                        [
                                                            j@5,
                                                            name@5,
                                                        ],
                                                    ),
                                                },
                                            ),
                                        ],
                                        with: None,
                                    },
                                ),
                                having: None,
                                span: 1:0..258,
                            },
                        ),
                        order_by: [
                            OrderItem {
                                expr: Expr {
                                    span: 6:268..269,
                                    kind: Literal(
                                        Int(
                                            2,
                                        ),
                                    ),
                                },
                                descending: true,
                            },
                        ],
                        offset: None,
                        for_clause: None,
                        span: 1:0..274,
                    },
                    options: [
                        QueryHint {
                            name: "MAXRECURSION",
                            value: Some(
                                Int(
                                    5,
                                ),
                            ),
                            span: 7:283..297,
                        },
                    ],
                },
            ),
        },
    ]
    "#);
}

#[test]
fn signs() {
    let text = "PRINT -1 * 2 + ~3 - CASE @@SPID WHEN 1 THEN CONVERT(varchar(max), $1.5, 121) END";
    insta::assert_debug_snapshot!(statements(text), @r#"
    [
        Statement {
            span: 1:0..80,
            kind: Print(
                Expr {
                    span: 1:6..80,
                    kind: Binary {
                        op: Subtract,
                        left: Expr {
                            span: 1:6..17,
                            kind: Binary {
                                op: Add,
                                left: Expr {
                                    span: 1:6..12,
                                    kind: Unary {
                                        op: Minus,
                                        operand: Expr {
                                            span: 1:7..12,
                                            kind: Binary {
                                                op: Multiply,
                                                left: Expr {
                                                    span: 1:7..8,
                                                    kind: Literal(
                                                        Int(
                                                            1,
                                                        ),
                                                    ),
                                                },
                                                right: Expr {
                                                    span: 1:11..12,
                                                    kind: Literal(
                                                        Int(
                                                            2,
                                                        ),
                                                    ),
                                                },
                                            },
                                        },
                                    },
                                },
                                right: Expr {
                                    span: 1:15..17,
                                    kind: Unary {
                                        op: BitNot,
                                        operand: Expr {
                                            span: 1:16..17,
                                            kind: Literal(
                                                Int(
                                                    3,
                                                ),
                                            ),
                                        },
                                    },
                                },
                            },
                        },
                        right: Expr {
                            span: 1:20..80,
                            kind: Case {
                                operand: Some(
                                    Expr {
                                        span: 1:25..31,
                                        kind: Global(
                                            @@SPID:1,
                                        ),
                                    },
                                ),
                                branches: [
                                    CaseBranch {
                                        when: Expr {
                                            span: 1:37..38,
                                            kind: Literal(
                                                Int(
                                                    1,
                                                ),
                                            ),
                                        },
                                        then: Expr {
                                            span: 1:44..76,
                                            kind: Convert {
                                                operand: Expr {
                                                    span: 1:66..70,
                                                    kind: Literal(
                                                        Money(
                                                            15000,
                                                        ),
                                                    ),
                                                },
                                                ty: TypeName {
                                                    name: varchar@1,
                                                    args: Max,
                                                    span: 1:52..64,
                                                },
                                                style: Some(
                                                    Expr {
                                                        span: 1:72..75,
                                                        kind: Literal(
                                                            Int(
                                                                121,
                                                            ),
                                                        ),
                                                    },
                                                ),
                                                safe: false,
                                            },
                                        },
                                    },
                                ],
                                otherwise: None,
                            },
                        },
                    },
                },
            ),
        },
    ]
    "#);
}

#[test]
fn set_operators() {
    let text = "SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT (SELECT 4)";
    insta::assert_debug_snapshot!(statements(text), @r#"
    [
        Statement {
            span: 1:0..64,
            kind: Select(
                SelectStatement {
                    with: None,
                    query: Query {
                        body: Chain {
                            first: Select(
                                Select {
                                    distinct: false,
                                    top: None,
                                    items: [
                                        Expr {
                                            expr: Expr {
                                                span: 1:7..8,
                                                kind: Literal(
                                                    Int(
                                                        1,
                                                    ),
                                                ),
                                            },
                                            alias: None,
                                        },
                                    ],
                                    into: None,
                                    from: [],
                                    filter: None,
                                    group_by: None,
                                    having: None,
                                    span: 1:0..8,
                                },
                            ),
                            rest: [
                                SetOperand {
                                    op: UnionAll,
                                    operand: Chain {
                                        first: Select(
                                            Select {
                                                distinct: false,
                                                top: None,
                                                items: [
                                                    Expr {
                                                        expr: Expr {
                                                            span: 1:26..27,
                                                            kind: Literal(
                                                                Int(
                                                                    2,
                                                                ),
                                                            ),
                                                        },
                                                        alias: None,
                                                    },
                                                ],
                                                into: None,
                                                from: [],
                                                filter: None,
                                                group_by: None,
                                                having: None,
                                                span: 1:19..27,
                                            },
                                        ),
                                        rest: [
                                            SetOperand {
                                                op: Intersect,
                                                operand: Select(
                                                    Select {
                                                        distinct: false,
                                                        top: None,
                                                        items: [
                                                            Expr {
                                                                expr: Expr {
                                                                    span: 1:45..46,
                                                                    kind: Literal(
                                                                        Int(
                                                                            3,
                                                                        ),
                                                                    ),
                                                                },
                                                                alias: None,
                                                            },
                                                        ],
                                                        into: None,
                                                        from: [],
                                                        filter: None,
                                                        group_by: None,
                                                        having: None,
                                                        span: 1:38..46,
                                                    },
                                                ),
                                                span: 1:28..37,
                                            },
                                        ],
                                    },
                                    span: 1:9..14,
                                },
                                SetOperand {
                                    op: Except,
                                    operand: Nested(
                                        Query {
                                            body: Select(
                                                Select {
                                                    distinct: false,
                                                    top: None,
                                                    items: [
                                                        Expr {
                                                            expr: Expr {
                                                                span: 1:62..63,
                                                                kind: Literal(
                                                                    Int(
                                                                        4,
                                                                    ),
                                                                ),
                                                            },
                                                            alias: None,
                                                        },
                                                    ],
                                                    into: None,
                                                    from: [],
                                                    filter: None,
                                                    group_by: None,
                                                    having: None,
                                                    span: 1:55..63,
                                                },
                                            ),
                                            order_by: [],
                                            offset: None,
                                            for_clause: None,
                                            span: 1:55..63,
                                        },
                                    ),
                                    span: 1:47..53,
                                },
                            ],
                        },
                        order_by: [],
                        offset: None,
                        for_clause: None,
                        span: 1:0..64,
                    },
                    options: [],
                },
            ),
        },
    ]
    "#);
}

#[test]
fn chains() {
    let text = "IF 1 = 1 AND 2 = 2 AND 3 = 3 AND 4 = 4 OR 5 = 5 RETURN";
    insta::assert_debug_snapshot!(statements(text), @r#"
    [
        Statement {
            span: 1:0..54,
            kind: If {
                condition: Expr {
                    span: 1:3..47,
                    kind: Or(
                        Expr {
                            span: 1:3..38,
                            kind: And(
                                Expr {
                                    span: 1:3..18,
                                    kind: And(
                                        Expr {
                                            span: 1:3..8,
                                            kind: Compare {
                                                op: Equal,
                                                left: Expr {
                                                    span: 1:3..4,
                                                    kind: Literal(
                                                        Int(
                                                            1,
                                                        ),
                                                    ),
                                                },
                                                right: Expr {
                                                    span: 1:7..8,
                                                    kind: Literal(
                                                        Int(
                                                            1,
                                                        ),
                                                    ),
                                                },
                                            },
                                        },
                                        Expr {
                                            span: 1:13..18,
                                            kind: Compare {
                                                op: Equal,
                                                left: Expr {
                                                    span: 1:13..14,
                                                    kind: Literal(
                                                        Int(
                                                            2,
                                                        ),
                                                    ),
                                                },
                                                right: Expr {
                                                    span: 1:17..18,
                                                    kind: Literal(
                                                        Int(
                                                            2,
                                                        ),
                                                    ),
                                                },
                                            },
                                        },
                                    ),
                                },
                                Expr {
                                    span: 1:23..38,
                                    kind: And(
                                        Expr {
                                            span: 1:23..28,
                                            kind: Compare {
                                                op: Equal,
                                                left: Expr {
                                                    span: 1:23..24,
                                                    kind: Literal(
                                                        Int(
                                                            3,
                                                        ),
                                                    ),
                                                },
                                                right: Expr {
                                                    span: 1:27..28,
                                                    kind: Literal(
                                                        Int(
                                                            3,
                                                        ),
                                                    ),
                                                },
                                            },
                                        },
                                        Expr {
                                            span: 1:33..38,
                                            kind: Compare {
                                                op: Equal,
                                                left: Expr {
                                                    span: 1:33..34,
                                                    kind: Literal(
                                                        Int(
                                                            4,
                                                        ),
                                                    ),
                                                },
                                                right: Expr {
                                                    span: 1:37..38,
                                                    kind: Literal(
                                                        Int(
                                                            4,
                                                        ),
                                                    ),
                                                },
                                            },
                                        },
                                    ),
                                },
                            ),
                        },
                        Expr {
                            span: 1:42..47,
                            kind: Compare {
                                op: Equal,
                                left: Expr {
                                    span: 1:42..43,
                                    kind: Literal(
                                        Int(
                                            5,
                                        ),
                                    ),
                                },
                                right: Expr {
                                    span: 1:46..47,
                                    kind: Literal(
                                        Int(
                                            5,
                                        ),
                                    ),
                                },
                            },
                        },
                    ),
                },
                then: Statement {
                    span: 1:48..54,
                    kind: Return(
                        None,
                    ),
                },
                otherwise: None,
            },
        },
    ]
    "#);
}
