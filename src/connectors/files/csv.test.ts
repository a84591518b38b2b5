import { describeSourceConformance } from "../../connect/source.conformance.ts"
import { FileBinding } from "./file-binding.ts"
import { csvFormat } from "./csv-format.ts"
import { fileSourceDriver, MAX_RECORD_BYTES } from "./file-world.conformance.ts"

const ROLLING = { rollBytes: 1_000, rollAfterMicros: 900_000_000 }

describeSourceConformance(
  "csv",
  fileSourceDriver((pattern) => new FileBinding(pattern, csvFormat({ maxRecordBytes: MAX_RECORD_BYTES }), ROLLING), {
    extension: "csv",
    header: "text,ignored,id\n",
    record: (id, text) => `"${text.replaceAll('"', '""')}",x,${id}\n`,
    bad: ["text,x,notANumber\n", "a,b\n", 'a"b,x,1\n', '"two\nlines",x,\n', '"a"b,x,1\n'],
  }),
)
