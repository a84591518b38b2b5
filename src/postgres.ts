/**
 * The door `tidemark/postgres`: tables of PostgreSQL as outputs.
 */
export { postgres } from "./connectors/postgres/postgres.ts"
export type { PostgresOptions, PostgresTableOptions } from "./connectors/postgres/postgres.ts"
