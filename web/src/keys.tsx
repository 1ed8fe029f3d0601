// SPDX-License-Identifier: Apache-2.0
// The keyboard, and the page that explains it.

import { useEffect, useRef } from 'preact/hooks';
import { FILTER_HELP } from './filter';
import { useFocus } from './focus';

export type Keys = Record<string, () => void>;

const TYPING = new Set(['INPUT', 'TEXTAREA', 'SELECT']);

/** Keys that are typed into a field, or pressed on a button, are that element's own. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const own = TYPING.has(target.tagName) || (target.tagName === 'BUTTON' && (event.key === 'Enter' || event.key === ' '));
      const action = latest.current[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || (own && event.key !== 'Escape')) {
        return;
      }
      event.preventDefault();
      action();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

const LINES: [string[], string][] = [
  [['/'], 'filter flows'],
  [['Space'], 'pause and go on'],
  [['j', 'k'], 'next, previous flow'],
  [['Enter'], 'open the flow'],
  [['Esc'], 'close, clear the filter'],
  [['b'], 'bits, bytes, packets'],
  [['a'], 'active, recent flows'],
  [['[', ']'], 'previous, next page'],
  [['t'], 'charts as tables'],
  [['?'], 'this list'],
];

export function Help(props: { onClose: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  useFocus(close);
  return (
    <div class="veil" onClick={props.onClose}>
      <section class="help" role="dialog" aria-modal="true" aria-label="Keys" onClick={(event) => event.stopPropagation()}>
        <header><h2>Keys</h2><button ref={close} onClick={props.onClose}>Close</button></header>
        <dl>
          {LINES.map(([keys, meaning]) => (
            <div key={meaning}>
              <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <p>Filter: <code>{FILTER_HELP}</code>. All words must hold; a bare address, port or protocol name will do, too.</p>
        <p>What you look at is in the address bar: keep it, or send it.</p>
      </section>
    </div>
  );
}
