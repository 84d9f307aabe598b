//! Messages as they stand on the wire. Fields are only ever added; a number is never used again.

/// Everything that is sent is one of these.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Envelope {
    #[prost(
        oneof = "Body",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 21, 22, 23, 24, 32, 33"
    )]
    pub(crate) body: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Body {
    // Of a target.
    #[prost(message, tag = "1")]
    Hello(Hello),
    #[prost(message, tag = "2")]
    Fetch(Fetch),
    #[prost(message, tag = "3")]
    Results(Results),
    #[prost(message, tag = "4")]
    Reports(Reports),
    #[prost(message, tag = "5")]
    Poll(Poll),
    #[prost(message, tag = "6")]
    Facts(Facts),
    #[prost(message, tag = "7")]
    Renew(Renew),
    #[prost(message, tag = "8")]
    Leave(Leave),
    // Of the master.
    #[prost(message, tag = "16")]
    HelloReply(HelloReply),
    #[prost(message, tag = "17")]
    Refusal(Refusal),
    #[prost(message, tag = "18")]
    ChangeNotice(ChangeNotice),
    #[prost(message, tag = "19")]
    Instructions(Instructions),
    #[prost(message, tag = "20")]
    ResultsAck(ResultsAck),
    #[prost(message, tag = "21")]
    ReportAck(ReportAck),
    #[prost(message, tag = "22")]
    PollReply(PollReply),
    #[prost(message, tag = "23")]
    Defected(Defected),
    #[prost(message, tag = "24")]
    Renewed(Renewed),
    // Of an enlistment.
    #[prost(message, tag = "32")]
    EnlistRequest(EnlistRequest),
    #[prost(message, tag = "33")]
    EnlistReply(EnlistReply),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Cursor {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) uid: Vec<u8>,
}

