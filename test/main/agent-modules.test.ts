/** An agent stands beside other people's work: what it loads stays in its memory as long as it runs. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

/** What is loaded together with the file; types are not, nor is what is asked for by `import()`. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  for (const [, path] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)(?! type\b)[^'"]*? from '(\.[^']*)\.js'/gm))
    loadedWith(`${join(dirname(file), path!)}.ts`, loaded)
  return loaded
}

test('an agent loads nothing that only a server needs', () => {
  const loaded = [...loadedWith('src/main/run-agent.ts')]
  expect(loaded).toContain('src/agent/agent.ts')
  expect(loaded.filter((file) => /^src\/(api|cli|controller|scheduler|state|adapters\/(git|http|workers))\//.test(file))).toEqual([])
})

test('an agent loads nothing that only its supervisor needs', () => {
  const loaded = [...loadedWith('src/main/run-agent.ts')]
  expect(loaded).toContain('src/adapters/supervisor/client.ts')
  expect(loaded.filter((file) => readFileSync(file, 'utf8').includes("from 'koffi'"))).toEqual([])
  expect(loaded).not.toContain('src/adapters/supervisor/run.ts')
})
