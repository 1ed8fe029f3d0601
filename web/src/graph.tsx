// SPDX-License-Identifier: Apache-2.0
// The time-sequence graph of one connection: for each direction its bytes over time, round trips under
// it, and bytes in flight. The same marks, looks and words as `vantage read --plot` draws.

import { useMemo } from 'preact/hooks';
import type { ConnectionGraph, Mark } from './api';

const WIDTH = 1040;
const LEFT = 64;
const RIGHT = 14;
const GAP = 30;
const FEW = 4;
const DELAY_LEAST_US = 3000; /* shorter ones are the sender's clock, which ticks every millisecond */
const BAR_LEAST = 2;

type Shape = 'bar' | 'line' | 'dot' | 'down' | 'up' | 'diamond' | 'cross' | 'ring';

/** What rare kinds look like lies on top of what common ones do. */
const LOOKS: [kind: string, label: string, shape: Shape, bar: boolean][] = [
  ['window', 'window’s edge', 'line', false],
  ['ack', 'acknowledged', 'line', false],
  ['sack', 'SACK', 'bar', true],
  ['data', 'data', 'bar', true],
  ['missed', 'not captured', 'bar', true],
  ['copy', 'copy of a frame', 'cross', false],
  ['dsack', 'DSACK: came twice', 'bar', true],
  ['late', 'overtaken', 'diamond', true],
  ['fill', 'sent again, fills a hole', 'up', true],
  ['repeat', 'sent again', 'down', true],
  ['probe', 'probe', 'ring', false],
  ['zero_window', 'window closed', 'ring', false],
  ['syn', 'SYN', 'diamond', false],
  ['fin', 'FIN', 'diamond', false],
  ['rst', 'RST', 'cross', false],
];
const OTHERS: [kind: string, label: string, shape: Shape][] = [
  ['delay', 'delay before the tap', 'line'],
  ['round_trip', 'round trip from the tap', 'dot'],
  ['flight', 'in flight', 'line'],
];
const NAMED = ['syn', 'fin', 'rst'];

interface Scale {
  (value: number): number;
}

type Kinds = Map<string, Mark[]>;

/** The marks of a direction by kind. */
function sort(graph: ConnectionGraph, way: number): Kinds {
  const kinds: Kinds = new Map();
  for (const mark of graph.marks) {
    const kind = graph.kinds[mark[1]];
    if (mark[2] === way && kind) {
      const list = kinds.get(kind) ?? [];
      list.push(mark);
      kinds.set(kind, list);
    }
  }
  return kinds;
}

const most = (marks: Mark[] | undefined, at: 3 | 4, least = 0): number => (marks ?? []).reduce((high, mark) => Math.max(high, mark[at]), least);
const sum = (marks: Mark[] | undefined): number => (marks ?? []).reduce((all, mark) => all + mark[5], 0);

/* ---- Axes ------------------------------------------------------------------------------------ */

type Unit = 'bytes' | 'time';
const UNITS: Record<Unit, [number, string][]> = {
  bytes: [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']],
  time: [[1e6, 's'], [1e3, 'ms'], [1, 'µs']],
};

function label(value: number, step: number, high: number, unit: Unit): string {
  const [size, name] = UNITS[unit].find(([size]) => high >= size || size === 1) as [number, string];
  return value === 0 ? '0' : `${(value / size).toFixed(Math.max(0, Math.ceil(-Math.log10(step / size) - 0.001)))}\u202f${name}`;
}

function ticks(low: number, high: number, wanted: number): { step: number; values: number[] } {
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, power * ([1, 2, 5, 10].find((lead) => lead * power >= raw) ?? 10));
  const values: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high && values.length < 32; value += step) {
    values.push(value);
  }
  return { step, values };
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

const px = (value: number): string => String(Math.round(value * 10) / 10);

function symbol(shape: Shape, x: number, y: number): string {
  switch (shape) {
    case 'dot':
      return `M${px(x)} ${px(y)}h0`;
    case 'down':
      return `M${px(x)} ${px(y)}l-4-7h8z`;
    case 'up':
      return `M${px(x)} ${px(y)}l-4 7h8z`;
    case 'diamond':
      return `M${px(x)} ${px(y - 4)}l4 4l-4 4l-4-4z`;
    case 'cross':
      return `M${px(x - 4)} ${px(y - 4)}l8 8m0-8l-8 8`;
    case 'ring':
      return `M${px(x - 3.5)} ${px(y)}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z`;
    default:
      return '';
  }
}

