//! The reference model: what an instance holds, as the fact sheets tell it, in plain maps.

use super::super::support::s;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tsql::Value;

/// Names that objects take, in any case: two plain ones, one beyond ASCII, one with what some objects refuse,
/// and one that is none.
const NAMES: &[&str] = &["one", "Über", "three", "50%,off", "  "];
/// How many of them every object may bear.
const PLAIN: u8 = 3;

/// A name in a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    Of { at: u8, loud: bool },
    MsxOperator,
}

/// A name, mostly one that may be borne.
pub(super) fn name() -> impl Strategy<Value = Name> {
    let of = |(at, loud)| Name::Of { at, loud };
    let all = u8::try_from(NAMES.len()).unwrap();
    prop_oneof![
        12 => (0..PLAIN, prop::bool::weighted(0.2)).prop_map(of),
        1 => (PLAIN..all, Just(false)).prop_map(of),
    ]
}

impl Name {
    pub(super) fn text(self) -> String {
        match self {
            Self::Of { at, loud: false } => NAMES[usize::from(at)].to_owned(),
            Self::Of { at, loud: true } => NAMES[usize::from(at)].to_uppercase(),
            Self::MsxOperator => "MSXOperator".to_owned(),
        }
    }

    pub(super) fn value(self) -> Value {
        s(&self.text())
    }

    pub(super) fn blank(self) -> bool {
        self.text().trim().is_empty()
    }

    /// Whether it means the object of this name.
    pub(super) fn is(self, name: &str) -> bool {
        key(&self.text()) == key(name)
    }
}

/// Names are compared without regard to case.
pub(super) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A flag that is sometimes neither 0 nor 1.
pub(super) fn flag() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 0u8..2, 1 => Just(2u8)]
}

/// Who calls, and who owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Login {
    Sa,
    Boss,
    User,
    Visitor,
    Reader,
    Operator,
    /// Not a login; never calls.
    Nobody,
}

/// Least role that a procedure asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    User,
    Reader,
    Operator,
    Sysadmin,
}

impl Login {
    pub(super) const CALLERS: &'static [Self] = &[
        Self::Sa,
        Self::Boss,
        Self::User,
        Self::Visitor,
        Self::Reader,
        Self::Operator,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sa => "sa",
            Self::Boss => "boss",
            Self::User => "user",
            Self::Visitor => "visitor",
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::Nobody => "nobody",
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Sa | Self::Boss => Role::Sysadmin,
            Self::Operator => Role::Operator,
            Self::Reader => Role::Reader,
            Self::User | Self::Visitor | Self::Nobody => Role::User,
        }
    }

    pub(super) fn sysadmin(self) -> bool {
        self.role() == Role::Sysadmin
    }

    pub(super) fn value(self) -> Value {
        s(self.name())
    }
}

/// Any login, one that is none among them.
pub(super) fn login() -> impl Strategy<Value = Login> {
    prop_oneof![
        3 => Just(Login::Sa),
        1 => Just(Login::Boss),
        2 => Just(Login::User),
        1 => Just(Login::Visitor),
        1 => Just(Login::Operator),
        1 => Just(Login::Nobody),
    ]
}

/// The numbers a call may raise: one for each rule that it breaks, since no sheet tells which is looked at first.
/// None means that it succeeds.
#[derive(Debug, Default)]
pub(super) struct Errors(pub(super) BTreeSet<i32>);

impl Errors {
    pub(super) fn raise(&mut self, number: i32) {
        self.0.insert(number);
    }

    pub(super) fn when(&mut self, broken: bool, number: i32) {
        if broken {
            self.raise(number);
        }
    }

    pub(super) fn none(&self) -> bool {
        self.0.is_empty()
    }
}

/// A step; its id is its place.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) cmdexec: bool,
    pub(super) proxy: Option<u32>,
    pub(super) database_user: bool,
    pub(super) on_success: u8,
    pub(super) success_step: i32,
}

/// A job.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) owner: Login,
    pub(super) category: u32,
    pub(super) email_operator: Option<u32>,
    pub(super) email_level: i32,
    pub(super) start_step: i32,
    pub(super) steps: Vec<Step>,
    pub(super) schedules: BTreeSet<u32>,
    pub(super) servers: BTreeSet<Server>,
}

