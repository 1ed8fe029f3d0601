// SPDX-License-Identifier: Apache-2.0
// The table of flows. The agent filters, sorts and pages; this asks again every two seconds while
// the page is looked at.

import { useEffect, useRef, useState } from 'preact/hooks';
import { type End, type FlowEvent, type FlowPage, get } from './api';
import { FILTER_HELP, parseFilter } from './filter';
import { bytes, clockOf, count, duration, exact } from './format';
import type { Change, View } from './view';

const PAGE = 25;
const FARTHEST = 10_000;
const REFRESH_MS = 2000;

export interface Flows {
  page: FlowPage | null;
  problem: string | null;
}

export function useFlows(view: View, paused: boolean): Flows {
  const [flows, setFlows] = useState<Flows>({ page: null, problem: null });
  useEffect(() => {
    const parsed = parseFilter(view.filter);
    if (!parsed.ok) {
      setFlows((old) => ({ ...old, problem: parsed.problem }));
      return;
    }
    const query = new URLSearchParams(parsed.query);
    for (const key of ['state', 'sort', 'order'] as const) {
      query.set(key, view[key]);
    }
    query.set('offset', String(Math.min((view.page - 1) * PAGE, FARTHEST)));
    query.set('limit', String(PAGE));
    const abort = new AbortController();
    const load = () => {
      if (!document.hidden) {
        get<FlowPage>(`/api/v1/flows?${query}`, abort.signal)
          .then((page) => setFlows({ page, problem: null }))
          .catch((error: Error) => abort.signal.aborted || setFlows((old) => ({ ...old, problem: error.message })));
      }
    };
    load();
    const timer = paused ? undefined : setInterval(load, REFRESH_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [view.filter, view.state, view.sort, view.order, view.page, paused]);
  return flows;
}

const COLUMNS: { label: string; sort?: View['sort']; number?: boolean; wide?: boolean }[] = [
  { label: 'Protocol' },
  { label: 'Source' },
  { label: 'Destination' },
  { label: 'State', wide: true },
  { label: 'Start', sort: 'start', number: true, wide: true },
  { label: 'Last', sort: 'last', number: true, wide: true },
  { label: 'Duration', sort: 'duration', number: true },
  { label: 'Packets', sort: 'packets', number: true, wide: true },
  { label: 'Bytes', sort: 'bytes', number: true },
];

function Head(props: { view: View; onChange: Change }) {
  const { view, onChange } = props;
  const turn = (sort: View['sort']) =>
    onChange({ sort, page: 1, order: view.sort === sort && view.order === 'desc' ? 'asc' : 'desc' });
  return (
    <thead>
      <tr>
        {COLUMNS.map(({ label, sort, number, wide }) => {
          const on = sort === view.sort;
          const direction = view.order === 'asc' ? 'ascending' : 'descending';
          return (
            <th key={label} class={`${number ? 'n' : ''} ${wide ? 'wide' : ''}`} scope="col" {...(on ? { 'aria-sort': direction } : {})}>
              {sort ? (
                <button class="sort" onClick={() => turn(sort)}>
                  {label}<span aria-hidden="true">{on ? (view.order === 'asc' ? '▲' : '▼') : ''}</span>
                </button>
              ) : label}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function endText(end: End | undefined): string {
  if (!end?.ip) {
    return '–';
  }
  const ip = end.port !== undefined && end.ip.includes(':') ? `[${end.ip}]` : end.ip;
  return end.port !== undefined ? `${ip}:${end.port}` : ip;
}

function EndCell(props: { end: End | undefined }) {
  const { end } = props;
  return (
    <td class="mono end" title={endText(end)}>
      {end?.ip ?? '–'}
      {end?.port !== undefined && <span class="dim">:{end.port}</span>}
    </td>
  );
}

export const flowKey = (flow: FlowEvent): string =>
  flow.flow?.id ?? `${endText(flow.source)} ${endText(flow.destination)} ${flow.event?.start ?? ''}`;

function Row(props: { flow: FlowEvent; most: number; selected: boolean; onOpen: () => void }) {
  const { flow, most } = props;
  const all = flow.network?.bytes ?? 0;
  const sent = flow.source?.bytes ?? 0;
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (props.selected) {
      row.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [props.selected]);
  return (
    <tr ref={row} class={props.selected ? 'selected' : ''} aria-selected={props.selected} onClick={props.onOpen}>
      <td><button class="open" aria-label={`Open ${endText(flow.source)} to ${endText(flow.destination)}`}>{flow.network?.transport ?? flow.network?.type ?? 'other'}</button></td>
      <EndCell end={flow.source} />
      <EndCell end={flow.destination} />
      <td class="wide dim">{flow.flow?.state ?? ''}</td>
      <td class="n wide dim">{clockOf(flow.event?.start)}</td>
      <td class="n wide dim">{clockOf(flow.event?.end)}</td>
      <td class="n">{duration(flow.event?.duration ?? 0)}</td>
      <td class="n wide">{count(flow.network?.packets ?? 0)}</td>
      <td class="n volume" style={{ '--share': all / (most || 1), '--sent': sent / (all || 1) }} title={`${exact(sent)} sent, ${exact(all - sent)} received`}>
        <span class="bar" />{bytes(all)}
      </td>
    </tr>
  );
}

function Empty(props: { view: View; problem: string | null }) {
  const { view, problem } = props;
  if (problem) {
    return <p class="empty">No flows shown: the filter above is not understood, or the agent did not answer.</p>;
  }
  if (view.filter.trim()) {
    return <p class="empty">No {view.state} flow matches <b>{view.filter}</b>. Clear the filter (Esc) to see all.</p>;
  }
  return view.state === 'active' ? (
    <p class="empty">No conversation is open right now. Flows that have ended are under “Recent”.</p>
  ) : (
    <p class="empty">No flow has ended yet: one ends when TCP closes it, or after its time-out without a packet.</p>
  );
}

function Pager(props: { view: View; page: FlowPage; onChange: Change }) {
  const { view, page, onChange } = props;
  const last = Math.max(1, Math.ceil(Math.min(page.matched, FARTHEST + PAGE) / PAGE));
  const from = page.flows.length > 0 ? page.offset + 1 : 0;
  return (
    <nav class="pager" aria-label="Pages of flows">
      <span>{exact(from)}–{exact(page.offset + page.flows.length)} of {exact(page.matched)}</span>
      {!page.complete && <span class="warn" title="A worker was too busy to answer in time">incomplete</span>}
      <button disabled={view.page <= 1} onClick={() => onChange({ page: view.page - 1 })}>Previous</button>
      <button disabled={view.page >= last} onClick={() => onChange({ page: view.page + 1 })}>Next</button>
    </nav>
  );
}

export interface FlowTableProps {
  view: View;
  flows: Flows;
  selected: string | null;
  onChange: Change;
  onOpen: (flow: FlowEvent) => void;
}

export function FlowTable(props: FlowTableProps) {
  const { view, flows, onChange } = props;
  const rows = flows.page?.flows ?? [];
  const most = Math.max(...rows.map((flow) => flow.network?.bytes ?? 0), 1);
  return (
    <section class="panel flows" aria-label="Flows">
      <header>
        <h2>Flows</h2>
        <div class="switch" role="group" aria-label="Which flows">
          {(['active', 'recent'] as const).map((state) => (
            <button key={state} aria-pressed={view.state === state} onClick={() => onChange({ state, page: 1 })}>
              {state === 'active' ? 'Active' : 'Recent'}
            </button>
          ))}
        </div>
        <input id="filter" type="search" spellcheck={false} autocomplete="off" value={view.filter} placeholder={FILTER_HELP}
          aria-label="Filter flows" aria-invalid={flows.problem !== null} onInput={(event) => onChange({ filter: event.currentTarget.value, page: 1 })} />
        {flows.page && <Pager view={view} page={flows.page} onChange={onChange} />}
      </header>
      {flows.problem && <p class="problem" role="alert">{flows.problem}</p>}
      {rows.length === 0 ? (
        flows.page || flows.problem ? <Empty view={view} problem={flows.problem} /> : <p class="empty">Asking the agent …</p>
      ) : (
        <table>
          <Head view={view} onChange={onChange} />
          <tbody>
            {rows.map((flow) => (
              <Row key={flowKey(flow)} flow={flow} most={most} selected={flowKey(flow) === props.selected} onOpen={() => props.onOpen(flow)} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
