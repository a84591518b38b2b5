/**
 * The texts of Nexmark's rows. Those of closed lists are named by their place in the list, so that a dictionary column need
 * look each up once; the others are written letter by letter, as ASCII.
 */
import { CHANNELS, TEXT_DRAWS, type NexmarkModel } from "./model.ts"

const FIRST_NAMES = [
  "Ada",
  "Barbara",
  "Edsger",
  "Frances",
  "Grace",
  "Jim",
  "Kathleen",
  "Leslie",
  "Michael",
  "Nancy",
  "Tony",
]
const LAST_NAMES = ["Allen", "Booth", "Codd", "Gray", "Hoare", "Hopper", "Lamport", "Liskov", "Lynch"]
/** The benchmark's queries ask for Oregon, Idaho and California. */
const STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"]
const CITIES = [
  "Phoenix",
  "Los Angeles",
  "San Francisco",
  "Boise",
  "Portland",
  "Bend",
  "Redmond",
  "Seattle",
  "Kent",
  "Cheyenne",
]
/** The benchmark's queries ask for these. */
const HOT_CHANNELS = ["Google", "Facebook", "Baidu", "Apple"]

/** Texts of a closed list, and the place of an event's text in it. */
export interface ListedText {
  readonly texts: readonly string[]
  readonly placeOf: (number: number) => number
}

/** Writes an event's text at the start of `bytes`, which have room for it, and gives its length. */
export type WriteText = (number: number, bytes: Uint8Array) => number

/** No text is longer, in bytes. */
export const TEXT_BYTES_MAX = 1024

/** The names of people. */
export function names(model: NexmarkModel): ListedText {
  const texts = FIRST_NAMES.flatMap((first) => LAST_NAMES.map((last) => `${first} ${last}`))
  const { length: lasts } = LAST_NAMES
  const placeOf = (number: number): number =>
    model.firstName(number, FIRST_NAMES.length) * lasts + model.lastName(number, lasts)
  return { texts, placeOf }
}

export function cities(model: NexmarkModel): ListedText {
  return { texts: CITIES, placeOf: (number) => model.city(number, CITIES.length) }
}

export function states(model: NexmarkModel): ListedText {
  return { texts: STATES, placeOf: (number) => model.state(number, STATES.length) }
}

export function channels(model: NexmarkModel): ListedText {
  const texts = [...HOT_CHANNELS, ...Array.from({ length: CHANNELS }, (_, place) => `channel-${place}`)]
  return { texts, placeOf: (number) => model.channel(number) }
}

/** Each channel has one address. Of those that are not hot, nine in ten name the channel. */
export function urls(model: NexmarkModel): ListedText {
  const texts = Array.from({ length: HOT_CHANNELS.length + CHANNELS }, (_, channel) => {
    const [one, two, three] = [1, 2, 3].map((part) => letters(model, channel, TEXT_DRAWS.url + part * 10, 5))
    const isNamed = channel >= HOT_CHANNELS.length && channel % 10 !== 0
    return `https://www.nexmark.com/${one}/${two}/${three}/item.htm?query=1${isNamed ? `&channel_id=${channel}` : ""}`
  })
  return { texts, placeOf: (number) => model.channel(number) }
}

const [LETTER_A, SPACE, ZERO, AT, DOT] = [97, 32, 48, 64, 46] as const

/** Words: 3 to `max` letters and blanks, neither first nor last. */
export function words(model: NexmarkModel, purpose: number, max: number): WriteText {
  return (number, bytes) => {
    const length = 3 + model.below(number, purpose, max - 2)
    writeLetters(model, number, purpose + 1, bytes, 0, length)
    for (let at = 1; at < length - 1; at++) if (bytes[at]! % 13 === 0) bytes[at] = SPACE
    return length
  }
}

/** Filling texts are cut out of so many letters. */
const FILLING_LETTERS = 65_536

/** The letters out of which filling texts are cut. */
function fillingLetters(model: NexmarkModel): Uint8Array {
  const bytes = new Uint8Array(FILLING_LETTERS + TEXT_BYTES_MAX)
  writeLetters(model, 0, TEXT_DRAWS.filling, bytes, 0, bytes.length)
  return bytes
}

/** Letters: between four and six fifths of `mean`. */
export function filling(model: NexmarkModel, mean: number): WriteText {
  const spread = Math.round(mean / 5)
  const source = fillingLetters(model)
  return (number, bytes) => {
    const length = mean - spread + model.below(number, TEXT_DRAWS.extra, 2 * spread)
    let from = model.below(number, TEXT_DRAWS.extra + 1, FILLING_LETTERS)
    for (let at = 0; at < length; at++) bytes[at] = source[from++]!
    return length
  }
}

/** Addresses of seven letters at a place of five, `.com`. */
export function emails(model: NexmarkModel): WriteText {
  return (number, bytes) => {
    writeLetters(model, number, TEXT_DRAWS.email, bytes, 0, 13)
    bytes[7] = AT
    bytes[13] = DOT
    bytes.set([99, 111, 109], 14)
    return 17
  }
}

/** Four times four digits. */
export function cards(model: NexmarkModel): WriteText {
  return (number, bytes) => {
    for (let group = 0; group < 4; group++) {
      let digits = model.below(number, TEXT_DRAWS.card + group, 10_000)
      for (let place = 3; place >= 0; place--) {
        bytes[group * 5 + place] = ZERO + (digits % 10)
        digits = Math.floor(digits / 10)
      }
      bytes[group * 5 + 4] = SPACE
    }
    return 19
  }
}

/** Letters from a to z in `bytes[from, to)`: four of each draw. */
function writeLetters(
  model: NexmarkModel,
  number: number,
  purpose: number,
  bytes: Uint8Array,
  from: number,
  to: number,
) {
  for (let at = from, draw = purpose; at < to; draw++) {
    const bits = model.draw(number, draw)
    for (let shift = 0; shift < 32 && at < to; shift += 8, at++) {
      bytes[at] = LETTER_A + ((((bits >>> shift) & 0xff) * 26) >> 8)
    }
  }
}

function letters(model: NexmarkModel, number: number, purpose: number, length: number): string {
  const bytes = new Uint8Array(length)
  writeLetters(model, number, purpose, bytes, 0, length)
  return String.fromCharCode(...bytes)
}
