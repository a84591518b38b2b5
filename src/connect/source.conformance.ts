/**
 * The conformance suite of sources: O1 to O4 of `source.ts`.
 *
 * A driver brings a source over partitions whose content it knows record by record. The suite reads them in every way
 * that the contract allows, and compares with what is known: with limits from one record to all, from every position that
 * a read has given, turn by turn over several partitions, in processes that end in between.
 */
import { describe, expect, test } from "vitest"
import { Prng } from "../base/prng.ts"
import { TidemarkError } from "../base/errors.ts"
import { Arena } from "../batch/arena.ts"
import { START, type Position } from "../batch/position.ts"
import type { Schema } from "../batch/schema.ts"
import type { Env } from "../env/env.ts"
import type { Partition, PartitionReader, ReadLimits, Source, SourceBatch, SourceBinding } from "./source.ts"
import { FaultAt, noFaults, runProcess, type ConformanceWorld } from "./world.conformance.ts"

/** A record that a partition holds. */
export interface ExpectedRecord {
  readonly offset: number
  readonly ordinal: number
  /** What it says, or `"bad"` where it must be a bad record. */
  readonly row: Readonly<Record<string, unknown>> | "bad"
}

/** A source to be tested. */
export interface SourceConformanceDriver<W extends ConformanceWorld = ConformanceWorld> {
  /** A world with the partitions in it. */
  createWorld(seed: number): W
  /** The directory that relative paths are relative to. */
  readonly baseDirectory: string
  readonly binding: SourceBinding
  readonly schema: Schema
  /** What each partition holds, by id, in the order of `partitions()`. At least two hold more than one record. */
  readonly expected: ReadonlyMap<string, readonly ExpectedRecord[]>
  /** Changes a partition of which something was read, in ways that O4 refuses: each with the error's code. */
  readonly changes: readonly {
    readonly name: string
    readonly code: string
    readonly apply: (world: W, id: string) => void
  }[]
  /** Set where the source makes no calls to the world that could fail. */
  readonly callsNothing?: true
  /** Appends records to a partition, so that it begins as before; `undefined` where partitions do not grow. */
  readonly grow: ((world: W, id: string) => readonly ExpectedRecord[]) | undefined
}

/** The index under which partitions are opened. */
const INDEX = 7

/** Limits that stop at nothing. */
const UNLIMITED: ReadLimits = { rows: 65_536, untilOffset: Infinity }

/** A source in one process. */
class Session {
  readonly source: Source
  readonly #arena: Arena
  #partitions: readonly Partition[] | undefined

  private constructor(source: Source, arena: Arena) {
    this.source = source
    this.#arena = arena
  }

  static async open(
    driver: Pick<SourceConformanceDriver, "schema" | "baseDirectory" | "binding">,
    env: Env,
  ): Promise<Session> {
    const arena = new Arena({ maxBytes: 1 << 25 })
    const { schema, baseDirectory, binding } = driver
    return new Session(await binding.openSource({ env, arena, schema, input: "trips", baseDirectory }), arena)
  }

  async partition(id: string): Promise<Partition> {
    this.#partitions ??= await this.source.partitions()
    const found = this.#partitions.find((partition) => partition.id === id)
    if (found === undefined) throw new Error(`The source has no partition ${id}.`)
    return found
  }

  /** Opens a partition at a position. */
  async open(id: string, from: Position): Promise<PartitionReader> {
    return this.source.open(await this.partition(id), INDEX, from)
  }

  /** Reads a partition from a position to its end. */
  async readFrom(id: string, from: Position): Promise<ExpectedRecord[]> {
    const reader = await this.open(id, from)
    const records = await readToEnd(reader, from, () => UNLIMITED)
    await reader.close()
    return records
  }

