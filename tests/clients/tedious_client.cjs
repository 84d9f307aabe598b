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
    for (const [name, type, value] of parameters) request.addParameter(name, type, value);
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
