import { describe, expect, test } from "vitest"
import type { Env } from "../env/env.ts"
import { ListedFaults, RandomFaults, type FaultKind } from "./faults.ts"
import { Prng } from "../base/prng.ts"
import { SimWorld, type SimWorldOptions } from "./sim-env.ts"

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes)
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)

/** Runs a program in a fresh process; the promise's error, if any, is thrown. */
async function runProgram(world: SimWorld, program: (env: Env) => Promise<void>): Promise<"settled" | "died"> {
  const promise = program(world.boot())
  const end = await world.run(promise)
  if (end === "settled") await promise
  return end
}

function worldWith(options: SimWorldOptions, directory = "/d"): SimWorld {
  const world = new SimWorld(options)
  world.image.installDirectory(directory)
  return world
}

async function writeFile(env: Env, path: string, content: string, options: { syncs: boolean }): Promise<void> {
  const file = (await env.disk.open(path, "create", "test.create"))!
  await file.write(bytes(content), 0, "test.write")
  if (options.syncs) await file.sync("test.sync")
  await file.close()
}

/** What a file may hold after a crash, over many seeds. */
async function outcomes(seeds: number, program: (env: Env) => Promise<void>, path: string): Promise<Set<string>> {
  const seen = new Set<string>()
  for (let seed = 0; seed < seeds; seed++) {
    const world = worldWith({ seed })
    await runProgram(world, program)
    world.crash()
    seen.add(text(world.image.readFile(path)) ?? "absent")
  }
  return seen
}

