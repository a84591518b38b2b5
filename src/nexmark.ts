/**
 * The door `tidemark/nexmark`: the events of the Nexmark benchmark as inputs.
 */
export { nexmark } from "./connectors/nexmark/nexmark.ts"
export type { NexmarkInputs, NexmarkOptions } from "./connectors/nexmark/nexmark.ts"
export { Auction, Bid, NexmarkEvent, Person } from "./connectors/nexmark/schemas.ts"
