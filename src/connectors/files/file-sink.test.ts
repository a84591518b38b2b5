/** What the file sink does beyond the contract of sinks: names, rolling, refusals; and that the conformance suite can fail. */
import { describe, expect, test } from "vitest"
import { TidemarkError } from "../../base/errors.ts"
import { Arena } from "../../batch/arena.ts"
import { batchOfRows } from "../../batch/batch.ts"
import type { Sink, SinkBinding, SinkRecovery } from "../../connect/sink.ts"
import { CONFORMANCE_SCHEMA, countCalls, playWithFault } from "../../connect/sink-trial.conformance.ts"
import { runProcess } from "../../connect/world.conformance.ts"
import type { Env } from "../../env/env.ts"
import { NO_FAULTS } from "../../sim/faults.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { arrow, csv, jsonl, jsonlDirectory, parquet } from "./file-connector.ts"
import { INLINE_BYTES_MAX } from "./file-sink.ts"
import {
  BASE_DIRECTORY,
  fileSinkDriver,
  fileText,
  installText,
  parseJsonLines,
  withBaseDirectory,
} from "./file-world.conformance.ts"
import { MutantWorld } from "./mutant-world.fixture.ts"
import { FILE_SINK_STEPS, type FileSinkStep } from "./steps.ts"

const TARGET = `${BASE_DIRECTORY}/out`
const FRESH: SinkRecovery = { checkpoint: undefined, staged: [], reset: false, fresh: true }
const arena = new Arena({ maxBytes: 1 << 22 })

function open(binding: SinkBinding, env: Env, recovery = FRESH): Promise<Sink> {
  const context = {
    env,
    arena,
    schema: CONFORMANCE_SCHEMA,
    job: "trial",
    output: "results",
    baseDirectory: BASE_DIRECTORY,
  }
  return binding.openSink(context, recovery)
}

function writeRows(sink: Sink, texts: readonly string[]): void {
  const rows = texts.map((text, id) => ({ id, text }))
  const { batch, release } = batchOfRows(arena, CONFORMANCE_SCHEMA, rows)
  sink.write(batch)
  release()
}

async function epoch(sink: Sink, texts: readonly string[], final = false): Promise<Uint8Array> {
  if (texts.length > 0) writeRows(sink, texts)
  const staged = await sink.stage(final)
  await sink.apply(staged)
  return staged
}

async function inProcess<T>(world: SimWorld, program: (env: Env) => Promise<T>): Promise<T> {
  return (await runProcess(world, program))!.value
}

function emptyWorld(): SimWorld {
  return withBaseDirectory(new SimWorld({ seed: 1 }))
}

/** Names in the target, the token of in-progress files as `#`. */
function names(world: SimWorld, directory = TARGET): string[] {
  const parts = world.image.list(directory).filter((name) => name !== ".lock" && !name.startsWith(".owner."))
  return parts.map((name) => name.replace(/\.[0-9a-f]{8}\./, ".#."))
}

