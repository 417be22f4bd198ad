import { writeFileSync } from 'node:fs';
import { networkCrdFiles } from './files.ts';

// `node deploy/schema/main.ts` writes the CRDs of our own kinds; `test/deploy/crds.test.ts` fails when they are not up to date.
for (const [name, text] of networkCrdFiles()) writeFileSync(new URL(`../crds/${name}`, import.meta.url), text);
