/** A table of PostgreSQL, bound to a job's output, not yet opened. */
import { TidemarkError } from "../../base/errors.ts"
import { NO_EPOCH } from "../../connect/epoch-mark.ts"
import type { Sink, SinkBinding, SinkContext, SinkGuarantee, SinkRecovery } from "../../connect/sink.ts"
import type { Env } from "../../env/env.ts"
import { readSecret } from "../../env/node/secret-values.ts"
import type { ViolationPolicy } from "./apply-epoch.ts"
import { checkTable, claim, schemaOf, SESSION_SQL, takeLock, tryLock } from "./claim.ts"
import { EpochFiles } from "../../connect/epoch-files.ts"
import { tableText, type TableName } from "./identifiers.ts"
import type { Claimant, KnownHistory } from "./marker.ts"
import { PatientDatabase } from "./patient-database.ts"
import { PostgresSink } from "./postgres-sink.ts"
import { connectByPg, type Connect, type Session } from "./session.ts"
import { decodeCheckpoint, decodeEpoch } from "./staged-epoch.ts"
import { checkColumns, TargetTable, type TableMode } from "./target-table.ts"

/** How long a job that starts waits for its database. */
const START_LIMIT_MICROS = 30_000_000

/** What was asked for, checked. */
export interface PostgresTarget {
  readonly connection: string | { readonly env: string }
  readonly table: TableName
  readonly mode: TableMode
  readonly key: readonly string[]
  readonly creates: boolean
  readonly onViolation: ViolationPolicy
}

/** See the head of this file. */
export class PostgresBinding implements SinkBinding {
  readonly guarantee: SinkGuarantee = "exactly-once"
  readonly accepts: NonNullable<SinkBinding["accepts"]>
  readonly #target: PostgresTarget
  readonly #connect: Connect | undefined

  /** @param connect for tests: connects in the place of `pg`. */
  constructor(target: PostgresTarget, connect?: Connect) {
    this.#target = target
    this.#connect = connect
    this.accepts = target.mode === "append" ? { append: true } : { append: true, update: true }
  }

  describe(): string {
    const { table, mode, key } = this.#target
    const keys = mode === "upsert" ? `, key: ${JSON.stringify(key)}` : ""
    return `postgres({ table: ${JSON.stringify(tableText(table))}, mode: ${JSON.stringify(mode)}${keys} })`
  }

  /** The server may move: whose the table is stands in it. */
  targetKey(): string {
    const { connection, table } = this.#target
    return `postgres:${typeof connection === "string" ? placeOf(connection) : `$${connection.env}`}/${tableText(table)}`
  }

  async check(context: SinkContext, recovery: SinkRecovery): Promise<void> {
    const { job } = context
    const history = historyOf(recovery)
    const database = this.#database(context, (session) => prepareSession(session, undefined))
    try {
      await database.run(async (session) => {
        const table = await this.#table(session, context)
        await checkTable(session, table, { job }, history, { ...this.#target, isReset: recovery.reset })
      }, START_LIMIT_MICROS)
    } finally {
      await database.close()
    }
  }

  async openSink(context: SinkContext, recovery: SinkRecovery): Promise<Sink> {
    const { env, job, output, schema, stateDirectory, onEvent } = context
    if (stateDirectory === undefined) {
      throw new TidemarkError("invalid-options", `The output ${output} needs the directory of a job.`, {
        hint: "Run the job.",
      })
    }
    const history = historyOf(recovery)
    const newId = (): string => idOf(env)
    const claimant: Claimant = { job, output, token: history.token ?? newId(), opening: newId() }
    let table: TargetTable | undefined
    const database = this.#database(context, (session) => prepareSession(session, table))
    try {
      const opened = await database.run(async (session) => {
        const found = await this.#table(session, context)
        await takeLock(session, found, env)
        const options = { ...this.#target, isReset: recovery.reset }
        return { found, applied: await claim(session, found, claimant, history, options) }
      }, START_LIMIT_MICROS)
      if (opened === undefined) throw stoppedWhileOpening(output)
      const { found, applied } = opened.value
      table = found
      const pending = history.staged.filter(({ sequence }) => sequence > applied.sequence)
      const files = new EpochFiles({ disk: env.disk, stateDirectory, output, steps: "sink.postgres" })
      await files.keepOnly(history.staged)
      const target = { table: found, claimant, files, onViolation: this.#target.onViolation }
      const sink = new PostgresSink({ database, target, schema, applied, pending, newId, onEvent })
      await sink.applyPending()
      return sink
    } catch (error) {
      await database.close()
      throw error
    }
  }

  #database(context: SinkContext, prepare: (session: Session) => Promise<void>): PatientDatabase {
    const { env, output, job, stopping, onEvent } = context
    const { connection } = this.#target
    // The address is read again for each connection, so that a password may change while the job runs.
    const connect = this.#connect ?? (() => connectByPg(addressOf(connection, output), `tidemark ${job}`.slice(0, 63)))
    return new PatientDatabase({ connect, env, output, stopping, onEvent, prepare })
  }

  async #table(session: Session, { schema, output }: SinkContext): Promise<TargetTable> {
    const { table, mode, key } = this.#target
    const found = new TargetTable({ name: table.name, schema: await schemaOf(session, table) }, schema, { mode, key })
    checkColumns(found, output)
    return found
  }
}

/** @param table where the marker names this process already. */
async function prepareSession(session: Session, table: TargetTable | undefined): Promise<void> {
  await session.query(SESSION_SQL)
  if (table !== undefined) await tryLock(session, table)
}

function historyOf({ checkpoint, staged }: SinkRecovery): KnownHistory {
  const epochs = staged.map(decodeEpoch).filter((epoch) => epoch !== undefined)
  if (checkpoint === undefined) return { token: epochs[0]?.token, applied: NO_EPOCH, staged: epochs }
  const { token, applied, pending } = decodeCheckpoint(checkpoint)
  return { token, applied, staged: [...pending, ...epochs] }
}

function idOf(env: Env): string {
  return [env.randomUint32(), env.randomUint32()].map((half) => half.toString(16).padStart(8, "0")).join("")
}

/** @throws TidemarkError `invalid-params` where it is not given. */
function addressOf(connection: PostgresTarget["connection"], output: string): string {
  if (typeof connection === "string") return connection
  const found = readSecret(connection.env)
  if (found !== undefined && "value" in found) return found.value
  const problem = found?.problem ?? `neither ${connection.env} nor ${connection.env}_FILE is set`
  throw new TidemarkError("invalid-params", `The output ${output} is not given its database: ${problem}.`, {
    hint: `Set ${connection.env} to postgres://user:password@host:5432/database, or ${connection.env}_FILE to the path of a file that has it.`,
  })
}

/** Host, port and database of an address, without user and password. */
function placeOf(address: string): string {
  try {
    const { host, pathname } = new URL(address)
    return `${host}${pathname}`
  } catch {
    return "?"
  }
}

function stoppedWhileOpening(output: string): TidemarkError {
  return new TidemarkError(
    "sink-unreachable",
    `The job was asked to stop while the output ${output} waited for its database.`,
  )
}
