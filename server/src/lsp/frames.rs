//! LSP's framing over byte streams: a header with the length, then that many bytes of JSON.
//!
//! tower-lsp's own transport ends the session at the first frame it cannot read. This one skips rubbish up to the next
//! header, because an editor's server must not die of one bad message.

use std::io::{Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tracing::{debug, warn};

/// Longer messages are taken for a broken header. The largest honest one is a document in full.
const LONGEST_MESSAGE: usize = 1 << 30;
const LONGEST_HEADER: usize = 16 * 1024;
const CHUNK: usize = 64 * 1024;
const LENGTH: &[u8] = b"content-length:";

/// Hands over the body of each frame until the input ends or nobody listens any more.
pub(super) async fn read<R: AsyncRead + Unpin>(mut read: R, bodies: mpsc::Sender<Vec<u8>>) {
    let mut frames = Frames::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        while let Some(body) = frames.next() {
            if bodies.send(body).await.is_err() {
                return;
            }
        }
        match read.read(&mut chunk).await {
            Ok(0) => break,
            Ok(n) => frames.buffer.extend_from_slice(&chunk[..n]),
            Err(err) => return warn!("reading from the editor failed: {err}"),
        }
    }
    frames.end();
}

/// [`read`] on a thread of its own.
pub(super) fn read_blocking(mut read: impl Read, bodies: mpsc::Sender<Vec<u8>>) {
    let mut frames = Frames::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        while let Some(body) = frames.next() {
            if bodies.blocking_send(body).is_err() {
                return;
            }
        }
        match read.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => frames.buffer.extend_from_slice(&chunk[..n]),
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return warn!("reading from the editor failed: {err}"),
        }
    }
    frames.end();
}

/// Writes each body as a frame until all senders are gone or the other side is.
pub(super) async fn write<W: AsyncWrite + Unpin>(mut write: W, mut bodies: mpsc::Receiver<Vec<u8>>) {
    while let Some(body) = bodies.recv().await {
        let bytes = framed(&body, &mut bodies);
        let written = async {
            write.write_all(&bytes).await?;
            write.flush().await
        };
        if let Err(err) = written.await {
            return debug!("writing to the editor failed: {err}");
        }
    }
}

/// [`write`] on a thread of its own.
pub(super) fn write_blocking(mut write: impl Write, mut bodies: mpsc::Receiver<Vec<u8>>) {
    while let Some(body) = bodies.blocking_recv() {
        let bytes = framed(&body, &mut bodies);
        if let Err(err) = write.write_all(&bytes).and_then(|()| write.flush()) {
            return debug!("writing to the editor failed: {err}");
        }
    }
}

/// A body and those that wait behind it, to be one write.
fn framed(body: &[u8], waiting: &mut mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 32);
    let mut push = |body: &[u8]| {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    };
    push(body);
    while let Ok(body) = waiting.try_recv() {
        push(&body);
    }
    bytes
}

/// Cuts the bytes read so far into bodies.
#[derive(Debug, Default)]
struct Frames {
    buffer: Vec<u8>,
    /// The length of the body that `buffer` starts with, once its header is read and removed.
    body: Option<usize>,
}

impl Frames {
    /// The next body that is complete. `None`: more bytes are needed.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(len) = self.body {
                if self.buffer.len() < len {
                    return None;
                }
                self.body = None;
                if len > CHUNK {
                    // Not copied: it may be megabytes, and what follows it is at most one chunk.
                    let rest = self.buffer.split_off(len);
                    return Some(std::mem::replace(&mut self.buffer, rest));
                }
                return Some(self.buffer.drain(..len).collect());
            }
            let Some(end) = header_end(&self.buffer) else {
                self.drop_endless_header();
                return None;
            };
            self.body = match length(&self.buffer[..end]) {
                Some(len) if len <= LONGEST_MESSAGE => Some(len),
                _ => {
                    warn!("skipped {end} bytes of input that are no message header");
                    None
                }
            };
            self.buffer.drain(..end);
        }
    }

    fn end(&self) {
        if !self.buffer.is_empty() {
            debug!("the input ended inside a message");
        }
    }

    fn drop_endless_header(&mut self) {
        if self.buffer.len() > LONGEST_HEADER {
            warn!("skipped {} bytes of input that are no message header", self.buffer.len());
            // A header may just have begun.
            self.buffer.drain(..self.buffer.len() - LENGTH.len());
        }
    }
}

/// Where the empty line ends, with the line breaks of the standard or just `\n`.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let crlf = find(bytes, b"\r\n\r\n").map(|it| it + 4);
    let lf = find(&bytes[..crlf.unwrap_or(bytes.len())], b"\n\n").map(|it| it + 2);
    lf.or(crlf)
}

/// The last length in the header, wherever it stands: what comes before may be rubbish. Other fields mean nothing to us.
fn length(header: &[u8]) -> Option<usize> {
    let lower = header.to_ascii_lowercase();
    let at = lower.windows(LENGTH.len()).rposition(|it| it == LENGTH)?;
    let line = lower[at + LENGTH.len()..].split(|it| *it == b'\n').next()?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(input: &[u8], chunk: usize) -> Vec<String> {
        let mut frames = Frames::default();
        let mut bodies = Vec::new();
        for bytes in input.chunks(chunk) {
            frames.buffer.extend_from_slice(bytes);
            while let Some(body) = frames.next() {
                bodies.push(String::from_utf8(body).unwrap());
            }
        }
        bodies
    }

    #[track_caller]
    fn check(input: &str, bodies: &[&str]) {
        for chunk in [1, 2, 7, 1000] {
            assert_eq!(cut(input.as_bytes(), chunk), bodies, "in chunks of {chunk}");
        }
    }

    #[test]
    fn frames_arrive_in_any_chunks() {
        check("Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n[1]", &["{}", "[1]"]);
    }

    #[test]
    fn headers_in_every_spelling() {
        check("content-length:2\r\nContent-Type: application/vscode-jsonrpc\r\nX: y\r\nZ: z\r\n\r\n{}", &["{}"]);
        check("Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length:  2 \r\n\r\n{}", &["{}"]);
        check("Content-Length: 2\n\n{}Content-Length: 2\r\n\r\n[]", &["{}", "[]"]);
        check("Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}", &["", "{}"]);
    }

    #[test]
    fn rubbish_is_skipped_up_to_the_next_header() {
        check("rubbishContent-Length: 2\r\n\r\n{}", &["{}"]);
        check("Content-Length: many\r\n\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
        check("Content-Length: -1\r\n\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
        check("GET / HTTP/1.1\r\nHost: x\r\n\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
        check("Content-Length: 99999999999999999\r\n\r\nContent-Length: 2\r\n\r\n{}", &["{}"]);
    }

    #[test]
    fn a_header_without_end_does_not_fill_the_memory() {
        let mut frames = Frames { buffer: vec![b'x'; LONGEST_HEADER + 1], body: None };
        assert_eq!(frames.next(), None);
        assert!(frames.buffer.len() < 100);
        frames.buffer.extend_from_slice(b"Content-Length: 2\r\n\r\n{}");
        assert_eq!(frames.next().as_deref(), Some(&b"{}"[..]));
    }
}
