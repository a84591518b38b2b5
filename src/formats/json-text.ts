/**
 * JSON (RFC 8259) as bytes: finding where values end, as strictly as `JSON.parse`, and what escaped text means.
 *
 * Invariants:
 * - JT1 `skipValue` finds an end just where `JSON.parse` takes the text up to there, the bytes are valid UTF-8, and
 *   nothing is nested deeper than `DEPTH_MAX`.
 * - JT2 No function looks at `bytes[to]` or beyond.
 */
import { isLiteral, FALSE, NULL, TRUE } from "./literal.ts"
import { isValidUtf8 } from "./utf8.ts"

/** How deep objects and arrays may be nested, the record itself included. */
export const DEPTH_MAX = 64

/** The answer of functions that look for an end where there is none: the text is wrong, or cut. */
export const NO_END = -1

/** What the last successful `skipString` has seen. It is one object, so that it costs no allocation. */
export const skipped = { hasEscapes: false }

const [TAB, LF, CR, SPACE, QUOTE, PLUS, COMMA, MINUS, DOT, ZERO, COLON] = [9, 10, 13, 32, 34, 43, 44, 45, 46, 48, 58]
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, LOWER_E, LOWER_U, OPEN_BRACE, CLOSE_BRACE] = [
  91, 92, 93, 101, 117, 123, 125,
]
const [LOWER_B, LOWER_F, LOWER_N, LOWER_R, LOWER_T, SOLIDUS] = [98, 102, 110, 114, 116, 47]

/** By the byte behind a backslash: what the two stand for, or 0. */
const ESCAPES = new Uint8Array(256)
for (const [letter, meaning] of [
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [SOLIDUS, SOLIDUS],
  [LOWER_B, 8],
  [LOWER_F, 12],
  [LOWER_N, LF],
  [LOWER_R, CR],
  [LOWER_T, TAB],
] as const) {
  ESCAPES[letter] = meaning
}

/** The first place at or behind `at` that is no white space within a line. */
export function skipSpace(bytes: Uint8Array, at: number, to: number): number {
  let next = at
  for (; next < to; next++) {
    const byte = bytes[next]!
    if (byte !== SPACE && byte !== TAB && byte !== CR) break
  }
  return next
}

/** Where the value at `at` ends, `depth` objects and arrays deep. */
export function skipValue(bytes: Uint8Array, at: number, to: number, depth: number): number {
  if (at >= to) return NO_END
  const byte = bytes[at]!
  if (byte === QUOTE) return skipString(bytes, at + 1, to)
  if (byte === OPEN_BRACE) return skipObject(bytes, at + 1, to, depth + 1)
  if (byte === OPEN_BRACKET) return skipArray(bytes, at + 1, to, depth + 1)
  if (byte === LOWER_T) return isLiteral(bytes, at, to, TRUE) ? at + TRUE.length : NO_END
  if (byte === LOWER_F) return isLiteral(bytes, at, to, FALSE) ? at + FALSE.length : NO_END
  if (byte === LOWER_N) return isLiteral(bytes, at, to, NULL) ? at + NULL.length : NO_END
  return skipNumber(bytes, at, to)
}

/** Where the object whose brace stands before `start` ends. */
function skipObject(bytes: Uint8Array, start: number, to: number, depth: number): number {
  if (depth > DEPTH_MAX) return NO_END
  let at = skipSpace(bytes, start, to)
  if (at < to && bytes[at] === CLOSE_BRACE) return at + 1
  for (;;) {
    if (at >= to || bytes[at] !== QUOTE) return NO_END
    at = skipString(bytes, at + 1, to)
    if (at === NO_END) return NO_END
    at = skipSpace(bytes, at, to)
    if (at >= to || bytes[at] !== COLON) return NO_END
    at = skipValue(bytes, skipSpace(bytes, at + 1, to), to, depth)
    if (at === NO_END) return NO_END
    at = skipSpace(bytes, at, to)
    if (at >= to) return NO_END
    if (bytes[at] === CLOSE_BRACE) return at + 1
    if (bytes[at] !== COMMA) return NO_END
    at = skipSpace(bytes, at + 1, to)
  }
}

/** Where the array whose bracket stands before `start` ends. */
function skipArray(bytes: Uint8Array, start: number, to: number, depth: number): number {
  if (depth > DEPTH_MAX) return NO_END
  let at = skipSpace(bytes, start, to)
  if (at < to && bytes[at] === CLOSE_BRACKET) return at + 1
  for (;;) {
    at = skipValue(bytes, at, to, depth)
    if (at === NO_END) return NO_END
    at = skipSpace(bytes, at, to)
    if (at >= to) return NO_END
    if (bytes[at] === CLOSE_BRACKET) return at + 1
    if (bytes[at] !== COMMA) return NO_END
    at = skipSpace(bytes, at + 1, to)
  }
}

