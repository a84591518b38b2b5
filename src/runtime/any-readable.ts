/** Waits for the first of several partitions of which there is something to read. */
import type { PartitionReader } from "../connect/source.ts"

/**
 * Resolves when there is something to read of one of the readers, and then aborts; or soon after somebody else has aborted. Each
 * reader has a signal of its own, as runtimes warn of many that listen to one.
 */
export async function anyReadable(readers: readonly PartitionReader[], wait: AbortController): Promise<void> {
  const ends = readers.map(() => new AbortController())
  wait.signal.addEventListener(
    "abort",
    () => {
      for (const end of ends) end.abort()
    },
    { once: true },
  )
  const arrivals: Promise<void>[] = []
  try {
    for (const [index, reader] of readers.entries()) {
      const arrival = reader.whenReadable?.(ends[index]!.signal)
      if (arrival === undefined) return
      arrivals.push(arrival)
    }
    await Promise.race(arrivals)
  } finally {
    wait.abort()
    await Promise.all(arrivals)
  }
}
