// SPDX-License-Identifier: Apache-2.0
// How the agent itself is: taps, workers, memory, and its own opinion of its health.

import { useEffect, useState } from 'preact/hooks';
import { type Board, getHealth, type Health } from './api';
import { bytes, count, exact, share } from './format';

const HEALTH_MS = 5000;

export function useHealth(live: boolean): Health | null {
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(() => {
    if (!live) {
      return;
    }
    const load = () => getHealth().then(setHealth).catch(() => setHealth(null));
    void load();
    const timer = setInterval(load, HEALTH_MS);
    return () => clearInterval(timer);
  }, [live]);
  return health;
}

function Meter(props: { label: string; value: number; of: number; text: string }) {
  const part = props.of > 0 ? props.value / props.of : 0;
  return (
    <span class={part > 0.9 ? 'meter hot' : 'meter'} role="meter" aria-label={props.label} aria-valuemin={0} aria-valuemax={1}
      aria-valuenow={part} aria-valuetext={props.text} style={{ '--share': Math.min(part, 1) }}>
      <span class="bar" />
      <b>{props.text}</b>
    </span>
  );
}

function Workers(props: { board: Board }) {
  return (
    <table class="meters">
      <thead>
        <tr><th>Worker</th><th class="n">Load</th><th class="n">Packets</th><th class="n">Flows</th><th class="n wide">Evicted</th><th class="n">Memory</th></tr>
      </thead>
      <tbody>
        {props.board.workers.map((worker, i) => (
          <tr key={i}>
            <td>{i}</td>
            <td class="n"><Meter label={`Load of worker ${i}`} value={worker.load} of={1} text={share(worker.load, 1)} /></td>
            <td class="n">{count(worker.packets)}</td>
            <td class="n" title={`room for ${exact(worker.flow_capacity)}`}>{count(worker.flows_active)}</td>
            <td class={worker.flows_evicted ? 'n wide warn' : 'n wide'}>{count(worker.flows_evicted)}</td>
            <td class="n">{bytes(worker.memory_bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Taps(props: { board: Board }) {
  return (
    <table>
      <thead>
        <tr><th>Tap</th><th>Source</th><th class="n">Received</th><th class="n">Dropped</th></tr>
      </thead>
      <tbody>
        {props.board.taps.map((tap) => (
          <tr key={tap.name}>
            <td>{tap.name}</td>
            <td class="mono end" title={tap.source}>{tap.source}</td>
            <td class="n">{count(tap.received)}</td>
            <td class={tap.dropped ? 'n bad' : 'n'}>{count(tap.dropped)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Checks(props: { health: Health | null; board: Board }) {
  const { totals } = props.board;
  return (
    <>
      <p class="memory">
        <span>Memory</span>
        <Meter label="Memory" value={totals.memory_used} of={totals.memory_limit} text={`${bytes(totals.memory_used)} of ${bytes(totals.memory_limit)}`} />
      </p>
      <ul class="checks">
        {(props.health?.checks ?? []).map((check) => (
          <li key={check.name} class={check.ok ? 'ok' : 'not-ok'}>
            <span aria-label={check.ok ? 'fine' : 'look here'}>{check.ok ? '✓' : '!'}</span>
            <b>{check.name}</b> {check.detail}
          </li>
        ))}
        {totals.events_cut > 0 && (
          <li class="not-ok">
            <span aria-label="look here">!</span>
            <b>texts</b> {exact(totals.events_cut)} events had some cut for want of memory
          </li>
        )}
      </ul>
    </>
  );
}

export function Status(props: { board: Board; health: Health | null }) {
  return (
    <div class="status">
      <section class="panel"><h2>Workers</h2><Workers board={props.board} /></section>
      <section class="panel"><h2>Taps</h2><Taps board={props.board} /></section>
      <section class="panel"><h2>Health</h2><Checks health={props.health} board={props.board} /></section>
    </div>
  );
}
