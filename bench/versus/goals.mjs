/** What the comparison is to show: by query and rival, how many times as long as ours it takes, at least. */

const GOALS = [
  { format: "jsonl", side: "duckdb", overOurs: 1 },
  { format: "jsonl", side: "polars", overOurs: 1 },
  { format: "csv", side: "duckdb", overOurs: 1 / 1.5 },
  { format: "csv", side: "polars", overOurs: 1 },
  { format: "parquet", side: "duckdb", overOurs: 1 / 3 },
  ...["csv", "jsonl", "objects"].map((format) => ({ format, side: "rxjs", overOurs: 10 })),
]

/** The results that have a goal, each with it and whether it is reached: cold, and warm where that was measured. */
export function judged(results) {
  return results.flatMap((result) => {
    const goal = GOALS.find(({ format, side }) => format === result.format && side === result.side)
    if (goal === undefined) return []
    const ratios = [result.cold, result.warm].flatMap((run) => (run === undefined ? [] : [run.overOurs.median]))
    return [{ ...result, goal: goal.overOurs, isReached: ratios.every((ratio) => ratio >= goal.overOurs) }]
  })
}
