/** Polars on one thread (`POLARS_MAX_THREADS=1`), over a frame in memory. `node polars.mjs ROWS KEYS` */
import pl from "nodejs-polars"
import { answer } from "../frame/measured-process.mjs"
import { timed } from "../frame/usage.mjs"
import { Answer, columnsOf } from "../kernels/rows.mjs"

const [rows, keys] = process.argv.slice(2).map(Number)
const { key, value } = columnsOf(rows, keys)
const events = pl.DataFrame([pl.Series("key", key, pl.Int32), pl.Series("value", value, pl.Float64)])

function query() {
  const totals = [pl.col("value").sum().alias("total"), pl.col("value").count().alias("rows")]
  return events
    .lazy()
    .filter(pl.col("value").gt(0))
    .groupBy("key")
    .agg(...totals)
    .collectSync()
}

await answer({
  check: () => {
    const result = query()
    const [each, total, counts] = ["key", "total", "rows"].map((name) => result.getColumn(name).toArray())
    const whole = new Answer()
    for (let row = 0; row < each.length; row++) whole.add(each[row], total[row], Number(counts[row]))
    return whole
  },
  query: () => timed(query),
})