describe("parts", () => {
  test("are named by number, begin with the header, and are hidden until they are published", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(csv("out", { rollBytes: 10 }), env)
      expect(names(world)).toEqual([])
      writeRows(sink, ["a", "b"])
      const staged = await sink.stage(false)
      expect(names(world)).toEqual([".part-00000.#.csv.inprogress"])
      await sink.apply(staged)
      await epoch(sink, ["c"])
      await sink.close()
    })
    expect(names(world)).toEqual(["part-00000.csv", "part-00001.csv"])
    expect(fileText(world, `${TARGET}/part-00000.csv`)).toBe("id,text\n0,a\n1,b\n")
    expect(fileText(world, `${TARGET}/part-00001.csv`)).toBe("id,text\n0,c\n")
  })

  test("have no header where the options say so", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) =>
      epoch(await open(csv("out", { header: false, delimiter: ";" }), env), ["a"], true),
    )
    expect(fileText(world, `${TARGET}/part-00000.csv`)).toBe("0;a\n")
  })

  test("a directory without rows exists and is empty", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => epoch(await open(csv("out"), env), [], true))
    expect(world.image.find(TARGET)?.kind).toBe("directory")
    expect(names(world)).toEqual([])
  })

  test("roll when they are large enough, at the end of an epoch", async () => {
    const world = emptyWorld()
    await inProcess(world, async (env) => {
      const sink = await open(jsonl("out", { rollBytes: 60 }), env)
      for (let count = 0; count < 5; count++) await epoch(sink, ["abc"])
      await sink.close()
    })
    // A row has 22 bytes: three make a part.
    expect(names(world)).toEqual([".part-00001.#.jsonl.inprogress", "part-00000.jsonl"])
    expect(fileText(world, `${TARGET}/part-00000.jsonl`)!.split("\n")).toHaveLength(4)
  })

  test("roll when their first row is old enough, also where an epoch brings no row, and after a restart", async () => {
    const world = emptyWorld()
    const binding = jsonl("out", { rollAfter: "1m" })
    const staged: Uint8Array[] = []
    await inProcess(world, async (env) => {
      const sink = await open(binding, env)
      staged.push(await epoch(sink, ["a"]))
      await env.timers.sleep(30_000_000)
      staged.push(await epoch(sink, ["b"]))
      expect(names(world)).toEqual([".part-00000.#.jsonl.inprogress"])
      await sink.close()
      await env.timers.sleep(31_000_000)
      const again = await open(binding, env, { ...FRESH, staged, fresh: false })
      staged.push(await epoch(again, []))
      expect(names(world)).toEqual(["part-00000.jsonl"])
      await env.timers.sleep(120_000_000)
      expect((await epoch(again, [])).length).toBe(0)
    })
  })

  test("K8, J2 are cut again where the process before could not make durable that it had cut them", async () => {
    const binding = jsonl("out")
    for (let seed = 0; seed < 20; seed++) {
      const world = withBaseDirectory(new SimWorld({ seed }))
      const staged: Uint8Array[] = []
      const recovery = (): SinkRecovery => ({ ...FRESH, staged: [...staged], fresh: false })
      await inProcess(world, async (env) => {
        const sink = await open(binding, env)
        staged.push(await epoch(sink, ["a"]))
        writeRows(sink, ["never committed, and longer than what will be"])
        await sink.flush()
      })
      const failure = inProcess(world, async (env) => {
        const sink = await open(binding, env, recovery())
        writeRows(sink, ["b"])
        staged.push(await sink.stage(true))
        world.faults = { strike: ({ step }) => (step === "sink.publish.sync" ? "eio" : undefined) }
        await sink.apply(staged[1]!)
      })
      await expect(failure).rejects.toMatchObject({ code: "disk-failed" })
      world.faults = NO_FAULTS
      await inProcess(world, async (env) => await (await open(binding, env, recovery())).close())
      world.crash()
      expect(fileText(world, `${TARGET}/part-00000.jsonl`)).toBe('{"id":0,"text":"a"}\n{"id":0,"text":"b"}\n')
    }
  })

  test("an epoch that adds little travels in the commit record, one that adds much does not", async () => {
    const world = emptyWorld()
    let syncs = 0
    world.faults = {
      strike({ step }) {
        if (step === "sink.stage.sync") syncs++
        return undefined
      },
    }
    await inProcess(world, async (env) => {
      const sink = await open(jsonl("out"), env)
      const little = await epoch(sink, ["x".repeat(INLINE_BYTES_MAX - 100)])
      expect(little.length).toBeGreaterThan(INLINE_BYTES_MAX - 100)
      expect(syncs).toBe(0)
      const much = await epoch(sink, ["x".repeat(INLINE_BYTES_MAX)])
      expect(much.length).toBeLessThan(50)
      expect(syncs).toBe(1)
      writeRows(sink, ["x"])
      await sink.flush()
      expect((await epoch(sink, [])).length).toBeLessThan(50)
      expect(syncs).toBe(2)
    })
  })
})

