//! Commands and queries on definitions: what administrators write.
//!
//! Names are compared without regard to case and trailing blanks ([`crate::name_key`]). A write of
//! something that isn't there is [`CatalogError::NotFound`](crate::CatalogError::NotFound), of a name that
//! is taken `AlreadyExists`. Permissions and msdb's range checks are the caller's. All fail with
//! `Storage`, `Full`, `ReadTimeout` or `Corrupt` when the store does.

use crate::{
    Alert, AuditEntry, AuditRecord, Category, CategoryClass, CategoryKind, Credential,
    DatabaseUser, DeletedJob, DownloadFilter, DownloadRow, EnlistmentRow, Grant, GrantClass,
    Instance, JobDeletion, JobFilter, JobSchedule, JobServer, Login, NewInstruction, NewTarget,
    Notification, OriginatingServer, PostedInstruction, Proxy, ProxyLogin, ProxySubsystem, Result,
    RoleMember, ScheduleRow, SettingValue, SubsystemInfo, TargetFilter, TargetGroup,
    TargetGroupMember, TargetServer, Token,
};
use jiff::Timestamp;
use model::{
    CategoryId, InstanceId, InstructionNumber, Job, JobDocument, JobId, JobStep, Operator,
    OperatorId, Schedule, ScheduleId, ScheduleUid, ServerId, StepUid,
};
use uuid::Uuid;

/// Queries on definitions. All of one call see the same snapshot.
pub trait DefinitionsRead {
    /// The instance.
    fn instance(&self) -> Result<Instance>;

    /// A job's header.
    fn job(&self, id: JobId) -> Result<Option<Job>>;
    /// All jobs of a name, whatever server they came from: local first.
    fn jobs_by_name(&self, name: &str) -> Result<Vec<Job>>;
    /// Jobs in order of their ids as stored.
    fn jobs(&self, filter: &JobFilter) -> Result<Vec<Job>>;
    /// How many jobs pass; `after` and `limit` count too.
    fn job_count(&self, filter: &JobFilter) -> Result<u64>;
    /// A whole job, as an INSERT instruction carries it.
    fn job_document(&self, id: JobId) -> Result<Option<JobDocument>>;
    /// A job's steps in order; empty for an unknown job.
    fn steps(&self, job: JobId) -> Result<Vec<JobStep>>;
    /// One step.
    fn step(&self, job: JobId, step_id: i32) -> Result<Option<JobStep>>;
    /// A step by its identity, with its job.
    fn step_by_uid(&self, uid: StepUid) -> Result<Option<(JobId, JobStep)>>;
    /// Steps of all jobs, in order of job id and step id, above `after`; at most `limit`.
    fn steps_page(
        &self,
        after: Option<(JobId, i32)>,
        limit: usize,
    ) -> Result<Vec<(JobId, JobStep)>>;
    /// How many steps jobs have, in order of their ids; jobs without steps are left out. One job, or all.
    fn step_counts(&self, job: Option<JobId>) -> Result<Vec<(JobId, u32)>>;
    /// Steps that run under a proxy.
    fn steps_using_proxy(&self, proxy_name: &str) -> Result<Vec<(JobId, JobStep)>>;

    /// A schedule by number.
    fn schedule(&self, id: ScheduleId) -> Result<Option<ScheduleRow>>;
    /// A schedule by identity.
    fn schedule_by_uid(&self, uid: ScheduleUid) -> Result<Option<ScheduleRow>>;
    /// All schedules of a name, by number.
    fn schedules_by_name(&self, name: &str) -> Result<Vec<ScheduleRow>>;
    /// All schedules, by number.
    fn schedules(&self) -> Result<Vec<ScheduleRow>>;
    /// Schedules attached to a job, by number.
    fn schedules_of_job(&self, job: JobId) -> Result<Vec<ScheduleRow>>;
    /// Attachments, of one job and of one schedule where given.
    fn job_schedules(
        &self,
        job: Option<JobId>,
        schedule: Option<ScheduleId>,
    ) -> Result<Vec<JobSchedule>>;

    /// Targets of jobs, of one job and on one server where given.
    fn job_servers(&self, job: Option<JobId>, server: Option<ServerId>) -> Result<Vec<JobServer>>;

