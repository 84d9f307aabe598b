//! Cursors over the wire: sp_cursoropen and its kin, as ODBC and JDBC drivers call them.
//!
//! Every cursor is a read-only snapshot, taken when it is opened and kept under the session's bound on
//! intermediate results: keyset and dynamic cursors become static ones, and the values handed back say so.
//! Arguments count by position alone, as SQL Server has it for these procedures.

mod buffer;
mod options;

use super::arguments::Given;
use super::cursor::CURSORS_MAX;
use super::execute::Returned;
use super::query::select_into;
use super::{End, Failure, Frame, Interpreter};
use crate::host::{EnvChange, ResultSink, StatementDone};
use crate::session::Prepared;
use crate::session::names::Names;
use crate::session::shared::option;
use buffer::{Buffer, Move};
use options::{CONCURRENCY, Options};
use std::collections::BTreeMap;
use tsql::ast::{SelectStatement, StatementKind};
use tsql::bind::Binder;
use tsql::bind::ir::Body;
use tsql::messages as m;
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{Column, Row, SqlError, SqlType, Value};

/// Rows of a fetch that names no number.
const FETCH_ROWS_DEFAULT: i64 = 20;
/// The first cursor's number less the step; the number is that of SQL Server, for those who read traces.
const HANDLE_BEFORE_FIRST: i32 = 180_150_001;
const HANDLE_STEP: i32 = 2;
/// Column behind those of the query: each row's state.
const ROW_STATE: &str = "ROWSTAT";
/// State of a row that is there.
const ROW_FETCHED: Value = Value::Int(1);
/// Longest list of columns: the wire numbers them in one byte, the state's included.
const COLUMNS_MAX: usize = 254;

/// Return codes. Source: "sp_cursorfetch (Transact-SQL)", RPC considerations.
mod status {
    pub(super) const DONE: i32 = 0;
    pub(super) const STOPPED_AT_FIRST: i32 = 2;
    pub(super) const CLOSED_BY_ITSELF: i32 = 16;
}

/// Bits of fetchtype.
mod fetch {
    pub(super) const FIRST: i32 = 0x01;
    pub(super) const NEXT: i32 = 0x02;
    pub(super) const PREVIOUS: i32 = 0x04;
    pub(super) const LAST: i32 = 0x08;
    pub(super) const ABSOLUTE: i32 = 0x10;
    pub(super) const RELATIVE: i32 = 0x20;
    pub(super) const REFRESH: i32 = 0x80;
    pub(super) const INFO: i32 = 0x100;
    pub(super) const PREVIOUS_NO_ADJUST: i32 = 0x200;
    /// Says nothing to a cursor that changes nothing.
    pub(super) const SKIP_CONCURRENCY: i32 = 0x400;
}

/// Operations of sp_cursor.
mod operation {
    pub(super) const REFRESH: i32 = 0x08;
    pub(super) const SET_POSITION: i32 = 0x20;
    pub(super) const ABSOLUTE: i32 = 0x40;
}

/// The procedures. Whoever asks for another name gets `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Procedure {
    Cursor,
    Open,
    Prepare,
    Execute,
    PrepareExecute,
    Unprepare,
    Fetch,
    Option,
    Close,
}

impl Procedure {
    const ALL: [(&'static str, Self); 9] = [
        ("sp_cursor", Self::Cursor),
        ("sp_cursoropen", Self::Open),
        ("sp_cursorprepare", Self::Prepare),
        ("sp_cursorexecute", Self::Execute),
        ("sp_cursorprepexec", Self::PrepareExecute),
        ("sp_cursorunprepare", Self::Unprepare),
        ("sp_cursorfetch", Self::Fetch),
        ("sp_cursoroption", Self::Option),
        ("sp_cursorclose", Self::Close),
    ];

    /// The procedure of a name in lower case.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == name).map(|(_, one)| *one)
    }

    /// The name of a well-known number, 1 to 9.
    pub(super) fn name_of(number: u16) -> Option<&'static str> {
        let at = usize::from(number).checked_sub(1)?;
        Self::ALL.get(at).map(|(name, _)| *name)
    }
}

/// The session's cursors of this kind.
#[derive(Default)]
pub(crate) struct WireCursors {
    open: BTreeMap<i32, WireCursor>,
    last: Option<i32>,
}

impl WireCursors {
    /// About how many bytes their rows take.
    pub(crate) fn bytes(&self) -> u64 {
        self.open.values().map(|cursor| cursor.bytes).sum()
    }

