/** Zstandard: Node's own from 22.15 on, and before that a build of the same library for WebAssembly, zstddec. */
import * as zlib from "node:zlib"
import { assert } from "../../base/assert.ts"

type Unpack = (bytes: Uint8Array, lengthMax: number) => Uint8Array

/** Node's, which the types of Node 20 do not have. */
const { zstdDecompressSync: nodeUnzstd } = zlib as {
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
}

let unpack: Unpack | undefined

/** Loads what `unzstd` needs, or gives `undefined` where it is at hand. */
export function loadUnzstd(): Promise<void> | undefined {
  if (unpack === undefined && nodeUnzstd !== undefined) unpack = byNode(nodeUnzstd)
  return unpack === undefined ? loadLibrary() : undefined
}

/** Unpacks a frame that has at most `lengthMax` bytes when it is unpacked. It throws where it has more, or is none. */
export function unzstd(bytes: Uint8Array, lengthMax: number): Uint8Array {
  assert(unpack !== undefined, "Zstandard is loaded before it is used")
  return unpack(bytes, lengthMax)
}

function byNode(node: NonNullable<typeof nodeUnzstd>): Unpack {
  return (bytes, lengthMax) => node(bytes, { maxOutputLength: lengthMax })
}

async function loadLibrary(): Promise<void> {
  const { ZSTDDecoder } = await import("zstddec")
  const decoder = new ZSTDDecoder()
  await decoder.init()
  // Its room is `lengthMax` bytes: what does not fit, and what is no frame, comes back as nothing.
  unpack = (bytes, lengthMax) => decoder.decode(bytes, lengthMax)
}
