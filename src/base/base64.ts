/**
 * Bytes as base64 text (RFC 4648, section 4) and back: with padding, and strict, so that each text stands for other bytes.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
/** By UTF-16 unit: the six bits that it stands for, or 255. */
const BITS = new Uint8Array(128).fill(255)
for (let bits = 0; bits < ALPHABET.length; bits++) BITS[ALPHABET.charCodeAt(bits)] = bits

/** The text of some bytes. */
export function base64Of(bytes: Uint8Array): string {
  let text = ""
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    text += ALPHABET[word >> 18]! + ALPHABET[(word >> 12) & 63]!
    text += left > 1 ? ALPHABET[(word >> 6) & 63]! : "="
    text += left > 2 ? ALPHABET[word & 63]! : "="
  }
  return text
}

/** The bytes of a text, or `undefined` where it is none. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let to = 0
  for (let at = 0; at < text.length; at += 4) {
    const isLast = at + 4 === text.length
    const digits = isLast ? 4 - padding : 4
    let word = 0
    for (let digit = 0; digit < 4; digit++) {
      const unit = text.charCodeAt(at + digit)
      const bits = digit < digits ? (unit < 128 ? BITS[unit]! : 255) : 0
      if (bits === 255) return undefined
      word = (word << 6) | bits
    }
    // What padding stands for must be zeros.
    if (isLast && (word & (padding === 2 ? 0xffff : padding === 1 ? 0xff : 0)) !== 0) return undefined
    for (let shift = 16; shift >= 0 && to < bytes.length; shift -= 8) bytes[to++] = (word >> shift) & 255
  }
  return bytes
}
