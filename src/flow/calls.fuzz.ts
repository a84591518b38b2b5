import { expect, it } from "vitest"
import { Prng } from "../base/prng.ts"
import { Arena } from "../batch/arena.ts"
import { withCalls } from "./calls.reference.ts"
import { differenceOf, JobRun, randomJob, runSlowly } from "./random-job.reference.ts"

const SCALE = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? 0)

const arena = new Arena({ maxBytes: 16 << 20 })

it("F1 F3 AM1 AM2 AM3 AM4 400 random jobs with calls give, bit for bit, what their slow twins give", () => {
  let held = 0
  for (let seed = SEED; seed < SEED + 400 * SCALE; seed++) {
    const { plan, events } = randomJob(new Prng(seed), new Prng(seed + 2 ** 33))
    const prng = new Prng(seed + 2 ** 32)
    const job = { plan: withCalls(plan, prng, ["input"]), events }
    const slow = runSlowly(job)
    const run = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.1, 0.25]), compile: "off" })
    const fast = run.run()
    for (const node of job.plan.nodes) {
      if (node.kind !== "asyncMap") continue
      const most = run.calls.most.get(node.id) ?? 0
      expect(most, `TIDEMARK_FUZZ_SEED=${seed}`).toBeLessThanOrEqual(node.policy.inFlight)
      held = Math.max(held, most)
    }
    const difference = differenceOf(slow, fast)
    if (difference === undefined) continue
    expect(fast, `TIDEMARK_FUZZ_SEED=${seed}: ${difference}`).toEqual(slow)
    expect.fail(`TIDEMARK_FUZZ_SEED=${seed}: ${difference} differ in bits`)
  }
  expect(held).toBeGreaterThan(5)
  expect(arena.usedBytes).toBe(0)
}, 600_000)

it("AM12 in order of completion 300 random jobs give the same rows, each once", () => {
  for (let seed = SEED; seed < SEED + 300 * SCALE; seed++) {
    const { plan, events } = randomJob(new Prng(seed), new Prng(seed + 2 ** 33))
    const prng = new Prng(seed + 2 ** 32)
    // Without windows behind them, whose results depend on the order of rows.
    const places = ["first", "late"].map((name) => plan.outputs.find((output) => output.name === name)!)
    const bare = { ...plan, outputs: places, nodes: plan.nodes.slice(0, places[0]!.node + 1) }
    const job = { plan: withCalls(bare, prng, ["completion"]), events }
    const window = job.plan.nodes.findIndex(({ kind }) => kind === "windowAggregate")
    if (job.plan.nodes.some(({ kind }, index) => kind === "asyncMap" && index < window)) continue
    const slow = runSlowly(job)
    const fast = new JobRun(job, { prng, arena, restoreChance: prng.pick([0, 0.2]), compile: "off" }).run()
    for (const [name, rows] of slow.outputs) {
      expect(textsOf(fast.outputs.get(name)!), `TIDEMARK_FUZZ_SEED=${seed}: ${name}`).toEqual(textsOf(rows))
    }
  }
  expect(arena.usedBytes).toBe(0)
}, 600_000)

function textsOf(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  const text = (_key: string, value: unknown) =>
    typeof value === "bigint" || typeof value === "number" ? `${Object.is(value, -0) ? "-" : ""}${value}` : value
  return rows.map((row) => JSON.stringify(row, text)).sort()
}
