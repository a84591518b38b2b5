/**
 * `nexmark`: the events of the Nexmark benchmark as inputs. This is what the door `tidemark/nexmark` publishes.
 */
import { TidemarkError } from "../../base/errors.ts"
import { checkOptions } from "../../base/known-options.ts"
import { shownValue } from "../../base/shown-value.ts"
import type { RowOf } from "../../batch/schema.ts"
import type { TypedSource } from "../../connect/source.ts"
import { parseIso } from "../../time/iso.ts"
import type { NexmarkSettings } from "./model.ts"
import { NexmarkBinding } from "./nexmark-binding.ts"
import type { Auction, Bid, NexmarkEvent, Person } from "./schemas.ts"

/**
 * Options of `nexmark`. What is not given is as in the published generator.
 *
 * @example
 * ```ts
 * import { nexmark, type NexmarkOptions } from "tidemark/nexmark"
 *
 * const skewed: NexmarkOptions = { events: 1_000_000, hotAuctionRatio: 10 }
 * const { bids } = nexmark(skewed)
 * ```
 */
export interface NexmarkOptions {
  /** How many events there are, of all kinds together. Without it they do not end. */
  readonly events?: number
  /** Whole number on which the events depend. 0 unless given. */
  readonly seed?: number
  /** How many events happen each second of event time. 10,000 unless given. */
  readonly eventsPerSecond?: number
  /** Whether events come when they happen, counted from the start of the run, and not as fast as they are taken. */
  readonly paced?: boolean
  /** When event 0 happens, as ISO 8601 text. `"2015-07-15T00:00:00Z"` unless given. */
  readonly baseTime?: string
  /** The number of the first event. 0 unless given. */
  readonly firstEventNumber?: number
  /** Event times are disordered within groups of so many events. 1 unless given: they are in order. */
  readonly outOfOrderGroupSize?: number
  /** All but one in so many bids are for the hot auction. 2 unless given. */
  readonly hotAuctionRatio?: number
  /** All but one in so many auctions are the hot seller's. 4 unless given. */
  readonly hotSellersRatio?: number
  /** All but one in so many bids are the hot bidder's. 4 unless given. */
  readonly hotBiddersRatio?: number
  /** Who is not hot is one of the last so many people. 1,000 unless given. */
  readonly activePeople?: number
  /** Bids that are not for the hot auction are for one of the last so many. 100 unless given. */
  readonly inFlightAuctions?: number
}

/**
 * The events of Nexmark, as inputs.
 *
 * @example
 * ```ts
 * import type { NexmarkInputs } from "tidemark/nexmark"
 *
 * const shown = ({ persons, auctions, bids }: NexmarkInputs): string[] =>
 *   [persons, auctions, bids].map((source) => source.describe())
 * ```
 */
export interface NexmarkInputs {
  /** One event in fifty. */
  readonly persons: TypedSource<RowOf<typeof Person>>
  /** Three events in fifty. */
  readonly auctions: TypedSource<RowOf<typeof Auction>>
  /** 46 events in fifty. */
  readonly bids: TypedSource<RowOf<typeof Bid>>
  /** All events in one stream, each with its kind. */
  readonly events: TypedSource<RowOf<typeof NexmarkEvent>>
}

/** Whole numbers: the smallest and largest, and the default. */
const NUMBERS = {
  seed: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0],
  firstEventNumber: [0, 2 ** 40, 0],
  outOfOrderGroupSize: [1, 1_000_000, 1],
  hotAuctionRatio: [1, 1_000_000, 2],
  hotSellersRatio: [1, 1_000_000, 4],
  hotBiddersRatio: [1, 1_000_000, 4],
  activePeople: [1, 1_000_000_000, 1000],
  inFlightAuctions: [1, 1_000_000_000, 100],
} as const

const EVENTS_MAX = 2 ** 36

const RATE_MAX = 1_000_000_000

const DEFAULT_BASE_TIME = "2015-07-15T00:00:00Z"

