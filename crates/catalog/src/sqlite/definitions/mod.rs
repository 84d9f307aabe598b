//! Definitions on SQLite: the traits' methods, one line each, told to the module that does them.

mod downloads;
mod instance;
mod jobs;
mod operators;
mod principals;
mod proxies;
mod schedules;
mod targets;

use super::codec::Db;
use super::log::TxLog;
use super::writer::in_savepoint;
use crate::{
    Alert, AuditEntry, AuditRecord, CatalogError, Category, CategoryClass, CategoryKind, Change,
    Credential, DatabaseUser, DefinitionsRead, DefinitionsWrite, DeletedJob, DownloadFilter,
    DownloadRow, EnlistmentRow, Grant, GrantClass, Instance, JobDeletion, JobFilter, JobSchedule,
    JobServer, Login, NewInstance, NewInstruction, NewTarget, Notification, OriginatingServer,
    PostedInstruction, Proxy, ProxyLogin, ProxySubsystem, Result, RoleMember, ScheduleRow,
    SettingValue, SubsystemInfo, TargetFilter, TargetGroup, TargetGroupMember, TargetServer, Token,
};
use jiff::Timestamp;
use model::{
    CategoryId, InstanceId, InstructionNumber, Job, JobDocument, JobId, JobStep, Operator,
    OperatorId, Schedule, ScheduleId, ScheduleUid, ServerId, StepUid,
};
use rusqlite::Connection;
use uuid::Uuid;

/// Definitions on a connection: on a reader's snapshot, or in a writer's transaction.
pub(crate) struct Definitions<'c> {
    db: Db<'c>,
    /// `None` on a reader.
    log: Option<&'c mut TxLog>,
}

impl<'c> Definitions<'c> {
    /// For queries alone.
    pub(crate) const fn reading(connection: &'c Connection) -> Self {
        Self {
            db: Db(connection),
            log: None,
        }
    }

    /// For commands too.
    pub(crate) const fn writing(connection: &'c Connection, log: &'c mut TxLog) -> Self {
        Self {
            db: Db(connection),
            log: Some(log),
        }
    }

    /// The instance, if the catalog has been made.
    pub(crate) fn stored_instance(&self) -> Result<Option<Instance>> {
        instance::stored_instance(self.db)
    }

    /// Writes what a new catalog begins with.
    pub(crate) fn create_instance(&mut self, new: &NewInstance) -> Result<()> {
        instance::create_instance(self, new)
    }

    /// Notes a change to publish after the commit.
    fn change(&mut self, change: Change) {
        if let Some(log) = &mut self.log {
            log.change(change);
        }
    }

    /// Notes a command whose commit has crash points of its own.
    fn mark(&mut self, name: &'static str) {
        if let Some(log) = &mut self.log {
            log.mark(name);
        }
    }

    /// Runs a command of several statements whole or not at all.
    fn atomically<T>(
        &mut self,
        command: impl FnOnce(&mut Definitions<'_>) -> Result<T>,
    ) -> Result<T> {
        let log = self.log.as_deref_mut().ok_or(CatalogError::Closed)?;
        in_savepoint(self.db.0, log, |connection, log| {
            command(&mut Definitions::writing(connection, log))
        })
    }
}

macro_rules! queries {
    ($($module:ident :: $name:ident ( $($arg:ident : $ty:ty),* ) -> $ret:ty;)*) => {
        $(fn $name(&self $(, $arg: $ty)*) -> $ret {
            $module::$name(self.db $(, $arg)*)
        })*
    };
}

macro_rules! commands {
    ($($module:ident :: $name:ident ( $($arg:ident : $ty:ty),* ) -> $ret:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $ty)*) -> $ret {
            $module::$name(self $(, $arg)*)
        })*
    };
}

