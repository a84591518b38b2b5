import { expect, test } from "vitest"
import { NO_FAULTS } from "../../../sim/faults.ts"
import { SimWorld } from "../../../sim/sim-env.ts"
import { DeadLetterFile } from "./dead-letter-file.ts"

const letter = (n: number) => ({
  at: "2026-11-28T16:00:00.000Z",
  key: `k${n}`,
  reason: 'a "reason"',
  row: `{"n":${n}}`,
})
const line = (n: number) =>
  `{"at":"2026-11-28T16:00:00.000Z","key":"k${n}","reason":"a \\"reason\\"","row":{"n":${n}}}\n`

test.each([
  ["nothing", "", ""],
  ["whole lines", line(1) + line(2), line(1) + line(2)],
  ["half a line behind a whole one", line(1) + line(2).slice(0, 20), line(1)],
  ["half a line alone", line(1).slice(0, -1), ""],
  ["a hole behind whole lines", line(1) + "\0".repeat(50) + line(2).slice(50), line(1)],
  ["a hole before a whole line of the same request", line(1) + "\0".repeat(40) + "\n" + line(2), line(1) + line(2)],
  ["lines that are no letters", line(1) + "null\n{}\n", line(1)],
  [
    "a torn line of a request before, which no crash of ours has left",
    line(1) + "x\n" + line(2) + line(6),
    line(1) + "x\n" + line(2) + line(6),
  ],
  ["a hole in front of a whole line", "\0".repeat(50) + line(2), " ".repeat(50) + line(2)],
  [
    "a hole in front of lines of several requests",
    line(1) + "\0".repeat(9) + line(2) + line(6) + line(7),
    line(1) + " ".repeat(9) + line(2) + line(6) + line(7),
  ],
  [
    "a hole in front of a whole line, and half a line",
    "\0".repeat(9) + line(1) + line(2).slice(0, 9),
    " ".repeat(9) + line(1),
  ],
  ["half a line that is long", line(1) + "x".repeat(200_000), line(1)],
])("DF2 what a crash has left is cut off before another line follows: %s", async (_, before, kept) => {
  const world = new SimWorld({ seed: 1 })
  world.image.installDirectory("/out")
  if (before !== "") world.image.install("/out/dead-letters.jsonl", new TextEncoder().encode(before))
  const { disk } = world.boot()
  const write = async (): Promise<void> => {
    const file = new DeadLetterFile(disk, "/out")
    await file.append([letter(3), letter(4)])
    await file.append([letter(5)])
    await file.close()
  }
  expect(await world.run(write())).toBe("settled")
  world.crash()
  const text = new TextDecoder().decode(world.image.readFile("/out/dead-letters.jsonl"))
  expect(text).toBe(kept + line(3) + line(4) + line(5))
})

test("DF3 lines that are appended at the same time stand one behind the other", async () => {
  const world = new SimWorld({ seed: 1 })
  world.image.installDirectory("/out")
  const { disk } = world.boot()
  const write = async (): Promise<void> => {
    const file = new DeadLetterFile(disk, "/out")
    await Promise.all([file.append([letter(1), letter(2)]), file.append([letter(3)]), file.append([letter(4)])])
    await file.close()
  }
  expect(await world.run(write())).toBe("settled")
  world.crash()
  const text = new TextDecoder().decode(world.image.readFile("/out/dead-letters.jsonl"))
  expect(text).toBe([1, 2, 3, 4].map(line).join(""))
})

test("DF1 DF2 what looks whole behind a failed sync is durable before another line follows", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const world = new SimWorld({ seed })
    world.image.installDirectory("/out")
    world.faults = { strike: ({ step }) => (step === "sink.webhook.dead-letters.sync" ? "eio" : undefined) }
    const { disk } = world.boot()
    const first = new DeadLetterFile(disk, "/out")
    const failing = first.append([letter(1)])
    failing.catch(() => undefined)
    await world.run(failing)
    await expect(failing).rejects.toMatchObject({ code: "disk-failed" })
    world.kill()
    world.faults = NO_FAULTS
    const again = world.boot().disk
    const second = new DeadLetterFile(again, "/out")
    const lookedWhole = new TextDecoder().decode(world.image.readFile("/out/dead-letters.jsonl")) === line(1)
    expect(await world.run(second.begin().then(() => second.append([letter(2)])))).toBe("settled")
    world.crash()
    const text = new TextDecoder().decode(world.image.readFile("/out/dead-letters.jsonl"))
    expect(text).toBe((lookedWhole ? line(1) : "") + line(2))
  }
})
