/**
 * What adding one record to a window of many keys reads and writes by key, hence at random: named, with how many bytes it
 * lies in. What is read in order (the batch, lists of ids) costs the same for any number of keys and does not stand here.
 *
 * Layouts are those of `key-probe.ts` and `key-buckets.ts` (keys to ids) and `window-pieces.ts` (ids to entries and their
 * fields) for keys of one int32 and an aggregate with one field of eight bytes.
 */

/** Values below have a table from value to id; others are looked up by hash. */
const VALUES_MAX = 65_536
/** A bucket: four hashes and four ids. */
const BUCKET_BYTES = 32
/** A large index is between 5/16 and 5/8 full; its segments are full at different sizes. */
const KEYS_PER_BUCKET = 4 * 0.47

/**
 * @typedef {object} Access
 * @property {string} name
 * @property {number} bytes What it lies in, all keys together.
 * @property {number} width Bytes a key, or a bucket.
 * @property {number} perRecord How often it happens for a record.
 * @property {boolean} isWritten Whether it is written there, too.
 */

/**
 * In the order in which each needs what the one before gives.
 *
 * @returns {Access[]}
 */
export function keyAccesses(keys) {
  const byValue = Math.min(1, VALUES_MAX / keys)
  const buckets = Math.ceil(keys / KEYS_PER_BUCKET)
  const all = [
    { name: "id by value", count: Math.min(keys, VALUES_MAX), width: 4, perRecord: byValue, isWritten: false },
    { name: "id by hash", count: buckets, width: BUCKET_BYTES, perRecord: 1 - byValue, isWritten: false },
    { name: "entry by id", count: keys, width: 4, perRecord: 1, isWritten: false },
    { name: "field of the entry", count: keys, width: 8, perRecord: 1, isWritten: true },
    { name: "whether it has changed", count: keys, width: 1, perRecord: 1, isWritten: true },
  ]
  return all
    .filter(({ perRecord }) => perRecord > 0)
    .map(({ count, ...access }) => ({ ...access, bytes: count * access.width }))
}
