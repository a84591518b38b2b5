/** A small seeded generator (a linear congruence modulo 2³²): the same seed gives the same data. */

/** A function that gives numbers in [0, 1). */
export function generator(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A function that gives one of `[value, weight]`, by weight. */
export function weighted(random, choices) {
  const total = choices.reduce((sum, [, weight]) => sum + weight, 0)
  return () => {
    let left = random() * total
    for (const [value, weight] of choices) {
      left -= weight
      if (left < 0) return value
    }
    return choices[choices.length - 1][0]
  }
}
