//! sp_help_job and sp_help_jobs_in_schedule.

use super::{jobserver, jobstep, schedule_help};
use crate::call::{Call, Output, Store};
use crate::caller::AgentRole;
use crate::convert::{datetime, flag, from_datetime, guid, int, ints, ints_at_offset};
use crate::declare::{HELP_JOB_JOB, HELP_JOB_SCHEDULES, HELP_JOB_STEPS, HELP_JOB_TARGETS};
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise, text, unknown};
use crate::pattern::like;
use crate::services::Execution;
use crate::subsystems;
use catalog::{CategoryClass, DefinitionsRead, JobFilter, JobOutcome};
use jiff::Timestamp;
use jiff::civil::DateTime;
use model::{Job, JobId, OperatorId, ScheduleId, ScheduleUid, ServerId, Subsystem};
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// Parameters that filter, as opposed to those that name one job.
const FILTERS: &[&str] = &[
    "@job_type",
    "@owner_login_name",
    "@subsystem",
    "@category_name",
    "@enabled",
    "@execution_status",
    "@date_comparator",
    "@date_created",
    "@date_last_modified",
    "@description",
];

/// What is shown of one named job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aspect {
    All,
    Job,
    Schedules,
    Steps,
    Targets,
}

/// `sp_help_job`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let named = call.guid("@job_id").is_some() || call.name("@job_name").is_some();
    let filtered = FILTERS.iter().any(|name| !call.value(name).is_null());
    let aspect = aspect(call)?;
    if (named && filtered) || (!named && aspect.is_some()) {
        return Err(raise(14280, &[]).into());
    }
    let filter = Filter::new(call)?;
    store.read(|definitions| {
        if named {
            let job = lookup::job(call, definitions)?;
            return one(call, definitions, out, &job, aspect.unwrap_or(Aspect::All));
        }
        filter.check_references(call, definitions)?;
        let jobs = definitions.jobs(&JobFilter::default())?;
        let mut visible = Vec::new();
        for job in jobs {
            if lookup::visible(call, definitions, &job) && filter.admits(call, definitions, &job)? {
                visible.push(job);
            }
        }
        let mut rows = summaries(call, definitions, visible)?;
        filter.retain_status(&mut rows);
        out.result(HELP_JOB_JOB, rows);
        Ok(())
    })
}

/// `sp_help_jobs_in_schedule`
pub(super) fn help_in_schedule(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let schedule = lookup::schedule(call, definitions, "@schedule_name")?;
        let mut jobs = Vec::new();
        for attached in definitions.job_schedules(None, Some(schedule.id))? {
            if let Some(job) = definitions.job(attached.job)?
                && lookup::visible(call, definitions, &job)
            {
                jobs.push(job);
            }
        }
        let rows = summaries(call, definitions, jobs)?;
        out.result(HELP_JOB_JOB, rows);
        Ok(())
    })
}

fn aspect(call: &Call<'_>) -> Result<Option<Aspect>> {
    let Some(word) = call.name("@job_aspect") else {
        return Ok(None);
    };
    let known = [
        ("ALL", Aspect::All),
        ("JOB", Aspect::Job),
        ("SCHEDULES", Aspect::Schedules),
        ("STEPS", Aspect::Steps),
        ("TARGETS", Aspect::Targets),
    ];
    known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, aspect)| Some(*aspect))
        .ok_or_else(|| none_of("@job_aspect", "ALL, JOB, SCHEDULES, STEPS, TARGETS").into())
}

