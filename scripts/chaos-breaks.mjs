/**
 * Ways to break the engine on purpose, in a process of `chaos.mjs`: each must show in the outputs of the scenario `operators`, or of `http` where it is about requests, or of
 * `http-webhook` where it is about those that are sent, or the judge is blind. A break changes a class of the built engine before the job is made.
 */
import { copyFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fromDist } from "./dist.mjs"

/** The break that is one of the lock. */
export const NEVER_LOCKED = "lock"

/** Those of the disk, by name: what gets between a process and its disk. */
export const DISK_BREAKS = { publish: publishesTwice, full: overlooksFull }

const KEY_MICROS_LESS = (20 * 60 - 30) * 1_000_000

/** By name: what each does. */
export const BREAKS = {
  /** Timers are not restored. */
  async timers() {
    const { KeyedStates } = await fromDist("flow/process/keyed-states")
    KeyedStates.prototype.timers = () => []
  },

  /** Some rows that were answered are given out twice. */
  async answers() {
    const { AsyncMap } = await fromDist("flow/operators/async-map")
    const { onAnswers } = AsyncMap.prototype
    let batches = 0
    AsyncMap.prototype.onAnswers = function (answers, out) {
      const twice = (port, batch) => {
        out.emit(port, batch)
        if (++batches % 5 === 0) out.emit(port, batch)
      }
      onAnswers.call(this, answers, { emit: twice })
    }
  },

  /** Rows that are in flight are no part of the state. */
  async calls() {
    const { HeldRows } = await fromDist("flow/operators/held-rows")
    HeldRows.prototype.writeChanges = () => undefined
    HeldRows.prototype.writeAll = () => undefined
  },

  /** What connected inputs have in common is restored of the first one only: the process has two maps of each. */
  async connected() {
    const { KeyState } = await fromDist("flow/process/key-state")
    const { MapCell } = await fromDist("flow/process/map-cell")
    const { applyCells } = KeyState.prototype
    KeyState.prototype.applyCells = function (from) {
      applyCells.call(this, from)
      if (this.cells.length !== 4 || this.cells.some((cell) => !(cell instanceof MapCell))) return
      for (const cell of this.cells.slice(2)) {
        cell.clear({ time: 0, touched: () => undefined })
        cell.commit()
      }
    }
  },

  /** What instances of operators have given as snapshots is no part of the state. */
  async instances() {
    const { KeyedInstances } = await fromDist("flow/process/keyed-instances")
    KeyedInstances.prototype.writeChanges = () => undefined
    KeyedInstances.prototype.writeAll = () => undefined
  },

  /** Directories have their markers an hour too early. */
  async markers() {
    const { PartitionedSink } = await fromDist("connectors/files/partitioned-sink")
    const { stage } = PartitionedSink.prototype
    PartitionedSink.prototype.stage = function (final, progress) {
      return stage.call(
        this,
        final,
        progress && { ...progress, watermarkMicros: progress.watermarkMicros + 3_600_000_000 },
      )
    }
  },

  /** Requests are not known by their keys. */
  async keys() {
    const { KeyTable } = await fromDist("connectors/http/key-table")
    KeyTable.prototype.find = () => undefined
  },

  /** Some requests are acknowledged before they are stored. */
  async acknowledgements() {
    const { RequestLog } = await fromDist("connectors/http/request-log")
    const { accept } = RequestLog.prototype
    let requests = 0
    RequestLog.prototype.accept = async function (request) {
      if (++requests % 5 !== 0) return await accept.call(this, request)
      setTimeout(() => accept.call(this, request).catch(() => undefined), 300)
      return { kind: "stored", records: request.records.length }
    }
  },

  /** Rows are committed in PostgreSQL before the mark of their epoch. */
  async marks() {
    const { TargetTable } = await fromDist("connectors/postgres/target-table")
    const { clearSql } = TargetTable.prototype
    TargetTable.prototype.clearSql = function () {
      return [clearSql.call(this), "COMMIT", "BEGIN", "SAVEPOINT tidemark_rows"].filter(Boolean).join(";\n")
    }
  },

  /** Requests that are sent again have other bytes. */
  async bodies() {
    const { BodyReader } = await fromDist("connectors/http/webhook/body-reader")
    const { read } = BodyReader.prototype
    BodyReader.prototype.read = async function (request) {
      const body = await read.call(this, request)
      return request.failures === 0 ? body : Buffer.concat([body, Buffer.from("\n")])
    }
  },

  /** Requests are sent in any order. */
  async lanes() {
    const { PendingEpoch } = await fromDist("connectors/http/webhook/pending-epoch")
    PendingEpoch.prototype.laneOf = (request) => request
  },

  /** Requests without an answer count as accepted. */
  async silence() {
    const { NodeExchange } = await fromDist("connectors/http/webhook/node-exchange")
    const { send } = NodeExchange.prototype
    NodeExchange.prototype.send = async function (request, signal) {
      try {
        return await send.call(this, request, signal)
      } catch {
        return { status: 200, statusText: "", retryAfter: undefined, text: "" }
      }
    }
  },

  /** Requests are sent before what is in them is committed. */
  async uncommitted() {
    const { WebhookSink } = await fromDist("connectors/http/webhook/webhook-sink")
    const { stage } = WebhookSink.prototype
    WebhookSink.prototype.stage = async function (final, progress) {
      const staged = await stage.call(this, final, progress)
      await this.apply(staged)
      return staged
    }
  },

  /** The keys of requests are known for half a minute instead of twenty. */
  async expiry() {
    const { KeyTable } = await fromDist("connectors/http/key-table")
    const { find } = KeyTable.prototype
    KeyTable.prototype.find = function (digest, nowMicros) {
      return find.call(this, digest, nowMicros + KEY_MICROS_LESS)
    }
  },

  /** Some files are published under two names: see `publishesTwice`. */
  async publish() {},

  /** What a full disk does not take counts as written: see `overlooksFull`. */
  async full() {},

  /** Whoever wants the lock of a directory has it: see `withoutLock`. */
  async [NEVER_LOCKED]() {},
}

/** Passes over it that a disk is full. */
function overlooksFull() {
  const change = async (_call, perform) => {
    try {
      await perform()
    } catch (error) {
      if (error.code !== "disk-full") throw error
    }
  }
  return { change, ask: (_call, perform) => perform(), close: (perform) => perform() }
}

/** Publishes each fifth file twice. */
function publishesTwice() {
  let files = 0
  const ask = async ({ step, path }, perform) => {
    if (step === "sink.publish.rename" && ++files % 5 === 0) {
      const [, part, , extension] = basename(path).split(".")
      copyFileSync(path, join(dirname(path), `${part}-again.${extension}`))
    }
    return await perform()
  }
  return { change: ask, ask, close: (perform) => perform() }
}

/** A world in which no directory is locked. */
export function withoutLock(env) {
  return { ...env, lockDirectory: async () => ({ release: async () => undefined }) }
}
