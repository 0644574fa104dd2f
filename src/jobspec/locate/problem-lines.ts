/** The sentences inside a nested text, each with what it is told under. */
export interface ProblemLine {
  readonly text: string
  /** From the outside in: `Task group g`, `Task t`. */
  readonly under: readonly string[]
}

const HEAD = /^(.*?):? ?"?(\d+) errors? occurred:$/

export function problemLines(text: string): readonly ProblemLine[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim().replace(/^\* /, ''))
    .filter((line) => line !== '' && line !== '"')
  const found: ProblemLine[] = []
  let at = 0
  const read = (count: number, under: readonly string[]): void => {
    for (let left = count; left > 0 && at < lines.length; left--) {
      const line = lines[at++]!
      const head = HEAD.exec(line)
      if (head === null) found.push({ text: line, under })
      else read(Number(head[2]), head[1] === '' ? under : [...under, head[1]!])
    }
  }
  read(Number.POSITIVE_INFINITY, [])
  return found
}
