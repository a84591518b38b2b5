/** The mistakes that jobs show which are sent records, and whose rows go into tables: see `logical-mutants.ts`. */
import { ByteWriter } from "../../base/bytes.ts"
import { KeyTable } from "../../connectors/http/key-table.ts"
import { RequestLog } from "../../connectors/http/request-log.ts"
import { LogPosition } from "../../connectors/log/log-position.ts"
import { PushedPosition } from "../../connectors/pushed/pushed-position.ts"
import { PushedSource } from "../../connectors/pushed/pushed-source.ts"
import { PushedStore } from "../../connectors/pushed/pushed-store.ts"
import { PatientDatabase } from "../../connectors/postgres/patient-database.ts"
import { PostgresSink } from "../../connectors/postgres/postgres-sink.ts"
import type { Rows, Session } from "../../connectors/postgres/session.ts"
import { KeyedProcess } from "../../flow/process/keyed-process.ts"
import { KeyedStates } from "../../flow/process/keyed-states.ts"
import { Log as CommitLog, type AppendedRecord } from "../../log/log.ts"
import { placeOf } from "../../log/records/lsn.ts"
import { RECORD } from "../../state/commit-record.ts"
import { applyWhenStaged, replaceMethod, type LogicalMutant } from "../logical-mutants.ts"

type Query = (sql: string) => Promise<readonly Rows[]>

/** Says something else to the database than the output wants to. What is tried again has the `memory` of the attempts before. */
function sayOtherwise(change: (query: Query, memory: Map<string, readonly Rows[]>) => Query): () => void {
  return replaceMethod(
    PatientDatabase.prototype,
    "run",
    (run) =>
      function (this: PatientDatabase, attempt, limitMicros) {
        const memory = new Map<string, readonly Rows[]>()
        const changed = (session: Session): Session => ({
          query: change((sql) => session.query(sql), memory),
          copyIn: (sql, chunks) => session.copyIn(sql, chunks),
          close: () => session.close(),
          destroy: () => session.destroy(),
        })
        return run.call(this, (session) => attempt(changed(session)), limitMicros)
      } as typeof run,
  )
}

function leaveOutLastEpoch(): () => void {
  const drafts = new WeakMap<CommitLog, AppendedRecord | undefined>()
  const undoOpen = replaceMethod(CommitLog, "open", (open) => async (disk, directory, visitor) => {
    const log = await open.call(CommitLog, disk, directory, visitor)
    if (directory.includes(".draft-")) drafts.set(log, undefined)
    return log
  })
  const undoAppend = replaceMethod(
    CommitLog.prototype,
    "append",
    (append) =>
      async function (this: CommitLog, type, payload) {
        const before = drafts.get(this)
        if (before !== undefined && type !== RECORD.run) await append.call(this, before.type, before.payload)
        if (!drafts.has(this) || type !== RECORD.epoch) return await append.call(this, type, payload)
        drafts.set(this, { type, payload })
        return { generation: 0, offset: 0 }
      },
  )
  return () => {
    undoAppend()
    undoOpen()
  }
}

function missEveryFifth(): () => void {
  let epochs = 0
  return replaceMethod(
    KeyedProcess.prototype,
    "writeChanges",
    (writeChanges) =>
      function (this: KeyedProcess, out) {
        // What was written once has not changed any more.
        if (++epochs % 5 === 0) writeChanges.call(this, new ByteWriter())
        writeChanges.call(this, out)
      },
  )
}

