import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ServerRoom } from './real-server.ts';

const page = readFileSync(new URL('../../docs/ovsdb.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)].map(([, code = '', output = '']) => ({
  code,
  output,
  first: code.split('\n').find((line) => line.includes('replicate')) ?? '',
}));

test('the page has three examples', () => {
  expect(examples).toHaveLength(3);
});

test.for(examples)('the example with "$first" prints what the page says', async ({ code, output }) => {
  await using room = await ServerRoom.open();
  const server = await room.standalone('/usr/share/ovn/ovn-nb.ovsschema');
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    env: { ...process.env, OVN_NB_DB: server.remote },
    cwd: new URL('../..', import.meta.url),
  });
  expect(stdout.split('\n').sort()).toEqual(output.split('\n').sort());
});
