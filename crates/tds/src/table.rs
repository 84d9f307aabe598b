//! Table-valued parameters.
//!
//! Source: MS-TDS, "TVP_TYPE_INFO".

use crate::error::TdsError;
use crate::types::{TypeInfo, encode_type_info, type_for};
use crate::value::{Place, decode_value, encode_value};
use crate::version::TdsVersion;
use crate::wire::{Put, Reader, cut_utf16};
use tsql::{Column, Row, Value};

/// Most columns of a table type. Source: T-SQL, "Maximum capacity specifications", columns per table.
pub const TABLE_COLUMNS_MAX: usize = 1_024;

const NULL_TABLE: u16 = 0xFFFF;
const ROWS_END: u8 = 0x00;
const ROW: u8 = 0x01;
const ORDER_UNIQUE: u8 = 0x10;
const COLUMN_ORDERING: u8 = 0x11;
const FLAG_NULLABLE: u16 = 0x0001;
const FLAG_DEFAULT: u16 = 0x0200;

/// A table-valued parameter as it was sent: its rows stay bytes until they are asked for, so that a message takes no
/// more memory than its own length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableParameter {
    /// Schema of the table type; empty when the client names none.
    pub schema: String,
    /// Name of the table type; may be empty, and the procedure's declaration then says it.
    pub type_name: String,
    /// The columns that the rows have values for, in order; names are empty, as place alone counts.
    pub columns: Vec<Column>,
    /// The place of each of them in the table type: columns that take their default are left out.
    pub places: Vec<usize>,
    /// How many columns the client says that the type has; none for NULL.
    pub width: usize,
    infos: Vec<TypeInfo>,
    // Invariant: whole rows of `infos`, each behind ROW, and read once already.
    rows: Vec<u8>,
    row_count: usize,
}

impl TableParameter {
    /// A parameter of `rows`, for a client of this version.
    ///
    /// # Errors
    /// [`TdsError::RowShape`], [`TdsError::ValueKind`] or [`TdsError::ValueRange`] for a row that does not go with the
    /// columns.
    pub fn new(
        schema: &str,
        type_name: &str,
        columns: Vec<Column>,
        rows: &[Row],
        version: TdsVersion,
    ) -> Result<Self, TdsError> {
        let mut infos = Vec::with_capacity(columns.len());
        for column in &columns {
            let mut out = Vec::new();
            encode_type_info(&mut out, type_for(column.ty, version));
            infos.push(TypeInfo::decode(&mut Reader::new(&out, "type"), version)?);
        }
        let mut bytes = Vec::new();
        for row in rows {
            if row.len() != columns.len() {
                return Err(TdsError::RowShape {
                    expected: columns.len(),
                    found: row.len(),
                });
            }
            bytes.put_u8(ROW);
            for (value, column) in row.iter().zip(&columns) {
                encode_value(&mut bytes, column.ty, value, version, Place::Parameter)?;
            }
        }
        Ok(Self {
            schema: schema.to_owned(),
            type_name: type_name.to_owned(),
            places: (0..columns.len()).collect(),
            width: columns.len(),
            columns,
            infos,
            rows: bytes,
            row_count: rows.len(),
        })
    }

