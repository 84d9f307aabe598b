// The tasks of external.py for tedious. The argument is the directory that npm installed into.
"use strict";
const fs = require("fs");
const path = require("path");
const assert = require("assert");

const home = path.join(process.argv[2], "tedious");
const { Connection, Request, TYPES } = require(home);
const plan = JSON.parse(fs.readFileSync(0, "utf8"));

const say = (answer) => fs.writeSync(1, JSON.stringify(answer) + "\n");

function connect(encrypt) {
  const checked = encrypt && {
    trustServerCertificate: false,
    cryptoCredentialsDetails: { ca: fs.readFileSync(plan.authority) },
  };
  const connection = new Connection({
    server: plan.host,
    authentication: { type: "default", options: { userName: plan.user, password: plan.password } },
    options: { port: plan.port, database: "msdb", encrypt, trustServerCertificate: true, requestTimeout: 0, ...checked },
  });
  return new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve(connection)));
  });
}

// Runs one request; rows as arrays of values, output parameters by name.
function run(connection, sql, { how = "execSql", parameters = [], outputs = [] } = {}) {
  return new Promise((resolve, reject) => {
    const rows = [];
    const out = {};
    const request = new Request(sql, (error) => (error ? reject(error) : resolve({ rows, out })));
    for (const [name, type, value, options] of parameters) request.addParameter(name, type, value, options);
    for (const [name, type] of outputs) request.addOutputParameter(name, type);
    request.on("row", (columns) => rows.push(columns.map((column) => column.value)));
    request.on("returnValue", (name, value) => (out[name] = value));
    connection[how](request);
  });
}

