#!/usr/bin/env bash
# chokidar 5.0.0 on Linux: a file that changes twice within 50 ms is told once, and nothing follows. Whoever reads the file at the event and
# then waits for the next one keeps the first content for ever. The `raw` event tells both. Seen with a git ref, which two commits in
# direct succession move twice.
#
# Seen with chokidar 5.0.0, Node 20.20: "change events: 1, raw events: 2 or more, content at the event: one, content now: two".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --save-exact chokidar@5.0.0 >/dev/null
cat > watch.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
import { watch } from 'chokidar'

const path = 'watched.txt'
writeFileSync(path, 'zero')
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
let changes = 0
let raws = 0
let seen = ''
const watcher = watch(path, { ignoreInitial: true })
await new Promise((resolve) => watcher.once('ready', resolve))
watcher.on('raw', () => raws++)
const first = new Promise((resolve) => watcher.once('change', resolve))
watcher.on('change', () => {
  changes++
  seen = readFileSync(path, 'utf8')
})
writeFileSync(path, 'one')
await first
await pause(15)
writeFileSync(path, 'two')
await pause(2_000)
await watcher.close()
console.log(`change events: ${changes}, raw events: ${raws}, content at the event: ${seen}, content now: ${readFileSync(path, 'utf8')}`)
process.exit(changes === 1 && raws >= 2 && seen === 'one' ? 0 : 1)
JS
node watch.mjs