    /// How many rows there are.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> TableRows<'_> {
        TableRows {
            reader: Reader::new(&self.rows, WHAT),
            infos: &self.infos,
        }
    }

    /// Reads a parameter behind its type's token.
    pub(crate) fn decode(reader: &mut Reader<'_>, version: TdsVersion) -> Result<Self, TdsError> {
        let _database = reader.b_varchar()?;
        let schema = reader.b_varchar()?;
        let type_name = reader.b_varchar()?;
        let mut table = Self {
            schema,
            type_name,
            columns: Vec::new(),
            places: Vec::new(),
            width: 0,
            infos: Vec::new(),
            rows: Vec::new(),
            row_count: 0,
        };
        match reader.u16()? {
            NULL_TABLE => {}
            count if usize::from(count) > TABLE_COLUMNS_MAX => return Err(reader.invalid(count)),
            count => {
                table.width = usize::from(count);
                for place in 0..usize::from(count) {
                    table.decode_column(reader, version, place)?;
                }
            }
        }
        loop {
            match reader.u8()? {
                ROWS_END => break,
                // A hint about order and keys changes nothing here.
                ORDER_UNIQUE => {
                    let count = reader.u16()?;
                    reader.take(usize::from(count) * 3)?;
                }
                COLUMN_ORDERING => {
                    // Columns in another order than the type's would land in one another's place.
                    let count = reader.u16()?;
                    for place in 1..=count {
                        let ordinal = reader.u16()?;
                        if ordinal != place {
                            return Err(reader.invalid(ordinal));
                        }
                    }
                }
                other => return Err(reader.invalid(other)),
            }
        }
        let start = *reader;
        loop {
            let rows_bytes = reader.position() - start.position();
            match reader.u8()? {
                ROWS_END => {
                    let mut start = start;
                    table.rows = start.take(rows_bytes)?.to_vec();
                    return Ok(table);
                }
                // A row of no bytes would be many rows out of nothing.
                ROW if !table.infos.is_empty() => {
                    for info in &table.infos {
                        decode_value(reader, *info, Place::Parameter)?;
                    }
                    table.row_count += 1;
                }
                other => return Err(reader.invalid(other)),
            }
        }
    }

    fn decode_column(
        &mut self,
        reader: &mut Reader<'_>,
        version: TdsVersion,
        place: usize,
    ) -> Result<(), TdsError> {
        let _user_type = reader.u32()?;
        let flags = reader.u16()?;
        let info = TypeInfo::decode(reader, version)?;
        let name = reader.b_varchar()?;
        if flags & FLAG_DEFAULT == 0 {
            self.columns.push(Column {
                name,
                ty: info.ty,
                nullable: flags & FLAG_NULLABLE != 0,
            });
            self.places.push(place);
            self.infos.push(info);
        }
        Ok(())
    }

    /// Writes the parameter behind its type's token. The rows are written anew: a client may have spelled its types
    /// in another way.
    ///
    /// # Errors
    /// As [`TableParameter::new`].
    pub(crate) fn encode(&self, out: &mut Vec<u8>, version: TdsVersion) -> Result<(), TdsError> {
        out.put_b_varchar("");
        out.put_b_varchar(cut_utf16(&self.schema, 128).0);
        out.put_b_varchar(cut_utf16(&self.type_name, 128).0);
        out.put_u16(u16::try_from(self.columns.len()).unwrap_or(NULL_TABLE));
        for column in &self.columns {
            out.put_u32(0);
            out.put_u16(if column.nullable { FLAG_NULLABLE } else { 0 });
            encode_type_info(out, type_for(column.ty, version));
            out.put_b_varchar(cut_utf16(&column.name, 128).0);
        }
        out.put_u8(ROWS_END);
        for row in self.rows() {
            out.put_u8(ROW);
            for (value, column) in row.iter().zip(&self.columns) {
                encode_value(out, column.ty, value, version, Place::Parameter)?;
            }
        }
        out.put_u8(ROWS_END);
        Ok(())
    }
}

const WHAT: &str = "a table-valued parameter";

/// Rows of a [`TableParameter`].
#[derive(Debug)]
pub struct TableRows<'a> {
    reader: Reader<'a>,
    infos: &'a [TypeInfo],
}

