// SPDX-License-Identifier: Apache-2.0
// The page: header, key figures, rates and hierarchy, metrics, flows, the agent itself.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { giveToken, type Link, type State, useAgent } from './agent';
import { type Block, type Board, type FlowEvent, get, type Second } from './api';
import { Chart } from './chart';
import { Connections, OneConnection } from './connections';
import { refine } from './filter';
import { flowKey, FlowTable, useFlows } from './flows';
import { count, exact, rate, share, type Unit } from './format';
import { Hierarchy } from './hierarchy';
import { Help, useKeys } from './keys';
import { Side } from './side';
import { Status, useHealth } from './status';
import { Paths } from './paths';
import { Metrics } from './top';
import { type Change, useView, type View } from './view';

const UNITS: Unit[] = ['bits', 'bytes', 'packets'];
const SPOKEN_MS = 15_000;
const MINUTE_REFRESH_MS = 10_000;

/* ---- Header ---------------------------------------------------------------------------------- */

function LinkState(props: { link: Link; paused: boolean }) {
  const { link, paused } = props;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = link.kind === 'gone' ? setInterval(() => setNow(Date.now()), 500) : undefined;
    return () => clearInterval(timer);
  }, [link.kind]);
  if (link.kind === 'gone') {
    const wait = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
    return <span class="state gone">Agent gone: {link.why}. {wait > 0 ? `Trying again in ${wait} s` : 'Trying again …'}</span>;
  }
  if (link.kind === 'connecting' || link.kind === 'token') {
    return <span class="state">{link.kind === 'token' ? 'Locked' : 'Connecting …'}</span>;
  }
  return <span class={paused ? 'state paused' : 'state live'}>{paused ? 'Paused' : 'Live'}</span>;
}

interface HeaderProps {
  board: Board | null;
  link: Link;
  unit: Unit;
  paused: boolean;
  onUnit: (unit: Unit) => void;
  onPause: () => void;
  onHelp: () => void;
}

function Header(props: HeaderProps) {
  const { board } = props;
  return (
    <header class="top">
      <h1><img src="/favicon.svg" alt="" width="22" height="22" />vantage</h1>
      {board && <span class="mode">{board.mode}</span>}
      {board && <span class="source" title={board.note}>{board.taps.map((tap) => tap.source || tap.name).join(', ')}</span>}
      {board?.note && <span class="note" title={board.note}>{board.note}</span>}
      <LinkState link={props.link} paused={props.paused} />
      <div class="switch" role="group" aria-label="Unit of rates">
        {UNITS.map((unit) => (
          <button key={unit} aria-pressed={props.unit === unit} onClick={() => props.onUnit(unit)}>{unit}</button>
        ))}
      </div>
      <button onClick={props.onPause} aria-pressed={props.paused}>{props.paused ? 'Go on' : 'Pause'}</button>
      <button onClick={props.onHelp} aria-label="Keys and help">?</button>
    </header>
  );
}

/* ---- Key figures ----------------------------------------------------------------------------- */

/** How much of the traffic the figures stand for. Never rounded up to 100 %. */
function Honesty(props: { board: Board }) {
  const { frames, dropped } = props.board.totals;
  if (dropped === 0) {
    return <div class="figure honest"><span>Capture</span><b>100 % analysed</b><small>0 dropped</small></div>;
  }
  const part = Math.min(99.99, (100 * frames) / (frames + dropped));
  return (
    <div class="figure lossy">
      <span>Capture incomplete</span>
      <b>{part.toFixed(2)} % analysed</b>
      <small>{exact(dropped)} dropped: figures are lower bounds</small>
    </div>
  );
}

