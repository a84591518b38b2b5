/**
 * What linters cannot see: how files open and are named, that every error has its page and every rule of the spec its
 * test, that lists which must agree do. `node scripts/tidy.mjs` prints what it finds; `test/house.test.ts` sees each
 * rule go red.
 *
 * Each rule is a function from the tree to sentences. A tree is the paths of the checkout and their texts.
 */
import { readFileSync, readdirSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import { doors, layers, pureLayers } from "../layers.mjs"

const IGNORED =
  /^(\.git|__snapshots__|node_modules|dist|dist\.next|dist\.last|\.bootstrap|\.tidemark|temp|out|coverage)$/
const CODE = /\.(ts|mjs)$/
const BESIDE = /(?<=\w)\.(test|fuzz|bench)\.ts$/
const TEST = /\.(test|fuzz)\.ts$/
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/
const KEBAB_FOLDERS = /^(src|scripts|test|bench|examples)\//
const BANNED_NAMES = ["util", "utils", "common", "misc", "helper", "helpers", "manager"]
// The words are put together here, so that this file does not find itself.
const OPEN_ENDS = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`)
const TEST_NAME = /\b(?:test|it|describe)(?:\.\w+)*(?:\([^()]*\))?\(\s*(["'`])(.*?)\1/gs
const ERROR_PAGE_HEADINGS = ["## What happened", "## Why", "## What to do"]
const RULE_ID = /\*\*([A-Z]{1,3}\d+)\*\*/g

