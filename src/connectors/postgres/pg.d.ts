/** What is used of `pg`, an optional peer dependency: no more of it is known here, and none of its types is published. */
declare module "pg" {
  /** The protocol below queries: what sends bytes of a COPY. */
  export interface Connection {
    readonly stream: import("node:net").Socket
    query(text: string): void
    endCopyFrom(): void
    sendCopyFail(reason: string): void
  }

  /** A query that talks to the protocol itself. */
  export interface Submittable {
    submit(connection: Connection): void
    handleCopyInResponse(connection: Connection): void
    handleCommandComplete(message: { readonly text: string }): void
    handleError(error: Error): void
    handleReadyForQuery(): void
    callback?: (error: Error | null) => void
  }

  export interface QueryResult {
    readonly rows: readonly Readonly<Record<string, unknown>>[]
  }

  export interface ClientConfig {
    readonly connectionString: string
    readonly application_name: string
    readonly connectionTimeoutMillis: number
    readonly keepAlive: boolean
    readonly keepAliveInitialDelayMillis?: number
  }

  export class Client {
    readonly connection: Connection
    constructor(config: ClientConfig)
    connect(): Promise<void>
    query(text: string): Promise<QueryResult | QueryResult[]>
    query<S extends Submittable>(query: S): S
    on(event: "error", listener: (error: Error) => void): this
    end(): Promise<void>
  }

  const pg: { readonly Client: typeof Client }
  export default pg
}
