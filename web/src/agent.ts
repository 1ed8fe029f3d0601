// SPDX-License-Identifier: Apache-2.0
// The link to the agent: history first, then the stream; when it breaks, it is said and tried again,
// slower each time. All components read the one state through useAgent().

import { useEffect, useState } from 'preact/hooks';
import { type Board, get, listen, Refusal, type Schema, type Second, setToken } from './api';

export type Link =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'gone'; why: string; retryAt: number }
  | { kind: 'token'; why: string };

export interface State {
  link: Link;
  board: Board | null;
  schema: Schema | null;
  seconds: Second[];
}

const HISTORY = 300;
const SILENCE_MS = 15_000;
const RETRY_MS = [1000, 2000, 5000, 10_000];

let state: State = { link: { kind: 'connecting' }, board: null, schema: null, seconds: [] };
const watchers = new Set<(state: State) => void>();

function update(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const watcher of watchers) {
    watcher(state);
  }
}

/** Later reports of a second replace earlier ones; the oldest go. */
function merge(old: Second[], fresh: Second[]): Second[] {
  const from = fresh[0]?.second ?? Infinity;
  return [...old.filter((s) => s.second < from), ...fresh].slice(-HISTORY);
}

/** One connection from its start to its end. Silence counts as an end, too. */
async function connect(): Promise<void> {
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const [schema, history, board] = await Promise.all([
      get<Schema>('/api/v1/schema', abort.signal),
      get<{ seconds: Second[] }>('/api/v1/history', abort.signal),
      get<Board>('/api/v1/summary', abort.signal),
    ]);
    update({ schema, board, seconds: history.seconds, link: { kind: 'live' } });
    await listen((tick) => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
      update({ board: tick, seconds: merge(state.seconds, tick.seconds ?? []), link: { kind: 'live' } });
    }, abort.signal);
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

let tokenGiven: (() => void) | null = null;

export function giveToken(token: string): void {
  setToken(token);
  tokenGiven?.();
}

/** Goes on for as long as the page is open. */
export async function run(): Promise<never> {
  for (let attempt = 0; ; ) {
    let why = 'the agent ended the stream';
    try {
      await connect();
      attempt = 0;
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) {
        update({ link: { kind: 'token', why: error.message } });
        await new Promise<void>((resolve) => (tokenGiven = resolve));
        continue;
      }
      why = error instanceof Refusal ? error.message : 'the agent does not answer';
      attempt = state.link.kind === 'live' ? 0 : attempt + 1;
    }
    const pause = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] as number;
    update({ link: { kind: 'gone', why, retryAt: Date.now() + pause } });
    await sleep(pause);
  }
}

/** The state as it is, or, while `paused`, as it was. The link is never frozen. */
export function useAgent(paused: boolean): State {
  const [shown, setShown] = useState(state);
  useEffect(() => {
    const watcher = (now: State) => setShown((old) => (paused ? { ...old, link: now.link } : now));
    watchers.add(watcher);
    watcher(state);
    return () => void watchers.delete(watcher);
  }, [paused]);
  return shown;
}
