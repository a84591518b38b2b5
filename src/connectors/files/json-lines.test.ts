import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { FileBinding } from "./file-binding.ts"
import { fileSourceDriver, MAX_RECORD_BYTES } from "./file-world.conformance.ts"
import { jsonLinesFormat } from "./json-lines-format.ts"

const FORMAT = jsonLinesFormat({ maxRecordBytes: MAX_RECORD_BYTES })
const ROLLING = { rollBytes: 1_000, rollAfterMicros: 900_000_000 }

describeSourceConformance(
  "jsonl",
  fileSourceDriver((pattern) => new FileBinding(pattern, FORMAT, ROLLING), {
    extension: "jsonl",
    header: "",
    record: (id, text) => `${JSON.stringify({ text, ignored: [1, { a: null }], id })}\n`,
    bad: ['{"id":"x","text":"y"}\n', "[1,2]\n", '{"id":1,"text":"never closed\n', '{"text":"no id"}\n', "nonsense\n"],
  }),
)
