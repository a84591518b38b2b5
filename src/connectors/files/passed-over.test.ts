import { expect, test } from "vitest"
import { PassedOverFiles } from "./passed-over.ts"

test("what is passed over is one warning for each pattern and reason, with the first names", () => {
  const files = new PassedOverFiles()
  for (let day = 1; day <= 7; day++) files.add("in/*", { id: `in/${day}`, reason: "directory" })
  files.add("in/**", { id: "in/link", reason: "linked-directory" })
  files.add("in/*", { id: "in/pipe", reason: "special" })
  files.add("in/*/a", { id: "in/x", reason: "dangling-link" })
  files.add("in/*/a", { id: "in/y", reason: "dangling-link" })
  expect(files.warnings("trips").map(({ message }) => message)).toEqual([
    'The input trips passes over 7 directories, at "in/*": in/1, in/2, in/3, in/4, in/5 and 2 more.',
    'The input trips passes over 1 link to a directory, at "in/**": in/link.',
    'The input trips passes over 1 thing that is neither file nor directory, at "in/*": in/pipe.',
    'The input trips passes over 2 links that lead nowhere, at "in/*/a": in/x, in/y.',
  ])
  expect(files.warnings("trips").map(({ hint }) => hint)).toEqual([
    expect.stringContaining('such as "in/1/*"'),
    expect.stringContaining('"in/link/**"'),
    expect.stringContaining("Only files are read"),
    expect.stringContaining("mend or remove the link"),
  ])
})
