/**
 * The pages of one column chunk after the other: headers and bodies, as they are brought, checked and unpacked.
 *
 * Invariants:
 * - CP1 At most one page is unpacked.
 * - CP2 No size that the file says is trusted: pages are refused beyond `pageBytesMax`.
 */
import type { Arena } from "../../batch/arena.ts"
import type { WantedBytes } from "../container.ts"
import type { Codec, ColumnChunk } from "./footer.ts"
import { SLACK_BYTES } from "./hybrid.ts"
import { CutShort, demand, TooLarge } from "./malformed.ts"
import { unpackPage, type PlatformCodecs } from "./page-codecs.ts"
import { ENCODING, readPageHeader, type PageHeader } from "./page-header.ts"
import { PageWindow } from "./page-window.ts"

/** The most bytes of a page's header, statistics in it included. */
const HEADER_BYTES_MAX = 1024 * 1024
/** How much is looked at for a header at first. */
const HEADER_BYTES = 1024

/** How a column's pages are read. */
export interface ColumnOptions extends PageOptions {
  /** Where they are unpacked. */
  readonly arena: Arena
}

/** How pages are read. */
export interface PageOptions {
  /** A page that takes more bytes, packed or not, is refused. */
  readonly pageBytesMax: number
  readonly platform: PlatformCodecs
}

/** Bytes that go on for `SLACK_BYTES` behind `end`. */
export interface Body {
  readonly bytes: Uint8Array
  readonly at: number
  readonly end: number
}

/** See the head of this file. */
export class ChunkPages {
  readonly #options: ColumnOptions
  readonly #window = new PageWindow()
  #codec: Codec = "UNCOMPRESSED"
  /** The header of the page that comes next, once it was read. */
  #header: PageHeader | undefined
  #page: Uint8Array = new Uint8Array(0)

  constructor(options: ColumnOptions) {
    this.#options = options
  }

  /** How many bytes of buffers it holds. */
  get heldBytes(): number {
    return this.#window.bytes.length + this.#page.length
  }

  /** Where in the file the page starts that is read now, for errors. */
  get place(): number {
    return this.#window.offset
  }

  begin({ start, end, codec }: ColumnChunk): void {
    this.#codec = codec
    this.#window.reset(start, end)
    this.#header = undefined
  }

  /** The bytes wanted are there. */
  supplied(): void {
    this.#window.supplied()
  }

  /** The next page's header, or the bytes that it takes to know it. */
  header(): PageHeader | WantedBytes {
    const window = this.#window
    this.#header ??= this.#readHeader()
    const header = this.#header
    if (header === undefined) return window.want(this.#headerBytes())
    demand(header.headerBytes + header.compressedBytes <= window.left, "a page goes on behind the end of its column")
    return header
  }

  /** Asks for the body of the page whose header was read last, unless it is at hand. */
  wantBody(header: PageHeader): WantedBytes | undefined {
    const window = this.#window
    this.#refuseGreat(header)
    const bytes = header.headerBytes + header.compressedBytes
    if (window.length < bytes) return window.want(bytes)
    this.#checkSum(header)
    return undefined
  }

  /** The body as it lies in the file, of which some levels are never packed. */
  packed({ headerBytes, compressedBytes }: PageHeader): Body {
    const { bytes, from } = this.#window
    return { bytes, at: from + headerBytes, end: from + headerBytes + compressedBytes }
  }

  /** The body behind so many bytes of levels, unpacked. */
  unpacked(header: PageHeader, levelBytes: number): Body {
    const { compressedBytes, uncompressedBytes, isCompressed } = header
    const { bytes, at: start, end } = this.packed(header)
    const length = uncompressedBytes - levelBytes
    if (this.#codec === "UNCOMPRESSED" || !isCompressed) {
      demand(compressedBytes === uncompressedBytes, "a page that is not compressed has two sizes")
      return { bytes, at: end - length, end }
    }
    if (this.#page.length < length + SLACK_BYTES) this.#page = new Uint8Array(length + SLACK_BYTES)
    const page = this.#page
    unpackPage(this.#options, this.#codec, bytes, start + levelBytes, end, page, length)
    return { bytes: page, at: 0, end: length }
  }

  /** The body of a dictionary. */
  dictionary(header: PageHeader): Body {
    const { encoding } = header
    const isPlain = encoding === ENCODING.plain || encoding === ENCODING.plainDictionary
    demand(isPlain, `a dictionary has the encoding ${encoding}, which is none of a dictionary`)
    return this.unpacked(header, 0)
  }

  /** Goes on behind a page. */
  pass({ headerBytes, compressedBytes }: PageHeader): void {
    this.#header = undefined
    this.#window.advance(headerBytes + compressedBytes)
  }

  /** The next page's header, or `undefined` where more bytes are needed. */
  #readHeader(): PageHeader | undefined {
    const window = this.#window
    if (window.left === 0) throw new CutShort("a column (it has fewer values than its row group has rows)")
    try {
      return readPageHeader(window.bytes, window.from, window.to)
    } catch (error) {
      const isAll = window.length === window.left || window.length >= HEADER_BYTES_MAX
      if (!(error instanceof CutShort) || isAll) throw error
      return undefined
    }
  }

  #headerBytes(): number {
    const { length, left } = this.#window
    return Math.min(left, Math.max(HEADER_BYTES, length * 2))
  }

  #refuseGreat({ compressedBytes, uncompressedBytes }: PageHeader): void {
    const { pageBytesMax } = this.#options
    const bytes = Math.max(compressedBytes, uncompressedBytes)
    if (bytes > pageBytesMax) throw new TooLarge(bytes, pageBytesMax)
  }

  #checkSum(header: PageHeader): void {
    if (header.crc === undefined) return
    const { bytes, at, end } = this.packed(header)
    const actual = this.#options.platform.crc32(bytes.subarray(at, end))
    demand((actual | 0) === (header.crc | 0), "a page's bytes do not have its checksum")
  }
}
