//! A target and its connections.

use super::store::{Define, Membership};
use super::{DefineDone, Enlisting, Target};
use crate::context::Context;
use crate::event::{ConnectionId, Event};
use crate::time::{MINUTE, SECOND};
use fleet::enlist::EnlistCall;
use fleet::message::{EnlistRequest, Proof, TargetFacts};
use fleet::{FrameReader, PROTOCOL_VERSION, TargetLink};

impl Target {
    pub(crate) fn connected(
        &mut self,
        attempt: u64,
        connection: Option<ConnectionId>,
        ctx: &mut Context,
    ) {
        let current = self
            .alive
            .as_mut()
            .and_then(|alive| alive.link.as_mut())
            .filter(|link| link.attempt == attempt && link.connection.is_none());
        let Some(link) = current else {
            if let Some(connection) = connection {
                ctx.close(connection, self.node(), true);
            }
            return;
        };
        match connection {
            Some(connection) => {
                let reader = FrameReader::new(link.machine.message_bytes_max());
                link.connection = Some((connection, reader));
                self.with_link(ctx, TargetLink::connected);
            }
            None => self.with_link(ctx, TargetLink::disconnected),
        }
    }

    pub(crate) fn enlist_connected(&mut self, connection: Option<ConnectionId>, ctx: &mut Context) {
        let moment = self.moment(ctx);
        let node = self.node();
        let retry = ctx.random.between(10 * SECOND, 5 * MINUTE);
        let (Some(alive), Some(token)) = (&mut self.alive, self.token) else {
            if let Some(connection) = connection {
                ctx.close(connection, node, true);
            }
            return;
        };
        // Whatever becomes of this attempt, there will be another until the answer is there.
        ctx.after(retry, Event::Enlist { target: self.index });
        let Some(connection) = connection else {
            return;
        };
        let request = EnlistRequest {
            version: PROTOCOL_VERSION,
            proof: Proof::Token {
                id: token.to_string(),
                secret: Vec::new(),
            },
            instance: self.instance,
            facts: TargetFacts {
                name: format!("TARGET{}", self.index),
                location: None,
                utc_offset_minutes: 0,
                program_version: "sim".to_owned(),
            },
            request_der: vec![0x30, 0],
            previous_generation: self.definitions.durable.last_generation,
            enlisted_at: self.definitions.durable.enlistment.map(|_| self.master),
            requested_by: "sa".to_owned(),
        };
        let mut call = EnlistCall::new(&request, moment);
        if let Some(bytes) = call.poll_transmit() {
            ctx.send(connection, node, bytes);
        }
        if let Some(before) = alive.enlisting.take() {
            ctx.close(before.connection, node, true);
        }
        alive.enlisting = Some(Enlisting {
            connection,
            reader: FrameReader::new(call.message_bytes_max()),
            call,
        });
    }

    pub(crate) fn deliver(&mut self, id: ConnectionId, bytes: &[u8], ctx: &mut Context) {
        let moment = self.moment(ctx);
        let Some(alive) = &mut self.alive else {
            return;
        };
        if let Some(enlisting) = &mut alive.enlisting
            && enlisting.connection == id
        {
            let mut input = bytes;
            let answer = enlisting
                .reader
                .read(&mut input)
                .ok()
                .flatten()
                .and_then(|body| enlisting.call.handle_frame(&body).ok());
            if let Some(answer) = answer {
                alive.enlisting = None;
                ctx.close(id, self.node(), true);
                if let Ok(reply) = answer {
                    self.enlisted(
                        Membership {
                            generation: reply.generation,
                            poll_interval_secs: reply.poll_interval_secs,
                        },
                        ctx,
                    );
                }
            }
            return;
        }
        let Some(link) = &mut alive.link else {
            return;
        };
        let Some((connection, reader)) = &mut link.connection else {
            return;
        };
        if *connection != id {
            return;
        }
        let mut input = bytes;
        // A doubled message may well break the protocol; the link then drops the connection.
        while let Ok(Some(body)) = reader.read(&mut input) {
            if link.machine.handle_frame(&body, moment).is_err() {
                ctx.stats.protocol_errors += 1;
                break;
            }
        }
        self.settle(ctx);
    }

    pub(crate) fn closed(&mut self, id: ConnectionId, ctx: &mut Context) {
        let Some(alive) = &mut self.alive else {
            return;
        };
        if alive
            .enlisting
            .as_ref()
            .is_some_and(|enlisting| enlisting.connection == id)
        {
            alive.enlisting = None;
            return;
        }
        if let Some(link) = &mut alive.link
            && link
                .connection
                .as_ref()
                .is_some_and(|(connection, _)| *connection == id)
        {
            link.connection = None;
            self.with_link(ctx, TargetLink::disconnected);
        }
    }

    /// The administrator enlists this target, or enlists it anew.
    pub(crate) fn want_enlistment(&mut self, ctx: &mut Context) {
        if self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            ctx.after(0, Event::Enlist { target: self.index });
        }
    }

    /// Tries to enlist, when that is wanted.
    pub(crate) fn enlist(&mut self, ctx: &mut Context) {
        let node = self.node();
        let Some(alive) = &mut self.alive else {
            return;
        };
        let now = ctx.clock.instant(ctx.now);
        if let Some(late) = alive.enlisting.take_if(|call| call.call.deadline() <= now) {
            ctx.close(late.connection, node, true);
        }
        if self.token.is_some() && alive.enlisting.is_none() {
            self.attempts += 1;
            let wait = ctx.random.between(1_000, SECOND);
            ctx.after(
                wait,
                Event::ConnectAnswered {
                    target: self.index,
                    life: self.life,
                    attempt: self.attempts,
                    enlist: true,
                },
            );
        } else if self.token.is_some() {
            ctx.after(MINUTE, Event::Enlist { target: self.index });
        }
    }

    pub(super) fn enlisted(&mut self, membership: Membership, ctx: &mut Context) {
        let index = self.index;
        ctx.say(|| format!("target {index}: {membership:?}"));
        self.drop_link(ctx);
        let node = self.node();
        if ctx.full_disks.contains(&node) {
            self.open_link(ctx);
            self.settle(ctx);
            return;
        }
        self.define(Define::Enlist(membership), DefineDone::Enlisted, ctx);
    }

    pub(super) fn drop_link(&mut self, ctx: &mut Context) {
        let node = self.node();
        if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.take())
            && let Some((connection, _)) = link.connection
        {
            ctx.close(connection, node, true);
        }
    }
}
