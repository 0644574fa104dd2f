/** The work tree is read as a commit of it would be, whatever the lines of a checkout end in. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WorkTree } from '../../src/adapters/git/work-tree.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-line-ends-'))
  mkdirSync(join(root, 'jobs'))
  git('init', '-q', '-b', 'main')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const PATH = 'jobs/a file [1].nomad.hcl'
const CRLF = 'job "a" {\r\n}\r\n'

function git(...words: readonly string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'core.safecrlf=false']
  return execFileSync('git', ['-C', root, ...identity, ...words], { stdio: 'pipe' }).toString()
}

async function readPath(): Promise<string> {
  const content = (await new WorkTree(root).read([PATH], 1_000)).get(PATH)
  return content?.kind === 'bytes' ? Buffer.from(content.bytes).toString() : 'no content'
}

/** What a commit of the work tree as it is would hold. */
function committed(): string {
  git('add', '-A')
  return git('show', `:${PATH}`)
}

const ATTRIBUTES = ['', '*.hcl text\n', '*.hcl text eol=crlf\n', '*.hcl eol=crlf\n', '* text=auto\n', '*.hcl -text\n', '*.hcl binary\n']

test.each(ATTRIBUTES.flatMap((attributes) => ['false', 'true', 'input'].map((autocrlf) => ({ attributes, autocrlf }))))(
  'as a commit would hold it: new, changed, and committed with CRs before, with $attributes and core.autocrlf $autocrlf',
  async ({ attributes, autocrlf }) => {
    writeFileSync(join(root, PATH), CRLF)
    git('-c', 'core.autocrlf=false', 'add', '-A')
    git('-c', 'core.autocrlf=false', 'commit', '-qm', 'with CRs')
    git('config', 'core.autocrlf', autocrlf)
    if (attributes !== '') writeFileSync(join(root, '.gitattributes'), attributes)
    writeFileSync(join(root, PATH), `# more\r\n${CRLF}`)
    const changed = await readPath()
    expect(changed).toBe(committed())

    git('rm', '-q', '--cached', PATH)
    const added = await readPath()
    expect(added).toBe(committed())
    expect(readFileSync(join(root, PATH), 'utf8')).toBe(`# more\r\n${CRLF}`)
  },
)

test('outside of a repository the bytes are what they are', async () => {
  rmSync(join(root, '.git'), { recursive: true })
  writeFileSync(join(root, PATH), CRLF)
  expect(await readPath()).toBe(CRLF)
})
