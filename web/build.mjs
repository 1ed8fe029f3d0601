// SPDX-License-Identifier: Apache-2.0
// `npm run build`: bundles the page into web/dist, whose files become part of the program.

import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, 'src');
const out = join(here, 'dist');

const { build } = await import('esbuild').catch(() => {
  console.error('The page cannot be built: web/node_modules is missing or incomplete. Run `make setup`.');
  process.exit(1);
});
mkdirSync(out, { recursive: true });
await build({
  entryPoints: { app: join(source, 'main.tsx') },
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
});
for (const name of ['index.html', 'favicon.svg']) {
  copyFileSync(join(source, name), join(out, name));
}
