/**
 * The pipeline of `bench/variants` in Polars, on as many threads as `POLARS_MAX_THREADS` says: one lazy query over the file, its result
 * written as JSON lines. Minutes are the first 16 characters of the time, which saves it parsing times; those of Parquet, which are
 * none, are written as such.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import pl from "nodejs-polars"
import { report } from "../variants/report.mjs"

const [format, input, directory] = process.argv.slice(2)

await mkdir(directory, { recursive: true })
const startMillis = performance.now()
const readings = { csv: pl.scanCSV, jsonl: pl.scanJson, parquet: pl.scanParquet }[format](input)
const minute = format === "parquet" ? pl.col("at").date.strftime("%Y-%m-%dT%H:%M") : pl.col("at").str.slice(0, 16)
const perMinute = readings
  .filter(pl.col("ok").and(pl.col("value").gt(0)))
  .withColumn(minute.alias("windowStart"))
  .groupBy(["sensor", "windowStart"])
  .agg(
    pl.col("value").count().alias("readings"),
    pl.col("value").sum().alias("total"),
    pl.col("value").mean().alias("mean"),
  )
  .collectSync()
perMinute.writeJSON(join(directory, "polars.jsonl"), { format: "lines" })
report(startMillis, { rowsOut: perMinute.height })
