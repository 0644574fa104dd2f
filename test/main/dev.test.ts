/** `drover dev` in somebody's repository. */
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../acceptance/cluster.js'

let cluster: Cluster
afterEach(() => cluster.remove())

test('what it keeps in the repository is nothing that git would commit', { timeout: 120_000 }, async () => {
  cluster = new Cluster()
  await cluster.start('--agents', '0')
  expect(cluster.git('status', '--porcelain')).toBe('')
})
