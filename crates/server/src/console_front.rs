//! HTTP around the console's pages: limits, headers, and the redirect from plain HTTP.

use console::Health;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Longest request head, in bytes.
const REQUEST_HEAD_BYTES_MAX: usize = 16 * 1024;
/// Time a client has to send a request's head, also between two requests.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest life of a connection.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(300);
/// Bytes of a plain request looked at for its path and host.
const PLAIN_HEAD_BYTES_MAX: usize = 4 * 1024;

/// Serves pages on an encrypted connection until the client leaves or its time is up.
pub async fn serve<S, F>(stream: S, health: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn() -> Health + Send + Sync + 'static,
{
    let health = &health;
    let service = service_fn(move |request: Request<Incoming>| async move {
        Ok::<_, Infallible>(respond(&request, &health()))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(CONNECTION_LIFE_MAX, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "console connection ended"),
        Err(_) => tracing::debug!("console connection reached its longest life"),
    }
}

fn respond(request: &Request<Incoming>, health: &Health) -> Response<Full<Bytes>> {
    let page = console::page(request.method().as_str(), request.uri().path(), health);
    let mut response = Response::new(Full::new(Bytes::from(page.body)));
    *response.status_mut() =
        StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// Answers a plain HTTP request with a redirect to https on the same host and port.
///
/// # Errors
/// What the connection says.
pub async fn redirect<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(512);
    let mut chunk = [0u8; 512];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") && head.len() < PLAIN_HEAD_BYTES_MAX {
        let read = tokio::time::timeout(REQUEST_HEAD_TIMEOUT, stream.read(&mut chunk)).await??;
        if read == 0 {
            break;
        }
        head.extend_from_slice(&chunk[..read]);
    }
    let answer = match location(&head) {
        Some(location) => format!(
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        None => {
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        }
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

fn location(head: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?;
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())?;
    let clean = |text: &str, extra: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    (path.starts_with('/') && clean(path, "/-._~%?&=+,:@") && clean(host, ".-:[]"))
        .then(|| format!("https://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_repeats_only_what_is_clean() {
        let at = |head: &str| location(head.as_bytes());
        assert_eq!(
            at("GET /health HTTP/1.1\r\nHost: master:1433\r\n\r\n").as_deref(),
            Some("https://master:1433/health")
        );
        for bad in [
            "GET /\r\n\r\n",
            "GET http://elsewhere/ HTTP/1.1\r\nHost: master\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n",
            "GET /a\"b HTTP/1.1\r\nHost: master\r\n\r\n",
            "\u{1}\u{2}",
        ] {
            assert_eq!(at(bad), None, "{bad:?}");
        }
    }
}
