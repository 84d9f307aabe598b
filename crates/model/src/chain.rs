//! An error with its causes, for whoever handles it.

use std::error::Error;

/// The error and its causes as one line, from the outermost in; a cause whose words a wrapper has said already
/// is left out.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (text, rest) = texts.split_first()?;
        let cause = layers(rest);
        Some(Box::new(Layer { text, cause }))
    }

    #[test]
    fn causes_follow_and_nothing_is_said_twice() {
        for (texts, line) in [
            (&["a"][..], "a"),
            (
                &["open", "read", "no such file"],
                "open: read: no such file",
            ),
            (
                &["open: refused", "refused", "by peer"],
                "open: refused: by peer",
            ),
        ] {
            let error = layers(texts).unwrap();
            assert_eq!(error_chain(&*error), line);
        }
    }
}
