/** Bit rot: a bit of what a disk has kept is another one than was written. Dead letters are for people, and nothing guards them. */
import { assert } from "../../base/assert.ts"
import type { Prng } from "../../base/prng.ts"
import type { DiskImage } from "../disk-image.ts"

/** Changes one bit of a file below a directory; gives the file's path. */
export function rotOneBit(image: DiskImage, directory: string, prng: Prng): string {
  const isGuarded = (path: string): boolean => !path.endsWith("/dead-letters.jsonl")
  const paths = image.files(directory).filter((path) => isGuarded(path) && (image.readFile(path)?.length ?? 0) > 0)
  assert(paths.length > 0, "something was kept")
  const path = prng.pick(paths)
  const bytes = image.readFile(path)!.slice()
  const at = prng.below(bytes.length)
  bytes[at] = bytes[at]! ^ (1 << prng.below(8))
  image.install(path, bytes)
  return path
}
