import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { filledWorld } from './filled-world.js'

interface Report {
  readonly routes: Readonly<
    Record<string, { readonly served: number; readonly mismatches: readonly { readonly kind: string; readonly path: string }[] }>
  >
}

/** Told in docs/differences.md; and without a node id there is no "this node" on a server that is no agent. */
const DIFFERENT = [
  /^GET \/v1\/agent\/self /,
  /^GET \/v1\/operator\/scheduler\/configuration value outside the vocabulary/,
  /^GET \/v1\/client\/(stats|metadata) status/,
]

test('every read answers with the members and types that Nomad answers with', async () => {
  const world = filledWorld()
  const address = await world.http.listen({ host: '127.0.0.1', port: 0 })
  try {
    const report = await checkShapes(address)
    const mismatches = Object.entries(report.routes).flatMap(([route, { mismatches }]) =>
      mismatches.map(({ kind, path }) => `${route} ${kind} ${path}`),
    )
    expect(mismatches.filter((mismatch) => !DIFFERENT.some((pattern) => pattern.test(mismatch)))).toEqual([])
    expect(Object.values(report.routes).filter(({ served }) => served > 0).length).toBeGreaterThan(50)
  } finally {
    await world.http.close()
  }
})

async function checkShapes(address: string): Promise<Report> {
  const tool = fileURLToPath(new URL('./check-api-shapes.mjs', import.meta.url))
  const run = promisify(execFile)(process.execPath, [tool, '--address', address, '--json'], { maxBuffer: 64 * 1024 * 1024 })
  // It exits with 1 when anything differs, and says what.
  const { stdout } = await run.catch((error: { readonly stdout: string }) => error)
  return JSON.parse(stdout) as Report
}
