// SPDX-License-Identifier: Apache-2.0
// Which protocols carry which: a table whose rows are indented by layer, with bars that show each
// row's share of all. A chain of single children is one row ("ethernet › ipv4 › tcp").

import type { Layer } from './api';
import { bytes, count, share, title, type Unit } from './format';

interface Row {
  path: string;
  name: string;
  depth: number;
  packets: number;
  bytes: number;
}

function flatten(layers: Layer[], depth: number, above: string, rows: Row[]): Row[] {
  for (const layer of layers) {
    let bottom = layer;
    const names = [title(layer.name)];
    for (let only = bottom.children[0]; bottom.children.length === 1 && only && only.packets === bottom.packets; only = bottom.children[0]) {
      bottom = only;
      names.push(title(only.name));
    }
    const path = `${above}/${names.join('/')}`;
    rows.push({ path, name: names.join(' › '), depth, packets: layer.packets, bytes: layer.bytes });
    flatten(bottom.children, depth + 1, path, rows);
  }
  return rows;
}

export function Hierarchy(props: { layers: Layer[]; unit: Unit }) {
  const packets = props.unit === 'packets';
  const rows = flatten(props.layers, 0, '', []);
  const of = (row: { packets: number; bytes: number }): number => (packets ? row.packets : row.bytes);
  const all = props.layers.reduce((sum, layer) => sum + of(layer), 0);
  if (rows.length === 0) {
    return <p class="empty">No packets yet. Layers appear here with the first frame that is read.</p>;
  }
  return (
    <table class="bars hierarchy">
      <thead>
        <tr><th>Layer</th><th class="n">Share</th><th class="n">{packets ? 'Packets' : 'Bytes'}</th></tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.path} style={{ '--share': of(row) / (all || 1), '--depth': row.depth }} data-depth={row.depth}>
            <td title={row.name}><span class="bar" />{row.name}</td>
            <td class="n dim">{share(of(row), all)}</td>
            <td class="n">{packets ? count(row.packets) : bytes(row.bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
