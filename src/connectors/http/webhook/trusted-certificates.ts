/** The file with certificates that a webhook trusts: read when the job begins, so that what is wrong with it stops nothing later. */
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { TidemarkError } from "../../../base/errors.ts"

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The text of a PEM file with one certificate or more.
 *
 * @throws TidemarkError `invalid-options` where it cannot be read, or has none.
 */
export function readCertificates(path: string): string {
  const refused = (problem: string, cause?: unknown) =>
    new TidemarkError("invalid-options", `webhook(...): the file ${path} of tls.caFile ${problem}.`, {
      hint: "Give the path of a PEM file with the certificates that are trusted.",
      cause,
    })
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    const { code = "unknown" } = cause as NodeJS.ErrnoException
    throw refused(`cannot be read (${code})`, cause)
  }
  const found = text.match(CERTIFICATE)
  if (found === null) throw refused("has no certificate")
  for (const each of found) {
    try {
      new X509Certificate(each)
    } catch (cause) {
      throw refused("has what is no certificate", cause)
    }
  }
  return text
}