describe("refusals", () => {
  async function refusal(world: SimWorld, binding: SinkBinding, recovery = FRESH): Promise<TidemarkError> {
    const error: unknown = await inProcess(world, (env) => open(binding, env, recovery)).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(TidemarkError)
    expect((error as TidemarkError).hint).toBeDefined()
    return error as TidemarkError
  }

  /** A job that has committed one epoch of a part that is not published, or of one that is. */
  async function committed(world: SimWorld, final: boolean): Promise<SinkRecovery> {
    const staged = await inProcess(world, async (env) => epoch(await open(jsonl("out"), env), ["a", "b"], final))
    return { ...FRESH, staged: [staged], fresh: false }
  }

  test("a path that is a file", async () => {
    const world = emptyWorld()
    installText(world, `${BASE_DIRECTORY}/file`, "x")
    const error = await refusal(world, jsonl("file/out"))
    expect([error.code, error.message]).toEqual([
      "sink-failed",
      "/work/file is not a directory, so no output can be written to it.",
    ])
  })

  test("K7 published parts of any format that the job has not written", async () => {
    for (const name of ["part-00000.jsonl", "part-00003.csv"]) {
      const world = emptyWorld()
      installText(world, `${TARGET}/${name}`, "{}\n")
      expect((await refusal(world, jsonl("out"))).code).toBe("sink-occupied")
      expect(fileText(world, `${TARGET}/${name}`)).toBe("{}\n")
    }
  })

  test("K7 published parts beyond the state, as after a restore from a backup", async () => {
    const world = emptyWorld()
    const recovery = await committed(world, true)
    installText(world, `${TARGET}/part-00001.jsonl`, "{}\n")
    expect((await refusal(world, jsonl("out"), recovery)).message).toContain("part-00001.jsonl")
  })

  test("K7 a name that is taken when a part is to be published", async () => {
    const world = emptyWorld()
    const error: unknown = await inProcess(world, async (env) => {
      const sink = await open(jsonl("out"), env)
      writeRows(sink, ["a"])
      const staged = await sink.stage(true)
      installText(world, `${TARGET}/part-00000.jsonl`, "{}\n")
      await sink.apply(staged)
    }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "sink-occupied" })
    expect(fileText(world, `${TARGET}/part-00000.jsonl`)).toBe("{}\n")
  })

  test("an in-progress file that has vanished when its part is to be published", async () => {
    const world = emptyWorld()
    const failure = inProcess(world, async (env) => {
      const sink = await open(jsonl("out"), env)
      writeRows(sink, ["a"])
      const staged = await sink.stage(true)
      const [name] = world.image.list(TARGET).filter((entry) => entry.endsWith(".inprogress"))
      world.image.remove(`${TARGET}/${name!}`)
      await sink.apply(staged)
    })
    await expect(failure).rejects.toMatchObject({
      code: "sink-failed",
      message: expect.stringContaining("has vanished, and committed rows with it") as string,
    })
  })

  test("an in-progress file with committed rows that is gone, or shorter than it was", async () => {
    const world = emptyWorld()
    const recovery = await committed(world, false)
    const checkpoint = await inProcess(world, async (env) => (await open(jsonl("out"), env, recovery)).checkpoint())
    const [name] = world.image.list(TARGET).filter((entry) => entry.endsWith(".inprogress"))
    world.image.remove(`${TARGET}/${name!}`)
    const settled = { ...FRESH, checkpoint, fresh: false }
    expect((await refusal(world, jsonl("out"), settled)).message).toContain("holds no in-progress file of part 0")
    installText(world, `${TARGET}/${name!}`, "{")
    expect((await refusal(world, jsonl("out"), settled)).message).toContain(
      "has 1 byte, but 40 bytes of it are committed",
    )
  })

  test("K7 in-progress files of another job stay where they are", async () => {
    const world = emptyWorld()
    await committed(world, false)
    await inProcess(world, async (env) => epoch(await open(jsonl("out"), env), ["c"], true))
    expect(names(world)).toEqual([".part-00000.#.jsonl.inprogress", "part-00000.jsonl"])
  })
})

