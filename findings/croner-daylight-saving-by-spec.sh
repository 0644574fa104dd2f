#!/usr/bin/env bash
# croner 11.0.1: what becomes of a time of day that the clock skips or repeats depends on how many times the spec names. In Europe/Berlin
# the clock went from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
#   "30 2 * * *"    runs at 03:00 of the day with the gap, and once on the day that has the hour twice.
#   "0,30 2 * * *"  does not run at all on the day with the gap, and four times on the other one.
# So a second time of day in the same hour takes away the run that the first one had. A scheduler that promises "once a day" has to look
# at the spec first (Nomad's own parser, cronexpr 1.1.3, leaves the day out, and repeats, for both).
#
# Seen with croner 11.0.1, Node 20.20:
#   gap     one: 2026-03-29T01:00:00.000Z  two: none
#   repeat  one: 1                  two: 4
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --save-exact croner@11.0.1 >/dev/null
cat > runs.mjs <<'JS'
import { Cron } from 'croner'

const runsOn = (day, spec) => {
  const cron = new Cron(spec, { timezone: 'Europe/Berlin', paused: true })
  const from = new Date(`${day}T00:00:00+01:00`)
  from.setUTCHours(from.getUTCHours() - 12)
  const berlin = (date) => date.toLocaleDateString('sv-SE', { timeZone: 'Europe/Berlin' })
  return cron.nextRuns(12, from).filter((run) => berlin(run) === day).map((run) => run.toISOString())
}
const gap = { one: runsOn('2026-03-29', '30 2 * * *'), two: runsOn('2026-03-29', '0,30 2 * * *') }
const repeat = { one: runsOn('2026-10-25', '30 2 * * *'), two: runsOn('2026-10-25', '0,30 2 * * *') }
console.log(`gap     one: ${gap.one.join(' ') || 'none'}  two: ${gap.two.join(' ') || 'none'}`)
console.log(`repeat  one: ${repeat.one.length}  two: ${repeat.two.length}`)
const isAsSeen = gap.one.join() === '2026-03-29T01:00:00.000Z' && gap.two.length === 0 && repeat.one.length === 1 && repeat.two.length === 4
process.exit(isAsSeen ? 0 : 1)
JS
node runs.mjs
