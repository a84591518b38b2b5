import { beforeEach, describe, expect, test } from "vitest"
import { DiskImage } from "./disk-image.ts"
import { PublishedOutput } from "./published-output.ts"
import type { FileFormatName } from "./scenario.ts"

let image: DiskImage
beforeEach(() => {
  image = new DiskImage("ordered")
})

function outputOf(truth: string[], format: FileFormatName = "jsonl"): PublishedOutput {
  const textOf = (row: Readonly<Record<string, unknown>>): string => `${String(row.id)}|${String(row.name)}`
  return new PublishedOutput(image, { directory: "/out", format, textOf, truth })
}

function publish(name: string, content: string): void {
  image.install(`/out/${name}`, new TextEncoder().encode(content))
}

const quiet = { machineCrashed: false }

describe("output that is right", () => {
  test("is found to be so, in JSON lines and in CSV with quotes", () => {
    const jsonLines = outputOf(["1|a", "2|b"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n')
    publish(".part-00001.0.jsonl.inprogress", '{"id":3')
    expect([...jsonLines.look(quiet), ...jsonLines.missing()]).toEqual([])
    image = new DiskImage("ordered")
    const commas = outputOf(['1|a,"b"', "2|"], "csv")
    publish("part-00000.csv", 'id,name\n1,"a,""b"""\n2,\n')
    expect([...commas.look(quiet), ...commas.missing()]).toEqual([])
    expect(commas.content()).toBe('1,"a,""b"""\n2,\n')
  })

  test("V2 may vanish by a crash of the machine, and come back as it was", () => {
    const output = outputOf(["1|a"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    output.look(quiet)
    image.remove("/out/part-00000.jsonl")
    expect(output.look({ machineCrashed: true })).toEqual([])
    expect(output.missing()).toEqual(["/out/part-00000.jsonl has vanished"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    expect([...output.look(quiet), ...output.missing()]).toEqual([])
  })
})

describe("output that is wrong", () => {
  test("V1 a half line is found", () => {
    const output = outputOf(["1|a"])
    publish("part-00000.jsonl", '{"id":1,"na')
    expect(output.look(quiet).join()).toContain("does not end with a whole line")
    publish("part-00001.jsonl", '{"id":1,"na\n')
    expect(output.look(quiet).join()).toContain("line that is not whole")
  })

  test("V2 a file that changes or vanishes is found", () => {
    const output = outputOf(["1|a", "2|b"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    expect(output.look(quiet)).toEqual([])
    publish("part-00000.jsonl", '{"id":2,"name":"b"}\n')
    expect(output.look(quiet)).toEqual(["/out/part-00000.jsonl has changed"])
    image.remove("/out/part-00000.jsonl")
    expect(output.look(quiet)).toEqual(["/out/part-00000.jsonl has vanished"])
  })

  test("V3 a row that is repeated or that nobody expects is found at once", () => {
    const output = outputOf(["1|a", "2|b"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    publish("part-00001.jsonl", '{"id":1,"name":"a"}\n{"id":3,"name":"c"}\n')
    const findings = output.look(quiet).join("\n")
    expect(findings).toContain("part-00001.jsonl repeats 1|a")
    expect(findings).toContain("part-00001.jsonl holds a row that nobody expects: 3|c")
  })

  test("V4 a row that is missing in the end is found", () => {
    const output = outputOf(["1|a", "1|a"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    expect(output.look(quiet)).toEqual([])
    expect(output.missing()).toEqual(["/out lacks 1|a (1 times)"])
  })

  test("a file that a reset has not set aside is found", () => {
    const output = outputOf(["1|a", "2|b"])
    publish("part-00000.jsonl", '{"id":1,"name":"a"}\n')
    publish("part-00001.jsonl", '{"id":2,"name":"b"}\n')
    output.look(quiet)
    image.makeDirectory("/out.superseded-1")
    image.rename("/out/part-00000.jsonl", "/out.superseded-1/part-00000.jsonl")
    expect(output.notSetAside()).toEqual(["/out/part-00001.jsonl was not set aside"])
  })
})
