/** The mixes of nodes, asks and counts that streams are drawn from. */
import type { SeededRandom } from '../../test/simulation/seeded-random.js'
import type { Ask, NodeSize } from '../cluster/makers.js'
import { drawNormal, type Histogram } from './chance.js'
import { AZURE_LIKE, GOOGLE_LIKE } from './trace-like.js'
import { CORE_MHZ, GIB, nodeSize } from './units.js'

export interface Distribution {
  readonly nodes: Histogram<NodeSize>
  readonly drawAsk: (random: SeededRandom) => Ask
  readonly drawCount: (random: SeededRandom) => number
  /** Of the jobs; the others are services. */
  readonly batchShare: number
}

const MIXED_NODES: Histogram<NodeSize> = [
  [4, nodeSize(16, 64)],
  [3, nodeSize(32, 64)],
  [2, nodeSize(16, 128)],
  [1, nodeSize(64, 256)],
]
const EQUAL_NODES: Histogram<NodeSize> = [[1, nodeSize(16, 64)]]

/** Half the smallest node. */
const ASK_MAX: Ask = { cpuMhz: 8 * CORE_MHZ, memoryMb: 32 * GIB }
/** Who asks for more cpu tends to ask for more memory. */
const CORRELATION = 0.4

interface LogNormal {
  /** Medians. */
  readonly cores: number
  readonly memoryGib: number
  /** Of the logarithms. */
  readonly deviation: number
}

function services(nodes: Histogram<NodeSize>, { cores, memoryGib, deviation }: LogNormal): Distribution {
  const drawAsk = (random: SeededRandom) => {
    const own = [drawNormal(random), drawNormal(random)] as const
    const memory = CORRELATION * own[0] + Math.sqrt(1 - CORRELATION ** 2) * own[1]
    return {
      cpuMhz: rounded(cores * CORE_MHZ * Math.exp(deviation * own[0]), 50, ASK_MAX.cpuMhz),
      memoryMb: rounded(memoryGib * GIB * Math.exp(deviation * memory), 64, ASK_MAX.memoryMb),
    }
  }
  return { nodes, drawAsk, drawCount: drawParetoCount, batchShare: 0 }
}

function rounded(value: number, step: number, max: number): number {
  return Math.min(max, Math.max(step, step * Math.round(value / step)))
}

/** Half of the jobs are of one, and a few of a hundred and more. */
function drawParetoCount(random: SeededRandom): number {
  return Math.floor((1 - random.fraction()) ** (-1 / 1.1))
}

export const DISTRIBUTIONS = {
  'mixed-large': services(MIXED_NODES, { cores: 0.8, memoryGib: 2.5, deviation: 0.9 }),
  'equal-large': services(EQUAL_NODES, { cores: 0.8, memoryGib: 3.2, deviation: 0.9 }),
  'mixed-memory-heavy': services(MIXED_NODES, { cores: 0.3, memoryGib: 2, deviation: 0.8 }),
  'google-like': GOOGLE_LIKE,
  'azure-like': AZURE_LIKE,
  /** A handful an equal node: few enough for a search through every way to place them. */
  coarse: services(EQUAL_NODES, { cores: 2.5, memoryGib: 10, deviation: 0.7 }),
} as const satisfies Readonly<Record<string, Distribution>>

export type DistributionName = keyof typeof DISTRIBUTIONS