/** Where the string whose quote stands before `start` ends, behind its closing quote. */
export function skipString(bytes: Uint8Array, start: number, to: number): number {
  let high = 0
  let hasEscapes = false
  let at = start
  while (at < to) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      if (high >= 0x80 && !isValidUtf8(bytes, start, at)) return NO_END
      skipped.hasEscapes = hasEscapes
      return at + 1
    }
    if (byte === BACKSLASH) {
      hasEscapes = true
      const letter = at + 1 < to ? bytes[at + 1]! : 0
      if (letter === LOWER_U) {
        if (at + 6 > to || codeUnitAt(bytes, at + 2) < 0) return NO_END
        at += 6
      } else {
        if (ESCAPES[letter] === 0) return NO_END
        at += 2
      }
    } else {
      if (byte < SPACE) return NO_END
      high |= byte
      at++
    }
  }
  return NO_END
}

/** Where the number at `start` ends. */
export function skipNumber(bytes: Uint8Array, start: number, to: number): number {
  let at = start < to && bytes[start] === MINUS ? start + 1 : start
  const isZero = at < to && bytes[at] === ZERO
  const wholeEnd = isZero ? at + 1 : skipDigits(bytes, at, to)
  if (wholeEnd === at) return NO_END
  at = wholeEnd
  if (at < to && bytes[at] === DOT) {
    const end = skipDigits(bytes, at + 1, to)
    if (end === at + 1) return NO_END
    at = end
  }
  if (at < to && (bytes[at]! | 0x20) === LOWER_E) {
    at++
    if (at < to && (bytes[at] === PLUS || bytes[at] === MINUS)) at++
    const end = skipDigits(bytes, at, to)
    if (end === at) return NO_END
    at = end
  }
  return at
}

function skipDigits(bytes: Uint8Array, start: number, to: number): number {
  let at = start
  while (at < to && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at++
  return at
}

/** The UTF-16 unit that four hexadecimal digits at `at` stand for, or a negative number. */
function codeUnitAt(bytes: Uint8Array, at: number): number {
  return (
    (hexDigit(bytes[at]!) << 12) |
    (hexDigit(bytes[at + 1]!) << 8) |
    (hexDigit(bytes[at + 2]!) << 4) |
    hexDigit(bytes[at + 3]!)
  )
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= ZERO + 9) return byte - ZERO
  const lower = byte | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/**
 * Writes the text within a string, `bytes[start, end)`, to `out` as UTF-8, and gives how many bytes it has: at most
 * `end - start`. The string is one that `skipString` has passed. A lone surrogate becomes U+FFFD (TY3).
 */
export function unescape(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let length = 0
  let at = start
  while (at < end) {
    const byte = bytes[at]!
    if (byte !== BACKSLASH) {
      out[length++] = byte
      at++
      continue
    }
    const letter = bytes[at + 1]!
    if (letter !== LOWER_U) {
      out[length++] = ESCAPES[letter]!
      at += 2
      continue
    }
    let codePoint = codeUnitAt(bytes, at + 2)
    at += 6
    if (codePoint >= 0xd800 && codePoint < 0xe000) {
      const isPair = codePoint < 0xdc00 && at + 6 <= end && bytes[at] === BACKSLASH && bytes[at + 1] === LOWER_U
      const low = isPair ? codeUnitAt(bytes, at + 2) : 0
      if (low >= 0xdc00 && low < 0xe000) {
        codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00)
        at += 6
      } else {
        codePoint = 0xfffd
      }
    }
    length = writeCodePoint(codePoint, out, length)
  }
  return length
}

function writeCodePoint(codePoint: number, out: Uint8Array, start: number): number {
  let at = start
  if (codePoint < 0x80) {
    out[at++] = codePoint
  } else if (codePoint < 0x800) {
    out[at++] = 0xc0 | (codePoint >> 6)
    out[at++] = 0x80 | (codePoint & 0x3f)
  } else {
    if (codePoint < 0x10000) {
      out[at++] = 0xe0 | (codePoint >> 12)
    } else {
      out[at++] = 0xf0 | (codePoint >> 18)
      out[at++] = 0x80 | ((codePoint >> 12) & 0x3f)
    }
    out[at++] = 0x80 | ((codePoint >> 6) & 0x3f)
    out[at++] = 0x80 | (codePoint & 0x3f)
  }
  return at
}
