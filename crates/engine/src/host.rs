//! What the engine asks of the database it runs in: tables, procedures, principals, transactions.
//!
//! The engine knows T-SQL; a [`Host`] knows what the names mean. One host serves one session and lives
//! on that session's thread. Names arrive as written; a host compares them without regard to case.

use crate::databases::{Databases, Objects};
use std::sync::Arc;
use std::time::Duration;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// A table or view that the host projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDecl {
    /// Database it belongs to, for example `msdb`.
    pub database: &'static str,
    /// Schema, `dbo` or `sys`.
    pub schema: &'static str,
    /// Name, in its usual spelling.
    pub name: &'static str,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Indexes into `columns` on which [`Host::scan`] can seek by equality; the best first.
    pub seekable: Vec<usize>,
}

impl TableDecl {
    /// A declaration without name and columns, where nothing but a read's surroundings is wanted.
    #[must_use]
    pub const fn nameless() -> Self {
        Self {
            database: "master",
            schema: "sys",
            name: "",
            columns: Vec::new(),
            seekable: Vec::new(),
        }
    }
}

/// A temporary table of a session, as tempdb shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryTable {
    /// Its number, negative.
    pub id: i32,
    /// Its name, with `#`.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Place of the identity column.
    pub identity: Option<usize>,
}

/// A parameter of a host procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDecl {
    /// Name with its `@`.
    pub name: &'static str,
    /// Declared type; arguments are converted to it before the call (8114 when they can't be).
    pub ty: SqlType,
    /// Value when the caller gives none; `None` makes the parameter required (201).
    pub default: Option<Value>,
    /// Whether it is declared OUTPUT.
    pub output: bool,
}

/// A procedure that the host implements.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureDecl {
    /// Database it belongs to.
    pub database: &'static str,
    /// Schema, `dbo` or `sys`.
    pub schema: &'static str,
    /// Name.
    pub name: &'static str,
    /// Parameters in order.
    pub params: Vec<ParamDecl>,
}

/// An argument as the engine hands it over: converted, defaulted, in declaration order.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The value in the parameter's declared type.
    pub value: Value,
    /// Whether the caller named this parameter or gave it by position (a default was not used).
    pub given: bool,
}

/// A scalar or table-valued function that the host implements, for example `msdb.dbo.agent_datetime`.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDecl {
    /// Database it belongs to.
    pub database: &'static str,
    /// Schema, `dbo` or `sys`.
    pub schema: &'static str,
    /// Name.
    pub name: &'static str,
    /// Parameters in order; arguments are converted to their types before the call.
    pub params: Vec<ParamDecl>,
    /// What it returns.
    pub returns: FunctionResult,
}

/// What a host function returns.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionResult {
    /// One value of this type, perhaps NULL.
    Scalar(SqlType),
    /// Rows of these columns.
    Table(Vec<Column>),
}

/// How a statement within a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatementDone {
    /// Rows returned or changed, where the statement counts them and NOCOUNT is off.
    pub rows: Option<u64>,
    /// Whether it ran inside a procedure, `EXEC ('…')` or sp_executesql (DONEINPROC, not DONE).
    pub in_procedure: bool,
    /// Whether it ended with an error.
    pub failed: bool,
    /// Whether it was a SELECT that returned a result set.
    pub select: bool,
}

/// A change of the session's environment, as a login or a statement makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvChange {
    /// USE
    Database {
        /// Database before.
        old: String,
        /// Database now.
        new: String,
    },
    /// SET LANGUAGE
    Language {
        /// Language before.
        old: String,
        /// Language now.
        new: String,
    },
    /// The outermost BEGIN TRANSACTION; the descriptor names it from now on.
    TransactionBegun(u64),
    /// The outermost COMMIT of that transaction.
    TransactionCommitted(u64),
    /// ROLLBACK of that transaction.
    TransactionRolledBack(u64),
}

/// Where results go while a statement runs. Back-pressure: a call may block until the client reads.
///
/// A procedure of a [`Host`] uses `columns`, `row`, `done` and `message`. The engine itself ends statements by
/// `statement_done` and never calls `done` on the sink that a session was given.
pub trait ResultSink {
    /// Starts a result set; rows follow until the next start or the end of the statement.
    ///
    /// # Errors
    /// 3617 when the client cancelled or went away.
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError>;
    /// One row of the result set started last.
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn row(&mut self, row: Row) -> Result<(), SqlError>;
    /// A statement's end, with its row count where it counts rows.
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError>;
    /// A message of severity ≤ 10, or an error that does not end the batch.
    fn message(&mut self, message: SqlError);