function Figures(props: { board: Board; last: Second | undefined; unit: Unit }) {
  const { board, last, unit } = props;
  const { totals } = board;
  const pair = last && (unit === 'packets' ? last.packets : last.bytes);
  const packets = last ? last.packets[0] + last.packets[1] : 0;
  return (
    <section class="figures" aria-label="Key figures">
      <div class="figure in"><span>In</span><b>{pair ? rate(pair[0], unit) : '–'}</b></div>
      <div class="figure out"><span>Out</span><b>{pair ? rate(pair[1], unit) : '–'}</b></div>
      <div class="figure"><span>Packets</span><b>{rate(packets, 'packets')}</b><small>{count(totals.frames)} in all</small></div>
      <div class="figure"><span>Active flows</span><b>{exact(totals.flows_active)}</b><small>{exact(last?.flows_new ?? 0)} new/s</small></div>
      <div class="figure"><span>Flow table</span><b>{share(totals.flows_active, totals.flow_capacity)}</b><small>{totals.flows_evicted ? `${count(totals.flows_evicted)} evicted` : 'none evicted'}</small></div>
      <Honesty board={board} />
    </section>
  );
}

/** For those who listen instead of look: a sentence now and then, not one a second. */
function Spoken(props: { state: State }) {
  const [text, setText] = useState('');
  const latest = useRef(props.state);
  latest.current = props.state;
  useEffect(() => {
    const say = () => {
      const { board, seconds, link } = latest.current;
      const last = seconds.at(-1);
      if (link.kind !== 'live') {
        setText('The agent is not connected.');
      } else if (board && last) {
        setText(`In ${rate(last.bytes[0], 'bits')}, out ${rate(last.bytes[1], 'bits')}, ${exact(board.totals.flows_active)} active flows, ${exact(board.totals.dropped)} packets dropped.`);
      }
    };
    const timer = setTimeout(say, text ? SPOKEN_MS : 0);
    return () => clearTimeout(timer);
  }, [text, props.state.link.kind, props.state.board !== null]);
  return <p class="spoken" aria-live="polite">{text}</p>;
}

/* ---- Metrics --------------------------------------------------------------------------------- */

/** The blocks since the start come with every tick; those of the last minute are asked for. */
function useBlocks(board: Board | null, since: View['since'], paused: boolean): Record<string, Block> {
  const [minute, setMinute] = useState<Record<string, Block>>({});
  useEffect(() => {
    if (since !== 'minute' || paused) {
      return;
    }
    const load = () =>
      void get<Board>('/api/v1/summary?top=10')
        .then((now) => setMinute(pick(now, (set) => set.window)))
        .catch(() => undefined); /* the header says that the agent is gone */
    load();
    const timer = setInterval(load, MINUTE_REFRESH_MS);
    return () => clearInterval(timer);
  }, [since, paused]);
  return since === 'minute' ? minute : board ? pick(board, (set) => set.total) : {};
}

function pick(board: Board, part: (set: { total: Block; window?: Block }) => Block | undefined): Record<string, Block> {
  return Object.fromEntries(Object.entries(board.metrics).map(([name, set]) => [name, part(set) ?? {}]));
}

/* ---- The page -------------------------------------------------------------------------------- */

function TokenForm(props: { why: string }) {
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    giveToken(String(new FormData(event.currentTarget as HTMLFormElement).get('token')));
  };
  return (
    <form class="lock panel" onSubmit={send}>
      <h2>This agent asks for its token</h2>
      <p>{props.why}.</p>
      <input name="token" type="password" autocomplete="off" aria-label="Token" required />
      <button>Open</button>
    </form>
  );
}

function Body(props: { state: State; view: View; paused: boolean; onChange: Change; children: ComponentChildren }) {
  const { state, view, onChange } = props;
  const { board, schema, seconds } = state;
  const blocks = useBlocks(board, view.since, props.paused);
  const health = useHealth(state.link.kind === 'live');
  if (!board || !schema) {
    return state.link.kind === 'token' ? <TokenForm why={state.link.why} /> : (
      <p class="empty waiting">{state.link.kind === 'gone' ? 'No agent answers here. Start one with: vantage demo' : 'Asking the agent …'}</p>
    );
  }
  return (
    <main>
      <Figures board={board} last={seconds.at(-1)} unit={view.unit} />
      <div class="overview">
        <section class="panel rates" aria-label="Rates"><Chart seconds={seconds} unit={view.unit} table={view.table} /></section>
        <section class="panel layers"><h2>Protocols</h2><Hierarchy layers={board.hierarchy} unit={view.unit} /></section>
      </div>
      <div class="heading">
        <h2>Top</h2>
        <div class="switch" role="group" aria-label="Since when">
          <button aria-pressed={view.since === 'start'} onClick={() => onChange({ since: 'start' })}>Since start</button>
          <button aria-pressed={view.since === 'minute'} onClick={() => onChange({ since: 'minute' })}>Last minute</button>
        </div>
      </div>
      <Metrics schema={schema} blocks={blocks} onFilter={(words) => onChange({ filter: refine(view.filter, words), page: 1 })} />
      {props.children}
      <Status board={board} health={health} />
      <footer>vantage {board.version} · up since {new Date(board.started).toLocaleString()} · <a href="/metrics">/metrics</a> · <a href="/api/v1/schema">/api/v1/schema</a></footer>
    </main>
  );
}