impl Job {
    pub(super) fn multiserver(&self) -> bool {
        self.servers.iter().any(|server| *server != Server::Local)
    }
}

/// A server: this one, a target, or none known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Server {
    Local,
    Target(u8),
    Unknown,
}

pub(super) const TARGETS: u8 = 3;

impl Server {
    /// As calls name it.
    pub(super) fn given(self) -> String {
        match self {
            Self::Local => "(local)".to_owned(),
            Self::Target(at) => format!("t{at}"),
            Self::Unknown => "elsewhere".to_owned(),
        }
    }

    /// As listings show it.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Local => "MASTER".to_owned(),
            Self::Target(_) | Self::Unknown => self.given().to_uppercase(),
        }
    }
}

/// A target server, mostly a known one.
pub(super) fn target() -> impl Strategy<Value = Server> {
    prop_oneof![9 => (0..TARGETS).prop_map(Server::Target), 1 => Just(Server::Unknown)]
}

#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// Number in the instance, learnt from the answer.
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) owner: Login,
    pub(super) enabled: bool,
    pub(super) frequency: (i32, i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Job,
    Alert,
    Operator,
}

/// Categories that are there from the beginning, by the numbers of the sheet.
pub(super) const UNCATEGORIZED: u32 = 0;
pub(super) const FROM_MSX: u32 = 1;
pub(super) const MULTISERVER: u32 = 2;
pub(super) const MAINTENANCE: u32 = 3;
pub(super) const OF_ALERTS: u32 = 98;
pub(super) const OF_OPERATORS: u32 = 99;
/// First number of everything that calls make.
const FIRST_OWN: u32 = 100;

#[derive(Debug, Clone)]
pub(super) struct Category {
    pub(super) class: Class,
    /// For jobs: those with remote targets, or the others.
    pub(super) multiserver: bool,
    pub(super) name: String,
}

#[derive(Debug, Clone)]
pub(super) struct Operator {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) email: Option<String>,
    pub(super) days: i32,
    pub(super) weekday_start: i32,
    pub(super) category: u32,
}

/// What an alert waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Condition {
    pub(super) message: i32,
    pub(super) severity: i32,
    pub(super) database: Option<String>,
    pub(super) performance: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) condition: Condition,
    pub(super) job: Option<u32>,
    pub(super) category: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Proxy {
    /// Number in the instance, learnt from the answer.
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) credential: &'static str,
    pub(super) subsystems: BTreeSet<&'static str>,
    /// Names of logins and roles with the sheet's flag.
    pub(super) principals: BTreeMap<String, i32>,
}

/// A row of the download queue.
#[derive(Debug, Clone)]
pub(super) struct Instruction {
    pub(super) server: Server,
    pub(super) operation: &'static str,
    /// `None` for an instruction to the server itself.
    pub(super) about: Option<About>,
}