  async close(): Promise<void> {
    await this.source.close()
    expect(this.#arena.usedBytes).toBe(0)
  }
}

/** Reads on from a position to the end, with limits that may depend on where a read starts. */
async function readToEnd(
  reader: PartitionReader,
  from: Position,
  limits: (at: Position) => ReadLimits,
): Promise<ExpectedRecord[]> {
  const records: ExpectedRecord[] = []
  for (let at = from, isAtEnd = false; !isAtEnd;) {
    const taken = await readOnce(reader, at, limits(at))
    records.push(...taken.records)
    at = taken.next
    isAtEnd = taken.end
  }
  return records
}

interface Taken {
  readonly records: ExpectedRecord[]
  readonly next: Position
  readonly end: boolean
}

/** One read, held to the contract: order (O2), limits (O3), progress. */
async function readOnce(reader: PartitionReader, from: Position, limits: ReadLimits): Promise<Taken> {
  const taken = await reader.read(limits)
  const records = recordsOf(taken)
  taken.release()
  let last = from.offset - 1
  for (const { offset } of records) {
    if (offset <= last) throw new Error(`The record at ${offset} stands behind the one at ${last}.`)
    last = offset
  }
  expect(records.length).toBeLessThanOrEqual(limits.rows)
  expect(last).toBeLessThan(limits.untilOffset)
  const { next, end } = taken
  expect(next.offset).toBeGreaterThan(last)
  if (!end) expect(next.offset).toBeGreaterThan(from.offset)
  return { records, next: JSON.parse(JSON.stringify(next)) as Position, end }
}

/** The good and the bad records of a read, in the order of the partition. */
function recordsOf({ batch, bad }: SourceBatch): ExpectedRecord[] {
  const records: ExpectedRecord[] = bad.map(({ position }) => ({ ...position, row: "bad" }))
  const { offsets, ordinals, partition } = batch?.origin ?? { offsets: null, ordinals: null, partition: INDEX }
  expect(partition).toBe(INDEX)
  batch?.forEachRow((index) => {
    records.push({ offset: offsets![index]!, ordinal: ordinals![index]!, row: batch.row(index) })
  })
  return records.sort((a, b) => a.offset - b.offset)
}

/** Random limits, often as small as they may be. */
function randomLimits(prng: Prng, at: number): ReadLimits {
  const rows = prng.pick([1, 2, 3, 50, 65_536])
  return { rows, untilOffset: prng.chance(0.5) ? Infinity : at + 1 + prng.below(prng.pick([10, 1000, 300_000])) }
}

/** Declares the tests that every source must pass. */
export function describeSourceConformance<W extends ConformanceWorld>(
  name: string,
  driver: SourceConformanceDriver<W>,
): void {
  const ids = [...driver.expected.keys()]
  const inSession = async (world: W, program: (session: Session, env: Env) => Promise<void>): Promise<void> => {
    const result = await runProcess(world, async (env) => {
      const session = await Session.open(driver, env)
      await program(session, env)
      await session.close()
    })
    expect(result).toBeDefined()
  }

  describe(`${name} as a source`, () => {
    describeReading(driver, ids, inSession)
    describeChangedPartitions(driver, ids, inSession)
  })
}

type InSession<W> = (world: W, program: (session: Session, env: Env) => Promise<void>) => Promise<void>

function describeReading<W extends ConformanceWorld>(
  driver: SourceConformanceDriver<W>,
  ids: readonly string[],
  inSession: InSession<W>,
): void {
  test("finds the same partitions in the same order each time", async () => {
    const world = driver.createWorld(1)
    const seen: unknown[] = []
    for (let run = 0; run < 2; run++) {
      await inSession(world, async ({ source }) => {
        const partitions = await source.partitions()
        expect(partitions.map(({ id }) => id)).toEqual(ids)
        seen.push(partitions)
      })
    }
    expect(seen[0]).toEqual(seen[1])
  })

  test("O2 gives every record once, with its offset and ordinal, good or bad", async () => {
    await inSession(driver.createWorld(2), async (session) => {
      for (const id of ids) expect(await session.readFrom(id, START)).toEqual(driver.expected.get(id))
    })
  })

  test("O1, O3 gives the same records whatever the limits", async () => {
    const seed = 11
    const prng = new Prng(seed)
    await inSession(driver.createWorld(3), async (session) => {
      for (const id of ids) {
        for (let run = 0; run < 3; run++) {
          const reader = await session.open(id, START)
          const small = { rows: 1, untilOffset: Infinity }
          const records = await readToEnd(reader, START, (at) => (run === 0 ? small : randomLimits(prng, at.offset)))
          await reader.close()
          expect(records, `seed ${seed}, ${id}, run ${run}`).toEqual(driver.expected.get(id))
        }
      }
    })
  })

  test("O1 goes on from every position that a read has given, in a new process", async () => {
    const world = driver.createWorld(4)
    for (const id of ids) {
      const all = driver.expected.get(id)!
      const positions: Position[] = []
      await inSession(world, async (session) => {
        const reader = await session.open(id, START)
        for (let at = START, isAtEnd = false; !isAtEnd;) {
          const taken = await readOnce(reader, at, { rows: 1, untilOffset: Infinity })
          positions.push((at = taken.next))
          isAtEnd = taken.end
        }
        await reader.close()
      })
      const stride = Math.max(1, Math.floor(positions.length / 10))
      await inSession(world, async (session) => {
        for (let at = 0; at < positions.length; at += stride) {
          const from = positions[at]!
          const rest = all.filter(({ offset }) => offset >= from.offset)
          expect(await session.readFrom(id, from), `${id} from ${from.offset}`).toEqual(rest)
        }
      })
    }
  })

  test("O1 reads several partitions turn by turn", async () => {
    const prng = new Prng(5)
    await inSession(driver.createWorld(5), async (session) => {
      const open = new Map<string, { reader: PartitionReader; at: Position; records: ExpectedRecord[] }>()
      for (const id of ids) {
        open.set(id, { reader: await session.open(id, START), at: START, records: [] })
      }
      const unfinished = new Set(ids)
      while (unfinished.size > 0) {
        const id = prng.pick([...unfinished])
        const partition = open.get(id)!
        const taken = await readOnce(partition.reader, partition.at, {
          rows: 1 + prng.below(400),
          untilOffset: Infinity,
        })
        partition.at = taken.next
        partition.records.push(...taken.records)
        if (taken.end) unfinished.delete(id)
      }
      for (const id of ids) expect(open.get(id)!.records).toEqual(driver.expected.get(id))
    })
  })

  test("a partition that has ended goes on having ended", async () => {
    await inSession(driver.createWorld(6), async (session) => {
      for (const id of ids) {
        const reader = await session.open(id, START)
        let taken = await readOnce(reader, START, UNLIMITED)
        while (!taken.end) taken = await readOnce(reader, taken.next, UNLIMITED)
        const again = await readOnce(reader, taken.next, UNLIMITED)
        expect(again).toEqual({ records: [], next: taken.next, end: true })
      }
    })
  })
}

function describeChangedPartitions<W extends ConformanceWorld>(
  driver: SourceConformanceDriver<W>,
  ids: readonly string[],
  inSession: InSession<W>,
): void {
  const changeable = ids.find((id) => driver.expected.get(id)!.length > 2)!

  /** Reads the first records of a partition; gives what a runtime keeps of it. */
  async function readSome(world: W): Promise<{ position: Position; identity: string }> {
    let position = START
    let identity = ""
    await inSession(world, async (session) => {
      const partition = await session.partition(changeable)
      identity = partition.identity
      const reader = await session.source.open(partition, INDEX, START)
      position = (await readOnce(reader, START, { rows: 2, untilOffset: Infinity })).next
      await reader.close()
    })
    return { position, identity }
  }

  for (const { name, code, apply } of driver.changes) {
    test(`O4 refuses a partition by name that ${name}`, async () => {
      const world = driver.createWorld(30)
      const { position, identity } = await readSome(world)
      let partition: Partition | undefined
      await inSession(world, async (session) => {
        partition = await session.partition(changeable)
      })
      apply(world, changeable)
      await inSession(world, async ({ source }) => {
        const error: unknown = await source
          .open(partition!, INDEX, position, identity)
          .catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(TidemarkError)
        expect(error).toMatchObject({ code })
        expect((error as TidemarkError).message).toContain(changeable)
        expect((error as TidemarkError).hint).toBeDefined()
      })
    })
  }

  test("O4 accepts a partition that is as it was, and one that has grown", async () => {
    const world = driver.createWorld(31)
    const { position, identity } = await readSome(world)
    const rest = driver.expected.get(changeable)!.filter(({ offset }) => offset >= position.offset)
    const more = driver.grow?.(world, changeable) ?? []
    await inSession(world, async ({ source }) => {
      const partition = (await source.partitions()).find(({ id }) => id === changeable)!
      const reader = await source.open(partition, INDEX, position, identity)
      expect(await readToEnd(reader, position, () => UNLIMITED)).toEqual([...rest, ...more])
    })
  })

  test.skipIf(driver.callsNothing)(
    "a call that fails is an operating error, and what was read before it stands",
    async () => {
      const counting = noFaults()
      const read = async (world: W): Promise<void> => {
        await runProcess(world, async (env) => {
          const session = await Session.open(driver, env)
          await session.readFrom(changeable, START)
        })
      }
      const world = driver.createWorld(32)
      world.faults = counting
      await read(world)
      let failures = 0
      for (let call = 0; call < counting.calls; call++) {
        const failing = driver.createWorld(33)
        failing.faults = new FaultAt(call, "eio")
        const error: unknown = await read(failing).catch((reason: unknown) => reason)
        // A failing call whose result nobody came to need is no failure.
        if (error === undefined) continue
        failures++
        expect(error, `eio call ${call}`).toBeInstanceOf(TidemarkError)
        failing.faults = noFaults()
        await read(failing)
      }
      expect(failures).toBeGreaterThan(2)
    },
  )
}
