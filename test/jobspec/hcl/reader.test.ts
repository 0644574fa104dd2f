/** Our reader and HCL's own agree on what is HCL. */
import { readFileSync } from 'node:fs'
import { parse } from '@cdktf/hcl2json'
import { expect, test } from 'vitest'
import { isSafeForHcl } from '../../../src/adapters/hcl-syntax/explain-syntax.js'
import { LIMITS, readHcl } from '../../../src/jobspec/index.js'
import { mutate, seededRandom } from '../../fuzz/mutate.js'

const DATA = new URL('../../vectors/data/hcl/jobspecs.json', import.meta.url)
const corpus = (JSON.parse(readFileSync(DATA, 'utf8')) as { vectors: { body: string }[] }).vectors
  .map(({ body }) => body)
  .filter((body) => !/^ *\{/.test(body))

async function isHcl(text: string): Promise<boolean> {
  try {
    await parse('t', text)
    return true
  } catch (error) {
    return !(error instanceof Error) || !error.message.startsWith('parse config')
  }
}

test('every recorded jobspec gets the verdict of HCL', async () => {
  for (const text of corpus) expect([text, readHcl('t', text, LIMITS).kind === 'read']).toEqual([text, await isHcl(text)])
})

test('damaged jobspecs get the verdict of HCL', async () => {
  const random = seededRandom(7)
  for (let round = 0; round < 1500; round++) {
    const text = mutate(corpus[Math.floor(random() * corpus.length)]!, random)
    if (isSafeForHcl(text)) expect([text, readHcl('t', text, LIMITS).kind === 'read']).toEqual([text, await isHcl(text)])
  }
})
