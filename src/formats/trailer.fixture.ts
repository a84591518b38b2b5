/** Whole files of encoders whose formats are read by their end. */
import type { RecordEncoder } from "./decoder.ts"

/** A file of what an encoder has written. */
export function fileOf(encoder: Required<Pick<RecordEncoder, "header" | "trailer">>, blocks: Uint8Array): Uint8Array {
  const bytes = Buffer.concat([encoder.header, blocks])
  const making = encoder.trailer(bytes.length)
  for (;;) {
    const next = making.next()
    if (next.done === true) return new Uint8Array(Buffer.concat([bytes, next.value]))
    const { offset, target } = next.value
    if (bytes.copy(target, 0, offset) !== target.length) throw new Error("bytes behind the end are asked for")
  }
}
