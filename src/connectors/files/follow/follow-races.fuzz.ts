/**
 * A followed log that is written and renamed between any two calls of the disk: at each of them a writer may take some of its steps, one
 * rename or one write at a time, and stop in the middle of a rotation for as long as it likes.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, truncateSync } from "node:fs"
import { expect, test } from "vitest"
import type { Prng } from "../../../base/prng.ts"
import { forEachSeedInTurn } from "../../../../test/seeds.ts"
import { jsonl } from "../file-connector.ts"
import { Follower, FollowWorld, lines, NOTHING, type Committed } from "./follow.fixture.ts"

const NAME = "app.log"
const CASES = 40
/** A look makes about so many calls. */
const CALLS = 15
/** The second moment is so many calls behind the first, at most. */
const APART = 14
const LIVES = 4

/** Makes room for another log, a step at a time. */
type Rotation = (prng: Prng, world: FollowWorld) => Generator<boolean, void>

/** Writes a log for ever, a step at a time; tells of each step whether all that was begun is done. */
function* writing(prng: Prng, world: FollowWorld, next: () => number, rotate: Rotation): Generator<boolean, never> {
  const path = world.path(NAME)
  for (;;) {
    for (let writes = prng.below(4); writes > 0; writes--) {
      world.append(NAME, lines(...Array.from({ length: prng.below(4) }, next)))
      yield false
    }
    // Half a line that is copied is two lines.
    const isHalf = rotate === renaming && prng.chance(0.5)
    if (isHalf) world.append(NAME, `{"n":${next()}`)
    if (isHalf) yield false
    const isRotated = prng.chance(0.4) && existsSync(path)
    if (isRotated) yield* rotate(prng, world)
    // A writer that has the file open ends its line there, whatever the file is called by now.
    if (isHalf) world.append(isRotated ? `${NAME}.1` : NAME, "}\n")
    yield true
  }
}

/** A rotation by names: each rename is a step. */
function* rotating(path: string): Generator<boolean, void> {
  yield* shifting(path)
  renameSync(path, `${path}.1`)
  yield false
}

const renaming: Rotation = (_, world) => rotating(world.path(NAME))

/** Renames what bears the name of a generation to the one before it. */
function* shifting(path: string): Generator<boolean, void> {
  let oldest = 1
  while (existsSync(`${path}.${oldest}`)) oldest++
  for (let generation = oldest - 1; generation >= 1; generation--) {
    renameSync(`${path}.${generation}`, `${path}.${generation + 1}`)
    yield false
  }
}

/** A rotation by a copy, made piece by piece, after which the log is cut. Nothing is written between, as that would be lost. */
const copying: Rotation = function* (prng, world) {
  const path = world.path(NAME)
  yield* shifting(path)
  const text = readFileSync(path, "utf8")
  for (let at = 0; at < text.length;) {
    const to = at + 1 + prng.below(text.length)
    world.append(`${NAME}.1`, text.slice(at, to))
    at = to
    yield false
  }
  truncateSync(path)
  yield false
}

/** Follows what a writer writes meanwhile, over some processes. */
async function follow(
  prng: Prng,
  rotate: Rotation,
): Promise<{ read: number[]; written: number; told: readonly string[] }> {
  const world = new FollowWorld()
  let written = 0
  const writer = writing(prng, world, () => written++, rotate)
  let committed: Committed = NOTHING
  const told: string[] = []
  const live = async (body: (follower: Follower) => Promise<void>) => {
    const follower = await Follower.start(world, jsonl(NAME, { follow: true }), committed)
    await body(follower)
    told.push(...follower.notices.map(({ message }) => message))
    await follower.end()
  }
  const all = async (follower: Follower) => {
    await follower.drain()
    committed = follower.commit()
  }
  // What lies beside the log before anything of it is committed is none of the job's own.
  world.append(NAME, lines(written++))
  await live(all)
  for (let life = 0; life < LIVES; life++) {
    for (let steps = prng.below(20); steps > 0; steps--) writer.next()
    const rate = prng.pick([0.02, 0.1, 0.5])
    await live(async (follower) => {
      let steps = prng.below(60)
      world.meanwhile = () => {
        while (steps-- > 0 && prng.chance(rate)) writer.next()
      }
      for (let reads = prng.below(30); reads > 0; reads--) {
        world.pass(1)
        await follower.read(3)
        if (prng.chance(0.3)) committed = follower.commit()
      }
      world.meanwhile = () => undefined
    })
  }
  while (!writer.next().value);
  await live(all)
  world.remove()
  return { read: committed.rows.map((row) => (row as { n: number }).n), written, told }
}

test("FO3 FO11 a log that is renamed at any call: all lines, once, in order", { timeout: 120_000 }, async () => {
  let lines = 0
  await forEachSeedInTurn(CASES, async (prng) => {
    const { read, written, told } = await follow(prng, renaming)
    expect(told).toEqual([])
    expect(read).toEqual(Array.from({ length: written }, (_, n) => n))
    lines += written
  })
  expect(lines).toBeGreaterThan(20 * CASES)
})

test("FO6 FO11 a log that is copied and cut at any call: all lines, once", { timeout: 120_000 }, async () => {
  let lines = 0
  await forEachSeedInTurn(CASES, async (prng) => {
    const { read, written } = await follow(prng, copying)
    expect([...read].sort((one, other) => one - other)).toEqual(Array.from({ length: written }, (_, n) => n))
    lines += written
  })
  expect(lines).toBeGreaterThan(20 * CASES)
})

