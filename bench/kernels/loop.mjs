/** What one would write by hand in JavaScript: a loop over typed arrays and a `Map`. `node loop.mjs ROWS KEYS` */
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer, columnsOf } from "./rows.mjs"

const [rows, keys] = process.argv.slice(2).map(Number)
const { key, value } = columnsOf(rows, keys)

function query() {
  const groups = new Map()
  for (let row = 0; row < rows; row++) {
    if (!(value[row] > 0)) continue
    const group = groups.get(key[row])
    if (group === undefined) groups.set(key[row], { total: value[row], rows: 1 })
    else {
      group.total += value[row]
      group.rows += 1
    }
  }
  return groups
}

await answer({
  check: () => {
    const whole = new Answer()
    for (const [each, group] of query()) whole.add(each, group.total, group.rows)
    return whole
  },
  query: () => timed(query),
})
