/** HCL of the parse endpoint to a job, through the same engine as files; it reads no files beside it. */
import type { JobspecParser } from '../../api/index.js'
import type { SyntaxReader } from '../../controller/index.js'
import { parseApiJob, type Syntax } from '../../jobspec/index.js'

const VARIABLES_NAME = 'input.vars.hcl'

export function createJobspecParser(reader: SyntaxReader): JobspecParser {
  return {
    async parse({ path, text, variables }) {
      const own = await reader.read(path, text)
      if (own.kind !== 'syntax') return own
      const variableFiles: Syntax[] = []
      if (variables !== undefined) {
        const file = await reader.read(VARIABLES_NAME, variables)
        if (file.kind !== 'syntax') return file
        variableFiles.push(file.syntax)
      }
      const outcome = parseApiJob({ syntax: own.syntax, variableFiles, isStrict: false })
      if (outcome.kind === 'needs') throw new Error(`${path} asks for files although none can be read`)
      return outcome
    },
  }
}