    /// A statement's end with all that the wire wants to know; by default [`ResultSink::done`].
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn statement_done(&mut self, done: StatementDone) -> Result<(), SqlError> {
        self.done(done.rows)
    }

    /// A procedure that the batch called (EXEC of a name) has ended with this return code.
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn procedure_done(&mut self, _return_code: i32) -> Result<(), SqlError> {
        Ok(())
    }

    /// Starts a result set of a cursor's rows: the last column is each row's state, which drivers hide.
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn cursor_columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.columns(columns)
    }

    /// The environment changed.
    fn env_change(&mut self, _change: EnvChange) {}

    /// What was written so far should reach the client now (RAISERROR … WITH NOWAIT, before WAITFOR).
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn flush(&mut self) -> Result<(), SqlError> {
        Ok(())
    }

    /// Whether the client still waits for what is coming: asked by work that is long in giving its first result.
    ///
    /// # Errors
    /// As [`ResultSink::columns`].
    fn wanted(&mut self) -> Result<(), SqlError> {
        Ok(())
    }
}

/// An equality that a scan may use to seek; the engine checks every condition again itself.
///
/// A seek may return more rows than match, never fewer: strings are equal regardless of case and of
/// trailing blanks.
#[derive(Debug, Clone, PartialEq)]
pub struct SeekKey {
    /// Index into [`TableDecl::columns`].
    pub column: usize,
    /// The value sought, in the column's type.
    pub value: Value,
}

/// A row of a host's table that an UPDATE or DELETE changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowChange<'a> {
    /// Its values as they are, in the order of [`TableDecl::columns`].
    pub old: &'a [Value],
    /// Columns and their new values; `None` deletes the row.
    pub new: Option<(&'a [usize], &'a [Value])>,
}

/// Rows of a scan, read on the session's thread. They are a consistent snapshot.
pub type Scan = Box<dyn Iterator<Item = Result<Row, SqlError>>>;

/// Who runs the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Login name.
    pub login: String,
    /// SID of the login.
    pub sid: Vec<u8>,
    /// Member of the server role sysadmin.
    pub sysadmin: bool,
}

/// Whose rights count: those of a login, everywhere; or those of a user, in its database alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the login; of a user without one, the text that stands for it.
    pub login: String,
    /// SID of the login, or of the user without one.
    pub sid: Vec<u8>,
    /// Database and user, where nothing else counts: on the server it is nobody, in other databases a guest.
    pub user: Option<(String, String)>,
}

/// Whom a statement or module is to run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impersonated<'n> {
    /// A login.
    Login(&'n str),
    /// A user of a database.
    User(&'n str),
}

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Securable<'s> {
    /// The server.
    Server,
    /// The database.
    Database,
    /// A schema of it.
    Schema(&'s str),
    /// An object of it: schema and name.
    Object(&'s str, &'s str),
    /// A column of an object.
    Column(&'s str, &'s str, &'s str),
    /// A user of it.
    User(&'s str),
    /// A type of it: schema and name.
    Type(&'s str, &'s str),
}

/// A password as a statement gives it. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenPassword {
    /// Clear, or the hash as `0x…`.
    pub text: String,
    /// HASHED
    pub hashed: bool,
}

impl std::fmt::Debug for GivenPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenPassword(…)")
    }
}

/// What GRANT, DENY and REVOKE say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionChange {
    /// True gives, false withholds, none takes either back.
    pub state: Option<bool>,
    /// In capitals: EXECUTE, SELECT, …; `ALL` for all that an object's kind has. With columns, where some are named.
    pub permissions: Vec<(String, Vec<String>)>,
    /// In capitals: OBJECT, SCHEMA, DATABASE, LOGIN, …; the database (or the server, for permissions on it) when empty.
    pub class: String,
    /// Schema of the object or type; empty when it was left out.
    pub schema: String,
    /// What the permissions are on.
    pub name: String,
    /// Users and roles; logins on the server.
    pub grantees: Vec<String>,
    /// WITH GRANT OPTION
    pub grantable: bool,
    /// GRANT OPTION FOR: only the right to grant is taken back.
    pub option_only: bool,
    /// CASCADE
    pub cascade: bool,
    /// AS
    pub grantor: Option<String>,
}

