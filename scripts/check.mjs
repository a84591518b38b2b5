/**
 * `npm run check`: all that must hold before a change is merged, two steps at a time, each with its output where it
 * fails. `npm run check -- --only lint,layers` runs some steps, `-- --skip tests` leaves some out.
 */
import { ROOT, StepFailed, prepare, runMain } from "./bootstrap.mjs"
import { checkSteps, runCheckStep } from "./check-steps.mjs"
import { readOptions } from "./options.mjs"

const AT_ONCE = 2

function chosenSteps() {
  const steps = checkSteps(ROOT)
  const choices = steps.map(({ name }) => name)
  const { only, skip: skipped } = readOptions({
    command: "npm run check --",
    what: "All that must hold before a change is merged.",
    options: {
      only: { value: "STEP,…", kind: "texts", choices, help: `Only these of ${choices.join(", ")}.` },
      skip: { value: "STEP,…", kind: "texts", choices, default: [], help: "All but these." },
    },
  })
  return steps.filter(({ name }) => (only === undefined || only.includes(name)) && !skipped.includes(name))
}

/** Runs the steps, so many at once, and prints a line for each; gives the names of those that failed. */
async function runSteps(steps, atOnce) {
  const waiting = [...steps]
  const failed = []
  const work = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const started = performance.now()
      const { passed, output } = await runCheckStep(ROOT, step)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${passed ? "ok  " : "FAIL"} ${step.name.padEnd(12)} ${seconds.padStart(6)} s  ${step.what}`)
      if (passed) continue
      failed.push(step.name)
      console.log(`${output.trimEnd()}\n`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return failed
}

await runMain(async () => {
  const steps = chosenSteps()
  await prepare()
  const together = steps.filter((step) => !step.isAlone)
  const alone = steps.filter((step) => step.isAlone)
  const failed = [...(await runSteps(together, AT_ONCE)), ...(await runSteps(alone, 1))]
  if (failed.length > 0)
    throw new StepFailed(`${failed.length} of ${steps.length} steps failed: ${failed.join(", ")}.`, 1)
  console.log(`all ${steps.length} steps passed`)
})
