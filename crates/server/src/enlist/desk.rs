//! The master's end of an enlistment: checks the proof and the rules, and writes target, generation and
//! certificate in one transaction before it answers.

use super::used_token::{UsedToken, forget_expired};
use super::{read_message, write_frames};
use crate::clock::Clock;
use crate::identity::token::EnlistToken;
use crate::identity::{Authority, PasswordVault};
use crate::logins::{SYSADMIN, authenticate};
use crate::master_end::DEFECTED_SETTINGS;
use catalog::{AuditEntry, Catalog, CatalogError, DefinitionsWrite, NewTarget, Token};
use fleet::admission::TokenBucket;
use fleet::enlist::{DeskFacts, judge_request, name_taken};
use fleet::message::{EnlistAnswer, EnlistReply, EnlistRequest, Proof, Refusal};
use fleet::{numbers, version};
use model::{MSX_OPERATOR, POLL_INTERVAL_SECS_DEFAULT};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use uuid::Uuid;

/// The role whose members may enlist targets.
pub const TARGET_SERVERS_ROLE: &str = "TargetServersRole";
/// Database of that role.
const MSDB: &str = "msdb";
/// How long a refused target waits before another attempt is any use.
const REFUSED_RETRY: Duration = Duration::ZERO;

/// What the desk needs to know.
pub struct EnlistDesk {
    /// Where targets are written.
    pub catalog: Catalog,
    /// Verifies logins.
    pub vault: Arc<PasswordVault>,
    /// Signs targets' certificates.
    pub authority: Arc<Authority>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// `host,port` of this master.
    pub addresses: Vec<String>,
    /// How many enlistments a second are looked at.
    pub admission: Mutex<TokenBucket>,
}

/// Who enlists, once the proof was accepted.
struct Admitted {
    by: String,
    location: Option<String>,
    /// The token whose use this is; `None` for a login, and for a request whose answer was lost.
    token: Option<Token>,
}

impl EnlistDesk {
    /// Serves one enlist conversation: a request, an answer.
    pub async fn converse<S>(self: Arc<Self>, mut stream: S, address: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut machine = fleet::enlist::EnlistDesk::new(self.clock.moment());
        let body = match read_message(&mut stream, machine.message_bytes_max(), machine.deadline())
            .await
        {
            Ok(body) => body,
            Err(error) => return tracing::debug!(%address, %error, "no request to enlist came"),
        };
        let request = match machine.handle_frame(&body) {
            Ok(request) => request,
            Err(error) => return tracing::warn!(%address, %error, "enlistment not understood"),
        };
        let desk = Arc::clone(&self);
        let answer = tokio::task::spawn_blocking(move || {
            let answer = desk.judge(&request, address);
            match &answer {
                Ok(reply) => tracing::info!(
                    target_server = request.facts.name,
                    generation = reply.generation.0,
                    "enlisted"
                ),
                Err(refusal) => tracing::warn!(
                    target_server = request.facts.name,
                    number = refusal.number,
                    reason = refusal.text,
                    "enlistment refused"
                ),
            }
            answer
        })
        .await;
        let Ok(answer) = answer else {
            return tracing::error!("the enlistment failed");
        };
        self.catalog
            .crash_points()
            .hit("server.before_enlist_reply");
        if let Err(error) = write_frames(&mut stream, &machine.answer(&answer)).await {
            tracing::debug!(%address, %error, "enlistment not answered");
        }
        // The answer is out; whether the peer waits for an orderly end is its affair.
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
    }

