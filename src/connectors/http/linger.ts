/** Whoever is cut off is read a little further: a connection that is closed on what nobody has read takes the answers on it with it (RFC 9112, 9.6). */
import type { Readable } from "node:stream"
import type { Env } from "../../env/env.ts"

/** So much more is read, for so long. */
const LINGER_BYTES = 1 << 20
const LINGER_MICROS = 2_000_000

/** Reads on for a little and throws it away. */
export async function linger(stream: Readable, { timers }: Pick<Env, "timers">): Promise<void> {
  const isOver = new AbortController()
  let bytes = 0
  const over = (): void => isOver.abort()
  stream.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes > LINGER_BYTES) over()
  })
  stream.on("end", over).on("close", over)
  stream.resume()
  await timers.sleep(LINGER_MICROS, isOver.signal)
}
