/** A source of rows that come with time, an array source that makes readers wait. */
import type { PartitionReader, ReadLimits, Source, SourceBinding, SourceContext } from "../connect/source.ts"
import { arraySource, type ArrayPartitions } from "./array-source.fixture.ts"

/** Binds partitions to an input: the record `n` of one is there `delayOf(n, its id)` µs after the source was opened. */
export function liveSource(
  partitions: ArrayPartitions,
  delayOf: (ordinal: number, id: string) => number,
  isBusy: () => boolean = () => false,
): SourceBinding {
  return {
    describe: () => "live",
    openSource: async (context) => {
      const source = await arraySource(partitions).openSource(context)
      const startMicros = context.env.clock.monotonicMicros()
      const arrivalOf = (ordinal: number, id: string) => startMicros + delayOf(ordinal, id)
      return new LiveSource(source, context, arrivalOf, isBusy)
    },
  }
}

class LiveSource implements Source {
  readonly #source: Source
  readonly #context: SourceContext
  readonly #arrivalOf: (ordinal: number, id: string) => number
  readonly #isBusy: () => boolean

  constructor(
    source: Source,
    context: SourceContext,
    arrivalOf: (ordinal: number, id: string) => number,
    isBusy: () => boolean,
  ) {
    this.#isBusy = isBusy
    this.#source = source
    this.#context = context
    this.#arrivalOf = arrivalOf
  }

  partitions() {
    return this.#source.partitions()
  }

  async open(...args: Parameters<Source["open"]>): Promise<PartitionReader> {
    const { clock, timers } = this.#context.env
    const reader = await this.#source.open(...args)
    let { ordinal } = args[2]
    const arrivalOf = (number: number) => this.#arrivalOf(number, args[0].id)
    const isBusy = this.#isBusy
    return {
      get isBusy() {
        return isBusy()
      },
      whenReadable: (signal) => {
        const rest = arrivalOf(ordinal) - clock.monotonicMicros()
        return rest <= 0 ? undefined : timers.sleep(rest, signal)
      },
      read: async (limits: ReadLimits) => {
        let arrived = 1
        while (arrivalOf(ordinal + arrived) <= clock.monotonicMicros() && arrived < limits.rows) arrived++
        const taken = await reader.read({ ...limits, rows: arrived })
        ordinal = taken.next.ordinal
        return taken
      },
      close: () => reader.close(),
    }
  }

  close(): Promise<void> {
    return this.#source.close()
  }
}