impl Iterator for TableRows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.reader.is_empty() {
            return None;
        }
        let row = self.reader.u8().and_then(|_row| {
            self.infos
                .iter()
                .map(|info| decode_value(&mut self.reader, *info, Place::Parameter))
                .collect::<Result<Vec<Value>, _>>()
        });
        Some(row.expect("rows were read once when the parameter was"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tsql::SqlType;

    const NEW: TdsVersion = TdsVersion::V7_4;

    fn decode(bytes: &[u8]) -> Result<(TableParameter, usize), TdsError> {
        let mut reader = Reader::new(bytes, WHAT);
        let table = TableParameter::decode(&mut reader, NEW)?;
        Ok((table, reader.remaining()))
    }

    /// dbo.T (a int, b nvarchar(2)), with hints, and two rows.
    const SENT: &[u8] = &[
        0, 3, b'd', 0, b'b', 0, b'o', 0, 1, b'T', 0, 2, 0, // names, two columns
        0, 0, 0, 0, 0, 0, 0x26, 4, 0, // int
        0, 0, 0, 0, 1, 0, 0xE7, 4, 0, 9, 4, 0xD0, 0, 0x34, 0, // nvarchar(2)
        0x10, 1, 0, 1, 0, 1, 0x11, 2, 0, 1, 0, 2, 0, 0, // order, ordering, end
        1, 4, 7, 0, 0, 0, 2, 0, b'x', 0, // 7, 'x'
        1, 4, 8, 0, 0, 0, 255, 255, 0, // 8, NULL
        0xEE,
    ];

    #[test]
    fn a_table_is_laid_out_as_the_specification_says() {
        let (table, rest) = decode(SENT).unwrap();
        assert_eq!(rest, 1);
        assert_eq!(
            (table.schema.as_str(), table.type_name.as_str()),
            ("dbo", "T")
        );
        assert_eq!(
            table.columns,
            [
                Column::required("", SqlType::Int),
                Column::nullable("", SqlType::nvarchar(2)),
            ]
        );
        assert_eq!(table.row_count(), 2);
        let rows: Vec<Row> = table.rows().collect();
        assert_eq!(
            rows,
            [
                vec![Value::Int(7), Value::string("x")],
                vec![Value::Int(8), Value::Null],
            ]
        );
    }

    #[test]
    fn no_table_at_all_and_columns_that_take_their_default() {
        let (table, rest) = decode(&[0, 0, 0, 255, 255, 0, 0]).unwrap();
        assert_eq!((table.columns.len(), table.row_count(), rest), (0, 0, 0));
        let mut defaulted = SENT.to_vec();
        // fDefault of the first column; rows then have the second alone.
        defaulted[18] = 0x02;
        let end = defaulted.len() - 20;
        defaulted.truncate(end);
        defaulted.extend([1, 2, 0, b'y', 0, 0]);
        let (table, rest) = decode(&defaulted).unwrap();
        assert_eq!((table.places.as_slice(), rest), ([1].as_slice(), 0));
        assert_eq!(table.rows().collect::<Vec<_>>(), [[Value::string("y")]]);
    }

    /// Found by fuzzing: rows of a type that has another spelling when it is written.
    #[test]
    fn unusual_spellings_are_written_as_usual_ones() {
        let mut sent = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x38, 0, 0];
        sent.extend([1, 7, 0, 0, 0, 0]);
        let (table, _) = decode(&sent).unwrap();
        let mut bytes = Vec::new();
        table.encode(&mut bytes, NEW).unwrap();
        let (again, rest) = decode(&bytes).unwrap();
        assert_eq!(rest, 0);
        assert_eq!(again.rows().collect::<Vec<_>>(), [[Value::Int(7)]]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for at in 0..SENT.len() - 2 {
            assert!(decode(&SENT[..at]).is_err(), "{at}");
        }
        // Columns in another order.
        let mut swapped = SENT.to_vec();
        let ordering = swapped
            .iter()
            .position(|byte| *byte == COLUMN_ORDERING)
            .unwrap();
        swapped[ordering + 3] = 2;
        swapped[ordering + 5] = 1;
        assert!(decode(&swapped).is_err());
        // Rows of nothing; too many columns; an unknown token.
        assert!(decode(&[0, 0, 0, 255, 255, 0, 1, 0]).is_err());
        assert!(decode(&[0, 0, 0, 1, 4]).is_err());
        assert!(decode(&[0, 0, 0, 255, 255, 0x12]).is_err());
    }

    proptest! {
        #[test]
        fn tables_round_trip(
            values in proptest::collection::vec(crate::value::tests::typed_value(), 1..5),
            count in 0usize..4,
        ) {
            let columns: Vec<Column> = values.iter().map(|(ty, _)| Column::nullable("", *ty)).collect();
            let row: Row = values.into_iter().map(|(_, value)| value).collect();
            let rows = vec![row; count];
            let table = TableParameter::new("s", "t", columns, &rows, NEW).unwrap();
            let mut bytes = Vec::new();
            table.encode(&mut bytes, NEW).unwrap();
            let (found, rest) = decode(&bytes).unwrap();
            prop_assert_eq!(rest, 0);
            prop_assert_eq!(found.rows().collect::<Vec<_>>(), rows);
            prop_assert_eq!(found.row_count(), count);
        }

        #[test]
        fn damaged_tables_never_panic(at in 0usize..SENT.len(), byte in any::<u8>(), cut in 0usize..80) {
            let mut bytes = SENT.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            if let Ok((table, _)) = decode(&bytes) {
                prop_assert_eq!(table.rows().count(), table.row_count());
            }
        }
    }
}
