/** What `run` refuses of programs that the compiler has not seen, before it touches anything. */
import { expect, test } from "vitest"
import { schema } from "../batch/schema.ts"
import { t } from "../batch/types.ts"
import { jsonl } from "../connectors/files/file-connector.ts"
import { job } from "../stream/job.ts"
import { run } from "./run.ts"

const fares = job({ name: "fares", inputs: { trips: schema({ fare: t.float64 }) }, flow: ({ trips }) => ({ trips }) })
const bound = fares.with({ inputs: { trips: jsonl("nowhere/*.jsonl") }, outputs: { trips: jsonl("out") } })

test.each<[options: unknown, message: string, hint: string]>([
  [{ drian: "never" }, 'run(...) has no option "drian".', 'Did you mean "drain"?'],
  ["state", 'run(...) takes an object of options, not "state".', '"directory"'],
  [{ drain: "end" }, 'run(...): drain is "end".', '"at-end", "always" or "never"'],
  [{ drain: true }, "run(...): drain is true.", '"at-end", "always" or "never"'],
  [{ reset: "yes" }, 'run(...): reset is "yes".', "true or false"],
  [{ directory: "" }, 'run(...): directory is "".', "a directory"],
  [{ baseDirectory: 5 }, "run(...): baseDirectory is 5.", "a directory"],
  [{ compile: false }, "run(...): compile is false.", '"auto" or "off"'],
  [{ batchRows: 0 }, "run(...): batchRows is 0.", "1 to 65,536"],
  [{ batchRows: NaN }, "run(...): batchRows is NaN.", "1 to 65,536"],
  [{ onEvent: console }, "run(...): onEvent is an object.", "a function"],
])("run with %o is refused", async (options, message, hint) => {
  await expect(run(bound, options as never)).rejects.toMatchObject({
    code: "invalid-options",
    message,
    hint: expect.stringContaining(hint) as string,
  })
})

test.each<[job: unknown, message: string]>([
  [undefined, "run(...) is given undefined."],
  [fares, "run(...) is given the job fares, which is not bound to connectors."],
])("run of %# is refused", async (given, message) => {
  await expect(run(given as never)).rejects.toMatchObject({ code: "invalid-options", message })
})
