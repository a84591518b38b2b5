/**
 * What writes the files of the scenario `follow` of `chaos.mjs`: `chaos-follow-writer.mjs DIRECTORY SEED`. A log grows by a few lines at a time, some of
 * them in two pieces, and is renamed again and again as `logrotate` does, all its generations with it; another is copied and cut, as that does with
 * `copytruncate`, and nothing is written to it meanwhile, which would be lost; other files appear under names that they had not before, and
 * grow, too. It ends when the file `end` is there, and says so by the file `written`.
 *
 * What has a name of an earlier generation before anything of the log was committed is passed over (FO3): so the first rotation waits until
 * the job has published a line of it.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { hasPublished } from "./chaos-follow.mjs"
import { fromDist } from "./dist.mjs"

const LOG = "app"
/** The one that is copied and cut. */
const CUT = "cut"

const [directory, seed] = process.argv.slice(2)
const { Prng } = await fromDist("base/prng")
const prng = new Prng(Number(seed))
const pathOf = (name) => join(directory, "in", name)

/** How many lines each file has, all generations together. */
const counts = new Map()
const open = new Map([LOG, CUT].map((log) => [log, openSync(pathOf(`${log}.log`), "a")]))
/** How many earlier generations a log has. */
const generations = new Map([
  [LOG, 0],
  [CUT, 0],
])

function lineOf(file) {
  const n = counts.get(file) ?? 0
  counts.set(file, n + 1)
  return `${JSON.stringify({ file, n })}\n`
}

function append(file, text) {
  writeSync(open.get(file), text)
}

/** Gives the earlier generations of a log their next names, the oldest first, so that the first is free. */
async function shift(log) {
  const count = generations.get(log)
  for (let generation = count; generation >= 1; generation--) {
    renameSync(pathOf(`${log}.log.${generation}`), pathOf(`${log}.log.${generation + 1}`))
    if (prng.chance(0.2)) await sleep(prng.below(20))
  }
  generations.set(log, count + 1)
}

/** Renames all generations and begins another. A line that is begun is ended where it was. */
async function rotate() {
  const half = lineOf(LOG)
  const isHalf = prng.chance(0.5)
  if (isHalf) append(LOG, half.slice(0, 5))
  await shift(LOG)
  renameSync(pathOf("app.log"), pathOf("app.log.1"))
  if (prng.chance(0.5)) await sleep(prng.below(150))
  append(LOG, isHalf ? half.slice(5) : half)
  closeSync(open.get(LOG))
  open.set(LOG, openSync(pathOf("app.log"), "a"))
}

/** Copies what the log has, in one piece or in two, and cuts it. */
async function copyAndCut() {
  await shift(CUT)
  const content = readFileSync(pathOf(`${CUT}.log`))
  const copy = openSync(pathOf(`${CUT}.log.1`), "a")
  const half = prng.chance(0.5) ? prng.below(content.length + 1) : 0
  writeSync(copy, content.subarray(0, half))
  if (half > 0) await sleep(prng.below(60))
  writeSync(copy, content.subarray(half))
  closeSync(copy)
  if (prng.chance(0.5)) await sleep(prng.below(60))
  ftruncateSync(open.get(CUT))
  if (prng.chance(0.5)) await sleep(prng.below(150))
}

/** A file that has lines already when it gets its name. */
function appear() {
  const file = `side-${open.size}`
  const fd = openSync(pathOf(`${file}.tmp`), "a")
  open.set(file, fd)
  for (let lines = prng.below(30); lines >= 0; lines--) append(file, lineOf(file))
  renameSync(pathOf(`${file}.tmp`), pathOf(`${file}.log`))
}

let mayRotate = false
let mayCut = false
while (!existsSync(join(directory, "end"))) {
  const file = prng.chance(0.7) ? prng.pick([LOG, CUT]) : prng.pick([...open.keys()])
  for (let lines = prng.below(12); lines > 0; lines--) append(file, lineOf(file))
  if (prng.chance(0.2)) {
    const line = lineOf(file)
    append(file, line.slice(0, -3))
    await sleep(prng.below(60))
    append(file, line.slice(-3))
  }
  mayRotate ||= prng.chance(0.1) && hasPublished(directory, LOG)
  if (mayRotate && prng.chance(0.06)) await rotate()
  mayCut ||= prng.chance(0.1) && hasPublished(directory, CUT)
  if (mayCut && prng.chance(0.06)) await copyAndCut()
  if (open.size < 40 && prng.chance(0.02)) appear()
  await sleep(prng.below(30))
}
// The last rotation may find the job dead, and nothing but its names tells it.
if (mayRotate) await rotate()
append(LOG, lineOf(LOG))
if (mayCut) await copyAndCut()
append(CUT, lineOf(CUT))
// This one has no end, and does not count.
append(LOG, '{"file":"app","n":')
writeFileSync(join(directory, "written"), "")
