/** Departures, delays and distances a day and airport, out of eight feeds of three million flights. */
import { count, job, max, mean, schema, sum, t, tumbling } from "tidemark"
import { jsonl } from "tidemark/files"

const Flight = schema({
  date: t.timestamp(),
  origin: t.string,
  destination: t.string,
  delay: t.int32,
  distance: t.int32,
})

export const delays = job({
  name: "flight-delays",
  params: schema({ minDistance: t.int32.default(0) }),
  inputs: { flights: Flight },
  flow: ({ flights }) => {
    const daily = flights
      .filter((flight, params) => flight.distance > params.minDistance)
      .derive({ late: t.int32 }, (flight) => ({ late: flight.delay > 15 ? 1 : 0 }))
      .eventTime("date", { outOfOrder: "30m" })
      .keyBy("origin")
      .window(tumbling("1d"))
      .aggregate(
        { flights: count(), late: sum("late"), meanDelay: mean("delay"), worstDelay: max("delay") },
        { id: "daily" },
      )
    return { daily, tooLate: daily.late }
  },
})

export default delays.with({
  inputs: { flights: jsonl("data/*.jsonl") },
  outputs: { daily: jsonl("out/daily"), tooLate: jsonl("out/too-late") },
  deadLetter: jsonl("out/bad"),
})
