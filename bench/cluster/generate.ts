/** `npm run -s cluster-file -- …`: a cluster file to stdout, for B1 and for other schedulers (docs/cluster-file.md). */
import { parseArgs } from 'node:util'
import { askOf } from '../pack/asks.js'
import { DISTRIBUTIONS, type DistributionName } from '../pack/distributions.js'
import { makeInstance } from '../pack/streams.js'
import type { ClusterFile } from './cluster-file.js'
import { type ClusterShape, generateCluster } from './generated-cluster.js'

const USAGE = `npm run -s cluster-file -- [options] > cluster.json
  --nodes N            nodes (200)
  --filled N           allocations of another job on each node (0)
  --count N            allocations of the job that is to be placed (1)
  --spread             that job spreads over racks
  --constraint half    that job runs on every other rack only
or a stream of B2, as long as it could fit:
  --stream NAME        ${Object.keys(DISTRIBUTIONS).join(', ')}
  --seed N             which of its streams (1)
  --nodes N            nodes (200)`

try {
  process.stdout.write(`${JSON.stringify(generate())}\n`)
} catch (error) {
  console.error(`${(error as Error).message}\n${USAGE}`)
  process.exitCode = 1
}

function generate(): ClusterFile {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '200' },
      filled: { type: 'string', default: '0' },
      count: { type: 'string', default: '1' },
      spread: { type: 'boolean', default: false },
      constraint: { type: 'string', default: 'none' },
      stream: { type: 'string' },
      seed: { type: 'string', default: '1' },
    },
  })
  const nodeCount = wholeNumber('nodes', values.nodes, 1)
  if (values.stream !== undefined) return streamCluster(values.stream, nodeCount, wholeNumber('seed', values.seed, 0))
  return generateCluster({
    nodeCount,
    filledCount: wholeNumber('filled', values.filled, 0),
    count: wholeNumber('count', values.count, 1),
    hasSpread: values.spread,
    constraint: constraintOf(values.constraint),
  })
}

function streamCluster(name: string, nodeCount: number, seed: number): ClusterFile {
  if (!(name in DISTRIBUTIONS)) throw new Error(`there is no stream ${name}`)
  const { nodes, jobs } = makeInstance(name as DistributionName, nodeCount, seed)
  let cpuLeft = nodes.reduce((sum, { NodeResources }) => sum + NodeResources.Cpu.CpuShares, 0)
  let memoryLeft = nodes.reduce((sum, { NodeResources }) => sum + NodeResources.Memory.MemoryMB, 0)
  const wanted = []
  for (const job of jobs()) {
    wanted.push(job)
    const { cpuMhz, memoryMb, count } = askOf(job)
    cpuLeft -= cpuMhz * count
    memoryLeft -= memoryMb * count
    if (cpuLeft < 0 || memoryLeft < 0) break
  }
  return { format: 1, nodes, jobs: wanted, allocations: [] }
}

function wholeNumber(option: string, text: string, min: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min) throw new Error(`--${option} takes a whole number from ${min} on, not ${text}`)
  return value
}

function constraintOf(text: string): ClusterShape['constraint'] {
  if (text !== 'none' && text !== 'half') throw new Error(`--constraint is none or half, not ${text}`)
  return text
}
