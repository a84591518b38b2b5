/**
 * The trace of a simulated world: everything that happened at its edge, as values, and one hash of it all.
 *
 * Invariant:
 * - U1 Two worlds with the same hash and count had the same events in the same order (but for collisions of 64 bits).
 */
import { fingerprint } from "../base/hash.ts"

/** Something that happened in a simulated world. */
export interface TraceEvent {
  /** Virtual microseconds since the world began. */
  readonly micros: number
  /** Which process: 0 before the first boot. */
  readonly instance: number
  /** `"call"`, `"fault"`, `"boot"`, `"crash"`, `"kill"`, `"sleep"`, `"random"`, `"note"`. */
  readonly kind: string
  /** What exactly, as text. */
  readonly text: string
}

/** Gathers events. */
export class SimTrace {
  /** The events, where they are kept. */
  readonly events: TraceEvent[] = []
  readonly #keepsEvents: boolean
  #count = 0
  #first = 0x811c9dc5
  #second = 0x01000193

  constructor(options: { keepsEvents: boolean }) {
    this.#keepsEvents = options.keepsEvents
  }

  /** How many events there were. */
  get count(): number {
    return this.#count
  }

  /** The hash of all events so far: 16 hexadecimal digits. */
  get hash(): string {
    return fingerprint(`${this.#first} ${this.#second} ${this.#count}`)
  }

  add(event: TraceEvent): void {
    this.#count++
    this.#mixText(event.kind)
    this.#mixText(event.text)
    this.#mix(event.instance)
    this.#mix(event.micros | 0)
    if (this.#keepsEvents) this.events.push(event)
  }

  #mixText(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at))
  }

  #mix(value: number): void {
    this.#first = Math.imul(this.#first ^ value, 0x01000193)
    this.#second = Math.imul(this.#second ^ (value + this.#count), 0x85ebca6b)
    this.#second ^= this.#second >>> 15
  }
}

/** An event as a line of text. */
export function formatTraceEvent({ micros, instance, kind, text }: TraceEvent): string {
  return `${(micros / 1e6).toFixed(6).padStart(12)}s  process ${instance}  ${kind.padEnd(6)} ${text}`
}
