// SPDX-License-Identifier: Apache-2.0
// The grammar of the filter box: words, each `key:value` or a value that tells by itself what it is.
// All of them must hold. The agent judges the values; here only the keys are known.

const KEYS: Record<string, string> = {
  proto: 'proto',
  protocol: 'proto',
  ip: 'ip',
  net: 'ip',
  host: 'ip',
  port: 'port',
  version: 'version',
  v: 'version',
};

export const FILTER_HELP = 'proto:tcp  ip:10.0.0.0/8  port:443  version:6';

export type Parsed = { ok: true; query: URLSearchParams } | { ok: false; problem: string };

function keyOf(word: string): [string, string] | null {
  const named = /^([a-z]+):(.+)$/i.exec(word);
  const key = named?.[1] && KEYS[named[1].toLowerCase()];
  if (key && named[2]) {
    return [key, named[2]];
  }
  if (/^\d{1,5}$/.test(word)) {
    return ['port', word];
  }
  if (/^[\da-f:.]+(\/\d+)?$/i.test(word) && /[:.]/.test(word)) {
    return ['ip', word];
  }
  return /^[a-z][a-z\d-]*$/i.test(word) ? ['proto', word.toLowerCase()] : null;
}

export function parseFilter(text: string): Parsed {
  const query = new URLSearchParams();
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const found = keyOf(word);
    if (!found) {
      return { ok: false, problem: `“${word}” is no filter; write ${FILTER_HELP}` };
    }
    if (query.has(found[0])) {
      return { ok: false, problem: `${found[0]}: may be given once` };
    }
    query.set(...found);
  }
  return { ok: true, query };
}

/** Adds `key:value`, in place of what the filter said of that key. */
export function refine(text: string, words: string[]): string {
  const keys = new Set(words.map((word) => word.split(':', 1)[0]));
  const kept = text
    .trim()
    .split(/\s+/)
    .filter((word) => word && !keys.has(keyOf(word)?.[0] ?? ''));
  return [...kept, ...words].join(' ');
}

/** The filter that an item of a top-N stands for, by the kind of its key. */
export function filterOf(key: string | undefined, name: string): string[] {
  if (key === 'address') {
    return [`ip:${name}`];
  }
  const port = key === 'port' ? /^(\d+)(?:\/(\w[\w-]*))?$/.exec(name) : null;
  if (port?.[1]) {
    return port[2] ? [`proto:${port[2]}`, `port:${port[1]}`] : [`port:${port[1]}`];
  }
  const first = key === 'pair' ? /^[\da-f:.]+/i.exec(name) : null;
  return first ? [`ip:${first[0]}`] : [];
}
