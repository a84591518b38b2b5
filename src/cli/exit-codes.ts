/** The exit codes of the command line; `tidemark --help` and `docs/cli.md` list them. */
export const EXIT = {
  /** The job read all its input and committed. */
  finished: 0,
  /** The job failed; the message says why. What was committed before stays. */
  failed: 1,
  /** The command line or the job file is wrong. Nothing was run. */
  usage: 2,
  /** Stopped by SIGINT (Ctrl-C), after a commit. Run again to go on. */
  interrupted: 130,
  /** Stopped by SIGTERM, after a commit. Run again to go on. */
  terminated: 143,
} as const
