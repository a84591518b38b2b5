/** Files of JSON lines pass the conformance suites of sources and sinks, with a death at every call. */
import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { SimWorld } from "../../sim/sim-env.ts"
import { jsonl } from "./file-connector.ts"
import { fileSinkDriver, fileSourceDriver, MAX_RECORD_BYTES, parseJsonLines } from "./file-world.conformance.ts"

const createWorld = (seed: number): SimWorld => new SimWorld({ seed })

describeSourceConformance(
  "jsonl",
  fileSourceDriver(createWorld, (pattern) => jsonl(pattern, { maxRecordBytes: MAX_RECORD_BYTES }), {
    extension: "jsonl",
    header: "",
    record: (id, text) => `${JSON.stringify({ text, ignored: [1, { a: null }], id })}\n`,
    bad: ['{"id":"x","text":"y"}\n', "[1,2]\n", '{"id":1,"text":"never closed\n', '{"text":"no id"}\n', "nonsense\n"],
  }),
)

describeSinkConformance(
  "jsonl",
  fileSinkDriver(createWorld, jsonl("out/results", { rollBytes: 1_000 }), {
    extension: "jsonl",
    parse: parseJsonLines,
  }),
)