describe("a crash of the machine", () => {
  test("M2 loses what was written and not synced, for some seeds and not for others", async () => {
    const seen = await outcomes(200, (env) => writeFile(env, "/d/a", "hello", { syncs: false }), "/d/a")
    expect(seen).toContain("absent")
    expect(seen).toContain("")
    expect(seen).toContain("hello")
  })

  test("M2 may lose the name of a file whose bytes were synced", async () => {
    const seen = await outcomes(100, (env) => writeFile(env, "/d/a", "hello", { syncs: true }), "/d/a")
    expect([...seen].sort()).toEqual(["absent", "hello"])
  })

  test("M1 keeps what was written, synced, renamed and whose directory was synced", async () => {
    const seen = await outcomes(
      300,
      async (env) => {
        await writeFile(env, "/d/a.tmp", "hello", { syncs: true })
        await env.disk.rename("/d/a.tmp", "/d/a", "test.rename")
        await env.disk.syncDirectory("/d", "test.sync-directory")
      },
      "/d/a",
    )
    expect([...seen]).toEqual(["hello"])
  })

  test("M2 shows a rename whole or not at all, M1 and whole when the directories are synced", async () => {
    const seen: Record<string, Set<string>> = {}
    for (let seed = 0; seed < 400; seed++) {
      for (const [to, synced] of [["/d/b"], ["/e/b"], ["/e/b", "/e"], ["/e/b", "/d"], ["/d/b", "/d"]] as const) {
        const world = worldWith({ seed })
        world.image.installDirectory("/e")
        world.image.install("/d/a", bytes("hello"))
        await runProgram(world, async (env) => {
          await env.disk.rename("/d/a", to, "test.rename")
          if (synced !== undefined) await env.disk.syncDirectory(synced, "test.sync-directory")
        })
        world.crash()
        const names = world.image.files("/").join(" ")
        ;(seen[`${world.image.metadataOrder} ${to} ${synced ?? ""}`] ??= new Set()).add(names)
      }
    }
    expect(seen).toEqual({
      "ordered /d/b ": new Set(["/d/a", "/d/b"]),
      "ordered /e/b ": new Set(["/d/a", "/e/b"]),
      "ordered /e/b /e": new Set(["/e/b"]),
      "ordered /e/b /d": new Set(["/e/b"]),
      "ordered /d/b /d": new Set(["/d/b"]),
      "independent /d/b ": new Set(["/d/a", "/d/b"]),
      "independent /e/b ": new Set(["/d/a", "/e/b", "/d/a /e/b"]),
      "independent /e/b /e": new Set(["/e/b", "/d/a /e/b"]),
      "independent /e/b /d": new Set(["/e/b", ""]),
      "independent /d/b /d": new Set(["/d/b"]),
    })
  })

  test("M1 an image knows what a sync would still make durable", async () => {
    const world = worldWith({ seed: 1 })
    world.image.installDirectory("/e")
    const seen: (boolean | undefined)[] = []
    const note = (): void => void seen.push(world.image.hasUnsynced("/d/a"), world.image.hasUnsynced("/d"))
    await runProgram(world, async (env) => {
      note()
      const file = (await env.disk.open("/d/a", "create", "test.create"))!
      await file.write(bytes("hello"), 0, "test.write")
      note()
      await file.sync("test.sync")
      await env.disk.syncDirectory("/d", "test.sync-directory")
      note()
    })
    expect(seen).toEqual([undefined, false, true, true, false, false])
    expect(world.image.hasUnsynced("/e")).toBe(false)
  })

  test("M2 tears a write at sectors and within one", async () => {
    const old = "o".repeat(1024)
    const seen = new Set<string>()
    for (let seed = 0; seed < 400; seed++) {
      const world = worldWith({ seed })
      world.image.install("/d/a", bytes(old))
      await runProgram(world, async (env) => {
        const file = (await env.disk.open("/d/a", "update", "test.open"))!
        await file.write(bytes("n".repeat(1024)), 0, "test.write")
      })
      world.crash()
      seen.add(text(world.image.readFile("/d/a"))!)
    }
    expect(seen).toContain(old)
    expect(seen).toContain("n".repeat(1024))
    expect(seen).toContain("o".repeat(512) + "n".repeat(512))
    expect([...seen].some((content) => /^n{1,511}o+$/.test(content))).toBe(true)
  })

  test("M2 may lose a truncation that was not synced, M1 and keeps one that was", async () => {
    for (const syncs of [false, true]) {
      const seen = new Set<string>()
      for (let seed = 0; seed < 60; seed++) {
        const world = worldWith({ seed })
        world.image.install("/d/a", bytes("hello"))
        await runProgram(world, async (env) => {
          const file = (await env.disk.open("/d/a", "update", "test.open"))!
          await file.truncate(2, "test.truncate")
          if (syncs) await file.sync("test.sync")
        })
        world.crash()
        seen.add(text(world.image.readFile("/d/a"))!)
      }
      expect([...seen].sort()).toEqual(syncs ? ["he"] : ["he", "hello"])
    }
  })

  test("M2 keeps unsynced directory changes as a prefix or in any combination, as the seed says", async () => {
    const seen = { ordered: new Set<string>(), independent: new Set<string>() }
    for (let seed = 0; seed < 400; seed++) {
      const world = worldWith({ seed })
      await runProgram(world, async (env) => {
        for (const name of ["a", "b", "c"]) await env.disk.open(`/d/${name}`, "create", "test.create")
      })
      world.crash()
      seen[world.image.metadataOrder].add(world.image.list("/d").join(""))
    }
    expect([...seen.ordered].sort()).toEqual(["", "a", "ab", "abc"])
    expect(seen.independent.size).toBe(8)
  })

  test("M1 a sync covers only the writes that were done when it was issued", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const world = worldWith({ seed })
      world.image.install("/d/a", new Uint8Array(0))
      await runProgram(world, async (env) => {
        const file = (await env.disk.open("/d/a", "update", "test.open"))!
        await Promise.all([file.write(bytes("hello"), 0, "test.write"), file.sync("test.sync")])
      })
      world.crash()
      seen.add(text(world.image.readFile("/d/a"))!)
    }
    expect(seen).toContain("")
    expect(seen).toContain("hello")
  })
})

