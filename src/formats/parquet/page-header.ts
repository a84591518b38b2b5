/**
 * Page headers: what stands before each page of a column (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift,
 * `PageHeader`).
 *
 *   1 type    2 uncompressed_page_size    3 compressed_page_size    4 crc
 *   5 data_page_header: 1 num_values, 2 encoding, 3 definition_level_encoding, 4 repetition_level_encoding
 *   7 dictionary_page_header: 1 num_values, 2 encoding
 *   8 data_page_header_v2: 1 num_values, 2 num_nulls, 3 num_rows, 4 encoding, 5 definition_levels_byte_length,
 *     6 repetition_levels_byte_length, 7 is_compressed
 */
import { demand } from "./malformed.ts"
import { FALSE, I32, STRUCT, ThriftReader, TRUE } from "./thrift.ts"

/** The encodings that Parquet numbers. */
export const ENCODING = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const

/** The page types that Parquet numbers. */
const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 2, 3]

/** A page's header. */
export interface PageHeader {
  /** `"other"` pages (an index) are passed over. */
  readonly kind: "data" | "data2" | "dictionary" | "other"
  /** How many bytes the header takes. */
  readonly headerBytes: number
  /** How many bytes the page's body takes in the file, and when it is unpacked. */
  readonly compressedBytes: number
  readonly uncompressedBytes: number
  /** CRC-32 of the body as it lies in the file, as an int32, where the writer gave it. */
  readonly crc: number | undefined
  /** How many values the page has, nulls included. */
  readonly values: number
  /** How many rows a `"data2"` page has, and how many of its values are null. */
  readonly rows: number
  readonly nulls: number
  /** How the values are written: of `ENCODING`. */
  readonly encoding: number
  /** How the definition levels of a `"data"` page are written, and its repetition levels. */
  readonly levelEncoding: number
  readonly repetitionEncoding: number
  /** How many bytes of levels a `"data2"` page starts with. */
  readonly definitionBytes: number
  readonly repetitionBytes: number
  /** Whether what is behind the levels of a `"data2"` page is compressed. */
  readonly isCompressed: boolean
}

/**
 * The header that starts at `bytes[at]`.
 *
 * @throws CutShort where it does not end before `end`; Malformed where it is none.
 */
export function readPageHeader(bytes: Uint8Array, at: number, end: number): PageHeader {
  const reader = new ThriftReader(bytes, at, end)
  const top = new Map<number, number>()
  const details = new Map<number, number>()
  let isCompressed = true
  let detailId = 0
  const takeDetail = (id: number, type: number): boolean => {
    if (type === I32) details.set(id, reader.int())
    else if (detailId === 8 && id === 7 && (type === TRUE || type === FALSE)) isCompressed = reader.bool(type)
    else return false
    return true
  }
  reader.struct((id, type) => {
    if (type === I32) top.set(id, reader.int())
    else if (type === STRUCT && (id === 5 || id === 7 || id === 8)) {
      detailId = id
      details.clear()
      reader.struct(takeDetail, 1)
    } else return false
    return true
  })
  const type = top.get(1)
  const kind =
    type === DATA_PAGE ? "data" : type === DATA_PAGE_V2 ? "data2" : type === DICTIONARY_PAGE ? "dictionary" : "other"
  const needed = { data: 5, data2: 8, dictionary: 7, other: detailId }[kind]
  demand(detailId === needed, "a page's header is not that of its type")
  const count = (value: number | undefined, what: string): number => {
    demand(value !== undefined && value >= 0 && value < 2 ** 31, `a page's header has no ${what}`)
    return value
  }
  return {
    kind,
    headerBytes: reader.at - at,
    uncompressedBytes: count(top.get(2), "size"),
    compressedBytes: count(top.get(3), "compressed size"),
    crc: top.get(4),
    values: kind === "other" ? 0 : count(details.get(1), "number of values"),
    rows: kind === "data2" ? count(details.get(3), "number of rows") : 0,
    nulls: kind === "data2" ? count(details.get(2), "number of nulls") : 0,
    encoding: details.get(kind === "data2" ? 4 : 2) ?? -1,
    levelEncoding: details.get(3) ?? ENCODING.rle,
    repetitionEncoding: (kind === "data" ? details.get(4) : undefined) ?? ENCODING.rle,
    definitionBytes: kind === "data2" ? count(details.get(5), "length of definition levels") : 0,
    repetitionBytes: kind === "data2" ? count(details.get(6), "length of repetition levels") : 0,
    isCompressed,
  }
}
