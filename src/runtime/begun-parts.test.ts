/** Programs whose outputs have other columns take turns on one state, and each dies at some call of the disk. */
import { tableFromIPC } from "apache-arrow"
import { beforeAll, describe, expect, test } from "vitest"
import { TidemarkError } from "../base/errors.ts"
import { Prng } from "../base/prng.ts"
import { schema, type Schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { DEATHS, FaultAt, noFaults } from "../connect/world.conformance.ts"
import type { SinkBinding } from "../connect/sink.ts"
import { arrow, csv, jsonl, parquet, type FileOptions } from "../connectors/files/file-connector.ts"
import { arrowCode, begunPartsCode, parquetCode, partitionedCode } from "../connectors/files/on-demand.ts"
import { readFile } from "../connectors/files/parquet-file.fixture.ts"
import { SimWorld } from "../sim/sim-env.ts"
import { job } from "../stream/job.ts"
import type { JobEvent } from "../trace/events.ts"
import { arraySource } from "./array-source.fixture.ts"
import { runJob } from "./run-job.ts"
import type { RunJobOptions } from "./run-options.ts"

// What is loaded while a world is simulated would take time that the world does not have.
beforeAll(async () => {
  for (const code of [arrowCode, parquetCode, partitionedCode, begunPartsCode]) await code.get()
})

const Row = schema({ id: t.int32, group: t.string, name: t.string })
const Narrow = schema({ id: t.int32, group: t.string })
const ROWS = Array.from({ length: 14 }, (_, id) => ({
  id,
  group: id % 3 === 0 ? "x" : "y",
  name: `the ${id}th, as "it" is`,
}))

const narrow = job({
  name: "copying",
  inputs: { rows: Row },
  flow: ({ rows }) => ({ out: rows.select("id", "group") }),
})
const wide = job({ name: "copying", inputs: { rows: Row }, flow: ({ rows }) => ({ out: rows }) })

interface Program {
  readonly job: typeof narrow | typeof wide
  readonly sink: SinkBinding
}

/** A simulated machine on which programs run one after the other. */
class Machine {
  readonly world: SimWorld
  events: JobEvent[] = []
  /** Every other machine takes snapshots all the time, and every third leaves rows in parts that no epoch has committed yet. */
  readonly #options: Pick<RunJobOptions, "snapshotPolicy" | "sinkBufferBytes" | "batchRows">

  constructor(seed: number) {
    this.world = new SimWorld({ seed })
    this.#options = {
      ...(seed % 2 === 0 ? { snapshotPolicy: { minBytes: 1, growth: 0 } } : {}),
      ...(seed % 3 === 0 ? { sinkBufferBytes: 1, batchRows: 1 } : {}),
    }
    this.world.image.installDirectory("/job")
  }

  /**
   * Runs a program to its end, or until it dies: at a call of the disk where `faults` say so, or as soon as an epoch is committed.
   *
   * @returns whether it came to its end.
   */
  async run(
    { job, sink }: Program,
    { faults = noFaults(), dieBehind = Infinity, reset = false } = {},
  ): Promise<boolean> {
    const { world } = this
    this.events = []
    const bound = job.with({ inputs: { rows: arraySource({ a: ROWS }) }, outputs: { out: sink } })
    world.faults = faults
    const promise = runJob(bound, {
      env: world.boot(),
      directory: "/job/state",
      baseDirectory: "/job",
      epochRows: 2,
      ...this.#options,
      reset,
      onEvent: (event) => {
        this.events.push(event)
        if (event.kind === "committed" && event.epoch >= dieBehind) world.kill()
      },
    }).then((handle) => handle.finished)
    promise.catch(() => undefined)
    const end = await world.run(promise)
    world.faults = noFaults()
    if (world.isAlive) world.kill()
    if (end === "died") return false
    await promise
    return true
  }

  /** The published parts, in order: path and bytes. */
  parts(directory = "/job/out"): [string, Buffer][] {
    const { image } = this.world
    return image.list(directory).flatMap((name): [string, Buffer][] => {
      const path = `${directory}/${name}`
      if (name.includes("=")) return this.parts(path)
      return name.startsWith("part-") ? [[path, Buffer.from(image.readFile(path)!)]] : []
    })
  }

  /** All files below the output's directory, hidden ones, too. */
  files(directory = "/job/out"): string[] {
    const names = this.world.image.list(directory)
    return names.flatMap((name) => (name.includes("=") ? this.files(`${directory}/${name}`) : [`${directory}/${name}`]))
  }
}

