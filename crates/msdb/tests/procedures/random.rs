//! Random calls against a plain model: same answers, same tables, same number of instructions posted.

use super::support::{Fixture, Session, n, s};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tsql::Value;

/// Calls per sequence, and sequences.
const CALLS_MAX: usize = 40;
const SEQUENCES: u32 = 24;

#[derive(Debug, Clone)]
enum Call {
    AddJob(u8),
    RenameJob(u8, u8),
    DeleteJob(u8),
    AddStep(u8, u8),
    DeleteStep(u8, u8),
    AddSchedule(u8),
    DeleteSchedule(u8),
    Attach(u8, u8),
    Detach(u8, u8),
    AddServer(u8, u8),
    DeleteServer(u8, u8),
    Start(u8),
}

fn call() -> impl Strategy<Value = Call> {
    let (job, step, schedule, server) = (0u8..3, 0u8..4, 0u8..2, 0u8..3);
    prop_oneof![
        4 => job.clone().prop_map(Call::AddJob),
        1 => (job.clone(), job.clone()).prop_map(|(a, b)| Call::RenameJob(a, b)),
        1 => job.clone().prop_map(Call::DeleteJob),
        4 => (job.clone(), step.clone()).prop_map(|(a, b)| Call::AddStep(a, b)),
        1 => (job.clone(), step).prop_map(|(a, b)| Call::DeleteStep(a, b)),
        2 => schedule.clone().prop_map(Call::AddSchedule),
        1 => schedule.clone().prop_map(Call::DeleteSchedule),
        3 => (job.clone(), schedule.clone()).prop_map(|(a, b)| Call::Attach(a, b)),
        2 => (job.clone(), schedule).prop_map(|(a, b)| Call::Detach(a, b)),
        4 => (job.clone(), server.clone()).prop_map(|(a, b)| Call::AddServer(a, b)),
        2 => (job.clone(), server).prop_map(|(a, b)| Call::DeleteServer(a, b)),
        2 => job.prop_map(Call::Start),
    ]
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Job {
    steps: Vec<String>,
    schedules: BTreeSet<String>,
    servers: BTreeSet<String>,
}

impl Job {
    fn remotes(&self) -> usize {
        self.servers.iter().filter(|name| *name != "MASTER").count()
    }
}

/// What the tables should say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    jobs: BTreeMap<String, Job>,
    schedules: BTreeSet<String>,
    posted: usize,
}

fn job(at: u8) -> String {
    format!("job {at}")
}

fn schedule(at: u8) -> String {
    format!("schedule {at}")
}

/// The name a call gives a server, and the name listings show.
fn server(at: u8) -> (&'static str, &'static str) {
    [("(local)", "MASTER"), ("t1", "T1"), ("t2", "T2")][usize::from(at)]
}

impl Model {
    /// The number that a call should raise; 0 when it succeeds.
    fn apply(&mut self, call: &Call) -> i32 {
        match self.try_apply(call) {
            Ok(()) => 0,
            Err(number) => number,
        }
    }

    fn job(&mut self, at: u8) -> Result<&mut Job, i32> {
        self.jobs.get_mut(&job(at)).ok_or(14262)
    }

    fn try_apply(&mut self, call: &Call) -> Result<(), i32> {
        match call {
            Call::AddJob(at) => {
                if self.jobs.contains_key(&job(*at)) {
                    return Err(14261);
                }
                self.jobs.insert(job(*at), Job::default());
            }
            Call::RenameJob(from, to) => {
                self.job(*from)?;
                if from != to && self.jobs.contains_key(&job(*to)) {
                    return Err(14261);
                }
                let moved = self.jobs.remove(&job(*from)).ok_or(14262)?;
                self.posted += moved.remotes();
                self.jobs.insert(job(*to), moved);
            }
            Call::DeleteJob(at) => {
                let gone = self.jobs.remove(&job(*at)).ok_or(14262)?;
                self.posted += gone.remotes();
                for unused in gone.schedules {
                    if !self
                        .jobs
                        .values()
                        .any(|job| job.schedules.contains(&unused))
                    {
                        self.schedules.remove(&unused);
                    }
                }
            }
            Call::AddStep(at, name) => {
                let job = self.job(*at)?;
                let name = format!("step {name}");
                if job.steps.contains(&name) {
                    return Err(14261);
                }
                job.steps.push(name);
            }
            Call::DeleteStep(at, step) => {
                let job = self.job(*at)?;
                match usize::from(*step) {
                    0 => job.steps.clear(),
                    beyond if beyond > job.steps.len() => return Err(14262),
                    there => drop(job.steps.remove(there - 1)),
                }
            }
            Call::AddSchedule(at) => {
                self.schedules.insert(schedule(*at));
            }
            Call::DeleteSchedule(at) => {
                let name = schedule(*at);
                if !self.schedules.contains(&name) {
                    return Err(14262);
                }
                if self.jobs.values().any(|job| job.schedules.contains(&name)) {
                    return Err(14372);
                }
                self.schedules.remove(&name);
            }
            Call::Attach(at, to) => {
                let known = self.schedules.contains(&schedule(*to));
                let job = self.job(*at)?;
                if !known {
                    return Err(14262);
                }
                if job.schedules.insert(schedule(*to)) {
                    let remotes = job.remotes();
                    self.posted += remotes;
                }
            }
            Call::Detach(at, from) => {
                let known = self.schedules.contains(&schedule(*from));
                let job = self.job(*at)?;
                if !job.schedules.remove(&schedule(*from)) {
                    return Err(if known { 14374 } else { 14262 });
                }
                let remotes = job.remotes();
                self.posted += remotes;
            }
            Call::AddServer(at, to) => {
                let job = self.job(*at)?;
                let (_, name) = server(*to);
                let local = name == "MASTER";
                if local && job.remotes() > 0 {
                    return Err(14291);
                }
                if job.servers.contains(name) {
                    return Err(14269);
                }
                if !local && job.servers.contains("MASTER") {
                    return Err(14290);
                }
                job.servers.insert(name.to_owned());
                self.posted += usize::from(!local);
            }
            Call::DeleteServer(at, from) => {
                let (_, name) = server(*from);
                if !self.job(*at)?.servers.remove(name) {
                    return Err(14270);
                }
                self.posted += usize::from(name != "MASTER");
            }
            Call::Start(at) => {
                let job = self.job(*at)?;
                if job.servers.is_empty() {
                    return Err(14256);
                }
                if job.steps.is_empty() {
                    return Err(14528);
                }
                let remotes = job.remotes();
                self.posted += remotes;
            }
        }
        Ok(())
    }
}

