//! An xml value as a tree: read, searched, changed, and written again.

use super::escape;
use super::fault;
use crate::error::SqlError;
use roxmltree::{Error as Malformed, ParsingOptions, TextPos};

/// Deepest nesting of an xml value, as in SQL Server.
const DEPTH_MAX: usize = 128;
/// Most nodes of an xml value, attributes aside: a bound on the memory that a tree takes.
const NODES_MAX: u32 = 4_000_000;

/// A node's place in its [`Tree`], in document order while the tree is as it was read.
pub(super) type NodeId = usize;

/// A name with its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// As written; empty without one.
    pub(super) prefix: String,
    /// Behind the colon.
    pub(super) local: String,
    /// The namespace's URI; empty for none.
    pub(super) uri: String,
}

impl Name {
    /// As it stands in a tag.
    pub(super) fn written(&self) -> String {
        if self.prefix.is_empty() {
            self.local.clone()
        } else {
            format!("{}:{}", self.prefix, self.local)
        }
    }
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// The document: above all top-level nodes.
    Document,
    /// An element.
    Element {
        /// Its name.
        name: Name,
        /// Namespaces that it declares: prefix, empty for the default, and URI.
        declares: Vec<(String, String)>,
        /// Its attributes.
        attributes: Vec<NodeId>,
    },
    /// An attribute.
    Attribute {
        /// Its name.
        name: Name,
        /// Its value.
        value: String,
    },
    /// Text.
    Text(String),
    /// A comment.
    Comment(String),
    /// A processing instruction.
    Instruction {
        /// What it is for.
        target: String,
        /// What follows.
        data: String,
    },
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) parent: Option<NodeId>,
    pub(super) children: Vec<NodeId>,
}

