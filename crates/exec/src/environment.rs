//! The environment a step starts with. Nothing else is inherited: the service's own environment may
//! hold secrets.

/// Variables passed on from the service's environment where it has them; `LC_*` are passed on too.
pub const INHERITED_VARIABLES: [&str; 9] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
];
/// PATH where the service has none.
pub const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Longest value of a `MUSTER_*` variable, in bytes; names of jobs are shorter.
const VALUE_BYTES_MAX: usize = 1024;

/// Who a step is, for its own use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepIdentity<'a> {
    /// Name of the instance.
    pub instance: &'a str,
    /// Job id, as text.
    pub job_id: &'a str,
    /// Job name.
    pub job_name: &'a str,
    /// Run id, as text.
    pub run_id: &'a str,
    /// Step id.
    pub step_id: i32,
    /// Step name.
    pub step_name: &'a str,
    /// 0 for the first try.
    pub attempt: u32,
}

/// This process's own variables, as far as they are UTF-8 and may be passed on.
#[must_use]
pub fn service_environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_inherited(name))
        .collect()
}

/// The environment of a step: [`INHERITED_VARIABLES`] and `LC_*` out of `service` (such as
/// [`service_environment`] gives), then `MUSTER_INSTANCE`, `MUSTER_JOB_ID`, `MUSTER_JOB_NAME`, `MUSTER_RUN_ID`,
/// `MUSTER_STEP_ID`, `MUSTER_STEP_NAME` and `MUSTER_RETRY_ATTEMPT`.
#[must_use]
pub fn step_environment(
    service: impl IntoIterator<Item = (String, String)>,
    step: &StepIdentity<'_>,
) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = service
        .into_iter()
        .filter(|(name, _)| is_inherited(name))
        .collect();
    if !env.iter().any(|(name, _)| name == "PATH") {
        env.push(("PATH".to_owned(), PATH_DEFAULT.to_owned()));
    }
    let step_id = step.step_id.to_string();
    let attempt = step.attempt.to_string();
    for (name, value) in [
        ("MUSTER_INSTANCE", step.instance),
        ("MUSTER_JOB_ID", step.job_id),
        ("MUSTER_JOB_NAME", step.job_name),
        ("MUSTER_RUN_ID", step.run_id),
        ("MUSTER_STEP_ID", &step_id),
        ("MUSTER_STEP_NAME", step.step_name),
        ("MUSTER_RETRY_ATTEMPT", &attempt),
    ] {
        let end = value.floor_char_boundary(VALUE_BYTES_MAX);
        env.push((name.to_owned(), value[..end].replace('\0', "\u{FFFD}")));
    }
    env
}

fn is_inherited(name: &str) -> bool {
    INHERITED_VARIABLES.contains(&name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_on_what_is_named_and_nothing_else() {
        let identity = StepIdentity {
            instance: "T1",
            job_id: "j",
            job_name: "nightly",
            run_id: "r",
            step_id: 2,
            step_name: "copy",
            attempt: 1,
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let env = step_environment(
            [
                pair("MUSTER_SA_PASSWORD", "secret"),
                pair("PATH", "/bin"),
                pair("LC_ALL", "C"),
                pair("LD_PRELOAD", "x"),
                pair("MUSTER_JOB_NAME", "forged"),
            ],
            &identity,
        );
        assert_eq!(
            env,
            [
                pair("PATH", "/bin"),
                pair("LC_ALL", "C"),
                pair("MUSTER_INSTANCE", "T1"),
                pair("MUSTER_JOB_ID", "j"),
                pair("MUSTER_JOB_NAME", "nightly"),
                pair("MUSTER_RUN_ID", "r"),
                pair("MUSTER_STEP_ID", "2"),
                pair("MUSTER_STEP_NAME", "copy"),
                pair("MUSTER_RETRY_ATTEMPT", "1"),
            ]
        );
        let bare = step_environment([], &identity);
        assert_eq!(bare[0], pair("PATH", PATH_DEFAULT));
    }
}
