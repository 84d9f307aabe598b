//! Requests and answers after the login: one at a time, and attention in between.
//!
//! States: idle; answering (`answer` is open and the session runs); and, after an attention whose statement
//! did not stop in time, idle toward the client while the session still winds up (`running` without `answer`).

use super::bulk::{BulkFeed, STALL};
use super::greeting::{Greeted, Welcomed};
use super::sink::Output;
use super::worker::{Work, Worker, malformed_call};
use super::{
    ATTENTION_GRACE, ConnectionContext, FAREWELL_TIMEOUT, FrontError, OUTPUT_CHUNK_BYTES,
    READ_BYTES, REQUEST_PAUSE_MAX,
};
use std::io;
use std::pin::Pin;
use tds::packet::{
    BulkPart, Incoming, Message, MessageReader, MessageWriter, PacketType, ResetConnection,
};
use tds::request::{RpcReader, SqlBatch, TransactionRequest};
use tds::token::{Done, DoneKind, TokenWriter};
use tds::{TdsError, TdsVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep, timeout};
use tsql::SqlError;

/// Serves a client that has logged in, until it goes.
pub(super) async fn converse<S>(
    welcomed: Welcomed<S>,
    context: &ConnectionContext,
) -> Result<(), FrontError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Welcomed {
        stream,
        reader,
        worker,
        version,
        packet_size,
    } = welcomed;
    let mut conversation = Conversation {
        reader,
        worker,
        version,
        packet_size,
        server_name: context.front.options.server_name.clone(),
        answer: None,
        running: false,
        discard: false,
        loading: false,
        given_up: false,
        bulk: BulkFeed::default(),
        acknowledge: None,
        held: None,
        late: Vec::new(),
        outgoing: Outgoing::default(),
    };
    let (mut input, mut output) = tokio::io::split::<Greeted<S>>(stream);
    let outcome = conversation.run(&mut input, &mut output).await;
    // The session ends now; the client may still read what was said last.
    drop(conversation.worker);
    let farewell = async {
        while !conversation.outgoing.is_empty() {
            conversation.outgoing.advance(&mut output).await?;
        }
        output.shutdown().await
    };
    let _gone = timeout(FAREWELL_TIMEOUT, farewell).await;
    outcome
}

/// A request that waits for the session.
enum Held {
    Message(Message),
    /// A bulk load that begins; it goes on arriving while it runs.
    Bulk {
        reset: ResetConnection,
        packets: mpsc::Receiver<Vec<u8>>,
        /// The client has given it up already.
        ignore: bool,
    },
}

struct Conversation {
    reader: MessageReader,
    worker: Worker,
    version: TdsVersion,
    packet_size: u16,
    server_name: String,
    // The answer that the client waits for.
    answer: Option<MessageWriter>,
    // Whether the session works on a request.
    running: bool,
    // After an attention: what the session still says about the request is thrown away.
    discard: bool,
    // Whether that request is a bulk load.
    loading: bool,
    // The client gave that load up while it was arriving. Invariant: `loading`.
    given_up: bool,
    bulk: BulkFeed,
    acknowledge: Option<Pin<Box<Sleep>>>,
    // A request that waits for the session. Invariant: at most one.
    held: Option<Held>,
    // Environment tokens that came after the answer they belong to.
    late: Vec<u8>,
    outgoing: Outgoing,
}

