/** The polynomial of CRC-32C, and tables by which bytes are taken in many at a time. */

/** The Castagnoli polynomial, reflected: the lowest bit is the highest power below x³². */
export const POLYNOMIAL = 0x82f63b78

/** Entries of a table: one for each byte. */
const TABLE_ENTRIES = 256

/** At `256 · n + byte`: the checksum's state behind a byte and n bytes of 0 ("slicing", Kounavis and Berry, 2005). */
export function slicingTables(count: number): Int32Array {
  const tables = new Int32Array(count * TABLE_ENTRIES)
  for (let byte = 0; byte < TABLE_ENTRIES; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let index = TABLE_ENTRIES; index < tables.length; index++) {
    const previous = tables[index - TABLE_ENTRIES]!
    tables[index] = (previous >>> 8) ^ tables[previous & 0xff]!
  }
  return tables
}
