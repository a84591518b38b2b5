/** A short run of `npm run fuzz:http`, and its judge, held to being able to fail. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "vitest"

interface Tally {
  readonly findings: readonly string[]
  take(count: number): number
  sent(ids: readonly number[]): void
  acknowledged(ids: readonly number[]): void
  refused(ids: readonly number[]): void
  judge(publishedIds: readonly number[]): void
}
const scripts = join(import.meta.dirname, "..", "scripts")
const { Tally } = (await import(join(scripts, "fuzz-http-tally.mjs"))) as { Tally: new () => Tally }

test("H1 H7 H8 H10 thousands of requests of all kinds are answered as they are to be, and counted once or not at all", async () => {
  const args = [join(scripts, "fuzz-http.mjs"), "--requests", "4000", "--seed", "3"]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 150_000 })
  expect(stdout).toMatch(/^requests 4\d\d\d, findings 0$/m)
}, 180_000)

test.each([
  ["lost", [1], ["record 0 was acknowledged, and is there 0 times"]],
  ["repeated", [0, 0, 1], ["record 0 was acknowledged, and is there 2 times"]],
  ["not known and repeated", [0, 1, 1], ["record 1 got no answer, and is there 2 times"]],
  ["refused and there", [0, 2], ["record 2 was refused, and is there 1 times"]],
  ["sent by nobody", [0, 9], ["the output has the record 9, which nobody has sent"]],
  ["right", [0, 1], []],
])("the fuzz finds records that are %s", (_what, published, findings) => {
  const tally = new Tally()
  const ids = [0, 1, 2]
  expect(tally.take(ids.length)).toBe(0)
  tally.sent(ids)
  tally.acknowledged([0])
  tally.refused([2])
  tally.judge(published)
  expect(tally.findings).toEqual(findings)
})