impl Conversation {
    async fn run<R, W>(&mut self, input: &mut R, output: &mut W) -> Result<(), FrontError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = vec![0; READ_BYTES];
        let mut pause: Option<Pin<Box<Sleep>>> = None;
        let mut stall: Option<Pin<Box<Sleep>>> = None;
        loop {
            while let Some(incoming) = self.reader.next_incoming()? {
                self.receive(incoming)?;
            }
            self.start_held()?;
            if !self.bulk.may_stall() {
                stall = None;
            } else if stall.is_none() {
                stall = Some(Box::pin(sleep(STALL)));
            }
            tokio::select! {
                read = input.read(&mut buffer), if self.bulk.has_room() => {
                    let count = match read {
                        Ok(count) => count,
                        // Many clients end TLS, or the connection, without a word.
                        Err(error) if self.is_idle() && is_hang_up(&error) => 0,
                        Err(error) => return Err(error.into()),
                    };
                    if count == 0 {
                        return if self.is_idle() {
                            Ok(())
                        } else {
                            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
                        };
                    }
                    self.reader.feed(buffer.get(..count).unwrap_or_default());
                    while let Some(incoming) = self.reader.next_incoming()? {
                        self.receive(incoming)?;
                    }
                    pause = self.pause();
                }
                () = self.bulk.advance(), if self.bulk.is_waiting() => {
                    // While the session was busy the client was not read: its time begins anew.
                    pause = self.pause();
                    stall = None;
                }
                () = elapsed(&mut stall) => {
                    stall = None;
                    self.bulk.stall();
                    pause = self.pause();
                }
                written = self.outgoing.advance(output), if !self.outgoing.is_empty() => written?,
                said = self.worker.output.recv(),
                    if self.running && (self.discard || self.given_up || self.outgoing.has_room()) =>
                {
                    self.deliver(said)?;
                }
                () = elapsed(&mut self.acknowledge) => {
                    self.acknowledge = None;
                    self.end_answer();
                }
                () = elapsed(&mut pause), if self.bulk.has_room() => return Err(FrontError::RequestTimeout),
            }
        }
    }

    /// How long the client may take for the rest of a request.
    fn pause(&self) -> Option<Pin<Box<Sleep>>> {
        let inside = self.reader.is_inside_message();
        inside.then(|| Box::pin(sleep(REQUEST_PAUSE_MAX)))
    }

    fn is_idle(&self) -> bool {
        self.answer.is_none() && self.held.is_none() && !self.reader.is_inside_message()
    }

    fn receive(&mut self, incoming: Incoming) -> Result<(), FrontError> {
        match incoming {
            Incoming::Message(message) if message.kind == PacketType::Attention => {
                self.attend();
                Ok(())
            }
            Incoming::Message(message) => {
                let kind = message.kind;
                self.hold(kind, |_| Held::Message(message))
            }
            Incoming::Bulk(part) => self.receive_bulk(part),
        }
    }

    fn hold(
        &mut self,
        kind: PacketType,
        request: impl FnOnce(&mut BulkFeed) -> Held,
    ) -> Result<(), FrontError> {
        if self.held.is_some() {
            return Err(FrontError::Protocol(TdsError::Invalid {
                what: "a request before the answer to the one before it",
                value: kind.code().into(),
            }));
        }
        self.held = Some(request(&mut self.bulk));
        Ok(())
    }

    fn receive_bulk(&mut self, part: BulkPart) -> Result<(), FrontError> {
        if !self.bulk.is_inside() {
            let reset = part.reset;
            self.hold(PacketType::BulkLoad, |feed| Held::Bulk {
                reset,
                packets: feed.begin(),
                ignore: false,
            })?;
        }
        if part.ignore {
            self.bulk.stop();
            if let Some(Held::Bulk { ignore, .. }) = &mut self.held {
                *ignore = true;
            } else if self.loading {
                self.given_up = true;
                self.worker.cancel();
            }
        }
        self.bulk.take(part.payload, part.last);
        Ok(())
    }

    fn attend(&mut self) {
        self.bulk.cut_off();
        // What waits behind the running request is called off with it.
        self.held = None;
        if self.answer.is_some() {
            self.discard = true;
            self.worker.cancel();
            self.acknowledge = Some(Box::pin(sleep(ATTENTION_GRACE)));
        } else {
            // Its answer was complete already, or the request has not begun: acknowledged alone.
            self.acknowledge_now();
        }
    }

    /// Starts the request that waits, when the session is free.
    fn start_held(&mut self) -> Result<(), FrontError> {
        if self.running || self.answer.is_some() {
            return Ok(());
        }
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        let mut answer = self.message();
        answer.write(&std::mem::take(&mut self.late));
        let ignored = match &held {
            Held::Message(message) => message.ignore,
            Held::Bulk { ignore, .. } => *ignore,
        };
        if ignored {
            // Source: MS-TDS, "Attention": one DONE with the error bit tells that it was ignored.
            answer.write(&self.end(Done {
                error: true,
                ..Done::new(DoneKind::Done)
            }));
            answer.finish(self.outgoing.room());
            return Ok(());
        }
        let (work, reset) = match held {
            Held::Message(message) => {
                let reset = message.reset;
                (read_request(message, self.version), reset)
            }
            Held::Bulk { reset, packets, .. } => (Work::Bulk(packets), reset),
        };
        self.loading = matches!(work, Work::Bulk(_));
        self.answer = Some(answer);
        self.running = true;
        self.worker.hand_over(work, reset)
    }

    /// Takes in what the session says. On an error, what the client is told last is in `outgoing`.
    fn deliver(&mut self, said: Option<Output>) -> Result<(), FrontError> {
        match said {
            Some(Output::Tokens(tokens)) => {
                let wanted = !self.discard && !self.given_up;
                if let Some(answer) = self.answer.as_mut().filter(|_| wanted) {
                    answer.write(&tokens);
                    answer.take_full_packets(self.outgoing.room());
                }
            }
            Some(Output::Environment(tokens)) => match &mut self.answer {
                Some(answer) => answer.write(&tokens),
                None => self.late.extend(tokens),
            },
            Some(Output::Flush) => {
                let wanted = !self.discard && !self.given_up;
                if let Some(answer) = self.answer.as_mut().filter(|_| wanted) {
                    answer.flush(self.outgoing.room());
                }
            }
            Some(Output::End { close }) => {
                self.running = false;
                self.acknowledge = None;
                self.end_answer();
                self.discard = false;
                self.given_up = false;
                if std::mem::take(&mut self.loading) {
                    // What is still to come of a load that failed finds nobody.
                    self.bulk.stop();
                }
                if close {
                    return Err(FrontError::SessionEnded);
                }
            }
            None => {
                // A defect of the session: its thread ended without a word.
                if let Some(mut answer) = self.answer.take() {
                    let mut tokens = TokenWriter::new(self.version);
                    let text = "Internal error: the session ended. The connection ends too.";
                    tokens.message(&SqlError::new(596, 21, text), &self.server_name);
                    tokens.done(Done {
                        error: true,
                        server_error: true,
                        ..Done::new(DoneKind::Done)
                    });
                    answer.write(&tokens.take());
                    answer.finish(self.outgoing.room());
                }
                return Err(FrontError::SessionLost);
            }
        }
        Ok(())
    }

    /// Ends the open answer; one that an attention cut short is followed by the acknowledgement.
    fn end_answer(&mut self) {
        let Some(mut answer) = self.answer.take() else {
            return;
        };
        if self.discard || self.given_up {
            answer.write(&self.end(Done {
                error: true,
                ..Done::new(DoneKind::Done)
            }));
        }
        answer.finish(self.outgoing.room());
        if self.discard {
            self.acknowledge_now();
        }
    }

    /// Acknowledges an attention, in a message of its own: tedious waits for one, the others take either.
    fn acknowledge_now(&mut self) {
        let mut acknowledgement = self.message();
        acknowledgement.write(&self.end(Done {
            attention: true,
            ..Done::new(DoneKind::Done)
        }));
        acknowledgement.finish(self.outgoing.room());
    }

    fn end(&self, done: Done) -> Vec<u8> {
        let mut tokens = TokenWriter::new(self.version);
        tokens.done(done);
        tokens.take()
    }

    fn message(&self) -> MessageWriter {
        MessageWriter::new(
            PacketType::TabularResult,
            self.packet_size,
            self.worker.spid,
        )
    }
}

