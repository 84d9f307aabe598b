//! Procedures as the fact sheet has them: one table of calls per procedure.
//!
//! A [`Table`] names a procedure and lists [`Case`]s. A case is one `EXEC` by one login in a [`World`]:
//!
//! ```text
//! done("@job_name = N'new'").then("SELECT enabled FROM sysjobs WHERE name = N'new'", &["1"]),
//! done("@job_name = N'local'").gives("step_id step_name", &["1|one", "2|two"]),
//! fails("@job_name = N'100%'", 14289),
//! fails("@job_name = N'new', @owner_login_name = N'sa'", 14515).by("user"),
//! done("@job_name = N'local'").says(&[14243]).acts(&["start local by sa at None"]),
//! ```
//!
//! Held of every case without being asked for: a failing call raises that number alone, returns 1, answers with no
//! rows, asks nothing of the agent and leaves every table as it was; a call that succeeds returns 0, gives exactly
//! the result sets, messages and acts named, and each set has the columns and types of a declared one. `{job x}`,
//! `{schedule x}` and `{uid x}` stand for the id of that job, and the number and uid of that schedule, in calls and in
//! what is expected. `.after(script)` lets `sa` run something first; each case finds its world as it was built. Every
//! call that succeeds is made once more in a transaction that is rolled back, and must leave nothing behind, but for the
//! procedures that [`upkeep`] lists as acting at once.
//!
//! A file per noun has its tables and, by `tables!`, a test of each; they are known to [`upkeep`], which holds that each
//! procedure of the vendored sheet has a table with a success and a failure, that each parameter is given somewhere, and
//! that each error of the sheet is raised or listed in [`Table::absent`] with the reason.

/// The tables of a file, each with a test of its own.
macro_rules! tables {
    ($($test:ident: $table:ident,)+) => {
        pub(super) const TABLES: &[super::Table] = &[$($table),+];
        $(
            #[test]
            fn $test() {
                $table.check();
            }
        )+
    };
}

mod agent;
mod alerts;
mod categories;
mod downloads;
mod enlistments;
mod history;
mod job_help;
mod jobs;
mod jobschedules;
mod jobservers;
mod notifications;
mod operators;
mod owners;
mod proxies;
mod render;
mod runs;
mod schedules;
mod steps;
mod tables;
mod targets;
mod upkeep;
mod world;

use super::scripts;
use super::support::Fixture;
use engine::{CancelToken, ResultSink};
use msdb::declare::procedures;
use msdb::services::AgentRefusal;
use render::{Names, cells};
use std::fmt::Write as _;
use std::panic::Location;
use tsql::{Column, Row, SqlError, SqlType};
pub(super) use world::{LEFT, MASTER, TARGET, World};

/// The calls of one procedure.
pub(super) struct Table {
    /// Its name.
    pub(super) procedure: &'static str,
    /// Numbers that the sheet relates to it and that no case raises, with the reason.
    pub(super) absent: &'static [(i32, &'static str)],
    /// The calls.
    pub(super) cases: &'static [Case],
}

/// One call and what it comes to.
#[derive(Clone, Copy)]
pub(super) struct Case {
    at: &'static Location<'static>,
    world: World,
    login: &'static str,
    after: &'static str,
    refusal: Option<fn() -> AgentRefusal>,
    with: &'static str,
    given: &'static str,
    /// The error; `None` for success.
    raises: Option<i32>,
    code: i32,
    says: &'static [i32],
    acts: &'static [&'static str],
    first: Option<Rows>,
    sets: &'static [Rows],
    then: Option<Rows>,
    unchanged: bool,
}

