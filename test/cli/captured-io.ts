/** What a command says, kept instead of shown. */
import type { Io } from '../../src/cli/index.js'

/** @param over what of the outside is to be another; `onOut` hears all that was printed so far, each time more is */
export function captureIo(over: Partial<Io> & { readonly env: Io['env'] }, onOut: (all: string) => void = () => {}) {
  const said = { out: '', err: '' }
  const io: Io = {
    out: (text) => {
      said.out += text
      onOut(said.out)
    },
    err: (text) => {
      said.err += text
    },
    fetch,
    signal: new AbortController().signal,
    ...over,
  }
  return { io, said }
}
