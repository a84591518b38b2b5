/**
 * Errors a minute in a log of JSON lines that grows and is rotated: `npx tidemark run examples/logs/errors.ts`, and Ctrl-C to stop.
 * Something to follow: `while sleep 0.1; do echo "{\"at\":\"$(date -u +%FT%TZ)\",\"level\":\"error\",\"message\":\"oops\"}" >> app.log; done`
 */
import { count, job, schema, stdout, t, tumbling } from "tidemark"
import { jsonl } from "tidemark/files"

const Entry = schema({ at: t.timestamp(), level: t.string, message: t.string })

export const errors = job({
  name: "errors",
  inputs: { log: Entry },
  flow: ({ log }) => ({
    perMinute: log
      .filter((entry) => entry.level === "error")
      .eventTime("at", { outOfOrder: "5s" })
      .keyBy()
      .window(tumbling("1m"))
      .aggregate({ errors: count() }, { id: "per-minute" }),
  }),
})

export default errors.with({
  inputs: { log: jsonl("app.log", { follow: true }) },
  outputs: { perMinute: stdout({ format: "table" }) },
})
