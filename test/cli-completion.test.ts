/** `tidemark completion`: what shells offer by its scripts. bash is asked itself, and so are zsh and fish where there are any. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const CLI = resolve("dist/cli/main.js")
const COMMANDS = ["init", "run", "explain", "status", "savepoint", "dead-letters", "log", "completion", "help"]

let directory = ""
const scripts = { bash: "", zsh: "", fish: "" }

function tidemark(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: directory, encoding: "utf8" })
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: "" })
  return stdout
}

function hasShell(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tidemark-completion-"))
  mkdirSync(join(directory, "state dir"))
  mkdirSync(join(directory, "jobs"))
  writeFileSync(join(directory, "jobs.ts"), "")
  writeFileSync(join(directory, "other * job.ts"), "")
  for (const shell of ["bash", "zsh", "fish"] as const) {
    scripts[shell] = join(directory, `.script.${shell}`)
    writeFileSync(scripts[shell], tidemark("completion", shell))
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The options that help shows. */
function optionsOf(help: string): string[] {
  return help.split("\n").flatMap((line) => (/^ {2}(?:-\w, )?--/.test(line) ? [/--[\w-]+/.exec(line)![0]] : []))
}

describe("in bash", () => {
  /** What is offered behind these words, the last of which is being written. */
  function offered(...words: string[]): string[] {
    const program = `source "$0"; COMP_WORDS=(tidemark "$@"); COMP_CWORD=$#; _tidemark; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program, scripts.bash, ...words], {
      cwd: directory,
      encoding: "utf8",
    })
    // Outside of a terminal there is no completion whose options could be set.
    expect(stderr).toBe("")
    return stdout.split("\n").filter(Boolean).sort()
  }

  test("commands are offered where one may come, and those below them", () => {
    expect(offered("")).toEqual([...COMMANDS].sort())
    expect(offered("st")).toEqual(["status"])
    expect(offered("dead-letters", "")).toEqual(["help", "list", "replay"])
    expect(offered("help", "ini")).toEqual(["init"])
    expect(offered("run", "run", "")).toEqual([])
    expect(offered("dead-letters", "list", "l")).toEqual([])
  })

  test("options are those that help shows, of each command", () => {
    const paths = [[], ["run"], ["dead-letters", "replay"]]
    for (const path of paths) {
      const shown = optionsOf(tidemark(...path, "--help"))
      expect(shown.length).toBeGreaterThan(1)
      expect(offered(...path, "--")).toEqual(shown.sort())
    }
    expect(offered("run", "--no-d")).toEqual(["--no-drain"])
    expect(offered("run", "--", "--no-d")).toEqual([])
    expect(offered("explain", "--no-d")).toEqual([])
  })

  test("values are offered by what an option or argument takes", () => {
    expect(offered("completion", "")).toEqual(["bash", "fish", "zsh"])
    expect(offered("completion", "bash", "")).toEqual([])
    expect(offered("run", "jobs")).toEqual(["jobs", "jobs.ts"])
    expect(offered("run", "--reset", "oth")).toEqual(["other * job.ts"])
    expect(offered("run", "jobs.ts", "")).toEqual([])
    expect(offered("run", "--dir", "")).toEqual(["jobs", "state dir"])
    expect(offered("run", "--dir", "jobs", "jobs.")).toEqual(["jobs.ts"])
    expect(offered("run", "--param", "jo")).toEqual([])
    expect(offered("status", "")).toEqual(["jobs", "state dir"])
    expect(offered("dead-letters", "replay", "--into", "jobs.")).toEqual(["jobs.ts"])
  })

  test("values behind = are, too, whether bash makes one word of it or three", () => {
    expect(offered("run", "--dir", "=")).toEqual(["jobs", "state dir"])
    expect(offered("run", "--dir", "=", "st")).toEqual(["state dir"])
    expect(offered("run", "--dir=st")).toEqual(["--dir=state dir"])
    expect(offered("run", "--dir", "=", "jobs", "jobs.")).toEqual(["jobs.ts"])
    expect(offered("run", "--dir=jobs", "jobs.")).toEqual(["jobs.ts"])
  })

  test("an option whose value may be left out waits for one, and not for an option", () => {
    expect(offered("run", "--serve", "jobs")).toEqual([])
    expect(offered("run", "--serve", "--js")).toEqual(["--json"])
    expect(offered("run", "--serve", "--json", "jobs.")).toEqual(["jobs.ts"])
    expect(offered("run", "--serve", ":9000", "jobs.")).toEqual(["jobs.ts"])
  })
})

describe("in zsh", () => {
  test("the script has each command with its options, choices and files", () => {
    const script = tidemark("completion", "zsh")
    expect(script).toMatch(/^#compdef tidemark\n/)
    for (const name of COMMANDS) expect(script).toContain(`    ${name}) _tidemark__${name} ;;\n`)
    expect(script).toContain(
      `'--dir=[where the job'\\''s state lies; without it in .tidemark/<job>]:directory:_files -/'`,
    )
    expect(script).toContain("\\: \\[host\\:\\]port; without it 127.0.0.1\\:9464]::address: '")
    expect(script).toContain("'*--param=[")
    expect(script).toContain("'1:shell:(bash zsh fish)'")
    expect(script).toContain("'1:file:_files'")
    for (const option of optionsOf(tidemark("run", "--help"))) expect(script).toContain(option)
  })

  test.skipIf(!hasShell("zsh"))("it can be read and evaluated", () => {
    const program = `autoload -Uz compinit && compinit -u -d "$1" && source "$0" && print -r -- $_comps[tidemark]`
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", program, scripts.zsh, join(directory, ".dump")], {
      encoding: "utf8",
    })
    expect({ stdout, stderr }).toEqual({ stdout: "_tidemark\n", stderr: "" })
  })
})