    /// A category by number.
    fn category(&self, id: CategoryId) -> Result<Option<Category>>;
    /// A category by name.
    fn category_by_name(&self, class: CategoryClass, name: &str) -> Result<Option<Category>>;
    /// All categories, by number.
    fn categories(&self) -> Result<Vec<Category>>;

    /// An operator by number.
    fn operator(&self, id: OperatorId) -> Result<Option<Operator>>;
    /// An operator by name.
    fn operator_by_name(&self, name: &str) -> Result<Option<Operator>>;
    /// All operators, by number.
    fn operators(&self) -> Result<Vec<Operator>>;
    /// Jobs that tell an operator by any method.
    fn jobs_notifying(&self, operator: OperatorId) -> Result<Vec<Job>>;

    /// An alert by number.
    fn alert(&self, id: i64) -> Result<Option<Alert>>;
    /// An alert by name.
    fn alert_by_name(&self, name: &str) -> Result<Option<Alert>>;
    /// All alerts, by number.
    fn alerts(&self) -> Result<Vec<Alert>>;
    /// Notifications, of one alert and of one operator where given.
    fn notifications(
        &self,
        alert: Option<i64>,
        operator: Option<OperatorId>,
    ) -> Result<Vec<Notification>>;

    /// A proxy by number.
    fn proxy(&self, id: i64) -> Result<Option<Proxy>>;
    /// A proxy by name.
    fn proxy_by_name(&self, name: &str) -> Result<Option<Proxy>>;
    /// All proxies, by number.
    fn proxies(&self) -> Result<Vec<Proxy>>;
    /// Principals granted a proxy; of all proxies when `None`.
    fn proxy_logins(&self, proxy: Option<i64>) -> Result<Vec<ProxyLogin>>;
    /// Subsystems of a proxy; of all proxies when `None`.
    fn proxy_subsystems(&self, proxy: Option<i64>) -> Result<Vec<ProxySubsystem>>;
    /// Subsystems the Agent knows, by number.
    fn subsystems(&self) -> Result<Vec<SubsystemInfo>>;

    /// A credential by number.
    fn credential(&self, id: i64) -> Result<Option<Credential>>;
    /// A credential by name.
    fn credential_by_name(&self, name: &str) -> Result<Option<Credential>>;
    /// All credentials, by number.
    fn credentials(&self) -> Result<Vec<Credential>>;

    /// A target by number.
    fn target(&self, id: ServerId) -> Result<Option<TargetServer>>;
    /// A target by name.
    fn target_by_name(&self, name: &str) -> Result<Option<TargetServer>>;
    /// The target that an instance is enlisted as.
    fn target_by_instance(&self, instance: InstanceId) -> Result<Option<TargetServer>>;
    /// Targets, by number.
    fn targets(&self, filter: &TargetFilter) -> Result<Vec<TargetServer>>;
    /// How many targets are enlisted.
    fn target_count(&self) -> Result<u64>;
    /// All groups, by number.
    fn target_groups(&self) -> Result<Vec<TargetGroup>>;
    /// A group by name.
    fn target_group_by_name(&self, name: &str) -> Result<Option<TargetGroup>>;
    /// Members of a group; of all groups when `None`.
    fn target_group_members(&self, group: Option<i64>) -> Result<Vec<TargetGroupMember>>;

    /// Instructions, by `instance_id`.
    fn download_list(&self, filter: &DownloadFilter) -> Result<Vec<DownloadRow>>;
    /// One instruction of a target.
    fn instruction(
        &self,
        server: ServerId,
        number: InstructionNumber,
    ) -> Result<Option<DownloadRow>>;
    /// A target's instructions above `after`, in order of their numbers; at most `limit`.
    fn instructions_after(
        &self,
        server: ServerId,
        after: InstructionNumber,
        limit: usize,
    ) -> Result<Vec<DownloadRow>>;

    /// This instance's enlistment; `None` when it is not a target.
    fn enlistment(&self) -> Result<Option<EnlistmentRow>>;
    /// Servers that jobs came from, by number.
    fn originating_servers(&self) -> Result<Vec<OriginatingServer>>;

    /// An enlistment token by its public half.
    fn token(&self, id: &str) -> Result<Option<Token>>;

