// SPDX-License-Identifier: Apache-2.0
// Everything that is known of one flow: all fields of its event, explained by the schema.

import { useRef } from 'preact/hooks';
import type { FieldRow, FlowEvent } from './api';
import { useFocus } from './focus';
import { bytes, duration, exact } from './format';

/** {a: {b: 1}} → [["a.b", 1]] */
function leaves(value: unknown, path: string): [string, unknown][] {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, below]) => leaves(below, path ? `${path}.${key}` : key));
  }
  return [[path, value]];
}

function text(name: string, value: unknown): string {
  if (typeof value === 'number') {
    if (name.endsWith('.duration') || name.endsWith('.handshake')) {
      return duration(value);
    }
    if (name.endsWith('.bytes')) {
      return `${bytes(value)} (${exact(value)})`;
    }
    return name.endsWith('.port') || name.endsWith('.id') || name.endsWith('number') ? String(value) : exact(value);
  }
  return Array.isArray(value) ? value.join(', ') : String(value);
}

export function Side(props: { flow: FlowEvent; fields: FieldRow[]; onClose: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  const help = new Map(props.fields.map((field) => [field.name, field.help]));
  const rows = leaves(props.flow, '').sort(([a], [b]) => a.localeCompare(b));
  useFocus(close);
  return (
    <section class="side" role="dialog" aria-label="Flow">
      <header>
        <h2>Flow</h2>
        <button onClick={() => void navigator.clipboard.writeText(JSON.stringify(props.flow, null, 2))}>Copy JSON</button>
        <button ref={close} onClick={props.onClose}>Close <kbd>Esc</kbd></button>
      </header>
      <table>
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name} title={help.get(name) ?? ''}>
              <th scope="row">{name}</th>
              <td class="mono">{text(name, value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