    fn insert(&mut self, cursor: WireCursor) -> i32 {
        let mut handle = self.last.unwrap_or(HANDLE_BEFORE_FIRST);
        loop {
            handle = handle
                .checked_add(HANDLE_STEP)
                .unwrap_or(HANDLE_BEFORE_FIRST);
            if !self.open.contains_key(&handle) {
                break;
            }
        }
        self.last = Some(handle);
        self.open.insert(handle, cursor);
        handle
    }
}

struct WireCursor {
    /// Of the query, without the state.
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// About how many they take.
    bytes: u64,
    options: Options,
    buffer: Buffer,
}

impl WireCursor {
    fn total(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    fn columns_and_state(&self) -> Vec<Column> {
        let mut columns = self.columns.clone();
        columns.push(Column::required(ROW_STATE, SqlType::Int));
        columns
    }

    /// The rows of the buffer, with their state.
    fn buffered(&self) -> impl Iterator<Item = Row> {
        let at = |number: i64| usize::try_from(number).unwrap_or(0);
        let rows = self.rows.iter().skip(at(self.buffer.first - 1));
        rows.take(at(self.buffer.count)).map(|row| {
            let mut row = row.clone();
            row.push(ROW_FETCHED);
            row
        })
    }

    /// Whether nothing is left to be fetched.
    fn is_used_up(&self) -> bool {
        self.buffer.first + self.buffer.count > self.total()
    }
}

/// A call's arguments.
struct Call<'g> {
    procedure: &'static str,
    given: &'g [Given],
}

impl Call<'_> {
    fn value(&self, at: usize) -> Option<&Value> {
        let (value, _) = self.given.get(at)?.value.as_ref()?;
        (!value.is_null()).then_some(value)
    }

    fn text(&self, at: usize) -> String {
        let text = self.value(at).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// A number; `None` without one.
    fn number(&self, at: usize, name: &str) -> Result<Option<i32>, SqlError> {
        let Some(value) = self.value(at) else {
            return Ok(None);
        };
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        number.map(Some).ok_or_else(|| self.bad(name))
    }

    fn bad(&self, name: &str) -> SqlError {
        m::CURSOR_PARAMETER.with(&[self.procedure, name])
    }

    fn bad_handle(&self, handle: Option<i32>) -> SqlError {
        let shown = format!("{:x}", handle.unwrap_or(0));
        m::CURSOR_HANDLE.with(&[self.procedure, &shown])
    }

    fn handle(&self) -> Result<Option<i32>, SqlError> {
        self.number(0, "cursor")
    }

    fn takes(&self, least: usize, most: usize) -> Result<(), SqlError> {
        if (least..=most).contains(&self.given.len()) {
            Ok(())
        } else {
            Err(m::CURSOR_PARAMETERS.with(&[self.procedure]))
        }
    }

    /// What goes back: values of the arguments that asked for it.
    fn returned(&self, code: i32, values: &[(usize, i32)]) -> Returned {
        let wanted = |at: usize| self.given.get(at).is_some_and(|given| given.output);
        let values = values.iter().filter(|(at, _)| wanted(*at));
        Returned {
            code,
            outputs: values
                .map(|(at, value)| (*at, Value::Int(*value), SqlType::Int))
                .collect(),
        }
    }
}

/// Where the arguments of an opening stand.
#[derive(Clone, Copy)]
struct Places {
    cursor: usize,
    scroll: usize,
    concurrency: usize,
    rows: usize,
    values: usize,
}

/// What a text turned out to be.
enum Form {
    Query(Box<SelectStatement>),
    /// EXEC of a procedure, which may hold a query.
    Execute,
    Other,
}