const next = <T,>(values: readonly T[], value: T): T => values[(values.indexOf(value) + 1) % values.length] as T;

export function App() {
  const [view, onChange] = useView();
  const [paused, setPaused] = useState(false);
  const [help, setHelp] = useState(false);
  const [open, setOpen] = useState<FlowEvent | null>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const state = useAgent(paused);
  const flows = useFlows(view, paused || state.link.kind !== 'live');
  const rows = flows.page?.flows ?? [];

  const at = rows.findIndex((flow) => flowKey(flow) === selected);
  const select = (index: number) => {
    const flow = rows[Math.max(0, Math.min(index, rows.length - 1))];
    setSelected(flow ? flowKey(flow) : null);
    if (open && flow) {
      setOpen(flow);
    }
  };
  const show = (flow: FlowEvent) => {
    setSelected(flowKey(flow));
    setOpen(flow);
  };
  const escape = () => {
    const field = document.activeElement?.id === 'filter';
    if (help || open) {
      setHelp(false);
      setOpen(null);
    } else if (view.connection) {
      onChange({ connection: '' });
    } else if (view.filter) {
      onChange({ filter: '', page: 1 });
    } else if (field) {
      (document.activeElement as HTMLElement).blur();
    }
  };
  useKeys({
    '/': () => document.getElementById('filter')?.focus(),
    ' ': () => setPaused(!paused),
    '?': () => setHelp(!help),
    j: () => select(at + 1),
    k: () => select(at < 0 ? 0 : at - 1),
    Enter: () => rows[at] && show(rows[at] as FlowEvent),
    Escape: escape,
    b: () => onChange({ unit: next(UNITS, view.unit) }),
    a: () => onChange({ state: next(['active', 'recent'] as const, view.state), page: 1 }),
    t: () => onChange({ table: !view.table }),
    T: () => onChange({ table: !view.table }),
    '[': () => onChange({ page: Math.max(1, view.page - 1) }),
    ']': () => rows.length > 0 && onChange({ page: view.page + 1 }),
  });

  const fields = state.schema?.events.find((type) => type.dataset === 'flow')?.fields ?? [];
  return (
    <div class={state.link.kind === 'gone' ? 'page stale' : 'page'}>
      <a class="skip" href="#filter">To the flows</a>
      <Header board={state.board} link={state.link} unit={view.unit} paused={paused} onUnit={(unit) => onChange({ unit })}
        onPause={() => setPaused(!paused)} onHelp={() => setHelp(true)} />
      <Body state={state} view={view} paused={paused} onChange={onChange}>
        <Connections paused={paused || state.link.kind !== 'live'} onOpen={(connection) => onChange({ connection })} />
        <Paths by={view.by} paused={paused || state.link.kind !== 'live'} onBy={(by) => onChange({ by })}
          onFilter={(words) => onChange({ filter: refine(view.filter, words), page: 1 })} />
        <FlowTable view={view} flows={flows} selected={selected} onChange={onChange} onOpen={show} />
      </Body>
      {view.connection && state.schema && (
        <OneConnection key={view.connection} id={view.connection} paused={paused || state.link.kind !== 'live'} onClose={() => onChange({ connection: '' })} />
      )}
      {open && <Side flow={open} fields={fields} onClose={() => setOpen(null)} />}
      {help && <Help onClose={() => setHelp(false)} />}
      <Spoken state={state} />
    </div>
  );
}