/// An xml value. Invariant: node 0 is the document.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// The document's own place.
    pub(super) const DOCUMENT: NodeId = 0;

    /// Reads a document or a fragment. Text between tags that is blank alone goes, as CONVERT without a style has it.
    pub(super) fn parse(text: &str, keep_blanks: bool) -> Result<Self, SqlError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let body = without_declaration(text)?;
        if body.trim_start().starts_with("<!DOCTYPE") {
            return Err(fault::document_type());
        }
        // A fragment may have several elements at its top; a name that it does not use holds them.
        let mut wrapper = "w".to_owned();
        while body.contains(&wrapper) {
            wrapper.push('w');
        }
        let whole = format!("<{wrapper}>{body}</{wrapper}>");
        let options = ParsingOptions {
            nodes_limit: NODES_MAX,
            ..ParsingOptions::default()
        };
        let document = roxmltree::Document::parse_with_options(&whole, options)
            .map_err(|error| malformed(&error, &wrapper, text))?;
        let mut tree = Self {
            nodes: vec![Node {
                kind: Kind::Document,
                parent: None,
                children: Vec::new(),
            }],
        };
        tree.copy(document.root_element(), Self::DOCUMENT, 0, keep_blanks)?;
        Ok(tree)
    }

    fn copy(
        &mut self,
        from: roxmltree::Node<'_, '_>,
        into: NodeId,
        depth: usize,
        keep_blanks: bool,
    ) -> Result<(), SqlError> {
        if depth > DEPTH_MAX {
            return Err(fault::too_deep(DEPTH_MAX));
        }
        for child in from.children() {
            match child.node_type() {
                roxmltree::NodeType::Element => {
                    let id = self.element(child, into);
                    let preserve = child
                        .attribute(("http://www.w3.org/XML/1998/namespace", "space"))
                        .map_or(keep_blanks, |space| space == "preserve");
                    self.copy(child, id, depth + 1, preserve)?;
                }
                roxmltree::NodeType::Text => {
                    let text = child.text().unwrap_or_default();
                    let range = child.range();
                    let source = child.document().input_text();
                    let written = source.get(range.clone()).unwrap_or_default();
                    let before = source.get(..range.start).unwrap_or_default();
                    let meant = written.contains(['&', '[']) || before.ends_with("<![CDATA[");
                    if keep_blanks || meant || !escape::is_blank(text) {
                        self.add(into, Kind::Text(text.to_owned()));
                    }
                }
                roxmltree::NodeType::Comment => {
                    let text = child.text().unwrap_or_default().to_owned();
                    self.add(into, Kind::Comment(text));
                }
                roxmltree::NodeType::PI => {
                    if let Some(pi) = child.pi() {
                        let kind = Kind::Instruction {
                            target: pi.target.to_owned(),
                            data: pi.value.unwrap_or_default().to_owned(),
                        };
                        self.add(into, kind);
                    }
                }
                roxmltree::NodeType::Root => {}
            }
        }
        Ok(())
    }

    fn element(&mut self, from: roxmltree::Node<'_, '_>, into: NodeId) -> NodeId {
        let source = from.document().input_text();
        let tag = source.get(from.range()).unwrap_or_default();
        let end = tag
            .find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
            .unwrap_or(tag.len());
        let written = tag.get(1..end).unwrap_or_default();
        let outer: Vec<_> = from
            .parent()
            .map(|parent| parent.namespaces().collect())
            .unwrap_or_default();
        let declares = from
            .namespaces()
            .filter(|known| {
                !outer.iter().any(|other| other == known) && known.name() != Some("xml")
            })
            .map(|known| {
                let prefix = known.name().unwrap_or_default().to_owned();
                (prefix, known.uri().to_owned())
            })
            .collect();
        let kind = Kind::Element {
            name: name_of(written, from.tag_name().namespace()),
            declares,
            attributes: Vec::new(),
        };
        let id = self.add(into, kind);
        for attribute in from.attributes() {
            let written = source.get(attribute.range_qname()).unwrap_or_default();
            let name = name_of(written, attribute.namespace());
            self.add_attribute(id, name, attribute.value().to_owned());
        }
        id
    }

    /// A node without a parent yet.
    pub(super) fn detached(&mut self, kind: Kind) -> NodeId {
        self.nodes.push(Node {
            kind,
            parent: None,
            children: Vec::new(),
        });
        self.nodes.len() - 1
    }

    fn add(&mut self, into: NodeId, kind: Kind) -> NodeId {
        let id = self.detached(kind);
        self.nodes[id].parent = Some(into);
        self.nodes[into].children.push(id);
        id
    }

    /// Adds an attribute to an element.
    pub(super) fn add_attribute(&mut self, to: NodeId, name: Name, value: String) {
        let id = self.detached(Kind::Attribute { name, value });
        self.nodes[id].parent = Some(to);
        if let Kind::Element { attributes, .. } = &mut self.nodes[to].kind {
            attributes.push(id);
        }
    }

    /// Puts nodes into a parent, from a position among its children on.
    pub(super) fn insert(&mut self, into: NodeId, at: usize, nodes: &[NodeId]) {
        for id in nodes {
            self.nodes[*id].parent = Some(into);
        }
        let children = &mut self.nodes[into].children;
        let at = at.min(children.len());
        children.splice(at..at, nodes.iter().copied());
    }

    /// Takes a node from its parent.
    pub(super) fn remove(&mut self, id: NodeId) {
        let Some(parent) = self.nodes[id].parent.take() else {
            return;
        };
        self.nodes[parent].children.retain(|child| *child != id);
        if let Kind::Element { attributes, .. } = &mut self.nodes[parent].kind {
            attributes.retain(|attribute| *attribute != id);
        }
    }

    /// Copies the top-level nodes of another tree into this one, without a parent yet.
    pub(super) fn adopt(&mut self, other: &Self) -> Vec<NodeId> {
        let shift = self.nodes.len();
        for node in &other.nodes {
            let mut node = node.clone();
            node.parent = node.parent.map(|parent| parent + shift);
            for child in &mut node.children {
                *child += shift;
            }
            if let Kind::Element { attributes, .. } = &mut node.kind {
                for attribute in attributes {
                    *attribute += shift;
                }
            }
            self.nodes.push(node);
        }
        let top = other.nodes[Self::DOCUMENT].children.iter();
        top.map(|id| id + shift).collect()
    }

    /// The node of that number.
    pub(super) fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// As [`Tree::get`], to change it.
    pub(super) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    /// The node of a number that is known to be one.
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// A node's value as a string: the text below it.
    pub(super) fn text(&self, id: NodeId) -> String {
        let mut out = String::new();
        self.collect_text(id, &mut out);
        out
    }

    fn collect_text(&self, id: NodeId, out: &mut String) {
        let node = &self.nodes[id];
        match &node.kind {
            Kind::Text(text) => out.push_str(text),
            Kind::Attribute { value, .. } => out.push_str(value),
            Kind::Document | Kind::Element { .. } => {
                for child in &node.children {
                    let kind = &self.nodes[*child].kind;
                    if !matches!(kind, Kind::Comment(_) | Kind::Instruction { .. }) {
                        self.collect_text(*child, out);
                    }
                }
            }
            Kind::Comment(text) => out.push_str(text),
            Kind::Instruction { data, .. } => out.push_str(data),
        }
    }

    /// The URI that a prefix means at a node.
    pub(super) fn namespace(&self, mut id: NodeId, prefix: &str) -> Option<&str> {
        loop {
            let node = self.get(id)?;
            if let Kind::Element { declares, .. } = &node.kind
                && let Some((_, uri)) = declares.iter().find(|(known, _)| known == prefix)
            {
                return Some(uri);
            }
            id = node.parent?;
        }
    }

    /// The whole value as text.
    pub(super) fn write_all(&self) -> String {
        let mut out = String::new();
        for child in &self.nodes[Self::DOCUMENT].children {
            self.write(*child, true, &mut out);
        }
        out
    }

    /// A node as text. At the top of a result an element also says what its prefixes mean.
    pub(super) fn write(&self, id: NodeId, top: bool, out: &mut String) {
        let node = &self.nodes[id];
        match &node.kind {
            Kind::Document => {
                for child in &node.children {
                    self.write(*child, true, out);
                }
            }
            Kind::Text(text) => escape::kept_text(text, out),
            Kind::Comment(text) => out.push_str(&format!("<!--{text}-->")),
            Kind::Instruction { target, data } => out.push_str(&escape::instruction(target, data)),
            Kind::Attribute { name, value } => {
                out.push_str(&name.written());
                out.push_str("=\"");
                escape::attribute(value, out);
                out.push('"');
            }
            Kind::Element {
                name,
                declares,
                attributes,
            } => {
                let tag = name.written();
                out.push('<');
                out.push_str(&tag);
                let inherited = if top { self.inherited(id) } else { Vec::new() };
                for (prefix, uri) in declares.iter().chain(&inherited) {
                    let colon = if prefix.is_empty() { "" } else { ":" };
                    out.push_str(&format!(" xmlns{colon}{prefix}=\""));
                    escape::attribute(uri, out);
                    out.push('"');
                }
                for attribute in attributes {
                    out.push(' ');
                    self.write(*attribute, false, out);
                }
                if node.children.is_empty() {
                    out.push_str("/>");
                    return;
                }
                out.push('>');
                for child in &node.children {
                    self.write(*child, false, out);
                }
                out.push_str(&format!("</{tag}>"));
            }
        }
    }

    /// The namespaces that stand above an element and that it or something in it uses.
    fn inherited(&self, id: NodeId) -> Vec<(String, String)> {
        let mut used = Vec::new();
        self.prefixes(id, &mut used);
        let Some(parent) = self.nodes[id].parent else {
            return Vec::new();
        };
        let own = |prefix: &str| match &self.nodes[id].kind {
            Kind::Element { declares, .. } => declares.iter().any(|(known, _)| known == prefix),
            _ => false,
        };
        used.into_iter()
            .filter(|prefix| !own(prefix))
            .filter_map(|prefix| {
                let uri = self.namespace(parent, &prefix)?.to_owned();
                Some((prefix, uri)).filter(|(_, uri)| !uri.is_empty())
            })
            .collect()
    }

    fn prefixes(&self, id: NodeId, out: &mut Vec<String>) {
        let node = &self.nodes[id];
        let mut add = |name: &Name| {
            if !out.contains(&name.prefix) {
                out.push(name.prefix.clone());
            }
        };
        if let Kind::Element {
            name, attributes, ..
        } = &node.kind
        {
            add(name);
            for attribute in attributes {
                if let Kind::Attribute { name, .. } = &self.nodes[*attribute].kind
                    && !name.prefix.is_empty()
                {
                    add(name);
                }
            }
        }
        for child in &node.children {
            self.prefixes(*child, out);
        }
    }
}