    /// A login by name.
    fn login(&self, name: &str) -> Result<Option<Login>>;
    /// A login by SID.
    fn login_by_sid(&self, sid: &[u8]) -> Result<Option<Login>>;
    /// All logins, by number.
    fn logins(&self) -> Result<Vec<Login>>;
    /// Members of roles of a database, or of the server's roles for an empty name.
    fn role_members(&self, database: &str) -> Result<Vec<RoleMember>>;
    /// Whether a user (or login, for server roles with an empty database) is a direct member of a role.
    fn is_role_member(&self, database: &str, role: &str, member: &str) -> Result<bool>;
    /// A user or role of a database by name; a role of the server for an empty database.
    fn database_user(&self, database: &str, name: &str) -> Result<Option<DatabaseUser>>;
    /// The user of a database that has a SID: a login's, or the user's own. Never a role.
    fn database_user_by_sid(&self, database: &str, sid: &[u8]) -> Result<Option<DatabaseUser>>;
    /// All users and roles of a database, by number.
    fn database_users(&self, database: &str) -> Result<Vec<DatabaseUser>>;
    /// Permissions given and withheld in a database, or on the server for an empty name.
    fn grants(&self, database: &str) -> Result<Vec<Grant>>;

    /// A setting by key, without regard to case.
    fn setting(&self, key: &str) -> Result<Option<SettingValue>>;
    /// Settings whose keys begin with `prefix`, in order of their keys.
    fn settings(&self, prefix: &str) -> Result<Vec<(String, SettingValue)>>;
    /// Attributes of `sqlagent_info`, in order of their names.
    fn agent_info(&self) -> Result<Vec<(String, String)>>;
    /// Audit rows above `after`, oldest first; at most `limit`.
    fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRecord>>;
    /// Deleted jobs whose runs still wait for clean-up; at most `limit`.
    fn deleted_jobs(&self, limit: usize) -> Result<Vec<DeletedJob>>;
}

/// Commands on definitions. A failed command leaves the transaction as it was before it.
pub trait DefinitionsWrite: DefinitionsRead {
    /// Gives the instance another name.
    fn rename_instance(&mut self, name: &str) -> Result<()>;
    /// Starts a new incarnation, after a restore. Returns its number.
    fn new_incarnation(&mut self) -> Result<u64>;

    /// Stores a new job's header as given.
    ///
    /// # Errors
    /// `AlreadyExists` when the id, or the name among jobs of the same origin, is taken.
    fn create_job(&mut self, job: &Job) -> Result<()>;
    /// Replaces a job's header. Its version becomes the stored one plus one, whatever is given.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` when another job of the same origin has the name.
    fn update_job(&mut self, job: &Job) -> Result<()>;
    /// Raises a job's version and sets when it was modified, for changes of steps or schedules.
    ///
    /// # Errors
    /// `NotFound`.
    fn touch_job(&mut self, job: JobId, now: Timestamp) -> Result<()>;
    /// Deletes a job with its steps, attachments and targets, and remembers it for clean-up of the runs
    /// file. Posts nothing. Returns the schedules that were deleted with it.
    ///
    /// # Errors
    /// `NotFound`; `InUse` while an alert answers with it.
    fn delete_job(
        &mut self,
        job: JobId,
        deletion: JobDeletion,
        now: Timestamp,
    ) -> Result<Vec<ScheduleId>>;
    /// Replaces all steps of a job; their ids must be 1, 2, 3 … in order. Steps that stay equal are not
    /// written.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` for two steps of one name or uid; `OutOfRange` for ids with gaps.
    fn replace_steps(&mut self, job: JobId, steps: &[JobStep]) -> Result<()>;
    /// Adds a step after the last one.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` for its name or uid; `OutOfRange` when its id is not the next.
    fn append_step(&mut self, job: JobId, step: &JobStep) -> Result<()>;
    /// Replaces one step in place, found by its id.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` for its name.
    fn update_step(&mut self, job: JobId, step: &JobStep) -> Result<()>;

