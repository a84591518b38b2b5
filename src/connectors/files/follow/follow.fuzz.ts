/**
 * Followed files against what was written: a writer appends, renames, cuts, replaces and removes at random, and processes that follow begin,
 * read, commit and die at random in between.
 */
import { copyFileSync, existsSync, renameSync, rmSync, truncateSync } from "node:fs"
import fc from "fast-check"
import { expect, test } from "vitest"
import { propertyCases } from "../../../../test/seeds.ts"
import { jsonl } from "../file-connector.ts"
import { Follower, FollowWorld, lines, NOTHING, type Committed } from "./follow.fixture.ts"

/** What may happen next. */
type Act =
  | { readonly kind: "write"; readonly file: number; readonly count: number; readonly half: boolean }
  | { readonly kind: "read"; readonly reads: number }
  | { readonly kind: "rotate" | "copy" | "replace" | "catch up and cut"; readonly file: number }
  | { readonly kind: "commit" | "die" | "drain" | "snapshot" }

const acts = (
  kinds: readonly ("rotate" | "copy" | "replace" | "catch up and cut")[],
  files: number,
): fc.Arbitrary<Act> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        file: fc.nat(files - 1),
        count: fc.integer({ min: 0, max: 40 }),
        half: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), reads: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...kinds), file: fc.nat(files - 1) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("commit", "die", "drain", "snapshot" as const) }) },
  )

/** A writer of some files, the process that follows them, and what it has committed. */
class Trial {
  readonly #world = new FollowWorld()
  readonly #pattern: string
  readonly #names: readonly string[]
  readonly #written: number[] = []
  /** Whether a file's last line has not ended, by name. */
  readonly #open = new Map<string, number>()
  /** Names that a file was taken away from: ten seconds later they are nobody's (FO10). */
  readonly #replaced = new Set<string>()
  #next = 0
  #committed: Committed = NOTHING
  #follower: Follower | undefined

  constructor(pattern: string, names: readonly string[]) {
    this.#pattern = pattern
    this.#names = names
  }

  /** What lies beside a file before the first commit is none of ours, so there is one. */
  async begin(): Promise<void> {
    for (const [file] of this.#names.entries()) await this.act({ kind: "write", file, count: 2, half: false })
    await this.act({ kind: "drain" })
    await this.act({ kind: "commit" })
  }

  async act(act: Act): Promise<void> {
    switch (act.kind) {
      case "write":
        return this.#write(this.#names[act.file]!, act.count, act.half)
      case "read": {
        const follower = await this.#process()
        for (let at = 0; at < act.reads; at++) {
          this.#world.pass(1)
          await follower.read(3)
        }
        return
      }
      case "drain":
        return void (await (await this.#process()).drain(7))
      case "commit":
        return void (this.#follower && (this.#committed = this.#follower.commit()))
      case "snapshot":
        return void (this.#follower && (this.#committed = this.#follower.snapshot()))
      case "die":
        await this.#follower?.end()
        this.#follower = undefined
        return
      default:
        return await this.#move(act.kind, this.#names[act.file]!)
    }
  }

  /** What was read in the end, and what should have been. */
  async end(): Promise<{ read: number[]; written: number[] }> {
    for (const name of this.#names) this.#endLine(name)
    await this.act({ kind: "drain" })
    const { rows } = this.#follower!.commit()
    await this.#follower!.end()
    this.#world.remove()
    return { read: rows.map((row) => (row as { n: number }).n), written: this.#written }
  }

  async #process(): Promise<Follower> {
    return (this.#follower ??= await Follower.start(
      this.#world,
      jsonl(this.#pattern, { follow: true }),
      this.#committed,
    ))
  }

  #write(name: string, count: number, half: boolean): void {
    this.#endLine(name)
    const numbers = Array.from({ length: count }, () => this.#next++)
    this.#written.push(...numbers)
    this.#world.append(name, lines(...numbers))
    if (!half) return
    this.#world.append(name, `{"n":${this.#next}`)
    this.#open.set(name, this.#next++)
  }

  #endLine(name: string): void {
    const open = this.#open.get(name)
    if (open === undefined) return
    this.#world.append(name, "}\n")
    this.#written.push(open)
    this.#open.delete(name)
  }

  async #move(kind: string, name: string): Promise<void> {
    const path = this.#world.path(name)
    if (!existsSync(path)) return
    this.#endLine(name)
    if (kind === "catch up and cut") {
      // Nothing of it is unread, so nothing is lost.
      await this.act({ kind: "drain" })
      await this.act({ kind: "commit" })
      return truncateSync(path)
    }
    if (kind === "replace") {
      // An open file is read to its end though it is gone.
      await this.act({ kind: "drain" })
      await this.act({ kind: "commit" })
      this.#replaced.add(name)
      return rmSync(path)
    }
    // A file under a name that nobody knows is found by its name alone, so it is seen before it loses that.
    if (this.#replaced.has(name)) await this.act({ kind: "drain" })
    this.#shift(path)
    if (kind === "rotate") return renameSync(path, `${path}.1`)
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    // The number is in every line: what is written anew differs from what was.
  }

  #shift(path: string): void {
    for (let generation = 30; generation >= 1; generation--) {
      const from = `${path}.${generation}`
      if (existsSync(from)) renameSync(from, `${path}.${generation + 1}`)
    }
  }
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((one, other) => one - other)
/** How many scripts there are of each kind. */
const SCRIPTS = 300

async function run(pattern: string, names: readonly string[], script: readonly Act[]) {
  const trial = new Trial(pattern, names)
  await trial.begin()
  for (const act of script) await trial.act(act)
  return await trial.end()
}

test("FO1 FO3 FO11 one log that is renamed: all lines, once, in order", { timeout: 120_000 }, async () => {
  const script = fc.array(acts(["rotate"], 1), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(script, async (script) => {
      const { read, written } = await run("app.log", ["app.log"], script)
      expect(read).toEqual(written)
    }),
    propertyCases(SCRIPTS),
  )
})

test("FO6 one log that is copied and cut: all lines, once", { timeout: 120_000 }, async () => {
  const script = fc.array(acts(["copy"], 1), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(script, async (script) => {
      const { read, written } = await run("app.log", ["app.log"], script)
      expect(sorted(read)).toEqual(sorted(written))
    }),
    propertyCases(SCRIPTS),
  )
})

test("FO5 FO7 FO8 several files that grow, come and go: all lines, once", { timeout: 120_000 }, async () => {
  const script = fc.array(acts(["rotate", "replace", "catch up and cut"], 3), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(script, async (script) => {
      const { read, written } = await run("*.log", ["a.log", "b.log", "c.log"], script)
      expect(sorted(read)).toEqual(sorted(written))
    }),
    propertyCases(SCRIPTS),
  )
})
