//! The language's errors and messages: number, severity and text, in one table.
//!
//! Clients match on the number, so numbers and severities are SQL Server's; the texts are our own,
//! close to the shape that people know. The Agent's own numbers live in `msdb`.
//!
//! Source: SQL Server "Database Engine events and errors".

use crate::error::SqlError;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The number that clients match on.
    pub number: i32,
    /// 0..=25.
    pub severity: u8,
    /// The text; each `%s` takes an argument in order.
    pub text: &'static str,
}

impl Message {
    /// The error with `args` in the place of each `%s`. A missing argument leaves nothing in its place.
    #[must_use]
    pub fn with(&self, args: &[&str]) -> SqlError {
        SqlError::new(self.number, self.severity, fill(self.text, args))
    }

    /// The same at a line.
    #[must_use]
    pub fn at(&self, line: u32, args: &[&str]) -> SqlError {
        self.with(args).at_line(line)
    }
}

/// The row of a number.
#[must_use]
pub fn find(number: i32) -> Option<&'static Message> {
    let at = ALL.binary_search_by_key(&number, |message| message.number);
    at.ok().and_then(|at| ALL.get(at))
}

fn fill(template: &str, args: &[&str]) -> String {
    let mut parts = template.split("%s");
    let mut text = String::from(parts.next().unwrap_or_default());
    let mut args = args.iter();
    for part in parts {
        text.push_str(args.next().copied().unwrap_or_default());
        text.push_str(part);
    }
    text
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $severity:literal, $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Message = Message { number: $number, severity: $severity, text: $text };)*

        /// Every message of the language, by number.
        pub const ALL: &[Message] = &[$($name),*];
    };
}