/** What a writer does at two calls of the disk. */
const moments: Record<string, (world: FollowWorld, next: () => number) => readonly (() => void)[]> = {
  "two rotations": (world, next) => {
    const rotate = () => {
      for (const step of rotating(world.path(NAME))) expect(step).toBe(false)
      world.append(NAME, lines(next()))
    }
    return [rotate, rotate]
  },
  "a rotation, then the end of what is rotated and the beginning of the next": (world, next) => [
    () => {
      world.append(NAME, `{"n":${next()}`)
      for (const step of rotating(world.path(NAME))) expect(step).toBe(false)
      world.append(NAME, "")
    },
    () => {
      world.append(`${NAME}.1`, "}\n")
      world.append(NAME, lines(next(), next()))
    },
  ],
}

for (const [what, of] of Object.entries(moments)) {
  for (const isNew of [false, true]) {
    test(`FO3 ${what}, at any two calls of a process that ${isNew ? "begins" : "runs"}: in order`, async () => {
      for (let first = 1; first <= CALLS; first++) {
        for (let then = first; then <= first + APART; then += 1 + (first % 2)) {
          const read = await followBetween(isNew, first, then, of)
          expect(read, `at ${first} and ${then}`).toEqual(Array.from({ length: read.length }, (_, n) => n))
          expect(read.length, `at ${first} and ${then}`).toBe(what === "two rotations" ? 5 : 6)
        }
      }
    })
  }
}

/** Follows while a writer acts before the call `first`, and before the call `then` or right after. */
async function followBetween(isNew: boolean, first: number, then: number, of: (typeof moments)[string]) {
  const world = new FollowWorld()
  let written = 0
  const next = () => written++
  const [one, other] = of(world, next)
  const start = (from?: Committed) => Follower.start(world, jsonl(NAME, { follow: true }), from)
  world.append(NAME, lines(next()))
  let follower = await start()
  await follower.drain()
  let committed = follower.commit()
  world.append(NAME, lines(next(), next()))
  if (isNew) await follower.end()
  let calls = 0
  world.meanwhile = () => {
    calls++
    if (calls === first) one!()
    if (calls === then) other!()
  }
  if (isNew) follower = await start(committed)
  await follower.drain()
  world.meanwhile = () => undefined
  if (calls < first) one!()
  if (calls < then) other!()
  await follower.drain()
  expect(follower.notices).toEqual([])
  committed = follower.commit()
  await follower.end()
  world.remove()
  return committed.rows.map((row) => (row as { n: number }).n)
}

/** A copy is begun before one call of the disk, and is whole when the log is cut before another one. */
for (const isNew of [false, true]) {
  test(`FO6 FO12 a log that is copied in two pieces and cut, at any two calls of a process that ${isNew ? "begins" : "runs"}: each line once`, async () => {
    for (let first = 1; first <= CALLS; first++) {
      for (let then = first; then <= first + APART; then++) {
        const read = await followCopied(isNew, first, then)
        expect(read, `at ${first} and ${then}`).toEqual([0, 1, 2, 3, 4, 5, 6])
      }
    }
  })
}

async function followCopied(isNew: boolean, first: number, then: number): Promise<number[]> {
  const world = new FollowWorld()
  const copy = `${NAME}.1`
  world.append(NAME, lines(0, 1, 2, 3))
  const start = (from?: Committed) => Follower.start(world, jsonl(NAME, { follow: true }), from)
  let follower = await start()
  await follower.drain()
  let committed = follower.commit()
  world.append(NAME, lines(4))
  if (isNew) await follower.end()
  const begin = () => world.append(copy, lines(0))
  const end = () => {
    world.append(copy, lines(1, 2, 3, 4))
    truncateSync(world.path(NAME))
    world.append(NAME, lines(5, 6))
  }
  let calls = 0
  world.meanwhile = () => {
    calls++
    if (calls === first) begin()
    if (calls === then) end()
  }
  if (isNew) follower = await start(committed)
  await follower.drain()
  world.meanwhile = () => undefined
  if (calls < first) begin()
  if (calls < then) end()
  await follower.drain()
  committed = follower.commit()
  await follower.end()
  world.remove()
  return committed.rows.map((row) => (row as { n: number }).n)
}

/** What is written anew has as many lines as there were, or more: neither its length nor where its lines end tell that it is another log. */
for (const isBegun of [false, true]) {
  for (const more of [0, 3]) {
    const written = `${more === 0 ? "as many lines" : "more lines"}, of which ${isBegun ? "some were" : "none was"} read`
    test(`FO6 FO12 a log that is copied, cut and written anew with ${written}, at any call: each line once`, async () => {
      for (let at = 1; at <= CALLS + APART; at++) {
        const read = await followRewritten(isBegun, more, at)
        expect(read, `at ${at}`).toEqual(Array.from({ length: 10 + more }, (_, n) => n))
      }
    })
  }
}

async function followRewritten(isBegun: boolean, more: number, at: number): Promise<number[]> {
  const world = new FollowWorld()
  const path = world.path(NAME)
  const follower = await Follower.start(world, jsonl(NAME, { follow: true }))
  const old = Array.from({ length: 5 }, (_, n) => n)
  world.append(NAME, lines(0))
  await follower.drain()
  follower.commit()
  if (!isBegun) {
    // Another log is begun under the same name, and nothing is read of it before the cut.
    renameSync(path, `${path}.2`)
    await follower.drain()
  }
  world.append(NAME, lines(...old.slice(1)))
  const cut = () => {
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    world.append(NAME, lines(...Array.from({ length: 5 + more }, (_, n) => 5 + n)))
  }
  let calls = 0
  world.meanwhile = () => {
    if (++calls === at) cut()
  }
  await follower.drain(2)
  world.meanwhile = () => undefined
  if (calls < at) cut()
  await follower.drain()
  const { rows } = follower.commit()
  await follower.end()
  world.remove()
  return rows.map((row) => (row as { n: number }).n).sort((one, other) => one - other)
}
