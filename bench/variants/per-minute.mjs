/**
 * The job of several benches: readings that are good and positive, by sensor and minute. It is given the Tidemark that is
 * to run it, which a process may have twice: as it is published, and module by module.
 */
export const perMinute = ({ count, job, mean, schema, sum, t, tumbling }) =>
  job({
    name: "bench",
    inputs: { readings: schema({ at: t.timestamp(), sensor: t.string, value: t.float64, ok: t.bool }) },
    flow: ({ readings }) => ({
      perMinute: readings
        .filter((r) => r.ok && r.value > 0)
        .eventTime("at", { outOfOrder: "5s" })
        .keyBy("sensor")
        .window(tumbling("1m"))
        .aggregate({ readings: count(), total: sum("value"), mean: mean("value") }, { id: "per-minute" }),
    }),
  })