    /// Decides on a request and, where it is granted, makes it durable. Blocks.
    fn judge(&self, request: &EnlistRequest, address: IpAddr) -> EnlistAnswer {
        self.admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(1, self.clock.monotonic())
            .map_err(|wait| Refusal {
                number: numbers::CONVERSATION_FAILED,
                text: "The master server is busy with many enlistments; try again.".to_owned(),
                retry_after: wait,
            })?;
        let admitted = self.prove(request, address)?;
        let now = self.clock.now();
        let name = request.facts.name.to_uppercase();
        let outcome = self.catalog.definitions_write(|write| {
            self.check_rules(&*write, request, &name)?;
            if let Some(token) = &admitted.token {
                let used = write.use_token(&token.id, now).map_err(Judged::Catalog)?;
                if used.is_none() {
                    return Err(proof_refused().into());
                }
                forget_expired(write, now)?;
                UsedToken::new(token, request).remember(write, &token.id)?;
            }
            let moved = write
                .target_by_instance(request.instance)
                .map_err(Judged::Catalog)?;
            let target = write
                .enlist_target(&NewTarget {
                    name: name.clone(),
                    location: request
                        .facts
                        .location
                        .clone()
                        .or_else(|| admitted.location.clone()),
                    utc_offset_minutes: i32::from(request.facts.utc_offset_minutes),
                    enlisted: now,
                    enlisted_by: admitted.by.clone(),
                    poll_interval_secs: moved
                        .as_ref()
                        .map_or(POLL_INTERVAL_SECS_DEFAULT, |t| t.poll_interval_secs),
                    instance: request.instance,
                    version: request.facts.program_version.clone(),
                    previous_generation: request.previous_generation,
                })
                .map_err(Judged::Catalog)?;
            let certificate = self
                .authority
                .issue_target(
                    &request.request_der,
                    (request.instance, target.generation),
                    &name,
                    now,
                )
                .map_err(|error| {
                    refusal(
                        numbers::CONVERSATION_FAILED,
                        &format!("The certificate request cannot be signed: {error}."),
                    )
                })?;
            write
                .set_target_certificate(
                    target.id,
                    &certificate.fingerprint,
                    &[],
                    certificate.not_after,
                )
                .map_err(Judged::Catalog)?;
            // A target that left and comes back is defected no more.
            write
                .set_setting(&format!("{DEFECTED_SETTINGS}{}", request.instance.0), None)
                .map_err(Judged::Catalog)?;
            write
                .audit(&AuditEntry {
                    at: now,
                    principal: admitted.by.clone(),
                    action: "enlist".to_owned(),
                    object: name.clone(),
                    detail: Some(format!(
                        "generation {}, from {address}",
                        target.generation.0
                    )),
                })
                .map_err(Judged::Catalog)?;
            let instance = write.instance().map_err(Judged::Catalog)?;
            Ok::<_, Judged>(EnlistReply {
                version: version::PROTOCOL_VERSION,
                master_name: instance.name.clone(),
                master: instance.id,
                incarnation: incarnation(&instance),
                generation: target.generation,
                chain_der: vec![
                    certificate.der.to_vec(),
                    self.authority.certificate().to_vec(),
                ],
                ca_der: self.authority.certificate().to_vec(),
                operator: write
                    .operator_by_name(MSX_OPERATOR)
                    .map_err(Judged::Catalog)?,
                poll_interval_secs: target.poll_interval_secs,
                addresses: self.addresses.clone(),
                clock: now,
                moved: moved.is_some(),
            })
        });
        outcome.map_err(|judged| match judged {
            Judged::Refused(refusal) => refusal,
            Judged::Catalog(error) => {
                tracing::error!(%error, "an enlistment was not stored");
                refusal(
                    numbers::CONVERSATION_FAILED,
                    "The master server cannot store the enlistment now.",
                )
            }
        })
    }

