// SPDX-License-Identifier: Apache-2.0
// What the agent is asked for again and again, as long as somebody looks.

import { useEffect, useState } from 'preact/hooks';
import { get } from './api';

const REFRESH_MS = 3000;

/** The latest answer, and what is wrong since. */
export function useAsked<T>(path: string | null, paused: boolean): { value: T | null; problem: string | null } {
  const [asked, setAsked] = useState<{ value: T | null; problem: string | null }>({ value: null, problem: null });
  useEffect(() => {
    if (!path) {
      return;
    }
    const abort = new AbortController();
    const load = () => {
      if (!document.hidden) {
        get<T>(path, abort.signal)
          .then((value) => setAsked({ value, problem: null }))
          .catch((error: Error) => abort.signal.aborted || setAsked((old) => ({ ...old, problem: error.message })));
      }
    };
    load();
    const timer = paused ? undefined : setInterval(load, REFRESH_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [path, paused]);
  return asked;
}
