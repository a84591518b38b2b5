/** JSON lines for the files connector. */
import { START } from "../../batch/position.ts"
import { schemaData } from "../../batch/schema-data.ts"
import { JsonLinesDecoder } from "../../formats/json-lines-decoder.ts"
import { JsonLinesEncoder } from "../../formats/json-lines-encoder.ts"
import type { FileFormat } from "./file-format.ts"

/** JSON lines with their options. */
export function jsonLinesFormat({ maxRecordBytes }: { readonly maxRecordBytes: number }): FileFormat {
  return {
    name: "jsonl",
    extension: "jsonl",
    openFile: (_, { arena, schema }) => ({
      decoder: new JsonLinesDecoder({ arena, schema, maxRecordBytes }),
      spec: { format: "jsonl", schema: schemaData(schema), maxRecordBytes },
      start: START,
    }),
    createEncoder: (context) => new JsonLinesEncoder(context),
  }
}
