/** The job of the scenario `http-postgres` of `chaos.mjs`. */
export { attend, makeJob } from "./chaos-http-job.mjs"
