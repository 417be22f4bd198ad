import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { z } from 'zod';
import { shown } from './figures.ts';

// `npm run bench:page -- FILE…`: makes `docs/benchmarks.md` of what `npm run bench -- NAME --json FILE` has written.

const titles: Readonly<Record<string, string>> = {
  ovsdb: 'The OVSDB client',
  controller: 'The controller core, at a real `ovsdb-server`',
  kube: 'The controller, between a real kube-apiserver and OVN',
  dhcp: 'The DHCP server',
  cni: 'The CNI plugin and the node agent',
  datapath: 'Between two guests',
};

const Run = z.object({
  bench: z.string(),
  machine: z.object({ cpu: z.string(), cpus: z.number(), memoryBytes: z.number(), node: z.string() }),
  figures: z.array(
    z.object({
      figure: z.string(),
      unit: z.string(),
      ours: z.number(),
      peers: z.record(z.string(), z.number()),
      limit: z.number().nullable(),
      bar: z.string(),
      ok: z.boolean().nullable(),
    }),
  ),
});
type Run = z.infer<typeof Run>;

const runs = argv.slice(2).map((file) => Run.parse(JSON.parse(readFileSync(file, 'utf8'))));
const [first] = runs;
if (first === undefined) {
  console.error('usage: npm run bench:page -- FILE…, each written by npm run bench -- NAME --json FILE');
  process.exit(1);
}
const page = [
  '# Benchmarks',
  '',
  `One run of each on an otherwise idle machine (${machineOf(first)}), as printed. Ours, its peers and the limit are of the same run: the`,
  'ratios are what to look at. `limit` is what the other end allows by hand-written bytes over a bare socket, or a bare watch.',
  ...runs.flatMap(section),
  '',
];
writeFileSync(new URL('../../docs/benchmarks.md', import.meta.url), page.join('\n'));

function machineOf({ machine: { cpu, cpus, memoryBytes, node } }: Run): string {
  return `${cpus} cores of an ${cpu}, ${Math.round(memoryBytes / 2 ** 30)} GiB, Node.js ${node.slice(1)}`;
}

function section({ bench, figures }: Run): readonly string[] {
  const rows = figures.map(({ figure, unit, ours, peers, limit, bar, ok }) => {
    const others = Object.entries(peers).map(([peer, value]) => `${peer} ${shown(value)}`);
    const verdict = ok === null ? '' : ok ? 'yes' : '**no**';
    return `| ${[figure, `${shown(ours)} ${unit}`, limit === null ? '' : shown(limit), others.join(', '), ok === null ? '' : bar, verdict].join(' | ')} |`;
  });
  return [
    '',
    `## ${titles[bench] ?? bench}: \`npm run bench -- ${bench}\``,
    '',
    '| figure | ours | limit | peers | bar | met |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}