/// An administrative statement that changes principals, parsed by `tsql`, carried out by the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AdminStatement {
    /// `CREATE LOGIN name WITH PASSWORD = '…' [, CHECK_POLICY = …, DEFAULT_DATABASE = …]`
    CreateLogin {
        /// Login name.
        name: String,
        /// Hashed by the host before it is stored, unless it is a hash.
        password: GivenPassword,
        /// `SID = 0x…`, when given.
        sid: Option<Vec<u8>>,
        /// DEFAULT_DATABASE, when given.
        default_database: Option<String>,
    },
    /// `ALTER LOGIN name ENABLE | DISABLE | WITH …`
    AlterLogin {
        /// Login name.
        name: String,
        /// New password, when given.
        password: Option<GivenPassword>,
        /// OLD_PASSWORD, when given.
        old_password: Option<GivenPassword>,
        /// New state, when given.
        enabled: Option<bool>,
        /// NAME, when given.
        rename: Option<String>,
        /// DEFAULT_DATABASE, when given.
        default_database: Option<String>,
    },
    /// `DROP LOGIN name`
    DropLogin {
        /// Login name.
        name: String,
    },
    /// `CREATE USER name [FOR LOGIN login | WITHOUT LOGIN]` in the current database
    CreateUser {
        /// User name.
        name: String,
        /// Login it is for; `None` for WITHOUT LOGIN.
        login: Option<String>,
        /// DEFAULT_SCHEMA, when given.
        default_schema: Option<String>,
    },
    /// `ALTER USER name WITH …`
    AlterUser {
        /// User name.
        name: String,
        /// NAME, when given.
        rename: Option<String>,
        /// LOGIN, when given.
        login: Option<String>,
        /// DEFAULT_SCHEMA, when given; NULL is `dbo`.
        default_schema: Option<Option<String>>,
    },
    /// `DROP USER name`
    DropUser {
        /// User name.
        name: String,
    },
    /// `CREATE [SERVER] ROLE name [AUTHORIZATION owner]`
    CreateRole {
        /// SERVER ROLE
        server: bool,
        /// Role name.
        name: String,
        /// Its owner; whoever makes it when not given.
        owner: Option<String>,
    },
    /// `ALTER [SERVER] ROLE name WITH NAME = new`
    RenameRole {
        /// SERVER ROLE
        server: bool,
        /// Role name.
        name: String,
        /// Its new name.
        new: String,
    },
    /// `DROP [SERVER] ROLE name`
    DropRole {
        /// SERVER ROLE
        server: bool,
        /// Role name.
        name: String,
    },
    /// `ALTER AUTHORIZATION ON [SERVER] ROLE::name TO owner`
    RoleOwner {
        /// SERVER ROLE
        server: bool,
        /// Role name.
        name: String,
        /// Its new owner.
        owner: String,
    },
    /// `ALTER ROLE role ADD | DROP MEMBER member` and sp_addrolemember / sp_droprolemember
    AlterRole {
        /// Database role.
        role: String,
        /// Database user.
        member: String,
        /// Adds when true, drops when false.
        add: bool,
    },
    /// `ALTER SERVER ROLE role ADD | DROP MEMBER member` and sp_addsrvrolemember / sp_dropsrvrolemember
    AlterServerRole {
        /// Server role.
        role: String,
        /// Login.
        member: String,
        /// Adds when true, drops when false.
        add: bool,
    },
    /// GRANT, DENY and REVOKE
    Permission(PermissionChange),
    /// `CREATE CREDENTIAL name WITH IDENTITY = '…' [, SECRET = '…']`
    CreateCredential {
        /// Credential name.
        name: String,
        /// Identity.
        identity: String,
        /// Clear secret; sealed by the host before it is stored.
        secret: Option<String>,
    },
    /// `ALTER CREDENTIAL name WITH IDENTITY = '…' [, SECRET = '…']`
    AlterCredential {
        /// Credential name.
        name: String,
        /// Identity.
        identity: String,
        /// Clear secret; sealed by the host before it is stored.
        secret: Option<String>,
    },
    /// `DROP CREDENTIAL name`
    DropCredential {
        /// Credential name.
        name: String,
    },
}

