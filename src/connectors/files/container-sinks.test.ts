/** Parquet and Arrow as outputs pass the conformance suite of sinks, with a death at every call; and what they must not lose. */
import { tableFromIPC } from "apache-arrow"
import { describe, expect, test } from "vitest"
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import {
  CONFORMANCE_SCHEMA,
  countCalls,
  playWithFault,
  type ConformanceRow,
} from "../../connect/sink-trial.conformance.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { arrow, parquet } from "./file-connector.ts"
import { fileSinkDriver } from "./file-world.conformance.ts"
import { MutantWorld } from "./mutant-world.fixture.ts"
import { arrowCode, parquetCode } from "./on-demand.ts"
import { readFile } from "./parquet-file.fixture.ts"
import { FILE_SINK_STEPS, type FileSinkStep } from "./steps.ts"

// What is loaded while a world is simulated would take time that the world does not have.
await parquetCode.get()
await arrowCode.get()

const createWorld = (seed: number): SimWorld => new SimWorld({ seed })

function parseParquet(bytes: Buffer): ConformanceRow[] {
  const { rows, bad } = readFile(new Uint8Array(bytes), CONFORMANCE_SCHEMA)
  expect(bad).toEqual([])
  return rows as ConformanceRow[]
}

function parseArrow(bytes: Buffer): ConformanceRow[] {
  return tableFromIPC(bytes)
    .toArray()
    .map((row) => ({ id: row.id as number, text: row.text as string }))
}

const FORMATS = {
  parquet: { connector: parquet, parse: parseParquet },
  arrow: { connector: arrow, parse: parseArrow },
} as const

for (const [extension, { connector, parse }] of Object.entries(FORMATS)) {
  describeSinkConformance(
    extension,
    fileSinkDriver(createWorld, connector("out/results", { rollBytes: 3_000 }), { extension, parse }),
  )

  describe(`${extension}: a call that does nothing is noticed`, () => {
    const steps: readonly FileSinkStep[] = ["sink.publish.write", "sink.republish.write"]
    test.each(steps)("%s", async (step) => {
      expect(FILE_SINK_STEPS).toContain(step)
      const mutants = (seed: number): MutantWorld => new MutantWorld(seed, { step, kind: "drop" })
      const binding = connector("out/results", { rollBytes: 3_000 })
      const driver = fileSinkDriver(mutants, binding, { extension, parse })
      const trials = async (): Promise<void> => {
        const calls = await countCalls(driver)
        for (let seed = 0; seed < 2; seed++) {
          for (let call = 0; call < calls; call++) await playWithFault(driver, seed, { call, kind: "crash-before" })
        }
      }
      await expect(trials()).rejects.toThrow()
    })
  })

  test(`${extension}: what cannot be an output is refused`, async () => {
    const open = (path: string) =>
      connector(path).openSink({ baseDirectory: "/work", schema: schema({ n: t.int32 }) } as never, {} as never)
    await expect(open("out/*")).rejects.toMatchObject({
      code: "invalid-options",
      message: `${extension}("out/*") cannot be an output: it is a pattern for files to read.`,
      hint: `Name one directory, such as ${extension}("out").`,
    })
    expect(() => connector("out", { rollBytes: 0 })).toThrow(/rollBytes is 0/)
  })
}