/// What a target says about itself.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Facts {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) location: Option<String>,
    #[prost(sint32, tag = "3")]
    pub(crate) utc_offset_minutes: i32,
    #[prost(string, tag = "4")]
    pub(crate) program_version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Hello {
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) instance: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub(crate) facts: Option<Facts>,
    #[prost(uint64, tag = "4")]
    pub(crate) generation: u64,
    #[prost(message, optional, tag = "5")]
    pub(crate) cursor: Option<Cursor>,
    #[prost(uint64, tag = "6")]
    pub(crate) reports_acknowledged: u64,
    #[prost(sint64, tag = "7")]
    pub(crate) clock_us: i64,
    #[prost(bytes = "vec", optional, tag = "8")]
    pub(crate) incarnation_seen: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HelloReply {
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) master: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) incarnation: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub(crate) poll_interval_secs: u32,
    #[prost(uint64, tag = "5")]
    pub(crate) reports_durable: u64,
    #[prost(uint64, tag = "6")]
    pub(crate) backoff_base_ms: u64,
    #[prost(uint64, tag = "7")]
    pub(crate) backoff_max_ms: u64,
    #[prost(sint64, tag = "8")]
    pub(crate) clock_us: i64,
    #[prost(uint64, tag = "9")]
    pub(crate) generation: u64,
    /// Set where reports are taken and instructions are not given.
    #[prost(message, optional, tag = "10")]
    pub(crate) reports_only: Option<Refusal>,
    #[prost(string, repeated, tag = "11")]
    pub(crate) addresses: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Refusal {
    #[prost(int32, tag = "1")]
    pub(crate) number: i32,
    #[prost(string, tag = "2")]
    pub(crate) text: String,
    #[prost(uint64, tag = "3")]
    pub(crate) retry_after_ms: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ChangeNotice {
    #[prost(uint64, tag = "1")]
    pub(crate) sequence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Fetch {
    #[prost(message, optional, tag = "1")]
    pub(crate) after: Option<Cursor>,
    #[prost(uint32, tag = "2")]
    pub(crate) max: u32,
    #[prost(bool, tag = "3")]
    pub(crate) waits: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Instructions {
    #[prost(uint64, tag = "1")]
    pub(crate) generation: u64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) list: Vec<Instruction>,
    #[prost(bool, tag = "3")]
    pub(crate) more: bool,
    #[prost(uint64, tag = "4")]
    pub(crate) sequence: u64,
    #[prost(sint64, tag = "5")]
    pub(crate) clock_us: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Instruction {
    #[prost(uint64, tag = "1")]
    pub(crate) number: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) uid: Vec<u8>,
    #[prost(oneof = "InstructionBody", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18")]
    pub(crate) body: Option<InstructionBody>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum InstructionBody {
    #[prost(message, tag = "10")]
    Insert(MaybeJob),
    #[prost(message, tag = "11")]
    Update(MaybeJob),
    #[prost(message, tag = "12")]
    Delete(JobRef),
    #[prost(message, tag = "13")]
    Start(Start),
    #[prost(message, tag = "14")]
    Stop(Stop),
    #[prost(message, tag = "15")]
    ReEnlist(ReEnlist),
    #[prost(message, tag = "16")]
    Defect(Empty),
    #[prost(message, tag = "17")]
    SyncTime(Empty),
    #[prost(message, tag = "18")]
    SetPoll(SetPoll),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MaybeJob {
    #[prost(message, optional, tag = "1")]
    pub(crate) document: Option<JobDocument>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct JobRef {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) job: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Start {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) job: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) run: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) login: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) step_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Stop {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) job: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) login: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReEnlist {
    #[prost(message, optional, tag = "1")]
    pub(crate) operator: Option<Operator>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SetPoll {
    #[prost(uint32, tag = "1")]
    pub(crate) interval_secs: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct InstructionText {
    #[prost(message, optional, tag = "1")]
    pub(crate) instruction: Option<Cursor>,
    #[prost(string, tag = "2")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Results {
    #[prost(message, optional, tag = "1")]
    pub(crate) cursor: Option<Cursor>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) refused: Vec<InstructionText>,
    #[prost(message, optional, tag = "3")]
    pub(crate) failed: Option<InstructionText>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ResultsAck {
    #[prost(uint64, tag = "1")]
    pub(crate) through: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Reports {
    #[prost(message, repeated, tag = "1")]
    pub(crate) rows: Vec<ReportRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReportRow {
    #[prost(uint64, tag = "1")]
    pub(crate) position: u64,
    #[prost(message, optional, tag = "2")]
    pub(crate) history: Option<HistoryRow>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReportAck {
    #[prost(uint64, tag = "1")]
    pub(crate) through: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Poll {
    #[prost(sint64, tag = "1")]
    pub(crate) clock_us: i64,
    #[prost(sint32, tag = "2")]
    pub(crate) utc_offset_minutes: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PollReply {
    #[prost(uint64, tag = "1")]
    pub(crate) sequence: u64,
    #[prost(sint64, tag = "2")]
    pub(crate) clock_us: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Defected {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Renew {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) request_der: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Renewed {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(crate) chain_der: Vec<Vec<u8>>,
    /// Set, with an empty chain, where the master refused.
    #[prost(message, optional, tag = "2")]
    pub(crate) refusal: Option<Refusal>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Leave {
    #[prost(uint64, tag = "1")]
    pub(crate) generation: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EnlistRequest {
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(oneof = "Proof", tags = "2, 3")]
    pub(crate) proof: Option<Proof>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) instance: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub(crate) facts: Option<Facts>,
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) request_der: Vec<u8>,
    #[prost(uint64, optional, tag = "7")]
    pub(crate) previous_generation: Option<u64>,
    #[prost(string, tag = "8")]
    pub(crate) requested_by: String,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub(crate) enlisted_at: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Proof {
    #[prost(message, tag = "2")]
    Token(Token),
    #[prost(message, tag = "3")]
    Login(Login),
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Token {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) secret: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct Login {
    #[prost(string, tag = "1")]
    pub(crate) login: String,
    #[prost(string, tag = "2")]
    pub(crate) password: String,
}

// Secrets reach no log.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EnlistReply {
    #[prost(uint32, tag = "1")]
    pub(crate) version: u32,
    #[prost(string, tag = "2")]
    pub(crate) master_name: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) master: Vec<u8>,
    #[prost(uint64, tag = "4")]
    pub(crate) generation: u64,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(crate) chain_der: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "6")]
    pub(crate) ca_der: Vec<u8>,
    #[prost(message, optional, tag = "7")]
    pub(crate) operator: Option<Operator>,
    #[prost(uint32, tag = "8")]
    pub(crate) poll_interval_secs: u32,
    #[prost(string, repeated, tag = "9")]
    pub(crate) addresses: Vec<String>,
    #[prost(sint64, tag = "10")]
    pub(crate) clock_us: i64,
    #[prost(bytes = "vec", tag = "11")]
    pub(crate) incarnation: Vec<u8>,
    #[prost(bool, tag = "12")]
    pub(crate) moved: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Operator {
    #[prost(sint64, tag = "1")]
    pub(crate) id: i64,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(bool, tag = "3")]
    pub(crate) enabled: bool,
    #[prost(string, optional, tag = "4")]
    pub(crate) email_address: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) pager_address: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) netsend_address: Option<String>,
    #[prost(sint32, tag = "7")]
    pub(crate) pager_days: i32,
    #[prost(sint32, tag = "8")]
    pub(crate) weekday_pager_start_time: i32,
    #[prost(sint32, tag = "9")]
    pub(crate) weekday_pager_end_time: i32,
    #[prost(sint32, tag = "10")]
    pub(crate) saturday_pager_start_time: i32,
    #[prost(sint32, tag = "11")]
    pub(crate) saturday_pager_end_time: i32,
    #[prost(sint32, tag = "12")]
    pub(crate) sunday_pager_start_time: i32,
    #[prost(sint32, tag = "13")]
    pub(crate) sunday_pager_end_time: i32,
    #[prost(sint64, tag = "14")]
    pub(crate) category: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct JobDocument {
    #[prost(message, optional, tag = "1")]
    pub(crate) job: Option<Job>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) steps: Vec<JobStep>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) schedules: Vec<Schedule>,
    #[prost(string, tag = "4")]
    pub(crate) owner_login: String,
    #[prost(string, tag = "5")]
    pub(crate) category_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Job {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) id: Vec<u8>,
    #[prost(string, optional, tag = "2")]
    pub(crate) originating_server: Option<String>,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    #[prost(bool, tag = "4")]
    pub(crate) enabled: bool,
    #[prost(string, optional, tag = "5")]
    pub(crate) description: Option<String>,
    #[prost(sint32, tag = "6")]
    pub(crate) start_step_id: i32,
    #[prost(sint64, tag = "7")]
    pub(crate) category: i64,
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) owner_sid: Vec<u8>,
    #[prost(sint32, tag = "9")]
    pub(crate) notify_level_eventlog: i32,
    #[prost(sint32, tag = "10")]
    pub(crate) notify_level_email: i32,
    #[prost(sint32, tag = "11")]
    pub(crate) notify_level_netsend: i32,
    #[prost(sint32, tag = "12")]
    pub(crate) notify_level_page: i32,
    #[prost(sint64, tag = "13")]
    pub(crate) notify_email_operator: i64,
    #[prost(sint64, tag = "14")]
    pub(crate) notify_netsend_operator: i64,
    #[prost(sint64, tag = "15")]
    pub(crate) notify_page_operator: i64,
    #[prost(sint32, tag = "16")]
    pub(crate) delete_level: i32,
    #[prost(sint64, tag = "17")]
    pub(crate) created_us: i64,
    #[prost(sint64, tag = "18")]
    pub(crate) modified_us: i64,
    #[prost(sint64, tag = "19")]
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct JobStep {
    #[prost(sint32, tag = "1")]
    pub(crate) step_id: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) uid: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) name: String,
    #[prost(string, tag = "4")]
    pub(crate) subsystem: String,
    #[prost(string, optional, tag = "5")]
    pub(crate) command: Option<String>,
    #[prost(sint32, tag = "6")]
    pub(crate) flags: i32,
    #[prost(string, optional, tag = "7")]
    pub(crate) additional_parameters: Option<String>,
    #[prost(sint32, tag = "8")]
    pub(crate) cmdexec_success_code: i32,
    #[prost(uint32, tag = "9")]
    pub(crate) on_success: u32,
    #[prost(sint32, tag = "10")]
    pub(crate) on_success_step_id: i32,
    #[prost(uint32, tag = "11")]
    pub(crate) on_fail: u32,
    #[prost(sint32, tag = "12")]
    pub(crate) on_fail_step_id: i32,
    #[prost(string, optional, tag = "13")]
    pub(crate) server: Option<String>,
    #[prost(string, optional, tag = "14")]
    pub(crate) database_name: Option<String>,
    #[prost(string, optional, tag = "15")]
    pub(crate) database_user_name: Option<String>,
    #[prost(sint32, tag = "16")]
    pub(crate) retry_attempts: i32,
    #[prost(sint32, tag = "17")]
    pub(crate) retry_interval_minutes: i32,
    #[prost(sint32, tag = "18")]
    pub(crate) os_run_priority: i32,
    #[prost(string, optional, tag = "19")]
    pub(crate) output_file_name: Option<String>,
    #[prost(string, optional, tag = "20")]
    pub(crate) proxy_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Schedule {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) uid: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, optional, tag = "3")]
    pub(crate) originating_server: Option<String>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) owner_sid: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub(crate) enabled: bool,
    /// msdb's code: 1, 4, 8, 16, 32, 64, 128.
    #[prost(uint32, tag = "6")]
    pub(crate) frequency: u32,
    /// Days, weekday mask, day of the month or day kind.
    #[prost(sint32, tag = "7")]
    pub(crate) interval: i32,
    /// Which occurrence within the month.
    #[prost(sint32, tag = "8")]
    pub(crate) relative: i32,
    /// Weeks or months.
    #[prost(sint32, tag = "9")]
    pub(crate) recurrence: i32,
    /// msdb's code: 1, 2, 4, 8.
    #[prost(uint32, tag = "10")]
    pub(crate) subday: u32,
    #[prost(sint32, tag = "11")]
    pub(crate) subday_interval: i32,
    /// The five numbers as the administrator gave them.
    #[prost(sint32, repeated, tag = "12")]
    pub(crate) raw: Vec<i32>,
    /// YYYYMMDD.
    #[prost(sint32, tag = "13")]
    pub(crate) active_start_date: i32,
    /// YYYYMMDD.
    #[prost(sint32, tag = "14")]
    pub(crate) active_end_date: i32,
    /// HHMMSS.
    #[prost(sint32, tag = "15")]
    pub(crate) active_start_time: i32,
    /// HHMMSS.
    #[prost(sint32, tag = "16")]
    pub(crate) active_end_time: i32,
    #[prost(sint64, tag = "17")]
    pub(crate) created_us: i64,
    #[prost(sint64, tag = "18")]
    pub(crate) modified_us: i64,
    #[prost(sint64, tag = "19")]
    pub(crate) version: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HistoryRow {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) run: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub(crate) row: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) job: Vec<u8>,
    #[prost(sint32, tag = "4")]
    pub(crate) step_id: i32,
    #[prost(string, tag = "5")]
    pub(crate) step_name: String,
    #[prost(bytes = "vec", optional, tag = "6")]
    pub(crate) step_uid: Option<Vec<u8>>,
    #[prost(sint32, tag = "7")]
    pub(crate) sql_message_id: i32,
    #[prost(sint32, tag = "8")]
    pub(crate) sql_severity: i32,
    #[prost(string, tag = "9")]
    pub(crate) message: String,
    #[prost(sint32, tag = "10")]
    pub(crate) status: i32,
    #[prost(sint64, tag = "11")]
    pub(crate) started_us: i64,
    #[prost(sint32, tag = "12")]
    pub(crate) utc_offset_minutes: i32,
    #[prost(uint64, tag = "13")]
    pub(crate) duration_ms: u64,
    #[prost(sint32, tag = "14")]
    pub(crate) retries_attempted: i32,
    #[prost(string, tag = "15")]
    pub(crate) server: String,
    #[prost(string, optional, tag = "16")]
    pub(crate) output: Option<String>,
}
