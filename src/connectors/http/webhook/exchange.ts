/** A request and its answer, whoever carries them, and what an answer means. */
import { daysFromCivil, MICROS_PER_DAY } from "../../../time/civil.ts"

/** A request, whole. */
export interface WebhookRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** What the receiver has answered. */
export interface WebhookAnswer {
  readonly status: number
  readonly statusText: string
  readonly retryAfter: string | undefined
  /** The beginning of the body. */
  readonly text: string
}

/** The way to the receiver. */
export interface Exchange {
  /**
   * Sends a request, and gives the answer when its head has come.
   *
   * @param signal ends it.
   * @throws ExchangeError where there is no answer.
   */
  send(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>
  /** Closes the connections. */
  close(): void
}

/** The receiver could not be asked, or has not answered: whether it has the request is not known. */
export class ExchangeError extends Error {}

/** What becomes of a request by its answer. */
export type Verdict =
  | { readonly kind: "accepted" }
  /** It is to be sent again; not before so long, where the receiver says so. */
  | { readonly kind: "again"; readonly reason: string; readonly waitMicros: number }
  /** The receiver does not want it, and will not the next time. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** The receiver would take no request: the address, the method or the token is wrong. */
  | { readonly kind: "misdirected"; readonly reason: string }

const AGAIN: ReadonlySet<number> = new Set([408, 425, 429])
const MISDIRECTED: ReadonlySet<number> = new Set([401, 403, 404, 405, 407])
const RETRY_AFTER_MICROS_MAX = MICROS_PER_DAY
const SHOWN_LETTERS_MAX = 1024

/** Whether the receiver has the request. */
export function isAccepting({ status }: WebhookAnswer): boolean {
  return status >= 200 && status < 300
}

/** What an answer means. @param wallMicros the clock. */
export function verdictOf(answer: WebhookAnswer, wallMicros: number): Verdict {
  const { status } = answer
  if (isAccepting(answer)) return { kind: "accepted" }
  const reason = answerText(answer)
  if (status >= 500 || AGAIN.has(status)) {
    return { kind: "again", reason, waitMicros: waitOf(answer.retryAfter, wallMicros) }
  }
  if (status < 400 || MISDIRECTED.has(status)) return { kind: "misdirected", reason }
  return { kind: "rejected", reason }
}

/** An answer in words, on one line, without what steers a terminal. */
export function answerText({ status, statusText, text }: WebhookAnswer): string {
  const [title, shown] = [statusText, text].map((each) => each.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim())
  const head = `the answer was ${status}${title === "" ? "" : ` ${title}`}`
  return shown === "" ? head : `${head}: ${shown!.slice(0, SHOWN_LETTERS_MAX)}`
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"

/** In how many µs a header `Retry-After` asks to come again (RFC 9110, 10.2.3); 0 where it does not. */
function waitOf(text: string | undefined, wallMicros: number): number {
  if (text === undefined) return 0
  const micros = /^\d{1,9}$/.test(text) ? Number(text) * 1_000_000 : (dateMicros(text) ?? wallMicros) - wallMicros
  return Math.max(0, Math.min(RETRY_AFTER_MICROS_MAX, micros))
}

function dateMicros(text: string): number | undefined {
  const parts = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(text)
  if (parts === null) return undefined
  const [day, , year, hours, minutes, seconds] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const month = MONTHS.indexOf(parts[2]!) / 3 + 1
  return daysFromCivil(year, month, day) * MICROS_PER_DAY + ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
}
