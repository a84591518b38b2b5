/**
 * Names of places that a job writes to, so that two of them can be compared before anything is opened: a scheme, a colon,
 * and names behind each other with `/` between. A place that lies within another has a key that goes on from the other's.
 */
import { assert } from "../base/assert.ts"

/** The key of a directory on the disk, by its absolute path. */
export function directoryKey(path: string): string {
  assert(path.startsWith("/"), "a directory is named by an absolute path")
  return `files:${path}`
}

/** Whether a place is another one, or lies within it. */
export function isWithin(key: string, other: string): boolean {
  return key === other || key.startsWith(other.endsWith("/") ? other : `${other}/`)
}
