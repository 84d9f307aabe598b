//! Pages served over https.
//!
//! Today: the health page for people (`/`) and for machines (`/health`). It renders what it is given; it
//! neither reads storage nor touches sockets.

use std::fmt::Write as _;

/// What the instance says of itself to anyone who asks; nothing that needs a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Server name.
    pub name: String,
    /// `master`, `target` or `stand-alone`.
    pub role: &'static str,
    /// Program version.
    pub version: String,
    /// Seconds since the instance was ready.
    pub uptime_secs: u64,
    /// What does not work at the moment, in words for an operator; empty when all is well.
    pub troubles: Vec<String>,
}

/// A page ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
}

/// The page of a path; 404 for paths that are none, 405 for methods other than GET and HEAD.
#[must_use]
pub fn page(method: &str, path: &str, health: &Health) -> Page {
    if !matches!(method, "GET" | "HEAD") {
        return text(405, "method not allowed\n");
    }
    match path {
        "/" => Page {
            status: 200,
            content_type: "text/html; charset=utf-8",
            body: html(health),
        },
        "/health" => Page {
            status: if health.troubles.is_empty() { 200 } else { 503 },
            content_type: "application/json",
            body: json(health),
        },
        _ => text(404, "not found\n"),
    }
}

fn text(status: u16, body: &str) -> Page {
    Page {
        status,
        content_type: "text/plain; charset=utf-8",
        body: body.to_owned(),
    }
}

fn html(health: &Health) -> String {
    let mut body = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>{name} - Muster</title>\n\
         <h1>{name}</h1>\n<dl>\n<dt>Role</dt><dd>{role}</dd>\n<dt>Version</dt><dd>{version}</dd>\n\
         <dt>Up</dt><dd>{up} s</dd>\n<dt>Health</dt><dd>{state}</dd>\n</dl>\n",
        name = escape(&health.name),
        role = health.role,
        version = escape(&health.version),
        up = health.uptime_secs,
        state = if health.troubles.is_empty() {
            "ok"
        } else {
            "in trouble"
        },
    );
    if !health.troubles.is_empty() {
        body.push_str("<ul>\n");
        for trouble in &health.troubles {
            body.push_str("<li>");
            body.push_str(&escape(trouble));
            body.push_str("</li>\n");
        }
        body.push_str("</ul>\n");
    }
    body.push_str("</html>\n");
    body
}

fn json(health: &Health) -> String {
    let status = if health.troubles.is_empty() {
        "ok"
    } else {
        "trouble"
    };
    let troubles: Vec<String> = health.troubles.iter().map(|t| json_string(t)).collect();
    format!(
        "{{\"status\":\"{status}\",\"name\":{},\"role\":\"{}\",\"version\":{},\"uptime_secs\":{},\"troubles\":[{}]}}\n",
        json_string(&health.name),
        health.role,
        json_string(&health.version),
        health.uptime_secs,
        troubles.join(","),
    )
}

fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(troubles: &[&str]) -> Health {
        Health {
            name: "HOST\\<ONE>".to_owned(),
            role: "master",
            version: "0.1.0".to_owned(),
            uptime_secs: 7,
            troubles: troubles.iter().map(|&t| t.to_owned()).collect(),
        }
    }

    #[test]
    fn paths_and_states() {
        let cases = [
            ("GET", "/", vec![], 200, "HOST\\&lt;ONE&gt;"),
            ("GET", "/", vec!["disk < full"], 200, "disk &lt; full"),
            (
                "GET",
                "/health",
                vec![],
                200,
                "\"status\":\"ok\",\"name\":\"HOST\\\\<ONE>\"",
            ),
            (
                "HEAD",
                "/health",
                vec!["a \"b\"\n"],
                503,
                "[\"a \\\"b\\\"\\u000a\"]",
            ),
            ("GET", "/../etc", vec![], 404, "not found"),
            ("POST", "/", vec![], 405, "not allowed"),
        ];
        for (method, path, troubles, status, part) in cases {
            let page = page(method, path, &health(&troubles));
            assert_eq!(page.status, status, "{method} {path}");
            assert!(page.body.contains(part), "{}", page.body);
        }
    }
}