/// What a message asks. One that can't be read becomes an error for the client, whose connection then ends.
fn read_request(message: Message, version: TdsVersion) -> Work {
    let refuse = |error: &TdsError| Work::Refuse(malformed_call(error, true));
    match message.kind {
        PacketType::SqlBatch => match SqlBatch::decode(&message.payload, version) {
            Ok(batch) => Work::Batch(batch.text),
            Err(error) => refuse(&error),
        },
        PacketType::Rpc => match RpcReader::new(message.payload, version) {
            Ok(calls) => Work::Calls(calls),
            Err(error) => refuse(&error),
        },
        PacketType::TransactionManager => {
            match TransactionRequest::decode(&message.payload, version) {
                Ok((_headers, request)) => Work::Transaction(request),
                Err(error) => refuse(&error),
            }
        }
        PacketType::LegacyLogin
        | PacketType::BulkLoad
        | PacketType::TabularResult
        | PacketType::Attention
        | PacketType::FedAuthToken
        | PacketType::Login7
        | PacketType::Sspi
        | PacketType::PreLogin => refuse(&TdsError::Invalid {
            what: "a message after the login",
            value: message.kind.code().into(),
        }),
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

/// Waits for a timer, for ever without one.
async fn elapsed(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.await,
        None => std::future::pending().await,
    }
}

/// Packets on their way to the client.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    // Invariant: at ≤ bytes.len(); bytes before it are written.
    at: usize,
    unflushed: bool,
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.at == self.bytes.len() && !self.unflushed
    }

    /// Whether the client keeps up, so that the session may say more.
    fn has_room(&self) -> bool {
        self.bytes.len() - self.at < OUTPUT_CHUNK_BYTES
    }

    /// Where further packets go.
    fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.at);
        self.at = 0;
        &mut self.bytes
    }

    /// One step of writing. May be dropped at any await without losing its place.
    async fn advance<W: AsyncWrite + Unpin>(&mut self, output: &mut W) -> io::Result<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            output.flush().await?;
            self.unflushed = false;
            return Ok(());
        }
        let count = output.write(rest).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.at += count;
        self.unflushed = true;
        if self.at == self.bytes.len() {
            self.at = 0;
            if self.bytes.capacity() > 2 * OUTPUT_CHUNK_BYTES {
                self.bytes = Vec::new();
            } else {
                self.bytes.clear();
            }
        }
        Ok(())
    }
}
