/**
 * A program that pushes into its own job. What it was told to be durable it knows for ever, as programs keep that somewhere; what it was not told it pushes
 * again in its next life, without a key: that may be there twice, and never in part.
 */
import { TidemarkError } from "../../base/errors.ts"
import type { Prng } from "../../base/prng.ts"
import type { SourceBinding } from "../../connect/source.ts"
import { PushedSource } from "../../connectors/pushed/pushed-source.ts"
import { PushedStore } from "../../connectors/pushed/pushed-store.ts"
import type { Env } from "../../env/env.ts"
import type { LiveRequest, LiveScenario } from "./live-scenario.ts"

const SEGMENT_BYTES = 2000
const PAUSE_MICROS_MAX = 400_000

/** What a push is refused with where the process comes to its end, or its disk has failed. */
const ENDING: ReadonlySet<string> = new Set(["input-closed", "disk-failed", "disk-full"])

/** See the head of this file. */
export class PushingProgram {
  readonly acknowledged = new Set<LiveRequest>()
  /** How often each request was pushed. */
  readonly deliveries = new Map<LiveRequest, number>()
  readonly #scenario: LiveScenario
  readonly #prng: Prng

  constructor(scenario: LiveScenario, prng: Prng) {
    this.#scenario = scenario
    this.#prng = prng
  }

  /** Whether all is acknowledged. */
  get isDone(): boolean {
    return this.acknowledged.size === this.#scenario.requests.length
  }

  /** What it pushes into, as the input of a job. */
  binding(give: (source: PushedSource) => void): SourceBinding {
    const { backlogBytes: maxWaitingBytes, trimBytes, runsPrefix, valuesAtOnce } = this.#scenario
    return {
      readGuarantee: "durable-when-acknowledged",
      describe: () => "pushed",
      runsPrefix,
      openSource: async (context) => {
        const directory = `${context.stateDirectory}/inputs/${context.input}`
        const store = await PushedStore.open(context.env, directory, context.input, {
          segmentBytes: SEGMENT_BYTES,
          trimBytes,
        })
        const source = new PushedSource(context, { store, maxWaitingBytes, valuesAtOnce, onClose: () => undefined })
        give(source)
        return source
      },
    }
  }

  /** Several at a time push what was not acknowledged, until all is, or nothing more is taken. */
  async push(source: PushedSource, { timers }: Env): Promise<void> {
    const waiting = this.#scenario.requests.filter((request) => !this.acknowledged.has(request))
    const next = async (): Promise<void> => {
      for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
        if (this.#prng.chance(0.7)) await timers.sleep(1 + this.#prng.below(PAUSE_MICROS_MAX))
        this.deliveries.set(request, (this.deliveries.get(request) ?? 0) + 1)
        await source.push(this.#prng.chance(0.5) ? request.records : columnsOf(request))
        this.acknowledged.add(request)
      }
    }
    try {
      await Promise.all(Array.from({ length: this.#scenario.senders }, next))
    } catch (error) {
      if (!(error instanceof TidemarkError) || !ENDING.has(error.code)) throw error
    }
  }
}

function columnsOf({ records }: LiveRequest) {
  return {
    id: Int32Array.from(records, ({ id }) => id),
    key: records.map(({ key }) => key),
    value: records.map(({ value }) => value),
    at: BigInt64Array.from(records, ({ at }) => BigInt(at)),
  }
}
