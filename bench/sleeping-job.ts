/** The text of a job whose tasks do nothing but be there. */
export interface SleepingJob {
  readonly name: string
  readonly count: number
  readonly driver: string
  /** Lines of the block `config`. */
  readonly config: readonly string[]
  readonly cpuMhz: number
  readonly memoryMb: number
}

export function sleepingJob({ name, count, driver, config, cpuMhz, memoryMb }: SleepingJob): string {
  return `job "${name}" {
  group "main" {
    count = ${count}
    update {
      max_parallel     = ${count}
      min_healthy_time = "0s"
    }
    ephemeral_disk {
      size = 10
    }
    task "sleep" {
      driver = "${driver}"
      logs {
        max_files     = 1
        max_file_size = 1
      }
      config {
        ${config.join('\n        ')}
      }
      resources {
        cpu    = ${cpuMhz}
        memory = ${memoryMb}
      }
    }
  }
}
`
}
