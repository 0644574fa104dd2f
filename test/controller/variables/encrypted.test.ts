/** Encrypted values, their recipients and who may read them, as the server sees a commit: without any key. */
import { expect, test } from 'vitest'
import { encryptValue, makeIdentity } from '../../../src/adapters/age/index.js'
import type { SourceTree } from '../../../src/controller/source-tree.js'
import { VariablesFolderReader } from '../../../src/controller/variables/variables-folder.js'
import { variableKey } from '../../../src/state/index.js'
import { reconcilerWorld } from '../reconciler-world.js'

const WEB = 'vars/default/nomad/jobs/web.yaml'
const { recipient: HOSTS } = await makeIdentity()
const { recipient: ANN } = await makeIdentity()

async function sealed(name: string, path = 'nomad/jobs/web', recipients = [HOSTS]): Promise<string> {
  const text = await encryptValue('hunter2', { namespace: 'default', path, name }, recipients)
  return `${name}: |\n${text.replace(/^/gm, '  ')}\n`
}

async function read(files: Readonly<Record<string, string>>) {
  const entries = Object.keys(files)
    .sort()
    .map((path) => ({ path, blob: path, kind: 'file' as const, sizeBytes: files[path]!.length }))
  const blobs = { read: async (path: string) => ({ kind: 'text', text: files[path]! }) }
  const reader = new VariablesFolderReader()
  const tree = {
    entries,
    prefetch: async () => {},
    read: async (path: string) => ({ text: (await blobs.read(path)).text }),
  } as unknown as SourceTree
  return reader.read(tree)
}

test('an encrypted value is kept as it is', async () => {
  const { apply, leader } = await reconcilerWorld()
  await apply({ [WEB]: `user: ann\n${await sealed('password')}` })
  const row = leader.state.variables.get(variableKey({ Namespace: 'default', Path: 'nomad/jobs/web' }))!
  expect(row.Items).toMatchObject({ user: 'ann', password: expect.stringMatching(/^-----BEGIN AGE ENCRYPTED FILE-----\n/) })
})

test('one that was made for another place, or says none, is a mistake', async () => {
  const copied = (await sealed('password')).replace('password', 'other')
  const foreign = 'x: |\n  -----BEGIN AGE ENCRYPTED FILE-----\n  YWdl\n  -----END AGE ENCRYPTED FILE-----\n'
  const { frozen } = await read({ [WEB]: copied + foreign })
  expect(frozen[0]!.mistakes.map(({ line, summary, detail }) => [line, summary, detail])).toEqual([
    [
      1,
      'The value of "other" was encrypted for default/nomad/jobs/web#password, and is opened nowhere else',
      'Encrypt it for this place: drover secret set --namespace default nomad/jobs/web other',
    ],
    [
      expect.any(Number),
      'The value of "x" is encrypted, but it is no whole text as age makes it',
      'Encrypt it for this place: drover secret set --namespace default nomad/jobs/web x',
    ],
  ])
})

test('no mistake of a file quotes its text', async () => {
  const texts = [
    'password: hunter2\npassword: hunter2',
    'password: "hunter2',
    'password: *hunter2',
    'password: !hunter2 {a: 1}',
    'password:\n\thunter2',
    '- hunter2',
    'password: hunter2\n hunter2: x: y',
    'password: "\\hunter2"',
    '"a.b": hunter2',
    'password: [hunter2]',
  ]
  for (const text of texts) {
    const { frozen } = await read({ [WEB]: text, 'vars/_recipients.yaml': text, 'vars/default/_access.yaml': text })
    expect(frozen.length, text).toBeGreaterThan(0)
    expect(JSON.stringify(frozen), text).not.toContain('hunter2"')
    expect(JSON.stringify(frozen.filter(({ path }) => path === WEB)), text).not.toContain('hunter2')
  }
})

test('a value that is not for whom it should be is told of', async () => {
  const files = { [WEB]: `${await sealed('password')}${await sealed('old', 'nomad/jobs/web', [HOSTS, ANN])}` }
  expect((await read({ ...files, 'vars/_recipients.yaml': `hosts: ${HOSTS}\n` })).warnings).toEqual([
    {
      path: WEB,
      text: '"old" is still encrypted for 1 that is no recipient any more: encrypt it anew with drover secret rotate',
    },
  ])
  const both = `hosts: ${HOSTS}\nann: ${ANN}\n`
  expect((await read({ ...files, 'vars/_recipients.yaml': both })).warnings).toEqual([
    { path: WEB, text: '"password" is not encrypted for ann: encrypt it anew with drover secret rotate' },
  ])
  // A namespace's own list stands in the place of the common one.
  const own = await read({ ...files, 'vars/_recipients.yaml': both, 'vars/default/_recipients.yaml': `ann: ${ANN}\n` })
  expect(own.warnings.map(({ text }) => text)).toEqual([
    '"password" is not encrypted for ann, and still encrypted for 1 that is no recipient any more: encrypt it anew with drover secret rotate',
    '"old" is still encrypted for 1 that is no recipient any more: encrypt it anew with drover secret rotate',
  ])
  expect((await read(files)).warnings[0]!.text).toBe(
    '"password" is encrypted, and nothing says for whom it should be: write vars/_recipients.yaml',
  )
  expect((await read({ ...files, 'vars/_recipients.yaml': 'x: y' })).warnings).toEqual([])
})

test('mistakes of recipients', async () => {
  const { frozen } = await read({
    'vars/_recipients.yaml': `a: ssh-ed25519 AAAA\nb: AGE-SECRET-KEY-1QQQ\nc: ${ANN}\nd: ${ANN}\n`,
  })
  expect(frozen[0]!.mistakes.map(({ line, summary }) => `${line}: ${summary}`)).toEqual([
    `1: The key of "a" is none of age's`,
    '2: "b" has a secret key',
    '4: "d" has the key of another one',
  ])
})

test('jobs are granted what is at a path, and lose it again; a file with mistakes leaves it as it was', async () => {
  const { apply, leader } = await reconcilerWorld()
  const readers = () => leader.state.variables.all().map(({ Path, readers: own }) => [Path, own ?? null])
  await apply({
    'vars/default/secret/db.yaml': 'a: "1"',
    'vars/default/kv/app.yaml': 'a: "1"',
    'vars/default/_access.yaml': '"secret/*": [web, "api-*"]\nsecret/db: [web, cron]\n',
  })
  expect(Object.fromEntries(readers())).toEqual({ 'kv/app': null, 'secret/db': ['api-*', 'cron', 'web'] })
  const granted = () => readers().find(([path]) => path === 'secret/db')![1]
  const { frozen } = await apply({ 'vars/default/_access.yaml': 'secret/db: web' })
  expect(frozen.map(({ mistakes }) => mistakes[0]!.summary)).toEqual(['What stands at "secret/db" is no list of jobs'])
  expect(granted()).toEqual(['api-*', 'cron', 'web'])
  // What is taken away is, also of a variable whose own file has mistakes.
  await apply({ 'vars/default/_access.yaml': 'secret/db: [cron]', 'vars/default/secret/db.yaml': 'a: []' })
  expect(granted()).toEqual(['cron'])
  await apply({ 'vars/default/_access.yaml': null })
  expect(granted()).toBe(null)
})
