/**
 * UTF-8 as decoders need it: whether bytes are valid, and text of bytes that may not be.
 *
 * Invariant:
 * - U1 `isValidUtf8` agrees with `new TextDecoder("utf-8", { fatal: true })`: no overlong forms, no surrogates, nothing
 *   beyond U+10FFFF (the Unicode Standard, table 3-7).
 */

const lossy = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The most bytes of a bad record that are kept. */
export const RAW_BYTES_MAX = 4096

/** Whether `bytes[start, end)` is valid UTF-8. */
export function isValidUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at]!
    if (lead < 0x80) {
      at++
      continue
    }
    const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
    if (length === 0 || at + length > end) return false
    const second = bytes[at + 1]!
    // The lead byte bounds the second one: that rules out overlong forms, surrogates and what is beyond U+10FFFF.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < low || second > high) return false
    for (let next = 2; next < length; next++) if ((bytes[at + next]! & 0xc0) !== 0x80) return false
    at += length
  }
  return true
}

/** The text of `bytes[start, end)`, which is valid UTF-8. */
export function textOfUtf8(bytes: Uint8Array, start: number, end: number): string {
  return strict.decode(bytes.subarray(start, end))
}

/** `BadRecord.raw`: the first 4 KiB of `bytes[start, end)`, invalid UTF-8 as U+FFFD. */
export function rawOf(bytes: Uint8Array, start: number, end: number): string {
  return lossy.decode(bytes.subarray(start, Math.min(end, start + RAW_BYTES_MAX)))
}