fn one(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    out: &mut Output<'_>,
    job: &Job,
    aspect: Aspect,
) -> Result<()> {
    let wants = |part| aspect == part || aspect == Aspect::All;
    let heading = |out: &mut Output<'_>, number| {
        if aspect == Aspect::All {
            out.message(raise(number, &[]));
        }
    };
    if wants(Aspect::Job) {
        heading(out, 14213);
        let rows = summaries(call, definitions, vec![job.clone()])?;
        out.result(HELP_JOB_JOB, rows);
    }
    if wants(Aspect::Steps) {
        heading(out, 14214);
        let steps = definitions.steps(job.id)?;
        let rows = jobstep::rows(call, definitions, job.id, &steps, true)?;
        out.result(HELP_JOB_STEPS, rows);
    }
    if wants(Aspect::Schedules) {
        heading(out, 14215);
        let schedules = definitions.schedules_of_job(job.id)?;
        let rows = schedule_help::job_rows(call, definitions, Some(job.id), &schedules, true)?;
        out.result(HELP_JOB_SCHEDULES, rows);
    }
    if wants(Aspect::Targets) {
        heading(out, 14216);
        out.result(
            HELP_JOB_TARGETS,
            jobserver::rows(call, definitions, job.id, true)?,
        );
    }
    Ok(())
}

/// The filter parameters of sp_help_job.
struct Filter {
    multiserver: Option<bool>,
    enabled: Option<bool>,
    execution_status: Option<i32>,
    comparator: Option<char>,
}

impl Filter {
    fn new(call: &Call<'_>) -> Result<Self> {
        let multiserver = match call.name("@job_type") {
            None => None,
            Some(word) if word.eq_ignore_ascii_case("LOCAL") => Some(false),
            Some(word) if word.eq_ignore_ascii_case("MULTI-SERVER") => Some(true),
            Some(_) => return Err(none_of("@job_type", "LOCAL, MULTI-SERVER").into()),
        };
        let execution_status = call.int("@execution_status");
        if execution_status.is_some_and(|code| !matches!(code, 0..=5 | 7)) {
            return Err(none_of("@execution_status", text(14204)).into());
        }
        let comparator = call.name("@date_comparator");
        let dated =
            !call.value("@date_created").is_null() || !call.value("@date_last_modified").is_null();
        if dated != comparator.is_some() {
            return Err(raise(14282, &[]).into());
        }
        let comparator = match comparator {
            None => None,
            Some("=") => Some('='),
            Some("<") => Some('<'),
            Some(">") => Some('>'),
            Some(_) => return Err(none_of("@date_comparator", "=, <, >").into()),
        };
        Ok(Self {
            multiserver,
            enabled: lookup::flag(call, "@enabled")?,
            execution_status,
            comparator,
        })
    }