/** All marks of a kind as one path. */
function trace(marks: Mark[], shape: Shape, bar: boolean, x: Scale, y: Scale, end: number): string {
  let path = '';
  for (const mark of marks) {
    const at = x(mark[0]);
    const top = y(mark[4]);
    const bottom = y(mark[3]);
    if (shape === 'line') {
      path += path ? `H${px(at)}V${px(top)}` : `M${px(at)} ${px(top)}`;
    }
    if (bar) {
      const height = Math.max(bottom - top, BAR_LEAST);
      path += `M${px(at)} ${px(bottom - height)}v${px(height)}`;
    }
    path += symbol(shape, at, shape === 'up' ? bottom : top);
  }
  return shape === 'line' && path ? `${path}H${px(x(end))}` : path;
}

/* ---- Panels ---------------------------------------------------------------------------------- */

interface PanelProps {
  title: string;
  top: number;
  height: number;
  low: number;
  high: number;
  unit: Unit;
  span: number;
  time: boolean;
  kinds: Kinds;
  looks: [kind: string, label: string, shape: Shape, bar?: boolean][];
  id: string;
}

function Panel(props: PanelProps) {
  const { top, height, kinds, span } = props;
  const high = props.low + Math.max(1, props.high - props.low) * 1.06;
  const x: Scale = (value) => LEFT + 4 + (value / (span * 1.01)) * (WIDTH - LEFT - RIGHT - 4);
  const y: Scale = (value) => top + height - ((value - props.low) / (high - props.low)) * height;
  const rows = ticks(props.low, high, height / (height > 150 ? 44 : 30));
  const columns = ticks(0, span * 1.01, 8);
  return (
    <g>
      <text class="head" x={LEFT} y={top - 7}>{props.title}</text>
      {columns.values.map((value) => <path key={value} class="grid" d={`M${px(x(value))} ${top}v${height}`} />)}
      {rows.values.map((value) => (
        <g key={value}>
          <path class="grid" d={`M${LEFT} ${px(y(value))}H${WIDTH - RIGHT}`} />
          <text class="tick" text-anchor="end" x={LEFT - 6} y={y(value) + 4}>{label(value, rows.step, high, props.unit)}</text>
        </g>
      ))}
      {props.time && columns.values.map((value) => (
        <text key={value} class="tick" text-anchor="middle" x={x(value)} y={top + height + 15}>{label(value, columns.step, span, 'time')}</text>
      ))}
      <path class="axis" d={`M${LEFT} ${top}v${height}H${WIDTH - RIGHT}`} />
      <clipPath id={props.id}><rect x={LEFT} y={top - 4} width={WIDTH - LEFT - RIGHT} height={height + 8} /></clipPath>
      <g clip-path={`url(#${props.id})`}>
        {props.looks.map(([kind, , shape, bar]) => kinds.has(kind) && (
          <path key={kind} class={`mark ${kind}`} d={trace(kinds.get(kind) ?? [], shape, bar ?? false, x, y, span)} />
        ))}
      </g>
      {props.unit === 'bytes' && props.looks.length > 1 && NAMED.map((kind) => {
        const first = kinds.get(kind)?.[0];
        const times = sum(kinds.get(kind));
        return first && (
          <text key={kind} class={`name ${kind}`} text-anchor={x(first[0]) > WIDTH - 90 ? 'end' : 'start'}
            x={x(first[0]) + (x(first[0]) > WIDTH - 90 ? -7 : 7)} y={Math.max(top + 10, Math.min(y(first[3]) - 6, top + height - 7))}>
            {kind.toUpperCase()}{times > 1 ? ` ×${times}` : ''}
          </text>
        );
      })}
    </g>
  );
}

/** A direction that carried little has one small panel only. */
const isSmall = (kinds: Kinds): boolean => ['data', 'repeat', 'fill', 'late'].reduce((all, kind) => all + sum(kinds.get(kind)), 0) <= FEW;

/** How many marks of a kind the panels of a direction show. */
function shown(kinds: Kinds, kind: string): number {
  const beside = OTHERS.some(([name]) => name === kind);
  const noise = kind === 'delay' && most(kinds.get('delay'), 4) < DELAY_LEAST_US;
  return (beside && isSmall(kinds)) || noise ? 0 : sum(kinds.get(kind));
}