    /// Creates or replaces a downloaded job as its document says: header (category "Jobs from MSX",
    /// origin as in the document), steps, schedules and its local target. Schedules of the same origin
    /// that no job uses afterwards go.
    ///
    /// # Errors
    /// `AlreadyExists` when a job made here has the id, or another downloaded one has the name.
    fn apply_job(&mut self, document: &JobDocument) -> Result<()>;
    /// Replaces the header alone of a downloaded job. Returns false when the job isn't here.
    ///
    /// # Errors
    /// As [`DefinitionsWrite::apply_job`].
    fn apply_job_header(&mut self, document: &JobDocument) -> Result<bool>;
    /// Deletes all jobs and schedules downloaded from any master. Returns the jobs.
    fn delete_downloaded_jobs(&mut self, now: Timestamp) -> Result<Vec<JobId>>;

    /// Stores a new schedule. Returns its number.
    ///
    /// # Errors
    /// `AlreadyExists` for its uid.
    fn create_schedule(&mut self, schedule: &Schedule) -> Result<ScheduleId>;
    /// Replaces a schedule; its uid and creation stay, its version becomes the stored one plus one.
    ///
    /// # Errors
    /// `NotFound`.
    fn update_schedule(&mut self, id: ScheduleId, schedule: &Schedule) -> Result<()>;
    /// Deletes a schedule and its attachments.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_schedule(&mut self, id: ScheduleId) -> Result<()>;
    /// Attaches a schedule to a job; attaching it twice changes nothing. Returns whether it is new.
    ///
    /// # Errors
    /// `NotFound` for the job or the schedule.
    fn attach_schedule(&mut self, job: JobId, schedule: ScheduleId) -> Result<bool>;
    /// Detaches a schedule from a job.
    ///
    /// # Errors
    /// `NotFound` when it is not attached.
    fn detach_schedule(&mut self, job: JobId, schedule: ScheduleId) -> Result<()>;

    /// Adds a target to a job and, where given, posts the instruction to it in the same breath.
    ///
    /// # Errors
    /// `NotFound` for the job or the server; `AlreadyExists`.
    fn add_job_server(
        &mut self,
        job: JobId,
        server: ServerId,
        instruction: Option<&NewInstruction>,
    ) -> Result<Option<PostedInstruction>>;
    /// Removes a target from a job and, where given, posts the instruction to it in the same breath.
    ///
    /// # Errors
    /// `NotFound` when the job does not target the server.
    fn remove_job_server(
        &mut self,
        job: JobId,
        server: ServerId,
        instruction: Option<&NewInstruction>,
    ) -> Result<Option<PostedInstruction>>;

