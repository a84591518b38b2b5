/**
 * The public surface as a text, one report a door in `api/`, so that each change of it is a reviewed diff.
 *
 * `node scripts/api-report.mjs` fails where a report is not what `dist/` publishes; `--update` writes the reports.
 */
import { mkdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor"
import { doors } from "../layers.mjs"

/** Compares the reports with what is built, or writes them; gives a sentence for each thing out of order. */
export function apiReports(root, update) {
  mkdirSync(join(root, "api"), { recursive: true })
  mkdirSync(join(root, "temp", "api"), { recursive: true })
  return doors.flatMap((door) => apiReport(root, basename(door, ".ts"), update))
}

function apiReport(root, name, update) {
  const report = name === "index" ? "tidemark" : `tidemark-${name}`
  const findings = []
  const result = Extractor.invoke(ExtractorConfig.prepare(configuration(root, name, report)), {
    localBuild: update,
    messageCallback: (message) => {
      const isProblem = message.logLevel === ExtractorLogLevel.Error || message.logLevel === ExtractorLogLevel.Warning
      // What the extractor says about its own doings is said below.
      const isAboutCode = !message.messageId.startsWith("console-")
      if (isProblem && isAboutCode && !message.handled) findings.push(message.formatMessageWithLocation(root))
      message.handled = true
    },
  })
  if (result.apiReportChanged && !update) {
    findings.push(`api/${report}.api.md is not what is published: run \`npm run api\`, read the diff and commit it.`)
  }
  return findings
}

function configuration(root, name, report) {
  return {
    packageJsonFullPath: join(root, "package.json"),
    configObjectFullPath: join(root, "api", "none.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, "dist", `${name}.d.ts`),
      compiler: { tsconfigFilePath: join(root, "tsconfig.json") },
      apiReport: {
        enabled: true,
        reportFolder: join(root, "api"),
        reportTempFolder: join(root, "temp", "api"),
        reportFileName: `${report}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        // The compiler and `public-docs.mjs` say what these would; what is not exported stands in the report.
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          "ae-undocumented": { logLevel: ExtractorLogLevel.None },
          "ae-missing-release-tag": { logLevel: ExtractorLogLevel.None },
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = apiReports(dirname(dirname(fileURLToPath(import.meta.url))), process.argv.includes("--update"))
  for (const finding of findings) console.error(finding)
  process.exitCode = findings.length === 0 ? 0 : 1
}