/** The panels of a direction, each with its place. */
function panels(kinds: Kinds, way: number, main: boolean, from: number, span: number): { list: PanelProps[]; bottom: number } {
  const small = isSmall(kinds);
  const ends = way === 0 ? ['client', 'server'] : ['server', 'client'];
  const stream = ['data', 'repeat', 'fill', 'late', 'sack', 'ack', 'fin', 'syn', 'rst'];
  const high = Math.max(1, ...stream.map((kind) => most(kinds.get(kind), 4)));
  const low = Math.min(0, ...stream.map((kind) => Math.min(0, ...(kinds.get(kind) ?? []).map((mark) => mark[3]))));
  const window = most(kinds.get('window'), 4);
  const top = window > high && window < high * 1.4 ? window : high;
  const delay = most(kinds.get('delay'), 4);
  const trip = most(kinds.get('round_trip'), 4);
  const delays = shown(kinds, 'round_trip') + shown(kinds, 'delay') > 0;
  const flight = shown(kinds, 'flight') > 0;
  const list: PanelProps[] = [];
  let at = from;
  const add = (title: string, height: number, unit: Unit, least: number, most: number, looks: PanelProps['looks']) => {
    at += GAP;
    list.push({ title, top: at, height, low: least, high: most, unit, span, time: false, kinds, looks, id: `graph-${way}-${list.length}` });
    at += height;
  };
  if (kinds.size === 0) {
    return { list, bottom: from };
  }
  const above = window > top * 1.06 ? ' (the window’s edge is above the picture in part)' : '';
  add(`${ends[0]} → ${ends[1]}: place in the stream${above}`, small ? 70 : main ? 300 : 160, 'bytes', low, top, LOOKS);
  if (delays) {
    const words = [trip > 0 && `round trip from the tap to the ${ends[1]}`, delay >= DELAY_LEAST_US && `delay from the ${ends[0]} to the tap, above the least`];
    add(words.filter(Boolean).join('; '), main ? 90 : 70, 'time', 0, Math.max(trip, delay), OTHERS.filter(([kind]) => kind === 'round_trip' || (kind === 'delay' && delay >= DELAY_LEAST_US)));
  }
  if (flight) {
    add(`in flight: passed the tap, acknowledgment not yet back at the ${ends[0]}`, main ? 80 : 60, 'bytes', 0, most(kinds.get('flight'), 4, 1), OTHERS.filter(([kind]) => kind === 'flight'));
  }
  const last = list.at(-1);
  if (last) {
    last.time = true;
  }
  return { list, bottom: at + 20 };
}

/* ---- Together -------------------------------------------------------------------------------- */

function Legend(props: { ways: Kinds[] }) {
  const count = (kind: string) => props.ways.reduce((all, kinds) => all + shown(kinds, kind), 0);
  const items = [...LOOKS, ...OTHERS].filter(([kind]) => count(kind) > 0 && !NAMED.includes(kind));
  return (
    <ul class="keys">
      {items.map(([kind, name, shape, bar]) => (
        <li key={kind}>
          <svg width="20" height="14" aria-hidden="true">
            <path class={`mark ${kind}`} d={shape === 'line' ? 'M1 7h18' : (bar ? 'M10 2v10' : '') + symbol(shape, 10, shape === 'down' ? 9 : shape === 'up' ? 5 : 7)} />
          </svg>
          {name}{shape === 'line' || shape === 'dot' ? '' : ` ×${count(kind)}`}
        </li>
      ))}
    </ul>
  );
}

export function Graph(props: { graph: ConnectionGraph; main: number }) {
  const { graph, main } = props;
  const ways = useMemo(() => [sort(graph, 0), sort(graph, 1)] as const, [graph]);
  const span = Math.max(1, graph.marks.at(-1)?.[0] ?? 0);
  const first = panels(ways[main === 0 ? 0 : 1], main, true, 0, span);
  const second = panels(ways[main === 0 ? 1 : 0], 1 - main, false, first.bottom, span);
  return (
    <figure class="graph">
      <Legend ways={[...ways]} />
      <svg viewBox={`0 0 ${WIDTH} ${second.bottom + 4}`} role="img" aria-label="Time and sequence">
        {[...first.list, ...second.list].map((panel) => <Panel key={panel.id} {...panel} />)}
      </svg>
      <figcaption>
        Time since the first packet that is drawn.
        {graph.columns > 0 && ` ${graph.seen} marks are drawn as ${graph.marks.length}: those of one kind that lie closer than about a ${graph.columns}th of the picture are one.`}
      </figcaption>
    </figure>
  );
}