describe("a kill of the process", () => {
  test("leaves what was written", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const world = worldWith({ seed })
      await runProgram(world, (env) => writeFile(env, "/d/a", "hello", { syncs: false }))
      world.kill()
      expect(text(world.image.readFile("/d/a"))).toBe("hello")
    }
  })

  test("X3 leaves of a write under way nothing, a part or all", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const faults = new ListedFaults([{ step: "test.write", occurrence: 0, kind: "kill-before" }])
      const world = worldWith({ seed, faults })
      expect(await runProgram(world, (env) => writeFile(env, "/d/a", "hello", { syncs: false }))).toBe("died")
      seen.add(text(world.image.readFile("/d/a"))!)
    }
    expect([...seen].sort()).toEqual(["", "h", "he", "hel", "hell", "hello"])
  })

  test("X2 stops a dead process's calls for good", async () => {
    const world = worldWith({ seed: 1 })
    const env = world.boot()
    const isDone = { write: false, later: false }
    void env.disk.open("/d/a", "create", "test.create").then(() => (isDone.write = true))
    world.kill()
    const after = world.image.list("/d")
    void env.disk.open("/d/b", "create", "test.create").then(() => (isDone.later = true))
    await runProgram(world, (next) => next.timers.sleep(1e9))
    expect(isDone).toEqual({ write: false, later: false })
    expect(world.image.list("/d")).toEqual(after)
  })

  test("releases the directory's lock", async () => {
    const world = worldWith({ seed: 1 })
    await runProgram(world, async (env) => {
      const lock = await env.lockDirectory("/d")
      expect(lock).toBeDefined()
      expect(await env.lockDirectory("/d")).toBeUndefined()
      await lock!.release()
      expect(await env.lockDirectory("/d")).toBeDefined()
    })
    world.kill()
    await runProgram(world, async (env) => expect(await env.lockDirectory("/d")).toBeDefined())
  })
})

describe("faults", () => {
  test("every kind strikes the call it names, and is counted", async () => {
    const outcome: Record<string, string> = {}
    for (const kind of [
      "eio",
      "enospc",
      "stall",
      "crash-before",
      "crash-after",
      "kill-before",
      "kill-after",
    ] as const) {
      const world = worldWith({ seed: 3, faults: new ListedFaults([{ step: "test.write", occurrence: 0, kind }]) })
      const end = runProgram(world, (env) => writeFile(env, "/d/a", "hello", { syncs: true }))
      outcome[kind] = await end.catch((error: { code: string }) => error.code)
      expect(world.struck).toEqual([{ step: "test.write", occurrence: 0, kind }])
      expect(world.matrix.count("test.write", kind)).toBe(1)
    }
    const died = { "crash-before": "died", "crash-after": "died", "kill-before": "died", "kill-after": "died" }
    expect(outcome).toEqual({ eio: "disk-failed", enospc: "disk-full", stall: "settled", ...died })
  })

  test("M5 what a failed sync did not cover is not covered by a retry", async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const world = worldWith({ seed, faults: new ListedFaults([{ step: "test.sync", occurrence: 0, kind: "eio" }]) })
      world.image.install("/d/a", new Uint8Array(0))
      await runProgram(world, async (env) => {
        const file = (await env.disk.open("/d/a", "update", "test.open"))!
        await file.write(bytes("hello"), 0, "test.write")
        await expect(file.sync("test.sync")).rejects.toMatchObject({ code: "disk-failed" })
        await file.sync("test.sync")
      })
      expect(text(world.image.readFile("/d/a"))).toBe("hello")
      world.crash()
      seen.add(text(world.image.readFile("/d/a"))!)
    }
    expect(seen).toContain("")
  })
})

