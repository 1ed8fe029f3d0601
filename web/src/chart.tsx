// SPDX-License-Identifier: Apache-2.0
// The last minutes (five, once there are so many), mirrored: what came in above the axis, what went out below it, losses as
// bars from the axis. With the table twin, the same figures as text.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Second } from './api';
import { clock, exact, rate, type Unit } from './format';

const SPAN = 300; /* seconds shown, and at least: */
const SPAN_LEAST = 60;
const HEIGHT = 278;

const inOf = (s: Second, unit: Unit): number => (unit === 'packets' ? s.packets[0] : s.bytes[0]);
const outOf = (s: Second, unit: Unit): number => (unit === 'packets' ? s.packets[1] : s.bytes[1]);

/** Every second of the span has its place; one that is not known is a hole, not a zero. */
function columns(seconds: Second[], unit: Unit): uPlot.AlignedData {
  const last = seconds.at(-1)?.second ?? Math.floor(Date.now() / 1000);
  const known = new Map(seconds.map((s) => [s.second, s]));
  const span = Math.min(SPAN, Math.max(SPAN_LEAST, last - (seconds[0]?.second ?? last) + 1));
  const xs: number[] = [];
  const ins: (number | null)[] = [];
  const outs: (number | null)[] = [];
  const drops: (number | null)[] = [];
  for (let x = last - span + 1; x <= last; x++) {
    const s = known.get(x);
    xs.push(x);
    ins.push(s ? inOf(s, unit) : null);
    outs.push(s ? -outOf(s, unit) : null);
    drops.push(s?.dropped ? s.dropped : null);
  }
  return [xs, ins, outs, drops];
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Room for both directions; the quieter one keeps a fifth of the height. */
function mirrored(low: number, high: number): [number, number] {
  const most = Math.max(-low, high, 1);
  return [-1.08 * Math.max(-low, most / 4), 1.08 * Math.max(high, most / 4)];
}

/** Losses are few beside the traffic: they have a scale of their own, whose zero is on the same line
 * and whose largest bar takes a third of the upper half. */
function dropScale(plot: uPlot, high: number): [number, number] {
  const low = plot.scales['y']?.min ?? -1;
  const top = plot.scales['y']?.max ?? 1;
  return [(3 * high * low) / top, 3 * high];
}

function options(width: number, unit: Unit, onHover: (index: number | null) => void): uPlot.Options {
  const axis = {
    stroke: colour('--muted'),
    font: `11px ${colour('--font')}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const area = (name: string): uPlot.Series => ({
    stroke: colour(`--${name}`),
    fill: colour(`--${name}-fill`),
    width: 1.5,
    points: { show: false },
  });
  return {
    width,
    height: HEIGHT,
    padding: [10, 28, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => mirrored(low ?? 0, high ?? 0) },
      drops: { range: (plot, _, high) => dropScale(plot, high ?? 1) },
    },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => clock(tick)), space: 90, size: 28 },
      { ...axis, values: (_, ticks) => ticks.map((tick) => rate(Math.abs(tick), unit)), size: 82, space: 36 },
    ],
    series: [
      {},
      area('in'),
      area('out'),
      { scale: 'drops', fill: colour('--bad'), width: 0, points: { show: false },
        ...(uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [1, 4, 2] }) } : {}) },
    ],
    hooks: {
      setCursor: [(plot) => onHover(plot.cursor.idx ?? null)],
      draw: [drawAxis],
    },
  };
}

/** The zero line, stronger than the grid: what is above came in, what is below went out. */
function drawAxis(plot: uPlot): void {
  const y = Math.round(plot.valToPos(0, 'y', true)) + 0.5;
  plot.ctx.save();
  plot.ctx.strokeStyle = colour('--axis');
  plot.ctx.lineWidth = devicePixelRatio;
  plot.ctx.beginPath();
  plot.ctx.moveTo(plot.bbox.left, y);
  plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
  plot.ctx.stroke();
  plot.ctx.restore();
}

/** Counts up when the colours change. */
function useTheme(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => setVersion((v) => v + 1);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return version;
}

function Canvas(props: { data: uPlot.AlignedData; unit: Unit; onHover: (index: number | null) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  useLayoutEffect(() => {
    const element = place.current as HTMLDivElement;
    plot.current = new uPlot(options(element.clientWidth, props.unit, props.onHover), props.data, element);
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
    };
  }, [props.unit, theme]);
  useLayoutEffect(() => plot.current?.setData(props.data), [props.data]);
  return <div class="canvas" ref={place} aria-hidden="true" />;
}

function Twin(props: { seconds: Second[]; unit: Unit }) {
  return (
    <div class="twin" tabIndex={0} role="region" aria-label="Rates as a table">
      <table>
        <thead>
          <tr>
            <th>Time</th>
            <th class="n">In</th>
            <th class="n">Out</th>
            <th class="n">New flows</th>
            <th class="n">Dropped</th>
          </tr>
        </thead>
        <tbody>
          {props.seconds.slice(-60).reverse().map((s) => (
            <tr key={s.second}>
              <td>{clock(s.second)}</td>
              <td class="n">{rate(inOf(s, props.unit), props.unit)}</td>
              <td class="n">{rate(outOf(s, props.unit), props.unit)}</td>
              <td class="n">{exact(s.flows_new)}</td>
              <td class={s.dropped ? 'n bad' : 'n'}>{exact(s.dropped)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Chart(props: { seconds: Second[]; unit: Unit; table: boolean }) {
  const { seconds, unit } = props;
  const [hover, setHover] = useState<number | null>(null);
  const data = useMemo(() => columns(seconds, unit), [seconds, unit]);
  const at = hover === null ? undefined : (data[0][hover] as number | undefined);
  const shown = at === undefined ? seconds.at(-1) : seconds.find((s) => s.second === at);
  return (
    <>
      <p class="legend">
        <time>{at !== undefined ? clock(at) : 'Now'}</time>
        <span><i class="key in" />In <b>{shown ? rate(inOf(shown, unit), unit) : '–'}</b></span>
        <span><i class="key out" />Out <b>{shown ? rate(outOf(shown, unit), unit) : '–'}</b></span>
        <span><i class="key drop" />Dropped <b>{shown ? exact(shown.dropped) : '–'}</b></span>
        <span>New flows <b>{shown ? exact(shown.flows_new) : '–'}</b></span>
      </p>
      {props.table ? <Twin seconds={seconds} unit={unit} /> : <Canvas data={data} unit={unit} onHover={setHover} />}
    </>
  );
}
