/** The inputs of live scenarios: requests that are pushed, and a log to which a program in the same process appends. */
import type { SourceBinding } from "../../connect/source.ts"
import { InputDoor } from "../../connectors/http/input-door.ts"
import { pushedSource } from "../../connectors/http/pushed-source.ts"
import { RecordCheck } from "../../connectors/http/record-check.ts"
import { RequestLog } from "../../connectors/http/request-log.ts"
import { LogSource } from "../../connectors/log/log-source.ts"
import type { PushedSource } from "../../connectors/pushed/pushed-source.ts"
import { Log } from "../../log/records/log.ts"
import { RecordLog } from "../../log/records/record-log.ts"
import type { Env } from "../../env/env.ts"
import type { HttpSenders } from "./http-senders.ts"
import type { LiveRequest, LiveScenario } from "./live-scenario.ts"

const SEGMENT_BYTES = 2000
const RECORD_BYTES_MAX = 1000
/** Clocks of these worlds are set by hours; keys are kept for longer. */
const KEYS = { count: 100_000, micros: 30 * 86_400_000_000 }
const LOG_DIRECTORY = "/job/events.log"
const APPEND_PAUSE_MICROS_MAX = 200_000

/** What is open of an input while its process lives. */
export interface OpenInput {
  pushed: PushedSource | undefined
  requests: RequestLog | undefined
  log: Log | undefined
}

/** Records that senders push: what lies between the body of a request and its answer is the product's, and the network is the scenario's. */
export function pushedInput(scenario: LiveScenario, senders: HttpSenders, open: OpenInput): SourceBinding {
  return {
    readGuarantee: "durable-when-acknowledged",
    describe: () => "pushed",
    openSource: async (context) => {
      const { backlogBytes, trimBytes } = scenario
      const directory = `${context.stateDirectory}/inputs/${context.input}`
      const settings = { backlogBytes, trimBytes, keys: KEYS, segmentBytes: SEGMENT_BYTES }
      const requests = await RequestLog.open(context.env, directory, settings)
      const door = new InputDoor({
        path: "/rows",
        requests,
        check: new RecordCheck(context.schema, RECORD_BYTES_MAX),
        maxRequestBytes: 100_000,
        maxRecords: 1000,
        isKeyRequired: false,
      })
      senders.door = door
      open.requests = requests
      const onClose = async (): Promise<void> => {
        door.close()
        await requests.close()
      }
      return pushedSource(context, requests, { id: "/rows", maxRecordBytes: RECORD_BYTES_MAX, directory, onClose })
    },
  }
}

async function openLog(env: Env): Promise<Log> {
  const retention = { bytes: Infinity, ageMicros: Infinity, isConsumed: false }
  const settings = { segmentBytes: SEGMENT_BYTES, retention, generationBytes: 2 ** 30 }
  return new Log(await RecordLog.open(env, LOG_DIRECTORY, settings), env.disk)
}

/** Records of a log. */
export function loggedInput(open: OpenInput): SourceBinding {
  return {
    describe: () => "logged",
    openSource: async (context) => {
      const log = await openLog(context.env)
      open.log = log
      return new LogSource(context, {
        id: LOG_DIRECTORY,
        reader: log,
        isFollowed: true,
        begin: () => Promise.resolve("start"),
        maxRecordBytes: RECORD_BYTES_MAX,
        onClose: () => log.close(),
      })
    },
  }
}

/**
 * Appends what the log lacks, and seals it: a program that looks, when it starts, which of its records are there. What it was told to be
 * durable before and is not there any more is a finding.
 */
export async function writeLog(
  scenario: LiveScenario,
  log: Log,
  env: Env,
  durable: Set<number>,
  draw: (bound: number) => number,
): Promise<string[]> {
  if (await log.isSealed()) return []
  const there = new Set<number>()
  for await (const entry of log.read()) if (entry.kind === "record") there.add(idOf(entry.payload))
  const lost = [...durable].filter((id) => !there.has(id))
  if (lost.length > 0) return [`the log has lost the records ${lost.join(", ")}, which were durable`]
  for (const { records } of scenario.requests) {
    const missing = records.filter(({ id }) => !there.has(id))
    if (missing.length === 0) continue
    await env.timers.sleep(draw(APPEND_PAUSE_MICROS_MAX))
    await log.appendBatch(missing.map((record) => JSON.stringify(record)))
    for (const { id } of missing) durable.add(id)
  }
  await log.seal()
  return []
}

/** The records of requests, in order. */
export function recordsOfAll(requests: readonly LiveRequest[]): LiveRequest["records"] {
  return requests.flatMap(({ records }) => records)
}

function idOf(payload: Uint8Array): number {
  return (JSON.parse(new TextDecoder().decode(payload)) as { id: number }).id
}