/** The rules by name: each gives a sentence for each thing out of order. */
export const tidyRules = {
  /** Every file of code opens with a comment that says what it is for. A test beside its file is for that file. */
  opening(tree) {
    return paths(tree, CODE)
      .filter((path) => !opens(tree.get(path)) && !(BESIDE.test(path) && tree.has(path.replace(BESIDE, ".ts"))))
      .map((path) => {
        return `${path}: open the file with a comment that says what it is for and where it ends.`
      })
  },

  /** One noun a file, in kebab-case. */
  kebabCase(tree) {
    return paths(tree, KEBAB_FOLDERS)
      .filter((path) => !path.split("/").every((name) => KEBAB.test(name)))
      .map((path) => `${path}: name files and folders in kebab-case.`)
  },

  /** Names that say nothing about what is inside. */
  bannedNames(tree) {
    return paths(tree, KEBAB_FOLDERS)
      .filter((path) => path.split(/[/.-]/).some((word) => BANNED_NAMES.includes(word)))
      .map((path) => `${path}: name it after what it does; ${BANNED_NAMES.join(", ")} say nothing.`)
  },

  /** What is not done is an issue, not a remark. */
  openEnds(tree) {
    return findLines(tree, /\.(ts|mjs|md)$/, OPEN_ENDS, "finish it, or open an issue: no remarks about what is left")
  },

  /** An exemption from the linter or the compiler says why. */
  reasons(tree) {
    const bare = /(eslint-disable(?!.*\s--\s+\S.{10})|prettier-ignore|@ts-ignore|@ts-nocheck)/
    return findLines(tree, /^(?!scripts\/tidy\.mjs|test\/house).*\.(ts|mjs)$/, bare, "write the reason behind ` -- `")
  },

  /** No test is left out, and none leaves out the others. */
  allTestsRun(tree) {
    const some = /\b(test|it|describe)(\.\w+)*\.(only|skip|todo)\b/
    return findLines(tree, TEST, some, "run all tests, always (`skipIf` names what a machine lacks)")
  },

  /** The folders of `src/` are those of the policy, and only doors stand beside them. */
  sourceFolders(tree) {
    const known = [...doors, "deterministic-globals.d.ts"]
    return paths(tree, /^src\//).flatMap((path) => {
      const inside = path.slice("src/".length)
      if (known.includes(inside)) return []
      if (Object.keys(layers).some((folder) => inside.startsWith(`${folder}/`))) return []
      return [`${path}: it is in no folder of layers.mjs, and no door.`]
    })
  },

  /** `tsconfig.pure.json` compiles the pure layers of the policy, all of them. */
  pureLayers(tree) {
    const included = JSON.parse(tree.get("tsconfig.pure.json") ?? "{}").include ?? []
    return pureLayers
      .filter((layer) => !included.includes(`src/${layer}`))
      .map((layer) => `tsconfig.pure.json: it must include "src/${layer}", which layers.mjs calls pure.`)
  },

  /** Every error code has its page, all pages are made alike, and every code is thrown somewhere. */
  errorPages(tree) {
    const codes = errorCodes(tree)
    const pages = paths(tree, /^docs\/errors\/[^/]+\.md$/).map((path) =>
      path.slice("docs/errors/".length, -".md".length),
    )
    const product = paths(tree, /^src\/.*\.ts$/).filter((path) => path !== "src/base/errors.ts" && !TEST.test(path))
    const isThrown = (code) => product.some((path) => tree.get(path).includes(`"${code}"`))
    return [
      ...codes
        .filter((code) => !pages.includes(code))
        .map((code) => `docs/errors/${code}.md: write the page of this code.`),
      ...codes
        .filter((code) => pages.includes(code) && !new RegExp(`^# .*${code}`).test(tree.get(`docs/errors/${code}.md`)))
        .map((code) => `docs/errors/${code}.md: name the code in the heading of the page.`),
      ...codes.filter((code) => !isThrown(code)).map((code) => `src/base/errors.ts: nothing gives the code "${code}".`),
      ...pages
        .filter((page) => !codes.includes(page) && page !== "README")
        .map((page) => `docs/errors/${page}.md: no code of src/base/errors.ts has this name.`),
      ...pages.flatMap((page) => {
        const headings = [...tree.get(`docs/errors/${page}.md`).matchAll(/^## .*$/gm)].map(([heading]) => heading)
        const isWhole = headings.join("\n") === ERROR_PAGE_HEADINGS.join("\n")
        return isWhole ? [] : [`docs/errors/${page}.md: its headings are ${ERROR_PAGE_HEADINGS.join(", ")}.`]
      }),
    ]
  },

  /** Every rule of the spec stands once, and is in the name of a test. */
  specRules(tree) {
    const names = paths(tree, TEST).flatMap((path) => [...tree.get(path).matchAll(TEST_NAME)].map((match) => match[2]))
    const tested = new Set(names.flatMap((name) => name.match(/\b[A-Z]{1,3}\d+\b/g) ?? []))
    const seen = new Map()
    return paths(tree, /^docs\/spec\/[^/]+\.md$/).flatMap((path) => {
      return [...tree.get(path).matchAll(RULE_ID)].flatMap(([, id]) => {
        const first = seen.get(id)
        seen.set(id, path)
        if (first !== undefined) return [`${path}: ${id} is a rule of ${first} already.`]
        return tested.has(id) ? [] : [`${path}: no test has ${id} in its name.`]
      })
    })
  },

  /** A rule that the guide names is one: prefixes are those of the rules that there are. */
  guideRules(tree) {
    const pages = paths(tree, /^docs\/(spec\/[^/]+|dead-letters)\.md$/)
    const rules = new Set(pages.flatMap((path) => [...tree.get(path).matchAll(RULE_ID)].map(([, id]) => id)))
    const prefixes = new Set([...rules].map((id) => id.replace(/\d+$/, "")))
    return paths(tree, /^docs\/guide\/[^/]+\.md$/).flatMap((path) => {
      const prose = tree
        .get(path)
        .replaceAll(/^```.*?^```/gms, "")
        .replaceAll(/`[^`\n]*`/g, "")
      return [...prose.matchAll(/\b([A-Z]{1,3})\d+\b/g)].flatMap(([id, prefix]) => {
        return prefixes.has(prefix) && !rules.has(id) ? [`${path}: there is no rule ${id}.`] : []
      })
    })
  },

  /** A decision is named by its number, so no two have the same. */
  decisionNumbers(tree) {
    const names = paths(tree, /^docs\/decisions\/\d{4}-/).sort()
    const numberOf = (path) => path.slice("docs/decisions/".length).slice(0, 4)
    return names.flatMap((path) => {
      const first = names.find((other) => numberOf(other) === numberOf(path))
      if (first !== path) return [`${path}: ${first} has this number; take the next one that is free.`]
      return tree.get(path).startsWith(`# ${numberOf(path)} `) ? [] : [`${path}: its title begins with its number.`]
    })
  },

  /** Links between our own pages lead somewhere. */
  links(tree) {
    const folders = new Set([...tree.keys()].flatMap((path) => ancestors(path)))
    return paths(tree, /\.md$/).flatMap((path) => {
      const text = tree
        .get(path)
        .replaceAll(/^```.*?^```/gms, "")
        .replaceAll(/`[^`\n]*`/g, "")
      return [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)].flatMap(([, link]) => {
        const target = normalize(join(dirname(path), link)).replace(/\/$/, "")
        return tree.has(target) || folders.has(target) ? [] : [`${path}: the link to ${link} leads nowhere.`]
      })
    })
  },
}

/** All findings, each with the name of its rule. */
export function tidy(root) {
  const tree = readTree(root)
  return Object.entries(tidyRules).flatMap(([rule, find]) => find(tree).map((finding) => `${rule}: ${finding}`))
}

function readTree(root) {
  const tree = new Map()
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (IGNORED.test(entry.name)) continue
      if (entry.isDirectory()) visit(path)
      else if (entry.isFile())
        tree.set(path, /\.(ts|mjs|md|json)$/.test(path) ? readFileSync(join(root, path), "utf8") : "")
    }
  }
  visit("")
  return tree
}

function paths(tree, pattern) {
  return [...tree.keys()].filter((path) => pattern.test(path)).sort()
}

function ancestors(path) {
  return path === "." ? [] : [path, ...ancestors(dirname(path))]
}

function findLines(tree, files, pattern, what) {
  return paths(tree, files).flatMap((path) => {
    return tree
      .get(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${what}.`] : []))
  })
}

/** A comment of at least twenty characters, at the very top or below the line that names the interpreter. */
function opens(text) {
  const comment = /^(?:#![^\n]*\n)?(?:\/\*\*?([\s\S]*?)\*\/|((?:\/\/[^\n]*\n)+))/.exec(text)
  return comment !== null && (comment[1] ?? comment[2]).replaceAll(/[\s*/]+/g, " ").trim().length >= 20
}

function errorCodes(tree) {
  const list = /ERROR_CODES = \[([^\]]*)\]/.exec(tree.get("src/base/errors.ts") ?? "")
  return [...(list?.[1] ?? "").matchAll(/"([^"]+)"/g)].map((match) => match[1])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = tidy(dirname(dirname(fileURLToPath(import.meta.url))))
  for (const finding of findings) console.error(finding)
  process.exitCode = findings.length === 0 ? 0 : 1
}
