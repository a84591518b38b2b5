/** Values of 64 bits, as pairs of words, as how far they are from each other: in 32 bits, where these hold it. */

/** Writes how far each value is from the first one; gives false where 32 bits with a sign do not hold that. */
export function distancesFromFirst(halves: Int32Array, count: number, distances: Int32Array): boolean {
  const low = halves[0]!
  const high = halves[1]!
  let excess = 0
  for (let index = 0; index < count; index++) {
    const lowHere = halves[2 * index]!
    const distance = (lowHere - low) | 0
    const borrow = lowHere >>> 0 < low >>> 0 ? 1 : 0
    excess |= (halves[2 * index + 1]! - high - borrow) ^ (distance >> 31)
    distances[index] = distance
  }
  return excess === 0
}

/** The same from the one before; the first one from itself. */
export function distancesFromBefore(halves: Int32Array, count: number, distances: Int32Array): boolean {
  let low = halves[0]!
  let high = halves[1]!
  let excess = 0
  for (let index = 0; index < count; index++) {
    const [lowHere, highHere] = [halves[2 * index]!, halves[2 * index + 1]!]
    const distance = (lowHere - low) | 0
    const borrow = lowHere >>> 0 < low >>> 0 ? 1 : 0
    excess |= (highHere - high - borrow) ^ (distance >> 31)
    distances[index] = distance
    low = lowHere
    high = highHere
  }
  return excess === 0
}