impl DefinitionsRead for Definitions<'_> {
    queries! {
        instance::instance() -> Result<Instance>;
        jobs::job(id: JobId) -> Result<Option<Job>>;
        jobs::jobs_by_name(name: &str) -> Result<Vec<Job>>;
        jobs::jobs(filter: &JobFilter) -> Result<Vec<Job>>;
        jobs::job_count(filter: &JobFilter) -> Result<u64>;
        jobs::job_document(id: JobId) -> Result<Option<JobDocument>>;
        jobs::steps(job: JobId) -> Result<Vec<JobStep>>;
        jobs::step(job: JobId, step_id: i32) -> Result<Option<JobStep>>;
        jobs::step_by_uid(uid: StepUid) -> Result<Option<(JobId, JobStep)>>;
        jobs::steps_page(after: Option<(JobId, i32)>, limit: usize) -> Result<Vec<(JobId, JobStep)>>;
        jobs::step_counts(job: Option<JobId>) -> Result<Vec<(JobId, u32)>>;
        jobs::steps_using_proxy(proxy_name: &str) -> Result<Vec<(JobId, JobStep)>>;
        schedules::schedule(id: ScheduleId) -> Result<Option<ScheduleRow>>;
        schedules::schedule_by_uid(uid: ScheduleUid) -> Result<Option<ScheduleRow>>;
        schedules::schedules_by_name(name: &str) -> Result<Vec<ScheduleRow>>;
        schedules::schedules() -> Result<Vec<ScheduleRow>>;
        schedules::schedules_of_job(job: JobId) -> Result<Vec<ScheduleRow>>;
        schedules::job_schedules(job: Option<JobId>, schedule: Option<ScheduleId>) -> Result<Vec<JobSchedule>>;
        jobs::job_servers(job: Option<JobId>, server: Option<ServerId>) -> Result<Vec<JobServer>>;
        operators::category(id: CategoryId) -> Result<Option<Category>>;
        operators::category_by_name(class: CategoryClass, name: &str) -> Result<Option<Category>>;
        operators::categories() -> Result<Vec<Category>>;
        operators::operator(id: OperatorId) -> Result<Option<Operator>>;
        operators::operator_by_name(name: &str) -> Result<Option<Operator>>;
        operators::operators() -> Result<Vec<Operator>>;
        jobs::jobs_notifying(operator: OperatorId) -> Result<Vec<Job>>;
        operators::alert(id: i64) -> Result<Option<Alert>>;
        operators::alert_by_name(name: &str) -> Result<Option<Alert>>;
        operators::alerts() -> Result<Vec<Alert>>;
        operators::notifications(alert: Option<i64>, operator: Option<OperatorId>) -> Result<Vec<Notification>>;
        proxies::proxy(id: i64) -> Result<Option<Proxy>>;
        proxies::proxy_by_name(name: &str) -> Result<Option<Proxy>>;
        proxies::proxies() -> Result<Vec<Proxy>>;
        proxies::proxy_logins(proxy: Option<i64>) -> Result<Vec<ProxyLogin>>;
        proxies::proxy_subsystems(proxy: Option<i64>) -> Result<Vec<ProxySubsystem>>;
        proxies::subsystems() -> Result<Vec<SubsystemInfo>>;
        proxies::credential(id: i64) -> Result<Option<Credential>>;
        proxies::credential_by_name(name: &str) -> Result<Option<Credential>>;
        proxies::credentials() -> Result<Vec<Credential>>;
        targets::target(id: ServerId) -> Result<Option<TargetServer>>;
        targets::target_by_name(name: &str) -> Result<Option<TargetServer>>;
        targets::target_by_instance(instance: InstanceId) -> Result<Option<TargetServer>>;
        targets::targets(filter: &TargetFilter) -> Result<Vec<TargetServer>>;
        targets::target_count() -> Result<u64>;
        targets::target_groups() -> Result<Vec<TargetGroup>>;
        targets::target_group_by_name(name: &str) -> Result<Option<TargetGroup>>;
        targets::target_group_members(group: Option<i64>) -> Result<Vec<TargetGroupMember>>;
        downloads::download_list(filter: &DownloadFilter) -> Result<Vec<DownloadRow>>;
        downloads::instruction(server: ServerId, number: InstructionNumber) -> Result<Option<DownloadRow>>;
        downloads::instructions_after(server: ServerId, after: InstructionNumber, limit: usize) -> Result<Vec<DownloadRow>>;
        targets::enlistment() -> Result<Option<EnlistmentRow>>;
        targets::originating_servers() -> Result<Vec<OriginatingServer>>;
        principals::token(id: &str) -> Result<Option<Token>>;
        principals::login(name: &str) -> Result<Option<Login>>;
        principals::login_by_sid(sid: &[u8]) -> Result<Option<Login>>;
        principals::logins() -> Result<Vec<Login>>;
        principals::role_members(database: &str) -> Result<Vec<RoleMember>>;
        principals::is_role_member(database: &str, role: &str, member: &str) -> Result<bool>;
        principals::database_user(database: &str, name: &str) -> Result<Option<DatabaseUser>>;
        principals::database_user_by_sid(database: &str, sid: &[u8]) -> Result<Option<DatabaseUser>>;
        principals::database_users(database: &str) -> Result<Vec<DatabaseUser>>;
        principals::grants(database: &str) -> Result<Vec<Grant>>;
        instance::setting(key: &str) -> Result<Option<SettingValue>>;
        instance::settings(prefix: &str) -> Result<Vec<(String, SettingValue)>>;
        instance::agent_info() -> Result<Vec<(String, String)>>;
        instance::audit_rows(after: i64, limit: usize) -> Result<Vec<AuditRecord>>;
        jobs::deleted_jobs(limit: usize) -> Result<Vec<DeletedJob>>;
    }
}

