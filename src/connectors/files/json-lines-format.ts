/** JSON lines for the files connector. */
import { START } from "../../batch/position.ts"
import { schemaData } from "../../batch/schema-data.ts"
import { JsonLinesEncoder } from "../../formats/json-lines-encoder.ts"
import type { FileFormat, LineOptions } from "./file-format.ts"

/** JSON lines with their options. */
export function jsonLinesFormat({ maxRecordBytes, compression }: LineOptions): FileFormat {
  return {
    name: "jsonl",
    extension: "jsonl",
    compression,
    openFile: (_, schema) => ({
      spec: { format: "jsonl", schema: schemaData(schema), maxRecordBytes },
      start: START,
    }),
    createEncoder: (context) => new JsonLinesEncoder(context),
  }
}
