// SPDX-License-Identifier: Apache-2.0
// TCP connections, worst first, as the agent reported them last; and one of them, with its graph.

import { useRef } from 'preact/hooks';
import type { Connection, ConnectionPage, ConnectionView, Way } from './api';
import { useAsked } from './asked';
import { useFocus } from './focus';
import { duration, exact } from './format';
import { Graph } from './graph';

const SHOWN = 15;
const BAD = ['blackholed', 'bufferbloat', 'lossy', 'slow_server', 'reordered', 'short_of_window'];

export const isBad = (verdict: string): boolean => BAD.includes(verdict);
const verdicts = (connection: Connection): string[] => (connection.tcp?.health?.verdicts ?? '').split(',').filter(Boolean);
export const words = (name: string): string => name.replaceAll('_', ' ');

/** What it suffered from; how it ended, where that is odd; or that all is well. */
function Words(props: { connection: Connection }) {
  const names = verdicts(props.connection);
  const close = props.connection.tcp?.health?.flags?.close;
  if (names.length === 0) {
    const odd = close && close !== 'fin' && close !== 'half_closed';
    return <span class={`verdict ${odd ? 'minor' : 'fine'}`}>{odd ? words(close) : 'ok'}</span>;
  }
  return <>{names.map((name) => <span key={name} class={`verdict ${isBad(name) ? 'major' : 'minor'}`}>{words(name)}</span>)}</>;
}

const main = (connection: Connection): number => {
  const health = connection.tcp?.health;
  return (health?.s2c?.unique_bytes ?? 0) >= (health?.c2s?.unique_bytes ?? 0) ? 1 : 0;
};
export const number = (value: number | null | undefined, digits = 1): string => (value === null || value === undefined ? '–' : value.toFixed(digits));
const end = (side: { ip?: string; port?: number } | undefined): string => (side?.ip?.includes(':') ? `[${side.ip}]:${side.port}` : `${side?.ip}:${side?.port}`);

function lost(way: Way | undefined): number | null {
  const gone = (way?.lost_before_tap_pkts ?? 0) + (way?.lost_behind_tap_pkts ?? 0);
  return way?.data_pkts ? (100 * gone) / way.data_pkts : null;
}

/* ---- The list -------------------------------------------------------------------------------- */

function Row(props: { connection: Connection; onOpen: () => void }) {
  const { connection } = props;
  const health = connection.tcp?.health;
  const way = main(connection) === 1 ? health?.s2c : health?.c2s;
  const trip = (health?.min_rtt_to_client_ms ?? Number.NaN) + (health?.min_rtt_to_server_ms ?? Number.NaN);
  return (
    <tr onClick={props.onOpen}>
      <td><button class="open mono" onClick={props.onOpen}>{end(connection.client)} → {end(connection.server)}</button></td>
      <td><Words connection={connection} /></td>
      <td class="n wide">{number(Number.isNaN(trip) ? null : trip)}</td>
      <td class="n wide">{number(way?.nonidle_throughput_mbps)}</td>
      <td class="n wide">{number(lost(way))}</td>
      <td class="n">{duration(connection.event?.duration ?? 0)}</td>
      <td class="n wide dim">{connection.flow?.final ? 'ended' : 'goes on'}</td>
    </tr>
  );
}

export function Connections(props: { paused: boolean; onOpen: (id: string) => void }) {
  const { value: page, problem } = useAsked<ConnectionPage>(`/api/v1/connections?limit=${SHOWN}`, props.paused);
  return (
    <section class="panel connections" aria-label="TCP connections">
      <header>
        <h2>TCP connections, worst first</h2>
        {page?.judged && <small>{exact(page.connections.length)} of {exact(page.total)} that were met; the agent keeps recent and bad ones, as they were reported last</small>}
      </header>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {page && !page.judged && <p class="empty">Nobody judges connections here: start <code>vantage live --connections</code>, or set <code>flows: {'{health: true}'}</code> in the configuration.</p>}
      {page?.judged && page.connections.length === 0 && <p class="empty">No TCP connection has been reported yet: one is when it ends, and every few seconds while it goes on.</p>}
      {page && page.connections.length > 0 && (
        <table>
          <thead><tr><th>Client → server</th><th>What</th><th class="n wide">RTT ms</th><th class="n wide">Mbit/s</th><th class="n wide">Lost %</th><th class="n">Duration</th><th class="n wide" /></tr></thead>
          <tbody>{page.connections.map((one) => <Row key={one.flow?.id} connection={one} onOpen={() => one.flow?.id && props.onOpen(one.flow.id)} />)}</tbody>
        </table>
      )}
    </section>
  );
}

