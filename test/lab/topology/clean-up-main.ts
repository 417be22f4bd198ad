import { cleanUpDeadLabs } from './clean-up.ts';

// What the undertaker runs: `node clean-up-main.ts`. Our own parent has just died, so its lab is among the dead.
await cleanUpDeadLabs();
