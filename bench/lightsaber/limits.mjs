/**
 * Which resource holds a query back, as far as the data say: what a tuple costs each, in units that are alike.
 *
 * - Where more than half of the memory's bandwidth is used, it is the bandwidth.
 * - Else it is what there is most of per tuple: the tuple itself (finding its slice, its key, adding), groups of slices
 *   (each is added to a window once and taken out once), or result rows.
 */

const BANDWIDTH_BOUND = 0.5

export function limitOf({ bandwidthShare, groupsPerSlice, tuplesPerSlice, rowsPerTuple }) {
  if (bandwidthShare > BANDWIDTH_BOUND) return "read bandwidth"
  const groupsPerTuple = (2 * groupsPerSlice) / tuplesPerSlice
  if (rowsPerTuple > Math.max(1, groupsPerTuple)) return "result rows"
  return groupsPerTuple > 1 ? "slices" : "tuples"
}
