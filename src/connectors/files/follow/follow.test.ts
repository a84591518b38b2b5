/** The rules of followed files (docs/spec/follow.md), on a real disk. */
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { csv, jsonl } from "../file-connector.ts"
import { Follower, FollowWorld, lines, NOTHING } from "./follow.fixture.ts"
import { basesOf, isUnready } from "./follow-scan.ts"
import { FollowedFiles } from "./followed-files.ts"

let world: FollowWorld
beforeEach(() => void (world = new FollowWorld()))
afterEach(() => world.remove())

const log = jsonl("app.log", { follow: true })
const numbered = (...numbers: readonly number[]) => numbers.map((n) => ({ n }))
const gaps = ({ notices }: Follower) => notices.filter(({ isGap }) => isGap).map(({ message }) => message)
const start = (binding = log, from = NOTHING) => Follower.start(world, binding, from)

describe("one file", () => {
  test("FO6 a file that matches is no copy of another, though its name is that of an earlier generation", async () => {
    const follower = await start(jsonl("*.jsonl", { follow: true }))
    world.append("app.jsonl", lines(1))
    await follower.drain()
    world.append("app.jsonl", lines(2))
    world.append("app-7.jsonl", lines(3))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3))
    expect(gaps(follower)).toEqual([])
    await follower.end()
  })

  test("FO1 each file may begin with a byte order mark, not only the first", async () => {
    const follower = await start(jsonl("*.log", { follow: true }))
    for (const n of [1, 2]) world.append(`${n}.log`, `\ufeff${lines(n, 10 + n)}`)
    expect(await follower.drain()).toEqual(numbered(1, 11, 2, 12))
    expect(follower.bad).toEqual([])
    await follower.end()
  })

  test("FO1 lines are read as the file grows, each once, over restarts", async () => {
    let follower = await start()
    expect(await follower.drain()).toEqual([])
    world.append("app.log", lines(1, 2))
    await follower.drain()
    world.append("app.log", lines(3))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3))
    const committed = follower.commit()
    world.append("app.log", lines(4))
    await follower.drain()
    await follower.end()
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(4))
    await follower.end()
  })

  test("FO2 a last line without a line end waits for it", async () => {
    const follower = await start()
    world.append("app.log", `${lines(1)}{"n":`)
    expect(await follower.drain()).toEqual(numbered(1))
    world.append("app.log", "2}")
    expect(await follower.drain()).toEqual(numbered(1))
    world.append("app.log", `\n${lines(3)}`)
    expect(await follower.drain()).toEqual(numbered(1, 2, 3))
    await follower.end()
  })

  test("FO2 a header that is not whole waits, and each file has its own", async () => {
    const follower = await start(csv("*.csv", { follow: true }))
    world.append("a.csv", "other,")
    expect(await follower.drain()).toEqual([])
    world.append("a.csv", "n\n1,2\n")
    world.append("b.csv", "n\n3\n")
    expect(await follower.drain()).toEqual(numbered(2, 3))
    world.append("a.csv", "5,6\n")
    expect(await follower.drain()).toEqual(numbered(2, 3, 6))
    await follower.end()
  })

  test("FO2 lines that are too long are bad records, whole or not", async () => {
    const follower = await start(jsonl("app.log", { follow: true, maxRecordBytes: 100 }))
    world.append("app.log", `${lines(1)}${"x".repeat(700_000)}`)
    expect(await follower.drain()).toEqual(numbered(1))
    world.append("app.log", `${"x".repeat(700_000)}\n${lines(2)}`)
    expect(await follower.drain()).toEqual(numbered(1, 2))
    expect(follower.bad).toMatchObject([{ id: "app.log", offset: lines(1).length, ordinal: 1 }])
    await follower.end()
  })

  test("FO3 what was renamed is read to its end before the file that has taken its name", async () => {
    const follower = await start()
    world.append("app.log", lines(1))
    await follower.drain()
    world.append("app.log", lines(2))
    renameSync(world.path("app.log"), world.path("app.log.1"))
    world.append("app.log", lines(4))
    world.append("app.log.1", lines(3))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3, 4))
    world.append("app.log.1", lines(5))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3, 4, 5))
    expect(follower.notices).toEqual([])
    await follower.end()
  })

  test("FO3 what is rotated behind a symbolic link is read, the generations that nobody saw among it", async () => {
    world.append("pods/0.log", lines(1))
    symlinkSync(join(world.directory, "pods/0.log"), world.path("app.log"))
    let follower = await start()
    await follower.drain()
    const committed = follower.commit()
    world.append("pods/0.log", lines(2))
    renameSync(world.path("pods/0.log"), world.path("pods/0.log.20261127-101010"))
    world.append("pods/0.log", lines(3))
    expect(await follower.drain()).toEqual(numbered(2, 3))
    await follower.end()
    for (const [at, generation] of ["20261127-101112", "20261127-111213"].entries()) {
      world.append("pods/0.log", lines(4 + at))
      renameSync(world.path("pods/0.log"), world.path(`pods/0.log.${generation}`))
    }
    world.append("pods/0.log", lines(6))
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(2, 3, 4, 5, 6))
    // The link leads to another file now, as after a restart of what writes it.
    world.append("pods/1.log", lines(7))
    rmSync(world.path("app.log"))
    symlinkSync("pods/1.log", world.path("app.log"))
    expect(await follower.drain()).toEqual(numbered(2, 3, 4, 5, 6, 7))
    expect(gaps(follower)).toEqual([])
    await follower.end()
  })

  test("FO3 generations that came and went while no process ran are read, oldest first", async () => {
    let follower = await start()
    world.append("app.log.1", lines(0))
    world.append("app.log", lines(1))
    await follower.drain()
    const committed = follower.snapshot()
    await follower.end()
    world.append("app.log", lines(2))
    renameSync(world.path("app.log.1"), world.path("app.log.2"))
    renameSync(world.path("app.log"), world.path("app.log.1"))
    world.append("app.log", lines(3))
    renameSync(world.path("app.log.2"), world.path("app.log.3"))
    renameSync(world.path("app.log.1"), world.path("app.log.2"))
    renameSync(world.path("app.log"), world.path("app.log.1"))
    world.append("app.log", lines(4))
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(2, 3, 4))
    expect(follower.notices).toEqual([])
    await follower.end()
  })

  test("FO3 a file without its name is no new file where another one has not come yet", async () => {
    let follower = await start()
    world.append("app.log", lines(1))
    await follower.drain()
    renameSync(world.path("app.log"), world.path("app.log.1"))
    await follower.drain()
    const committed = follower.commit()
    await follower.end()
    renameSync(world.path("app.log.1"), world.path("app.log.2"))
    world.append("app.log.1", lines(2))
    world.append("app.log", lines(3))
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(2, 3))
    await follower.end()
  })

  test("FO4 an open file is read to its end though it was removed", async () => {
    const follower = await start()
    world.append("app.log", lines(1))
    await follower.drain()
    world.append("app.log", lines(2))
    rmSync(world.path("app.log"))
    world.append("app.log", lines(3))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3))
    expect(gaps(follower)).toEqual([])
    await follower.end()
  })

  test("FO5 a file that is cut after it was read goes on with what is written then, and it is told", async () => {
    let follower = await start()
    world.append("app.log", lines(10, 20, 30))
    await follower.drain()
    truncateSync(world.path("app.log"))
    world.append("app.log", lines(4))
    expect(await follower.drain()).toEqual(numbered(10, 20, 30, 4))
    expect(gaps(follower)).toEqual([
      'The file "app.log" of the input lines was cut when it had been read up to byte 27. No copy of what it was lies beside it.',
    ])
    const committed = follower.commit()
    await follower.end()
    world.append("app.log", lines(5))
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(5))
    await follower.end()
  })

  test("FO5 a file that is written anew, and is no shorter, is another file", async () => {
    const follower = await start()
    world.append("app.log", lines(1, 2))
    await follower.drain()
    writeFileSync(world.path("app.log"), lines(7, 8, 9))
    expect(await follower.drain()).toEqual(numbered(1, 2, 7, 8, 9))
    expect(gaps(follower)).toHaveLength(1)
    await follower.end()
  })

  test.each([0, 3, 20, 36])(
    "FO6 a copy that is being made of what came behind a cut, %i bytes of it so far, is none of a file of its own",
    async (bytes) => {
      const path = world.path("app.log")
      let follower = await start()
      world.append("app.log", lines(11, 12))
      await follower.drain()
      const committed = follower.commit()
      await follower.end()
      // While nobody looks: more comes, a copy is made and the file cut; again more comes, and the next copy has begun.
      world.append("app.log", lines(13))
      copyFileSync(path, `${path}.2`)
      truncateSync(path)
      const next = lines(21, 22, 23, 24)
      world.append("app.log", next)
      writeFileSync(`${path}.1`, next.slice(0, bytes))
      follower = await start(log, committed)
      await follower.drain()
      writeFileSync(`${path}.1`, next)
      await follower.drain()
      truncateSync(path)
      world.append("app.log", lines(31))
      expect(await follower.drain()).toEqual(numbered(13, 21, 22, 23, 24, 31))
      await follower.end()
    },
  )

  test("FO6 what a copy has is read before the file that was cut, running or not", async () => {
    let follower = await start()
    world.append("app.log", lines(1, 2))
    await follower.drain()
    const cut = () => {
      copyFileSync(world.path("app.log"), world.path("app.log.1"))
      truncateSync(world.path("app.log"))
    }
    world.append("app.log", lines(3, 4))
    cut()
    world.append("app.log", lines(5))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3, 4, 5))
    expect(gaps(follower)[0]).toContain("What a copy of it has (app.log.1) is read.")
    const committed = follower.commit()
    await follower.end()
    world.append("app.log", lines(6))
    renameSync(world.path("app.log.1"), world.path("app.log.2"))
    cut()
    world.append("app.log", lines(7))
    follower = await start(log, committed)
    expect(await follower.drain()).toEqual(numbered(6, 7))
    await follower.end()
  })

  test("FO7 a file that is put in the place of another is read from its start, that one to its end", async () => {
    const follower = await start()
    world.append("app.log", lines(1))
    await follower.drain()
    world.append("app.log", lines(2))
    world.append("next", lines(3))
    renameSync(world.path("next"), world.path("app.log"))
    expect(await follower.drain()).toEqual(numbered(1, 2, 3))
    expect(gaps(follower)).toEqual([])
    await follower.end()
  })

  test("FO12 a file that is gone before it was read is told as a gap, one that was read as a warning", async () => {
    let follower = await start()
    world.append("app.log", `${lines(1)}{"n`)
    await follower.drain()
    const half = follower.commit()
    world.append("app.log", `":2}\n`)
    await follower.drain()
    const whole = follower.commit()
    await follower.end()
    rmSync(world.path("app.log"))
    for (const [committed, isGap] of [
      [half, true],
      [whole, false],
    ] as const) {
      follower = await start(log, committed)
      for (let look = 0; look < 4; look++, world.pass(5)) await follower.drain()
      expect(follower.notices).toMatchObject([{ isGap }])
      await follower.end()
    }
  })
})

