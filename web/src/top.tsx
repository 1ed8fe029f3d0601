// SPDX-License-Identifier: Apache-2.0
// Metric sets, drawn from the schema alone: a card for each top-N and for each labelled counter, one
// for the plain numbers of a set. What a protocol adds to its table appears here by itself.

import type { Block, MetricRow, Schema, TopItem } from './api';
import { filterOf } from './filter';
import { amount, count, exact, share, title } from './format';

interface Bar {
  name: string;
  value: number;
  approximate?: boolean;
  filter: string[];
  detail: string;
}

function detailOf(row: MetricRow, item: TopItem): string {
  const extras = (row.extras ?? []).map((extra) => {
    const value = item[extra];
    return typeof value === 'number' ? `${title(extra)}: ${exact(value)}` : '';
  });
  const least = item.error ? `at least, and at most ${exact(item.weight + item.error)}` : '';
  return [`${exact(item.weight)} ${row.unit}`, least, ...extras].filter(Boolean).join('\n');
}

function barsOf(row: MetricRow, value: unknown): Bar[] {
  if (row.kind === 'topn' && Array.isArray(value)) {
    return (value as TopItem[]).map((item) => ({
      name: item.key,
      value: item.weight,
      approximate: (item.error ?? 0) > 0,
      filter: filterOf(row.key, item.key),
      detail: detailOf(row, item),
    }));
  }
  if (row.kind === 'labelled' && value !== null && typeof value === 'object') {
    return Object.entries(value)
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0)
      .map(([name, n]) => ({ name: title(name), value: n, filter: [], detail: `${exact(n)} ${row.unit}` }))
      .sort((a, b) => b.value - a.value);
  }
  return [];
}

function BarRow(props: { bar: Bar; row: MetricRow; all: number; onFilter: (words: string[]) => void }) {
  const { bar, row, all, onFilter } = props;
  return (
    <tr style={{ '--share': bar.value / (all || 1) }} title={`${bar.name}\n${bar.detail}`}>
      <td>
        <span class="bar" />
        {bar.filter.length > 0 ? (
          <button class="link mono" onClick={() => onFilter(bar.filter)}>{bar.name}</button>
        ) : (
          <span class={row.kind === 'topn' ? 'mono' : ''}>{bar.name}</span>
        )}
      </td>
      <td class="n">{bar.approximate && '≥ '}{amount(bar.value, row.unit)}</td>
    </tr>
  );
}

/** Label values that say that there is nothing to say. */
const NOTHING = /^(none|unknown)$/i;

function Card(props: { set: string; row: MetricRow; value: unknown; onFilter: (words: string[]) => void }) {
  const { row } = props;
  const bars = barsOf(row, props.value).slice(0, 10);
  const all = Math.max(...bars.map((bar) => bar.value), 1);
  if (row.kind === 'labelled' && bars.every((bar) => NOTHING.test(bar.name))) {
    return null; /* nothing of that kind was seen: no card of zeros */
  }
  return (
    <section class={row.key === 'pair' ? 'card double' : 'card'}>
      <h3 title={row.help}>{title(row.name)}<small>{row.kind === 'labelled' ? `${props.set} · ${row.unit}` : row.unit}</small></h3>
      {bars.length === 0 ? (
        <p class="empty">None seen yet. {row.help}.</p>
      ) : (
        <table class="bars">
          <tbody>
            {bars.map((bar) => <BarRow key={bar.name} bar={bar} row={row} all={all} onFilter={props.onFilter} />)}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Counters, levels and distinct counts of a set, those that are not zero. */
function Numbers(props: { name: string; rows: MetricRow[]; block: Block }) {
  const shown = props.rows.filter((row) => typeof props.block[row.name] === 'number' && props.block[row.name] !== 0);
  const all = props.block['packets'];
  if (shown.length === 0) {
    return null;
  }
  return (
    <section class="card">
      <h3>Counters<small>{props.name}</small></h3>
      <table>
        <tbody>
          {shown.map((row) => {
            const value = props.block[row.name] as number;
            return (
              <tr key={row.name} title={`${row.help}\n${exact(value)} ${row.unit}`}>
                <td>{title(row.name)}</td>
                <td class="n dim">{row.unit === 'packets' && typeof all === 'number' ? share(value, all) : ''}</td>
                <td class="n">{row.kind === 'cardinality' ? `~${count(value)}` : amount(value, row.unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

const plain = (row: MetricRow): boolean => row.kind !== 'topn' && row.kind !== 'labelled';

/** The heaviest items large and beside each other, all counts below, packed into columns. */
export function Metrics(props: { schema: Schema; blocks: Record<string, Block>; onFilter: (words: string[]) => void }) {
  const cards = (kind: MetricRow['kind']) =>
    props.schema.metrics.flatMap((set) =>
      set.metrics
        .filter((row) => row.kind === kind)
        .map((row) => (
          <Card key={`${set.name}.${row.name}`} set={set.name} row={row} value={props.blocks[set.name]?.[row.name]} onFilter={props.onFilter} />
        )),
    );
  return (
    <>
      <div class="cards">{cards('topn')}</div>
      <div class="counts">
        {props.schema.metrics.map((set) => (
          <Numbers key={set.name} name={set.name} rows={set.metrics.filter(plain)} block={props.blocks[set.name] ?? {}} />
        ))}
        {cards('labelled')}
      </div>
    </>
  );
}
