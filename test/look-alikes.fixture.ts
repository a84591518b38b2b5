/** What a job may import under names of built-ins, and a constant of another module. */

/** Not the global function of that name: it is true for NaN alone. */
export function isFinite(value: number): boolean {
  return Number.isNaN(value)
}

/** No more than its name tells. */
export const limitOfModule = 1
