/**
 * The judge of `npm run chaos`, held to being able to fail: rows that are lost, repeated, changed or out of place show in every output, and so
 * does an engine that is broken on purpose (`scripts/chaos-breaks.mjs`).
 */
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Prng } from "../src/base/prng.ts"

interface Difference {
  readonly output: string
  readonly kind: "lost" | "repeated" | "wrong"
  readonly count: number
  readonly row: string
}
type Row = Record<string, unknown>
interface Data {
  readonly beats: number
  readonly job: Row
}
interface Round {
  readonly data: Data
  readonly published: Record<string, Row[]>
  readonly heard: readonly { readonly rows: readonly string[] }[]
  readonly calls: readonly string[]
  readonly directory: string
}

const scripts = join(import.meta.dirname, "..", "scripts")
const load = async <M>(name: string) => (await import(join(scripts, `${name}.mjs`))) as M
const { differencesOf } = await load<{ differencesOf(round: Round): Difference[] }>("chaos-operators")
const { differenceOf } = await load<{ differenceOf(parts: object): Difference[] }>("chaos-differences")
const { drawRound, writeInput, FILE_OUTPUTS } = await load<{
  drawRound(prng: Prng, share: number): Data
  writeInput(directory: string, data: Data): void
  FILE_OUTPUTS: readonly string[]
}>("chaos-operators-data")
const { deliveryDifferences } = await load<{
  deliveryDifferences(records: readonly Row[], deliveries: readonly Row[]): Difference[]
}>("chaos-http-webhook")
const { Markers, markerDifferences } = await load<{
  Markers: new (directory: string, data: Data) => { look(): Promise<Difference[]> }
  markerDifferences(directory: string, data: Data): Difference[]
}>("chaos-markers")
const { rowsOfOutput } = await load<{ rowsOfOutput(directory: string, output: string): Promise<Row[]> }>(
  "chaos-published",
)