/* ---- One ------------------------------------------------------------------------------------- */

const DRAWN: Record<string, string> = {
  whole: 'Drawn from its first packet.',
  part: 'Drawn from when it was opened here first: what was before is not in the picture.',
  begun: 'It was not drawn so far. From now on it is: the picture comes with its next packets.',
  no: 'It has ended, and no picture of it was kept. The agent draws some connections at a time and keeps the pictures of the worst; vantage read --plot draws any connection of a capture.',
};

function Findings(props: { connection: Connection }) {
  const health = props.connection.tcp?.health;
  const names = verdicts(props.connection);
  return (
    <ul class="findings">
      {names.length === 0 && <li><Words connection={props.connection} /></li>}
      {names.map((name) => {
        const finding = health?.verdict?.[name];
        const kind = name === 'blackholed' ? health?.flags?.blackhole_kind : undefined;
        return (
          <li key={name}>
            <span class={`verdict ${isBad(name) ? 'major' : 'minor'}`}>{words(name)} {Math.round(100 * (finding?.confidence ?? 0))}{'\u202f'}%</span>
            {finding?.evidence}{kind ? `; kind: ${words(kind)}` : ''}
          </li>
        );
      })}
    </ul>
  );
}

const FACTS: [label: string, unit: string, name: keyof Way][] = [
  ['Data', 'segments', 'data_pkts'],
  ['Distinct', 'bytes', 'unique_bytes'],
  ['Not idle', 'Mbit/s', 'nonidle_throughput_mbps'],
  ['Lost before the tap', 'segments', 'lost_before_tap_pkts'],
  ['Lost behind it', 'segments', 'lost_behind_tap_pkts'],
  ['Overtaken', 'segments', 'reordered_original_pkts'],
  ['Round trip, median', 'ms', 'rtt_p50_ms'],
  ['Round trip, 95 %', 'ms', 'rtt_p95_ms'],
  ['Queue, median', 'ms', 'queue_p50_ms'],
  ['Busy', 'ms', 'sender_busy_time_ms'],
  ['Held by the window', 'ms', 'rwnd_limited_ms'],
  ['Idle', 'ms', 'idle_ms'],
];

function Facts(props: { connection: Connection }) {
  const health = props.connection.tcp?.health;
  const cell = (way: Way | undefined, name: keyof Way) => {
    const value = way?.[name];
    return typeof value === 'number' ? (Number.isInteger(value) ? exact(value) : value.toFixed(value < 1 ? 3 : 1)) : '–';
  };
  return (
    <table class="facts">
      <thead><tr><th>Direction</th><th class="n">to server</th><th class="n">to client</th><th /></tr></thead>
      <tbody>
        {FACTS.map(([label, unit, name]) => (
          <tr key={name}><th scope="row">{label}</th><td class="n">{cell(health?.c2s, name)}</td><td class="n">{cell(health?.s2c, name)}</td><td class="dim">{unit}</td></tr>
        ))}
      </tbody>
    </table>
  );
}

export function OneConnection(props: { id: string; paused: boolean; onClose: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  const { value: view, problem } = useAsked<ConnectionView>(`/api/v1/connection?id=${encodeURIComponent(props.id)}`, props.paused);
  useFocus(close);
  const health = view?.connection.tcp?.health;
  return (
    <section class="side connection" role="dialog" aria-label="TCP connection">
      <header>
        <h2 class="mono">{view ? `${end(view.connection.client)} → ${end(view.connection.server)}` : 'TCP connection'}</h2>
        {view && <button onClick={() => void navigator.clipboard.writeText(JSON.stringify(view.connection, null, 2))}>Copy JSON</button>}
        <button ref={close} onClick={props.onClose}>Close <kbd>Esc</kbd></button>
      </header>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {view && (
        <>
          <p class="dim">
            {view.connection.flow?.final ? 'Ended' : 'Goes on'}{health?.flags?.close ? `: ${words(health.flags.close)}` : ''} · {duration(view.connection.event?.duration ?? 0)}
            {' '}· least round trip from the tap {number(health?.min_rtt_to_client_ms, 2)} ms to the client, {number(health?.min_rtt_to_server_ms, 2)} ms to the server · capture {health?.quality}
          </p>
          <Findings connection={view.connection} />
          {view.graph.marks.length > 0 && <Graph graph={view.graph} main={main(view.connection)} />}
          <p class="drawn">{DRAWN[view.graph.drawn] ?? ''} Figures are those of the latest report; the picture is of this moment.</p>
          <Facts connection={view.connection} />
        </>
      )}
    </section>
  );
}
