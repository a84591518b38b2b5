/**
 * Names of the files in a sink's directory.
 *
 * | name | what |
 * |---|---|
 * | `part-00007.jsonl` | a published part: complete, never changed again |
 * | `.part-00007.5f3a9c01.jsonl.inprogress` | a part that is being written: nothing for readers |
 *
 * The token in the middle of an in-progress name tells the jobs apart that ever wrote to a directory: a job touches
 * only in-progress files whose token stands in its own commit records.
 */
import { assert } from "../../base/assert.ts"

/** The name of a published part. */
export function publishedName(part: number, extension: string): string {
  return `part-${partNumber(part)}.${extension}`
}

/** The name of a part that is being written. */
export function inProgressName(part: number, token: number, extension: string): string {
  return `.part-${partNumber(part)}.${tokenText(token)}.${extension}.inprogress`
}

function partNumber(part: number): string {
  assert(Number.isSafeInteger(part) && part >= 0, "parts are numbered from 0")
  return String(part).padStart(5, "0")
}

function tokenText(token: number): string {
  return token.toString(16).padStart(8, "0")
}

/** What a file's name in a sink's directory says. */
export type PartName =
  | { readonly kind: "published"; readonly part: number }
  | { readonly kind: "in-progress"; readonly part: number; readonly token: number }

/** What a file's name says, or `undefined` where it is no sink's. The extension may be any format's. */
export function parsePartName(name: string): PartName | undefined {
  const published = /^part-(\d{5,15})\.[a-z]+$/.exec(name)
  if (published !== null) return { kind: "published", part: Number(published[1]) }
  const inProgress = /^\.part-(\d{5,15})\.([0-9a-f]{8})\.[a-z]+\.inprogress$/.exec(name)
  if (inProgress === null) return undefined
  return { kind: "in-progress", part: Number(inProgress[1]), token: Number.parseInt(inProgress[2]!, 16) }
}
