/** Jobs whose tasks write a file when they run, which is how a benchmark sees that they do, and then sleep. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobText } from './side.js'

const STAMPED_WITHIN_MS = 120_000

/** A folder for what tasks of one side write. */
export class Stamps {
  readonly folder = mkdtempSync(join(tmpdir(), 'drover-bench-stamps-'))

  get count(): number {
    return readdirSync(this.folder).length
  }

  empty(): void {
    rmSync(this.folder, { recursive: true })
    mkdirSync(this.folder)
  }

  /** The moment at which the task of this name has written `text`. */
  whenStamped(name: string, text: string): Promise<number> {
    const path = join(this.folder, name)
    return new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer)
        watcher.close()
        act()
      }
      const timer = setTimeout(() => end(() => reject(new Error(`${path} did not become ${text}`))), STAMPED_WITHIN_MS)
      const watcher = watch(this.folder, (_, changed) => {
        if (changed !== name || readText(path) !== text) return
        const atMs = performance.now()
        end(() => resolve(atMs))
      })
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Each allocation writes its generation into a file of its job's name, or of its own id where there are several. */
export function stampingJob(stamps: Stamps, id: string, { count = 1, generation = 0 } = {}): JobText {
  const file = join(stamps.folder, count === 1 ? id : '$NOMAD_ALLOC_ID')
  const text = `job "${id}" {
  datacenters = ["*"]
  group "main" {
    count = ${count}
    update {
      max_parallel     = ${Math.max(1, count)}
      min_healthy_time = "0s"
    }
    ephemeral_disk {
      size = 10
    }
    task "sleep" {
      driver      = "raw_exec"
      kill_signal = "SIGKILL"
      logs {
        max_files     = 1
        max_file_size = 1
      }
      config {
        command = "/bin/sh"
        args    = ["-c", "echo $GENERATION > ${file}; exec sleep 100000"]
      }
      env {
        GENERATION = "${generation}"
      }
      resources {
        cpu    = 5
        memory = 10
      }
    }
  }
}
`
  return { id, text }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Its name was there before the file was.
    return ''
  }
}
