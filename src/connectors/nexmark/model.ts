/**
 * What each event of Nexmark says, as functions of its number: kinds, times, ids, prices, texts. How these become columns
 * is `nexmark-columns.ts`.
 *
 * The rules are those of the generator of Apache Beam and of Flink's nexmark (Tucker, Tufte, Papadimos, Maier: "NEXMark – A
 * Benchmark for Queries over Data Streams", 2002, is where the benchmark comes from); docs/guide/connectors.md says where
 * they differ. Of every 50 events, by number, the first is a person, three are auctions and 46 bids.
 *
 * Invariants:
 * - NX1 Each value is a function of the options, the event's number and what the value is for: columns, and rows, can be
 *   made in any order, and what nobody asks for need not be made.
 */
import { assert } from "../../base/assert.ts"

/** The options of `nexmark`, checked, with defaults filled in. */
export interface NexmarkSettings {
  /** How many events there are; `Infinity` where they do not end. */
  readonly events: number
  readonly seed: number
  readonly eventsPerSecond: number
  readonly paced: boolean
  readonly baseTimeMicros: number
  readonly firstEventNumber: number
  readonly outOfOrderGroupSize: number
  readonly hotAuctionRatio: number
  readonly hotSellersRatio: number
  readonly hotBiddersRatio: number
  readonly activePeople: number
  readonly inFlightAuctions: number
}

/** What an event is about. */
export type EventKind = "person" | "auction" | "bid"

/** Events come in rounds of so many. */
export const ROUND = 50
/** Where in a round the events of a kind begin, and how many there are. */
export const PLACES: Readonly<Record<EventKind, { readonly first: number; readonly count: number }>> = {
  person: { first: 0, count: 1 },
  auction: { first: 1, count: 3 },
  bid: { first: 4, count: 46 },
}

const [FIRST_ID, FIRST_CATEGORY, CATEGORIES] = [1000, 10, 5]
/** So many ids that do not exist yet may be named. */
const ID_LEAD = 10
/** The hot one is the first of every so many. */
const HOT_EVERY = 100
/** The order of events within a group of `outOfOrderGroupSize` is that of multiples of this prime. */
const DISORDER = 953
/** Channels that are not hot. */
export const CHANNELS = 10_000

/** What a draw is for. */
export const DRAWS = {
  ...{ seller: 1, sellerHot: 2, category: 3, initialBid: 4, reserve: 5, expires: 6, auction: 7, auctionHot: 8 },
  ...{ bidder: 9, bidderHot: 10, price: 11, channel: 12, channelHot: 13, first: 14, last: 15, city: 16, state: 17 },
}

/** From here on draws are for the letters of texts, which take one for each four. */
export const TEXT_DRAWS = {
  itemName: 100,
  description: 200,
  email: 300,
  card: 400,
  extra: 500,
  url: 600,
  filling: 1000,
} as const

/** The kind of an event. */
export function kindOf(number: number): EventKind {
  const place = number % ROUND
  return place < PLACES.auction.first ? "person" : place < PLACES.bid.first ? "auction" : "bid"
}

/** How many events of a kind have a number below this one. */
export function countBelow(kind: EventKind, number: number): number {
  const { first, count } = PLACES[kind]
  const rest = number % ROUND
  return Math.floor(number / ROUND) * count + Math.min(count, Math.max(0, rest - first))
}

/** The number of the event that is the `place`-th of its kind, from 0. */
export function numberOf(kind: EventKind, place: number): number {
  const { first, count } = PLACES[kind]
  return Math.floor(place / count) * ROUND + first + (place % count)
}

/** See the head of this file. */
export class NexmarkModel {
  readonly settings: NexmarkSettings
  readonly #microsPerEvent: number
  readonly #auctionMillis: number
  readonly #seed: number

  constructor(settings: NexmarkSettings) {
    assert(settings.eventsPerSecond > 0, "events have a rate")
    this.settings = settings
    this.#microsPerEvent = 1_000_000 / settings.eventsPerSecond
    const eventsForAuctions = Math.floor((settings.inFlightAuctions * ROUND) / PLACES.auction.count)
    this.#auctionMillis = Math.floor((eventsForAuctions * this.#microsPerEvent) / 1000)
    this.#seed = mix((settings.seed | 0) ^ mix(Math.floor(settings.seed / 2 ** 32) | 0))
  }

