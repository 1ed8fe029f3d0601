// SPDX-License-Identifier: Apache-2.0
// What the user looks at is in the URL's query, so that a view can be kept, sent and gone back to.

import { useEffect, useState } from 'preact/hooks';
import type { Unit } from './format';

export interface View {
  unit: Unit;
  state: 'active' | 'recent';
  filter: string;
  sort: 'bytes' | 'packets' | 'start' | 'last' | 'duration';
  order: 'asc' | 'desc';
  page: number;
  since: 'start' | 'minute';
  table: boolean;
  connection: string;
  by: 'path' | 'country' | 'asn' | 'zone' | 'port';
}

export const PATHS_BY = ['path', 'country', 'asn', 'zone', 'port'] as const;

const DEFAULT: View = {
  unit: 'bits',
  state: 'active',
  filter: '',
  sort: 'bytes',
  order: 'desc',
  page: 1,
  since: 'start',
  table: false,
  connection: '',
  by: 'path',
};

function oneOf<T extends string>(text: string | null, values: readonly T[], otherwise: T): T {
  return values.find((value) => value === text) ?? otherwise;
}

function read(): View {
  const q = new URLSearchParams(location.search);
  return {
    unit: oneOf(q.get('unit'), ['bits', 'bytes', 'packets'], DEFAULT.unit),
    state: oneOf(q.get('state'), ['active', 'recent'], DEFAULT.state),
    filter: q.get('filter') ?? '',
    sort: oneOf(q.get('sort'), ['bytes', 'packets', 'start', 'last', 'duration'], DEFAULT.sort),
    order: oneOf(q.get('order'), ['asc', 'desc'], DEFAULT.order),
    page: Math.max(1, Math.trunc(Number(q.get('page'))) || 1),
    since: oneOf(q.get('since'), ['start', 'minute'], DEFAULT.since),
    table: q.get('table') === 'true',
    connection: q.get('connection') ?? '',
    by: oneOf(q.get('by'), PATHS_BY, DEFAULT.by),
  };
}

/** A step of the user's is a step of the browser's history; a letter typed into the filter is none. */
function write(view: View): void {
  const q = new URLSearchParams();
  for (const key of Object.keys(DEFAULT) as (keyof View)[]) {
    if (view[key] !== DEFAULT[key]) {
      q.set(key, String(view[key]));
    }
  }
  const query = q.size > 0 ? `?${q}` : '';
  if (query === location.search) {
    return;
  }
  const typed = new URLSearchParams(location.search).get('filter') !== q.get('filter');
  history[typed ? 'replaceState' : 'pushState'](null, '', query || location.pathname);
}

export type Change = (change: Partial<View>) => void;

export function useView(): [View, Change] {
  const [view, setView] = useState(read);
  useEffect(() => {
    const back = () => setView(read());
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);
  useEffect(() => write(view), [view]);
  return [view, (change) => setView((old) => ({ ...old, ...change }))];
}
