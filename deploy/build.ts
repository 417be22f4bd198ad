import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { buildPlugin } from '#node-agent/cni/build.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What an image holds beside Node.js: one file for each program, with everything it imports. */
export const programs = { controller: 'controller/main.ts', 'node-agent': 'node-agent/main.ts' } as const;

/**
 * Bundles a program into `dist/<name>.mjs`.
 * @returns its path.
 */
export async function buildProgram(name: keyof typeof programs): Promise<string> {
  const outfile = `${root}dist/${name}.mjs`;
  await build({
    absWorkingDir: root,
    entryPoints: [programs[name]],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    plugins: [zodInEnglish, clientNodeForCredentials],
    // Packages that are CommonJS ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module';const require = requireFrom(import.meta.url);",
    },
  });
  return outfile;
}

/** zod brings its messages in fifty languages, which nobody here asks for: 0.3 MB of a bundle and 3 MiB of a process. */
const zodInEnglish: Plugin = {
  name: 'zod-in-english',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * Of client-node we use what finds credentials and adds them to requests of Node's own client. The classes it has for every kind of
 * Kubernetes, and the HTTP client that sends them, are two thirds of a bundle, 90 ms of each start and 17 MiB of a process.
 */
const clientNodeForCredentials: Plugin = {
  name: 'client-node-for-credentials',
  setup: ({ onLoad }) => {
    const instead = (filter: RegExp, contents: string) => onLoad({ filter }, () => ({ contents }));
    instead(
      /[/\\]client-node[/\\]dist[/\\]index\.js$/,
      "export { KubeConfig } from './config.js'; export { load as loadYaml } from 'js-yaml';",
    );
    const unused = (...names: readonly string[]) => names.map((name) => `export const ${name} = undefined;`).join('');
    instead(
      /[/\\]client-node[/\\]dist[/\\]gen[/\\]index\.js$/,
      unused('createConfiguration', 'ServerConfiguration', 'PromiseMiddlewareWrapper'),
    );
    instead(/[/\\]undici[/\\]index\.js$/, unused('Agent', 'ProxyAgent'));
  },
};

if (import.meta.main) {
  const files = [await buildPlugin(), await buildProgram('node-agent'), await buildProgram('controller')];
  for (const file of files) console.log(`${file.slice(root.length)}  ${(statSync(file).size / 1024).toFixed(0)} KiB`);
}
