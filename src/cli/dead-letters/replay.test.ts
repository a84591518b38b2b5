import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { forEachSeedInTurn } from "../../../test/seeds.ts"
import type { Prng } from "../../base/prng.ts"
import type { DeadLetter } from "../../runtime/dead-letters.ts"
import { replay, type ReplayOptions, type ReplayStep } from "./replay.ts"

let root = ""

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tidemark-replay-"))
  await mkdir(join(root, "letters"))
})
afterEach(() => rm(root, { recursive: true }))

function letter(offset: number, more: Partial<DeadLetter> = {}): DeadLetter {
  const raw = `record at ${offset}`
  const place = { input: "in", partition: "in/a.jsonl", offset, record: offset + 1 }
  return { ...place, operator: null, field: null, reason: "no", raw, ...more }
}

function replayInto(name: string, letters: readonly DeadLetter[], more: Partial<ReplayOptions> = {}) {
  const into = join(root, name)
  return replay({
    directory: join(root, "letters"),
    letters,
    into,
    header: undefined,
    base: root,
    isDryRun: false,
    ...more,
  })
}

const text = (name: string) => readFile(join(root, name), "utf8")

describe("a replay", () => {
  test("RP1 RP2 takes each letter once, and those of one record together", async () => {
    const first = await replayInto("one.jsonl", [letter(0), letter(20), letter(20, { reason: "another branch" })])
    expect(first).toMatchObject({ before: 1, impossible: [] })
    expect(await text("one.jsonl")).toBe("record at 0\nrecord at 20\n")
    const second = await replayInto("two.jsonl", [letter(0), letter(20), letter(40)])
    expect(second).toMatchObject({ before: 2 })
    expect(await text("two.jsonl")).toBe("record at 40\n")
    const third = await replayInto("three.jsonl", [letter(0), letter(40)])
    expect(third.replayed).toEqual([])
    expect(await readdir(root)).not.toContain("three.jsonl")
  })

  test.each(["constructor", "toString", "__proto__"])(
    "RP1 takes each letter once where an input, or a file, is called %s",
    async (name) => {
      const letters = [letter(0, { input: name }), letter(20, { partition: name })]
      await replayInto("one.jsonl", letters)
      expect(await text("one.jsonl")).toBe("record at 0\nrecord at 20\n")
      expect(await replayInto("two.jsonl", letters)).toMatchObject({ replayed: [], before: 2 })
    },
  )

  test("a dry run tells the same and writes nothing", async () => {
    const dry = await replayInto("one.jsonl", [letter(0)], { isDryRun: true })
    expect(dry.replayed).toHaveLength(1)
    expect([...(await readdir(root)), ...(await readdir(join(root, "letters")))]).toEqual(["letters"])
    expect((await replayInto("one.jsonl", [letter(0)])).replayed).toHaveLength(1)
  })

  test("RP3 a file that is there is not replaced", async () => {
    await writeFile(join(root, "one.jsonl"), "mine")
    await expect(replayInto("one.jsonl", [letter(0)])).rejects.toMatchObject({ code: "invalid-options" })
    expect(await text("one.jsonl")).toBe("mine")
    expect((await replayInto("two.jsonl", [letter(0)])).replayed).toHaveLength(1)
  })

  test("records that were cut, or of rows that failed, are read from their file again", async () => {
    await mkdir(join(root, "in"))
    const long = "x".repeat(5000)
    await writeFile(join(root, "in/a.jsonl"), `short\n${long}\r\nlast`)
    const letters = [
      letter(6, { raw: long.slice(0, 4096) }),
      letter(5008, { operator: "op", raw: '{"row":1}' }),
      letter(3, { operator: "op", raw: "{}" }),
      letter(0, { partition: "in/b.parquet", operator: "op" }),
      letter(0, { partition: "in/gone.jsonl", operator: "op" }),
      letter(0, { input: null, partition: null, offset: null, record: null, operator: "window" }),
      letter(6, { partition: "in/a.jsonl", input: "other", raw: `${"y".repeat(4096)}` }),
    ]
    const { impossible } = await replayInto("one.jsonl", letters)
    expect(await text("one.jsonl")).toBe(`${long}\nlast\n`)
    expect(impossible.map(({ problem }) => problem)).toEqual([
      "in/a.jsonl is no longer what was read",
      "its record cannot be taken from in/b.parquet, which is no plain text",
      "its record was in in/gone.jsonl, which cannot be read",
      "it is a row that the job made, and no record of an input",
      "in/a.jsonl is no longer what was read",
    ])
  })

  test("a record of CSV may have line ends within quotes", async () => {
    await mkdir(join(root, "in"))
    await writeFile(join(root, "in/a.csv"), 'a,b\n1,"two\nlines"\n3,4\n')
    await replayInto("one.csv", [letter(4, { partition: "in/a.csv", operator: "op" })], { header: Buffer.from("a,b") })
    expect(await text("one.csv")).toBe('a,b\n1,"two\nlines"\n')
  })

  test("RP1 of two replays at once one is told that the other was first", async () => {
    let other: Promise<unknown> | undefined
    const outcomes = await Promise.allSettled([
      replayInto("one.jsonl", [letter(0)], {
        // Both have seen no marker when they come to theirs.
        onStep: (step) => {
          if (step !== "draft") return
          other = replayInto("two.jsonl", [letter(0)])
          // It is looked at when the first has come to its end.
          other.catch(() => undefined)
        },
      }),
    ])
    outcomes.push(...((await Promise.allSettled([other])) as typeof outcomes))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
    const made = (await readdir(root)).filter((name) => /^(one|two)\.jsonl$/.test(name))
    expect(made).toHaveLength(1)
    expect((await replayInto("three.jsonl", [letter(0)])).replayed).toEqual([])
  })

  test("RP1 RP2 hold whatever dies when, over many seeds", async () => {
    let deaths = 0
    await forEachSeedInTurn(60, async (prng, seed) => {
      await rm(root, { recursive: true })
      await mkdir(join(root, "letters"), { recursive: true })
      const letters: DeadLetter[] = []
      for (let round = 0; round < 8; round++) {
        for (let count = prng.below(4); count > 0; count--) letters.push(letter(prng.below(12) * 20))
        const diesAt = dyingStep(prng)
        await replayInto(`round-${round}.jsonl`, letters, {
          onStep: (step) => {
            if (step === diesAt) throw new Error("died")
          },
        }).catch((error: unknown) => {
          deaths++
          expect(error).toEqual(new Error("died"))
        })
      }
      await replayInto("end.jsonl", letters)
      const files = (await readdir(root)).filter((name) => name.endsWith(".jsonl") && !name.startsWith("."))
      const texts = await Promise.all(files.map((name) => text(name)))
      const records = texts.flatMap((each) => each.split("\n").filter(Boolean)).sort()
      const wanted = [...new Set(letters.map(({ raw }) => raw))].sort()
      expect(records, `seed ${seed}`).toEqual(wanted)
    })
    expect(deaths).toBeGreaterThan(20)
  })
})

function dyingStep(prng: Prng): ReplayStep | undefined {
  return prng.pick(["draft", "marker", "publish", undefined])
}