/**
 * The events of the Nexmark benchmark, an auction site of people, auctions and bids, by the rules of its published generator
 * (Apache Beam's and Flink's). Each event is a function of its number and the options: the same in every run and after every
 * restart. Columns that an input does not declare are not made.
 *
 * Guarantee: replayable, so results are exactly-once with sinks that are.
 *
 * @throws TidemarkError `invalid-options` where an option has no meaning.
 *
 * @example
 * ```ts
 * import { count, job, max, tumbling } from "tidemark"
 * import { jsonl } from "tidemark/files"
 * import { Bid, nexmark } from "tidemark/nexmark"
 *
 * const highest = job({
 *   name: "highest-bid",
 *   inputs: { bids: Bid },
 *   flow: ({ bids }) => ({
 *     highest: bids
 *       .eventTime("dateTime", { outOfOrder: "0s" })
 *       .keyBy()
 *       .window(tumbling("10s"))
 *       .aggregate({ price: max("price"), bids: count() }, { id: "highest" }),
 *   }),
 * })
 * const { bids } = nexmark({ events: 10_000_000 })
 * export default highest.with({ inputs: { bids }, outputs: { highest: jsonl("out/highest") } })
 * ```
 */
export function nexmark(options: NexmarkOptions = {}): NexmarkInputs {
  const known = [...Object.keys(NUMBERS), "events", "eventsPerSecond", "paced", "baseTime"]
  const given = checkOptions("nexmark(...)", options, known)
  const { events, eventsPerSecond = 10_000, paced = false, baseTime = DEFAULT_BASE_TIME } = given
  if (typeof paced !== "boolean") throw wrong("paced", paced, "true or false")
  if (!(typeof eventsPerSecond === "number" && eventsPerSecond > 0 && eventsPerSecond <= RATE_MAX)) {
    throw wrong("eventsPerSecond", eventsPerSecond, `a number above 0, at most ${RATE_MAX}`)
  }
  const baseTimeMicros = typeof baseTime === "string" ? parseIso(baseTime, undefined) : "no text"
  if (typeof baseTimeMicros === "string") throw wrong("baseTime", baseTime, `a time such as "${DEFAULT_BASE_TIME}"`)
  const whole = (name: string, [min, max, standard]: readonly [number, number, number]): number => {
    const value = given[name] === undefined ? standard : given[name]
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
    throw wrong(name, value, `a whole number, ${min} to ${max}`)
  }
  const settings: NexmarkSettings = {
    events: events === undefined ? Infinity : whole("events", [0, EVENTS_MAX, 0]),
    seed: whole("seed", NUMBERS.seed),
    eventsPerSecond,
    paced,
    baseTimeMicros,
    firstEventNumber: whole("firstEventNumber", NUMBERS.firstEventNumber),
    outOfOrderGroupSize: whole("outOfOrderGroupSize", NUMBERS.outOfOrderGroupSize),
    hotAuctionRatio: whole("hotAuctionRatio", NUMBERS.hotAuctionRatio),
    hotSellersRatio: whole("hotSellersRatio", NUMBERS.hotSellersRatio),
    hotBiddersRatio: whole("hotBiddersRatio", NUMBERS.hotBiddersRatio),
    activePeople: whole("activePeople", NUMBERS.activePeople),
    inFlightAuctions: whole("inFlightAuctions", NUMBERS.inFlightAuctions),
  }
  const shown = Object.keys(given).map((name) => `${name}: ${shownValue(given[name])}`)
  const described = shown.length === 0 ? "nexmark()" : `nexmark({ ${shown.join(", ")} })`
  return {
    persons: new NexmarkBinding("person", settings, described),
    auctions: new NexmarkBinding("auction", settings, described),
    bids: new NexmarkBinding("bid", settings, described),
    events: new NexmarkBinding("event", settings, described),
  }
}

function wrong(name: string, value: unknown, wanted: string): TidemarkError {
  return new TidemarkError("invalid-options", `nexmark(...): ${name} is ${shownValue(value)}.`, {
    hint: `Give ${wanted}.`,
  })
}
