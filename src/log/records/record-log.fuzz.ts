/** RL1 to RL6 and FL2: a log under faults and deaths of every kind, over many lives. */
import { expect, test } from "vitest"
import { Prng } from "../../base/prng.ts"
import type { Env } from "../../env/env.ts"
import { RandomFaults, type DiskCall, type FaultPlan } from "../../sim/faults.ts"
import type { LogEntry } from "./log-entry.ts"
import { entriesOf, openLog, openReader, SMALL, textOf, worldOf } from "./log-world.fixture.ts"
import { formatLsn, type Lsn } from "./lsn.ts"

/** A long text, so that it can be read where it is not what was expected. */
const shortOf = (text: string) => `${text.replace(/\.+$/, "")} of ${text.length}`

/** All that a log must hold, and what may be in it besides. */
class History {
  /** The text at each LSN that was ever told. */
  readonly told = new Map<Lsn, string>()
  readonly appended = new Set<string>()
  count = 0
  trimmed: Lsn = 0n
  committed: Lsn = 0n

  check(entries: readonly LogEntry[], trimmed: Lsn, where: string): void {
    expect(trimmed >= this.trimmed, `${where}: trimmed`).toBe(true)
    const found = new Map<Lsn, string>()
    let next = 0n
    for (const entry of entries) {
      expect(entry.lsn >= next, `${where}: order at ${formatLsn(entry.lsn)}`).toBe(true)
      expect(entry.next > entry.lsn).toBe(true)
      next = entry.next
      if (entry.kind === "record") found.set(entry.lsn, shortOf(textOf(entry.payload)))
      else expect(entry.reason, where).not.toBe("lost")
    }
    expect(new Set(found.values()).size, `${where}: each once`).toBe(found.size)
    for (const [lsn, text] of this.told) {
      if (lsn >= trimmed) expect(found.get(lsn), `${where}: ${formatLsn(lsn)}`).toBe(text)
      else this.told.delete(lsn)
    }
    for (const [lsn, text] of found) {
      expect(this.appended.has(text), `${where}: ${text}`).toBe(true)
      this.told.set(lsn, text)
    }
    this.trimmed = trimmed
  }
}

/** Appends, reads, trims and commits at random until the process dies or all is done. */
async function useAtRandom(env: Env, prng: Prng, history: History, where: string): Promise<void> {
  const reader = prng.chance(0.3) ? await openReader(env).catch(() => undefined) : undefined
  if (reader !== undefined) history.check(await entriesOf(reader), await reader.trimmed(), `${where} before`)
  if (prng.chance(0.1)) return
  const log = await openLog(
    env,
    { ...SMALL, retention: prng.pick([{}, { bytes: 200_000 }, { consumed: true }]) },
    { generationBytes: 150_000 },
  )
  history.check(await entriesOf(log), await log.trimmed(), where)
  const consumer = log.consumer("one")
  expect((consumer.position ?? 0n) >= history.committed, where).toBe(true)
  const append = async () => {
    const texts = Array.from({ length: 1 + prng.below(4) }, () =>
      `${history.count++}`.padEnd(prng.pick([4, 4, 900, 40_000]), "."),
    )
    for (const text of texts) history.appended.add(shortOf(text))
    const lsns = await log.appendBatch(texts)
    lsns.forEach((lsn, index) => history.told.set(lsn, shortOf(texts[index]!)))
  }
  for (let turn = 0; turn < 6; turn++) {
    await Promise.all(Array.from({ length: 1 + prng.below(3) }, append))
    if (prng.chance(0.3)) history.check(await entriesOf(log), await log.trimmed(), `${where} turn ${turn}`)
    if (prng.chance(0.2)) {
      const to = prng.pick([...history.told.keys()])
      if (to > history.committed) {
        await consumer.commit(to)
        history.committed = to
      }
    }
    if (prng.chance(0.15)) await log.trim(prng.pick([...history.told.keys()]))
  }
  if (prng.chance(0.5)) await log.close()
}

/** Faults anywhere, or only where records are appended, so that what was begun there is found by the next process. */
function faultsOf(prng: Prng): FaultPlan {
  const anywhere = new RandomFaults(prng.fork(), { intensity: 0.4, max: 3 })
  if (prng.chance(0.4)) return anywhere
  const deep = new RandomFaults(prng.fork(), { intensity: 0.7, max: 1 })
  const isDeep = (call: DiskCall) => /^records\.(append|roll|mark|trim)/.test(call.step)
  return { strike: (call) => (isDeep(call) ? deep.strike({ ...call, occurrence: call.occurrence % 5 }) : undefined) }
}

test("RL1 RL2 RL3 RL6 FL2 hold whatever dies when, over many seeds", { timeout: 300_000 }, async () => {
  const scale = Number(process.env["TIDEMARK_FUZZ_SCALE"] ?? 1)
  let deaths = 0
  for (let seed = 0; seed < 100 * scale; seed++) {
    const world = worldOf(seed)
    const prng = new Prng(seed)
    const history = new History()
    for (let life = 0; life < 6; life++) {
      world.faults = faultsOf(prng)
      const promise = useAtRandom(world.boot(), prng, history, `seed ${seed}, life ${life}`)
      const end = await world.run(promise)
      if (end === "died") deaths++
      else
        await promise.catch((error: unknown) => {
          expect(error, `seed ${seed}, life ${life}`).toMatchObject({ code: expect.stringMatching(/^disk-/) as string })
        })
      if (!world.isAlive) continue
      if (prng.chance(0.5)) world.kill()
      else world.crash()
    }
  }
  expect(deaths).toBeGreaterThan(60)
})
