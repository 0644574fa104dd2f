/** Tasks that count: each writes a number every 100 ms where nobody of the cluster comes, and says the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ENDS_IN_FULL = /\n$/

/** @param folder where each task keeps its count, outside of all that is killed. The pause needs no process of its own. */
export function countingJob(count: number, folder: string): string {
  const script = [
    `exec 8>>${folder}/$NOMAD_ALLOC_INDEX`,
    'echo pid $$ >&8',
    'mkfifo nap; exec 9<>nap',
    'i=0; while :; do i=$((i+1)); echo $i; echo $i >&8; read -t 0.1 -u 9; done',
  ].join('; ')
  return `job "counters" {
  group "g" {
    count = ${count}
    ephemeral_disk {
      size = 10
    }
    update {
      max_parallel     = ${count}
      min_healthy_time = "0s"
    }
    task "count" {
      driver = "raw_exec"
      config {
        command = "/bin/bash"
        args    = ["-c", ${JSON.stringify(script)}]
      }
      logs {
        max_files     = 2
        max_file_size = 4
      }
      resources {
        cpu    = 1
        memory = 10
      }
    }
  }
}
`
}

interface Counted {
  readonly starts: number
  readonly last: number
  /** The first number that is not one more than the one before. */
  readonly gapAt: number | undefined
}

function read(path: string): Counted {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // It has not begun.
    return { starts: 0, last: 0, gapAt: undefined }
  }
  const lines = (ENDS_IN_FULL.test(text) ? text : text.slice(0, text.lastIndexOf('\n') + 1)).split('\n').filter(Boolean)
  const numbers = lines.filter((line) => !line.startsWith('pid ')).map(Number)
  const gap = numbers.findIndex((number, at) => number !== at + 1)
  return { starts: lines.length - numbers.length, last: numbers.at(-1) ?? 0, gapAt: gap < 0 ? undefined : gap + 1 }
}

export class Counters {
  readonly #folder: string
  readonly #count: number

  constructor(folder: string, count: number) {
    this.#folder = folder
    this.#count = count
  }

  get haveBegun(): boolean {
    return this.#all().every(({ last }) => last > 0)
  }

  /** The number of each. */
  get counts(): readonly number[] {
    return this.#all().map(({ last }) => last)
  }

  /** Started twice, or a number left out. */
  problems(): readonly string[] {
    return this.#all().flatMap(({ starts, gapAt }, at) => [
      ...(starts === 1 ? [] : [`task ${at} was started ${starts} times`]),
      ...(gapAt === undefined ? [] : [`task ${at} left out ${gapAt}`]),
    ])
  }

  #all(): readonly Counted[] {
    return Array.from({ length: this.#count }, (_, at) => read(join(this.#folder, String(at))))
  }
}

export interface SaidLog {
  readonly last: number
  /** Places at which something is missing. */
  readonly gaps: number
  readonly lost: number
  /** Lines that nobody said, or said elsewhere. */
  readonly foreign: readonly string[]
}

/** What is in the logs of one allocation. */
export function readLog(folder: string): SaidLog {
  const numberOf = (name: string) => Number(name.split('.').at(-1))
  const text = readdirSync(folder)
    .filter((name) => name.startsWith('count.stdout.'))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('')
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
  const foreign: string[] = []
  let [last, gaps, lost] = [0, 0, 0]
  for (const line of lines) {
    const number = Number(line)
    if (!/^\d+$/.test(line) || number <= last) {
      foreign.push(`${JSON.stringify(line)} after ${last}`)
      continue
    }
    if (number > last + 1) {
      gaps++
      lost += number - last - 1
    }
    last = number
  }
  return { last, gaps, lost, foreign }
}
