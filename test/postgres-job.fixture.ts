/** A job with three tables of PostgreSQL, in a process that tests kill, and what its tables must hold in the end. */
import { fork, type ChildProcess } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import type { TestServer } from "../src/connectors/postgres/postgres-server.fixture.ts"
import type { JobEvent } from "../src/trace/events.ts"

const fromDist = (door: string) => JSON.stringify(pathToFileURL(resolve(`dist/${door}.js`)).href)

/** Sessions merge when late records come, so rows of `sessions` are replaced and withdrawn. */
const PROGRAM = `
import { appendFileSync } from "node:fs"
import { count, generate, job, run, schema, session, sum, t } from ${fromDist("index")}
import { postgres } from ${fromDist("postgres")}
import { runOnRows } from ${fromDist("testing")}
const [, , directory, schemaName, rows, rowsPerSecond] = process.argv
const mixed = (id) => Math.imul(id ^ (id >>> 7), 0x9e3779b1) >>> 0
const rowOf = (id) => ({
  id,
  at: id * 2_000 + (mixed(id) % 100 === 0 ? -900_000 : (mixed(id + 7) % 40_000)),
  place: "place " + (mixed(id * 3) % 23) + "\\t\\\\",
  amount: (mixed(id * 5) % 20_001) - 10_000,
})
const shop = job({
  name: "shop",
  inputs: { orders: schema({ id: t.int53, at: t.timestamp({ format: "us" }), place: t.string, amount: t.int32 }) },
  flow: ({ orders }) => {
    const sessions = orders
      .eventTime("at", { outOfOrder: "50ms" })
      .keyBy("place")
      .window(session({ gap: "60ms" }), { allowedLateness: "2s" })
      .aggregate({ orders: count(), amount: sum("amount") }, { id: "sessions" })
    return { orders: orders.filter((order) => order.amount > -9_000).select("id", "place", "amount"), sessions, changes: sessions }
  },
})
if (rowsPerSecond === undefined) {
  const rowsOf = Array.from({ length: Number(rows) }, (_, id) => rowOf(id))
  process.send(await runOnRows(shop, { inputs: { orders: rowsOf } }), () => process.disconnect())
} else {
  const to = (table, rest) => postgres({ connection: { env: "DATABASE_URL" }, table: schemaName + "." + table, ...rest })
  const bound = shop.with({
    inputs: { orders: generate({ rows: Number(rows), rowsPerSecond: Number(rowsPerSecond), row: rowOf }) },
    outputs: {
      orders: to("orders"),
      sessions: to("sessions", { mode: "upsert", key: ["place", "windowStart"] }),
      changes: to("changes", { mode: "changelog" }),
    },
    epoch: { min: "5ms", max: "20ms" },
  })
  process.send({ kind: "opening" })
  const handle = await run(bound, { directory, onEvent: (event) => process.connected && process.send(event) })
  process.on("message", () => void handle.stop())
  const { outcome } = await handle.finished
  process.send({ kind: "ended", outcome }, () => process.disconnect())
}
`

/** What a process of the job tells. */
export type Told = JobEvent | { readonly kind: "opening" } | { readonly kind: "ended"; readonly outcome: string }

/** A process of the job. */
export interface JobProcess {
  readonly child: ChildProcess
  readonly told: Told[]
  /** Its end: the code, or `null` where it was killed. */
  readonly ended: Promise<number | null>
  /** Resolves when it has told so often of this kind, or has ended. */
  when(kind: Told["kind"], times?: number): Promise<void>
}

/** What tables hold, rows as texts, in an order of their own. */
export interface Tables {
  readonly orders: readonly string[]
  readonly sessions: readonly string[]
  readonly changes: readonly string[]
}

type Row = Readonly<Record<string, unknown>>

/** The job of a directory and of a schema of the database. */
export class ShopJob {
  readonly #program: string
  readonly #directory: string
  readonly #schema: string
  readonly #rows: number
  readonly children: ChildProcess[] = []

  constructor(directory: string, schema: string, rows: number) {
    this.#directory = directory
    this.#schema = schema
    this.#rows = rows
    this.#program = join(directory, "shop.mjs")
    writeFileSync(this.#program, PROGRAM)
  }

  begin(address: string, rowsPerSecond: number): JobProcess {
    const args = [join(this.#directory, "state"), this.#schema, String(this.#rows), String(rowsPerSecond)]
    const child = fork(this.#program, args, { env: { ...process.env, DATABASE_URL: address } })
    this.children.push(child)
    const told: Told[] = []
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    child.on("message", (message: Told) => told.push(message))
    return {
      child,
      told,
      ended,
      when: (kind, times = 1) =>
        new Promise((resolve) => {
          const look = (): void => {
            if (told.filter((each) => each.kind === kind).length >= times) resolve()
          }
          look()
          child.on("message", look)
          child.on("close", () => resolve())
        }),
    }
  }

  /** What the same program gives on arrays, in one go: the slow twin. */
  async truth(): Promise<Tables> {
    const child = fork(this.#program, [this.#directory, this.#schema, String(this.#rows)])
    this.children.push(child)
    const results = await new Promise<Record<keyof Tables, Row[]>>((resolve, reject) => {
      child.once("message", resolve)
      child.once("close", () => reject(new Error("the twin has ended without a word")))
    })
    const sessions = new Map<string, string>()
    for (const { op, ...row } of results.sessions) {
      const key = JSON.stringify([row["place"], row["windowStart"]])
      if (op === "delete") sessions.delete(key)
      else sessions.set(key, sessionText(row))
    }
    return {
      orders: results.orders.map(({ id, place, amount }) => JSON.stringify([id, place, amount])).sort(),
      sessions: [...sessions.values()].sort(),
      changes: results.changes.map(({ op, ...row }) => `${op as string} ${sessionText(row)}`),
    }
  }

  /** What is in the tables. */
  async tables(server: TestServer): Promise<Tables> {
    const micros = (name: string): string => `(extract(epoch FROM "${name}") * 1000000)::float8 AS "${name}"`
    const window = `place, ${micros("windowStart")}, ${micros("windowEnd")}, orders::float8, amount::float8`
    const read = (columns: string, table: string, order: string): Promise<Row[]> =>
      server.query(`SELECT ${columns} FROM ${this.#schema}.${table} ORDER BY ${order}`)
    const orders = await read("id::float8, place, amount", "orders", "id")
    const sessions = await read(window, "sessions", `place, "windowStart"`)
    const changes = await read(`op, ${window}`, "changes", "change_number")
    return {
      orders: orders.map(({ id, place, amount }) => JSON.stringify([id, place, amount])).sort(),
      sessions: sessions.map(sessionText).sort(),
      changes: changes.map(({ op, ...row }) => `${op as string} ${sessionText(row)}`),
    }
  }
}

function sessionText({ place, windowStart, windowEnd, orders, amount }: Row): string {
  return JSON.stringify([place, windowStart, windowEnd, orders, amount])
}
