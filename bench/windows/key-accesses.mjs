/**
 * What adding one record to a window of many keys reads and writes by key, hence at random: named, with how many bytes it
 * lies in. What is read in order (the batch, lists of ids) costs the same for any number of keys and does not stand here.
 *
 * Layouts are those of `ids-by-value.ts` (values to ids) and `window-pieces.ts` (ids to entries and their fields) for keys of
 * one int32 that lie close together, in a window's first slice (the nth entry is that of the id n), and an aggregate with
 * one field of eight bytes.
 */

/**
 * @typedef {object} Access
 * @property {string} name
 * @property {number} bytes What it lies in, all keys together.
 * @property {number} width Bytes a key.
 * @property {boolean} isWritten Whether it is written there, too.
 */

/**
 * In the order in which each needs what the one before gives.
 *
 * @returns {Access[]}
 */
export function keyAccesses(keys) {
  const all = [
    { name: "id by value", width: 4, isWritten: false },
    { name: "field of the entry", width: 8, isWritten: true },
    { name: "whether it has changed", width: 1, isWritten: true },
  ]
  return all.map((access) => ({ ...access, bytes: keys * access.width }))
}
