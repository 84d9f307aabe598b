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
use std::collections::{BTreeMap, HashMap};
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

/// Rows that are made and sent in one go.
const PART_ROWS: usize = 256;

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
    if named {
        return store.read(|definitions| {
            let job = lookup::job(call, definitions)?;
            one(call, definitions, out, &job, aspect.unwrap_or(Aspect::All))
        });
    }
    let (jobs, lists) = store.read(|definitions| {
        filter.check_references(call, definitions)?;
        let mut jobs = definitions.jobs(&JobFilter::default())?;
        let mut checked = Ok(());
        jobs.retain(|job| {
            checked.is_ok()
                && lookup::visible(call, definitions, job)
                && filter
                    .admits(call, definitions, job)
                    .unwrap_or_else(|error| {
                        checked = Err(error);
                        false
                    })
        });
        checked?;
        Ok((jobs, Lists::new(call, definitions, None)?))
    })?;
    // The client reads the first rows while the last are made.
    out.begin(HELP_JOB_JOB);
    let mut sent = 0;
    for part in jobs.chunks(PART_ROWS) {
        for job in part {
            let row = summary(call, &lists, job);
            if filter.admits_status(&row) {
                out.row(row);
                sent += 1;
            }
        }
        out.flush()?;
    }
    out.end(sent);
    Ok(())
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

    /// Whether a summary is of the wanted state; 0 is every state but idle and suspended.
    fn admits_status(&self, row: &Row) -> bool {
        const STATUS: usize = 25;
        let Some(wanted) = self.execution_status else {
            return true;
        };
        let status = row[STATUS].as_i64().unwrap_or(4);
        if wanted == 0 {
            status != 4 && status != 5
        } else {
            status == i64::from(wanted)
        }
    }
}

/// Facts about many jobs, read once each.
struct Lists {
    /// This server, as listings show it.
    here: String,
    /// The step of a job that does not run.
    no_step: String,
    categories: BTreeMap<i64, String>,
    operators: BTreeMap<OperatorId, String>,
    owners: BTreeMap<Vec<u8>, String>,
    outcomes: HashMap<JobId, JobOutcome>,
    next: HashMap<JobId, (Timestamp, ScheduleUid)>,
    schedule_ids: HashMap<ScheduleUid, ScheduleId>,
    schedules: HashMap<JobId, i32>,
    steps: HashMap<JobId, u32>,
    targets: HashMap<JobId, Targets>,
    execution: HashMap<JobId, Execution>,
}

/// The targets of a job.
#[derive(Clone, Copy, Default)]
struct Targets {
    count: i32,
    here: bool,
}

impl Lists {
    fn new(
        call: &Call<'_>,
        definitions: &dyn DefinitionsRead,
        only: Option<JobId>,
    ) -> Result<Self> {
        let mut lists = Self {
            here: call.server.to_uppercase(),
            no_step: format!("0 {}", text(14205)),
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
            outcomes: HashMap::new(),
            next: HashMap::new(),
            schedule_ids: HashMap::new(),
            schedules: HashMap::new(),
            steps: definitions.step_counts(only)?.into_iter().collect(),
            targets: HashMap::new(),
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
            let targets = lists.targets.entry(target.job).or_default();
            targets.count += 1;
            targets.here |= target.server == ServerId(0);
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
    Ok(jobs.iter().map(|job| summary(call, &lists, job)).collect())
}

fn summary(call: &Call<'_>, lists: &Lists, job: &Job) -> Row {
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
    let step = execution
        .and_then(|execution| execution.step.as_ref())
        .map_or_else(
            || lists.no_step.clone(),
            |(id, name)| format!("{id} ({name})"),
        );
    let origin = job
        .originating_server
        .as_deref()
        .map_or_else(|| lists.here.clone(), str::to_uppercase);
    let created = datetime(job.created, &call.zone);
    let modified = if job.modified == job.created {
        created.clone()
    } else {
        datetime(job.modified, &call.zone)
    };
    let steps = lists.steps.get(&job.id).copied().unwrap_or(0);
    let targets = lists.targets.get(&job.id).copied().unwrap_or_default();
    let kind = match targets {
        Targets { count: 0, .. } => 0,
        Targets { here: true, .. } => 1,
        Targets { here: false, .. } => 2,
    };
    vec![
        guid(job.id.0),
        Value::String(origin),
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
        created,
        modified,
        int(job.version),
        Value::Int(last_date),
        Value::Int(last_time),
        Value::Int(outcome.map_or(5, |outcome| outcome.status.code())),
        Value::Int(next_date),
        Value::Int(next_time),
        int(next_schedule),
        Value::Int(execution.map_or(4, |execution| execution.status.code())),
        Value::String(step),
        Value::Int(execution.map_or(0, |execution| execution.retry_attempt)),
        Value::Int(i32::try_from(steps).unwrap_or(i32::MAX)),
        Value::Int(lists.schedules.get(&job.id).copied().unwrap_or(0)),
        Value::Int(targets.count),
        Value::Int(kind),
    ]
}
