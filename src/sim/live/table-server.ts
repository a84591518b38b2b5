/**
 * A stand-in of a database server: tables in memory, transactions, locks, sessions that end unnoticed. It lives beside the simulated
 * machine and outlives its crashes; what it is asked is SQL (`table-sql.ts`), as the output of PostgreSQL asks it.
 *
 * Invariants:
 * - TS1 What a transaction does is seen by nobody before its COMMIT, and by everybody behind it, whether its sender hears of it or not.
 * - TS2 A session whose client is gone goes on until the server notices: it holds its locks, and what was sent may still be done.
 * - TS3 A restart ends all sessions: open transactions are undone, what was committed stays.
 */
import { assert } from "../../base/assert.ts"
import type { Prng } from "../../base/prng.ts"
import type { SimScheduler } from "../scheduler.ts"

/** A row by its columns, each as COPY writes it. */
export type TableRow = Readonly<Record<string, string | null>>

/** A table that is there. */
export interface StoredTable {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isRequired: boolean }[]
  /** The columns of its primary key; none where it has no key. */
  readonly key: readonly string[]
  rows: readonly TableRow[]
}

/** What the server answers in the place of rows. */
export interface ServerRefusal {
  readonly code: string
  readonly message: string
  readonly constraint?: string
  readonly where?: string
}

/** What a session holds is gone by this time after its client is, at the latest. */
const NOTICED_MICROS = 3_000_000
const RESTART_MICROS_MAX = 2_000_000
/** A message that was sent arrives by then, or never. */
const LATE_MICROS = 1_000_000
/** Whatever takes a connection takes the server with it, at times. */
const RESTART_CHANCE = 0.2

/** A transaction that is open. */
interface Transaction {
  /** What COMMIT does, in order. */
  readonly changes: (() => void)[]
  readonly savepoints: { readonly name: string; readonly changes: number; readonly incoming: readonly TableRow[] }[]
  /** Something has failed, and nothing is taken but a return. */
  isBroken: boolean
}

/** A session, as the server has it. */
export class ServerSession {
  transaction: Transaction | undefined
  /** The rows of its temporary table. */
  incoming: readonly TableRow[] = []
  isEnded = false
  /** Whether its client is there. */
  readonly isConnected: () => boolean

  constructor(isConnected: () => boolean) {
    this.isConnected = isConnected
  }
}

/** See the head of this file. */
export class TableServer {
  readonly tables = new Map<string, StoredTable>()
  /** How often a COMMIT was done, and how often the server was started again. */
  commits = 0
  restarts = 0
  /** How often a call loses its connection. */
  lossChance = 0
  /** Rows that a constraint of the tables refuses. */
  readonly refuses: (row: TableRow) => boolean
  readonly #scheduler: SimScheduler
  readonly #prng: Prng
  readonly #sessions = new Set<ServerSession>()
  readonly #locks = new Map<string, ServerSession>()
  readonly #leaving = new Set<ServerSession>()
  #readyMicros = 0

  constructor(scheduler: SimScheduler, prng: Prng, refuses: (row: TableRow) => boolean) {
    this.#scheduler = scheduler
    this.#prng = prng
    this.refuses = refuses
  }

  connect(isConnected: () => boolean): ServerSession | ServerRefusal {
    if (this.#scheduler.now < this.#readyMicros) {
      return { code: "57P03", message: "the database system is starting up" }
    }
    const session = new ServerSession(isConnected)
    this.#sessions.add(session)
    return session
  }

  /** Takes a lock, where nobody else has it. Who holds it and is gone is noticed some time from now (TS2). */
  lock(session: ServerSession, name: string): boolean {
    const holder = this.#locks.get(name) ?? session
    if (holder === session) {
      this.#locks.set(name, session)
      return true
    }
    if (!holder.isConnected()) this.leave(holder)
    return false
  }

  /** Lets go the locks of a transaction. */
  unlock(session: ServerSession, prefix = ""): void {
    for (const [name, holder] of this.#locks) {
      if (holder === session && name.startsWith(prefix)) this.#locks.delete(name)
    }
  }

  begin(session: ServerSession): void {
    assert(session.transaction === undefined, "one transaction at a time")
    session.transaction = { changes: [], savepoints: [], isBroken: false }
  }

  commit(session: ServerSession): void {
    const { transaction } = session
    assert(transaction?.isBroken === false, "what is broken is not committed")
    for (const change of transaction.changes) change()
    this.commits++
    this.rollback(session)
  }

  rollback(session: ServerSession): void {
    session.transaction = undefined
    session.incoming = []
    this.unlock(session, "row ")
  }

  /** The client has gone: the server notices now or later (TS2). */
  leave(session: ServerSession): void {
    if (session.isEnded || this.#leaving.has(session)) return
    this.#leaving.add(session)
    this.later(NOTICED_MICROS, () => this.end(session))
  }

  end(session: ServerSession): void {
    session.isEnded = true
    this.rollback(session)
    this.unlock(session)
    this.#sessions.delete(session)
    this.#leaving.delete(session)
  }

  /** TS3. */
  restart(): void {
    for (const session of [...this.#sessions]) this.end(session)
    this.restarts++
    this.#readyMicros = this.#scheduler.now + this.#prng.below(RESTART_MICROS_MAX)
  }

  /** Whether this call loses its connection. */
  losesConnection(): boolean {
    return this.lossChance > 0 && this.#prng.chance(this.lossChance)
  }

  /** What becomes of a message whose sender will not hear of it: it is done, or a little later, or not (TS2); now and then the server goes, too. */
  abandon(perform: () => void): void {
    const fate = this.#prng.float()
    if (fate < 0.35) perform()
    else if (fate < 0.7) this.later(LATE_MICROS, perform)
    if (this.#prng.chance(RESTART_CHANCE)) this.restart()
  }

  /** Does something within so much time. */
  later(microsMax: number, perform: () => void): void {
    this.#scheduler.schedule(this.#prng.below(microsMax), perform)
  }
}