messages! {
    /// Syntax, near a token.
    INCORRECT_SYNTAX = 102, 15, "Incorrect syntax near '%s'.";
    /// Identifier beyond 128 characters: the identifier, the limit.
    IDENTIFIER_TOO_LONG = 103, 15, "The identifier that starts with '%s' is too long. Maximum length is %s.";
    /// Unclosed quote: the rest of the text.
    UNCLOSED_QUOTE = 105, 15, "Unclosed quotation mark after the character string '%s'.";
    /// Tables in one query: the limit.
    TOO_MANY_TABLES = 106, 15, "Too many table names in the query. The maximum allowable is %s.";
    /// `t.*` of an unknown table.
    UNKNOWN_PREFIX = 107, 15, "The column prefix '%s' does not match with a table name or alias name used in the query.";
    /// ORDER BY position: the position.
    ORDER_BY_POSITION = 108, 15, "The ORDER BY position number %s is out of range of the number of items in the select list.";
    /// INSERT: fewer values than columns.
    FEWER_VALUES = 109, 15, "There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.";
    /// INSERT: more values than columns.
    MORE_VALUES = 110, 15, "There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.";
    /// CREATE VIEW and kin must come first: the statement.
    NOT_FIRST_IN_BATCH = 111, 15, "'%s' must be the first statement in a query batch.";
    /// Unclosed comment.
    UNCLOSED_COMMENT = 113, 15, "Missing end comment mark '*/'.";
    /// A subquery of several columns.
    SUBQUERY_COLUMNS = 116, 16, "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.";
    /// Too many dots: kind, name, limit.
    TOO_MANY_PREFIXES = 117, 15, "The %s name '%s' contains more than the maximum number of prefixes. The maximum is %s.";
    /// Positional after named: the argument's number.
    POSITIONAL_AFTER_NAMED = 119, 15, "Must pass parameter number %s and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'.";
    /// INSERT … SELECT: fewer columns in the SELECT.
    SELECT_FEWER_COLUMNS = 120, 15, "The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.";
    /// INSERT … SELECT: more columns in the SELECT.
    SELECT_MORE_COLUMNS = 121, 15, "The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.";
    /// TOP or FETCH below zero.
    ROW_COUNT_INVALID = 127, 15, "A TOP N or FETCH rowcount value may not be negative.";
    /// A name where none may stand: the name.
    NAME_NOT_PERMITTED = 128, 15, "The name \"%s\" is not permitted in this context. Valid expressions are constants, constant expressions, and (in some contexts) variables. Column names are not permitted.";
    /// An aggregate of an aggregate or subquery.
    AGGREGATE_OF_AGGREGATE = 130, 15, "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.";
    /// Length beyond a type's: the length, the name, the limit.
    SIZE_EXCEEDS_MAXIMUM = 131, 15, "The size (%s) given to the %s exceeds the maximum allowed for any data type (%s).";
    /// A label twice: the label.
    DUPLICATE_LABEL = 132, 15, "The label '%s' has already been declared. Label names must be unique within a query batch or stored procedure.";
    /// GOTO an unknown label: the label.
    UNKNOWN_LABEL = 133, 15, "A GOTO statement references the label '%s' but the label has not been declared.";
    /// A variable twice: the variable.
    DUPLICATE_VARIABLE = 134, 15, "The variable name '%s' has already been declared. Variable names must be unique within a query batch or stored procedure.";
    /// BREAK outside WHILE.
    BREAK_OUTSIDE = 135, 15, "Cannot use a BREAK statement outside the scope of a WHILE statement.";
    /// CONTINUE outside WHILE.
    CONTINUE_OUTSIDE = 136, 15, "Cannot use a CONTINUE statement outside the scope of a WHILE statement.";
    /// Undeclared scalar variable: the variable.
    UNDECLARED_VARIABLE = 137, 15, "Must declare the scalar variable \"%s\".";
    /// UPDATE() and COLUMNS_UPDATED() outside of triggers.
    UPDATE_OUTSIDE_TRIGGER = 140, 15, "Can only use IF UPDATE within a CREATE TRIGGER statement.";
    /// Assignment beside retrieval.
    MIXED_ASSIGNMENT = 141, 15, "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.";
    /// Aggregate or subquery in GROUP BY.
    AGGREGATE_IN_GROUP_BY = 144, 15, "Cannot use an aggregate or a subquery in an expression used for the group by list of a GROUP BY clause.";
    /// An aggregate where none may stand.
    AGGREGATE_IN_WHERE = 147, 15, "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.";
    /// WAITFOR text: the text.
    BAD_TIME_SYNTAX = 148, 15, "Incorrect time syntax in time string '%s' used with WAITFOR.";
    /// A date part that is none: the word, the function.
    BAD_DATE_PART = 155, 15, "'%s' is not a recognized %s option.";
    /// Syntax, near a keyword.
    INCORRECT_SYNTAX_KEYWORD = 156, 15, "Incorrect syntax near the keyword '%s'.";
    /// An aggregate in SET of UPDATE.
    AGGREGATE_IN_SET = 157, 15, "An aggregate may not appear in the set list of an UPDATE statement.";
    /// Aggregate in OUTPUT.
    AGGREGATE_IN_OUTPUT = 158, 15, "An aggregate may not appear in the OUTPUT clause.";
    /// GROUP BY of what is no column.
    GROUP_BY_CONSTANT = 164, 15, "Each GROUP BY expression must contain at least one column that is not an outer reference.";
    /// A view's or procedure's own prefix: the statement.
    DATABASE_PREFIX = 166, 15, "'%s' does not allow specifying the database name as a prefix to the object name.";
    /// Float to text or number.
    FLOAT_OVERFLOW = 168, 15, "The floating point value '%s' is out of the range of computer representation (8 bytes).";
    /// A function with another number of arguments: the function, the number.
    ARGUMENT_COUNT = 174, 15, "The %s function requires %s argument(s).";
    /// IDENTITY outside SELECT INTO.
    IDENTITY_OUTSIDE_INTO = 177, 15, "The IDENTITY function can only be used when the SELECT statement has an INTO clause.";
    /// RETURN with a value outside a procedure.
    RETURN_VALUE = 178, 15, "A RETURN statement with a return value cannot be used in this context.";
    /// Arguments of functions: the function, the bounds.
    ARGUMENT_RANGE = 189, 15, "The %s function requires %s to %s arguments.";
    /// Nested too deeply.
    NESTED_TOO_DEEPLY = 191, 15, "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.";
    /// DECIMAL scale over precision.
    SCALE_OVER_PRECISION = 192, 16, "The scale must be less than or equal to the precision.";
    /// Unknown function: the name, what it was taken for.
    NOT_RECOGNIZED = 195, 15, "'%s' is not a recognized %s.";
    /// SELECT INTO not in the first SELECT of a set operator.
    INTO_NOT_FIRST = 196, 15, "SELECT INTO must be the first query in a statement containing a UNION, INTERSECT or EXCEPT operator.";
    /// INSERT with a SELECT that assigns.
    INSERT_ASSIGNS = 199, 15, "An INSERT statement cannot contain a SELECT statement that assigns values to a variable.";
    /// A required parameter: procedure, parameter.
    MISSING_PARAMETER = 201, 16, "Procedure or function '%s' expects parameter '%s', which was not supplied.";
    /// A name that is no procedure's: the name.
    BAD_IDENTIFIER = 203, 16, "The name '%s' is not a valid identifier.";
    /// Set operators with other numbers of columns.
    SET_OPERATOR_COLUMNS = 205, 16, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.";
    /// Types that clash: the two types.
    OPERAND_CLASH = 206, 16, "Operand type clash: %s is incompatible with %s";
    /// Unknown column: the column.
    INVALID_COLUMN = 207, 16, "Invalid column name '%s'.";
    /// Unknown table: the name.
    INVALID_OBJECT = 208, 16, "Invalid object name '%s'.";
    /// A column of two tables: the column.
    AMBIGUOUS_COLUMN = 209, 16, "Ambiguous column name '%s'.";
    /// Bad binary as datetime.
    BAD_BINARY_DATETIME = 210, 16, "Conversion failed when converting datetime from binary/varbinary string.";
    /// INSERT with other columns than the table.
    INSERT_COLUMN_COUNT = 213, 16, "Column name or number of supplied values does not match table definition.";
    /// A procedure's argument must be text: procedure, parameter.
    NOT_UNICODE = 214, 16, "Procedure expects parameter '%s' of type '%s'.";
    /// Arguments for a thing that takes none: the object.
    PARAMETERS_NOT_EXPECTED = 215, 16, "Parameters supplied for object '%s' which is not a function. If the parameters are intended as a table hint, a WITH keyword is required.";
    /// Nesting limit of procedures: the limit.
    NESTING_LEVEL = 217, 16, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit %s).";
    /// A type of that name is there.
    TYPE_EXISTS = 219, 16, "The type '%s' already exists, or you do not have permission to create it.";
    /// Overflow of a small integer: the type, the value.
    OVERFLOW_FOR_TYPE = 220, 16, "Arithmetic overflow error for data type %s, value = %s.";
    /// A statement that is a transaction of its own.
    NOT_IN_TRANSACTION = 226, 16, "%s statement not allowed within multi-statement transaction.";
    /// No permission: permission, object, database, schema.
    PERMISSION_DENIED = 229, 14, "The %s permission was denied on the object '%s', database '%s', schema '%s'.";
    /// No permission on a column: permission, column, object, database, schema.
    COLUMN_PERMISSION_DENIED = 230, 14, "The %s permission was denied on the column '%s' of the object '%s', database '%s', schema '%s'.";
    /// Overflow of a type: the type, the value.
    OVERFLOW_OF_TYPE = 232, 16, "Arithmetic overflow error for type %s, value = %s.";
    /// Text that is no money.
    CHAR_TO_MONEY = 235, 16, "Cannot convert a char value to money. The char value has incorrect syntax.";
    /// money too long for its text: the type.
    MONEY_TO_CHAR = 237, 16, "There is insufficient result space to convert a money value to %s.";
    /// A CTE twice: the name.
    DUPLICATE_CTE = 239, 16, "Duplicate common table expression name '%s' was specified.";
    /// Recursive types: column, CTE.
    RECURSIVE_TYPES = 240, 16, "Types don't match between the anchor and the recursive part in column \"%s\" of recursive query \"%s\".";
    /// Text that is no moment.
    BAD_DATETIME = 241, 16, "Conversion failed when converting date and/or time from character string.";
    /// A moment out of range: source type, target type.
    DATETIME_RANGE = 242, 16, "The conversion of a %s data type to a %s data type resulted in an out-of-range value.";
    /// Unknown type: the name.
    NOT_A_TYPE = 243, 16, "Type %s is not a defined system type.";
    /// A number that overflowed a small column: type, value, target type.
    INT_OVERFLOW_COLUMN = 244, 16, "The conversion of the %s value '%s' overflowed an %s column. Use a larger integer column.";
    /// Text that is no number: source type, value, target type.
    CONVERSION_FAILED = 245, 16, "Conversion failed when converting the %s value '%s' to data type %s.";
    /// Text too large for int: the value.
    INT_OVERFLOW_TEXT = 248, 16, "The conversion of the %s value '%s' overflowed an int column.";
    /// A conversion that must be asked for: from, to.
    IMPLICIT_CONVERSION = 257, 16, "Implicit conversion from data type %s to %s is not allowed. Use the CONVERT function to run this query.";
    /// Method of what has none: the type.
    XML_METHOD_OF_OTHER = 258, 15, "Cannot call methods on %s.";
    /// A write to a system table.
    SYSTEM_CATALOG = 259, 16, "Ad hoc updates to system catalogs are not allowed.";
    /// Statement that needs another role.
    NO_STATEMENT_PERMISSION = 262, 14, "%s permission denied in database '%s'.";
    /// Column set twice: the column.
    COLUMN_TWICE = 264, 16, "The column name '%s' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code.";
    /// PIVOT into a column that is there: the column.
    DUPLICATE_PIVOT_COLUMN = 265, 16, "The column name \"%s\" specified in the PIVOT operator conflicts with the existing column name in the PIVOT argument.";
    /// Transaction count differs after EXEC: before, now.
    TRANSACTION_COUNT = 266, 16, "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = %s, current count = %s.";
    /// A value for a computed column: the column.
    COMPUTED_NOT_WRITABLE = 271, 16, "The column \"%s\" cannot be modified because it is either a computed column or is the result of a UNION operator.";
    /// Invalid style: style, from type, to type.
    BAD_STYLE = 281, 16, "%s is not a valid style number when converting from %s to a character string.";
    /// RETURN NULL: the procedure.
    NULL_RETURN_STATUS = 282, 10, "The '%s' procedure attempted to return a status of NULL, which is not allowed. A status of 0 will be returned instead.";
    /// A type that cannot be compared: the type.
    TYPE_NOT_COMPARABLE = 305, 16, "The %s data type cannot be compared or sorted, except when using the IS NULL operator.";
    /// text, ntext and image.
    LARGE_NOT_COMPARABLE = 306, 16, "The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL or LIKE operator.";
    /// CTE without semicolon before WITH: the keyword.
    WITH_NEEDS_SEMICOLON = 319, 15, "Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an xmlnamespaces clause or a change tracking context clause, the previous statement must be terminated with a semicolon.";
    /// A hint that is none: the hint.
    UNKNOWN_HINT = 321, 15, "\"%s\" is not a recognized table hints option. If it is intended as a parameter to a table-valued function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90.";
    /// A table parameter without READONLY: the parameter.
    TABLE_NOT_READONLY = 352, 15, "The table-valued parameter \"%s\" must be declared with the READONLY option.";
    /// OUTPUT of INSERT … EXEC.
    OUTPUT_OF_EXEC = 483, 16, "The OUTPUT clause cannot be used in an INSERT...EXEC statement.";
    /// Column of nodes() used as a value: its name.
    NODES_COLUMN = 493, 16, "The column '%s' that was returned from the nodes() method cannot be used directly. It can only be used with one of the four XML data type methods, exist(), nodes(), query(), and value(), or in IS NULL and IS NOT NULL checks.";
    /// A table of another width: its columns, those of the type.
    TABLE_PARAMETER_WIDTH = 500, 16, "Trying to pass a table-valued parameter with %s column(s) where the corresponding user-defined table type requires %s column(s).";
    /// LIKE ESCAPE.
    BAD_ESCAPE = 506, 16, "The invalid escape character \"%s\" was specified in a %s predicate.";
    /// Subquery with several rows.
    SUBQUERY_ROWS = 512, 16, "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.";
    /// NULL into NOT NULL: column, table, statement.
    NULL_NOT_ALLOWED = 515, 16, "Cannot insert the value NULL into column '%s', table '%s'; column does not allow nulls. %s fails.";
    /// Result of date arithmetic out of range: the type.
    DATE_ADD_OVERFLOW = 517, 16, "Adding a value to a '%s' column caused an overflow.";
    /// Text that holds no date part: from, to.
    CONVERSION_NOT_DEFINED = 518, 16, "Cannot convert data type %s to %s.";
    /// No such conversion: from, to.
    EXPLICIT_CONVERSION = 529, 16, "Explicit conversion from data type %s to %s is not allowed.";
    /// Recursion of a CTE: the limit.
    MAXRECURSION = 530, 16, "The statement terminated. The maximum recursion %s has been exhausted before statement completion.";
    /// Number of parts between moments.
    DATEDIFF_OVERFLOW = 535, 16, "The %s function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use %s with a less precise datepart.";
    /// Length below zero: the function.
    NEGATIVE_LENGTH = 536, 16, "Invalid length parameter passed to the %s function.";
    /// LEFT or SUBSTRING below zero.
    INVALID_LENGTH = 537, 16, "Invalid length parameter passed to the LEFT or SUBSTRING function.";
    /// Explicit identity: the table.
    IDENTITY_INSERT_OFF = 544, 16, "Cannot insert explicit value for identity column in table '%s' when IDENTITY_INSERT is set to OFF.";
    /// Conflict with a constraint: statement, kind, name, database, table, and column.
    CONSTRAINT_CONFLICT = 547, 16, "The %s statement conflicted with the %s constraint \"%s\". The conflict occurred in database \"%s\", table \"%s\"%s.";
    /// SAVE outside a transaction.
    SAVE_WITHOUT_BEGIN = 628, 16, "Cannot issue SAVE TRANSACTION when there is no active transaction.";
    /// Memory limit of a query.
    MEMORY_LIMIT = 701, 17, "There is insufficient system memory in resource pool '%s' to run this query.";
    /// Database that does not exist: the name.
    UNKNOWN_DATABASE = 911, 16, "Database '%s' does not exist. Make sure that the name is entered correctly.";
    /// Database out of reach: principal, database.
    NO_DATABASE_ACCESS = 916, 14, "The server principal \"%s\" is not able to access the database \"%s\" under the current security context.";
    /// Number with too many digits.
    NUMBER_OUT_OF_RANGE = 1007, 15, "The number '%s' is out of the range for numeric representation (maximum precision %s).";
    /// The same table name twice: both.
    DUPLICATE_EXPOSED_NAME = 1013, 16, "The objects \"%s\" and \"%s\" in the FROM clause have the same exposed names. Use correlation names to distinguish them.";
    /// ORDER BY inside subqueries.
    ORDER_BY_IN_SUBQUERY = 1033, 15, "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.";
    /// A column of SELECT INTO without a name, or an empty name.
    COLUMN_WITHOUT_NAME = 1038, 15, "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name.";
    /// Subqueries where none may stand.
    SUBQUERY_NOT_ALLOWED = 1046, 15, "Subqueries are not allowed in this context. Only scalar expressions are allowed.";
    /// The TOP clause's value.
    TOP_NOT_NUMERIC = 1060, 15, "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.";
    /// WITH TIES without ORDER BY.
    TIES_WITHOUT_ORDER = 1062, 15, "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.";
    /// An identity value for a table variable.
    IDENTITY_OF_VARIABLE = 1077, 16, "INSERT into an identity column not allowed on table variables.";
    /// Undeclared table variable: the variable.
    UNDECLARED_TABLE_VARIABLE = 1087, 15, "Must declare the table variable \"%s\".";
    /// ALTER of what is not there or not the caller's to change.
    CANNOT_FIND_OBJECT = 1088, 16, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.";
    /// The file of a database is as large as it may be.
    DATABASE_FULL = 1105, 17, "Could not allocate space in database '%s' because it has reached its maximum size.";
    /// Deadlock: the session.
    DEADLOCK = 1205, 13, "Transaction (Process ID %s) was deadlocked on %s resources with another process and has been chosen as the deadlock victim. Rerun the transaction.";
    /// Lock time-out.
    LOCK_TIMEOUT = 1222, 16, "Lock request time out period exceeded.";
    /// Too many columns: column, table, limit.
    TOO_MANY_COLUMNS = 1702, 16, "CREATE TABLE failed because column '%s' in table '%s' exceeds the maximum of %s columns.";
    /// A primary key over a computed column: column, table.
    COMPUTED_KEY_NULLABLE = 1711, 16, "Cannot define PRIMARY KEY constraint on column '%s' in table '%s'. The computed column has to be persisted and not nullable.";
    /// DEFAULT of a computed column: column, table.
    BAD_DEFAULT_COLUMN = 1752, 16, "Column '%s' in table '%s' is invalid for creating a default constraint.";
    /// A computed column that reads another: the other, the table.
    COMPUTED_OF_COMPUTED = 1759, 16, "Computed column '%s' in table '%s' is not allowed to be used in another computed-column definition.";
    /// A constraint over a computed column: column, table, constraint.
    COMPUTED_NOT_PERSISTED = 1764, 16, "Computed Column '%s' in table '%s' is invalid for use in '%s' because it is not persisted.";
    /// A foreign key refers to a table that is not there.
    FOREIGN_KEY_TABLE = 1767, 16, "Foreign key '%s' references invalid table '%s'.";
    /// A foreign key refers to columns that are no key.
    FOREIGN_KEY_NO_KEY = 1776, 16, "There are no primary or candidate keys in the referenced table '%s' that match the referencing column list in the foreign key '%s'.";
    /// The two ends of a foreign key have other types.
    FOREIGN_KEY_TYPES = 1778, 16, "Column '%s' is not the same data type as referencing column '%s' in foreign key '%s'.";
    /// A second primary key.
    SECOND_PRIMARY_KEY = 1779, 16, "Table '%s' already has a primary key defined on it.";
    /// A second default of a column.
    SECOND_DEFAULT = 1781, 16, "Column already has a DEFAULT bound to it.";
    /// A database of that name is there.
    DATABASE_EXISTS = 1801, 16, "Database '%s' already exists. Choose a different database name.";
    /// The bound on databases is reached.
    TOO_MANY_DATABASES = 1835, 16, "Unable to create any new database because the number of existing databases has reached the maximum number allowed: %s.";
    /// A second clustered index.
    SECOND_CLUSTERED_INDEX = 1902, 16, "Cannot create more than one clustered index on table '%s'. Drop the existing clustered index '%s' before creating another.";
    /// An index over a column that is not there.
    INDEX_COLUMN = 1911, 16, "Column name '%s' does not exist in the target table or view.";
    /// An index of that name is on the table.
    INDEX_EXISTS = 1913, 16, "The operation failed because an index or statistics with name '%s' already exists on table '%s'.";
    /// REORGANIZE of a disabled index: index, table.
    INDEX_DISABLED = 1973, 16, "Cannot perform the specified operation on disabled index '%s' on table '%s'.";
    /// ALTER of another kind of object.
    WRONG_ALTER = 2010, 16, "Cannot perform alter on '%s' because it is an incompatible object type.";
    /// A second INSTEAD OF trigger: trigger, what it is on, its name, event.
    SECOND_INSTEAD_OF = 2111, 16, "Cannot create trigger '%s' on %s '%s' because an INSTEAD OF %s trigger already exists on this object.";
    /// INSTEAD OF where a foreign key cascades: event, trigger, table, event.
    INSTEAD_OF_CASCADE = 2113, 16, "Cannot create INSTEAD OF %s trigger '%s' on table '%s'. This is because the table has a FOREIGN KEY with cascading %s.";
    /// XQuery that cannot be read: method, reason.
    XQUERY_SYNTAX = 2205, 16, "XQuery [%s()]: %s";
    /// XML DML with a target of several nodes: the verb.
    MODIFY_TARGET = 2226, 16, "XQuery [modify()]: The target of '%s' must be a single node.";
    /// Prefix without a namespace: method, prefix.
    XQUERY_NAMESPACE = 2229, 16, "XQuery [%s()]: The name \"%s\" does not denote a namespace.";
    /// Path that may find several nodes: method twice.
    XQUERY_SINGLETON = 2389, 16, "XQuery [%s()]: '%s()' requires a singleton (or empty sequence), found operand of type 'xdt:untypedAtomic *'";
    /// Index or key that exists: kind.
    DUPLICATE_KEY_ROW = 2601, 14, "Cannot insert duplicate key row in object '%s' with unique index '%s'. The duplicate key value is (%s).";
    /// A key twice: constraint kind, name, object, value.
    DUPLICATE_KEY = 2627, 14, "Violation of %s constraint '%s'. Cannot insert duplicate key in object '%s'. The duplicate key value is (%s).";
    /// Text too long: table, column, value.
    TRUNCATION = 2628, 16, "String or binary data would be truncated in table '%s', column '%s'. Truncated value: '%s'.";
    /// A column twice: column, table.
    DUPLICATE_COLUMN = 2705, 16, "Column names in each table must be unique. Column name '%s' in table '%s' is specified more than once.";
    /// An object that exists: the name.
    OBJECT_EXISTS = 2714, 16, "There is already an object named '%s' in the database.";
    /// A column, parameter or variable of no type: number, name, type.
    UNKNOWN_TYPE = 2715, 16, "Column, parameter, or variable #%s: Cannot find data type %s.";
    /// A length where none may stand: number, type.
    LENGTH_NOT_ALLOWED = 2716, 16, "Column, parameter, or variable #%s: Cannot specify a column width on data type %s.";
    /// ALTER INDEX of none: the index.
    NO_SUCH_INDEX = 2727, 11, "Cannot find index '%s'.";
    /// An index over a computed column: column, table.
    COMPUTED_NOT_INDEXABLE = 2729, 16, "Column '%s' in table '%s' cannot be used in an index or statistics or as a partition key because it is non-deterministic.";
    /// Precision beyond its bound: number, precision, limit.
    BAD_PRECISION = 2750, 16, "Column or parameter #%s: Specified column precision %s is greater than the maximum precision of %s.";
    /// RAISERROR severity over 18 without LOG.
    RAISERROR_NEEDS_LOG = 2754, 16, "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option.";
    /// Schema that does not exist: the name.
    UNKNOWN_SCHEMA = 2760, 16, "The specified schema name \"%s\" either does not exist or you do not have permission to use it.";
    /// RAISERROR argument type: number.
    BAD_FORMAT_ARGUMENT = 2786, 16, "The data type of substitution parameter %s does not match the expected type of the format specification.";
    /// RAISERROR format: the specification.
    BAD_FORMAT = 2787, 16, "Invalid format specification: '%s'.";
    /// Unknown procedure: the name.
    UNKNOWN_PROCEDURE = 2812, 16, "Could not find stored procedure '%s'.";
    /// Cancelled.
    CANCELLED = 3617, 16, "The statement was cancelled by the client.";
    /// Follows an error that ended a statement alone.
    TERMINATED = 3621, 0, "The statement has been terminated.";
    /// DROP of a missing thing: statement, kind, name.
    CANNOT_DROP = 3701, 11, "Cannot %s the %s '%s', because it does not exist or you do not have permission.";
    /// Something is in use: database.
    DATABASE_IN_USE = 3702, 16, "Cannot drop database \"%s\" because it is currently in use.";
    /// The wrong DROP: name, kind, statement.
    WRONG_DROP = 3705, 16, "Cannot use DROP %s with '%s' because '%s' is a %s. Use DROP %s.";
    /// The system's own objects stay as they are.
    SYSTEM_OBJECT = 3708, 16, "Cannot %s the %s '%s' because it is a system %s.";
    /// DROP INDEX of a constraint's index.
    INDEX_OF_CONSTRAINT = 3723, 16, "An explicit DROP INDEX is not allowed on index '%s'. It is being used for %s constraint enforcement.";
    /// Foreign keys refer to the table.
    REFERENCED_BY_KEY = 3726, 16, "Could not drop object '%s' because it is referenced by a FOREIGN KEY constraint.";
    /// DROP CONSTRAINT of something else.
    NOT_A_CONSTRAINT = 3728, 16, "'%s' is not a constraint.";
    /// Another object needs it.
    REFERENCED_BY_OBJECT = 3729, 16, "Cannot %s '%s' because it is being referenced by object '%s'.";
    /// Objects use the type.
    TYPE_IN_USE = 3732, 16, "Cannot drop type '%s' because it is being referenced by object '%s'. There may be other objects that reference this type.";
    /// COMMIT without BEGIN.
    COMMIT_WITHOUT_BEGIN = 3902, 16, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
    /// ROLLBACK without BEGIN.
    ROLLBACK_WITHOUT_BEGIN = 3903, 16, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
    /// ROLLBACK inside INSERT … EXEC.
    ROLLBACK_IN_INSERT_EXEC = 3915, 16, "Cannot use the ROLLBACK statement within an INSERT-EXEC statement.";
    /// A doomed transaction.
    TRANSACTION_DOOMED = 3930, 16, "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.";
    /// A doomed transaction at the end of a batch.
    TRANSACTION_DOOMED_BATCH = 3998, 16, "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.";
    /// Rows of a bulk load that nobody announced.
    BULK_NOT_ANNOUNCED = 4002, 16, "Rows of a bulk load arrived without an INSERT BULK statement before them.";
    /// Another request in the place of a bulk load's rows.
    BULK_EXPECTED = 4022, 16, "Bulk load data was expected but not sent. The batch will be terminated.";
    /// A dotted column: the name.
    UNBOUND_COLUMN = 4104, 16, "The multi-part identifier \"%s\" could not be bound.";
    /// Window function where none may stand.
    WINDOW_CONTEXT = 4108, 15, "Windowed functions can only appear in the SELECT or ORDER BY clauses.";
    /// Function whose OVER needs ORDER BY: the function.
    NEEDS_ORDER_BY = 4112, 15, "The function '%s' must have an OVER clause with ORDER BY.";
    /// A function that is not valid in a window: the function.
    NOT_WINDOW_FUNCTION = 4113, 15, "The function '%s' is not a valid windowing function, and cannot be used with the OVER clause.";
    /// A function by its parts: the name.
    NOT_A_FUNCTION = 4121, 16, "Cannot find either column \"%s\" or the user-defined function or aggregate \"%s\", or the name is ambiguous.";
    /// A scalar where a predicate belongs: the token.
    NON_BOOLEAN = 4145, 15, "An expression of non-boolean type specified in a context where a condition is expected, near '%s'.";
    /// RANGE with a number of rows.
    RANGE_OF_ROWS = 4194, 16, "RANGE is only supported with UNBOUNDED and CURRENT ROW window frame delimiters.";
    /// STRING_SPLIT with another flag.
    ORDINAL_FLAG = 4199, 16, "Argument 'enable_ordinal' of the string_split function must be the constant 0 or 1.";
    /// Change through what is no single table: the name.
    NOT_UPDATABLE = 4405, 16, "View or function '%s' is not updatable because the modification affects multiple base tables.";
    /// Change of a computed column of a derived table: the column.
    DERIVED_COLUMN = 4406, 16, "Update or insert of view or function failed because it contains a derived or constant field: '%s'.";
    /// A view or function that no longer binds: the name.
    MODULE_BIND = 4413, 16, "Could not use view or function '%s' because of binding errors.";
    /// GRANT of another database's object.
    OTHER_DATABASE = 4610, 16, "You can only grant or revoke permissions on objects in the current database.";
    /// TRUNCATE TABLE of a view: the view.
    TRUNCATE_NO_TABLE = 4708, 16, "Could not truncate object '%s' because it is not a table.";
    /// TRUNCATE of a table that foreign keys refer to.
    TRUNCATE_REFERENCED = 4712, 16, "Cannot truncate table '%s' because it is being referenced by a FOREIGN KEY constraint.";
    /// A bulk load's rows end within one.
    BULK_CUT_SHORT = 4804, 16, "While reading current row from host, a premature end-of-message was encountered: an incoming data stream was interrupted when the server expected to see more data. The host program may have terminated.";
    /// A value of a bulk load: the column's number.
    BULK_LENGTH = 4815, 16, "Received an invalid column length from the bcp client for colid %s.";
    /// A column of a bulk load: its number.
    BULK_TYPE = 4816, 16, "Invalid column type from bcp client for colid %s.";
    /// A NOT NULL column without a default for rows that are there.
    ADD_REQUIRED_COLUMN = 4901, 16, "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, unless the table is empty. Column '%s' cannot be added to non-empty table '%s'.";
    /// ALTER of an object that is not there: the name.
    OBJECT_NOT_FOUND = 4902, 16, "Cannot find the object \"%s\" because it does not exist or you do not have permissions.";
    /// Constraints or indexes use the column.
    COLUMN_IN_USE = 4922, 16, "%s %s failed because one or more objects access this column.";
    /// ALTER TABLE of a column that is not there.
    ALTER_NO_COLUMN = 4924, 16, "%s failed because column '%s' does not exist in table '%s'.";
    /// PERSISTED of a column whose values change by themselves: column, table.
    PERSISTED_NONDETERMINISTIC = 4936, 16, "Computed column '%s' in table '%s' cannot be persisted because the column is non-deterministic.";
    /// ALTER DATABASE of a database that is not there.
    ALTER_DATABASE = 5011, 14, "User does not have permission to alter database '%s', the database does not exist, or the database is not in a state that allows access checks.";
    /// What stands in the way of a change.
    DEPENDENT = 5074, 16, "The %s '%s' is dependent on %s '%s'.";
    /// modify() of NULL: variable or column.
    MODIFY_NULL = 5302, 16, "Mutator 'modify()' on '%s' cannot be called on a null value.";
    /// MERGE clause after one without a condition: the kind, twice.
    MERGE_CLAUSE_ORDER = 5324, 15, "In a MERGE statement, a '%s' clause with a search condition cannot appear after a '%s' clause with no search condition.";
    /// Target column in WHEN NOT MATCHED: the column.
    MERGE_SOURCE_ONLY = 5333, 15, "The identifier '%s' cannot be bound. Only source columns are allowed in the 'WHEN NOT MATCHED' clause of a MERGE statement.";
    /// Source column in WHEN NOT MATCHED BY SOURCE: the column.
    MERGE_TARGET_ONLY = 5334, 15, "The identifier '%s' cannot be bound. Only target columns are allowed in the 'WHEN NOT MATCHED BY SOURCE' clause of a MERGE statement.";
    /// GENERATE_SERIES of several types.
    SERIES_TYPES = 5373, 16, "All the input parameters should be of the same type. Supported types are tinyint, smallint, int, bigint, decimal and numeric.";
    /// Database in use now: database.
    CHANGED_DATABASE = 5701, 10, "Changed database context to '%s'.";
    /// Language in use now: language.
    CHANGED_LANGUAGE = 5703, 10, "Changed language setting to %s.";
    /// KILL of an unknown session: the session.
    UNKNOWN_SESSION = 6106, 16, "Process ID %s is not an active process ID.";
    /// Nesting of an xml value: the bound.
    XML_TOO_DEEP = 6335, 16, "XML datatype instance has too many levels of nested nodes. Maximum allowed depth is %s levels.";
    /// Document type declaration.
    XML_DTD = 6359, 16, "Parsing XML with internal subset DTDs not allowed. Use CONVERT with style option 2 to enable limited internal subset DTD support.";
    /// Size of an xml value.
    XML_TOO_LARGE = 6365, 16, "An XML operation resulted an XML data type exceeding the maximum size. Operation aborted.";
    /// Savepoint or transaction that is not known: the name.
    UNKNOWN_SAVEPOINT = 6401, 16, "Cannot roll back %s. No transaction or savepoint of that name was found.";
    /// Namespace prefix declared twice: the prefix.
    NAMESPACE_TWICE = 6802, 16, "WITH XMLNAMESPACES declares the prefix '%s' more than once.";
    /// FOR XML with a column without a name.
    FOR_XML_UNNAMED = 6809, 16, "Unnamed tables cannot be used as XML identifiers as well as unnamed columns cannot be used for attribute names. Name unnamed columns/tables using AS in the SELECT statement.";
    /// FOR XML with an attribute twice: its name.
    FOR_XML_REPEATED = 6810, 16, "Column name '%s' is repeated. The same attribute cannot be generated more than once on the same XML tag.";
    /// FOR XML or FOR JSON where rows are needed: the clause, the statement.
    FOR_XML_PLACE = 6819, 16, "The FOR %s clause is not allowed in a %s statement.";
    /// Character that XML forbids: node, code.
    FOR_XML_CHARACTER = 6841, 16, "FOR XML could not serialize the data for node '%s' because it contains a character (0x%s) which is not allowed in XML. To retrieve this data using FOR XML, convert it to binary, varbinary or image data type and use the BINARY BASE64 directive.";
    /// Name that no element can have: name, character, code.
    FOR_XML_NAME = 6850, 16, "Column name '%s' contains an invalid XML identifier as required by FOR XML; '%s'(0x%s) is the first character at fault.";
    /// FOR XML PATH with an attribute behind an element: the column.
    FOR_XML_ATTRIBUTE_ORDER = 6852, 16, "Attribute-centric column '%s' must not come after a non-attribute-centric sibling in XML hierarchy in FOR XML PATH.";
    /// FOR XML PATH('') with attributes.
    FOR_XML_ROW_TAG = 6864, 16, "Row tag omission (empty row tag name) cannot be used with attribute-centric FOR XML serialization.";
    /// An explicit identity needs columns: the table.
    IDENTITY_NEEDS_COLUMNS = 8101, 16, "An explicit value for the identity column in table '%s' can only be specified when a column list is used and IDENTITY_INSERT is ON.";
    /// Update of an identity column: the column.
    UPDATE_IDENTITY = 8102, 16, "Cannot update identity column '%s'.";
    /// Second identity column: the table.
    IDENTITY_TWICE = 8108, 16, "Cannot add identity column, using the SELECT INTO statement, to table '%s', which already has a column that inherits the identity property.";
    /// Key on a nullable column: table.
    NULLABLE_KEY = 8111, 16, "Cannot define PRIMARY KEY constraint on nullable column in table '%s'.";
    /// Conversion of a parameter: from, to.
    PARAMETER_CONVERSION = 8114, 16, "Error converting data type %s to %s.";
    /// Overflow of an expression: from type, to type.
    ARITHMETIC_OVERFLOW = 8115, 16, "Arithmetic overflow error converting %s to data type %s.";
    /// A type a function refuses: type, number, function.
    ARGUMENT_INVALID = 8116, 16, "Argument data type %s is invalid for argument %s of %s function.";
    /// A type an operator refuses: type, number, operator.
    OPERAND_INVALID = 8117, 16, "Operand data type %s is invalid for %s operator.";
    /// Column outside GROUP BY: table and column.
    NOT_GROUPED = 8120, 16, "Column '%s' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.";
    /// Column outside GROUP BY in HAVING: table and column.
    HAVING_NOT_GROUPED = 8121, 16, "Column '%s' is invalid in the HAVING clause because it is not contained in either an aggregate function or the GROUP BY clause.";
    /// Column outside GROUP BY in ORDER BY: table and column.
    ORDER_NOT_GROUPED = 8127, 16, "Column \"%s\" is invalid in the ORDER BY clause because it is not contained in either an aggregate function or the GROUP BY clause.";
    /// Division.
    DIVIDE_BY_ZERO = 8134, 16, "Divide by zero error encountered.";
    /// xml method in the wrong place: method, what belongs there.
    XML_METHOD_MISUSED = 8137, 16, "Incorrect use of the XML data type method '%s'. A %s is expected in this context.";
    /// A parameter twice: parameter, procedure.
    PARAMETER_TWICE = 8143, 16, "Parameter '%s' was supplied multiple times.";
    /// Too many arguments: the procedure.
    TOO_MANY_ARGUMENTS = 8144, 16, "Procedure or function %s has too many arguments specified.";
    /// Unknown parameter: parameter, procedure.
    UNKNOWN_PARAMETER = 8145, 16, "%s is not a parameter for procedure %s.";
    /// Arguments for a procedure that takes none: the procedure.
    NO_PARAMETERS = 8146, 16, "Procedure %s has no parameters and arguments were supplied.";
    /// Truncation, the short form.
    TRUNCATION_SHORT = 8152, 16, "String or binary data would be truncated.";
    /// NULLs under an aggregate.
    NULL_ELIMINATED = 8153, 10, "Warning: Null value is eliminated by an aggregate or other SET operation.";
    /// Changed table that stands in FROM more than once: the table.
    AMBIGUOUS_TARGET = 8154, 16, "The table '%s' is ambiguous.";
    /// Column without a name: the position, the table.
    COLUMN_UNNAMED = 8155, 16, "No column name was specified for column %s of '%s'.";
    /// Columns of one name: column, table.
    DUPLICATE_COLUMN_NAME = 8156, 16, "The column '%s' was specified multiple times for '%s'.";
    /// Column list too short: the name.
    MORE_COLUMN_NAMES = 8158, 16, "'%s' has more columns than were specified in the column list.";
    /// Column list too long: the name.
    FEWER_COLUMN_NAMES = 8159, 16, "'%s' has fewer columns than were specified in the column list.";
    /// GROUPING of no key: the argument's number, the function.
    GROUPING_ARGUMENT = 8161, 16, "Argument %s of the %s function does not match any of the expressions in the GROUP BY clause.";
    /// OUTPUT of a parameter that has none: parameter, procedure.
    NOT_OUTPUT = 8162, 16, "The formal parameter \"%s\" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.";
    /// Nested INSERT … EXEC.
    NESTED_INSERT_EXEC = 8164, 16, "An INSERT EXEC statement cannot be nested.";
    /// UNPIVOT of columns of several types: the column.
    UNPIVOT_TYPES = 8167, 16, "The type of column \"%s\" conflicts with the type of other columns specified in the UNPIVOT list.";
    /// text that is no uniqueidentifier.
    BAD_GUID = 8169, 16, "Conversion failed when converting from a character string to uniqueidentifier.";
    /// uniqueidentifier too long for its text.
    GUID_TO_CHAR = 8170, 16, "Insufficient result space to convert uniqueidentifier value to char.";
    /// Path that is not written out: argument, method.
    XML_METHOD_LITERAL = 8172, 16, "The argument %s of the XML data type method \"%s\" must be a string literal.";
    /// CHECK, FOREIGN KEY or NOT NULL of a computed column.
    COMPUTED_NEEDS_PERSISTED = 8183, 16, "Only UNIQUE or PRIMARY KEY constraints can be created on computed columns, while CHECK, FOREIGN KEY, and NOT NULL constraints require that computed columns be persisted.";
    /// A trigger on what has none: the object.
    NO_TRIGGER_TARGET = 8197, 16, "The object '%s' does not exist or is invalid for this operation.";
    /// A statement too large to plan.
    TOO_COMPLEX = 8623, 16, "The query processor ran out of internal resources and could not produce a query plan. This is a rare event and only expected for extremely complex queries or queries that reference a very large number of tables or partitions. Please simplify the query.";
    /// Expressions beyond the limit.
    EXPRESSION_LIMIT = 8632, 17, "Internal error: An expression services limit has been reached. Please look for potentially complex expressions in your query, and try to simplify them.";
    /// Query time limit.
    TIME_LIMIT = 8649, 17, "The query has been cancelled because it ran longer than the configured limit of %s seconds.";
    /// MERGE that hits a row twice.
    MERGE_TWICE = 8672, 16, "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target row matches more than one source row. Refine the ON clause.";
    /// XML that is not well-formed: line, character, reason.
    XML_PARSE = 9400, 16, "XML parsing: line %s, character %s, %s";
    /// Date part of a type: part, function, type.
    DATE_PART_NOT_SUPPORTED = 9810, 16, "The datepart %s is not supported by date function %s for data type %s.";
    /// PARSE: the text, the type, the culture.
    PARSE_FAILED = 9819, 16, "Error converting string value '%s' into data type %s using culture '%s'.";
    /// A time zone that is none: the name, the clause.
    BAD_TIME_ZONE = 9820, 16, "The time zone parameter '%s' provided to %s clause is invalid.";
    /// A change of a table parameter: the parameter.
    TABLE_READONLY = 10700, 16, "The table-valued parameter \"%s\" is READONLY and cannot be modified.";
    /// Grouping sets: the limit.
    TOO_MANY_GROUPING_SETS = 10703, 15, "Too many grouping sets. The maximum number is %s.";
    /// THROW without CATCH.
    THROW_OUTSIDE_CATCH = 10704, 15, "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.";
    /// Subquery in OUTPUT.
    SUBQUERY_IN_OUTPUT = 10705, 15, "Subqueries are not allowed in the OUTPUT clause.";
    /// Keys of grouping sets: the limit.
    TOO_MANY_GROUPING_KEYS = 10706, 15, "Too many expressions are specified in the GROUP BY clause. The maximum number is %s when grouping sets are supplied.";
    /// VALUES rows of other lengths.
    VALUES_ROWS = 10709, 16, "The number of columns for each row in a table value constructor must be the same.";
    /// MERGE without its semicolon.
    MERGE_SEMICOLON = 10713, 15, "A MERGE statement must be terminated by a semi-colon (;).";
    /// MERGE action twice: the action, the kind of clause.
    MERGE_ACTION_TWICE = 10714, 15, "An action of type '%s' cannot appear more than once in a '%s' clause of a MERGE statement.";
    /// A filter that no index takes: the index.
    BAD_INDEX_FILTER = 10735, 16, "Incorrect WHERE clause for filtered index or statistics '%s'.";
    /// Function that needs OVER: the function.
    NEEDS_OVER = 10753, 15, "The function '%s' must have an OVER clause.";
    /// Frame without ORDER BY.
    FRAME_WITHOUT_ORDER = 10756, 15, "Window frame with ROWS or RANGE must have an ORDER BY clause.";
    /// ORDER BY in OVER of a function that has its own: the function.
    PERCENTILE_ORDER = 10758, 15, "The function '%s' may not have ORDER BY in OVER clause.";
    /// DISTINCT with OVER.
    DISTINCT_OVER = 10759, 15, "Use of DISTINCT is not allowed with the OVER clause.";
    /// Description of a text: why not.
    NOT_ANALYZED = 11501, 16, "The batch could not be analyzed because of compile errors.";
    /// Description of a text that reads its own temporary table: the text.
    DESCRIBES_TEMPORARY = 11526, 16, "The metadata could not be determined because statement '%s' uses a temp table.";
    /// FOR JSON with a property twice: its name.
    FOR_JSON_PROPERTY = 13601, 16, "Property '%s' cannot be generated in JSON output due to a conflict with another column name or alias. Use different names and aliases for each column in SELECT list.";
    /// FOR JSON with a column without a name.
    FOR_JSON_UNNAMED = 13605, 16, "Column expressions and data sources without names or aliases cannot be formatted as JSON text using FOR JSON clause. Add alias to the unnamed column or table.";
    /// JSON path that cannot be read: character, position.
    JSON_PATH = 13607, 16, "JSON path is not properly formatted. Unexpected character '%s' is found at position %s.";
    /// strict path that finds nothing.
    JSON_NO_PROPERTY = 13608, 16, "Property cannot be found on the specified JSON path.";
    /// JSON that cannot be read: character, position.
    JSON_TEXT = 13609, 16, "JSON text is not properly formatted. Unexpected character '%s' is found at position %s.";
    /// FOR JSON with options that exclude each other.
    JSON_WITHOUT_ARRAY_ROOT = 13620, 16, "ROOT option and WITHOUT_ARRAY_WRAPPER option cannot be used together in FOR JSON. Remove one of these options.";
    /// strict path that finds an object or array.
    JSON_NOT_SCALAR = 13623, 16, "Scalar value cannot be found in the specified JSON path.";
    /// strict path that finds a scalar.
    JSON_NOT_OBJECT = 13624, 16, "Object or array cannot be found in the specified JSON path.";
    /// strict path that finds a text of over 4000 characters.
    JSON_TRUNCATED = 13625, 16, "String value in the specified JSON path would be truncated.";
    /// A principal of that name is there.
    PRINCIPAL_EXISTS = 15023, 16, "User, group, or role '%s' already exists in the current database.";
    /// DROP of what every database has: kind, name.
    CANNOT_DROP_PRINCIPAL = 15150, 16, "Cannot drop the %s '%s'.";
    /// Unknown, or not to be seen.
    NO_SUCH_PRINCIPAL = 15151, 16, "Cannot %s the %s '%s', because it does not exist or you do not have permission.";
    /// Server-level statement that needs another role.
    NO_SERVER_PERMISSION = 15247, 16, "User does not have permission to perform this action.";
    /// REVERT in another database than EXECUTE AS.
    REVERT_ELSEWHERE = 15357, 16, "The current security context cannot be reverted. Please switch to the original database where '%s' was called and try it again.";
    /// EXECUTE AS of a missing login: the name.
    CANNOT_EXECUTE_AS_LOGIN = 15406, 16, "Cannot execute as the server principal because the principal \"%s\" does not exist, this type of principal cannot be impersonated, or you do not have permission.";
    /// EXECUTE AS of a missing principal: the name.
    CANNOT_EXECUTE_AS = 15517, 16, "Cannot execute as the database principal because the principal \"%s\" does not exist, this type of principal cannot be impersonated, or you do not have permission.";
    /// REVERT with another cookie.
    COOKIE_INVALID = 15589, 16, "Cannot revert the current security context because the cookie is invalid.";
    /// Options of EXECUTE AS in a module.
    ADHOC_ONLY = 15590, 16, "Can only use the 'No Revert' or 'Cookie' options with the 'Execute As' statement at the adhoc level.";
    /// REVERT without the cookie, or of a context that stays.
    CANNOT_REVERT = 15591, 16, "The current security context cannot be reverted using this statement. A cookie may or may not be needed with 'Revert' statement depending on how the context was set with 'Execute As' statement.";
    /// Argument of a procedure for cursors: procedure, argument.
    CURSOR_PARAMETER = 16902, 16, "%s: The value of the parameter %s is invalid.";
    /// Arguments of a procedure for cursors: the procedure.
    CURSOR_PARAMETERS = 16903, 16, "The \"%s\" procedure was called with an incorrect number of parameters.";
    /// Cursor is open already.
    CURSOR_OPEN = 16905, 16, "The cursor is already open.";
    /// A cursor's number that is none: procedure, number.
    CURSOR_HANDLE = 16909, 16, "%s: The cursor identifier value provided (%s) is not valid.";
    /// Fetch type on a forward-only cursor: the type.
    FETCH_FORWARD_ONLY = 16911, 16, "%s: The fetch type %s cannot be used with forward only cursors.";
    /// Cursor exists: the name.
    CURSOR_EXISTS = 16915, 16, "A cursor with the name '%s' already exists.";
    /// Cursor unknown: the name.
    UNKNOWN_CURSOR = 16916, 16, "A cursor with the name '%s' does not exist.";
    /// FETCH from a closed cursor.
    CURSOR_NOT_OPEN = 16917, 16, "Cursor is not open.";
    /// FETCH with another number of variables.
    FETCH_VARIABLES = 16924, 16, "Cursorfetch: The number of variables declared in the INTO list must match that of selected columns.";
    /// Change through a cursor.
    CURSOR_READ_ONLY = 16929, 16, "The cursor is READ ONLY.";
    /// Row outside the fetch buffer.
    CURSOR_ROW = 16930, 16, "The requested row is not in the fetch buffer.";
    /// Cursor on what is no query.
    CURSOR_STATEMENT = 16937, 16, "A server cursor cannot be opened on the given statement or statements. Use a default result set or a client cursor.";
    /// Cursor variable without a cursor: the variable.
    CURSOR_VARIABLE_EMPTY = 16950, 16, "The variable '%s' does not currently have a cursor allocated to it.";
    /// None of the kinds of cursor that the client takes.
    CURSOR_NOT_ACCEPTABLE = 16955, 16, "Could not create an acceptable cursor.";
    /// sys.messages number that is not known: number.
    UNKNOWN_MESSAGE = 18054, 16, "Error %s, severity %s, state %s was raised, but no message with that error number was found in sys.messages.";
    /// Reset of a connection whose context stays.
    CONTEXT_AT_RESET = 18059, 20, "The connection has been dropped because the principal that opened it subsequently assumed a new security context, and then tried to reset the connection under its impersonated security context. This scenario is not supported. See \"Impersonation Overview\" in Books Online.";
    /// Recognised and not supported: the feature.
    NOT_SUPPORTED = 40517, 16, "Keyword or statement option '%s' is not supported in this version of Muster.";
    /// RAISERROR of a text: the text.
    USER_ERROR = 50000, 16, "%s";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_so_that_find_can_search() {
        assert!(ALL.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert_eq!(find(102), Some(&INCORRECT_SYNTAX));
        assert_eq!(find(1), None);
    }

    #[test]
    fn arguments_fill_in_order() {
        let error = CONVERSION_FAILED.at(3, &["varchar", "abc", "int"]);
        assert_eq!(
            error.to_string(),
            "Msg 245, Level 16, State 1, Line 3: Conversion failed when converting the varchar value 'abc' to data type int."
        );
        assert_eq!(INVALID_COLUMN.with(&[]).message, "Invalid column name ''.");
        assert_eq!(
            INVALID_COLUMN.with(&["%s"]).message,
            "Invalid column name '%s'."
        );
    }

    #[test]
    fn the_whole_table() {
        let rows = ALL
            .iter()
            .map(|row| format!("{:>5} {:>2} {}\n", row.number, row.severity, row.text));
        insta::assert_snapshot!(rows.collect::<String>(), @r#"
          102 15 Incorrect syntax near '%s'.
          103 15 The identifier that starts with '%s' is too long. Maximum length is %s.
          105 15 Unclosed quotation mark after the character string '%s'.
          106 15 Too many table names in the query. The maximum allowable is %s.
          107 15 The column prefix '%s' does not match with a table name or alias name used in the query.
          108 15 The ORDER BY position number %s is out of range of the number of items in the select list.
          109 15 There are more columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.
          110 15 There are fewer columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement.
          111 15 '%s' must be the first statement in a query batch.
          113 15 Missing end comment mark '*/'.
          116 16 Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.
          117 15 The %s name '%s' contains more than the maximum number of prefixes. The maximum is %s.
          119 15 Must pass parameter number %s and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'.
          120 15 The select list for the INSERT statement contains fewer items than the insert list. The number of SELECT values must match the number of INSERT columns.
          121 15 The select list for the INSERT statement contains more items than the insert list. The number of SELECT values must match the number of INSERT columns.
          127 15 A TOP N or FETCH rowcount value may not be negative.
          128 15 The name "%s" is not permitted in this context. Valid expressions are constants, constant expressions, and (in some contexts) variables. Column names are not permitted.
          130 15 Cannot perform an aggregate function on an expression containing an aggregate or a subquery.
          131 15 The size (%s) given to the %s exceeds the maximum allowed for any data type (%s).
          132 15 The label '%s' has already been declared. Label names must be unique within a query batch or stored procedure.
          133 15 A GOTO statement references the label '%s' but the label has not been declared.
          134 15 The variable name '%s' has already been declared. Variable names must be unique within a query batch or stored procedure.
          135 15 Cannot use a BREAK statement outside the scope of a WHILE statement.
          136 15 Cannot use a CONTINUE statement outside the scope of a WHILE statement.
          137 15 Must declare the scalar variable "%s".
          140 15 Can only use IF UPDATE within a CREATE TRIGGER statement.
          141 15 A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.
          144 15 Cannot use an aggregate or a subquery in an expression used for the group by list of a GROUP BY clause.
          147 15 An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.
          148 15 Incorrect time syntax in time string '%s' used with WAITFOR.
          155 15 '%s' is not a recognized %s option.
          156 15 Incorrect syntax near the keyword '%s'.
          157 15 An aggregate may not appear in the set list of an UPDATE statement.
          158 15 An aggregate may not appear in the OUTPUT clause.
          164 15 Each GROUP BY expression must contain at least one column that is not an outer reference.
          166 15 '%s' does not allow specifying the database name as a prefix to the object name.
          168 15 The floating point value '%s' is out of the range of computer representation (8 bytes).
          174 15 The %s function requires %s argument(s).
          177 15 The IDENTITY function can only be used when the SELECT statement has an INTO clause.
          178 15 A RETURN statement with a return value cannot be used in this context.
          189 15 The %s function requires %s to %s arguments.
          191 15 Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.
          192 16 The scale must be less than or equal to the precision.
          195 15 '%s' is not a recognized %s.
          196 15 SELECT INTO must be the first query in a statement containing a UNION, INTERSECT or EXCEPT operator.
          199 15 An INSERT statement cannot contain a SELECT statement that assigns values to a variable.
          201 16 Procedure or function '%s' expects parameter '%s', which was not supplied.
          203 16 The name '%s' is not a valid identifier.
          205 16 All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.
          206 16 Operand type clash: %s is incompatible with %s
          207 16 Invalid column name '%s'.
          208 16 Invalid object name '%s'.
          209 16 Ambiguous column name '%s'.
          210 16 Conversion failed when converting datetime from binary/varbinary string.
          213 16 Column name or number of supplied values does not match table definition.
          214 16 Procedure expects parameter '%s' of type '%s'.
          215 16 Parameters supplied for object '%s' which is not a function. If the parameters are intended as a table hint, a WITH keyword is required.
          217 16 Maximum stored procedure, function, trigger, or view nesting level exceeded (limit %s).
          219 16 The type '%s' already exists, or you do not have permission to create it.
          220 16 Arithmetic overflow error for data type %s, value = %s.
          226 16 %s statement not allowed within multi-statement transaction.
          229 14 The %s permission was denied on the object '%s', database '%s', schema '%s'.
          230 14 The %s permission was denied on the column '%s' of the object '%s', database '%s', schema '%s'.
          232 16 Arithmetic overflow error for type %s, value = %s.
          235 16 Cannot convert a char value to money. The char value has incorrect syntax.
          237 16 There is insufficient result space to convert a money value to %s.
          239 16 Duplicate common table expression name '%s' was specified.
          240 16 Types don't match between the anchor and the recursive part in column "%s" of recursive query "%s".
          241 16 Conversion failed when converting date and/or time from character string.
          242 16 The conversion of a %s data type to a %s data type resulted in an out-of-range value.
          243 16 Type %s is not a defined system type.
          244 16 The conversion of the %s value '%s' overflowed an %s column. Use a larger integer column.
          245 16 Conversion failed when converting the %s value '%s' to data type %s.
          248 16 The conversion of the %s value '%s' overflowed an int column.
          257 16 Implicit conversion from data type %s to %s is not allowed. Use the CONVERT function to run this query.
          258 15 Cannot call methods on %s.
          259 16 Ad hoc updates to system catalogs are not allowed.
          262 14 %s permission denied in database '%s'.
          264 16 The column name '%s' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code.
          265 16 The column name "%s" specified in the PIVOT operator conflicts with the existing column name in the PIVOT argument.
          266 16 Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = %s, current count = %s.
          271 16 The column "%s" cannot be modified because it is either a computed column or is the result of a UNION operator.
          281 16 %s is not a valid style number when converting from %s to a character string.
          282 10 The '%s' procedure attempted to return a status of NULL, which is not allowed. A status of 0 will be returned instead.
          305 16 The %s data type cannot be compared or sorted, except when using the IS NULL operator.
          306 16 The text, ntext, and image data types cannot be compared or sorted, except when using IS NULL or LIKE operator.
          319 15 Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an xmlnamespaces clause or a change tracking context clause, the previous statement must be terminated with a semicolon.
          321 15 "%s" is not a recognized table hints option. If it is intended as a parameter to a table-valued function or to the CHANGETABLE function, ensure that your database compatibility mode is set to 90.
          352 15 The table-valued parameter "%s" must be declared with the READONLY option.
          483 16 The OUTPUT clause cannot be used in an INSERT...EXEC statement.
          493 16 The column '%s' that was returned from the nodes() method cannot be used directly. It can only be used with one of the four XML data type methods, exist(), nodes(), query(), and value(), or in IS NULL and IS NOT NULL checks.
          500 16 Trying to pass a table-valued parameter with %s column(s) where the corresponding user-defined table type requires %s column(s).
          506 16 The invalid escape character "%s" was specified in a %s predicate.
          512 16 Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.
          515 16 Cannot insert the value NULL into column '%s', table '%s'; column does not allow nulls. %s fails.
          517 16 Adding a value to a '%s' column caused an overflow.
          518 16 Cannot convert data type %s to %s.
          529 16 Explicit conversion from data type %s to %s is not allowed.
          530 16 The statement terminated. The maximum recursion %s has been exhausted before statement completion.
          535 16 The %s function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use %s with a less precise datepart.
          536 16 Invalid length parameter passed to the %s function.
          537 16 Invalid length parameter passed to the LEFT or SUBSTRING function.
          544 16 Cannot insert explicit value for identity column in table '%s' when IDENTITY_INSERT is set to OFF.
          547 16 The %s statement conflicted with the %s constraint "%s". The conflict occurred in database "%s", table "%s"%s.
          628 16 Cannot issue SAVE TRANSACTION when there is no active transaction.
          701 17 There is insufficient system memory in resource pool '%s' to run this query.
          911 16 Database '%s' does not exist. Make sure that the name is entered correctly.
          916 14 The server principal "%s" is not able to access the database "%s" under the current security context.
         1007 15 The number '%s' is out of the range for numeric representation (maximum precision %s).
         1013 16 The objects "%s" and "%s" in the FROM clause have the same exposed names. Use correlation names to distinguish them.
         1033 15 The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.
         1038 15 An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as "" or [] are not allowed. Change the alias to a valid name.
         1046 15 Subqueries are not allowed in this context. Only scalar expressions are allowed.
         1060 15 The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.
         1062 15 The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.
         1077 16 INSERT into an identity column not allowed on table variables.
         1087 15 Must declare the table variable "%s".
         1088 16 Cannot find the object "%s" because it does not exist or you do not have permissions.
         1105 17 Could not allocate space in database '%s' because it has reached its maximum size.
         1205 13 Transaction (Process ID %s) was deadlocked on %s resources with another process and has been chosen as the deadlock victim. Rerun the transaction.
         1222 16 Lock request time out period exceeded.
         1702 16 CREATE TABLE failed because column '%s' in table '%s' exceeds the maximum of %s columns.
         1711 16 Cannot define PRIMARY KEY constraint on column '%s' in table '%s'. The computed column has to be persisted and not nullable.
         1752 16 Column '%s' in table '%s' is invalid for creating a default constraint.
         1759 16 Computed column '%s' in table '%s' is not allowed to be used in another computed-column definition.
         1764 16 Computed Column '%s' in table '%s' is invalid for use in '%s' because it is not persisted.
         1767 16 Foreign key '%s' references invalid table '%s'.
         1776 16 There are no primary or candidate keys in the referenced table '%s' that match the referencing column list in the foreign key '%s'.
         1778 16 Column '%s' is not the same data type as referencing column '%s' in foreign key '%s'.
         1779 16 Table '%s' already has a primary key defined on it.
         1781 16 Column already has a DEFAULT bound to it.
         1801 16 Database '%s' already exists. Choose a different database name.
         1835 16 Unable to create any new database because the number of existing databases has reached the maximum number allowed: %s.
         1902 16 Cannot create more than one clustered index on table '%s'. Drop the existing clustered index '%s' before creating another.
         1911 16 Column name '%s' does not exist in the target table or view.
         1913 16 The operation failed because an index or statistics with name '%s' already exists on table '%s'.
         1973 16 Cannot perform the specified operation on disabled index '%s' on table '%s'.
         2010 16 Cannot perform alter on '%s' because it is an incompatible object type.
         2111 16 Cannot create trigger '%s' on %s '%s' because an INSTEAD OF %s trigger already exists on this object.
         2113 16 Cannot create INSTEAD OF %s trigger '%s' on table '%s'. This is because the table has a FOREIGN KEY with cascading %s.
         2205 16 XQuery [%s()]: %s
         2226 16 XQuery [modify()]: The target of '%s' must be a single node.
         2229 16 XQuery [%s()]: The name "%s" does not denote a namespace.
         2389 16 XQuery [%s()]: '%s()' requires a singleton (or empty sequence), found operand of type 'xdt:untypedAtomic *'
         2601 14 Cannot insert duplicate key row in object '%s' with unique index '%s'. The duplicate key value is (%s).
         2627 14 Violation of %s constraint '%s'. Cannot insert duplicate key in object '%s'. The duplicate key value is (%s).
         2628 16 String or binary data would be truncated in table '%s', column '%s'. Truncated value: '%s'.
         2705 16 Column names in each table must be unique. Column name '%s' in table '%s' is specified more than once.
         2714 16 There is already an object named '%s' in the database.
         2715 16 Column, parameter, or variable #%s: Cannot find data type %s.
         2716 16 Column, parameter, or variable #%s: Cannot specify a column width on data type %s.
         2727 11 Cannot find index '%s'.
         2729 16 Column '%s' in table '%s' cannot be used in an index or statistics or as a partition key because it is non-deterministic.
         2750 16 Column or parameter #%s: Specified column precision %s is greater than the maximum precision of %s.
         2754 16 Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option.
         2760 16 The specified schema name "%s" either does not exist or you do not have permission to use it.
         2786 16 The data type of substitution parameter %s does not match the expected type of the format specification.
         2787 16 Invalid format specification: '%s'.
         2812 16 Could not find stored procedure '%s'.
         3617 16 The statement was cancelled by the client.
         3621  0 The statement has been terminated.
         3701 11 Cannot %s the %s '%s', because it does not exist or you do not have permission.
         3702 16 Cannot drop database "%s" because it is currently in use.
         3705 16 Cannot use DROP %s with '%s' because '%s' is a %s. Use DROP %s.
         3708 16 Cannot %s the %s '%s' because it is a system %s.
         3723 16 An explicit DROP INDEX is not allowed on index '%s'. It is being used for %s constraint enforcement.
         3726 16 Could not drop object '%s' because it is referenced by a FOREIGN KEY constraint.
         3728 16 '%s' is not a constraint.
         3729 16 Cannot %s '%s' because it is being referenced by object '%s'.
         3732 16 Cannot drop type '%s' because it is being referenced by object '%s'. There may be other objects that reference this type.
         3902 16 The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.
         3903 16 The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.
         3915 16 Cannot use the ROLLBACK statement within an INSERT-EXEC statement.
         3930 16 The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.
         3998 16 Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.
         4002 16 Rows of a bulk load arrived without an INSERT BULK statement before them.
         4022 16 Bulk load data was expected but not sent. The batch will be terminated.
         4104 16 The multi-part identifier "%s" could not be bound.
         4108 15 Windowed functions can only appear in the SELECT or ORDER BY clauses.
         4112 15 The function '%s' must have an OVER clause with ORDER BY.
         4113 15 The function '%s' is not a valid windowing function, and cannot be used with the OVER clause.
         4121 16 Cannot find either column "%s" or the user-defined function or aggregate "%s", or the name is ambiguous.
         4145 15 An expression of non-boolean type specified in a context where a condition is expected, near '%s'.
         4194 16 RANGE is only supported with UNBOUNDED and CURRENT ROW window frame delimiters.
         4199 16 Argument 'enable_ordinal' of the string_split function must be the constant 0 or 1.
         4405 16 View or function '%s' is not updatable because the modification affects multiple base tables.
         4406 16 Update or insert of view or function failed because it contains a derived or constant field: '%s'.
         4413 16 Could not use view or function '%s' because of binding errors.
         4610 16 You can only grant or revoke permissions on objects in the current database.
         4708 16 Could not truncate object '%s' because it is not a table.
         4712 16 Cannot truncate table '%s' because it is being referenced by a FOREIGN KEY constraint.
         4804 16 While reading current row from host, a premature end-of-message was encountered: an incoming data stream was interrupted when the server expected to see more data. The host program may have terminated.
         4815 16 Received an invalid column length from the bcp client for colid %s.
         4816 16 Invalid column type from bcp client for colid %s.
         4901 16 ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, unless the table is empty. Column '%s' cannot be added to non-empty table '%s'.
         4902 16 Cannot find the object "%s" because it does not exist or you do not have permissions.
         4922 16 %s %s failed because one or more objects access this column.
         4924 16 %s failed because column '%s' does not exist in table '%s'.
         4936 16 Computed column '%s' in table '%s' cannot be persisted because the column is non-deterministic.
         5011 14 User does not have permission to alter database '%s', the database does not exist, or the database is not in a state that allows access checks.
         5074 16 The %s '%s' is dependent on %s '%s'.
         5302 16 Mutator 'modify()' on '%s' cannot be called on a null value.
         5324 15 In a MERGE statement, a '%s' clause with a search condition cannot appear after a '%s' clause with no search condition.
         5333 15 The identifier '%s' cannot be bound. Only source columns are allowed in the 'WHEN NOT MATCHED' clause of a MERGE statement.
         5334 15 The identifier '%s' cannot be bound. Only target columns are allowed in the 'WHEN NOT MATCHED BY SOURCE' clause of a MERGE statement.
         5373 16 All the input parameters should be of the same type. Supported types are tinyint, smallint, int, bigint, decimal and numeric.
         5701 10 Changed database context to '%s'.
         5703 10 Changed language setting to %s.
         6106 16 Process ID %s is not an active process ID.
         6335 16 XML datatype instance has too many levels of nested nodes. Maximum allowed depth is %s levels.
         6359 16 Parsing XML with internal subset DTDs not allowed. Use CONVERT with style option 2 to enable limited internal subset DTD support.
         6365 16 An XML operation resulted an XML data type exceeding the maximum size. Operation aborted.
         6401 16 Cannot roll back %s. No transaction or savepoint of that name was found.
         6802 16 WITH XMLNAMESPACES declares the prefix '%s' more than once.
         6809 16 Unnamed tables cannot be used as XML identifiers as well as unnamed columns cannot be used for attribute names. Name unnamed columns/tables using AS in the SELECT statement.
         6810 16 Column name '%s' is repeated. The same attribute cannot be generated more than once on the same XML tag.
         6819 16 The FOR %s clause is not allowed in a %s statement.
         6841 16 FOR XML could not serialize the data for node '%s' because it contains a character (0x%s) which is not allowed in XML. To retrieve this data using FOR XML, convert it to binary, varbinary or image data type and use the BINARY BASE64 directive.
         6850 16 Column name '%s' contains an invalid XML identifier as required by FOR XML; '%s'(0x%s) is the first character at fault.
         6852 16 Attribute-centric column '%s' must not come after a non-attribute-centric sibling in XML hierarchy in FOR XML PATH.
         6864 16 Row tag omission (empty row tag name) cannot be used with attribute-centric FOR XML serialization.
         8101 16 An explicit value for the identity column in table '%s' can only be specified when a column list is used and IDENTITY_INSERT is ON.
         8102 16 Cannot update identity column '%s'.
         8108 16 Cannot add identity column, using the SELECT INTO statement, to table '%s', which already has a column that inherits the identity property.
         8111 16 Cannot define PRIMARY KEY constraint on nullable column in table '%s'.
         8114 16 Error converting data type %s to %s.
         8115 16 Arithmetic overflow error converting %s to data type %s.
         8116 16 Argument data type %s is invalid for argument %s of %s function.
         8117 16 Operand data type %s is invalid for %s operator.
         8120 16 Column '%s' is invalid in the select list because it is not contained in either an aggregate function or the GROUP BY clause.
         8121 16 Column '%s' is invalid in the HAVING clause because it is not contained in either an aggregate function or the GROUP BY clause.
         8127 16 Column "%s" is invalid in the ORDER BY clause because it is not contained in either an aggregate function or the GROUP BY clause.
         8134 16 Divide by zero error encountered.
         8137 16 Incorrect use of the XML data type method '%s'. A %s is expected in this context.
         8143 16 Parameter '%s' was supplied multiple times.
         8144 16 Procedure or function %s has too many arguments specified.
         8145 16 %s is not a parameter for procedure %s.
         8146 16 Procedure %s has no parameters and arguments were supplied.
         8152 16 String or binary data would be truncated.
         8153 10 Warning: Null value is eliminated by an aggregate or other SET operation.
         8154 16 The table '%s' is ambiguous.
         8155 16 No column name was specified for column %s of '%s'.
         8156 16 The column '%s' was specified multiple times for '%s'.
         8158 16 '%s' has more columns than were specified in the column list.
         8159 16 '%s' has fewer columns than were specified in the column list.
         8161 16 Argument %s of the %s function does not match any of the expressions in the GROUP BY clause.
         8162 16 The formal parameter "%s" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.
         8164 16 An INSERT EXEC statement cannot be nested.
         8167 16 The type of column "%s" conflicts with the type of other columns specified in the UNPIVOT list.
         8169 16 Conversion failed when converting from a character string to uniqueidentifier.
         8170 16 Insufficient result space to convert uniqueidentifier value to char.
         8172 16 The argument %s of the XML data type method "%s" must be a string literal.
         8183 16 Only UNIQUE or PRIMARY KEY constraints can be created on computed columns, while CHECK, FOREIGN KEY, and NOT NULL constraints require that computed columns be persisted.
         8197 16 The object '%s' does not exist or is invalid for this operation.
         8623 16 The query processor ran out of internal resources and could not produce a query plan. This is a rare event and only expected for extremely complex queries or queries that reference a very large number of tables or partitions. Please simplify the query.
         8632 17 Internal error: An expression services limit has been reached. Please look for potentially complex expressions in your query, and try to simplify them.
         8649 17 The query has been cancelled because it ran longer than the configured limit of %s seconds.
         8672 16 The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target row matches more than one source row. Refine the ON clause.
         9400 16 XML parsing: line %s, character %s, %s
         9810 16 The datepart %s is not supported by date function %s for data type %s.
         9819 16 Error converting string value '%s' into data type %s using culture '%s'.
         9820 16 The time zone parameter '%s' provided to %s clause is invalid.
        10700 16 The table-valued parameter "%s" is READONLY and cannot be modified.
        10703 15 Too many grouping sets. The maximum number is %s.
        10704 15 To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.
        10705 15 Subqueries are not allowed in the OUTPUT clause.
        10706 15 Too many expressions are specified in the GROUP BY clause. The maximum number is %s when grouping sets are supplied.
        10709 16 The number of columns for each row in a table value constructor must be the same.
        10713 15 A MERGE statement must be terminated by a semi-colon (;).
        10714 15 An action of type '%s' cannot appear more than once in a '%s' clause of a MERGE statement.
        10735 16 Incorrect WHERE clause for filtered index or statistics '%s'.
        10753 15 The function '%s' must have an OVER clause.
        10756 15 Window frame with ROWS or RANGE must have an ORDER BY clause.
        10758 15 The function '%s' may not have ORDER BY in OVER clause.
        10759 15 Use of DISTINCT is not allowed with the OVER clause.
        11501 16 The batch could not be analyzed because of compile errors.
        11526 16 The metadata could not be determined because statement '%s' uses a temp table.
        13601 16 Property '%s' cannot be generated in JSON output due to a conflict with another column name or alias. Use different names and aliases for each column in SELECT list.
        13605 16 Column expressions and data sources without names or aliases cannot be formatted as JSON text using FOR JSON clause. Add alias to the unnamed column or table.
        13607 16 JSON path is not properly formatted. Unexpected character '%s' is found at position %s.
        13608 16 Property cannot be found on the specified JSON path.
        13609 16 JSON text is not properly formatted. Unexpected character '%s' is found at position %s.
        13620 16 ROOT option and WITHOUT_ARRAY_WRAPPER option cannot be used together in FOR JSON. Remove one of these options.
        13623 16 Scalar value cannot be found in the specified JSON path.
        13624 16 Object or array cannot be found in the specified JSON path.
        13625 16 String value in the specified JSON path would be truncated.
        15023 16 User, group, or role '%s' already exists in the current database.
        15150 16 Cannot drop the %s '%s'.
        15151 16 Cannot %s the %s '%s', because it does not exist or you do not have permission.
        15247 16 User does not have permission to perform this action.
        15357 16 The current security context cannot be reverted. Please switch to the original database where '%s' was called and try it again.
        15406 16 Cannot execute as the server principal because the principal "%s" does not exist, this type of principal cannot be impersonated, or you do not have permission.
        15517 16 Cannot execute as the database principal because the principal "%s" does not exist, this type of principal cannot be impersonated, or you do not have permission.
        15589 16 Cannot revert the current security context because the cookie is invalid.
        15590 16 Can only use the 'No Revert' or 'Cookie' options with the 'Execute As' statement at the adhoc level.
        15591 16 The current security context cannot be reverted using this statement. A cookie may or may not be needed with 'Revert' statement depending on how the context was set with 'Execute As' statement.
        16902 16 %s: The value of the parameter %s is invalid.
        16903 16 The "%s" procedure was called with an incorrect number of parameters.
        16905 16 The cursor is already open.
        16909 16 %s: The cursor identifier value provided (%s) is not valid.
        16911 16 %s: The fetch type %s cannot be used with forward only cursors.
        16915 16 A cursor with the name '%s' already exists.
        16916 16 A cursor with the name '%s' does not exist.
        16917 16 Cursor is not open.
        16924 16 Cursorfetch: The number of variables declared in the INTO list must match that of selected columns.
        16929 16 The cursor is READ ONLY.
        16930 16 The requested row is not in the fetch buffer.
        16937 16 A server cursor cannot be opened on the given statement or statements. Use a default result set or a client cursor.
        16950 16 The variable '%s' does not currently have a cursor allocated to it.
        16955 16 Could not create an acceptable cursor.
        18054 16 Error %s, severity %s, state %s was raised, but no message with that error number was found in sys.messages.
        18059 20 The connection has been dropped because the principal that opened it subsequently assumed a new security context, and then tried to reset the connection under its impersonated security context. This scenario is not supported. See "Impersonation Overview" in Books Online.
        40517 16 Keyword or statement option '%s' is not supported in this version of Muster.
        50000 16 %s
        "#);
    }
}
