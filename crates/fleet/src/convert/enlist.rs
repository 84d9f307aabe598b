//! Messages of the enlist conversation.

use super::definition::{operator, wire_operator};
use super::fleet::{facts, refusal, wire_facts, wire_refusal};
use super::{
    addresses, bad, bounded, bytes_of, chain, decode, encode, instant, name, poll_interval,
    required, text, uuid_of,
};
use crate::error::{ProtocolError, Result};
use crate::limits::{CERTIFICATE_BYTES_MAX, SHORT_TEXT_UNITS_MAX};
use crate::message::{EnlistAnswer, EnlistReply, EnlistRequest, Proof};
use crate::wire;
use model::{Generation, InstanceId};

/// Secret half of a token.
const TOKEN_SECRET_BYTES_MAX: usize = 128;

pub(crate) fn encode_enlist_request(request: &EnlistRequest) -> Vec<u8> {
    let proof = match &request.proof {
        Proof::Token { id, secret } => wire::Proof::Token(wire::Token {
            id: id.clone(),
            secret: secret.clone(),
        }),
        Proof::Login { login, password } => wire::Proof::Login(wire::Login {
            login: login.clone(),
            password: password.clone(),
        }),
    };
    encode(wire::Body::EnlistRequest(wire::EnlistRequest {
        version: request.version,
        proof: Some(proof),
        instance: bytes_of(request.instance.0),
        facts: Some(wire_facts(&request.facts)),
        request_der: request.request_der.clone(),
        previous_generation: request.previous_generation.map(|g| g.0),
        enlisted_at: request.enlisted_at.map(|id| bytes_of(id.0)),
        requested_by: request.requested_by.clone(),
    }))
}

pub(crate) fn decode_enlist_request(body: &[u8]) -> Result<EnlistRequest> {
    let wire::Body::EnlistRequest(wire) = decode(body)? else {
        return Err(ProtocolError::UnknownMessage);
    };
    let proof = match required(wire.proof, "enlist_request.proof")? {
        wire::Proof::Token(token) => Proof::Token {
            id: name(token.id, SHORT_TEXT_UNITS_MAX, "token.id")?,
            secret: bounded(token.secret, TOKEN_SECRET_BYTES_MAX, "token.secret")?,
        },
        wire::Proof::Login(login) => Proof::Login {
            login: name(login.login, SHORT_TEXT_UNITS_MAX, "login.login")?,
            password: text(login.password, SHORT_TEXT_UNITS_MAX, "login.password")?,
        },
    };
    Ok(EnlistRequest {
        version: wire.version,
        proof,
        instance: InstanceId(uuid_of(&wire.instance, "enlist_request.instance")?),
        facts: facts(required(wire.facts, "enlist_request.facts")?)?,
        request_der: bounded(
            wire.request_der,
            CERTIFICATE_BYTES_MAX,
            "enlist_request.request_der",
        )?,
        previous_generation: wire.previous_generation.map(Generation),
        enlisted_at: wire
            .enlisted_at
            .map(|bytes| uuid_of(&bytes, "enlist_request.enlisted_at").map(InstanceId))
            .transpose()?,
        requested_by: text(
            wire.requested_by,
            SHORT_TEXT_UNITS_MAX,
            "enlist_request.requested_by",
        )?,
    })
}

pub(crate) fn encode_enlist_answer(answer: &EnlistAnswer) -> Vec<u8> {
    encode(match answer {
        Ok(reply) => wire::Body::EnlistReply(wire::EnlistReply {
            version: reply.version,
            master_name: reply.master_name.clone(),
            master: bytes_of(reply.master.0),
            generation: reply.generation.0,
            chain_der: reply.chain_der.clone(),
            ca_der: reply.ca_der.clone(),
            operator: reply.operator.as_ref().map(wire_operator),
            poll_interval_secs: reply.poll_interval_secs,
            addresses: reply.addresses.clone(),
            clock_us: reply.clock.as_microsecond(),
            incarnation: bytes_of(reply.incarnation),
            moved: reply.moved,
        }),
        Err(refusal) => wire::Body::Refusal(wire_refusal(refusal)),
    })
}

pub(crate) fn decode_enlist_answer(body: &[u8]) -> Result<EnlistAnswer> {
    let body = decode(body)?;
    if let wire::Body::Refusal(wire) = body {
        return Ok(Err(refusal(wire)?));
    }
    let wire::Body::EnlistReply(wire) = body else {
        return Err(ProtocolError::UnknownMessage);
    };
    if wire.ca_der.is_empty() {
        return Err(bad("enlist_reply.ca_der"));
    }
    Ok(Ok(EnlistReply {
        version: wire.version,
        master_name: name(
            wire.master_name,
            model::job::NAME_UNITS_MAX,
            "enlist_reply.master_name",
        )?,
        master: InstanceId(uuid_of(&wire.master, "enlist_reply.master")?),
        generation: Generation(wire.generation),
        chain_der: chain(wire.chain_der, "enlist_reply.chain_der")?,
        ca_der: bounded(wire.ca_der, CERTIFICATE_BYTES_MAX, "enlist_reply.ca_der")?,
        operator: wire.operator.map(operator).transpose()?,
        poll_interval_secs: poll_interval(
            wire.poll_interval_secs,
            "enlist_reply.poll_interval_secs",
        )?,
        addresses: addresses(wire.addresses, "enlist_reply.addresses")?,
        clock: instant(wire.clock_us, "enlist_reply.clock")?,
        incarnation: uuid_of(&wire.incarnation, "enlist_reply.incarnation")?,
        moved: wire.moved,
    }))
}