    fn check_references(&self, call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<()> {
        if let Some(owner) = call.name("@owner_login_name") {
            if !owner.eq_ignore_ascii_case(&call.caller.login) && !call.caller.is(AgentRole::Reader)
            {
                return Err(raise(14301, &[]).into());
            }
            lookup::login_sid(definitions, "@owner_login_name", owner)?;
        }
        if let Some(name) = call.name("@subsystem")
            && subsystems::by_name(definitions, name)?.is_none()
        {
            return Err(subsystems::unknown().into());
        }
        if let Some(name) = call.name("@category_name")
            && definitions
                .category_by_name(CategoryClass::Job, name)?
                .is_none()
        {
            return Err(unknown("@category_name", name).into());
        }
        Ok(())
    }

    fn admits(
        &self,
        call: &Call<'_>,
        definitions: &dyn DefinitionsRead,
        job: &Job,
    ) -> Result<bool> {
        if self.enabled.is_some_and(|enabled| enabled != job.enabled) {
            return Ok(false);
        }
        if let Some(wanted) = self.multiserver
            && lookup::is_multiserver(definitions, job.id)? != wanted
        {
            return Ok(false);
        }
        if let Some(owner) = call.name("@owner_login_name")
            && lookup::login_sid(definitions, "@owner_login_name", owner)? != job.owner_sid
        {
            return Ok(false);
        }
        if let Some(name) = call.name("@category_name")
            && !lookup::category_name(definitions, job.category)?.eq_ignore_ascii_case(name)
        {
            return Ok(false);
        }
        if let Some(subsystem) = call.name("@subsystem") {
            let wanted = Subsystem::parse(subsystem);
            let steps = definitions.steps(job.id)?;
            if !steps
                .iter()
                .any(|step| step.subsystem.name().eq_ignore_ascii_case(wanted.name()))
            {
                return Ok(false);
            }
        }
        if let Some(pattern) = call.text("@description")
            && !like(job.description.as_deref().unwrap_or_default(), pattern)
        {
            return Ok(false);
        }
        Ok(self.admits_date(call, "@date_created", job.created)
            && self.admits_date(call, "@date_last_modified", job.modified))
    }

    fn admits_date(&self, call: &Call<'_>, parameter: &str, instant: Timestamp) -> bool {
        let Some(wanted) = call.datetime(parameter) else {
            return true;
        };
        let Some(actual) = from_datetime(&datetime(instant, &call.zone)) else {
            return false;
        };
        let compare: fn(&DateTime, &DateTime) -> bool = match self.comparator {
            Some('<') => |a, b| a < b,
            Some('>') => |a, b| a > b,
            _ => |a, b| a == b,
        };
        compare(&actual, &wanted)
    }

    /// Keeps summaries of the wanted state; 0 is every state but idle and suspended.
    fn retain_status(&self, rows: &mut Vec<Row>) {
        const STATUS: usize = 25;
        let Some(wanted) = self.execution_status else {
            return;
        };
        rows.retain(|row| {
            let status = row[STATUS].as_i64().unwrap_or(4);
            if wanted == 0 {
                status != 4 && status != 5
            } else {
                status == i64::from(wanted)
            }
        });
    }
}

/// Facts about many jobs, read once each.
struct Lists {
    categories: BTreeMap<i64, String>,
    operators: BTreeMap<OperatorId, String>,
    owners: BTreeMap<Vec<u8>, String>,
    outcomes: BTreeMap<JobId, JobOutcome>,
    next: BTreeMap<JobId, (Timestamp, ScheduleUid)>,
    schedule_ids: BTreeMap<ScheduleUid, ScheduleId>,
    schedules: BTreeMap<JobId, i32>,
    targets: BTreeMap<JobId, Vec<ServerId>>,
    execution: BTreeMap<JobId, Execution>,
}

impl Lists {
    fn new(
        call: &Call<'_>,
        definitions: &dyn DefinitionsRead,
        only: Option<JobId>,
    ) -> Result<Self> {
        let mut lists = Self {
            categories: definitions
                .categories()?
                .into_iter()
                .map(|category| (category.id.0, category.name))
                .collect(),
            operators: definitions
                .operators()?
                .into_iter()
                .map(|operator| (operator.id, operator.name))
                .collect(),
            owners: definitions
                .logins()?
                .into_iter()
                .map(|login| (login.sid, login.name))
                .collect(),
            outcomes: BTreeMap::new(),
            next: BTreeMap::new(),
            schedule_ids: BTreeMap::new(),
            schedules: BTreeMap::new(),
            targets: BTreeMap::new(),
            execution: call
                .services
                .execution()
                .into_iter()
                .map(|execution| (execution.job, execution))
                .collect(),
        };
        for attached in definitions.job_schedules(only, None)? {
            *lists.schedules.entry(attached.job).or_default() += 1;
            lists.schedule_ids.insert(attached.uid, attached.schedule);
        }
        for target in definitions.job_servers(only, None)? {
            lists
                .targets
                .entry(target.job)
                .or_default()
                .push(target.server);
        }
        call.runs(|runs| {
            for outcome in runs.job_outcomes(only, Some(ServerId(0)))? {
                lists.outcomes.insert(outcome.job, outcome);
            }
            for next in runs.next_runs(only)? {
                let Some(at) = next.next else { continue };
                let attached = lists.schedule_ids.contains_key(&next.schedule);
                let entry = lists.next.entry(next.job).or_insert((at, next.schedule));
                if attached && at < entry.0 {
                    *entry = (at, next.schedule);
                }
            }
            Ok(())
        })?;
        Ok(lists)
    }

