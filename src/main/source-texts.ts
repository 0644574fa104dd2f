/** Texts of files of the repository by blob id, for what the API shows of a job's source. */
import type { SourceTexts } from '../api/index.js'
import type { GitSource } from '../controller/index.js'
import { LIMITS } from '../jobspec/index.js'

export function createSourceTexts(sources: ReadonlyMap<string, GitSource>): SourceTexts {
  return {
    async read(sourceId, blob) {
      const content = (await sources.get(sourceId)?.read([blob], LIMITS.fileBytesMax))?.get(blob)
      return content?.kind === 'bytes' ? new TextDecoder().decode(content.bytes) : undefined
    },
  }
}