  /** 32 random bits for one purpose of one event. */
  draw(number: number, purpose: number): number {
    const mixed = mix((number | 0) ^ this.#seed) + Math.imul(purpose, 0x9e3779b1) + Math.floor(number / 2 ** 32)
    return mix(mixed | 0) >>> 0
  }

  /** A whole number in [0, bound). */
  below(number: number, purpose: number, bound: number): number {
    return Math.floor((this.draw(number, purpose) / 2 ** 32) * bound)
  }

  /** When an event happens, in µs: in order but within groups of `outOfOrderGroupSize`. */
  timeOf(number: number): number {
    const { outOfOrderGroupSize: size, baseTimeMicros } = this.settings
    const start = number - (number % size)
    const place = size === 1 ? number : start + (((number % size) * DISORDER) % size)
    return baseTimeMicros + Math.floor(place * this.#microsPerEvent)
  }

  /** The last person there is at an event, from 0. */
  #lastPerson(number: number): number {
    return Math.floor(number / ROUND)
  }

  /** The last auction there is at an event, from 0; −1 before the first. */
  #lastAuction(number: number): number {
    const { first, count } = PLACES.auction
    const place = number % ROUND
    return Math.floor(number / ROUND) * count + Math.min(count - 1, place - first)
  }

  personId(number: number): number {
    return FIRST_ID + this.#lastPerson(number)
  }

  auctionId(number: number): number {
    return FIRST_ID + this.#lastAuction(number)
  }

  /** A person who is active, or soon will be. */
  #somePerson(number: number, purpose: number): number {
    const people = this.#lastPerson(number) + 1
    const active = Math.min(people, this.settings.activePeople)
    return people - active + this.below(number, purpose, active + ID_LEAD)
  }

  /** An auction that is open, or soon will be. */
  #someAuction(number: number, purpose: number): number {
    const last = this.#lastAuction(number)
    const first = Math.max(last - this.settings.inFlightAuctions, 0)
    return first + this.below(number, purpose, last - first + 1 + ID_LEAD)
  }

  /** Most auctions are those of a few sellers. */
  seller(number: number): number {
    const isHot = this.below(number, DRAWS.sellerHot, this.settings.hotSellersRatio) > 0
    const hot = this.#lastPerson(number) - (this.#lastPerson(number) % HOT_EVERY)
    return FIRST_ID + (isHot ? hot : this.#somePerson(number, DRAWS.seller))
  }

  category(number: number): number {
    return FIRST_CATEGORY + this.below(number, DRAWS.category, CATEGORIES)
  }

  initialBid(number: number): number {
    return this.#price(number, DRAWS.initialBid)
  }

  reserve(number: number): number {
    return this.initialBid(number) + this.#price(number, DRAWS.reserve)
  }

  /** Auctions last, on average, until `inFlightAuctions` more have begun. */
  expires(number: number): number {
    const millis = 1 + this.below(number, DRAWS.expires, Math.max(this.#auctionMillis * 2, 1))
    return this.timeOf(number) + millis * 1000
  }

  /** Many bids are for the hot auction. */
  bidAuction(number: number): number {
    const isHot = this.below(number, DRAWS.auctionHot, this.settings.hotAuctionRatio) > 0
    const last = this.#lastAuction(number)
    return FIRST_ID + (isHot ? last - (last % HOT_EVERY) : this.#someAuction(number, DRAWS.auction))
  }

  /** Most bids are those of the hot bidder, who is not the hot seller. */
  bidder(number: number): number {
    const isHot = this.below(number, DRAWS.bidderHot, this.settings.hotBiddersRatio) > 0
    const last = this.#lastPerson(number)
    return FIRST_ID + (isHot ? last - (last % HOT_EVERY) + 1 : this.#somePerson(number, DRAWS.bidder))
  }

  price(number: number): number {
    return this.#price(number, DRAWS.price)
  }

  /** Half of the bids come through four channels, the others through ten thousand: these are numbered behind the four. */
  channel(number: number): number {
    const isHot = this.below(number, DRAWS.channelHot, 2) > 0
    return isHot ? this.below(number, DRAWS.channel, 4) : 4 + this.below(number, DRAWS.channel, CHANNELS)
  }

  /** Places in lists of so many names. */
  firstName(number: number, names: number): number {
    return this.below(number, DRAWS.first, names)
  }

  lastName(number: number, names: number): number {
    return this.below(number, DRAWS.last, names)
  }

  city(number: number, cities: number): number {
    return this.below(number, DRAWS.city, cities)
  }

  state(number: number, states: number): number {
    return this.below(number, DRAWS.state, states)
  }

  /** In cents: six orders of magnitude, all equally likely. */
  #price(number: number, purpose: number): number {
    return Math.round(10 ** ((this.draw(number, purpose) / 2 ** 32) * 6) * 100)
  }
}

/** Spreads 32 bits over 32 bits (the finalizer of MurmurHash3, Austin Appleby). */
function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
