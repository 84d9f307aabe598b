//! From text to [`Batch`]: a recursive-descent parser of our own, linear in the length of the text.

use crate::ast::Batch;
use crate::error::SqlError;

/// How deep blocks, parentheses, subqueries and function calls may nest (error 191).
pub const NESTING_MAX: u32 = 128;

/// How many binary operators a path from an expression's root to a leaf may hold (error 191).
///
/// AND and OR do not count: their chains become balanced trees.
pub const EXPRESSION_HEIGHT_MAX: u32 = 1_024;

/// Longest text of a batch in bytes (error 8623).
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a text is read.
#[derive(Debug, Clone)]
pub struct ParseOptions<'a> {
    /// SET QUOTED_IDENTIFIER: whether `"x"` is a name (true) or a string.
    pub quoted_identifier: bool,
    /// Variables declared outside the text, with their `@`: parameters of sp_executesql or of a module.
    pub variables: &'a [String],
}

impl Default for ParseOptions<'_> {
    fn default() -> Self {
        Self {
            quoted_identifier: true,
            variables: &[],
        }
    }
}

/// Reads a batch.
///
/// # Errors
/// All errors of the batch, at least one, each with its line: the first syntax error (102, 156, 105,
/// 113, 103, 191, …), or, when the syntax is right, every violated rule of the whole batch (137, 134,
/// 132, 133, 135, 136, 178, 111, 141).
pub fn parse_batch(text: &str, options: &ParseOptions<'_>) -> Result<Batch, Vec<SqlError>> {
    let _ = (text, options);
    Err(vec![crate::messages::NOT_SUPPORTED.at(1, &["T-SQL"])])
}