/// The database a session runs in.
///
/// Called by one session, from one thread at a time, and never again while a call is under way. Every error
/// carries its SQL number.
pub trait Host: Send {
    /// Who the session runs as now.
    fn principal(&self) -> Principal;

    /// Whose rights count now.
    fn identity(&self) -> Identity {
        let principal = self.principal();
        Identity {
            login: principal.login,
            sid: principal.sid,
            user: None,
        }
    }

    /// The login that opened the session.
    fn original_login(&self) -> String {
        self.principal().login
    }

    /// The identity of somebody else in a database, when the caller may take it on. Nothing changes yet.
    ///
    /// # Errors
    /// 15406 and 15517 for a principal that does not exist or that the caller may not act as; 916 for a login that may
    /// not enter the database.
    fn impersonate(&self, _database: &str, _whom: Impersonated<'_>) -> Result<Identity, SqlError> {
        Err(tsql::fault::not_supported("EXECUTE AS"))
    }

    /// The identity of a user of a database, for a module that runs as it: whoever made the module was asked.
    ///
    /// # Errors
    /// 15517 for a user that there is not.
    fn module_identity(&self, _database: &str, _user: &str) -> Result<Identity, SqlError> {
        Err(tsql::fault::not_supported("EXECUTE AS"))
    }

    /// The rights of that identity count from now on.
    fn assume(&mut self, _identity: Identity) {}

    /// The caller's user in a database: `dbo` for its owner and for sysadmin.
    fn user_name(&self, _database: &str) -> String {
        let principal = self.principal();
        if principal.sysadmin {
            "dbo".to_owned()
        } else {
            principal.login
        }
    }

    /// The schema in which the caller's names of a database are looked for first.
    fn default_schema(&self, _database: &str) -> String {
        "dbo".to_owned()
    }

    /// Whether the caller may enter a database (916 otherwise, by the engine).
    fn may_enter(&self, _database: &str) -> bool {
        true
    }

    /// The session's current database is this from now on (login, USE, and around a call into another database).
    fn enter_database(&mut self, _database: &str) {}

    /// The instance's databases, in which users make objects; `None` where nothing but temporary tables can be made.
    fn databases(&self) -> Option<Arc<Databases>> {
        None
    }

    /// What the session's open transaction has made of a database's objects, for the host's own views of them; `None`
    /// when the committed ones hold again.
    fn objects_changed(&mut self, _database: i32, _objects: Option<Arc<Objects>>) {}

    /// Whether a database of that name exists; its usual spelling when it does (911 otherwise, by the engine).
    fn database(&self, name: &str) -> Option<String>;

    /// The declaration of a table or view; `None` when there is none (208, by the engine).
    fn table(&self, database: &str, schema: &str, name: &str) -> Option<Arc<TableDecl>>;

    /// Reads a table under the caller's permissions; sees the session's own open transaction.
    ///
    /// # Errors
    /// 229 without permission, or what the catalog raises.
    fn scan(
        &mut self,
        database: &str,
        table: &TableDecl,
        keys: &[SeekKey],
    ) -> Result<Scan, SqlError>;

    /// The declaration of a function of the host; `None` when there is none (195 or 208, by the engine).
    fn function(&self, _database: &str, _schema: &str, _name: &str) -> Option<Arc<FunctionDecl>> {
        None
    }

    /// Value of a scalar function; arguments are in the parameters' types, in declaration order.
    ///
    /// # Errors
    /// 229 without permission, or what the function raises.
    fn call_scalar(
        &mut self,
        function: &FunctionDecl,
        _arguments: &[Value],
    ) -> Result<Value, SqlError> {
        Err(no_such_function(function))
    }

    /// Rows of a table-valued function.
    ///
    /// # Errors
    /// As [`Host::call_scalar`].
    fn scan_function(
        &mut self,
        function: &FunctionDecl,
        _arguments: &[Value],
    ) -> Result<Scan, SqlError> {
        Err(no_such_function(function))
    }

    /// Whether the caller may UPDATE these columns of a table, or DELETE its rows where `columns` is `None`.
    ///
    /// # Errors
    /// 229 without permission, 40517 for a table or column that is not changed this way.
    fn check_change(
        &self,
        _database: &str,
        table: &TableDecl,
        columns: Option<&[usize]>,
    ) -> Result<(), SqlError> {
        let verb = if columns.is_some() {
            "UPDATE"
        } else {
            "DELETE"
        };
        Err(tsql::fault::not_supported(&format!(
            "{verb} of {}.{}.{}",
            table.database, table.schema, table.name
        )))
    }