describe("directories", () => {
  const files = jsonl("in/*", { follow: true })

  test("FO8 new files are read by name, or by time, each once", async () => {
    let follower = await start(files)
    world.append("in/b", lines(2))
    world.append("in/a", lines(1))
    await follower.drain()
    const committed = follower.commit()
    await follower.end()
    world.append("in/0", lines(3))
    world.append("in/b", lines(4))
    follower = await start(files, committed)
    expect(await follower.drain()).toEqual(numbered(4, 3))
    await follower.end()
    follower = await start(jsonl("in/*", { follow: { order: "modified" } }))
    expect(await follower.drain()).toEqual(numbered(1, 3, 2, 4))
    await follower.end()
  })

  test("FO8 a file that is renamed or moved within the pattern is the same file", async () => {
    const deep = jsonl("in/**", { follow: true })
    let follower = await start(deep)
    world.append("in/a", lines(1))
    await follower.drain()
    const committed = follower.commit()
    await follower.end()
    mkdirSync(world.path("in/sub"))
    renameSync(world.path("in/a"), world.path("in/sub/z"))
    world.append("in/sub/z", lines(2))
    follower = await start(deep, committed)
    expect(await follower.drain()).toEqual(numbered(2))
    await follower.end()
  })

  test("FO9 names of files that are not ready are left out where a wildcard matches them", async () => {
    const follower = await start(files)
    for (const name of [".hidden", "_SUCCESS", "a.tmp", "b.part", "c~"]) world.append(`in/${name}`, lines(9))
    world.append("in/d", lines(1))
    expect(await follower.drain()).toEqual(numbered(1))
    renameSync(world.path("in/a.tmp"), world.path("in/a"))
    expect(await follower.drain()).toEqual(numbered(1, 9))
    expect(["x.tmpl", "part", "a_b"].filter(isUnready)).toEqual([])
    await follower.end()
  })

  test("FO9 compressed files are passed over, and told of", async () => {
    const follower = await start(files)
    world.append("in/a.gz", "packed")
    await follower.drain()
    expect(follower.notices).toMatchObject([{ isGap: false, message: expect.stringContaining("compressed") as string }])
    await follower.end()
  })

  test("FO10 what is remembered is bounded by the files that are there", async () => {
    const follower = await start(files)
    for (let round = 0; round < 20; round++) {
      for (let file = 0; file < 10; file++) world.append(`in/${round}-${file}`, lines(round))
      await follower.drain()
      for (let file = 0; file < 10; file++) rmSync(world.path(`in/${round}-${file}`))
      for (let look = 0; look < 4; look++, world.pass(5)) await follower.drain()
    }
    expect(follower.rows).toHaveLength(200)
    const { changes } = follower.snapshot()
    expect(changes[0]!.length).toBe(0)
    expect(follower.notices).toEqual([])
    await follower.end()
  })

  test("FO11 more files than may be open are read", async () => {
    const follower = await start(files)
    const names = Array.from({ length: 150 }, (_, at) => `in/${String(at).padStart(3, "0")}`)
    for (const [at, name] of names.entries()) world.append(name, lines(at))
    expect(await follower.drain()).toEqual(numbered(...names.keys()))
    for (const [at, name] of names.entries()) world.append(name, lines(at + 1000))
    expect(await follower.drain(1)).toHaveLength(300)
    await follower.end()
  })

  test("FO11 more files than may be open go on growing over restarts, each line once", async () => {
    const names = Array.from({ length: 100 }, (_, at) => `in/${at}`)
    let committed = NOTHING
    for (let life = 0; life < 4; life++) {
      for (const [at, name] of names.entries()) world.append(name, lines(at, at))
      const follower = await start(files, committed)
      await follower.drain()
      for (const [at, name] of names.entries()) world.append(name, lines(at))
      await follower.drain()
      expect(follower.notices).toEqual([])
      committed = follower.commit()
      await follower.end()
    }
    expect(committed.rows).toHaveLength(4 * 3 * names.length)
  })
})

test("what names of earlier generations are", () => {
  expect(basesOf("app.log.1")).toContain("app.log")
  expect(basesOf("app.log-20261127")).toContain("app.log")
  expect(basesOf("app-2026-11-27.log")).toContain("app.log")
  expect(basesOf("app.1.log")).toContain("app.log")
  for (const name of ["app.log.bak", "app.log.gz", "app.logs.1", "app.log"])
    expect(basesOf(name)).not.toContain("app.log")
})

test("FF2 state that is no state is refused", async () => {
  const { ByteReader } = await import("../../../base/bytes.ts")
  for (const bytes of [[2], [1, 0], [1, 0, 9]]) {
    const files = new FollowedFiles()
    expect(() => files.applyChanges(new ByteReader(Uint8Array.from(bytes)))).toThrow(
      expect.objectContaining({ code: "state-corrupt" }) as Error,
    )
  }
})
