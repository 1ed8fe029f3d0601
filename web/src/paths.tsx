// SPDX-License-Identifier: Apache-2.0
// The latency weather: what TCP connections between places had, worst paths first, with the round trip
// that is normal anywhere in the world marked.

import type { Path, PathPage } from './api';
import { useAsked } from './asked';
import { isBad, number, words } from './connections';
import { exact } from './format';
import { PATHS_BY, type View } from './view';

const SHOWN = 15;
const SCALE = 2; /* the scale of round trips ends at so many times what is normal */
const NAMES: Record<View['by'], string> = { path: 'Path', country: 'Country', asn: 'Network', zone: 'Zone', port: 'Port' };

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

function regionOf(code: string): string {
  try {
    return regions.of(code) ?? code;
  } catch {
    return code; /* a database may say anything */
  }
}

function Clients(props: { path: Path }) {
  const { path } = props;
  const network = path.client_as_number && `AS${path.client_as_number}${path.client_as_name ? ` ${path.client_as_name}` : ''}`;
  if (path.others) {
    return <td class="dim">all others</td>;
  }
  return (
    <td title={[path.client_country && regionOf(path.client_country), network].filter(Boolean).join(', ')}>
      {path.client_country && <b>{path.client_country}</b>} {network}
      {!path.client_country && !network && <span class="dim">anywhere</span>}
    </td>
  );
}

function Servers(props: { path: Path; onFilter: (words: string[]) => void }) {
  const { server_zone: zone, server_port: port } = props.path;
  return (
    <td>
      {zone}{zone && port ? ':' : ''}
      {port && <button class="link mono" title="Flows of this port" onClick={() => props.onFilter(['proto:tcp', `port:${port}`])}>{port}</button>}
      {!zone && !port && <span class="dim">any</span>}
    </td>
  );
}

/** On a scale on which what is normal is marked. */
function Trip(props: { path: Path; normal: number }) {
  const { path, normal } = props;
  const value = path.rtt_p95_ms;
  const text = value === undefined ? 'not measured' : `95 % below ${number(value)} ms; up to ${normal} ms is normal anywhere in the world`;
  return (
    <td class="n">
      <span class={path.slow ? 'trip slow' : 'trip'} title={text} style={{ '--share': Math.min(1, (value ?? 0) / (SCALE * normal)) }}>
        <span class="bar" /><i />
        <b>{number(value)}{path.slow && <span aria-label=", longer than normal">{'\u202f'}!</span>}</b>
      </span>
    </td>
  );
}

/** The verdicts that most connections have, with their shares. */
function Verdicts(props: { path: Path }) {
  const most = Object.entries(props.path.verdicts).sort(([, a], [, b]) => b - a);
  if (most.length === 0) {
    return <td><span class="verdict fine">ok</span></td>;
  }
  return (
    <td title={most.map(([name, part]) => `${words(name)} ${number(100 * part)} %`).join(', ')}>
      {most.map(([name, part]) => (
        <span key={name} class={`verdict ${isBad(name) ? 'major' : 'minor'}`}>{words(name)} {number(100 * part, part < 0.1 ? 1 : 0)}{'\u202f'}%</span>
      ))}
    </td>
  );
}

interface PathsProps {
  by: View['by'];
  paused: boolean;
  onBy: (by: View['by']) => void;
  onFilter: (words: string[]) => void;
}

export function Paths(props: PathsProps) {
  const keys = props.by === 'path' ? '' : `&by=${props.by}`;
  const { value: page, problem } = useAsked<PathPage>(`/api/v1/paths?limit=${SHOWN}${keys}`, props.paused);
  return (
    <section class="panel paths" aria-label="Paths of TCP connections">
      <header>
        <h2>Paths, worst first</h2>
        <div class="switch" role="group" aria-label="Summed up by">
          {PATHS_BY.map((by) => <button key={by} aria-pressed={props.by === by} onClick={() => props.onBy(by)}>{NAMES[by]}</button>)}
        </div>
        {page && page.total > 0 && (
          <small>{exact(page.paths.length)} of {exact(page.total)}: connections that ended in the last ten to twenty minutes; the line in the scale is {page.normal_ms} ms, normal for a round trip anywhere in the world</small>
        )}
      </header>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {page?.total === 0 && <p class="empty">No TCP connection that is judged has ended yet. Countries and networks come from MaxMind’s databases, zones from <code>zones</code> in the configuration.</p>}
      {page && page.total > 0 && (
        <table>
          <thead><tr><th>Clients</th><th>Servers</th><th class="n wide" title="Connections that ended">Ended</th><th class="n wide" title="Median round trip, both sides of the tap together">RTT ms</th><th class="n trips" title="95 % of the round trips are shorter">95 %</th><th class="n wide" title="95 % of connections lost less">Lost %</th><th class="n wide" title="Median, while not idle">Mbit/s</th><th>What</th></tr></thead>
          <tbody>
            {page.paths.map((path) => (
              <tr key={[path.client_country, path.client_as_number, path.server_zone, path.server_port, path.others].join()} class={path.slow ? 'slow' : ''}>
                <Clients path={path} />
                <Servers path={path} onFilter={props.onFilter} />
                <td class="n wide">{exact(path.connections)}</td>
                <td class="n wide">{number(path.rtt_p50_ms)}</td>
                <Trip path={path} normal={page.normal_ms} />
                <td class="n wide">{number(path.loss_p95_percent)}</td>
                <td class="n wide">{number(path.throughput_p50_mbps)}</td>
                <Verdicts path={path} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