const root = mkdtempSync(join(tmpdir(), "tidemark-chaos-test-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** What is wrong with the markers of a round. */
const marksOf = async ({ directory, data }: Round) => [
  ...(await new Markers(directory, data).look()),
  ...markerDifferences(directory, data),
]

/** A round of few rows by the clock, undisturbed, in an engine that may be broken. */
async function roundOf(name: string, broken?: string): Promise<Round> {
  const directory = join(root, name)
  const drawn = drawRound(new Prng(7), 0.2)
  // Calls that hang are in flight in that commit, however slow the machine is.
  const data = { ...drawn, job: { ...drawn.job, rollBytes: 2000, callTimeoutMs: 4000 } }
  writeInput(directory, data)
  // The first process dies in its twelfth commit.
  const runs = [
    { phase: 0, point: { step: "log.commit.write", call: 12, moment: "before" } },
    { phase: 0 },
    { phase: 1 },
  ]
  const heard = runs.map(({ phase, point }) => {
    const knobs = { epochRows: 100, snapshotMinBytes: 2000, parallelism: 1 }
    const options = { scenario: "operators", directory, phase, point, broken, ...data.job, ...knobs }
    const child = spawnSync(process.execPath, [join(scripts, "chaos-child.mjs"), JSON.stringify(options)], {
      encoding: "utf8",
    })
    const { signal, stderr } = child
    expect({ signal, stderr }).toEqual({ signal: point === undefined ? null : "SIGKILL", stderr: "" })
    return { rows: child.stdout.split("\n") }
  })
  const published: Record<string, Row[]> = {}
  for (const output of FILE_OUTPUTS) published[output] = await rowsOfOutput(directory, output)
  const callsFile = join(directory, "calls")
  const calls = existsSync(callsFile) ? readFileSync(callsFile, "utf8").trimEnd().split("\n") : []
  return { data, published, heard, calls, directory }
}

const kindsOf = (differences: readonly Difference[], output: string) =>
  new Set(differences.filter((each) => each.output === output).map(({ kind }) => kind))

describe("the judge of operators", () => {
  let round: Round
  beforeAll(async () => {
    round = await roundOf("whole")
  }, 60_000)

  /** What the judge says where the rows of an output are others. */
  const judged = (output: string, change: (rows: Row[]) => Row[]) =>
    differencesOf({ ...round, published: { ...round.published, [output]: change([...round.published[output]!]) } })

  it("finds nothing where nothing is wrong, in outputs that all have rows", async () => {
    expect(differencesOf(round)).toEqual([])
    expect(await marksOf(round)).toEqual([])
    for (const output of FILE_OUTPUTS) expect(round.published[output]!.length, output).toBeGreaterThan(2)
  })

  it.each([...FILE_OUTPUTS])("finds a row of %s that is lost, and one that is repeated", (output) => {
    const at = round.published[output]!.length - 1
    expect(judged(output, (rows) => rows.toSpliced(at, 1))).not.toEqual([])
    expect(judged(output, (rows) => rows.toSpliced(at, 0, rows[at]!))).not.toEqual([])
  })

  it.each(["asked", "counted", "updates", "machine", "again", "beaten"])(
    "finds rows of %s that have changed places",
    (output) => {
      const differences = judged(output, (rows) => rows.toReversed())
      expect([...kindsOf(differences, output)]).toContain("wrong")
    },
  )

  it("finds a printed row that is lost, a row in memory that is there twice, and a call by another key", () => {
    const [first, ...others] = round.heard
    const printed = round.heard.flatMap(({ rows }) => rows).find((line) => line.startsWith("{"))
    const withoutOne = round.heard.map(({ rows }) => ({ rows: rows.filter((line) => line !== printed) }))
    expect([...kindsOf(differencesOf({ ...round, heard: withoutOne }), "printed")]).toEqual(["lost"])
    const twice = { rows: [...first!.rows, "rows [5,5]"] }
    expect([...kindsOf(differencesOf({ ...round, heard: [twice, ...others] }), "kept")]).toContain("repeated")
    const [call] = round.calls
    expect([...kindsOf(differencesOf({ ...round, calls: [...round.calls, `${call!}x`] }), "calls")]).toEqual(["wrong"])
  })

  it("CM1 CM2 sees markers that are made too early", async () => {
    const marks = await marksOf(await roundOf("markers", "markers"))
    expect([...kindsOf(marks, "hours")]).toEqual(["wrong"])
    expect([...kindsOf(marks, "dealt")]).toEqual(["wrong"])
  }, 60_000)

  it("CM1 CM2 CM3 finds a marker that is there without its rows, one that vanishes, and one that lacks", async () => {
    const { directory, data } = round
    const markers = new Markers(directory, data)
    expect(await markers.look()).toEqual([])
    const lane = join(directory, "out", "dealt", "lane=lane 0")
    const hour = join(lane, readdirSync(lane).sort()[3]!)
    renameSync(hour, `${hour}-away`)
    mkdirSync(hour)
    writeFileSync(join(hour, "_SUCCESS"), "")
    expect([...kindsOf(await markers.look(), "dealt")]).toEqual(["wrong"])
    rmSync(hour, { recursive: true })
    expect((await markers.look()).map(({ row }) => row)).toContainEqual(expect.stringMatching(/has vanished$/))
    expect([...kindsOf(markerDifferences(directory, data), "dealt")]).toEqual(["lost", "wrong"])
    renameSync(`${hour}-away`, hour)
  })

  it.each([
    ["timers", "lost"],
    // What an instance has forgotten it neither gives nor keeps from being given again: it depends on when the process is killed.
    ["instances", "lost or repeated"],
    ["connected", "lost"],
    ["calls", "lost"],
    ["answers", "repeated"],
    ["publish", "repeated"],
  ] as const)(
    "sees an engine that is broken at its %s: rows are %s",
    async (broken, kinds) => {
      const differences = differencesOf(await roundOf(broken, broken))
      expect(differences.map((each) => each.kind)).toSatisfy((found: readonly string[]) =>
        kinds.split(" or ").some((kind) => found.includes(kind)),
      )
    },
    60_000,
  )
})

describe("the judges of http and http-webhook", () => {
  it.each([
    ["http", "keys", /^lost.* repeated [1-9]/m],
    ["http", "acknowledgements", /^lost [1-9]/m],
    ["http", "lock", /another process was not refused beside one that was stopped/],
    ["http-webhook", "bodies", /^lost.* wrong [1-9]/m],
    ["http-webhook", "lanes", /^lost.* wrong [1-9]/m],
    ["http-webhook", "silence", /^lost [1-9]/m],
    ["http-webhook", "uncommitted", /^lost.* repeated [1-9]/m],
  ])(
    "%s finds an engine that is broken in %s",
    (scenario, broken, finding) => {
      const args = ["--scenario", scenario, "--kills", "4", "--seed", "3", "--break", broken]
      const { status, stdout } = spawnSync(process.execPath, [join(scripts, "chaos.mjs"), ...args], {
        encoding: "utf8",
      })
      expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(finding) as string })
      const [, kept] = /^kept: (.+)$/m.exec(stdout)!
      rmSync(kept!, { recursive: true })
    },
    120_000,
  )
})

