/** What a run of `chaos.mjs` has found, and where its kills fell: counted while it goes on, told at its end. */
import { fromDist } from "./dist.mjs"

/**
 * Where kills fall, in the order in which a process comes there.
 *
 * @type {readonly (readonly [string, RegExp])[]}
 */
const PLACES = [
  ["opening and recovering", /^(run|log\.(make|sync|fence|recover|open|begin|discard)|sink\.(open|recover|republish))/],
  ["resetting", /^sink\.reset\./],
  ["reading", /^source\./],
  ["writing within an epoch", /^(sink\.(create|flush)|log\.append)/],
  ["staging", /^sink\.stage\./],
  ["at the commit record", /^log\.commit\./],
  ["applying and publishing", /^sink\.(apply|publish|mark)\./],
  ["at snapshots and new segments", /^(sink\.checkpoint|log\.(roll|trim))\./],
  ["keeping what was sent by HTTP", /^(requests|records)\./],
  ["keeping what is for a server, and noting what it has", /^sink\.(postgres|webhook)\./],
]

/** What a run of the whole script has found. */
export const found = {
  lost: 0,
  repeated: 0,
  wrong: 0,
  kills: 0,
  /** What else was done, by what it was: how often. */
  faults: new Map(),
  threadDeaths: 0,
  failures: 0,
  problems: [],
}

/** The steps that children have called: how often a child was killed at each, and how often that was tried. */
export const steps = new Map()

/** Something other than a kill was done, or has come of it. */
export function noteFault(what, count = 1) {
  found.faults.set(what, (found.faults.get(what) ?? 0) + count)
}

export function noteDifferences(differences) {
  for (const { output, kind, count, row } of differences) {
    found[kind] += count
    found.problems.push(`${output}: ${kind} ${count} of ${row}`)
  }
}

export function noteKill(point, atPoint) {
  found.kills++
  if (atPoint) steps.get(point.step).kills++
  if (found.kills % 20 === 0) console.log(`${found.kills} kills`)
}

/** Tells all of it; the exit code is 1 where there was a problem. */
export async function report() {
  const { PROTOCOL_STEPS } = await fromDist("sim/protocol-steps")
  const width = Math.max(...[...steps.keys()].map((step) => step.length))
  for (const [step, { kills, tries }] of [...steps].sort(([one], [other]) => (one < other ? -1 : 1))) {
    console.log(`${step.padEnd(width)}  killed ${kills} of ${tries} tries`)
  }
  const fallen = PLACES.map(([place, pattern]) => {
    const kills = [...steps].reduce((sum, [step, each]) => sum + (pattern.test(step) ? each.kills : 0), 0)
    return { place, kills }
  })
  const atSteps = fallen.reduce((sum, { kills }) => sum + kills, 0)
  fallen.push({ place: "at random moments", kills: found.kills - atSteps })
  console.log(`kills fell: ${fallen.map(({ place, kills }) => `${place} ${kills}`).join(", ")}`)
  const spared = [...steps].filter(([, { kills }]) => kills === 0).map(([step]) => step)
  if (spared.length > 0) console.log(`called, and nobody was killed there: ${spared.join(", ")}`)
  const uncalled = PROTOCOL_STEPS.filter((step) => !steps.has(step))
  if (uncalled.length > 0) console.log(`not called: ${uncalled.join(", ")}`)
  for (const problem of found.problems.slice(0, 20)) console.log(`problem: ${problem}`)
  if (found.problems.length > 20) console.log(`and ${found.problems.length - 20} more problems`)
  if (found.problems.length > 0) process.exitCode = 1
  for (const [what, count] of found.faults) console.log(`${what}: ${count} times`)
  console.log(`${found.threadDeaths} threads that decode have died by themselves`)
  console.log(`${verdict()}, kills ${found.kills}`)
}

export function verdict() {
  return `lost ${found.lost}, repeated ${found.repeated}, wrong ${found.wrong}`
}
