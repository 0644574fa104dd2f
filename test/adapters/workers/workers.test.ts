/** The compiled worker, as the server runs it. */
import { afterEach, describe, expect, test } from 'vitest'
import { InProcessSyntaxReader } from '../../../src/adapters/hcl-syntax/index.js'
import { WorkerJobReader, type WorkerJobReaderOptions } from '../../../src/adapters/workers/job-reader.js'
import { WorkerJobRequests } from '../../../src/adapters/workers/job-requests.js'
import { readJobFile } from '../../../src/controller/index.js'
import { LIMITS } from '../../../src/jobspec/index.js'
import { treeOf, withConfig, withGroup } from '../../jobspec/read.js'

const workerUrl = new URL('../../../dist/main/worker.js', import.meta.url)
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

const closing: (() => Promise<void>)[] = []
function reader(options: WorkerJobReaderOptions = {}): WorkerJobReader {
  const made = new WorkerJobReader({ size: 1, inlineMax: 0, workerUrl, ...options })
  closing.push(() => made.close())
  return made
}
function requests(): WorkerJobRequests {
  const made = new WorkerJobRequests({ workerUrl })
  closing.push(() => made.close())
  return made
}
afterEach(async () => void (await Promise.all(closing.splice(0).map((close) => close()))))

const path = 'jobs/web.nomad.hcl'

describe('a job file that is read in a worker', () => {
  const repository = {
    [path]: `variable "size" {}\n${withConfig('a = file("greeting.txt")\nb = fileset(".", "*.txt")\nc = var.size')}`,
    'jobs/web.vars.hcl': 'size = 3\n',
    'jobs/web.patch.yaml': '- { op: replace, path: /Priority, value: 70 }\n',
    'jobs/greeting.txt': 'hello',
    'jobs/other.txt': 'other',
  }

  test('gives the job, the warnings and the inputs that reading it here gives', async () => {
    const here = await readJobFile(path, treeOf(repository), new InProcessSyntaxReader())
    expect(here).toMatchObject({ kind: 'job', job: { Priority: 70 } })
    expect(await reader().read(path, treeOf(repository), {})).toEqual(here)
    expect(await reader({ inlineMax: 1 }).read(path, treeOf(repository), {})).toEqual(here)
  })

  test('gives the mistakes that reading it here gives, also where it was looked at before it was handed over', async () => {
    const files = { [path]: withGroup('    count = -1') }
    const here = await readJobFile(path, treeOf(files), new InProcessSyntaxReader())
    expect(here.kind).toBe('mistakes')
    expect(await reader().read(path, treeOf(files), {})).toEqual(here)
    expect(await reader({ inlineMax: 9 }).read(path, treeOf(files), {})).toEqual(here)
  })

  test('may take more steps than are taken at once', async () => {
    const files = { [path]: withConfig('a = length([for x in range(1000) : [for y in range(50) : y]])') }
    expect(await reader({ inlineMax: 9 }).read(path, treeOf(files), {})).toMatchObject({ kind: 'job' })
  })

  test('and takes too long is not read yet at first, and a mistake of its file when it always does', async () => {
    const files = { [path]: withConfig('a = 1') }
    const hanging = reader({
      workerUrl: new URL(
        `data:text/javascript,${encodeURIComponent('import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { for (;;); })')}`,
      ),
      limits: { ...LIMITS, parseMsMax: 20 },
      loadingMsMax: 20,
    })
    const kinds: string[] = []
    for (let attempt = 0; attempt < 5; attempt++) kinds.push((await hanging.read(path, treeOf(files), {})).kind)
    expect(kinds).toEqual(['aborted', 'aborted', 'aborted', 'aborted', 'mistakes'])
    expect((await hanging.read(path, treeOf({ [path]: withConfig('a = 2') }), {})).kind).toBe('aborted')
  })
})

describe('a request body that is read in a worker', () => {
  test('is checked as Nomad does, and refused with the words of the API', async () => {
    const body = encode({ Job: { ID: 'web', TaskGroups: Array.from({ length: 1_001 }, (_, at) => ({ Name: `g${at}` })) } })
    const answer = await requests().answer({ kind: 'check', body, namespace: '', isJobWanted: false })
    expect(answer).toMatchObject({ kind: 'checked', check: { problems: ['1001 groups are too many; the limit is 1000'] } })
    expect(await requests().answer({ kind: 'check', body: encode([]), namespace: '', isJobWanted: false })).toMatchObject({
      kind: 'refused',
      code: 'BAD_REQUEST',
    })
  })

  test('becomes the job that its HCL means', async () => {
    const answer = await requests().answer({ kind: 'parse', body: encode({ JobHCL: withConfig('a = 1'), Canonicalize: true }) })
    expect(answer.kind === 'json' && JSON.parse(new TextDecoder().decode(answer.json))).toMatchObject({ ID: 'j', Type: 'service' })
  })
})
