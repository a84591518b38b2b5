/**
 * The door `tidemark/files`: files as inputs and outputs.
 */
export { arrow, csv, jsonl, parquet } from "./connectors/files/file-connector.ts"
export type { Compression } from "./connectors/files/decompressor.ts"
export type {
  ChangelogConnector,
  CsvOptions,
  FileConnector,
  FileOptions,
  FollowOptions,
  JsonLinesOptions,
  ArrowOptions,
  ParquetOptions,
} from "./connectors/files/file-connector.ts"
export type { PartitionLevel, PartitionPeriod } from "./connectors/files/partition-path.ts"
