//! Built-in functions that give rows: nodes() of the xml type and OPENJSON.

use crate::error::SqlError;
use crate::fault;
use crate::json::OpenJson;
use crate::types::{Column, SqlType};
use crate::value::{Row, Value};
use crate::xml;

/// A built-in function that gives rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Rowset {
    /// nodes(): numbers of nodes. Its arguments are a method's, of these types.
    Nodes {
        /// Types of the arguments.
        types: Vec<SqlType>,
    },
    /// OPENJSON(text, path)
    Json(Json),
}

/// OPENJSON with or without its WITH clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Json(pub(crate) OpenJson);

impl Rowset {
    /// Types of its arguments.
    #[must_use]
    pub fn params(&self) -> Vec<SqlType> {
        match self {
            Self::Nodes { types } => types.clone(),
            Self::Json(_) => vec![SqlType::NVARCHAR_MAX, SqlType::NVARCHAR_MAX],
        }
    }

    /// The columns of its rows.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Nodes { .. } => vec![Column::required("node", SqlType::Int)],
            Self::Json(Json(open)) => open.columns(),
        }
    }

    /// Its rows.
    ///
    /// # Errors
    /// What reading the value and the path raises.
    pub fn rows(&self, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        match self {
            Self::Nodes { .. } => {
                let numbers = xml::node_numbers(args)?.into_iter();
                Ok(numbers.map(|number| vec![Value::Int(number)]).collect())
            }
            Self::Json(Json(open)) => {
                let [text, path] = args else {
                    return Err(fault::internal("OPENJSON has two arguments"));
                };
                open.rows(text.as_str(), path.as_str())
            }
        }
    }
}
