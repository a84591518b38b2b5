/** CSV for the files connector. */
import { schemaData } from "../../batch/schema-data.ts"
import { CsvEncoder } from "../../formats/csv-encoder.ts"
import { csvLayout, csvSyntax, type CsvOptions } from "../../formats/csv-layout.ts"
import type { FileFormat, LineOptions } from "./file-format.ts"
import { columnsText } from "./row-shape.ts"

/**
 * CSV with its options.
 *
 * @throws TidemarkError `invalid-options` where the delimiter or the quote cannot be one.
 */
export function csvFormat(options: CsvOptions & LineOptions): FileFormat {
  // Called for its checks: an option without a meaning is an error where it is written, not where the job starts.
  csvSyntax(options)
  const { maxRecordBytes, delimiter = ",", quote = '"', header = true } = options
  return {
    name: "csv",
    extension: "csv",
    compression: options.compression,
    openFile(head, schema) {
      const { start, ...layout } = csvLayout(schema, head, options)
      return { spec: { format: "csv", schema: schemaData(schema), layout, maxRecordBytes }, start }
    },
    createEncoder: (context) => new CsvEncoder(context, options),
    describeShape(schema) {
      const signs = `delimiter ${JSON.stringify(delimiter)}, quote ${JSON.stringify(quote)}`
      return `${signs}, ${header ? "with" : "without"} header: ${columnsText(schema, ({ label }) => label)}`
    },
  }
}
