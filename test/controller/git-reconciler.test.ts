/** What a commit brings never ends the server: what is wrong or too large belongs to its file. */
import { expect, test } from 'vitest'
import { reconcilerWorld as world } from './reconciler-world.js'

const plain = (id: string, more = '') => `
job "${id}" {
  group "g" {
    count = 0
    task "t" {
      driver = "raw_exec"
      config { command = "/bin/true" }
      ${more}
    }
  }
}
`

test('a job of two hundred groups is registered', async () => {
  const { apply, leader } = await world()
  const text = `
job "many" {
  dynamic "group" {
    for_each = range(200)
    labels   = ["g\${group.value}"]
    content {
      count = 0
      task "t" {
        driver = "raw_exec"
        config {
          command = "/bin/sleep"
          args    = ["600"]
        }
      }
    }
  }
}
`
  expect(await apply({ 'jobs/many.nomad.hcl': text })).toMatchObject({ registered: 1, frozen: [] })
  expect(leader.state.jobs.get('default\u0000many')?.TaskGroups.length).toBe(200)
})

test('of the mistakes of a file the first hundred are kept, and how many more there are', async () => {
  const { apply } = await world()
  const wrong = Array.from({ length: 1_500 }, (_, at) => `unknown_${at} = 1`).join('\n')
  const { frozen } = await apply({ 'jobs/wrong.nomad.hcl': plain('wrong', wrong), 'jobs/sound.nomad.hcl': plain('sound') })
  const { mistakes } = frozen[0]!
  expect([frozen.length, mistakes.length]).toEqual([1, 101])
  expect(mistakes.at(-1)).toMatchObject({ summary: 'and 1400 more mistakes', more: 1_400 })
})

test('a folder of nine hundred jobs is renamed: nothing but their paths changes', async () => {
  const { apply, leader } = await world()
  const ids = Array.from({ length: 900 }, (_, at) => `job-number-${at}`)
  const from = (id: string) => `jobs/default/some-longer-folder-name/${id}.nomad.hcl`
  const to = (id: string) => `jobs/default/another-longer-folder-name/${id}.nomad.hcl`
  await apply(Object.fromEntries(ids.map((id) => [from(id), plain(id)])))
  const jobsIndex = leader.state.jobs.index
  const moves = ids.flatMap((id): [string, string | null][] => [
    [from(id), null],
    [to(id), plain(id)],
  ])
  expect(await apply(Object.fromEntries(moves))).toMatchObject({ registered: 0, removed: 0, held: null })
  expect(leader.state.jobs.index).toBe(jobsIndex)
  expect(leader.state.jobSources.all().every(({ path }) => path.includes('another-longer'))).toBe(true)
})

test('hundreds of files with mistakes freeze their jobs, and thaw', async () => {
  const { apply, leader, jobIds } = await world({ commandBytesMax: 4_000 })
  const paths = Array.from({ length: 300 }, (_, at) => `jobs/broken-${at}.nomad.hcl`)
  const broken = Object.fromEntries(paths.map((path) => [path, 'job "x" {']))
  expect((await apply({ ...broken, 'jobs/sound.nomad.hcl': plain('sound') })).frozen.length).toBe(300)
  expect(jobIds()).toEqual(['sound'])
  await apply(Object.fromEntries(paths.map((path, at) => [path, at < 299 ? plain(`job-${at}`) : null])))
  expect([leader.state.frozenFiles.count, leader.state.jobs.count]).toEqual([0, 300])
})

test('a file that stays broken is not written down again with every commit', async () => {
  const { apply, leader } = await world()
  await apply({ 'jobs/broken.nomad.hcl': 'job "x" {' })
  const { index } = leader.state.frozenFiles
  await apply({ 'jobs/other.nomad.hcl': plain('other') })
  expect([leader.state.frozenFiles.index, leader.state.frozenFiles.count]).toEqual([index, 1])
})

test('a job of a megabyte of data is registered, and one that is too large as a whole is a mistake of its file', async () => {
  const { apply, jobIds } = await world()
  const data = 'x'.repeat(900_000)
  const copies = Array.from({ length: 6 }, (_, at) => `COPY_${at} = local.data`).join('\n')
  const { registered, frozen } = await apply({
    'jobs/large.nomad.hcl': plain('large', `env { DATA = "${data}" }`),
    'jobs/too-large.nomad.hcl': `locals { data = "${data}" }${plain('too-large', `env {\n${copies}\n}`)}`,
  })
  expect([registered, jobIds(), frozen.map(({ path }) => path)]).toEqual([1, ['large'], ['jobs/too-large.nomad.hcl']])
  expect(frozen[0]!.mistakes[0]!.summary).toMatch(/^The job takes 54\d+ bytes as it is stored; the limit is 4194304/)
})

test('a subject of a megabyte is shortened', async () => {
  const { apply, leader } = await world()
  await apply({ 'jobs/a.nomad.hcl': plain('a') }, { subject: 's'.repeat(1_000_000), trailers: [{ key: 'Drover-Evaluate', value: 'a' }] })
  expect(leader.state.jobSources.all()[0]?.commit.subject.length).toBe(500)
})

test('five hundred files of one job name each other in bounded words', async () => {
  const { apply } = await world()
  const files = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`jobs/copy-${at}.nomad.hcl`, plain('same')]))
  const { frozen } = await apply(files)
  expect(frozen.length).toBe(500)
  expect(frozen[0]!.mistakes[0]!.summary).toMatch(/is also defined in (jobs\/copy-\d+\.nomad\.hcl(, )?){5} and 494 more files$/)
})