/** A program with calls that overlap, timers and chance, until it is done or too many processes have died. */
async function busyWorld(seed: number, faults?: readonly { step: string; occurrence: number; kind: FaultKind }[]) {
  const plan =
    faults === undefined ? new RandomFaults(new Prng(seed), { intensity: 0.2, max: 5 }) : new ListedFaults(faults)
  const world = worldWith({ seed, faults: plan, keepsTrace: true })
  for (let run = 0; run < 8; run++) {
    const env = world.boot()
    const program = Promise.all(
      [1, 2, 3].map(async (index) => {
        await env.timers.sleep(env.randomUint32() % 1000)
        const file = await env.disk.open(`/d/${index}-${run}`, "create", "test.create")
        await file?.write(bytes(`${env.clock.wallMicros()} ${env.randomUint32()}`), 0, "test.write")
        await file?.sync("test.sync")
        await env.disk.rename(`/d/${index}-${run}`, `/d/${index}`, "test.rename")
      }),
    ).catch(() => undefined)
    if ((await world.run(program)) === "settled") world.kill()
  }
  return world
}

describe("determinism", () => {
  test("X1 the same seed gives the same trace, another seed another one", async () => {
    const hashes = new Set<string>()
    for (let seed = 0; seed < 30; seed++) {
      const first = await busyWorld(seed)
      const second = await busyWorld(seed)
      expect(second.trace.events).toEqual(first.trace.events)
      expect(second.trace.hash).toBe(first.trace.hash)
      expect(first.trace.count).toBeGreaterThan(50)
      hashes.add(first.trace.hash)
    }
    expect(hashes.size).toBe(30)
  })

  test("J1 the list of the faults that struck replays a run", async () => {
    for (let seed = 0; seed < 30; seed++) {
      const first = await busyWorld(seed)
      const second = await busyWorld(seed, first.struck)
      expect(second.struck).toEqual(first.struck)
      expect(second.trace.hash).toBe(first.trace.hash)
    }
  })

  test("X4 a buffer that is changed while its write is under way reaches the disk changed", async () => {
    const world = worldWith({ seed: 1 })
    await runProgram(world, async (env) => {
      const file = (await env.disk.open("/d/a", "create", "test.create"))!
      const buffer = bytes("hello")
      const write = file.write(buffer, 0, "test.write")
      buffer.fill("x".charCodeAt(0))
      await write
    })
    expect(text(world.image.readFile("/d/a"))).toBe("xxxxx")
  })

  test("Q1 calls that are under way together take effect in an order that the seed draws", async () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const world = worldWith({ seed })
      const order: number[] = []
      await runProgram(world, async (env) => {
        await Promise.all([0, 1, 2].map((index) => env.disk.stat("/d").then(() => order.push(index))))
      })
      orders.add(order.join(""))
    }
    expect(orders.size).toBe(6)
  })

  test("X5 Q2 in a calm world no call takes time, and time passes as far as it is told", async () => {
    const world = worldWith({ seed: 1, calmFromMicros: 5_000_000 })
    const env = world.boot()
    const woken: number[] = []
    void writeFile(env, "/d/a", "one", { syncs: true }).then(() => woken.push(0))
    for (const micros of [30, 10, 20, 11])
      void env.timers.sleep(micros).then(async () => {
        await writeFile(env, `/d/${micros}`, "one", { syncs: true })
        woken.push(env.clock.monotonicMicros())
      })
    await world.scheduler.runFor(0)
    expect([woken, env.clock.wallMicros()]).toEqual([[0], 5_000_000])
    await world.scheduler.runFor(25)
    expect([woken, env.clock.wallMicros()]).toEqual([[0, 10, 11, 20], 5_000_025])
    world.crash()
    for (let process = 0; process < 20; process++) {
      expect(world.boot().clock.wallMicros()).toBe(5_000_025)
      world.kill()
    }
  })

  test("Q2 an hour of sleep takes no time, and waiting for nothing is an error", async () => {
    const world = new SimWorld({ seed: 1 })
    const before = world.scheduler.now
    await runProgram(world, (env) => env.timers.sleep(3_600_000_000))
    expect(world.scheduler.now - before).toBe(3_600_000_000)
    world.kill()
    await expect(runProgram(world, () => new Promise(() => undefined))).rejects.toThrow("never happen")
  })
})
