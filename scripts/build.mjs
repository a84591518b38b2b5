/** `npm run build`: installs what is missing and builds `dist/` where a source has changed. */
import { prepare, runMain } from "./bootstrap.mjs"

await runMain(() => prepare())