    /// Makes a category. Returns its number, 100 or above.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_category(
        &mut self,
        class: CategoryClass,
        kind: CategoryKind,
        name: &str,
    ) -> Result<CategoryId>;
    /// Renames a category.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn rename_category(&mut self, id: CategoryId, name: &str) -> Result<()>;
    /// Deletes a category; jobs, alerts and operators in it fall back to the uncategorized one of its
    /// class and kind. A built-in one is `InUse`.
    ///
    /// # Errors
    /// `NotFound`, `InUse`.
    fn delete_category(&mut self, id: CategoryId) -> Result<()>;

    /// Makes an operator; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_operator(&mut self, operator: &Operator) -> Result<OperatorId>;
    /// Replaces an operator, found by its id.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_operator(&mut self, operator: &Operator) -> Result<()>;
    /// Deletes an operator with its notifications; jobs that tell it tell `reassign_to` instead, or no one.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_operator(&mut self, id: OperatorId, reassign_to: Option<OperatorId>) -> Result<()>;

    /// Makes an alert; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_alert(&mut self, alert: &Alert) -> Result<i64>;
    /// Replaces an alert, found by its id.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_alert(&mut self, alert: &Alert) -> Result<()>;
    /// Deletes an alert with its notifications.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_alert(&mut self, id: i64) -> Result<()>;
    /// Makes a notification.
    ///
    /// # Errors
    /// `NotFound` for the alert or the operator; `AlreadyExists`.
    fn create_notification(&mut self, notification: &Notification) -> Result<()>;
    /// Replaces a notification's method.
    ///
    /// # Errors
    /// `NotFound`.
    fn update_notification(&mut self, notification: &Notification) -> Result<()>;
    /// Deletes a notification.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_notification(&mut self, alert: i64, operator: OperatorId) -> Result<()>;

    /// Makes a proxy; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `NotFound` for the credential; `AlreadyExists`.
    fn create_proxy(&mut self, proxy: &Proxy) -> Result<i64>;
    /// Replaces a proxy, found by its id. Steps that name it follow a new name.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_proxy(&mut self, proxy: &Proxy) -> Result<()>;
    /// Deletes a proxy with its grants.
    ///
    /// # Errors
    /// `NotFound`; `InUse` while steps run under it.
    fn delete_proxy(&mut self, id: i64) -> Result<()>;
    /// Grants a proxy to a principal.
    ///
    /// # Errors
    /// `NotFound` for the proxy; `AlreadyExists`.
    fn grant_proxy_login(&mut self, grant: &ProxyLogin) -> Result<()>;
    /// Takes a proxy from a principal.
    ///
    /// # Errors
    /// `NotFound`.
    fn revoke_proxy_login(&mut self, proxy: i64, name: &str) -> Result<()>;
    /// Grants a proxy for a subsystem.
    ///
    /// # Errors
    /// `NotFound` for the proxy or the subsystem; `AlreadyExists`.
    fn grant_proxy_subsystem(&mut self, grant: ProxySubsystem) -> Result<()>;
    /// Takes a subsystem from a proxy.
    ///
    /// # Errors
    /// `NotFound`.
    fn revoke_proxy_subsystem(&mut self, grant: ProxySubsystem) -> Result<()>;
    /// Says which subsystems the Agent knows; what was there goes.
    fn replace_subsystems(&mut self, subsystems: &[SubsystemInfo]) -> Result<()>;

    /// Makes a credential; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_credential(&mut self, credential: &Credential) -> Result<i64>;
    /// Replaces a credential, found by its id.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_credential(&mut self, credential: &Credential) -> Result<()>;
    /// Deletes a credential.
    ///
    /// # Errors
    /// `NotFound`; `InUse` while a proxy runs under it.
    fn delete_credential(&mut self, id: i64) -> Result<()>;

    /// Enlists a target, or enlists one of the same name anew: it gets a generation that no enlistment had
    /// before. A name known already keeps its number, its jobs and its queue; its certificate is forgotten.
    ///
    /// # Errors
    /// `AlreadyExists` when the instance is enlisted under another name.
    fn enlist_target(&mut self, target: &NewTarget) -> Result<TargetServer>;
    /// Stores a target's certificate.
    ///
    /// # Errors
    /// `NotFound`.
    fn set_target_certificate(
        &mut self,
        server: ServerId,
        fingerprint: &[u8],
        serial: &[u8],
        expires: Timestamp,
    ) -> Result<()>;
    /// Replaces a target's name, location, offset, poll interval and version; everything else stays.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_target(&mut self, target: &TargetServer) -> Result<()>;
    /// Deletes a target with its place in jobs and groups and its whole queue.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_target(&mut self, server: ServerId) -> Result<()>;
    /// Makes a group. Returns its number.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_target_group(&mut self, name: &str) -> Result<i64>;
    /// Renames a group.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn rename_target_group(&mut self, id: i64, name: &str) -> Result<()>;
    /// Deletes a group; its members stay enlisted.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_target_group(&mut self, id: i64) -> Result<()>;
    /// Adds a target to a group.
    ///
    /// # Errors
    /// `NotFound` for either; `AlreadyExists`.
    fn add_target_group_member(&mut self, member: TargetGroupMember) -> Result<()>;
    /// Takes a target from a group.
    ///
    /// # Errors
    /// `NotFound`.
    fn remove_target_group_member(&mut self, member: TargetGroupMember) -> Result<()>;

    /// Posts an instruction under the target's next number.
    ///
    /// # Errors
    /// `NotFound` for the target; `AlreadyExists` for the uid.
    fn post_instruction(
        &mut self,
        server: ServerId,
        instruction: &NewInstruction,
    ) -> Result<PostedInstruction>;
    /// Posts an instruction to every target of a job, each with an identity from `fresh` (and for START a
    /// run id from it too). Returns the targets posted to.
    ///
    /// # Errors
    /// `AlreadyExists` for a uid.
    fn post_to_job_targets(
        &mut self,
        job: JobId,
        instruction: &NewInstruction,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<Vec<ServerId>>;
    /// Deletes one instruction from `sysdownloadlist`.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_instruction(&mut self, instance_id: i64) -> Result<()>;
    /// Deletes a target's instructions above a number (0: all). Numbers are not reused. Returns how many.
    fn clear_instructions(&mut self, server: ServerId, above: InstructionNumber) -> Result<u64>;
    /// Makes sure that the next instruction of a target gets a number above `number`: after a restore its
    /// queue may be behind what the target has done. Never goes back.
    ///
    /// # Errors
    /// `NotFound` for the target.
    fn raise_instruction_number(
        &mut self,
        server: ServerId,
        number: InstructionNumber,
    ) -> Result<()>;
    /// Deletes a target's downloaded instructions (number ≤ `acknowledged`) but for the newest `keep`.
    /// Returns how many.
    fn trim_downloaded(
        &mut self,
        server: ServerId,
        acknowledged: InstructionNumber,
        keep: usize,
    ) -> Result<u64>;

    /// Stores or replaces this instance's enlistment, and its master as the one originating server.
    fn set_enlistment(&mut self, enlistment: &EnlistmentRow) -> Result<()>;
    /// Forgets the enlistment and the originating server. Returns whether there was one.
    fn clear_enlistment(&mut self) -> Result<bool>;

    /// Stores a token.
    ///
    /// # Errors
    /// `AlreadyExists`.
    fn create_token(&mut self, token: &Token) -> Result<()>;
    /// Takes one use of a token that has not ended; `None` when it is unknown, used up or past its end.
    fn use_token(&mut self, id: &str, now: Timestamp) -> Result<Option<Token>>;
    /// Deletes tokens that are past their end or used up. Returns how many.
    fn trim_tokens(&mut self, now: Timestamp) -> Result<u64>;

    /// Makes a login; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `AlreadyExists` for its name or SID.
    fn create_login(&mut self, login: &Login) -> Result<i64>;
    /// Replaces a login, found by its SID.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_login(&mut self, login: &Login) -> Result<()>;
    /// Deletes a login with its server roles and permissions; database users stay, without a login.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_login(&mut self, name: &str) -> Result<()>;
    /// Adds a member to a role; adding it twice changes nothing. Returns whether it is new.
    ///
    /// # Errors
    /// As the module says: whether role and member exist is the caller's check.
    fn add_role_member(&mut self, member: &RoleMember) -> Result<bool>;
    /// Removes a member from a role. Returns whether it was one.
    fn remove_role_member(&mut self, member: &RoleMember) -> Result<bool>;
    /// Makes a database user; its id is ignored. Returns the number.
    ///
    /// # Errors
    /// `AlreadyExists` for its name or SID in the database.
    fn create_database_user(&mut self, user: &DatabaseUser) -> Result<i64>;
    /// Replaces a user or role, found by its id; a new name goes wherever the old one stands.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`.
    fn update_database_user(&mut self, user: &DatabaseUser) -> Result<()>;
    /// Deletes a user or role with its memberships and permissions, and those that others have on it.
    ///
    /// # Errors
    /// `NotFound`.
    fn delete_database_user(&mut self, database: &str, name: &str) -> Result<()>;
    /// Forgets all principals, memberships and permissions of a database that is gone.
    fn forget_database(&mut self, database: &str) -> Result<()>;
    /// Forgets the permissions on something that is gone, its columns' too. Returns how many.
    fn forget_securable(
        &mut self,
        database: &str,
        class: GrantClass,
        schema: &str,
        object: &str,
    ) -> Result<u64>;
    /// Gives or withholds a permission; replaces what the same grantor said before.
    fn set_grant(&mut self, grant: &Grant) -> Result<()>;
    /// Takes back what was given or withheld; the grant's state is ignored. Returns whether there was one.
    fn clear_grant(&mut self, grant: &Grant) -> Result<bool>;

    /// Stores a setting, or removes it with `None`.
    fn set_setting(&mut self, key: &str, value: Option<&SettingValue>) -> Result<()>;
    /// Stores an attribute of `sqlagent_info`, or removes it with `None`.
    fn set_agent_info(&mut self, attribute: &str, value: Option<&str>) -> Result<()>;
    /// Writes an audit row; it commits with the act.
    fn audit(&mut self, entry: &AuditEntry) -> Result<()>;
    /// Forgets a deleted job whose clean-up is done.
    fn forget_deleted_job(&mut self, job: JobId) -> Result<()>;
}
