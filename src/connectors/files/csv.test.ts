/** CSV files pass the conformance suites of sources and sinks. */
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import type { ConformanceRow } from "../../connect/sink-trial.conformance.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { csv } from "./file-connector.ts"
import { fileSinkDriver, fileSourceDriver, MAX_RECORD_BYTES } from "./file-world.conformance.ts"

const createWorld = (seed: number): SimWorld => new SimWorld({ seed })

describeSourceConformance(
  "csv",
  fileSourceDriver(createWorld, (pattern) => csv(pattern, { maxRecordBytes: MAX_RECORD_BYTES }), {
    extension: "csv",
    header: "text,ignored,id\n",
    record: (id, text) => `"${text.replaceAll('"', '""')}",x,${id}\n`,
    bad: ["text,x,notANumber\n", "a,b\n", 'a"b,x,1\n', '"two\nlines",x,\n', '"a"b,x,1\n'],
  }),
)

// The protocol is that of every file sink, which the JSON lines try at every call: here every few calls are enough.
describeSinkConformance(
  "csv",
  fileSinkDriver(createWorld, csv("out/results", { rollBytes: 1_000 }), { extension: "csv", parse: parseCsv }),
  7,
)

function parseCsv(bytes: Buffer): ConformanceRow[] {
  const text = bytes.toString("utf8")
  const header = "id,text\n"
  if (!text.startsWith(header)) throw new Error("The part does not begin with the header.")
  const records = /(\d+),(?:"((?:[^"]|"")*)"|([^",\n]*))\n/gy
  records.lastIndex = header.length
  const rows: ConformanceRow[] = []
  while (records.lastIndex < text.length) {
    const at = records.lastIndex
    const match = records.exec(text)
    if (match === null) throw new Error(`The part holds what is not a whole row, at ${at}.`)
    rows.push({ id: Number(match[1]), text: match[2]?.replaceAll('""', '"') ?? match[3]! })
  }
  return rows
}
