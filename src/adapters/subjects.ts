/** Subjects as NATS has them: tokens between dots; `*` stands for one token, `>` for all that follow. */
export function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === '>') return tokens.length > at
    if (at >= tokens.length || (wanted[at] !== '*' && wanted[at] !== tokens[at])) return false
  }
  return wanted.length === tokens.length
}