/** See the head of this file. */
export const LIVE_MUTANTS: readonly LogicalMutant[] = [
  {
    name: "acknowledges requests before they are durable",
    scenario: "live",
    says: /which was acknowledged|stored again/,
    plant: () =>
      replaceMethod(
        RequestLog.prototype,
        "accept",
        (accept) =>
          function (this: RequestLog, request) {
            accept.call(this, request).catch(() => undefined)
            return Promise.resolve({ kind: "stored", records: request.records.length } as const)
          },
      ),
  },
  {
    name: "tells who pushes before it is durable",
    scenario: "live",
    says: /which was acknowledged/,
    plant: () =>
      replaceMethod(
        PushedSource.prototype,
        "push",
        (push) =>
          function (this: PushedSource, records) {
            push.call(this, records).catch(() => undefined)
            return Promise.resolve()
          },
      ),
  },
  {
    name: "lets go what was pushed and is not committed",
    scenario: "live",
    says: /which was acknowledged|source-changed/,
    plant: () =>
      replaceMethod(
        PushedStore.prototype,
        "append",
        (append) =>
          async function (this: PushedStore, payloads) {
            const places = await append.call(this, payloads)
            for (const place of places) this.committed({ place, taken: undefined, form: "", skipped: 0 })
            return places
          },
      ),
  },
  {
    name: "forgets how many records of a push it has read",
    scenario: "live",
    says: /which was acknowledged|more often/,
    plant: () =>
      replaceMethod(
        PushedPosition.prototype,
        "applyChanges",
        (applyChanges) =>
          function (this: PushedPosition, changes) {
            applyChanges.call(this, changes)
            if (this.last?.taken !== undefined) this.move({ ...this.last, taken: undefined })
          },
      ),
  },
  {
    name: "does not know requests by their keys",
    scenario: "live",
    says: /holds \d+ times|stored again/,
    plant: () => replaceMethod(KeyTable.prototype, "find", () => () => undefined),
  },
  {
    name: "forgets keys when it lets requests go",
    scenario: "live",
    says: /holds \d+ times|stored again/,
    plant: () =>
      replaceMethod(
        KeyTable.prototype,
        "forget",
        (forget) =>
          function (this: KeyTable) {
            forget.call(this, Infinity)
          },
      ),
  },
  {
    name: "lets requests go that are not committed",
    scenario: "live",
    says: /which was acknowledged|source-changed/,
    plant: () =>
      replaceMethod(
        RequestLog.prototype,
        "committed",
        (committed) =>
          function (this: RequestLog, next) {
            committed.call(this, next)
            void this.log
              .end()
              .then((end) => committed.call(this, placeOf(end)))
              .catch(() => undefined)
          },
      ),
  },
  {
    name: "forgets how many records of a request it has read",
    scenario: "live",
    says: /holds \d+ times/,
    plant: () =>
      replaceMethod(
        LogPosition.prototype,
        "applyChanges",
        (applyChanges) =>
          function (this: LogPosition, changes) {
            applyChanges.call(this, changes)
            if (this.last !== undefined) this.move({ ...this.last, pieces: 0 })
          },
      ),
  },
  {
    name: "restores no timers",
    scenario: "live",
    says: /by its timer|began from the savepoint/,
    plant: () =>
      replaceMethod(
        KeyedStates.prototype,
        "timers",
        () =>
          function () {
            return [].values()
          },
      ),
  },
  {
    name: "misses what an epoch has changed in the state of keys, at every fifth",
    scenario: "live",
    says: /has the number|by its timer|began from the savepoint/,
    plant: missEveryFifth,
  },
  {
    name: "moves the marker in a transaction of its own, behind that of the rows",
    scenario: "live",
    says: /holds \d+ times|late for it|not 1/,
    plant: () =>
      sayOtherwise((query) => async (sql) => {
        const found = /(UPDATE "public"\."tidemark_outputs"[^;]*);\s*COMMIT$/.exec(sql)
        if (found === null) return await query(sql)
        await query(sql.replace(found[1]!, "SET datestyle TO 'ISO, MDY'"))
        return await query(`BEGIN; ${found[1]!}; COMMIT`)
      }),
  },
  {
    name: "does not look at the marker before it writes an epoch again",
    scenario: "live",
    says: /holds \d+ times|late for it|not 1/,
    plant: () =>
      sayOtherwise((query, memory) => async (sql) => {
        const answers = await query(sql)
        if (!sql.includes("FOR UPDATE")) return answers
        const before = memory.get(sql) ?? answers
        memory.set(sql, before)
        return before
      }),
  },
  {
    name: "drops the rows that a table refuses",
    scenario: "live",
    says: /lacks the record|not 1/,
    plant: () =>
      sayOtherwise(
        (query) => (sql) =>
          query(sql.replaceAll(/INSERT INTO "public"\."\w+_dead_letters".*?\)(?=;)/gs, "SET datestyle TO 'ISO, MDY'")),
      ),
  },
  {
    name: "applies no epoch of an output again when it recovers",
    scenario: "live",
    says: /lacks the record|not 1|sink-|late for it/,
    plant: () =>
      replaceMethod(
        PostgresSink.prototype,
        "applyPending",
        () =>
          function () {
            return Promise.resolve()
          },
      ),
  },
  {
    name: "applies what is staged before the commit record is durable",
    scenario: "live",
    says: /holds \d+ times|sink-|late for it|not 1/,
    plant: applyWhenStaged,
  },
  {
    name: "leaves the last epoch out of a savepoint",
    scenario: "live",
    says: /savepoint/,
    plant: leaveOutLastEpoch,
  },
]