describe("bindings", () => {
  test("say what they are", () => {
    expect(csv("trips/*.csv").describe()).toBe('csv("trips/*.csv")')
    expect(jsonl(["a", "b"]).describe()).toBe('jsonl(["a", "b"])')
    expect(csv("out").guarantee).toBe("exactly-once")
  })

  test.each([
    ["csv", csv],
    ["jsonl", jsonl],
    ["parquet", parquet],
    ["arrow", arrow],
  ])("%s says when parts are published, where that was given", (name, bound) => {
    expect(bound("out", { rollAfter: "30s", rollBytes: 4096 }).describe()).toBe(
      `${name}("out", { rollBytes: 4096, rollAfter: "30s" })`,
    )
    expect(bound("out", { rollAfter: "15m" }).describe()).toBe(`${name}("out", { rollAfter: "15m" })`)
    expect(bound("out", { rollAfter: "15m" }).describeTarget!()).toBe(`${name}("out")`)
    expect(bound("out", { rollBytes: undefined } as never).describe()).toBe(`${name}("out")`)
    expect(bound("in/*", { follow: true }).describe()).toBe(`${name}("in/*", { follow: true })`)
  })

  test("take a path as it stands where a program has put it together", () => {
    const binding = jsonlDirectory("/work/a[1]/{b}*")
    expect(binding.targetKey!(BASE_DIRECTORY)).toBe("files:/work/a[1]/{b}*")
    expect(binding.describe()).toBe('jsonl("/work/a[1]/{b}*")')
  })

  test("name the same target however it is written", () => {
    const keys = [jsonl("out"), csv("./x/../out/"), csv("/work/out")].map((binding) =>
      binding.targetKey!(BASE_DIRECTORY),
    )
    expect(new Set(keys)).toEqual(new Set(["files:/work/out"]))
    expect(jsonl("out2").targetKey!(BASE_DIRECTORY)).not.toBe(keys[0])
  })

  test.each([
    ["no path", () => csv([])],
    ["an empty path", () => jsonl("")],
    ["a delimiter of two characters", () => csv("a", { delimiter: "||" })],
    ["a record of no bytes", () => jsonl("a", { maxRecordBytes: 0 })],
    ["a part of half a byte", () => jsonl("a", { rollBytes: 0.5 })],
    ["a pattern as a target", () => csv("out/*.csv").targetKey!(BASE_DIRECTORY)],
    ["several targets", () => csv(["a", "b"]).targetKey!(BASE_DIRECTORY)],
  ])("refuse %s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "invalid-options" }))
  })

  test("refuse a length of time that is none", () => {
    const rollAfter = "soon" as "1s"
    expect(() => jsonl("a", { rollAfter })).toThrow(
      expect.objectContaining({
        code: "invalid-duration",
        message: 'jsonl(...): rollAfter is "soon", which is not a duration.',
      }),
    )
  })

  test.each<[call: () => unknown, message: string, hint: string]>([
    [() => csv("a", { hedaer: false } as never), 'csv(...) has no option "hedaer".', 'Did you mean "header"?'],
    [() => jsonl("a", { delimiter: ";" } as never), 'jsonl(...) has no option "delimiter".', '"maxRecordBytes"'],
    [() => csv("a", ";" as never), 'csv(...) takes an object of options, not ";".', '"delimiter"'],
    [() => csv("a", { header: "no" } as never), 'csv(...): header is "no".', "false"],
    [() => csv("a", { quote: 5 } as never), "The quote of a CSV format cannot be 5.", "one ASCII character"],
    [() => jsonl("a", { rollBytes: "1MB" } as never), 'jsonl(...): rollBytes is "1MB".', "whole number of bytes"],
    [() => jsonl("a", { maxRecordBytes: NaN }), "jsonl(...): maxRecordBytes is NaN.", "1 to 536870912"],
    [() => csv(undefined as never), "csv(...) takes paths, not undefined.", 'csv("trips/*.csv")'],
    [() => jsonl(["a", 7] as never), "jsonl(...) takes paths, not 7.", 'jsonl("trips/*.jsonl")'],
  ])("tell what an option may be: %#", (call, message, hint) => {
    expect(call).toThrow(
      expect.objectContaining({ code: "invalid-options", message, hint: expect.stringContaining(hint) as string }),
    )
  })
})

describe("the conformance suite finds out a sink that leaves out", () => {
  // What else there is takes many outcomes of crashes to find out: `npm run sim` has them.
  const steps: readonly FileSinkStep[] = [
    "sink.create.sync-directory",
    "sink.flush.write",
    "sink.stage.write",
    "sink.stage.sync",
    "sink.apply.write",
    "sink.publish.truncate",
    "sink.publish.sync",
    "sink.publish.rename",
    "sink.publish.sync-directory",
    "sink.recover.write",
    "sink.recover.remove",
  ]

  test.each(steps)("%s", async (step) => {
    expect(FILE_SINK_STEPS).toContain(step)
    const binding = jsonl("out/results", { rollBytes: 1_000 })
    const createWorld = (seed: number): MutantWorld => new MutantWorld(seed, { step, kind: "drop" })
    const driver = fileSinkDriver(createWorld, binding, { extension: "jsonl", parse: parseJsonLines })
    const trials = async (): Promise<void> => {
      const calls = await countCalls(driver)
      for (let seed = 0; seed < 8; seed++) {
        for (let call = 0; call < calls; call++) await playWithFault(driver, seed, { call, kind: "crash-before" })
      }
    }
    await expect(trials()).rejects.toThrow()
  })
})