fn name_of(written: &str, uri: Option<&str>) -> Name {
    let (prefix, local) = written.split_once(':').unwrap_or(("", written));
    Name {
        prefix: prefix.to_owned(),
        local: local.to_owned(),
        uri: uri.unwrap_or_default().to_owned(),
    }
}

/// The text with blanks in the place of its XML declaration, so that positions stay.
fn without_declaration(text: &str) -> Result<String, SqlError> {
    let starts = |text: &str| {
        text.strip_prefix("<?xml")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace()))
    };
    if !starts(text) {
        let trimmed = text.trim_start();
        if starts(trimmed) {
            let place = position(text, text.len() - trimmed.len() + "<?xml".len());
            return Err(fault::parsing(
                9438,
                place,
                "text/xmldecl not at the beginning of input",
            ));
        }
        return Ok(text.to_owned());
    }
    let Some(end) = text.find("?>") else {
        let place = position(text, text.len());
        return Err(fault::parsing(9400, place, "unexpected end of input"));
    };
    let (declaration, rest) = text.split_at(end + 2);
    let mut out: String = declaration
        .chars()
        .map(|c| if c == '\n' { c } else { ' ' })
        .collect();
    out.push_str(rest);
    Ok(out)
}

/// Line and character of a byte, both from 1.
pub(super) fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}

