/** Nexmark's events of one kind, or of all, bound to an input: one partition, in the order of the events' numbers. */
import { NumberedSource, pacedStride, UNPACED_STRIDE } from "../../connect/numbered-source.ts"
import type { Source, SourceContext, TypedSource } from "../../connect/source.ts"
import { countBelow, NexmarkModel, numberOf, PLACES, ROUND, type EventKind, type NexmarkSettings } from "./model.ts"
import { fieldsOf, NexmarkColumns } from "./nexmark-columns.ts"

/** See the head of this file. */
export class NexmarkBinding<Row> implements TypedSource<Row> {
  declare readonly rowType?: Row
  readonly #kind: EventKind | "event"
  readonly #settings: NexmarkSettings
  readonly #described: string

  constructor(kind: EventKind | "event", settings: NexmarkSettings, described: string) {
    this.#kind = kind
    this.#settings = settings
    this.#described = described
  }

  describe(): string {
    return `${this.#described}.${this.#kind}s`
  }

  async openSource(context: SourceContext): Promise<Source> {
    const settings = this.#settings
    const kind = this.#kind
    const model = new NexmarkModel(settings)
    const { firstEventNumber: from, events, eventsPerSecond, paced, ...content } = settings
    const before = kind === "event" ? from : countBelow(kind, from)
    const number = kind === "event" ? (at: number) => from + at : (at: number) => numberOf(kind, before + at)
    const records = kind === "event" || events === Infinity ? events : countBelow(kind, from + events) - before
    const share = kind === "event" ? 1 : PLACES[kind].count / ROUND
    const columns = new NexmarkColumns(context, fieldsOf(kind, model), number)
    const part = {
      id: `${kind}s`,
      content: `${kind}s of ${JSON.stringify({ from, eventsPerSecond, ...content })}`,
      records,
      // Turns of the kinds are alike in time: of rare ones fewer are read before another has its turn.
      stride: paced ? pacedStride(eventsPerSecond * share) : UNPACED_STRIDE * Math.round(1 / share),
      delayMicros: paced ? (behind: number) => (behind * 1_000_000) / (eventsPerSecond * share) : undefined,
      take: columns.take.bind(columns),
    }
    return new NumberedSource(context, [part], "Give the options as they were, or start anew with --reset.")
  }
}
