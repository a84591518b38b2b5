/** A source whose records seem to come with time: before some of its reads there is a pause, as long as a seed says. */
import { Prng } from "../base/prng.ts"
import type { PartitionReader, SourceBinding } from "../connect/source.ts"
import type { Env } from "../env/env.ts"

/** Puts pauses of up to so many microseconds before every other read of a source. */
export function pausedSource(binding: SourceBinding, pauseMicrosMax: number, seed: number): SourceBinding {
  return {
    describe: () => binding.describe(),
    openSource: async (context) => {
      const source = await binding.openSource(context)
      const prng = new Prng(seed)
      return {
        partitions: () => source.partitions(),
        open: async (...args) => withPauses(await source.open(...args), () => prng.below(pauseMicrosMax), context.env),
        close: () => source.close(),
      }
    },
  }
}

function withPauses(reader: PartitionReader, draw: () => number, { clock, timers }: Env): PartitionReader {
  let readableMicros = 0
  return {
    whenReadable: (signal) => {
      const rest = readableMicros - clock.monotonicMicros()
      return rest <= 0 ? undefined : timers.sleep(rest, signal)
    },
    read: (limits) => {
      const pause = draw()
      readableMicros = pause % 2 === 0 ? 0 : clock.monotonicMicros() + pause
      return reader.read(limits)
    },
    close: () => reader.close(),
  }
}
