/** Typed arrays that grow. */

/** A longer array with the same numbers, and `filler` behind them. */
export function grownFloat64(old: Float64Array, capacity: number, filler: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity)
  grown.set(old)
  if (filler !== 0 || Object.is(filler, -0)) grown.fill(filler, old.length)
  return grown
}

/** A longer array with the same numbers, and zeros behind them. */
export function grownInt32(old: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity)
  grown.set(old)
  return grown
}

/** A longer array with the same numbers, and zeros behind them. */
export function grownUint8(old: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity)
  grown.set(old)
  return grown
}
