/**
 * The slow, obvious twin of `model.ts` and `nexmark-columns.ts`: it goes through all events from the first on, counts the
 * people and auctions that there are, and makes each event as a plain object. Only the draws are shared.
 */
import { DRAWS, NexmarkModel, TEXT_DRAWS, type NexmarkSettings } from "./model.ts"
import { channels, cities, names, states, urls, type ListedText } from "./texts.ts"

/** An event as an input `NexmarkEvent` has it. */
export interface ReferenceEvent {
  readonly kind: "person" | "auction" | "bid"
  readonly dateTime: number
  readonly row: Readonly<Record<string, unknown>>
}

/** The events with numbers below `end`, from 0. */
export function referenceEvents(settings: NexmarkSettings, end: number): ReferenceEvent[] {
  const model = new NexmarkModel(settings)
  const lists = {
    names: names(model),
    cities: cities(model),
    states: states(model),
    channels: channels(model),
    urls: urls(model),
  }
  const filling = letters(model, 0, TEXT_DRAWS.filling, 65_536 + 1024)
  const events: ReferenceEvent[] = []
  let [people, auctions] = [0, 0]
  for (let number = 0; number < end; number++) {
    const turn = number % 50
    const kind = turn === 0 ? "person" : turn <= 3 ? "auction" : "bid"
    if (kind === "person") people++
    if (kind === "auction") auctions++
    const dateTime = timeOf(settings, number)
    const at = { model, lists, filling, settings, number, people, auctions, dateTime }
    events.push({
      kind,
      dateTime,
      row: kind === "person" ? personOf(at) : kind === "auction" ? auctionOf(at) : bidOf(at),
    })
  }
  return events
}

interface At {
  readonly model: NexmarkModel
  readonly filling: string
  readonly lists: Readonly<Record<"names" | "cities" | "states" | "channels" | "urls", ListedText>>
  readonly settings: NexmarkSettings
  readonly number: number
  readonly people: number
  readonly auctions: number
  readonly dateTime: number
}

function timeOf(
  { outOfOrderGroupSize: size, baseTimeMicros, eventsPerSecond }: NexmarkSettings,
  number: number,
): number {
  const place = Math.floor(number / size) * size + ((number * 953) % size)
  return baseTimeMicros + Math.floor(place * (1_000_000 / eventsPerSecond))
}

function personOf(at: At): Record<string, unknown> {
  const { model, lists, number, people, dateTime } = at
  const card = [0, 1, 2, 3].map((group) =>
    String(model.below(number, TEXT_DRAWS.card + group, 10_000)).padStart(4, "0"),
  )
  const email = letters(model, number, TEXT_DRAWS.email, 13)
  return {
    id: 1000 + people - 1,
    name: textOf(lists.names, number),
    emailAddress: `${email.slice(0, 7)}@${email.slice(8)}.com`,
    creditCard: card.join(" "),
    city: textOf(lists.cities, number),
    state: textOf(lists.states, number),
    dateTime,
    extra: fillingOf(at, 100, 50),
  }
}

function auctionOf(at: At): Record<string, unknown> {
  const { model, settings, number, auctions, dateTime } = at
  const initialBid = priceOf(at, DRAWS.initialBid)
  // So many events pass until as many auctions have begun as are open.
  const horizon = Math.floor(
    (Math.floor((settings.inFlightAuctions * 50) / 3) * (1_000_000 / settings.eventsPerSecond)) / 1000,
  )
  const isHot = model.below(number, DRAWS.sellerHot, settings.hotSellersRatio) > 0
  return {
    id: 1000 + auctions - 1,
    itemName: wordsOf(model, number, TEXT_DRAWS.itemName, 20),
    description: wordsOf(model, number, TEXT_DRAWS.description, 100),
    initialBid,
    reserve: initialBid + priceOf(at, DRAWS.reserve),
    dateTime,
    expires: dateTime + 1000 * (1 + model.below(number, DRAWS.expires, Math.max(1, horizon * 2))),
    seller: isHot ? 1000 + hundreds(at.people - 1) : somePerson(at, DRAWS.seller),
    category: 10 + model.below(number, DRAWS.category, 5),
    extra: fillingOf(at, 312, 156),
  }
}

function bidOf(at: At): Record<string, unknown> {
  const { model, lists, settings, number, people, auctions, dateTime } = at
  const isHotAuction = model.below(number, DRAWS.auctionHot, settings.hotAuctionRatio) > 0
  const isHotBidder = model.below(number, DRAWS.bidderHot, settings.hotBiddersRatio) > 0
  const oldest = Math.max(0, auctions - 1 - settings.inFlightAuctions)
  const someAuction = oldest + model.below(number, DRAWS.auction, auctions - 1 - oldest + 1 + 10)
  return {
    auction: 1000 + (isHotAuction ? hundreds(auctions - 1) : someAuction),
    bidder: isHotBidder ? 1000 + hundreds(people - 1) + 1 : somePerson(at, DRAWS.bidder),
    price: priceOf(at, DRAWS.price),
    channel: textOf(lists.channels, number),
    url: textOf(lists.urls, number),
    dateTime,
    extra: fillingOf(at, 54, 28),
  }
}

function hundreds(id: number): number {
  return Math.floor(id / 100) * 100
}

function somePerson({ model, settings, number, people }: At, purpose: number): number {
  const active = Math.min(people, settings.activePeople)
  return 1000 + people - active + model.below(number, purpose, active + 10)
}

function priceOf({ model, number }: At, purpose: number): number {
  return Math.round(10 ** ((model.draw(number, purpose) / 2 ** 32) * 6) * 100)
}

function textOf(list: ListedText, number: number): string {
  return list.texts[list.placeOf(number)]!
}

function letters(model: NexmarkModel, number: number, purpose: number, length: number): string {
  let text = ""
  for (let at = 0; at < length; at++) {
    const byte = Math.floor(model.draw(number, purpose + Math.floor(at / 4)) / 256 ** (at % 4)) % 256
    text += String.fromCharCode(97 + Math.floor((byte * 26) / 256))
  }
  return text
}

/** So many letters and up to so many more, from somewhere in the filling. */
function fillingOf({ model, number, filling }: At, min: number, more: number): string {
  const from = model.below(number, TEXT_DRAWS.extra + 1, 65_536)
  return filling.slice(from, from + min + model.below(number, TEXT_DRAWS.extra, more))
}

/** The letters h and u, the eighth and twenty-first, are blanks within a text: two in 26. */
function wordsOf(model: NexmarkModel, number: number, purpose: number, max: number): string {
  const text = letters(model, number, purpose + 1, 3 + model.below(number, purpose, max - 2))
  return text[0]! + text.slice(1, -1).replaceAll(/[hu]/g, " ") + text.at(-1)!
}
