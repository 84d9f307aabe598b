//! The reserved words of T-SQL.
//!
//! A reserved word names nothing unless it is quoted. Words that mean something in one place only
//! (`OUTPUT`, `NOLOCK`, `TRY`) are not here: the parser compares their text. PRECISION is documented as
//! reserved, but scripts name columns so and SQL Server takes it.
//!
//! Source: Transact-SQL reference, "Reserved keywords".

macro_rules! keywords {
    ($($name:ident = $text:literal,)*) => {
        /// A reserved word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Keyword {
            $($name,)*
        }

        /// Every reserved word in capitals, sorted.
        const ALL: &[(&str, Keyword)] = &[$(($text, Keyword::$name),)*];
    };
}

keywords! {
    Add = "ADD",
    All = "ALL",
    Alter = "ALTER",
    And = "AND",
    Any = "ANY",
    As = "AS",
    Asc = "ASC",
    Authorization = "AUTHORIZATION",
    Backup = "BACKUP",
    Begin = "BEGIN",
    Between = "BETWEEN",
    Break = "BREAK",
    Browse = "BROWSE",
    Bulk = "BULK",
    By = "BY",
    Cascade = "CASCADE",
    Case = "CASE",
    Check = "CHECK",
    Checkpoint = "CHECKPOINT",
    Close = "CLOSE",
    Clustered = "CLUSTERED",
    Coalesce = "COALESCE",
    Collate = "COLLATE",
    Column = "COLUMN",
    Commit = "COMMIT",
    Compute = "COMPUTE",
    Constraint = "CONSTRAINT",
    Contains = "CONTAINS",
    Containstable = "CONTAINSTABLE",
    Continue = "CONTINUE",
    Convert = "CONVERT",
    Create = "CREATE",
    Cross = "CROSS",
    Current = "CURRENT",
    CurrentDate = "CURRENT_DATE",
    CurrentTime = "CURRENT_TIME",
    CurrentTimestamp = "CURRENT_TIMESTAMP",
    CurrentUser = "CURRENT_USER",
    Cursor = "CURSOR",
    Database = "DATABASE",
    Dbcc = "DBCC",
    Deallocate = "DEALLOCATE",
    Declare = "DECLARE",
    Default = "DEFAULT",
    Delete = "DELETE",
    Deny = "DENY",
    Desc = "DESC",
    Disk = "DISK",
    Distinct = "DISTINCT",
    Distributed = "DISTRIBUTED",
    Double = "DOUBLE",
    Drop = "DROP",
    Dump = "DUMP",
    Else = "ELSE",
    End = "END",
    Errlvl = "ERRLVL",
    Escape = "ESCAPE",
    Except = "EXCEPT",
    Exec = "EXEC",
    Execute = "EXECUTE",
    Exists = "EXISTS",
    Exit = "EXIT",
    External = "EXTERNAL",
    Fetch = "FETCH",
    File = "FILE",
    Fillfactor = "FILLFACTOR",
    For = "FOR",
    Foreign = "FOREIGN",
    Freetext = "FREETEXT",
    Freetexttable = "FREETEXTTABLE",
    From = "FROM",
    Full = "FULL",
    Function = "FUNCTION",
    Goto = "GOTO",
    Grant = "GRANT",
    Group = "GROUP",
    Having = "HAVING",
    Holdlock = "HOLDLOCK",
    Identity = "IDENTITY",
    Identitycol = "IDENTITYCOL",
    IdentityInsert = "IDENTITY_INSERT",
    If = "IF",
    In = "IN",
    Index = "INDEX",
    Inner = "INNER",
    Insert = "INSERT",
    Intersect = "INTERSECT",
    Into = "INTO",
    Is = "IS",
    Join = "JOIN",
    Key = "KEY",
    Kill = "KILL",
    Left = "LEFT",
    Like = "LIKE",
    Lineno = "LINENO",
    Load = "LOAD",
    Merge = "MERGE",
    National = "NATIONAL",
    Nocheck = "NOCHECK",
    Nonclustered = "NONCLUSTERED",
    Not = "NOT",
    Null = "NULL",
    Nullif = "NULLIF",
    Of = "OF",
    Off = "OFF",
    Offsets = "OFFSETS",
    On = "ON",
    Open = "OPEN",
    Opendatasource = "OPENDATASOURCE",
    Openquery = "OPENQUERY",
    Openrowset = "OPENROWSET",
    Openxml = "OPENXML",
    Option = "OPTION",
    Or = "OR",
    Order = "ORDER",
    Outer = "OUTER",
    Over = "OVER",
    Percent = "PERCENT",
    Pivot = "PIVOT",
    Plan = "PLAN",
    Primary = "PRIMARY",
    Print = "PRINT",
    Proc = "PROC",
    Procedure = "PROCEDURE",
    Public = "PUBLIC",
    Raiserror = "RAISERROR",
    Read = "READ",
    Readtext = "READTEXT",
    Reconfigure = "RECONFIGURE",
    References = "REFERENCES",
    Replication = "REPLICATION",
    Restore = "RESTORE",
    Restrict = "RESTRICT",
    Return = "RETURN",
    Revert = "REVERT",
    Revoke = "REVOKE",
    Right = "RIGHT",
    Rollback = "ROLLBACK",
    Rowcount = "ROWCOUNT",
    Rowguidcol = "ROWGUIDCOL",
    Rule = "RULE",
    Save = "SAVE",
    Schema = "SCHEMA",
    Securityaudit = "SECURITYAUDIT",
    Select = "SELECT",
    Semantickeyphrasetable = "SEMANTICKEYPHRASETABLE",
    Semanticsimilaritydetailstable = "SEMANTICSIMILARITYDETAILSTABLE",
    Semanticsimilaritytable = "SEMANTICSIMILARITYTABLE",
    SessionUser = "SESSION_USER",
    Set = "SET",
    Setuser = "SETUSER",
    Shutdown = "SHUTDOWN",
    Some = "SOME",
    Statistics = "STATISTICS",
    SystemUser = "SYSTEM_USER",
    Table = "TABLE",
    Tablesample = "TABLESAMPLE",
    Textsize = "TEXTSIZE",
    Then = "THEN",
    To = "TO",
    Top = "TOP",
    Tran = "TRAN",
    Transaction = "TRANSACTION",
    Trigger = "TRIGGER",
    Truncate = "TRUNCATE",
    TryConvert = "TRY_CONVERT",
    Tsequal = "TSEQUAL",
    Union = "UNION",
    Unique = "UNIQUE",
    Unpivot = "UNPIVOT",
    Update = "UPDATE",
    Updatetext = "UPDATETEXT",
    Use = "USE",
    User = "USER",
    Values = "VALUES",
    Varying = "VARYING",
    View = "VIEW",
    Waitfor = "WAITFOR",
    When = "WHEN",
    Where = "WHERE",
    While = "WHILE",
    With = "WITH",
    Writetext = "WRITETEXT",
}

/// Length of the longest reserved word.
const LENGTH_MAX: usize = 32;

impl Keyword {
    /// The reserved word that `word` is, without regard to case.
    pub(crate) fn find(word: &str) -> Option<Self> {
        let mut capitals = [0_u8; LENGTH_MAX];
        let capitals = capitals.get_mut(..word.len())?;
        capitals.copy_from_slice(word.as_bytes());
        capitals.make_ascii_uppercase();
        let capitals: &[u8] = capitals;
        let at = ALL.binary_search_by(|(text, _)| text.as_bytes().cmp(capitals));
        ALL.get(at.ok()?).map(|(_, keyword)| *keyword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found() {
        assert!(ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (text, keyword) in ALL {
            assert!(text.len() <= LENGTH_MAX);
            assert_eq!(Keyword::find(&text.to_lowercase()), Some(*keyword));
        }
        assert_eq!(Keyword::find("sysjobs"), None);
        assert_eq!(Keyword::find(&"x".repeat(500)), None);
    }
}
