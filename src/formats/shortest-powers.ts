/**
 * Powers of ten as 128-bit numbers, for writing doubles (`double-writing-code.ts`): 10ᵉ · 2⁻ᵇ, rounded up, where b makes it
 * a number from 2¹²⁷ on and below 2¹²⁸. Each is two words of 64 bits, the low one first.
 */

/** The least exponent that doubles need, and the greatest. */
export const POWERS_FROM = -292
const POWERS_TO = 324

/** What the table takes. */
export const SHORTEST_POWERS_BYTES = (POWERS_TO - POWERS_FROM + 1) * 16

let powers: Uint8Array | undefined

/** The table, made when it is first asked for. */
export function shortestPowers(): Uint8Array {
  powers ??= makePowers()
  return powers
}

function makePowers(): Uint8Array {
  const words = new BigUint64Array(SHORTEST_POWERS_BYTES / 8)
  for (let exponent = POWERS_FROM; exponent <= POWERS_TO; exponent++) {
    const power = 10n ** BigInt(Math.abs(exponent))
    const bits = BigInt(power.toString(2).length)
    const value = exponent >= 0 ? scaled(power, 1n, 128n - bits) : reciprocal(power, bits)
    const place = (exponent - POWERS_FROM) * 2
    words[place] = BigInt.asUintN(64, value)
    words[place + 1] = value >> 64n
  }
  return new Uint8Array(words.buffer)
}

/** The reciprocal of a power that has so many bits. */
function reciprocal(power: bigint, bits: bigint): bigint {
  const value = scaled(1n, power, 127n + bits)
  return value >> 128n === 0n ? value : scaled(1n, power, 126n + bits)
}

/** numerator · 2ˢʰⁱᶠᵗ / denominator, rounded up. */
function scaled(numerator: bigint, denominator: bigint, shift: bigint): bigint {
  if (shift < 0n) return scaled(numerator, denominator << -shift, 0n)
  return ((numerator << shift) + denominator - 1n) / denominator
}
