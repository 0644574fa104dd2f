import type { LogIndex } from '../../domain/index.js'
import type { Command } from '../command.js'
import type { State } from '../state.js'

export function apply(state: State, index: LogIndex, command: Command): void {
  state.index = index
  state.atMs = command.atMs
}
