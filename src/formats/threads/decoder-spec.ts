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

/** A text for a spec: the same for those that describe the same decoder, and no others. */
export function specKey(spec: DecoderSpec): string {
  return JSON.stringify(spec, (_, value: unknown) => {
    // Defaults may be what JSON has not.
    if (typeof value === "bigint") return { bigint: String(value) }
    if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value
    return { number: Object.is(value, -0) ? "-0" : String(value) }
  })
}

/**
 * The decoder that a spec describes, which makes its batches in an arena.
 *
 * @param schema the spec's, where it is at hand.
 */
export function decoderOf(spec: DecoderSpec, arena: Arena, schema = schemaOfData(spec.schema)): RecordDecoder {
  const { maxRecordBytes } = spec
  return spec.format === "csv"
    ? new CsvDecoder({ arena, schema, layout: spec.layout, maxRecordBytes })
    : new JsonLinesDecoder({ arena, schema, maxRecordBytes })
}