async function with_connection(encrypt, work) {
  const connection = await connect(encrypt);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

const tasks = {
  async encryption() {
    const words = { none: false, all: true, strict: "strict" };
    for (const [word, encrypt] of Object.entries(words)) {
      const sql = "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID";
      const { rows } = await with_connection(encrypt, (connection) => run(connection, sql));
      assert.deepStrictEqual(rows, [[encrypt ? "TRUE" : "FALSE"]], word);
    }
    return Object.keys(words).join(", ");
  },

  async scripts(connection) {
    for (const script of plan.scripts)
      for (const batch of script) await run(connection, batch, { how: "execSqlBatch" });
  },

  async tables(connection) {
    for (const table of plan.tables) await run(connection, `SELECT * FROM msdb.dbo.${table}`);
    return `${plan.tables.length}`;
  },

  async output(connection) {
    const parameters = [["job_name", TYPES.NVarChar, plan.job]];
    const outputs = [["job_id", TYPES.UniqueIdentifier]];
    const { out } = await run(connection, "msdb.dbo.sp_add_job", { how: "callProcedure", parameters, outputs });
    return out.job_id;
  },

  async errors(connection) {
    for (const [sql, number, text] of plan.errors) {
      const error = await run(connection, sql, { how: "execSqlBatch" }).then(
        () => assert.fail(`${sql}: no error`),
        (error) => error,
      );
      assert.strictEqual(error.number, number, error.message);
      assert.ok(error.message.includes(text), error.message);
    }
  },

  async cancel(connection) {
    const ended = run(connection, plan.long_sql).then(
      () => assert.fail("the statement came to its end"),
      (error) => error,
    );
    await with_connection(true, async (other) => {
      for (;;) {
        const { rows } = await run(other, plan.running_sql);
        if (rows[0][0] > 1) break;
      }
    });
    connection.cancel();
    assert.strictEqual((await ended).code, "ECANCEL");
    assert.deepStrictEqual((await run(connection, "SELECT 1")).rows, [[1]]);
  },

  async send(connection) {
    const parameters = [["text", TYPES.NVarChar, plan.megabyte]];
    const { rows } = await run(connection, "SELECT @text", { parameters });
    assert.ok(rows[0][0] === plan.megabyte);
  },

  async read(connection) {
    const { rows } = await run(connection, plan.read_sql);
    assert.strictEqual(rows[0][0].length, plan.read_bytes);
  },
};

// T-SQL's type and value, and the parameter: type, value, options.
const VALUES = [
  ["bit", "1", TYPES.Bit, true],
  ["tinyint", "255", TYPES.TinyInt, 255],
  ["smallint", "-32768", TYPES.SmallInt, -32768],
  ["int", "2147483647", TYPES.Int, 2147483647],
  ["bigint", "-9223372036854775808", TYPES.BigInt, "-9223372036854775808"],
  ["decimal(10, 2)", "-99999999.99", TYPES.Decimal, -99999999.99, { precision: 10, scale: 2 }],
  ["numeric(15, 3)", "123456.789", TYPES.Numeric, 123456.789, { precision: 15, scale: 3 }],
  ["money", "-1234.5678", TYPES.Money, -1234.5678],
  ["smallmoney", "214748.3647", TYPES.SmallMoney, 214748.3647],
  ["float", "-1.7976931348623157E308", TYPES.Float, -Number.MAX_VALUE],
  ["real", "-0.15625", TYPES.Real, -0.15625],
  ["date", "'00010101'", TYPES.Date, new Date(Date.UTC(0, 0, 1)).setUTCFullYear(1)],
  ["smalldatetime", "'20790606 23:59'", TYPES.SmallDateTime, Date.UTC(2079, 5, 6, 23, 59)],
  ["datetime", "'17530101'", TYPES.DateTime, Date.UTC(1753, 0, 1)],
  ["datetime2(3)", "'9999-12-31 23:59:59.999'", TYPES.DateTime2, Date.UTC(9999, 11, 31, 23, 59, 59, 999), { scale: 3 }],
  ["datetimeoffset(3)", "'2024-02-29 12:00:00.5 +00:00'", TYPES.DateTimeOffset, Date.UTC(2024, 1, 29, 12, 0, 0, 500), { scale: 3 }],
  ["time(3)", "'23:59:59.999'", TYPES.Time, Date.UTC(1970, 0, 1, 23, 59, 59, 999), { scale: 3 }],
  ["char(5)", "'ab'", TYPES.Char, "ab   "],
  ["varchar(8000)", "REPLICATE('ä', 8000)", TYPES.VarChar, "ä".repeat(8000)],
  ["varchar(max)", "REPLICATE(CAST('ö' AS varchar(max)), 9000)", TYPES.VarChar, "ö".repeat(9000)],
  ["nchar(3)", "N'日'", TYPES.NChar, "日  "],
  ["nvarchar(4000)", "REPLICATE(N'❤', 4000)", TYPES.NVarChar, "❤".repeat(4000)],
  ["nvarchar(max)", "REPLICATE(CAST(N'😀' AS nvarchar(max)), 5000)", TYPES.NVarChar, "😀".repeat(5000)],
  ["binary(2)", "0x00FF", TYPES.Binary, Buffer.from([0, 255])],
  ["varbinary(max)", "CAST(REPLICATE(CAST('z' AS varchar(max)), 9000) AS varbinary(max))", TYPES.VarBinary, Buffer.alloc(9000, "z")],
  ["uniqueidentifier", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", TYPES.UniqueIdentifier, "6F9619FF-8B86-D011-B42D-00C04FC964FF"],
];
const MOMENTS = /^(date|time|smalldate)/;

tasks.types = async (connection) => {
  for (const [kind, literal, type, value, options] of VALUES) {
    const sent = MOMENTS.test(kind) ? new Date(value) : value;
    const expected = MOMENTS.test(kind) ? +sent : value;
    const plain = (found) => (found instanceof Date ? +found : found);
    const parameters = [["value", type, sent, options], ["null", type, null, options]];
    const cast = `CAST(${literal} AS ${kind})`;
    const sql = `SELECT ${cast}, ISNULL(${cast}, ${literal}), CAST(NULL AS ${kind}), @value, @null,
      CASE WHEN @value = ${cast} THEN 1 ELSE 0 END`;
    const { rows } = await run(connection, sql, { parameters });
    const [got, required, none, back, nothing, equal] = rows[0].map(plain);
    assert.deepStrictEqual([none, nothing, equal], [null, null, 1], kind);
    for (const found of [got, required, back]) assert.deepStrictEqual(found, expected, kind);
  }
  const kinds = new Set(VALUES.map(([kind]) => kind.replace(/\(.*/, "")));
  return `${kinds.size} got, ${kinds.size} sent`;
};

// Prepared statements, transactions at each level of isolation, and a reset that takes the session's table away.
tasks.transactions = async (connection) => {
  const call = (name, ...given) =>
    new Promise((resolve, reject) => connection[name]((error) => (error ? reject(error) : resolve()), ...given));
  await run(connection, "CREATE TABLE #t (n int)", { how: "execSqlBatch" });
  const count = async () => (await run(connection, "SELECT COUNT(*) FROM #t", { how: "execSqlBatch" })).rows[0][0];
  const { ISOLATION_LEVEL } = require(home);
  for (const level of ["READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"]) {
    for (const [end, rows] of [["rollbackTransaction", 0], ["commitTransaction", 1]]) {
      await call("beginTransaction", "", ISOLATION_LEVEL[level]);
      await run(connection, "INSERT INTO #t VALUES (@n)", { parameters: [["n", TYPES.Int, 1]] });
      assert.strictEqual(await count(), 1, level);
      await call(end);
      assert.strictEqual(await count(), rows, level);
    }
    await run(connection, "DELETE FROM #t", { how: "execSqlBatch" });
  }
  await call("reset");
  const { rows } = await run(connection, "SELECT OBJECT_ID(N'tempdb..#t'), @@TRANCOUNT", { how: "execSqlBatch" });
  assert.deepStrictEqual(rows, [[null, 0]]);
};

async function main() {
  say({ task: "version", cell: require(path.join(home, "package.json")).version });
  if (plan.only) return;
  for (const [task, work] of Object.entries(tasks)) {
    try {
      say({ task, cell: (await with_connection(true, work)) ?? "" });
    } catch (error) {
      say({ task, failed: String(error.stack ?? error) });
    }
  }
}

main();