    /// Changes or deletes a row, after [`Host::check_change`] has allowed it.
    ///
    /// # Errors
    /// What the procedure that makes the same change raises.
    fn change_row(
        &mut self,
        database: &str,
        table: &TableDecl,
        change: &RowChange<'_>,
    ) -> Result<(), SqlError> {
        self.check_change(database, table, change.new.map(|(columns, _)| columns))
    }

    /// The declaration of a procedure; `None` when there is none (2812, by the engine).
    fn procedure(&self, database: &str, schema: &str, name: &str) -> Option<Arc<ProcedureDecl>>;

    /// Whether a procedure that is nowhere is one of SQL Server's own, so that calling it is refused by its name
    /// (40517) rather than with 2812.
    fn refuses_procedure(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// Runs a procedure. `arguments` follow the declaration; OUTPUT values are written back into them.
    /// Returns the return code.
    ///
    /// # Errors
    /// The error that ended the procedure (229 without permission). Errors that only make the procedure
    /// return 1 are raised here too: the engine reports them and gives the caller return code 1.
    fn call(
        &mut self,
        procedure: &ProcedureDecl,
        arguments: &mut [Argument],
        sink: &mut dyn ResultSink,
    ) -> Result<i32, SqlError>;

    /// How long the calls that follow may wait for a lock, in milliseconds (SET LOCK_TIMEOUT); negative for the host's
    /// own limit. Told before each call that may write.
    fn set_lock_timeout(&mut self, _milliseconds: i32) {}

    /// Whether objects and rows of databases may be written now. Asked before each such write, and before databases
    /// themselves are made, changed and dropped.
    ///
    /// # Errors
    /// Why not.
    fn may_write_databases(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// T-SQL that is the rest of a procedure: run by the engine after [`Host::call`] has returned 0, in the
    /// caller's database and with its rights, with the procedure's parameters as variables.
    ///
    /// For the few procedures that write into tables of their caller.
    fn procedure_text(&self, _procedure: &ProcedureDecl) -> Option<&'static str> {
        None
    }

    /// Carries out an administrative statement in the named database.
    ///
    /// # Errors
    /// 15247 and kin without permission; 15025 and kin for names taken or unknown.
    fn administer(&mut self, database: &str, statement: &AdminStatement) -> Result<(), SqlError>;

    /// The outermost BEGIN TRANSACTION. Nothing is locked until the first write.
    ///
    /// # Errors
    /// What the catalog raises.
    fn begin(&mut self) -> Result<(), SqlError>;

    /// The outermost COMMIT.
    ///
    /// # Errors
    /// What the catalog raises; the transaction is then rolled back.
    fn commit(&mut self) -> Result<(), SqlError>;

    /// ROLLBACK of everything since [`Host::begin`].
    ///
    /// # Errors
    /// What the catalog raises.
    fn rollback(&mut self) -> Result<(), SqlError>;

    /// The client has reset its connection: the session is as new. Follows [`Host::rollback`] where a transaction
    /// was open; what the host keeps beside the engine's transactions ends here.
    fn reset(&mut self) {}

    /// `SAVE TRANSACTION name`, and `ROLLBACK TRANSACTION name` when `restore` is true.
    ///
    /// # Errors
    /// 6401 for a name that was not saved.
    fn savepoint(&mut self, name: &str, restore: bool) -> Result<(), SqlError>;

    /// Whether the caller may do that (`SELECT`, `CREATE TABLE`, …) with something of a database, or on the server.
    fn permitted(&self, _database: &str, _on: Securable<'_>, _permission: &str) -> bool {
        self.principal().sysadmin
    }

    /// Columns of the first result set that a procedure of the host may return; empty when it returns none.
    fn result_columns(&self, _procedure: &ProcedureDecl) -> Vec<Column> {
        Vec::new()
    }

    /// Text of a message of the host's own, by its number: what `sys.messages` shows beside the language's.
    fn message_text(&self, _number: i32) -> Option<String> {
        None
    }

    /// Whether the caller has that permission on some columns of an object, so that each has to be asked for.
    fn permitted_by_column(
        &self,
        _database: &str,
        _object: (&str, &str),
        _permission: &str,
    ) -> bool {
        false
    }

    /// The database principal of a name, in its usual spelling; `None` when there is none.
    fn principal_named(&self, _database: &str, name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    /// Whether the login of a SID has a user in a database.
    fn has_user(&self, _database: &str, _sid: &[u8]) -> bool {
        false
    }

    /// A database was dropped, or is about to be made: nobody has any rights in it.
    ///
    /// # Errors
    /// What the catalog raises.
    fn forget_database(&mut self, _database: &str) -> Result<(), SqlError> {
        Ok(())
    }

    /// Objects or schemas were dropped: nobody has any permission on them.
    ///
    /// # Errors
    /// What the catalog raises.
    fn forget_securable(&mut self, _database: &str, _on: Securable<'_>) -> Result<(), SqlError> {
        Ok(())
    }

    /// `SERVERPROPERTY('name')` and other facts about the instance; NULL when not known.
    fn server_property(&self, name: &str) -> Value;

    /// Whether the caller is a member of a server role (`None`: no such role).
    fn is_server_role_member(&self, role: &str, login: Option<&str>) -> Option<bool>;

    /// Whether the caller is a member of a role of that database (`None`: no such role).
    fn is_role_member(&self, database: &str, role: &str, user: Option<&str>) -> Option<bool>;

    /// Number of a database, as sys.databases shows it.
    fn database_id(&self, name: &str) -> Option<i32> {
        SYSTEM_DATABASES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(id, _)| *id)
    }

    /// Name of a database by its number.
    fn database_name(&self, id: i32) -> Option<String> {
        SYSTEM_DATABASES
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, name)| (*name).to_owned())
    }

    /// Number of a table, view, procedure or function, as sys.objects shows it.
    fn object_id(&self, database: &str, schema: &str, name: &str) -> Option<i32> {
        let known = self.table(database, schema, name).is_some()
            || self.procedure(database, schema, name).is_some()
            || self.function(database, schema, name).is_some();
        known.then(|| stable_object_id(database, schema, name))
    }

    /// Schema and name of the object of that number.
    fn object_name(&self, _database: &str, _id: i32) -> Option<(String, String)> {
        None
    }

    /// Value of a function that asks about objects, columns, types, schemas, principals, permissions or files: its name
    /// in capitals and its arguments; NULL for what is not there or not known.
    ///
    /// # Errors
    /// What the catalog raises.
    fn metadata(
        &mut self,
        _database: &str,
        _function: &str,
        _arguments: &[Value],
    ) -> Result<Value, SqlError> {
        Ok(Value::Null)
    }

    /// The temporary tables in the session's reach, before the views of tempdb are read.
    fn temporary_tables(&mut self, _tables: Vec<TemporaryTable>) {}

    /// SID of a login, the caller's when `None`.
    fn login_sid(&self, login: Option<&str>) -> Option<Vec<u8>>;

    /// Login of a SID, the caller's when `None`.
    fn login_name(&self, sid: Option<&[u8]>) -> Option<String>;

    /// The instant now, as the instance's clock has it: UTC microseconds since 1970, and minutes east of UTC.
    fn now(&self) -> (i64, i16);

    /// Time since an arbitrary fixed point, by a clock that never steps back: for WAITFOR and time limits.
    fn elapsed(&self) -> Duration;
}

/// Databases that every instance has, by number.
pub const SYSTEM_DATABASES: [(i32, &str); 4] =
    [(1, "master"), (2, "tempdb"), (3, "model"), (4, "msdb")];

/// An object number that depends on the object's name alone, so that it is the same after a restart.
///
/// Positive and never below 100, where SQL Server keeps its own; two names may in theory share one.
#[must_use]
pub fn stable_object_id(database: &str, schema: &str, name: &str) -> i32 {
    const FIRST: u32 = 100;
    // FNV-1a, folded: short, and good enough for a few hundred names.
    let mut hash: u32 = 0x811c_9dc5;
    for part in [database, schema, name] {
        for byte in part.bytes().map(|b| b.to_ascii_lowercase()).chain([b'.']) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    let bound = i32::MAX.unsigned_abs() - FIRST;
    i32::try_from(FIRST + hash % bound).unwrap_or(i32::MAX)
}

fn no_such_function(function: &FunctionDecl) -> SqlError {
    SqlError::new(
        195,
        15,
        format!(
            "'{}' is not a recognized built-in function name.",
            function.name
        ),
    )
}
