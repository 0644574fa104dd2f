/** What this process was handed open by whoever started it. Nothing of it may reach a task. */
import { closeSync, readdirSync, readFileSync } from 'node:fs'

/** O_CLOEXEC as the kernel prints it, octal. */
const CLOSED_ON_EXEC = 0o2000000

/**
 * Closes every descriptor beyond 0–2 that would pass through another exec. Whatever Node opens itself is closed on exec, so only
 * what was inherited is left without that mark.
 */
export function closeInheritedDescriptors(): void {
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const fd = Number(name)
    if (fd > 2 && isInherited(fd)) closeSync(fd)
  }
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0
  } catch {
    // That of the listing itself, which is closed already.
    return false
  }
}
