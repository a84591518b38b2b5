/** The rows of the Nexmark benchmark: people, their auctions, and bids. */
import { schema } from "../../batch/schema.ts"
import { t } from "../../batch/types.ts"

const personColumns = {
  id: t.int53,
  name: t.string,
  emailAddress: t.string,
  creditCard: t.string,
  city: t.string,
  state: t.string,
  dateTime: t.timestamp(),
  extra: t.string,
}

const auctionColumns = {
  id: t.int53,
  itemName: t.string,
  description: t.string,
  initialBid: t.int53,
  reserve: t.int53,
  dateTime: t.timestamp(),
  expires: t.timestamp(),
  seller: t.int53,
  category: t.int53,
  extra: t.string,
}

const bidColumns = {
  auction: t.int53,
  bidder: t.int53,
  price: t.int53,
  channel: t.string,
  url: t.string,
  dateTime: t.timestamp(),
  extra: t.string,
}

/**
 * A person of Nexmark. An input may declare fewer of these columns: what it leaves out is not made.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { Person } from "tidemark/nexmark"
 *
 * const people = job({ name: "people", inputs: { persons: Person }, flow: ({ persons }) => ({ persons }) })
 * ```
 */
export const Person = schema(personColumns)

/**
 * An auction of Nexmark: `seller` is a person's id.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { Auction } from "tidemark/nexmark"
 *
 * const dear = job({
 *   name: "dear",
 *   inputs: { auctions: Auction },
 *   flow: ({ auctions }) => ({ dear: auctions.filter((r) => r.reserve > 1_000_000) }),
 * })
 * ```
 */
export const Auction = schema(auctionColumns)

/**
 * A bid of Nexmark: `auction` is an auction's id, `bidder` a person's, and the price in cents.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { Bid } from "tidemark/nexmark"
 *
 * const some = job({
 *   name: "some-auctions",
 *   inputs: { bids: Bid },
 *   flow: ({ bids }) => ({ some: bids.filter((r) => r.auction % 123 === 0) }),
 * })
 * ```
 */
export const Bid = schema(bidColumns)

/**
 * An event of Nexmark, of any kind: the object of its kind is set, the others are null.
 *
 * @example
 * ```ts
 * import { job } from "tidemark"
 * import { NexmarkEvent } from "tidemark/nexmark"
 *
 * const bids = job({
 *   name: "bids",
 *   inputs: { events: NexmarkEvent },
 *   flow: ({ events }) => ({ bids: events.filter((r) => r.kind === "bid") }),
 * })
 * ```
 */
export const NexmarkEvent = schema({
  kind: t.enum("person", "auction", "bid"),
  dateTime: t.timestamp(),
  person: t.object(personColumns).nullable(),
  auction: t.object(auctionColumns).nullable(),
  bid: t.object(bidColumns).nullable(),
})
