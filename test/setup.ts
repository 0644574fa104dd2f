import { freezeDeeply } from '../src/state/index.js'

// Every stored object is frozen to the bottom, so a test fails where production would corrupt silently (I14).
freezeDeeply(true)
