/** The job of the scenario `http-webhook` of `chaos.mjs`. */
export { attend, makeJob } from "./chaos-http-job.mjs"
