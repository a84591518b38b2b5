import { crc32c } from "../../base/crc32c.ts"
import { describe, expect, test } from "vitest"
import { SimWorld } from "../../sim/sim-env.ts"
import {
  describeSinkConformance,
  CONFORMANCE_SCHEMA,
  type ConformanceRow,
  type SinkConformanceDriver,
} from "../../connect/sink.conformance.ts"
import { FileBinding } from "./file-binding.ts"
import type { FileFormat } from "./file-format.ts"

const testFormat: FileFormat = {
  name: "jsonl",
  extension: "jsonl",
  openFile() {
    throw new Error("x")
  },
  createEncoder: () => ({
    header: new Uint8Array(0),
    encode(batch, out) {
      const b = new TextEncoder().encode(
        batch
          .toRows()
          .map((r) => JSON.stringify(r) + "\n")
          .join(""),
      )
      out.reserve(b.length)
      out.bytes.set(b, out.length)
      out.length += b.length
    },
  }),
}
const decode = (b: Uint8Array) => Buffer.from(b.buffer, b.byteOffset, b.length).toString("utf8")
const cache = new Map<string, ConformanceRow[]>()
function parse(bytes: Uint8Array): ConformanceRow[] {
  const key = `${bytes.length} ${crc32c(bytes)}`
  let rows = cache.get(key)
  if (rows) return rows
  const text = decode(bytes)
  if (!text.endsWith("\n")) throw new Error("half a line")
  rows = text
    .slice(0, -1)
    .split("\n")
    .map((l) => JSON.parse(l))
  cache.set(key, rows)
  return rows
}
function rows(world: SimWorld, dir: string): ConformanceRow[] {
  return world.image
    .list(dir)
    .filter((n) => /^part-\d+\.jsonl$/.test(n))
    .flatMap((n) => parse(world.image.readFile(`${dir}/${n}`)!))
}
export const driver: SinkConformanceDriver<SimWorld> = {
  createWorld(seed) {
    const w = new SimWorld({ seed })
    w.image.installDirectory("/work")
    return w
  },
  baseDirectory: "/work",
  binding: new FileBinding("out/results", testFormat, { rollBytes: 1000, rollAfterMicros: 900e6 }),
  published: (w) => rows(w, "/work/out/results"),
  takeAway(w) {
    const d = w.image.find("/work/out/results")
    if (d?.kind === "directory")
      for (const n of [...d.entries.keys()])
        if (n.startsWith("part-")) {
          d.entries.delete(n)
          d.durable.delete(n)
        }
  },
  setAside: (w) =>
    w.image
      .list("/work/out")
      .filter((n) => n.includes("superseded"))
      .flatMap((n) => rows(w, `/work/out/${n}`))
      .sort((a, b) => a.id - b.id),
}
describeSinkConformance("jsonl", driver)
