/**
 * Where requests go and what they say of who sends them. Secrets are read again for each request, so that they may change while the job runs, and
 * nothing that is said of a failure has anything of them in it.
 */
import { TidemarkError } from "../../../base/errors.ts"
import { readSecret } from "../../../env/node/secret-values.ts"
import { checkUrl, isHeaderValue, type GivenText, type WebhookSettings } from "./webhook-options.ts"

/** Shorter parts of an address are words of every text. */
const SECRET_PART_LETTERS_MIN = 6

/** What does not change from request to request. */
export interface WebhookAddress {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Reads what the variables have.
 *
 * @throws TidemarkError `invalid-params` where one has nothing, or what cannot be sent.
 */
export function webhookAddress({ url, headers, tokenVariable }: WebhookSettings, output: string): WebhookAddress {
  const found = textOf(url, output)
  if (typeof url !== "string") checkUrl(found, (problem) => refusal(`what ${url.env} has ${problem}`, output, url.env))
  const all = Object.entries(headers).map(([name, value]): [string, string] => [name, headerOf(value, output)])
  if (tokenVariable !== undefined) all.push(["authorization", `Bearer ${headerOf({ env: tokenVariable }, output)}`])
  return { url: found, headers: Object.fromEntries(all) }
}

/** What of an address, the headers and the token is said nowhere (WH10), the longest first. */
export function secretsOf({ url, headers, tokenVariable }: WebhookSettings, address: WebhookAddress): string[] {
  const names = Object.keys(headers).filter((name) => typeof headers[name] !== "string")
  const secrets = [...secretParts(address.url, typeof url !== "string"), ...names.map((name) => address.headers[name]!)]
  if (tokenVariable !== undefined) secrets.push(address.headers["authorization"]!.slice("Bearer ".length))
  return secrets.sort((a, b) => b.length - a.length)
}

/** A text without secrets: receivers repeat what they were sent, and errors of the network name hosts. */
export function veiled(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text)
}

/** What stands behind the path of an address; of one that is a secret, all of it. */
function secretParts(url: string, isSecret: boolean): string[] {
  const { host, hostname, pathname, search, searchParams } = new URL(url)
  const behindPath = [search.slice(1), ...searchParams.values()]
  const parts = isSecret ? [url, host, hostname, pathname, ...pathname.split("/"), ...behindPath] : behindPath
  return parts.filter((part) => part.length >= SECRET_PART_LETTERS_MIN)
}

function headerOf(given: GivenText, output: string): string {
  const text = textOf(given, output)
  if (typeof given === "string" || isHeaderValue(text)) return text
  throw refusal(`${given.env} has more than visible ASCII on one line`, output, given.env)
}

function textOf(given: GivenText, output: string): string {
  if (typeof given === "string") return given
  const { env } = given
  const secret = readSecret(env)
  if (secret !== undefined && "value" in secret) return secret.value
  throw refusal(secret?.problem ?? `neither ${env} nor ${env}_FILE is set`, output, env)
}

function refusal(problem: string, output: string, variable: string): TidemarkError {
  return new TidemarkError("invalid-params", `The output ${output} cannot be sent: ${problem}.`, {
    hint: `Set ${variable}, or ${variable}_FILE to the path of a file that has it.`,
  })
}

/** An address as it may be shown: what is behind the path may be a secret. */
export function shownUrl(url: GivenText): string {
  if (typeof url !== "string") return `{ env: ${JSON.stringify(url.env)} }`
  const { origin, pathname } = new URL(url)
  return JSON.stringify(origin + pathname)
}