/// The reader's complaint as SQL Server's.
fn malformed(error: &Malformed, wrapper: &str, text: &str) -> SqlError {
    let at_end = position(text, text.len());
    let shifted = |pos: TextPos| {
        let shift = if pos.row == 1 {
            u32::try_from(wrapper.len() + 2).unwrap_or(0)
        } else {
            0
        };
        (pos.row, pos.col.saturating_sub(shift).max(1))
    };
    let place = shifted(error.pos());
    let (number, place, reason) = match error {
        Malformed::UnexpectedCloseTag(expected, _, _) if expected == wrapper => {
            (9436, place, "end tag does not match start tag")
        }
        Malformed::UnexpectedCloseTag(_, actual, _) if actual == wrapper => {
            (9400, at_end, "unexpected end of input")
        }
        Malformed::UnexpectedCloseTag(..) | Malformed::UnexpectedEntityCloseTag(_) => {
            (9436, place, "end tag does not match start tag")
        }
        Malformed::UnclosedRootNode | Malformed::UnexpectedEndOfStream | Malformed::NoRootNode => {
            (9400, at_end, "unexpected end of input")
        }
        Malformed::UnknownNamespace(..) => (9459, place, "undeclared prefix"),
        Malformed::DuplicatedAttribute(..) | Malformed::DuplicatedNamespace(..) => {
            (9437, place, "duplicate attribute")
        }
        Malformed::UnknownEntityReference(..) => {
            (9448, place, "well formed check: undeclared entity")
        }
        Malformed::MalformedEntityReference(_) => (9421, place, "illegal name character"),
        Malformed::NonXmlChar(..) => (9420, place, "illegal xml character"),
        Malformed::InvalidName(_) => (9455, place, "illegal qualified name character"),
        Malformed::UnexpectedDeclaration(_) => {
            (9438, place, "text/xmldecl not at the beginning of input")
        }
        Malformed::DtdDetected => return fault::document_type(),
        Malformed::NodesLimitReached
        | Malformed::AttributesLimitReached
        | Malformed::NamespacesLimitReached => return fault::too_large(),
        Malformed::InvalidChar(b'>', ..) => (9412, place, "'>' expected"),
        Malformed::InvalidChar(b'=', ..) => (9409, place, "'=' expected"),
        Malformed::InvalidChar2("a quote", ..) => (9413, place, "A string literal was expected"),
        Malformed::InvalidChar2("a whitespace", ..) => (9410, place, "whitespace expected"),
        _ => (9422, place, "incorrect document syntax"),
    };
    fault::parsing(number, place, reason)
}
