/** Everything that is derived from the tables and kept between evaluations; equal to a rebuild at any time. */
import type { StateView } from '../../state/index.js'
import { RowScratches } from '../rank/row-scratch.js'
import { NodeTable } from './node-table.js'
import { FeasibilityCache } from './static-feasibility.js'
import { ValueColumns } from './value-columns.js'

export class ClusterIndex {
  readonly table: NodeTable
  readonly columns: ValueColumns
  readonly feasibility: FeasibilityCache
  readonly scratches = new RowScratches()

  constructor(view: StateView) {
    this.table = new NodeTable(view)
    this.columns = new ValueColumns(this.table)
    this.feasibility = new FeasibilityCache(this.table)
  }
}