#[derive(Debug, Clone)]
pub(super) enum About {
    AllJobs,
    /// A job, and its name where the row keeps it for when the job is gone.
    Job(u32, Option<String>),
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) jobs: BTreeMap<u32, Job>,
    pub(super) schedules: BTreeMap<u32, Schedule>,
    pub(super) categories: BTreeMap<u32, Category>,
    pub(super) operators: BTreeMap<u32, Operator>,
    pub(super) alerts: BTreeMap<u32, Alert>,
    /// Methods by alert and operator.
    pub(super) notifications: BTreeMap<(u32, u32), i32>,
    pub(super) proxies: BTreeMap<u32, Proxy>,
    pub(super) targets: BTreeSet<Server>,
    pub(super) groups: BTreeMap<u32, (String, BTreeSet<Server>)>,
    pub(super) queue: Vec<Instruction>,
    pub(super) fail_safe: Option<String>,
    made: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let built_in = [
            (UNCATEGORIZED, Class::Job, "[Uncategorized (Local)]"),
            (FROM_MSX, Class::Job, "Jobs from MSX"),
            (MULTISERVER, Class::Job, "[Uncategorized (Multi-Server)]"),
            (MAINTENANCE, Class::Job, "Database Maintenance"),
            (OF_ALERTS, Class::Alert, "[Uncategorized]"),
            (OF_OPERATORS, Class::Operator, "[Uncategorized]"),
        ];
        let category = |(id, class, name): (u32, Class, &str)| {
            let multiserver = id == MULTISERVER;
            let name = name.to_owned();
            let category = Category {
                class,
                multiserver,
                name,
            };
            (id, category)
        };
        Self {
            categories: built_in.into_iter().map(category).collect(),
            targets: (0..TARGETS).map(Server::Target).collect(),
            ..Self::default()
        }
    }

    /// A number for something new.
    pub(super) fn number(&mut self) -> u32 {
        self.made += 1;
        FIRST_OWN + self.made
    }

    pub(super) fn is_built_in(category: u32) -> bool {
        category < FIRST_OWN
    }

    pub(super) fn sees(&self, by: Login, job: &Job) -> bool {
        by.role() >= Role::Reader || job.owner == by
    }

    /// The job a name means to a caller; `blank` is raised for an empty name.
    pub(super) fn job(
        &self,
        by: Login,
        name: Name,
        blank: i32,
        errors: &mut Errors,
    ) -> Option<u32> {
        if name.blank() {
            errors.raise(blank);
            return None;
        }
        let found = self
            .jobs
            .iter()
            .find(|(_, job)| name.is(&job.name) && self.sees(by, job));
        errors.when(found.is_none(), 14262);
        found.map(|(id, _)| *id)
    }

    /// As [`Self::job`], for a change of it: 14396 and 14525.
    pub(super) fn changeable_job(&self, by: Login, name: Name, errors: &mut Errors) -> Option<u32> {
        let id = self.job(by, name, 14294, errors)?;
        self.check_may_change(by, &self.jobs[&id], errors);
        Some(id)
    }

    pub(super) fn check_may_change(&self, by: Login, job: &Job, errors: &mut Errors) {
        if by.sysadmin() {
            return;
        }
        if job.multiserver() {
            errors.raise(14396);
        } else {
            errors.when(job.owner != by, 14525);
        }
    }

    /// Posts to each remote target of a job.
    pub(super) fn post(&mut self, job: u32, operation: &'static str) {
        let remotes: Vec<Server> = self.jobs[&job]
            .servers
            .iter()
            .copied()
            .filter(|server| *server != Server::Local)
            .collect();
        for server in remotes {
            self.post_to(server, job, operation);
        }
    }

    pub(super) fn post_to(&mut self, server: Server, job: u32, operation: &'static str) {
        let kept = (operation == "DELETE").then(|| self.jobs[&job].name.clone());
        self.queue.push(Instruction {
            server,
            operation,
            about: Some(About::Job(job, kept)),
        });
    }

    pub(super) fn post_to_server(&mut self, server: Server, operation: &'static str) {
        self.queue.push(Instruction {
            server,
            operation,
            about: None,
        });
    }

    /// Deletes schedules that no job uses.
    pub(super) fn drop_unused(&mut self, schedules: BTreeSet<u32>) {
        for unused in schedules {
            if !self.is_used(unused) {
                self.schedules.remove(&unused);
            }
        }
    }

    pub(super) fn is_used(&self, schedule: u32) -> bool {
        self.jobs
            .values()
            .any(|job| job.schedules.contains(&schedule))
    }
}

/// The thing of a name: 14200 for a blank one, 14262 for none.
pub(super) fn named<'w, T>(
    of: &'w BTreeMap<u32, T>,
    name: Name,
    called: impl Fn(&T) -> &str,
    errors: &mut Errors,
) -> Option<(u32, &'w T)> {
    if name.blank() {
        errors.raise(14200);
        return None;
    }
    let found = of.iter().find(|(_, thing)| name.is(called(thing)));
    errors.when(found.is_none(), 14262);
    found.map(|(id, thing)| (*id, thing))
}

/// Checks a name for something new or renamed: 14200 blank, 14289 with a character that is refused, 14261 taken.
pub(super) fn check_new<T>(
    of: &BTreeMap<u32, T>,
    name: Name,
    called: impl Fn(&T) -> &str,
    refused: Option<char>,
    but: Option<u32>,
    errors: &mut Errors,
) {
    errors.when(name.blank(), 14200);
    errors.when(refused.is_some_and(|c| name.text().contains(c)), 14289);
    let taken = of
        .iter()
        .any(|(id, thing)| Some(*id) != but && name.is(called(thing)));
    errors.when(taken, 14261);
}