    fn operator(&self, id: OperatorId) -> Value {
        let name = self.operators.get(&id).map_or(text(14205), String::as_str);
        Value::string(name)
    }
}

/// Rows of the summary, in the order of `jobs`.
pub(super) fn summaries(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    jobs: Vec<Job>,
) -> Result<Vec<Row>> {
    let only = match jobs.as_slice() {
        [job] => Some(job.id),
        _ => None,
    };
    let lists = Lists::new(call, definitions, only)?;
    let steps: BTreeMap<JobId, u32> = definitions.step_counts(only)?.into_iter().collect();
    jobs.iter()
        .map(|job| {
            Ok(summary(
                call,
                &lists,
                job,
                steps
                    .get(&job.id)
                    .map_or(0, |steps| i32::try_from(*steps).unwrap_or(i32::MAX)),
            ))
        })
        .collect()
}

fn summary(call: &Call<'_>, lists: &Lists, job: &Job, steps: i32) -> Row {
    let outcome = lists.outcomes.get(&job.id);
    let (last_date, last_time) = outcome.map_or((0, 0), |outcome| {
        ints_at_offset(outcome.started, outcome.utc_offset_minutes)
    });
    let next = lists.next.get(&job.id);
    let (next_date, next_time) = next.map_or((0, 0), |(at, _)| ints(*at, &call.zone));
    let next_schedule = next
        .and_then(|(_, uid)| lists.schedule_ids.get(uid))
        .map_or(0, |id| id.0);
    let execution = lists.execution.get(&job.id);
    let unknown_step = || format!("0 {}", text(14205));
    let step = execution
        .and_then(|execution| execution.step.as_ref())
        .map_or_else(unknown_step, |(id, name)| format!("{id} ({name})"));
    let targets = lists.targets.get(&job.id).map_or(&[][..], Vec::as_slice);
    let kind = match targets {
        [] => 0,
        [ServerId(0), ..] => 1,
        _ => 2,
    };
    let count = |n: usize| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
    vec![
        guid(job.id.0),
        Value::string(origin(call, job)),
        Value::string(&*job.name),
        flag(job.enabled),
        job.description.clone().into(),
        Value::Int(job.start_step_id),
        Value::string(
            lists
                .categories
                .get(&job.category.0)
                .map_or(text(14205), String::as_str),
        ),
        lists.owners.get(&job.owner_sid).cloned().into(),
        Value::Int(job.notify_level_eventlog.code()),
        Value::Int(job.notify_level_email.code()),
        Value::Int(job.notify_level_netsend.code()),
        Value::Int(job.notify_level_page.code()),
        lists.operator(job.notify_email_operator),
        lists.operator(job.notify_netsend_operator),
        lists.operator(job.notify_page_operator),
        Value::Int(job.delete_level.code()),
        datetime(job.created, &call.zone),
        datetime(job.modified, &call.zone),
        int(job.version),
        Value::Int(last_date),
        Value::Int(last_time),
        Value::Int(outcome.map_or(5, |outcome| outcome.status.code())),
        Value::Int(next_date),
        Value::Int(next_time),
        int(next_schedule),
        Value::Int(execution.map_or(4, |execution| execution.status.code())),
        Value::string(step),
        Value::Int(execution.map_or(0, |execution| execution.retry_attempt)),
        Value::Int(steps),
        Value::Int(lists.schedules.get(&job.id).copied().unwrap_or(0)),
        count(targets.len()),
        Value::Int(kind),
    ]
}

/// Name of the server a job came from, upper case as listings show it.
pub(crate) fn origin(call: &Call<'_>, job: &Job) -> String {
    job.originating_server
        .as_deref()
        .unwrap_or(&call.server)
        .to_uppercase()
}