impl Interpreter<'_> {
    /// Runs one of the procedures.
    pub(super) fn wire_cursor(
        &mut self,
        procedure: Procedure,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        let name = Procedure::ALL.iter().find(|(_, one)| *one == procedure);
        let call = Call {
            procedure: name.map_or("sp_cursor", |(name, _)| name),
            given,
        };
        let (end, returned) = match procedure {
            Procedure::Open => {
                call.takes(2, usize::MAX)?;
                let places = Places {
                    cursor: 0,
                    scroll: 2,
                    concurrency: 3,
                    rows: 4,
                    values: 6,
                };
                let options = self.options(&call, places)?;
                let prepared = Prepared {
                    params: if options.parameterized {
                        call.text(5)
                    } else {
                        String::new()
                    },
                    text: call.text(1),
                };
                self.open(&call, &prepared, options, places)?
            }
            Procedure::Prepare => self.prepare_cursor(&call)?,
            Procedure::Execute => {
                call.takes(2, usize::MAX)?;
                let places = Places {
                    cursor: 1,
                    scroll: 2,
                    concurrency: 3,
                    rows: 4,
                    values: 5,
                };
                let handle = call.number(0, "prepared_handle")?;
                let prepared = self.prepared(handle)?;
                let options = self.options(&call, places)?;
                self.open(&call, &prepared, options, places)?
            }
            Procedure::PrepareExecute => {
                call.takes(4, usize::MAX)?;
                let places = Places {
                    cursor: 1,
                    scroll: 4,
                    concurrency: 5,
                    rows: 6,
                    values: 7,
                };
                let options = self.options(&call, places)?;
                let prepared = Prepared {
                    params: call.text(2),
                    text: call.text(3),
                };
                let (end, mut returned) = self.open(&call, &prepared, options, places)?;
                // A handle that is handed in gives way to the new one.
                self.forget(call.number(0, "prepared_handle")?);
                let handle = self.prepare(prepared.params, prepared.text)?;
                let own = call.returned(0, &[(0, handle)]).outputs;
                returned.outputs.splice(0..0, own);
                (end, returned)
            }
            Procedure::Unprepare => {
                call.takes(1, 1)?;
                self.unprepare(call.number(0, "prepared_handle")?)?;
                (End::Next, Returned::default())
            }
            Procedure::Fetch => self.fetch_buffer(&call)?,
            Procedure::Option => self.cursor_option(&call)?,
            Procedure::Cursor => self.positioned(&call)?,
            Procedure::Close => {
                call.takes(1, 1)?;
                let handle = call.handle()?;
                let cursors = &mut self.core.wire_cursors;
                if handle == Some(-1) {
                    cursors.open.clear();
                } else if handle
                    .and_then(|handle| cursors.open.remove(&handle))
                    .is_none()
                {
                    return Err(call.bad_handle(handle).into());
                }
                (End::Next, Returned::default())
            }
        };
        if matches!(end, End::Next) {
            self.sink.procedure_done(returned.code)?;
        }
        Ok((end, returned))
    }

    fn options(&self, call: &Call<'_>, places: Places) -> Result<Options, SqlError> {
        let scroll = call.number(places.scroll, "scrollopt")?.unwrap_or(0);
        let concurrency = call.number(places.concurrency, "ccopt")?.unwrap_or(0);
        Options::decide(call.procedure, scroll, concurrency)
    }

    /// `sp_cursorprepare @handle OUTPUT, @params, @stmt, @options [, @scrollopt, @ccopt]`
    fn prepare_cursor(&mut self, call: &Call<'_>) -> Result<(End, Returned), Failure> {
        const RETURN_METADATA: i32 = 1;
        call.takes(3, 6)?;
        let (params, text) = (call.text(1), call.text(2));
        let wants_metadata = call.number(3, "options")?.unwrap_or(0) & RETURN_METADATA != 0;
        let places = Places {
            cursor: 0,
            scroll: 4,
            concurrency: 5,
            rows: 6,
            values: 6,
        };
        let options = self.options(call, places)?;
        self.check_text(&params, &text)?;
        let described = self.describe(&params, &text)?;
        if let Some(columns) = described.filter(|_| wants_metadata) {
            self.tell_columns(&columns, 0)?;
        }
        self.forget(call.number(0, "prepared_handle")?);
        let handle = self.prepare(params, text)?;
        let values = [
            (0, handle),
            (places.scroll, options.kind.code()),
            (places.concurrency, CONCURRENCY),
        ];
        Ok((End::Next, call.returned(status::DONE, &values)))
    }

    /// Columns of a text that is one query; `None` for others.
    fn describe(&mut self, params: &str, text: &str) -> Result<Option<Vec<Column>>, SqlError> {
        let mut frame = Frame::default();
        for parameter in self.declared_parameters(params)? {
            frame.declare(&parameter.name, parameter.ty, Value::Null);
        }
        let Form::Query(statement) = self.form(text, &frame)? else {
            return Ok(None);
        };
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let query = Binder::new(&names).select(statement.with.as_ref(), &statement.query)?;
        let mut columns = query.columns;
        columns.push(Column::required(ROW_STATE, SqlType::Int));
        Ok(Some(columns))
    }

    fn form(&self, text: &str, frame: &Frame) -> Result<Form, SqlError> {
        let variables: Vec<String> = frame
            .scope
            .locals
            .iter()
            .map(|local| local.name.clone())
            .collect();
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &variables,
        };
        let batch = match parse_batch(text, &options) {
            Ok(batch) => batch,
            Err(errors) => {
                let first = errors.into_iter().next();
                return Err(first.unwrap_or_else(|| m::CURSOR_STATEMENT.with(&[])));
            }
        };
        let mut statements = batch.statements.into_iter();
        Ok(match (statements.next(), statements.next()) {
            (Some(only), None) => match only.kind {
                StatementKind::Select(select) if select_into(&select.query.body).is_none() => {
                    Form::Query(select)
                }
                StatementKind::Execute(_) => Form::Execute,
                _ => Form::Other,
            },
            _ => Form::Other,
        })
    }

    fn open(
        &mut self,
        call: &Call<'_>,
        prepared: &Prepared,
        options: Options,
        places: Places,
    ) -> Result<(End, Returned), Failure> {
        let values = call.given.get(places.values..).unwrap_or_default();
        let (frame, outputs) = self
            .parameters(&prepared.text, &prepared.params, values, places.values)
            .map_err(Failure::of_statement)?;
        let form = self.form(&prepared.text, &frame)?;
        let is_run = !matches!(form, Form::Query(_)) && options.direct;
        if is_run {
            let (end, mut returned) = self.run_with(&prepared.text, (frame, outputs))?;
            let own = call.returned(0, &[(places.cursor, 0), (places.rows, 0)]);
            returned.outputs.splice(0..0, own.outputs);
            returned.code = status::DONE;
            return Ok((end, returned));
        }
        if self.core.wire_cursors.open.len() >= CURSORS_MAX {
            return Err(m::MEMORY_LIMIT.with(&["default"]).into());
        }
        self.touches_tables()?;
        let taken = self.core.cursors.bytes() + self.core.wire_cursors.bytes();
        let left = self.core.options.limits.temp_bytes.saturating_sub(taken);
        let (columns, rows, bytes) = match form {
            Form::Query(statement) => {
                self.recursion(&statement.options)?;
                let query = {
                    let names = Names {
                        shared: &self.core.shared,
                        scope: &frame.scope,
                    };
                    Binder::new(&names).select(statement.with.as_ref(), &statement.query)?
                };
                let assigns = matches!(&query.body, Body::Select(select)
                    if select.items.iter().any(|item| item.assign.is_some()));
                if assigns {
                    return Err(m::CURSOR_STATEMENT.with(&[]).into());
                }
                let (rows, bytes) = self.rows_of(&query, &frame, left)?;
                (query.columns, rows, bytes)
            }
            Form::Execute => match self.only_result(&prepared.text, (frame, outputs), left)? {
                Some(result) => result,
                None => return Ok((End::Abort, Returned::default())),
            },
            Form::Other => return Err(m::CURSOR_STATEMENT.with(&[]).into()),
        };
        if columns.len() > COLUMNS_MAX {
            return Err(m::TOO_COMPLEX.with(&[]).into());
        }
        let wanted = call.number(places.rows, "rowcount")?;
        let mut cursor = WireCursor {
            columns,
            rows,
            bytes,
            options,
            buffer: Buffer::default(),
        };
        let mut code = status::DONE;
        let mut count = i32::try_from(cursor.rows.len()).unwrap_or(i32::MAX);
        if options.auto_fetch {
            let rows = wanted.filter(|rows| *rows > 0).map(i64::from);
            let rows = rows.unwrap_or(FETCH_ROWS_DEFAULT);
            cursor.buffer = cursor.buffer.moved(Move::Next, rows, cursor.total()).0;
            count = i32::try_from(cursor.buffer.count).unwrap_or(i32::MAX);
        }
        self.tell(&cursor)?;
        let handle = if options.auto_close && options.auto_fetch && cursor.is_used_up() {
            code = status::CLOSED_BY_ITSELF;
            0
        } else {
            self.core.wire_cursors.insert(cursor)
        };
        let values = [
            (places.cursor, handle),
            (places.scroll, options.kind.code()),
            (places.concurrency, CONCURRENCY),
            (places.rows, count),
        ];
        Ok((End::Next, call.returned(code, &values)))
    }

    /// Runs a text; its one result set and about how many bytes that takes. `None` when the request is over.
    #[expect(clippy::type_complexity, reason = "three facts of one result")]
    fn only_result(
        &mut self,
        text: &str,
        frame: (Frame, Vec<(usize, usize)>),
        bytes: u64,
    ) -> Result<Option<(Vec<Column>, Vec<Row>, u64)>, Failure> {
        let mut kept = OneResult {
            inner: &mut *self.sink,
            columns: None,
            more: false,
            rows: Vec::new(),
            bytes: 0,
            bytes_max: bytes,
        };
        let mut nested = Interpreter {
            core: &mut *self.core,
            sink: &mut kept,
            cancel: self.cancel,
            outcome: std::mem::take(&mut self.outcome),
            tries: self.tries,
            collecting: self.collecting,
            line: self.line,
        };
        let ended = nested.run_with(text, frame);
        let outcome = std::mem::take(&mut nested.outcome);
        let OneResult {
            columns,
            more,
            rows,
            bytes,
            ..
        } = kept;
        self.outcome = outcome;
        let (end, _) = ended?;
        if matches!(end, End::Abort) {
            return Ok(None);
        }
        let columns = columns
            .filter(|_| !more)
            .ok_or_else(|| m::CURSOR_STATEMENT.with(&[]))?;
        Ok(Some((columns, rows, bytes)))
    }

    /// Sends a cursor's columns and the rows of its buffer.
    fn tell(&mut self, cursor: &WireCursor) -> Result<(), SqlError> {
        self.sink.cursor_columns(&cursor.columns_and_state())?;
        let mut count = 0;
        for row in cursor.buffered() {
            self.sink.row(row)?;
            count += 1;
        }
        self.told(count)
    }

    fn tell_columns(&mut self, columns: &[Column], rows: u64) -> Result<(), SqlError> {
        self.sink.cursor_columns(columns)?;
        self.told(rows)
    }

    fn told(&mut self, rows: u64) -> Result<(), SqlError> {
        let inside = Frame {
            inner: true,
            ..Frame::default()
        };
        self.done(&inside, Some(rows), true)
    }

    /// `sp_cursorfetch @cursor [, @fetchtype [, @rownum [, @nrows]]]`
    fn fetch_buffer(&mut self, call: &Call<'_>) -> Result<(End, Returned), Failure> {
        call.takes(1, 4)?;
        let handle = call.handle()?;
        let kind = call.number(1, "fetchtype")?.unwrap_or(fetch::NEXT) & !fetch::SKIP_CONCURRENCY;
        let number = call.number(2, "rownum")?;
        let rows = call.number(3, "nrows")?.map(i64::from);
        let known = handle.and_then(|handle| self.core.wire_cursors.open.remove_entry(&handle));
        // It is out of the session's hands for as long as its rows are sent.
        let (handle, mut cursor) = known.ok_or_else(|| call.bad_handle(handle))?;
        let result = self.fetched(call, &mut cursor, kind, number, rows);
        let closes = result.is_ok() && cursor.options.auto_close && cursor.is_used_up();
        if !closes {
            self.core.wire_cursors.open.insert(handle, cursor);
        }
        let mut returned = result?;
        if closes {
            returned.code = status::CLOSED_BY_ITSELF;
        }
        Ok((End::Next, returned))
    }

    fn fetched(
        &mut self,
        call: &Call<'_>,
        cursor: &mut WireCursor,
        kind: i32,
        number: Option<i32>,
        rows: Option<i64>,
    ) -> Result<Returned, SqlError> {
        let total = cursor.total();
        let number = i64::from(number.unwrap_or(1));
        let (to, name) = match kind {
            fetch::INFO => {
                let int = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
                let values = [(2, int(cursor.buffer.position(total))), (3, int(total))];
                return Ok(call.returned(status::DONE, &values));
            }
            fetch::REFRESH => {
                self.tell(cursor)?;
                return Ok(call.returned(status::DONE, &[]));
            }
            fetch::FIRST => (Move::First, None),
            fetch::NEXT => (Move::Next, None),
            fetch::PREVIOUS => (Move::Previous, Some("PREVIOUS")),
            fetch::PREVIOUS_NO_ADJUST => (Move::PreviousNoAdjust, Some("PREVIOUS")),
            fetch::LAST => (Move::Last, Some("LAST")),
            fetch::ABSOLUTE => (Move::Absolute(number), Some("ABSOLUTE")),
            fetch::RELATIVE => (Move::Relative(number), Some("RELATIVE")),
            _ => return Err(call.bad("fetchtype")),
        };
        if let Some(name) = name.filter(|_| !cursor.options.kind.scrolls()) {
            return Err(m::FETCH_FORWARD_ONLY.with(&[call.procedure, name]));
        }
        let rows = rows.unwrap_or(FETCH_ROWS_DEFAULT);
        let may_be_none = matches!(to, Move::First | Move::Last);
        if rows < 0 || rows == 0 && !may_be_none {
            return Err(call.bad("nrows"));
        }
        let (buffer, stopped) = cursor.buffer.moved(to, rows, total);
        cursor.buffer = buffer;
        self.tell(cursor)?;
        let code = if stopped {
            status::STOPPED_AT_FIRST
        } else {
            status::DONE
        };
        Ok(call.returned(code, &[]))
    }

    /// `sp_cursoroption @cursor, @code, @value`: facts, and settings that mean nothing to a snapshot.
    fn cursor_option(&mut self, call: &Call<'_>) -> Result<(End, Returned), Failure> {
        call.takes(3, 3)?;
        let handle = call.handle()?;
        let cursor = handle.and_then(|handle| self.core.wire_cursors.open.get(&handle));
        let cursor = cursor.ok_or_else(|| call.bad_handle(handle))?;
        let value = match call.number(1, "code")? {
            // Text pointers, the cursor's name and text data are for changes through the cursor.
            Some(1..=3) => None,
            Some(4) => Some(cursor.options.kind.code()),
            Some(5) => Some(CONCURRENCY),
            Some(6) => Some(i32::try_from(cursor.rows.len()).unwrap_or(i32::MAX)),
            _ => return Err(call.bad("code").into()),
        };
        let values: Vec<_> = value.map(|value| (2, value)).into_iter().collect();
        Ok((End::Next, call.returned(status::DONE, &values)))
    }

    /// `sp_cursor @cursor, @optype, @rownum, @table [, values…]`: no change goes through a snapshot.
    fn positioned(&mut self, call: &Call<'_>) -> Result<(End, Returned), Failure> {
        call.takes(2, usize::MAX)?;
        let handle = call.handle()?;
        let cursors = &self.core.wire_cursors.open;
        let cursor = handle.and_then(|handle| cursors.get(&handle));
        let cursor = cursor.ok_or_else(|| call.bad_handle(handle))?;
        let wanted = call.number(1, "optype")?.unwrap_or(0);
        let row = i64::from(call.number(2, "rownum")?.unwrap_or(0));
        let harmless = operation::REFRESH | operation::SET_POSITION | operation::ABSOLUTE;
        if wanted & harmless == 0 || wanted & !harmless != 0 {
            return Err(m::CURSOR_READ_ONLY.with(&[]).into());
        }
        if row > cursor.buffer.count || row < 0 {
            return Err(m::CURSOR_ROW.with(&[]).into());
        }
        Ok((End::Next, call.returned(status::DONE, &[])))
    }
}

