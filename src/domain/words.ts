/** Settings in one line of text, as trailers of commits and the `drover` meta of jobs have them: `name=value other="with blanks"`. */

export interface Word {
  /** Null: no setting, a word by itself. */
  readonly name: string | null
  /** Without its double quotes. */
  readonly value: string
}

const WORD = /(?:[^\s"]|"[^"]*")+/g

export function readWords(text: string): readonly Word[] {
  return (text.match(WORD) ?? []).map((word) => {
    const [, name = null, value = word] = /^([^="]+)=(.*)$/s.exec(word) ?? []
    return { name, value: value.replaceAll('"', '') }
  })
}