/** The ids of a part of CSV, all of whose lines must be as wide as the first and end as it does. */
function idsOfCsv(bytes: Buffer): number[] {
  const lines = bytes.toString("utf8").trimEnd().split("\n")
  const [delimiter, quote] = lines[0]!.includes(";") ? [";", "'"] : [",", '"']
  const header = lines[0]!.split(delimiter)
  expect(header[0]).toBe("id")
  return lines.slice(1).map((line) => {
    const outside = line.split(quote).filter((_, index) => index % 2 === 0)
    expect(outside.join("").split(delimiter), line).toHaveLength(header.length)
    return Number(line.split(delimiter)[0])
  })
}

const FORMATS: Readonly<Record<string, { bind(options: FileOptions): SinkBinding; ids(bytes: Buffer): number[] }>> = {
  csv: { bind: (options) => csv("out", options), ids: idsOfCsv },
  jsonl: {
    bind: (options) => jsonl("out", options),
    ids: (bytes) => {
      const lines = bytes.toString("utf8").trimEnd().split("\n")
      return lines.map((line) => (JSON.parse(line) as { id: number }).id)
    },
  },
  parquet: { bind: (options) => parquet("out", options), ids: (bytes) => idsOfParquet(bytes) },
  arrow: {
    bind: (options) => arrow("out", options),
    ids: (bytes) =>
      tableFromIPC(bytes)
        .toArray()
        .map(({ id }: { id: number }) => id),
  },
}

function idsOfParquet(bytes: Buffer): number[] {
  const read = (columns: Schema) => readFile(new Uint8Array(bytes), columns)
  const { rows, bad } = read(Narrow)
  expect(bad).toEqual([])
  return rows.map(({ id }) => id as number)
}

const PLACES: Readonly<Record<string, FileOptions>> = {
  "one directory": {},
  partitions: { partitionBy: "group" },
}

const ALL_IDS = ROWS.map(({ id }) => id)

for (const [format, { bind, ids }] of Object.entries(FORMATS)) {
  for (const [place, options] of Object.entries(PLACES)) {
    const programs: readonly Program[] = [
      { job: narrow, sink: bind(options) },
      { job: wide, sink: bind(options) },
      ...(format === "csv" ? [{ job: wide, sink: csv("out", { ...options, delimiter: ";", quote: "'" }) }] : []),
    ]
    const idsOf = (machine: Machine) => machine.parts().flatMap(([, bytes]) => ids(bytes))
    const isContainer = format === "parquet" || format === "arrow"

    test(`E13 BP1 ${format} in ${place}: programs with other columns take turns, and whoever dies, each row is there once`, async () => {
      for (let seed = 0; seed < 60; seed++) {
        const prng = new Prng(seed)
        const machine = new Machine(seed)
        let isFinished = false
        for (let run = 0; run < 6 && !isFinished; run++) {
          const program = prng.pick(programs)
          const isStruck = prng.chance(0.7)
          const faults = isStruck ? new FaultAt(prng.below(120), prng.pick(DEATHS)) : noFaults()
          const dieBehind = isStruck ? Infinity : prng.below(10)
          const before = machine.world.image.find("/job/out") === undefined ? [] : machine.files()
          try {
            isFinished = await machine.run(program, { faults, dieBehind })
          } catch (error) {
            if (!isContainer) throw error
            expect(error).toMatchObject({ code: "state-foreign" })
            expect(machine.files()).toEqual(before)
          }
          expect(new Set(idsOf(machine)).size, `seed ${seed}`).toBe(idsOf(machine).length)
        }
        for (const program of programs) {
          if (isFinished) break
          isFinished = await machine.run(program).catch((error: unknown) => {
            if (!isContainer || !(error instanceof TidemarkError) || error.code !== "state-foreign") throw error
            return false
          })
        }
        expect(isFinished).toBe(true)
        const found = idsOf(machine).sort((a, b) => a - b)
        expect(found, `seed ${seed}`).toEqual(ALL_IDS)
      }
    })
  }
}

