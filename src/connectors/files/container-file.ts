/**
 * A container as a file: its head and footer, and what it is by these.
 *
 * As text an identity is the file's size and two digests of sixteen digits, of its head (64 KiB) and of its footer:
 * `1043:0123456789abcdef:0123456789abcdef`. A container never grows: another one is another file.
 */
import type { Footer, FooterBytes } from "../../formats/container.ts"
import type { DiskFile } from "../../env/env.ts"
import { HEAD_BYTES, identityOfHead } from "./file-identity.ts"
import { changed } from "./source-errors.ts"
import type { FileSourceStep } from "./steps.ts"

/** The footer is looked for in so many bytes at a file's end: most have less. */
const TAIL_BYTES = 64 * 1024

/** The names of the disk calls. */
export interface ContainerSteps {
  readonly readHead: FileSourceStep
  readonly readFooter: FileSourceStep
}

/** What was read of a container. */
export interface ContainerEnds {
  readonly identity: string
  readonly footer: Footer
}

/**
 * Reads a container's head and footer.
 *
 * @throws TidemarkError `source-unreadable` where it is none; `source-changed` where it became shorter meanwhile.
 */
export async function readContainerEnds(
  file: DiskFile,
  footerBytesOf: FooterBytes,
  label: string,
  steps: ContainerSteps,
): Promise<ContainerEnds> {
  const fileBytes = await file.size()
  const read = async (start: number, count: number, step: FileSourceStep): Promise<Uint8Array> => {
    const bytes = new Uint8Array(count)
    if ((await file.read(bytes, start, step)) === count) return bytes
    throw changed(label, "it became shorter while it was opened")
  }
  const tailBytes = Math.min(fileBytes, TAIL_BYTES)
  const tail = await read(fileBytes - tailBytes, tailBytes, steps.readFooter)
  const footerBytes = footerBytesOf(tail, fileBytes, label)
  const bytes =
    footerBytes <= tailBytes
      ? tail.subarray(tailBytes - footerBytes)
      : await read(fileBytes - footerBytes, footerBytes, steps.readFooter)
  const head = await read(0, Math.min(fileBytes, HEAD_BYTES), steps.readHead)
  return containerEnds(head, { bytes, fileBytes, label })
}

/** What a container is, by its head and footer. */
export function containerEnds(head: Uint8Array, footer: Footer): ContainerEnds {
  return { identity: `${footer.fileBytes}:${identityOfHead(head).digest}:${footerDigest(footer.bytes)}`, footer }
}

/** All of a footer counts, 64 KiB after 64 KiB. */
function footerDigest(bytes: Uint8Array): string {
  if (bytes.length <= HEAD_BYTES) return identityOfHead(bytes).digest
  const digests: string[] = []
  for (let at = 0; at < bytes.length; at += HEAD_BYTES) {
    digests.push(identityOfHead(bytes.subarray(at, at + HEAD_BYTES)).digest)
  }
  return identityOfHead(new TextEncoder().encode(digests.join(""))).digest
}
