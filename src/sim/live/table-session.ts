/**
 * A connection of a simulated process to the stand-in of a database server. Each call is one of the process's world: it takes time, it may
 * fail, and the process may die at it.
 *
 * Invariants:
 * - TC1 Where a call fails, the connection is gone, and what was sent is done, not done, or done a little later, when somebody else may
 *   have connected.
 * - TC2 What is under way at a death may be done later, too.
 */
import { DatabaseError, type Connect, type Rows, type Session } from "../../connectors/postgres/session.ts"
import type { Env } from "../../env/env.ts"
import type { CallingProcess } from "../sim-call.ts"
import { ServerSession, type TableServer } from "./table-server.ts"
import { copyIn, execute, type Execution } from "./table-sql.ts"

const LOCK_STEP_MICROS = 50_000

/** How a process connects. */
export function connectTo(server: TableServer, process: CallingProcess, { timers }: Pick<Env, "timers">): Connect {
  return async () => {
    let isCut = false
    const isConnected = (): boolean => process.isAlive && !isCut
    const site = { operation: "database", step: "database.connect", path: "server" } as const
    const opened = await heard(process.call(site, { perform: () => server.connect(isConnected) }))
    if (!(opened instanceof ServerSession)) throw new DatabaseError(opened)
    const cut = (): void => {
      isCut = true
      server.leave(opened)
    }
    return new TableSession({ server, process, timers, session: opened, cut })
  }
}

interface SessionParts {
  readonly server: TableServer
  readonly process: CallingProcess
  readonly timers: Env["timers"]
  readonly session: ServerSession
  readonly cut: () => void
}

class TableSession implements Session {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  async query(sql: string): Promise<readonly Rows[]> {
    const { server, session } = this.#parts
    return await this.#call("database.query", sql, () => execute(server, session, sql))
  }

  async copyIn(sql: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: number[] = []
    for await (const chunk of chunks) pieces.push(...chunk)
    const bytes = Uint8Array.from(pieces)
    const { server, session } = this.#parts
    await this.#call("database.copy", sql, () => copyIn(server, session, sql, bytes))
  }

  async close(): Promise<void> {
    const { process, server, session } = this.#parts
    const site = { operation: "database", step: "database.close", path: "server" } as const
    await heard(process.call(site, { perform: () => server.end(session) })).catch(() => undefined)
  }

  destroy(): void {
    this.#parts.cut()
  }

  async #call(step: string, sql: string, send: () => Execution): Promise<readonly Rows[]> {
    const { server, process, timers, session, cut } = this.#parts
    const site = { operation: "database", step, path: "server", detail: sql.trim().slice(0, 40) } as const
    const arrive = (): Execution => (session.isEnded ? ENDED : send())
    const abandon = (): void => {
      server.abandon(() => void arrive())
      cut()
    }
    const perform = (): Execution => {
      if (session.isEnded || !server.losesConnection()) return arrive()
      abandon()
      return LOST
    }
    for (;;) {
      const effect = { perform, fail: abandon, cutOff: abandon }
      const answer = await heard(process.call(site, effect))
      if (Array.isArray(answer)) return answer as readonly Rows[]
      if (answer !== "locked") throw new DatabaseError(answer)
      await timers.sleep(LOCK_STEP_MICROS)
    }
  }
}

const ENDED = { code: "57P01", message: "the connection was ended by the server" }
const LOST = { code: "08006", message: "the connection was lost" }

/** A failure of the world is one of the connection. */
async function heard<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch {
    throw new DatabaseError(new Error("the connection was lost"))
  }
}