describe("the judge of deliveries", () => {
  const records = ["a", "b", "a"].map((key, id) => ({ id, key, value: id, at: "2026-01-01T00:00:00Z" }))
  const sent = records.map((record, id) => ({ ...record, place: id === 2 ? 1 : 0 }))
  const delivery = (key: string, row: object, isTaken = true) => ({
    ...{ path: "/rows", key, body: JSON.stringify(row), isTaken },
  })
  const [first, second, third] = [0, 1, 2].map((number) => delivery(`"k-${number}"`, sent[number]!))
  const kinds = (deliveries: readonly Row[]) => [
    ...new Set(deliveryDifferences(records, deliveries).map(({ kind }) => kind)),
  ]

  it("CW1 CW2 CW3 counts each key once, when it is taken first", () => {
    const refused = { ...second, isTaken: false }
    expect(kinds([refused, first, first, third, first, second, second])).toEqual([])
  })

  it("CW1 finds a key with two bodies, also where one was refused", () => {
    const refused = { ...delivery(`"k-0"`, { ...sent[0], value: 7 }), isTaken: false }
    expect(kinds([refused, first, second, third])).toEqual(["wrong"])
    expect(kinds([first, second, third, { ...third, path: "/minutes" }])).toEqual(["wrong"])
  })

  it("CW2 finds rows that were never taken, that come by another key, and that nobody has sent", () => {
    expect(kinds([first, { ...second, isTaken: false }, third])).toEqual(["lost"])
    expect(kinds([first, second, third, { ...third, key: `"k-9"` }])).toEqual(["repeated"])
    expect(kinds([first, second, third, delivery(`"k-9"`, { ...sent[0], id: 9, place: 2 })])).toEqual(["wrong"])
  })

  it("CW3 finds rows of a key that overtake each other", () => {
    expect(kinds([second, first, third])).toEqual([])
    expect(kinds([third, second, first])).toEqual(["wrong"])
  })
})

describe("differences", () => {
  const parts = (rows: readonly string[], groupOf?: (row: string) => string) => ({
    output: "o",
    expected: ["a1", "a2", "b1", "b1"],
    rows,
    groupOf,
  })

  it("CD1 tells what is lost, repeated and wrong", () => {
    expect(differenceOf(parts(["b1", "a1", "a1", "c1", "b1"]))).toEqual([
      { output: "o", kind: "repeated", count: 1, row: "a1" },
      { output: "o", kind: "lost", count: 1, row: "a2" },
      { output: "o", kind: "wrong", count: 1, row: "c1" },
    ])
  })

  it("CD2 holds groups to their order, and not one to another", () => {
    const groupOf = (row: string) => row[0]!
    expect(differenceOf(parts(["b1", "a1", "b1", "a2"], groupOf))).toEqual([])
    expect(differenceOf(parts(["b1", "a2", "b1", "a1"], groupOf))).toMatchObject([{ kind: "wrong", count: 1 }])
  })
})
