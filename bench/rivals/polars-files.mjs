/**
 * The pipeline of `bench/variants` in Polars, on as many threads as `POLARS_MAX_THREADS` says: one lazy query over the file, or over a
 * frame in memory, its result written as JSON lines. Minutes are the first 16 characters of the time, which saves it parsing times;
 * those of Parquet and of frames, which are none, are written as such.
 */
import { join } from "node:path"
import pl from "nodejs-polars"
import { report } from "../variants/report.mjs"

const [format, input, directory, , runs] = process.argv.slice(2)
const frame = format === "memory" ? pl.readParquet(`${input}.parquet`) : undefined
const open = { csv: pl.scanCSV, jsonl: pl.scanJson, parquet: pl.scanParquet, memory: () => frame.lazy() }[format]
const isText = format === "csv" || format === "jsonl"
const minute = isText ? pl.col("at").str.slice(0, 16) : pl.col("at").date.strftime("%Y-%m-%dT%H:%M")

await report(directory, Number(runs), (own) => {
  const perMinute = open(input)
    .filter(pl.col("ok").and(pl.col("value").gt(0)))
    .withColumn(minute.alias("windowStart"))
    .groupBy(["sensor", "windowStart"])
    .agg(
      pl.col("value").count().alias("readings"),
      pl.col("value").sum().alias("total"),
      pl.col("value").mean().alias("mean"),
    )
    .collectSync()
  perMinute.writeJSON(join(own, "polars.jsonl"), { format: "lines" })
  return { rowsOut: perMinute.height }
})
