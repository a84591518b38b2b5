/**
 * WARNING: this file is policy, not configuration. It says which folder of src/ may import which. Nobody edits it to
 * make a build pass: a new arrow needs a decision record in docs/decisions/.
 *
 * Low to high. `doors` are the published entry points. A folder may always import itself.
 */
export const layers = {
  base: [],
  time: ["base"],
  batch: ["base", "time"],
  env: ["base"],
  trace: ["base", "env"],
  expr: ["base", "time", "batch"],
  formats: ["base", "time", "batch", "expr"],
  log: ["base", "env", "trace"],
  state: ["log", "env", "trace", "time", "batch", "base"],
  connect: ["base", "time", "batch", "env", "trace", "expr"],
  flow: ["base", "time", "batch", "expr"],
  stream: ["flow", "expr", "connect", "batch", "time", "base"],
  runtime: ["base", "time", "batch", "env", "trace", "expr", "formats", "log", "state", "connect", "flow"],
  observe: ["flow", "expr", "connect", "state", "log", "env", "trace", "time", "batch", "base"],
  "connectors/files": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  "connectors/nexmark": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  "connectors/memory": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  "connectors/stdout": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  "connectors/machine": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  // Records of a log that a program opens, as an input: docs/decisions/0059.
  "connectors/log": ["connect", "formats", "log", "batch", "time", "env", "trace", "base"],
  // What was pushed is durable in a log, which is read as one: docs/decisions/0060.
  "connectors/http": ["connectors/log", "connect", "formats", "log", "batch", "time", "env", "trace", "base"],
  // What a program pushes is durable in a log, as columns: docs/decisions/0070.
  "connectors/pushed": ["connect", "formats", "log", "batch", "time", "env", "trace", "base"],
  // Rows of an output in a table: docs/decisions/0061.
  "connectors/postgres": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  "connectors/generate": ["connect", "formats", "batch", "time", "env", "trace", "base"],
  // What a job tells of itself, by HTTP; it is part of the embedded deployment, and opt-in: docs/decisions/0037.
  server: ["base", "env", "trace", "runtime"],
  // One process, the real env, the files connector as the default for dead letters: see docs/decisions/0004.
  // "formats" and "flow" for the program of its threads, which decode and compute: docs/decisions/0026, 0038. "log" for logs that
  // programs open themselves: docs/decisions/0056.
  embedded: ["base", "env", "log", "formats", "flow", "connect", "runtime", "trace", "connectors/files", "connectors/log", "server"],
  cli: ["base", "time", "batch", "env", "trace", "expr", "formats", "log", "state", "connect", "flow", "stream", "runtime", "observe", "embedded", "server", "connectors/files"],
  // Jobs whose records are pushed or come from logs, and whose rows go into tables: docs/decisions/0069.
  sim: ["base", "time", "batch", "env", "trace", "expr", "formats", "log", "state", "connect", "flow", "stream", "runtime", "observe", "connectors/files", "connectors/log", "connectors/http", "connectors/postgres", "connectors/pushed"],
  // "connectors/memory" as the outputs of a driven job: docs/decisions/0044.
  testing: ["base", "time", "batch", "env", "trace", "expr", "formats", "log", "state", "connect", "flow", "stream", "runtime", "observe", "connectors/files", "connectors/memory", "sim"],
}

/** The published entry points: they re-export by name and are imported by nobody inside. */
export const doors = ["index.ts", "files.ts", "http.ts", "log.ts", "machine.ts", "nexmark.ts", "postgres.ts", "testing.ts"]

/** Layers that compile without Node's or the DOM's types: no clock, no chance, no I/O, no promises. */
export const pureLayers = ["base", "time", "batch", "expr", "formats", "flow"]

/** The only places that may name `node:*`. */
export const nodeDoors = ["env/node", "connectors", "embedded", "cli", "server"]
