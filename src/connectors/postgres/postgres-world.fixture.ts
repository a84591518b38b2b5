/**
 * A world for the conformance suite with a real server in it: the disk, the clock and the deaths of processes are simulated, the database is not.
 * A call of the database is one that a process may die before or after; where it fails, the connection is gone, before the server has
 * heard of it or behind its answer.
 */
import { SimWorld, type SimEnv } from "../../sim/sim-env.ts"
import { connectByPg, DatabaseError, type Session } from "./session.ts"
import type { TestServer } from "./postgres-server.fixture.ts"

let worlds = 0

/** A disk, a schema of a real database, and processes that come and go on them. */
export class PostgresWorld extends SimWorld {
  readonly schema = `w${process.pid}_${++worlds}`
  readonly #server: TestServer
  /** Those of the process that runs: another set for each process. */
  #sessions = new Set<FaultySession>()
  /** Server processes of dead processes of ours. */
  #left: number[] = []
  #hasSchema = false

  constructor(seed: number, server: TestServer) {
    super({ seed })
    this.#server = server
  }

  override boot(): SimEnv {
    this.#sessions = new Set()
    return super.boot()
  }

  override kill(): void {
    super.kill()
    this.#endSessions()
  }

  override crash(): void {
    super.crash()
    this.#endSessions()
  }

  override async run(promise: Promise<unknown>): Promise<"settled" | "died"> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    while (!isSettled && this.isAlive) {
      await new Promise((resolve) => setImmediate(resolve))
      if (!isSettled) this.scheduler.step()
    }
    return isSettled ? "settled" : "died"
  }

  /** A connection of the process that runs; where that dies meanwhile, it is cut. */
  async connect(): Promise<Session> {
    const sessions = this.#sessions
    let made: FaultySession | undefined
    const effect = async (): Promise<FaultySession> => {
      if (!this.#hasSchema) await this.#server.query(`CREATE SCHEMA IF NOT EXISTS ${this.schema}`)
      this.#hasSchema = true
      await this.#settled()
      const inner = await connectByPg(this.#server.address, "tidemark tests")
      const sql = `SET search_path TO ${this.schema}; SELECT pg_backend_pid() AS pid`
      const [, [row] = []] = await inner.query(sql)
      made = new FaultySession(this, inner, row!["pid"] as number)
      sessions.add(made)
      if (sessions !== this.#sessions) this.#cut(sessions)
      return made
    }
    return await this.callDatabase("sink.postgres.connect", effect, () => made?.destroy())
  }

  /** A call that a fault may strike. `cut` ends the connection. */
  async callDatabase<T>(step: string, effect: () => Promise<T>, cut: () => void): Promise<T> {
    const never = new Promise<never>(() => undefined)
    if (!this.isAlive) return await never
    const sessions = this.#sessions
    const fault = this.faults.strike({ step, operation: "write", occurrence: 0 })
    if (fault === "crash-before" || fault === "kill-before") return this.#die(fault, never)
    if (fault === "eio") throw lost(cut)
    const value = await effect()
    if (sessions !== this.#sessions) return await never
    if (fault === "crash-after" || fault === "kill-after") return this.#die(fault, never)
    if (fault === "enospc") throw lost(cut)
    return value
  }

  /** Rows of a table in this world's schema; none where it is not there. */
  async rowsOf(table: string): Promise<Record<string, unknown>[]> {
    const [found] = await this.#server.query(`SELECT to_regclass('${this.schema}.${table}') IS NOT NULL AS is_there`)
    return found!["is_there"] === true
      ? await this.#server.query(`SELECT * FROM ${this.schema}.${table} ORDER BY id`)
      : []
  }

  async execute(sql: string): Promise<Record<string, unknown>[]> {
    return await this.#server.query(`SET search_path TO ${this.schema}; ${sql}`)
  }

  #die(fault: string, never: Promise<never>): Promise<never> {
    if (fault.startsWith("crash")) this.crash()
    else this.kill()
    return never
  }

  /** Sockets of a process go with it. */
  #endSessions(): void {
    const sessions = this.#sessions
    this.#sessions = new Set()
    this.#cut(sessions)
  }

  #cut(sessions: ReadonlySet<FaultySession>): void {
    for (const session of sessions) {
      this.#left.push(session.pid)
      session.destroy()
    }
  }

  /** The server has noticed which processes are gone: locks of theirs are free. */
  async #settled(): Promise<void> {
    if (this.#left.length === 0) return
    const sql = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE pid IN (${this.#left.join()})`
    for (;;) {
      const [row] = await this.#server.query(sql)
      if (row!["count"] === 0) break
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    this.#left = []
  }
}

function lost(cut: () => void): DatabaseError {
  cut()
  return new DatabaseError(new Error("the connection was cut by the test"))
}

class FaultySession implements Session {
  readonly pid: number
  readonly #world: PostgresWorld
  readonly #inner: Session

  constructor(world: PostgresWorld, inner: Session, pid: number) {
    this.#world = world
    this.#inner = inner
    this.pid = pid
  }

  query(sql: string) {
    return this.#world.callDatabase(
      "sink.postgres.sql",
      () => this.#inner.query(sql),
      () => this.destroy(),
    )
  }

  copyIn(sql: string, chunks: AsyncIterable<Uint8Array>) {
    // Bytes of a file are read by calls of their own, which may be those at which the process dies.
    return this.#world.callDatabase(
      "sink.postgres.copy",
      () => this.#inner.copyIn(sql, chunks),
      () => this.destroy(),
    )
  }

  close() {
    return this.#world.isAlive ? this.#inner.close() : new Promise<void>(() => undefined)
  }

  destroy() {
    this.#inner.destroy()
  }
}
