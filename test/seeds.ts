/**
 * Random cases for tests: a fixed default seed, more cases with TIDEMARK_FUZZ_SCALE, one failing case again with
 * TIDEMARK_SEED. Properties of fast-check have the same cases in each run, too, and other ones with TIDEMARK_SEED.
 */
import { Prng } from "../src/base/prng.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const ONLY_SEED = process.env["TIDEMARK_SEED"]

/** The parameters of `fc.assert`: so many cases (times the scale), the same in each run unless TIDEMARK_SEED is given. */
export function propertyCases(cases = 100): { readonly seed: number; readonly numRuns: number } {
  return { seed: Number(ONLY_SEED ?? 1), numRuns: Math.ceil(cases * SCALE) }
}

/** Runs `body` with so many seeds (times the scale); a failure names the seed that repeats it. */
export function forEachSeed(cases: number, body: (prng: Prng, seed: number) => void): void {
  for (const seed of seeds(cases)) {
    try {
      body(new Prng(seed), seed)
    } catch (error) {
      throw named(error, seed)
    }
  }
}

/** The same for bodies that wait: one seed after the other. */
export async function forEachSeedInTurn(
  cases: number,
  body: (prng: Prng, seed: number) => Promise<void>,
): Promise<void> {
  for (const seed of seeds(cases)) {
    try {
      await body(new Prng(seed), seed)
    } catch (error) {
      throw named(error, seed)
    }
  }
}

function* seeds(cases: number): Iterable<number> {
  const first = ONLY_SEED === undefined ? 1 : Number(ONLY_SEED)
  const count = ONLY_SEED === undefined ? Math.ceil(cases * SCALE) : 1
  for (let seed = first; seed < first + count; seed++) yield seed
}

function named(error: unknown, seed: number): unknown {
  if (error instanceof Error) error.message = `TIDEMARK_SEED=${seed}: ${error.message}`
  return error
}