impl DefinitionsWrite for Definitions<'_> {
    commands! {
        instance::rename_instance(name: &str) -> Result<()>;
        instance::new_incarnation() -> Result<u64>;
        jobs::create_job(job: &Job) -> Result<()>;
        jobs::update_job(job: &Job) -> Result<()>;
        jobs::touch_job(job: JobId, now: Timestamp) -> Result<()>;
        jobs::delete_job(job: JobId, deletion: JobDeletion, now: Timestamp) -> Result<Vec<ScheduleId>>;
        jobs::replace_steps(job: JobId, steps: &[JobStep]) -> Result<()>;
        jobs::append_step(job: JobId, step: &JobStep) -> Result<()>;
        jobs::update_step(job: JobId, step: &JobStep) -> Result<()>;
        jobs::apply_job(document: &JobDocument) -> Result<()>;
        jobs::apply_job_header(document: &JobDocument) -> Result<bool>;
        jobs::delete_downloaded_jobs(now: Timestamp) -> Result<Vec<JobId>>;
        schedules::create_schedule(schedule: &Schedule) -> Result<ScheduleId>;
        schedules::update_schedule(id: ScheduleId, schedule: &Schedule) -> Result<()>;
        schedules::delete_schedule(id: ScheduleId) -> Result<()>;
        schedules::attach_schedule(job: JobId, schedule: ScheduleId) -> Result<bool>;
        schedules::detach_schedule(job: JobId, schedule: ScheduleId) -> Result<()>;
        jobs::add_job_server(job: JobId, server: ServerId, instruction: Option<&NewInstruction>) -> Result<Option<PostedInstruction>>;
        jobs::remove_job_server(job: JobId, server: ServerId, instruction: Option<&NewInstruction>) -> Result<Option<PostedInstruction>>;
        operators::create_category(class: CategoryClass, kind: CategoryKind, name: &str) -> Result<CategoryId>;
        operators::rename_category(id: CategoryId, name: &str) -> Result<()>;
        operators::delete_category(id: CategoryId) -> Result<()>;
        operators::create_operator(operator: &Operator) -> Result<OperatorId>;
        operators::update_operator(operator: &Operator) -> Result<()>;
        operators::delete_operator(id: OperatorId, reassign_to: Option<OperatorId>) -> Result<()>;
        operators::create_alert(alert: &Alert) -> Result<i64>;
        operators::update_alert(alert: &Alert) -> Result<()>;
        operators::delete_alert(id: i64) -> Result<()>;
        operators::create_notification(notification: &Notification) -> Result<()>;
        operators::update_notification(notification: &Notification) -> Result<()>;
        operators::delete_notification(alert: i64, operator: OperatorId) -> Result<()>;
        proxies::create_proxy(proxy: &Proxy) -> Result<i64>;
        proxies::update_proxy(proxy: &Proxy) -> Result<()>;
        proxies::delete_proxy(id: i64) -> Result<()>;
        proxies::grant_proxy_login(grant: &ProxyLogin) -> Result<()>;
        proxies::revoke_proxy_login(proxy: i64, name: &str) -> Result<()>;
        proxies::grant_proxy_subsystem(grant: ProxySubsystem) -> Result<()>;
        proxies::revoke_proxy_subsystem(grant: ProxySubsystem) -> Result<()>;
        proxies::replace_subsystems(subsystems: &[SubsystemInfo]) -> Result<()>;
        proxies::create_credential(credential: &Credential) -> Result<i64>;
        proxies::update_credential(credential: &Credential) -> Result<()>;
        proxies::delete_credential(id: i64) -> Result<()>;
        targets::enlist_target(target: &NewTarget) -> Result<TargetServer>;
        targets::set_target_certificate(server: ServerId, fingerprint: &[u8], serial: &[u8], expires: Timestamp) -> Result<()>;
        targets::update_target(target: &TargetServer) -> Result<()>;
        targets::delete_target(server: ServerId) -> Result<()>;
        targets::create_target_group(name: &str) -> Result<i64>;
        targets::rename_target_group(id: i64, name: &str) -> Result<()>;
        targets::delete_target_group(id: i64) -> Result<()>;
        targets::add_target_group_member(member: TargetGroupMember) -> Result<()>;
        targets::remove_target_group_member(member: TargetGroupMember) -> Result<()>;
        downloads::post_instruction(server: ServerId, instruction: &NewInstruction) -> Result<PostedInstruction>;
        downloads::post_to_job_targets(job: JobId, instruction: &NewInstruction, fresh: &mut dyn FnMut() -> Uuid) -> Result<Vec<ServerId>>;
        downloads::delete_instruction(instance_id: i64) -> Result<()>;
        downloads::clear_instructions(server: ServerId, above: InstructionNumber) -> Result<u64>;
        downloads::raise_instruction_number(server: ServerId, number: InstructionNumber) -> Result<()>;
        downloads::trim_downloaded(server: ServerId, acknowledged: InstructionNumber, keep: usize) -> Result<u64>;
        targets::set_enlistment(enlistment: &EnlistmentRow) -> Result<()>;
        targets::clear_enlistment() -> Result<bool>;
        principals::create_token(token: &Token) -> Result<()>;
        principals::use_token(id: &str, now: Timestamp) -> Result<Option<Token>>;
        principals::trim_tokens(now: Timestamp) -> Result<u64>;
        principals::create_login(login: &Login) -> Result<i64>;
        principals::update_login(login: &Login) -> Result<()>;
        principals::delete_login(name: &str) -> Result<()>;
        principals::add_role_member(member: &RoleMember) -> Result<bool>;
        principals::remove_role_member(member: &RoleMember) -> Result<bool>;
        principals::create_database_user(user: &DatabaseUser) -> Result<i64>;
        principals::update_database_user(user: &DatabaseUser) -> Result<()>;
        principals::delete_database_user(database: &str, name: &str) -> Result<()>;
        principals::forget_database(database: &str) -> Result<()>;
        principals::forget_securable(database: &str, class: GrantClass, schema: &str, object: &str) -> Result<u64>;
        principals::set_grant(grant: &Grant) -> Result<()>;
        principals::clear_grant(grant: &Grant) -> Result<bool>;
        instance::set_setting(key: &str, value: Option<&SettingValue>) -> Result<()>;
        instance::set_agent_info(attribute: &str, value: Option<&str>) -> Result<()>;
        instance::audit(entry: &AuditEntry) -> Result<()>;
        jobs::forget_deleted_job(job: JobId) -> Result<()>;
    }
}
