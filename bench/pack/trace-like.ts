/**
 * Histograms in the manner of published traces: few machine sizes, round requests, most jobs small and a few very large. The shape is that
 * of the traces; the numbers are not their data. Machines of the first are the four common sizes of the Google cluster trace of 2011 with
 * their shares, the largest taken for 64 cores and 256 GiB; the second has the doubling sizes and short deployments of Azure's traces.
 */
import type { SeededRandom } from '../../test/simulation/seeded-random.js'
import { drawWeighted, type Histogram } from './chance.js'
import type { Distribution } from './distributions.js'
import { CORE_MHZ, GIB, nodeSize } from './units.js'

type CoresAndGib = readonly [cores: number, memoryGib: number]

const GOOGLE_ASKS: Histogram<CoresAndGib> = [
  [12, [0.4, 0.5]],
  [10, [0.8, 2]],
  [10, [0.8, 4]],
  [14, [1.6, 4]],
  [8, [1.6, 8]],
  [12, [2, 2]],
  [12, [4, 4]],
  [8, [4, 16]],
  [6, [2, 16]],
  [4, [8, 8]],
  [2, [8, 32]],
  [1, [12, 16]],
  [1, [4, 48]],
]
const GOOGLE_COUNTS: Histogram<number> = [
  [70, 1],
  [8, 2],
  [6, 5],
  [6, 10],
  [4, 20],
  [3, 50],
  [2, 100],
  [1, 150],
]

export const GOOGLE_LIKE: Distribution = {
  nodes: [
    [53, nodeSize(32, 128)],
    [31, nodeSize(32, 64)],
    [8, nodeSize(32, 192)],
    [6, nodeSize(64, 256)],
    [2, nodeSize(16, 64)],
  ],
  drawAsk: (random) => drawAsk(GOOGLE_ASKS, random),
  drawCount: (random) => drawWeighted(GOOGLE_COUNTS, random),
  batchShare: 0.6,
}

const AZURE_ASKS: Histogram<CoresAndGib> = [
  [22, [1, 1.75]],
  [8, [1, 4]],
  [20, [2, 3.5]],
  [14, [2, 8]],
  [10, [4, 7]],
  [10, [4, 16]],
  [3, [4, 32]],
  [5, [8, 14]],
  [4, [8, 32]],
  [2, [8, 64]],
  [1, [16, 32]],
  [1, [16, 112]],
]
const AZURE_COUNTS: Histogram<number> = [
  [50, 1],
  [18, 2],
  [12, 3],
  [10, 5],
  [6, 10],
  [3, 20],
  [1, 80],
]

export const AZURE_LIKE: Distribution = {
  nodes: [
    [5, nodeSize(40, 256)],
    [3, nodeSize(48, 192)],
    [2, nodeSize(64, 512)],
  ],
  drawAsk: (random) => drawAsk(AZURE_ASKS, random),
  drawCount: (random) => drawWeighted(AZURE_COUNTS, random),
  batchShare: 0,
}

function drawAsk(asks: Histogram<CoresAndGib>, random: SeededRandom) {
  const [cores, memoryGib] = drawWeighted(asks, random)
  return { cpuMhz: cores * CORE_MHZ, memoryMb: memoryGib * GIB }
}
