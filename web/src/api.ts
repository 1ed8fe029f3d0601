// SPDX-License-Identifier: Apache-2.0
// What the agent says, as types, and how it is asked. The page uses the same REST as everyone; its
// event stream is read through fetch(), because an EventSource cannot send the token.

export interface Second {
  second: number;
  packets: [number, number];
  bytes: [number, number];
  dropped: number;
  flows_new: number;
}

export interface Layer {
  name: string;
  packets: number;
  bytes: number;
  children: Layer[];
}

export interface Tap {
  name: string;
  source: string;
  received: number;
  dropped: number;
  interface_drops: number;
}

export interface Worker {
  packets: number;
  bytes: number;
  flows_active: number;
  flows_created: number;
  flows_evicted: number;
  flow_capacity: number;
  memory_bytes: number;
  events_dropped: number;
  load: number;
}

export interface Totals {
  frames: number;
  bytes: number;
  dropped: number;
  flows_active: number;
  flows_created: number;
  flows_evicted: number;
  flow_capacity: number;
  events_dropped: number;
  events_cut: number;
  fragments_held: number;
  fragments_dropped: number;
  memory_used: number;
  memory_limit: number;
}

/** A metric's value as the generic tables write it. */
export type MetricValue = number | TopItem[] | Record<string, unknown>;
export interface TopItem {
  key: string;
  weight: number;
  error?: number;
  [extra: string]: unknown;
}
export type Block = Record<string, MetricValue>;

export interface Board {
  version: string;
  mode: string;
  note: string;
  ready: boolean;
  started: string;
  now: string;
  totals: Totals;
  taps: Tap[];
  workers: Worker[];
  hierarchy: Layer[];
  metrics: Record<string, { total: Block; window?: Block }>;
  seconds?: Second[];
}

export interface MetricRow {
  name: string;
  kind: 'counter' | 'gauge' | 'cardinality' | 'topn' | 'labelled';
  unit: string;
  group: string;
  help: string;
  label?: string;
  key?: 'none' | 'address' | 'pair' | 'port' | 'text';
  extras?: string[];
}

export interface MetricSet {
  name: string;
  help: string;
  metrics: MetricRow[];
}

export interface FieldRow {
  name: string;
  type: string;
  help: string;
}

export interface Schema {
  metrics: MetricSet[];
  events: { dataset: string; help: string; fields: FieldRow[] }[];
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface Health {
  status: string;
  ready: boolean;
  checks: Check[];
}

export interface End {
  ip?: string;
  port?: number;
  bytes?: number;
  packets?: number;
}

/** The part of a flow event that the table shows; the panel shows whatever else there is. */
export interface FlowEvent {
  event?: { start?: string; end?: string; duration?: number; incomplete?: boolean };
  source?: End;
  destination?: End;
  network?: { transport?: string; type?: string; bytes?: number; packets?: number };
  flow?: { id?: string; state?: string };
}

export interface FlowPage {
  matched: number;
  complete: boolean;
  offset: number;
  limit: number;
  flows: FlowEvent[];
}

/** The part of a direction's figures that the page shows. */
export interface Way {
  data_pkts?: number;
  unique_bytes?: number;
  nonidle_throughput_mbps?: number;
  lost_before_tap_pkts?: number;
  lost_behind_tap_pkts?: number;
  reordered_original_pkts?: number;
  rtt_p50_ms?: number;
  rtt_p95_ms?: number;
  queue_p50_ms?: number;
  sender_busy_time_ms?: number;
  rwnd_limited_ms?: number;
  idle_ms?: number;
}

/** The part of a tcp.connection event that the page shows. */
export interface Connection {
  event?: { duration?: number };
  client?: End;
  server?: End;
  flow?: { id?: string; final?: boolean };
  tcp?: {
    health?: {
      verdicts?: string;
      verdict?: Record<string, { confidence?: number; evidence?: string }>;
      flags?: { close?: string; blackhole_kind?: string };
      quality?: string;
      min_rtt_to_client_ms?: number;
      min_rtt_to_server_ms?: number;
      c2s?: Way;
      s2c?: Way;
    };
  };
}

export interface ConnectionPage {
  judged: boolean;
  total: number;
  connections: Connection[];
}

/** Microseconds, kind (an index of `kinds`), direction (0: to the server), from, to, how many it stands for. */
export type Mark = [number, number, number, number, number, number];

export interface ConnectionGraph {
  drawn: 'whole' | 'part' | 'begun' | 'no';
  seen: number;
  columns: number;
  kinds: string[];
  marks: Mark[];
}

export interface ConnectionView {
  connection: Connection;
  graph: ConnectionGraph;
}

/** What the TCP connections between a place and a service had. What was not measured is absent. */
export interface Path {
  client_country?: string;
  client_as_number?: number;
  client_as_name?: string;
  server_zone?: string;
  server_port?: number;
  others?: boolean;
  connections: number;
  rtt_p50_ms?: number;
  rtt_p95_ms?: number;
  slow: boolean;
  loss_p95_percent?: number;
  throughput_p50_mbps?: number;
  verdicts: Record<string, number>; /* shares of connections */
}

export interface PathPage {
  total: number;
  normal_ms: number;
  paths: Path[];
}

/** The agent answered, and said no. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TOKEN_KEY = 'vantage.token';

/** The token lives as long as the tab. It may come in the fragment, which no server ever sees. */
export function takeToken(): void {
  const given = /^#token=(.+)$/.exec(location.hash);
  if (given?.[1]) {
    setToken(decodeURIComponent(given[1]));
    history.replaceState(null, '', location.pathname + location.search);
  }
}

export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  return fetch(path, { headers, cache: 'no-store', ...(signal ? { signal } : {}) });
}

async function refusal(response: Response): Promise<Refusal> {
  const body: unknown = await response.json().catch(() => null);
  const text = (body as { error?: string } | null)?.error;
  return new Refusal(response.status, text ?? `the agent answered ${response.status}`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal);
  if (!response.ok) {
    throw await refusal(response);
  }
  return (await response.json()) as T;
}

/** Health is told in the body whatever the status is. */
export async function getHealth(signal?: AbortSignal): Promise<Health> {
  return (await (await ask('/api/v1/health', signal)).json()) as Health;
}

/** Calls `onBoard` for each tick until the stream ends; throws when it breaks. */
export async function listen(onBoard: (board: Board) => void, signal: AbortSignal): Promise<void> {
  const response = await ask('/api/v1/stream', signal);
  if (!response.ok || !response.body) {
    throw await refusal(response);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    text += value;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event);
      if (data?.[1]) {
        onBoard(JSON.parse(data[1]) as Board);
      }
    }
  }
}
