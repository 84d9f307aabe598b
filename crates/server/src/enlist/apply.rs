//! The target's end of an enlistment: asks a master, and stores the membership it gives.

use super::{read_message, write_frames};
use crate::clock::Clock;
use crate::dial::{AddressError, DialError, MasterAddress, dial};
use crate::identity::authority::new_target_request;
use crate::identity::tls::{ALPN_ENLIST, EncryptionOption, Trust};
use crate::identity::{FileSealer, IdentityError};
use crate::services::option_of;
use catalog::{
    AuditEntry, Catalog, CatalogError, DefinitionsWrite, EnlistmentRow, SettingValue, TargetCursor,
};
use fleet::enlist::EnlistCall;
use fleet::message::{EnlistReply, EnlistRequest, Proof, Refusal, TargetFacts};
use fleet::{numbers, version};
use jiff::{Span, Timestamp};
use model::{Cursor, Enlistment, MSX_OPERATOR, Operator, OperatorId};
use msdb::settings::MSX_ENCRYPT_CHANNEL_OPTIONS;
use rustls::pki_types::CertificateDer;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Longest an enlistment may take. Source: agent fact sheet, login time-out, default 30 s.
pub const ENLIST_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause before the master is asked again whose answer was lost.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// What sealed client keys are sealed for.
pub const CLIENT_KEY_CONTEXT: &str = "enlistment key";

/// What the target asks with.
pub struct Applicant {
    /// Where the membership is stored.
    pub catalog: Catalog,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Seals the client key.
    pub sealer: Arc<FileSealer>,
    /// Authorities given by `--master-ca`.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Version of this program.
    pub program_version: String,
}

/// One application.
pub struct Application {
    /// The master as the administrator wrote it.
    pub master: String,
    /// Why it should take us.
    pub proof: Proof,
    /// Certificate that a token pins.
    pub pin: Option<[u8; 32]>,
    /// How strictly the master's certificate is checked.
    pub encryption: EncryptionOption,
    /// Free text.
    pub location: Option<String>,
    /// Login on this instance that asks.
    pub requested_by: String,
}

/// A membership that is stored.
pub struct Membership {
    /// The master's name.
    pub master_name: String,
    /// Whether there was one at this master already.
    pub renewed: bool,
}

