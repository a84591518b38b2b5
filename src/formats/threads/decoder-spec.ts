/** What a decoder is made from, as plain data: for threads, and to know decoders that read alike. */
import type { Arena } from "../../batch/arena.ts"
import { schemaOfData, type SchemaData } from "../../batch/schema-data.ts"
import { CsvDecoder } from "../csv-decoder.ts"
import type { CsvLayout } from "../csv-layout.ts"
import type { RecordDecoder } from "../decoder.ts"
import { JsonLinesDecoder } from "../json-lines-decoder.ts"

/** See the head of this file. */
export type DecoderSpec = { readonly schema: SchemaData; readonly maxRecordBytes: number } & (
  { readonly format: "csv"; readonly layout: Omit<CsvLayout, "start"> } | { readonly format: "jsonl" }
)

/** The decoder that a spec describes, which makes its batches in an arena. */
export function decoderOf(spec: DecoderSpec, arena: Arena): RecordDecoder {
  const { maxRecordBytes } = spec
  const schema = schemaOfData(spec.schema)
  return spec.format === "csv"
    ? new CsvDecoder({ arena, schema, layout: spec.layout, maxRecordBytes })
    : new JsonLinesDecoder({ arena, schema, maxRecordBytes })
}