/// Keeps the one result set of a text, and sees whether there are more.
struct OneResult<'s> {
    inner: &'s mut dyn ResultSink,
    columns: Option<Vec<Column>>,
    more: bool,
    rows: Vec<Row>,
    bytes: u64,
    bytes_max: u64,
}

impl ResultSink for OneResult<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.more |= self.columns.is_some();
        self.columns.get_or_insert_with(|| columns.to_vec());
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        if self.more {
            return Ok(());
        }
        let bytes: u64 = row.iter().map(super::query::value_bytes).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_max {
            return Err(m::MEMORY_LIMIT.with(&["default"]));
        }
        self.rows.push(row);
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.inner.message(message);
    }

    fn statement_done(&mut self, _: StatementDone) -> Result<(), SqlError> {
        Ok(())
    }

    fn env_change(&mut self, change: EnvChange) {
        self.inner.env_change(change);
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.inner.flush()
    }

    fn wanted(&mut self) -> Result<(), SqlError> {
        self.inner.wanted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_together() {
        for (number, (name, procedure)) in (1u16..).zip(Procedure::ALL) {
            assert_eq!(Procedure::name_of(number), Some(name));
            assert_eq!(Procedure::of(name), Some(procedure));
        }
        assert_eq!(Procedure::name_of(0), None);
        assert_eq!(Procedure::name_of(10), None);
        assert_eq!(Procedure::of("sp_cursor_list"), None);
    }
}
