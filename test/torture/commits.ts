/** Commits, right and wrong, small and large, and what people do to histories. */
import type { FileChange } from '../scratch-repository.js'
import type { Act } from './acts.js'
import type { TortureWorld } from './world.js'

const pathOf = (id: string) => `jobs/load/${id}.nomad.hcl`

interface JobShape {
  readonly count?: number
  readonly script?: string
  readonly more?: string
  readonly user?: string
}

export function jobText(id: string, { count = 1, script = 'sleep 600', more = '', user }: JobShape = {}): string {
  return `job "${id}" {
  group "g" {
    count = ${count}
    ${more}
    ephemeral_disk {
      size = 10
    }
    task "t" {
      driver = "raw_exec"
      ${user === undefined ? '' : `user = "${user}"`}
      kill_timeout = "1s"
      config {
        command = "/bin/sh"
        args    = ["-c", ${JSON.stringify(script)}]
      }
      logs {
        max_files     = 2
        max_file_size = 1
      }
      resources {
        cpu    = 5
        memory = 10
      }
    }
  }
}
`
}

function put(world: TortureWorld, id: string, shape: JobShape = {}): void {
  const text = jobText(id, shape)
  world.jobs.set(id, text)
  world.repository.commit({ [pathOf(id)]: text }, `put ${id}`)
}

const newId = (world: TortureWorld) => `load-${world.random.between(1, 12)}`

/** What tasks do that are not well behaved; all of them stay inside what a task may touch. */
const SCRIPTS: readonly string[] = [
  'exit 0',
  'exit 3',
  'sleep 1; exit 1',
  'trap "" TERM; sleep 600',
  'mkfifo $NOMAD_TASK_DIR/pipe; sleep 600',
  'mkfifo $NOMAD_ALLOC_DIR/pipe; sleep 600',
  'ln -s /etc/passwd $NOMAD_TASK_DIR/link; sleep 600',
  'mkdir -p $NOMAD_ALLOC_DIR/a/b/c; ln -s .. $NOMAD_ALLOC_DIR/a/b/c/up; sleep 600',
  'head -c 20000000 /dev/zero | tr "\\\\0" "x"; sleep 600',
  'head -c 30000000 /dev/zero > $NOMAD_ALLOC_DIR/data/large; sleep 600',
  '(setsid sleep 600 &); (setsid sh -c "sleep 600" &); sleep 600',
  'for i in $(seq 50); do sleep 600 & done; wait',
  'i=0; while [ $i -lt 400 ]; do i=$((i+1)); : > $NOMAD_TASK_DIR/file-$i; done; sleep 600',
]

export const COMMIT_ACTS: readonly Act[] = [
  { name: 'a job is put', run: (world) => put(world, newId(world), { count: world.random.between(0, 3) }) },
  { name: 'a task misbehaves', run: (world) => put(world, newId(world), { script: world.random.pick(SCRIPTS) }) },
  {
    name: 'a task of an ordinary user misbehaves',
    run: (world) => put(world, newId(world), { script: world.random.pick(SCRIPTS), user: 'nobody' }),
  },
  {
    name: 'a job is removed',
    run: (world) => {
      const id = [...world.jobs.keys()][0]
      if (id === undefined) return
      world.jobs.delete(id)
      world.repository.commit({ [pathOf(id)]: null }, `remove ${id}`)
    },
  },
  {
    name: 'all jobs are removed at once',
    run: (world) => {
      const removed = Object.fromEntries([...world.jobs.keys()].map((id): [string, FileChange] => [pathOf(id), null]))
      world.jobs.clear()
      world.repository.commit(removed, 'remove all\n\nDrover-Allow-Delete: *')
    },
  },
  { name: 'a file that does not parse', run: (world) => broken(world, 'job "broken" {\n  group "g" {\n    task "t" {\n') },
  { name: 'a file of a thousand mistakes', run: (world) => broken(world, `job "broken" {\n${'  unknown = 1\n'.repeat(1_500)}}\n`) },
  { name: 'a file that is no text', run: (world) => broken(world, 'job "broken" { \u0000 }') },
  { name: 'a file of two megabytes', run: (world) => broken(world, `# ${'x'.repeat(2_000_000)}\n${jobText('broken')}`) },
  { name: 'a file whose evaluation takes many steps', run: (world) => broken(world, manySteps('broken')) },
  { name: 'a job of two hundred groups', run: (world) => broken(world, manyGroups('wide')) },
  {
    name: 'a job of half a megabyte',
    run: (world) => broken(world, jobText('large', { count: 0, more: `meta {\n  DATA = "${'x'.repeat(500_000)}"\n}` })),
  },
  { name: 'a link in the place of a folder', run: (world) => mend(world, 'jobs/link', { link: '../elsewhere' }) },
  { name: 'three hundred files come, and go by a trailer', run: (world) => manyFiles(world) },
  {
    name: 'trailers for nobody',
    run: (world) => void world.repository.commit({}, 'acts\n\nDrover-Evaluate: nobody\nDrover-Promote: x\nDrover-Nonsense: y'),
  },
  {
    name: 'history is rewritten',
    run: (world) => {
      world.repository.git('commit', '-q', '--amend', '--allow-empty', '-m', 'amended')
    },
  },
  {
    name: 'a branch is merged',
    run: (world) => {
      const { repository } = world
      const id = `load-${world.random.between(1, 12)}`
      repository.git('checkout', '-q', '-b', 'side')
      put(world, id, { count: 1 })
      repository.git('checkout', '-q', 'main')
      repository.git('merge', '-q', '--no-ff', '-m', 'merge', 'side')
      repository.git('branch', '-q', '-D', 'side')
    },
  },
  {
    name: 'the repository is repacked',
    run: (world) => {
      world.repository.git('gc', '-q', '--prune=now')
    },
  },
]

/** Committed, looked at, and taken away by a commit of its own, so that nothing holds what comes later. */
function broken(world: TortureWorld, text: string): void {
  return mend(world, 'jobs/broken.nomad.hcl', text)
}

function mend(world: TortureWorld, path: string, change: FileChange): void {
  world.repository.commit({ [path]: change }, `put ${path}`)
  world.repository.commit({ [path]: null }, `take ${path} away\n\nDrover-Allow-Delete: *`)
}

function manyFiles(world: TortureWorld): void {
  const paths = Array.from({ length: 300 }, (_, at) => `jobs/many/many-${at}.nomad.hcl`)
  world.repository.commit(
    Object.fromEntries(paths.map((path, at): [string, FileChange] => [path, jobText(`many-${at}`, { count: 0 })])),
    'many files',
  )
  world.repository.commit(Object.fromEntries(paths.map((path): [string, FileChange] => [path, null])), 'and away\n\nDrover-Allow-Delete: *')
}

/** Some hundred thousand, as an author may ask for without thinking. */
function manySteps(id: string): string {
  return `locals {\n  numbers = [for a in range(300) : [for b in range(300) : a * b]]\n}\n${jobText(id, { count: 0 })}`
}

function manyGroups(id: string): string {
  return `job "${id}" {
  dynamic "group" {
    for_each = range(200)
    labels   = ["g\${group.value}"]
    content {
      count = 0
      task "t" {
        driver = "raw_exec"
        config {
          command = "/bin/true"
        }
      }
    }
  }
}
`
}
