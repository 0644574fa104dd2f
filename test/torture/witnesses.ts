/** Tasks that nobody says anything about, one on each host: they must keep their processes and go on counting, whatever else happens. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const WITNESS_HOSTS = ['h1', 'h2'] as const

/** Ten numbers, on a machine that is busy. */
const STILL_MS = 3_000

/** A job that appends its process id and then a number every 100 ms to a file outside of all that is tortured. */
export function witnessJob(host: string, folder: string): string {
  const script = `echo pid $$ >> ${fileOf(folder, host)}; i=0; while :; do i=$((i+1)); echo $i >> ${fileOf(folder, host)}; echo line $i; sleep 0.1; done`
  return `job "witness-${host}" {
  constraint {
    attribute = "\${node.unique.name}"
    value     = "${host}"
  }
  group "g" {
    ephemeral_disk {
      size = 10
    }
    task "count" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args    = ["-c", ${JSON.stringify(script)}]
      }
      logs {
        max_files     = 2
        max_file_size = 1
      }
      resources {
        cpu    = 20
        memory = 20
      }
    }
  }
}
`
}

function fileOf(folder: string, host: string): string {
  return join(folder, `${host}.count`)
}

export class Witnesses {
  readonly #folder: string
  /** How far each had come when it was last seen to go on. */
  readonly #counts = new Map<string, { readonly count: number; readonly atMs: number }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** All have begun. */
  get areThere(): boolean {
    return WITNESS_HOSTS.every((host) => this.#read(host).numbers.length > 0)
  }

  /** What is wrong with them: started twice, stopped, or a number left out. */
  problems(): readonly string[] {
    return WITNESS_HOSTS.flatMap((host) => {
      const { pids, numbers } = this.#read(host)
      const nowMs = performance.now()
      const known = this.#counts.get(host) ?? { count: 0, atMs: nowMs }
      if (numbers.length > known.count) this.#counts.set(host, { count: numbers.length, atMs: nowMs })
      const isStill = numbers.length <= known.count && nowMs - known.atMs > STILL_MS
      const gap = numbers.findIndex((number, at) => number !== at + 1)
      return [
        ...(pids.length === 1 ? [] : [`the witness of ${host} was started ${pids.length} times`]),
        ...(isStill ? [`the witness of ${host} stands still at ${known.count}`] : []),
        ...(gap < 0 ? [] : [`the witness of ${host} left out ${gap + 1}`]),
      ]
    })
  }

  #read(host: string): { readonly pids: readonly string[]; readonly numbers: readonly number[] } {
    let text: string
    try {
      text = readFileSync(fileOf(this.#folder, host), 'utf8')
    } catch {
      // It has not begun yet.
      return { pids: [], numbers: [] }
    }
    const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
    return {
      pids: lines.filter((line) => line.startsWith('pid ')),
      numbers: lines.filter((line) => /^\d+$/.test(line)).map(Number),
    }
  }
}
