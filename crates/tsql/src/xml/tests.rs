//! Any text, and any string through XML and back.

use super::tree::Tree;
use super::{externals, parse};
use crate::ast::{ForXml, Span, XmlMode};
use crate::document::{Form, FormColumn, Writer, XmlForm};
use crate::types::SqlType;
use crate::value::Value;
use proptest::prelude::*;

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<a",
        "<b>",
        "</b>",
        "/>",
        ">",
        " c=\"1\"",
        "&lt;",
        "&#x41;",
        "<!-- ",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?p ",
        "?>",
        "text",
        " ",
        "\n",
        "xmlns:p=\"u\"",
        "p:",
        "(",
        ")",
        "[1]",
        "//",
        "/",
        "@c",
        "..",
        "text()",
        "=",
        "\"x\"",
        "count(",
        "sql:variable(\"@v\")",
        "and",
        "*",
        "::",
        "é",
    ]);
    prop::collection::vec(piece, 0..20).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in pieces()) {
        let _ = externals(&text, "query");
        let _ = super::modify_externals(&format!("insert {text} into /a"));
        if let Ok(canonical) = parse(&text, SqlType::NVARCHAR_MAX, 0) {
            // What was read once is read again, to the same.
            prop_assert_eq!(parse(&canonical, SqlType::NVARCHAR_MAX, 0).unwrap(), canonical);
        }
    }

    #[test]
    fn any_string_comes_back(text in "[ -~\\r\\n\\té\\u{10000}]{0,20}") {
        let clause = ForXml {
            mode: XmlMode::Path(None),
            typed: true,
            root: None,
            elements: false,
            xsinil: false,
            binary_base64: false,
            schema: false,
            span: Span::default(),
        };
        let column = |name: &str| FormColumn {
            name: name.to_owned(),
            ty: SqlType::NVARCHAR_MAX,
            level: 0,
            json: false,
        };
        let columns = [column("@a"), column("e")];
        let form = Form::Xml(XmlForm::new(&clause, &columns, &[], Vec::new()).unwrap());
        let mut writer = Writer::default();
        let value = Value::string(text.as_str());
        writer.row(&form, &[value.clone(), value]).unwrap();
        let document = writer.finish(&form).unwrap();
        let tree = Tree::parse(&document, false).unwrap();
        prop_assert_eq!(tree.text(Tree::DOCUMENT), text.clone(), "{}", document);
        let row = tree.node(Tree::DOCUMENT).children[0];
        let super::tree::Kind::Element { attributes, .. } = &tree.node(row).kind else {
            panic!("{document}");
        };
        prop_assert_eq!(tree.text(attributes[0]), text, "{}", document);
    }
}