/// Why there is no membership.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnlistError {
    /// This instance or the master refused, with a number.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The address can't be used.
    #[error("the master server's address is not usable")]
    Address(#[from] AddressError),
    /// Not reached or not trusted.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Option 0: nothing would vouch for either end.
    #[error("encryption option 0 is not supported; use 1 or 2")]
    Unencrypted,
    /// The conversation broke off.
    #[error("the conversation with the master server broke off")]
    Broken(#[source] io::Error),
    /// No answer in time.
    #[error("the master server did not answer within {} seconds", ENLIST_TIMEOUT.as_secs())]
    Timeout,
    /// No key could be made or sealed.
    #[error("make the target's key")]
    Identity(#[from] IdentityError),
    /// The membership was given and could not be stored; enlist again.
    #[error("store the enlistment")]
    Catalog(#[from] CatalogError),
}

impl Applicant {
    /// Asks and stores. Holds no lock while it waits.
    ///
    /// # Errors
    /// [`EnlistError`]; nothing is stored here then.
    pub async fn enlist(
        self: Arc<Self>,
        application: Application,
    ) -> Result<Membership, EnlistError> {
        let address: MasterAddress = application.master.parse()?;
        if application.encryption == EncryptionOption::None {
            return Err(EnlistError::Unencrypted);
        }
        let Prepared { request, key } = self.prepare(&application)?;
        let reply = self
            .ask_until_answered(&address, &application, &request)
            .await?;
        tokio::task::spawn_blocking(move || self.store(&address, &application, &reply, &key))
            .await
            .map_err(|error| EnlistError::Broken(io::Error::other(error)))?
    }

    /// Checks what this instance can check alone, and makes key and request.
    fn prepare(&self, application: &Application) -> Result<Prepared, EnlistError> {
        let cursor = self.catalog.runs_read(|read| read.target_cursor())?;
        let (instance, enlistment, is_master) = self.catalog.definitions_read(|read| {
            // Whoever has targets is a master; an operator named MSXOperator alone does not make one that
            // could not enlist.
            Ok::<_, CatalogError>((
                read.instance()?,
                read.enlistment()?,
                read.target_count()? > 0,
            ))
        })?;
        if is_master {
            return Err(Refusal {
                number: numbers::IS_A_MASTER,
                text: format!(
                    "The server '{}' is a master server; it cannot enlist in another.",
                    instance.name
                ),
                retry_after: Duration::ZERO,
            }
            .into());
        }
        let (request_der, key) = new_target_request(&instance.name)?;
        let now = self.clock.now();
        let request = EnlistRequest {
            version: version::PROTOCOL_VERSION,
            proof: application.proof.clone(),
            instance: instance.id,
            facts: TargetFacts {
                name: instance.name,
                location: application.location.clone(),
                utc_offset_minutes: self.clock.offset_minutes(now),
                program_version: self.program_version.clone(),
            },
            request_der,
            // The cursor outlives a defection.
            previous_generation: enlistment
                .as_ref()
                .map(|row| row.enlistment.generation)
                .max(cursor.map(|cursor| cursor.generation)),
            enlisted_at: enlistment.map(|row| row.enlistment.master_id),
            requested_by: application.requested_by.clone(),
        };
        Ok(Prepared { request, key })
    }

    /// Asks, and asks again where the answer was lost: the master may have taken us, and knows the request
    /// by its key. A master that is busy is asked again when it says.
    async fn ask_until_answered(
        &self,
        address: &MasterAddress,
        application: &Application,
        request: &EnlistRequest,
    ) -> Result<EnlistReply, EnlistError> {
        let mut asked = false;
        let mut last = None;
        let answered = async {
            loop {
                let failed = match self.ask(address, application, request, &mut asked).await {
                    Err(error) => error,
                    answered @ Ok(_) => return answered,
                };
                let pause = match &failed {
                    EnlistError::Broken(source) if source.kind() == io::ErrorKind::InvalidData => {
                        return Err(failed);
                    }
                    EnlistError::Broken(_) | EnlistError::Dial(_) if asked => ASK_AGAIN_AFTER,
                    EnlistError::Refused(refusal) if !refusal.retry_after.is_zero() => {
                        refusal.retry_after
                    }
                    EnlistError::Broken(_)
                    | EnlistError::Dial(_)
                    | EnlistError::Refused(_)
                    | EnlistError::Address(_)
                    | EnlistError::Unencrypted
                    | EnlistError::Timeout
                    | EnlistError::Identity(_)
                    | EnlistError::Catalog(_) => return Err(failed),
                };
                last = Some(failed);
                tokio::time::sleep(pause).await;
            }
        };
        match tokio::time::timeout(ENLIST_TIMEOUT, answered).await {
            Ok(answer) => answer,
            Err(_) => Err(last.unwrap_or(EnlistError::Timeout)),
        }
    }

    async fn ask(
        &self,
        address: &MasterAddress,
        application: &Application,
        request: &EnlistRequest,
        asked: &mut bool,
    ) -> Result<EnlistReply, EnlistError> {
        let trust = Trust {
            option: application.encryption,
            authorities: self.authorities.clone(),
            pin: application.pin,
        };
        let mut stream = dial(address, trust, None, ALPN_ENLIST).await?;
        *asked = true;
        let mut call = EnlistCall::new(request, self.clock.moment());
        while let Some(frames) = call.poll_transmit() {
            write_frames(&mut stream, &frames)
                .await
                .map_err(EnlistError::Broken)?;
        }
        let body = read_message(&mut stream, call.message_bytes_max(), call.deadline())
            .await
            .map_err(EnlistError::Broken)?;
        let answer = call.handle_frame(&body).map_err(|error| {
            EnlistError::Broken(io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        Ok(answer?)
    }

    fn store(
        &self,
        address: &MasterAddress,
        application: &Application,
        reply: &EnlistReply,
        key: &[u8],
    ) -> Result<Membership, EnlistError> {
        let now = self.clock.now();
        let row = EnlistmentRow {
            enlistment: Enlistment {
                master_name: reply.master_name.clone(),
                master_address: address.to_string(),
                master_id: reply.master,
                generation: reply.generation,
                enlisted: now,
                poll_interval_secs: reply.poll_interval_secs,
            },
            location: application.location.clone(),
            encryption: u8::try_from(application.encryption.code()).unwrap_or(2),
            pinned_ca_pem: pem_of([reply.ca_der.as_slice()]),
            certificate_pem: pem_of(reply.chain_der.iter().map(Vec::as_slice)),
            certificate_expires: expiry(now),
            sealed_key: self.sealer.seal(CLIENT_KEY_CONTEXT, key)?,
        };
        // The cursor first: should we die in between, a cursor of a generation that is not enlisted harms
        // nobody, and the old enlistment's certificate is no longer taken by the master anyway.
        self.catalog.runs_write(|write| {
            write.reset_cursor(&TargetCursor {
                generation: reply.generation,
                cursor: Cursor::START,
            })
        })?;
        let renewed = self.catalog.definitions_write(|write| {
            let renewed = write.enlistment()?.is_some();
            write.set_enlistment(&row)?;
            set_msx_operator(write, reply.operator.as_ref())?;
            // Later connections follow the setting, so an option given for this enlistment becomes it.
            let option = application.encryption;
            if option_of(write.setting(MSX_ENCRYPT_CHANNEL_OPTIONS)?) != option {
                let value = SettingValue::Number(option.code());
                write.set_setting(MSX_ENCRYPT_CHANNEL_OPTIONS, Some(&value))?;
            }
            write.audit(&AuditEntry {
                at: now,
                principal: application.requested_by.clone(),
                action: "enlist".to_owned(),
                object: reply.master_name.clone(),
                detail: Some(format!(
                    "at {address}, generation {}, encryption option {}",
                    reply.generation.0,
                    option.code()
                )),
            })?;
            Ok::<_, CatalogError>(renewed)
        })?;
        Ok(Membership {
            master_name: reply.master_name.clone(),
            renewed,
        })
    }
}

/// A request that is ready to be sent, and the key that stays here.
struct Prepared {
    request: EnlistRequest,
    key: Vec<u8>,
}

/// When a certificate issued now ends; the master's clock may differ, so renewal starts well before.
#[must_use]
pub fn expiry(now: Timestamp) -> Option<Timestamp> {
    let hours = crate::identity::authority::TARGET_CERTIFICATE_DAYS * 24;
    now.checked_add(Span::new().hours(hours)).ok()
}

/// Takes the master's MSXOperator, or none, in the place of the one here.
///
/// # Errors
/// What the catalog says.
pub fn set_msx_operator(
    write: &mut dyn DefinitionsWrite,
    operator: Option<&Operator>,
) -> Result<(), CatalogError> {
    let here = write.operator_by_name(MSX_OPERATOR)?;
    match (here, operator) {
        (Some(here), Some(operator)) => write.update_operator(&Operator {
            id: here.id,
            ..operator.clone()
        }),
        (None, Some(operator)) => write
            .create_operator(&Operator {
                id: OperatorId(0),
                ..operator.clone()
            })
            .map(|_| ()),
        (Some(here), None) => write.delete_operator(here.id, None),
        (None, None) => Ok(()),
    }
}

/// Certificates as PEM, one after the other.
pub(crate) fn pem_of<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> String {
    certificates
        .into_iter()
        .map(|der| pem::encode(&pem::Pem::new("CERTIFICATE", der)))
        .collect()
}
