/** Hosts, pools and the settings of the cluster are the first source's to declare. */
import type { FrozenFile } from '../../domain/index.js'
import { AGENTS_FOLDER, classifyPath } from '../repository-layout.js'
import type { SourceTree } from '../source-tree.js'
import { limitMistake } from './source-limits.js'
import type { SourceScope } from './source-scope.js'

/** Files of another source that declare something below `agents/`. */
export function foreignHosts(scope: SourceScope, tree: SourceTree): readonly FrozenFile[] {
  return tree.entries
    .filter(({ path }) => path.startsWith(`${AGENTS_FOLDER}/`) && classifyPath(path).kind !== 'other')
    .map(({ path, blob }) => ({ path, blob, namespace: null, jobId: null, mistakes: [mistakeOf(path, scope.id)] }))
}

function mistakeOf(path: string, sourceId: string) {
  const detail = 'Hosts, pools and the settings of the cluster are declared in the first source alone. Move the file there, or take it out.'
  return { ...limitMistake(path, sourceId, 'this source declares no hosts'), detail }
}