describe("in fish", () => {
  test("the script has each command with its options, choices and files", () => {
    const script = tidemark("completion", "fish")
    for (const name of COMMANDS) expect(script).toContain(`complete -c tidemark -n '__tidemark_at' -a ${name} -d '`)
    const run = "complete -c tidemark -n '__tidemark_at run'"
    for (const option of optionsOf(tidemark("run", "--help"))) expect(script).toContain(`-l ${option.slice(2)} -d '`)
    expect(script).toContain(
      `${run} -l dir -d 'where the job\\'s state lies; without it in .tidemark/<job>' -x -a '(__fish`,
    )
    expect(script).toContain(`${run} -F\n`)
    expect(script).toContain("complete -c tidemark -n '__tidemark_at completion' -a 'bash zsh fish'\n")
    expect(script).toMatch(/ case .*'run --dir' .*'dead-letters replay --into'/)
  })

  test.skipIf(!hasShell("fish"))("it offers what may come", () => {
    const offered = (line: string) => {
      const program = `source ${scripts.fish}; complete -C ${JSON.stringify(line)}`
      const options = { cwd: directory, encoding: "utf8", env: { ...process.env, HOME: directory } } as const
      const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", program], options)
      expect(stderr).toBe("")
      return stdout.split("\n").flatMap((offer) => (offer === "" ? [] : [offer.split("\t")[0]!]))
    }
    expect(offered("tidemark ").sort()).toEqual([...COMMANDS].sort())
    expect(offered("tidemark run --no-d")).toEqual(["--no-drain"])
    expect(offered("tidemark dead-letters li")).toEqual(["list"])
    expect(offered("tidemark run --dir jobs jobs.")).toEqual(["jobs.ts"])
    expect(offered("tidemark run --dir jo")).toEqual(["jobs/"])
    expect(offered("tidemark completion ").sort()).toEqual(["bash", "fish", "zsh"])
    expect(offered("tidemark run --param jo")).toEqual([])
  })
})

test("a shell that there is no script for is refused", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "completion", "csh"], { encoding: "utf8" })
  expect(stderr).toContain("Allowed choices are bash, zsh, fish.")
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" })
})