describe("E13 an output with other columns than before", () => {
  const [before, now]: readonly Program[] = [
    { job: narrow, sink: csv("out") },
    { job: wide, sink: csv("out") },
  ] as const

  test("CSV: what was begun is published as it was committed, in an epoch of its own, and told once", async () => {
    const machine = new Machine(1)
    await machine.run(before!, { dieBehind: 3 })
    expect(machine.parts()).toEqual([])
    await machine.run(now!)
    const told = machine.events.filter(({ kind }) => kind === "output-changed" || kind === "committed").slice(0, 2)
    expect(told).toMatchObject([
      {
        kind: "output-changed",
        output: "out",
        before: 'delimiter ",", quote "\\"", with header: id int32, group string',
        now: 'delimiter ",", quote "\\"", with header: id int32, group string, name string',
      },
      { kind: "committed", epoch: 4, rows: 0 },
    ])
    const texts = machine.parts().map(([path, bytes]) => [path, bytes.toString("utf8").split("\n")] as const)
    expect(texts.map(([path, lines]) => [path, lines.length - 2, lines[0]])).toEqual([
      ["/job/out/part-00000.csv", 6, "id,group"],
      ["/job/out/part-00001.csv", 8, "id,group,name"],
    ])
  })

  test("CSV: dead at every call of the start that publishes, and gone on with either program", async () => {
    const calls = async (): Promise<number> => {
      const machine = new Machine(1)
      await machine.run(before!, { dieBehind: 3 })
      const faults = noFaults()
      await machine.run(now!, { faults, dieBehind: 4 })
      return faults.calls
    }
    const count = await calls()
    expect(count).toBeGreaterThan(20)
    for (let call = 0; call < count + 5; call++) {
      for (const death of DEATHS) {
        for (const next of [before!, now!]) {
          const machine = new Machine(1)
          await machine.run(before!, { dieBehind: 3 })
          await machine.run(now!, { faults: new FaultAt(call, death) })
          await machine.run(next)
          const found = machine.parts().flatMap(([, bytes]) => idsOfCsv(bytes))
          expect(found, `${death} at call ${call}`).toEqual(ALL_IDS)
        }
      }
    }
  })

  test.each([1, 2, 3])(
    "the same columns again go on in what was begun, over as many runs as there are: seed %i",
    async (seed) => {
      const machine = new Machine(seed)
      for (const epoch of [2, 3]) await machine.run(before!, { dieBehind: epoch })
      expect(machine.parts()).toEqual([])
      for (const epoch of [5, 6]) {
        await machine.run(now!, { dieBehind: epoch })
        expect(machine.parts()).toHaveLength(1)
      }
      await machine.run(now!)
      const parts = machine.parts().map(([, bytes]) => idsOfCsv(bytes))
      expect(parts).toHaveLength(2)
      expect(parts.flat()).toEqual(ALL_IDS)
    },
  )

  test("a run that has published what it began leaves nothing to publish: no epoch is committed for it", async () => {
    const machine = new Machine(1)
    await machine.run(before!)
    await machine.run(now!)
    expect(machine.events.map(({ kind }) => kind)).toEqual(["plan-changed", "recovered"])
  })

  test.each([1, 2, 3])(
    "Parquet: it is refused in words before anything is changed; the earlier program goes on: seed %i",
    async (seed) => {
      const machine = new Machine(seed)
      const [old, revised] = [
        { job: narrow, sink: parquet("out") },
        { job: wide, sink: parquet("out") },
      ]
      await machine.run(old, { dieBehind: 3 })
      const files = machine.files()
      const hidden = files.find((path) => path.endsWith(".inprogress"))!
      for (let again = 0; again < 2; again++) {
        await expect(machine.run(revised)).rejects.toMatchObject({
          code: "state-foreign",
          message: `The output out has other columns than when the job ran last, and ${hidden} cannot be completed with them. They were id int32, group string, and are id int32, group string, name string.`,
          hint: expect.stringMatching(/^Start the earlier program once more and stop it .*--reset/) as string,
        })
      }
      expect(machine.files()).toEqual(files)
      await machine.run(old)
      expect(machine.parts().flatMap(([, bytes]) => idsOfParquet(bytes))).toEqual(ALL_IDS)
      await machine.run(revised)
    },
  )

  test("Parquet: a part that was committed as complete and not published needs the earlier program, too", async () => {
    const machine = new Machine(1)
    const old = { job: narrow, sink: parquet("out", { rollBytes: 1 }) }
    const faults = {
      strike: ({ step }: { step: string }) => (step === "sink.publish.write" ? "kill-before" : undefined),
    } as const
    await machine.run(old, { faults: faults as never })
    const revised = { job: wide, sink: parquet("out") }
    await expect(machine.run(revised)).rejects.toMatchObject({ code: "state-foreign" })
    await machine.run(old, { dieBehind: 4 })
    await machine.run(revised)
    expect(machine.parts().flatMap(([, bytes]) => idsOfParquet(bytes))).toEqual(ALL_IDS)
  })

  test("a reset asks for nothing of that", async () => {
    const machine = new Machine(1)
    await machine.run({ job: narrow, sink: parquet("out") }, { dieBehind: 3 })
    await machine.run({ job: wide, sink: parquet("out") }, { reset: true })
    expect(machine.parts().flatMap(([, bytes]) => idsOfParquet(bytes))).toEqual(ALL_IDS)
  })
})