/// Makes the call; gives the number raised, 0 for none.
fn perform(session: &mut Session<'_>, call: &Call, model: &Model) -> i32 {
    let of = |at: &u8| ("@job_name", s(&job(*at)));
    let (name, given): (&str, Vec<(&str, Value)>) = match call {
        Call::AddJob(at) => ("sp_add_job", vec![of(at)]),
        Call::RenameJob(from, to) => {
            let new_name = ("@new_name", s(&job(*to)));
            ("sp_update_job", vec![of(from), new_name])
        }
        Call::DeleteJob(at) => ("sp_delete_job", vec![of(at)]),
        Call::AddStep(at, step) => {
            let step = ("@step_name", s(&format!("step {step}")));
            ("sp_add_jobstep", vec![of(at), step])
        }
        Call::DeleteStep(at, step) => {
            let step = ("@step_id", n(i32::from(*step)));
            ("sp_delete_jobstep", vec![of(at), step])
        }
        // Names of schedules may repeat; the model has each once.
        Call::AddSchedule(at) if model.schedules.contains(&schedule(*at)) => return 0,
        Call::AddSchedule(at) => {
            let name = ("@schedule_name", s(&schedule(*at)));
            ("sp_add_schedule", vec![name, ("@freq_type", n(4))])
        }
        Call::DeleteSchedule(at) => {
            let name = ("@schedule_name", s(&schedule(*at)));
            ("sp_delete_schedule", vec![name])
        }
        Call::Attach(at, to) => {
            let name = ("@schedule_name", s(&schedule(*to)));
            ("sp_attach_schedule", vec![of(at), name])
        }
        Call::Detach(at, from) => {
            let name = ("@schedule_name", s(&schedule(*from)));
            ("sp_detach_schedule", vec![of(at), name])
        }
        Call::AddServer(at, to) => {
            let server = ("@server_name", s(server(*to).0));
            ("sp_add_jobserver", vec![of(at), server])
        }
        Call::DeleteServer(at, from) => {
            let server = ("@server_name", s(server(*from).0));
            ("sp_delete_jobserver", vec![of(at), server])
        }
        Call::Start(at) => ("sp_start_job", vec![of(at)]),
    };
    let answer = session.call(name, &given);
    answer.result.err().map_or(0, |error| error.number)
}

/// What the help procedures say.
fn seen(session: &mut Session<'_>) -> Model {
    let texts = |values: Vec<Value>| -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        values.iter().map(text).collect()
    };
    let mut model = Model {
        schedules: texts(session.ok("sp_help_schedule", &[]).column("schedule_name"))
            .into_iter()
            .collect(),
        posted: session.ok("sp_help_downloadlist", &[]).sets[0].1.len(),
        ..Model::default()
    };
    for name in texts(session.ok("sp_help_job", &[]).column("name")) {
        let of = [("@job_name", s(&name))];
        let schedules = session
            .ok("sp_help_jobschedule", &of)
            .column("schedule_name");
        let job = Job {
            steps: texts(session.ok("sp_help_jobstep", &of).column("step_name")),
            schedules: texts(schedules).into_iter().collect(),
            servers: texts(session.ok("sp_help_jobserver", &of).column("server_name"))
                .into_iter()
                .collect(),
        };
        model.jobs.insert(name, job);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(SEQUENCES))]

    #[test]
    fn procedures_do_what_the_model_does(calls in proptest::collection::vec(call(), 1..CALLS_MAX)) {
        let fixture = Fixture::new();
        fixture.target("t1");
        fixture.target("t2");
        let mut sa = fixture.sa();
        let mut model = Model::default();
        for call in calls {
            let before = model.clone();
            let expected = model.apply(&call);
            let raised = perform(&mut sa, &call, &before);
            prop_assert_eq!(raised, expected, "{:?}", call);
            prop_assert_eq!(seen(&mut sa), model.clone(), "{:?}", call);
        }
    }
}
