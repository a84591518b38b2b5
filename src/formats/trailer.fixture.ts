/** Whole files of encoders whose formats are read by their end. */
import { ByteWriter } from "../base/bytes.ts"
import type { RecordEncoder } from "./decoder.ts"

/** A file of what an encoder has written. */
export function fileOf(encoder: Required<Pick<RecordEncoder, "header" | "trailer">>, blocks: Uint8Array): Uint8Array {
  const file = new ByteWriter()
  file.raw(encoder.header)
  file.raw(blocks)
  const making = encoder.trailer(file.length)
  for (;;) {
    const next = making.next()
    if (next.done === true) {
      file.raw(next.value)
      return file.finish()
    }
    const { offset, target } = next.value
    if (offset + target.length > file.length) throw new Error("bytes behind the end are asked for")
    target.set(file.view().subarray(offset, offset + target.length))
  }
}