    fn prove(&self, request: &EnlistRequest, address: IpAddr) -> Result<Admitted, Refusal> {
        match &request.proof {
            Proof::Token { id, secret } => {
                let now = self.clock.now();
                let (stored, used, target) = self
                    .catalog
                    .definitions_read(|read| {
                        let used = UsedToken::find(read, id)?;
                        let target = read.target_by_instance(request.instance)?;
                        Ok((read.token(id)?, used, target))
                    })
                    .map_err(|error: CatalogError| unavailable(&error))?;
                // The answer to this very request was lost on its way: it gets one again.
                if let (Some(used), Some(target)) = (used, target)
                    && used.is_repeated_by(request, secret, now)
                {
                    return Ok(Admitted {
                        by: target.enlisted_by,
                        location: target.location,
                        token: None,
                    });
                }
                let token = stored
                    .filter(|token| EnlistToken::matches(secret, &token.hash))
                    .filter(|token| token.uses_left > 0 && token.expires > now)
                    .ok_or_else(proof_refused)?;
                Ok(Admitted {
                    by: token.created_by.clone(),
                    location: token.location.clone(),
                    token: Some(token),
                })
            }
            Proof::Login { login, password } => {
                let account = authenticate(
                    &self.catalog,
                    &self.vault,
                    (login, password),
                    address,
                    self.clock.monotonic(),
                )
                .map_err(|error| {
                    tracing::warn!(%address, login, %error, "enlistment login refused");
                    refusal(
                        numbers::LOGIN_FAILED,
                        &format!("Login failed for user '{login}'."),
                    )
                })?;
                let may = self
                    .catalog
                    .definitions_read(|read| {
                        let user = read.database_user_by_sid(MSDB, &account.sid)?;
                        let user = user.map_or_else(|| account.name.clone(), |user| user.name);
                        Ok(read.is_role_member("", SYSADMIN, &account.name)?
                            || read.is_role_member(MSDB, TARGET_SERVERS_ROLE, &user)?)
                    })
                    .map_err(|error: CatalogError| unavailable(&error))?;
                if !may {
                    return Err(refusal(
                        numbers::LOGIN_FAILED,
                        &format!(
                            "The login '{login}' is not a member of TargetServersRole on the master server."
                        ),
                    ));
                }
                Ok(Admitted {
                    by: request.requested_by.clone(),
                    location: None,
                    token: None,
                })
            }
        }
    }

    fn check_rules(
        &self,
        read: &dyn DefinitionsWrite,
        request: &EnlistRequest,
        name: &str,
    ) -> Result<(), Judged> {
        let instance = read.instance()?;
        let facts = DeskFacts {
            master: instance.id,
            version: version::PROTOCOL_VERSION,
            ready: read.operator_by_name(MSX_OPERATOR)?.is_some(),
            enlisted_at: read.enlistment()?.map(|row| row.enlistment.master_name),
        };
        judge_request(request, &facts)?;
        if name.eq_ignore_ascii_case(&instance.name) {
            return Err(refusal(
                numbers::NAME_NOT_ALLOWED,
                &format!("The name '{name}' is the master server's own."),
            )
            .into());
        }
        if read
            .target_by_name(name)?
            .is_some_and(|target| target.instance != request.instance)
        {
            return Err(name_taken(name).into());
        }
        if let Some(target) = read.target_by_instance(request.instance)?
            && !target.name.eq_ignore_ascii_case(name)
        {
            return Err(refusal(
                numbers::NAME_TAKEN,
                &format!(
                    "This instance is enlisted as '{}'. It must defect before it is renamed.",
                    target.name
                ),
            )
            .into());
        }
        Ok(())
    }
}

/// The incarnation as the wire has it: another UUID after each restore.
#[must_use]
pub fn incarnation(instance: &catalog::Instance) -> Uuid {
    Uuid::new_v5(&instance.id.0, &instance.incarnation.to_be_bytes())
}

/// Why a request was not granted.
enum Judged {
    Refused(Refusal),
    Catalog(CatalogError),
}

impl From<Refusal> for Judged {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CatalogError> for Judged {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

fn refusal(number: i32, text: &str) -> Refusal {
    Refusal {
        number,
        text: text.to_owned(),
        retry_after: REFUSED_RETRY,
    }
}

/// One text for every kind of bad token, so that guessing teaches nothing.
fn proof_refused() -> Refusal {
    refusal(
        numbers::CONVERSATION_FAILED,
        "The enlistment token is not valid: it is unknown, used up or expired.",
    )
}

fn unavailable(error: &CatalogError) -> Refusal {
    tracing::error!(%error, "an enlistment could not be checked");
    refusal(
        numbers::CONVERSATION_FAILED,
        "The master server cannot check the enlistment now.",
    )
}
