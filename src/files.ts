/**
 * The door `tidemark/files`: files as inputs and outputs.
 */
export { csv, jsonl } from "./connectors/files/file-connector.ts"
export type { CsvOptions, FileConnector, FileOptions } from "./connectors/files/file-connector.ts"