/// Columns (`*` for all) or a query, and rows as `a|b|NULL`.
type Rows = (&'static str, &'static [&'static str]);

#[track_caller]
const fn case(given: &'static str, raises: Option<i32>) -> Case {
    Case {
        at: Location::caller(),
        world: MASTER,
        login: "sa",
        after: "",
        refusal: None,
        with: "",
        given,
        raises,
        code: 0,
        says: &[],
        acts: &[],
        first: None,
        sets: &[],
        then: None,
        unchanged: false,
    }
}

/// A call that succeeds.
#[track_caller]
pub(super) const fn done(given: &'static str) -> Case {
    case(given, None)
}

/// A call that raises an error and changes nothing.
#[track_caller]
pub(super) const fn fails(given: &'static str, number: i32) -> Case {
    case(given, Some(number))
}

impl Case {
    /// By another login than `sa`.
    pub(super) const fn by(mut self, login: &'static str) -> Self {
        self.login = login;
        self
    }

    /// In another world than [`MASTER`].
    pub(super) const fn within(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// After `sa` has run this.
    pub(super) const fn after(mut self, script: &'static str) -> Self {
        self.after = script;
        self
    }

    /// In a batch that begins with this.
    pub(super) const fn with(mut self, statements: &'static str) -> Self {
        self.with = statements;
        self
    }

    /// While the agent refuses.
    pub(super) const fn refused(mut self, refusal: fn() -> AgentRefusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// With these messages, in this order.
    pub(super) const fn says(mut self, numbers: &'static [i32]) -> Self {
        self.says = numbers;
        self
    }

    /// Having asked this of the server.
    pub(super) const fn acts(mut self, acts: &'static [&'static str]) -> Self {
        self.acts = acts;
        self
    }

    /// With this return code, though nothing is raised.
    pub(super) const fn returns(mut self, code: i32) -> Self {
        self.code = code;
        self
    }

    /// With one result set: these columns (`*` for all) of these rows.
    pub(super) const fn gives(
        mut self,
        columns: &'static str,
        rows: &'static [&'static str],
    ) -> Self {
        self.first = Some((columns, rows));
        self
    }

    /// With several result sets.
    pub(super) const fn sets(mut self, sets: &'static [Rows]) -> Self {
        self.sets = sets;
        self
    }

    /// After which `sa`'s query has these rows.
    pub(super) const fn then(mut self, query: &'static str, rows: &'static [&'static str]) -> Self {
        self.then = Some((query, rows));
        self
    }

    /// Changing nothing. Held of every `sp_help…` anyhow.
    pub(super) const fn unchanged(mut self) -> Self {
        self.unchanged = true;
        self
    }
}

/// What a batch came to.
#[derive(Default)]
struct Seen {
    sets: Vec<(Vec<Column>, Vec<Row>)>,
    messages: Vec<SqlError>,
    /// Return code, and how many sets had come by then.
    returned: Option<(i32, usize)>,
}

impl ResultSink for Seen {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.sets.push((columns.to_vec(), Vec::new()));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.sets.last_mut().unwrap().1.push(row);
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.messages.push(message);
    }

    fn procedure_done(&mut self, return_code: i32) -> Result<(), SqlError> {
        self.returned = Some((return_code, self.sets.len()));
        Ok(())
    }
}

fn run(fixture: &Fixture, login: &str, text: &str) -> Seen {
    let mut session = scripts::session(fixture, login);
    session.execute_batch("USE msdb", &mut Seen::default(), &CancelToken::new());
    let mut seen = Seen::default();
    session.execute_batch(text, &mut seen, &CancelToken::new());
    seen
}

/// A built world, its state as text, and whether a case has changed it.
struct Built {
    world: World,
    fixture: Fixture,
    names: Names,
    state: String,
}

impl Built {
    fn new(world: World) -> Self {
        let fixture = (world.open)();
        Self {
            world,
            names: Names::of(&fixture),
            state: fixture.fingerprint(),
            fixture,
        }
    }
}

/// Procedures that leave out columns when they are asked to.
const PARTIAL: &[&str] = &["sp_help_alert", "sp_help_notification"];

impl Table {
    /// Runs every case, then tells of all that came out differently.
    pub(super) fn check(&self) {
        let mut wrong = String::new();
        let mut built: Option<Built> = None;
        for case in self.cases {
            let world = built
                .take()
                .filter(|built| built.world.name == case.world.name)
                .unwrap_or_else(|| Built::new(case.world));
            let (differences, fresh) = self.run_case(case, world);
            built = fresh;
            for difference in differences {
                let (file, line) = (case.at.file(), case.at.line());
                let (procedure, login) = (self.procedure, case.login);
                writeln!(
                    wrong,
                    "{file}:{line}: {procedure} {} by {login}\n    {difference}",
                    case.given
                )
                .unwrap();
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }

    /// What came out differently, and the world if it is still as it was built.
    fn run_case(&self, case: &Case, mut built: Built) -> (Vec<String>, Option<Built>) {
        let fixture = &built.fixture;
        let mut wrong = Vec::new();
        let mut before = None;
        if !case.after.is_empty() {
            let prepared = run(fixture, "sa", &built.names.fill(case.after));
            let errors: Vec<&SqlError> =
                prepared.messages.iter().filter(|m| m.is_error()).collect();
            if !errors.is_empty() {
                wrong.push(format!("what comes before failed: {errors:?}"));
            }
            before = Some(fixture.fingerprint());
            built.names = Names::of(fixture);
        }
        fixture.fake.acts.lock().unwrap().clear();
        *fixture.fake.refusal.lock().unwrap() = case.refusal.map(|refusal| refusal());
        let seen = run(fixture, case.login, &self.batch(case, &built.names));
        *fixture.fake.refusal.lock().unwrap() = None;
        let acts = std::mem::take(&mut *fixture.fake.acts.lock().unwrap());
        let state = fixture.fingerprint();
        let changed = state != *before.as_ref().unwrap_or(&built.state);
        match case.raises {
            Some(number) => held_of_failure(&seen, number, &mut wrong),
            None => self.held_of_success(case, &seen, &built.names, &mut wrong),
        }
        if changed
            && (case.raises.is_some() || case.unchanged || self.procedure.starts_with("sp_help"))
        {
            wrong.push("it changed something".to_owned());
        }
        let acts: Vec<String> = acts.iter().map(|act| act.to_lowercase()).collect();
        let expected = built
            .names
            .fill_all(case.acts)
            .iter()
            .map(|act| act.to_lowercase())
            .collect::<Vec<_>>();
        differ("acts", &acts, &expected, &mut wrong);
        if let Some((query, rows)) = case.then {
            let found = run(fixture, "sa", &built.names.fill(query));
            let errors: Vec<&SqlError> = found.messages.iter().filter(|m| m.is_error()).collect();
            match found.sets.first() {
                Some((columns, found)) if errors.is_empty() => {
                    let found = cells(columns, found, "*").unwrap();
                    differ("then", &found, &built.names.fill_all(rows), &mut wrong);
                }
                _ => wrong.push(format!("{query} failed: {errors:?}")),
            }
        }
        let kept = before.is_none() && !changed;
        (wrong, kept.then_some(built))
    }

    /// Makes every call that succeeds in a transaction that is rolled back, and tells which leave something behind.
    fn rolled_back(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut built: Option<Built> = None;
        for case in self.cases.iter().filter(|case| case.raises.is_none()) {
            let world = built
                .take()
                .filter(|built| built.world.name == case.world.name)
                .unwrap_or_else(|| Built::new(case.world));
            let fixture = &world.fixture;
            let (mut names, mut before) = (None, None);
            if !case.after.is_empty() {
                run(fixture, "sa", &world.names.fill(case.after));
                (names, before) = (Some(Names::of(fixture)), Some(fixture.fingerprint()));
            }
            *fixture.fake.refusal.lock().unwrap() = case.refusal.map(|refusal| refusal());
            let batch = self.batch(case, names.as_ref().unwrap_or(&world.names));
            run(
                fixture,
                case.login,
                &format!("BEGIN TRANSACTION\n{batch}\nROLLBACK"),
            );
            *fixture.fake.refusal.lock().unwrap() = None;
            let kept = fixture.fingerprint() == *before.as_ref().unwrap_or(&world.state);
            if !kept {
                wrong.push(format!(
                    "{} {} by {}",
                    self.procedure, case.given, case.login
                ));
            }
            built = (kept && before.is_none()).then_some(world);
        }
        wrong
    }

    /// The batch that a case is.
    fn batch(&self, case: &Case, names: &Names) -> String {
        let (database, schema) = self.place();
        format!(
            "DECLARE @guid uniqueidentifier, @int int, @text nvarchar(4000);\n{}\nEXEC {database}.{schema}.{} {}",
            case.with,
            self.procedure,
            names.fill(case.given)
        )
    }

    fn place(&self) -> (&'static str, &'static str) {
        let key = self.procedure.to_ascii_lowercase();
        let declared = procedures().get(&key);
        declared.map_or(("msdb", "dbo"), |declared| {
            (declared.decl.database, declared.decl.schema)
        })
    }

    fn held_of_success(&self, case: &Case, seen: &Seen, names: &Names, wrong: &mut Vec<String>) {
        let errors: Vec<&SqlError> = seen.messages.iter().filter(|m| m.is_error()).collect();
        if !errors.is_empty() {
            wrong.push(format!("it failed: {errors:?}"));
            return;
        }
        let said: Vec<i32> = seen.messages.iter().map(|message| message.number).collect();
        differ("says", &said, case.says, wrong);
        let code = seen.returned.map(|(code, _)| code);
        differ("returns", &code, &Some(case.code), wrong);
        let of_procedure = seen.returned.map_or(0, |(_, sets)| sets);
        for (columns, _) in &seen.sets[..of_procedure] {
            if let Some(difference) = self.undeclared(columns) {
                wrong.push(difference);
            }
        }
        let expected: Vec<Rows> = case.first.iter().chain(case.sets).copied().collect();
        differ("number of sets", &seen.sets.len(), &expected.len(), wrong);
        for ((columns, found), (wanted, rows)) in seen.sets.iter().zip(expected) {
            match cells(columns, found, wanted) {
                Ok(found) => differ(wanted, &found, &names.fill_all(rows), wrong),
                Err(column) => wrong.push(format!("there is no column {column}")),
            }
        }
    }

    /// What is wrong with the columns of a result set of the procedure's: they must be those of a declared one,
    /// unless the sheet declares none for it. With texts for codes, sp_help_jobstep has the shape of sp_help_job's.
    fn undeclared(&self, columns: &[Column]) -> Option<String> {
        let found: Vec<(&str, SqlType)> = columns
            .iter()
            .map(|column| (column.name.as_str(), column.ty))
            .collect();
        let own = procedures()[&self.procedure.to_ascii_lowercase()]
            .procedure
            .results;
        let known = own.is_empty()
            || procedures()
                .values()
                .flat_map(|declared| declared.procedure.results)
                .any(|(_, declared)| **declared == found);
        // A part of the declared columns, in their order.
        let is_part = own.iter().any(|(_, declared)| {
            let mut rest = declared.iter();
            found.iter().all(|column| rest.any(|known| known == column))
        });
        let known = known || (PARTIAL.contains(&self.procedure) && is_part);
        (!known).then(|| format!("no such set is declared: {found:?}"))
    }
}

fn held_of_failure(seen: &Seen, number: i32, wrong: &mut Vec<String>) {
    let raised: Vec<i32> = seen.messages.iter().map(|message| message.number).collect();
    if raised != [number] {
        wrong.push(format!("expected {number}, raised {:?}", seen.messages));
    }
    if !seen.sets.is_empty() {
        wrong.push("it answered before it failed".to_owned());
    }
    // A call that never began (a wrong parameter, no permission) has no return code.
    if let Some((code, _)) = seen.returned
        && code != 1
    {
        wrong.push(format!("it returned {code}"));
    }
}

fn differ<T, E>(what: &str, found: &T, expected: &E, wrong: &mut Vec<String>)
where
    T: std::fmt::Debug + PartialEq<E> + ?Sized,
    E: std::fmt::Debug + ?Sized,
{
    if found != expected {
        wrong.push(format!("{what}: found {found:?}, expected {expected:?}"));
    }
}
