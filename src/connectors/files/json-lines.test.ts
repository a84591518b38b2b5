import { describeSinkConformance } from "../../connect/sink.conformance.ts"
import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { jsonl } from "./file-connector.ts"
import { fileSinkDriver, fileSourceDriver, MAX_RECORD_BYTES, parseJsonLines } from "./file-world.conformance.ts"

describeSourceConformance(
  "jsonl",
  fileSourceDriver((pattern) => jsonl(pattern, { maxRecordBytes: MAX_RECORD_BYTES }), {
    extension: "jsonl",
    header: "",
    record: (id, text) => `${JSON.stringify({ text, ignored: [1, { a: null }], id })}\n`,
    bad: ['{"id":"x","text":"y"}\n', "[1,2]\n", '{"id":1,"text":"never closed\n', '{"text":"no id"}\n', "nonsense\n"],
  }),
)

describeSinkConformance(
  "jsonl",
  fileSinkDriver(jsonl("out/results", { rollBytes: 1_000 }), { extension: "jsonl", parse: parseJsonLines }),
)
