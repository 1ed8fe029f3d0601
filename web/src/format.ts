// SPDX-License-Identifier: Apache-2.0
// Numbers for people: three significant digits, a thin space before the unit, the reader's locale.

export type Unit = 'bits' | 'bytes' | 'packets';

const NARROW = '\u202f';
const STEPS = ['', 'k', 'M', 'G', 'T', 'P'];

const digits = [2, 1, 0].map(
  (n) => new Intl.NumberFormat(undefined, { minimumFractionDigits: n, maximumFractionDigits: n }),
);
const whole = new Intl.NumberFormat();

/** 1234567 → ["1.23", "M"] */
function scaled(value: number, base: number): [string, string] {
  let size = Math.abs(value);
  let step = 0;
  while (size >= base * 0.9995 && step < STEPS.length - 1) {
    size /= base;
    step++;
  }
  const exact = step === 0 && Number.isInteger(size);
  const places = exact || size >= 99.95 ? 2 : size >= 9.995 ? 1 : 0;
  return [(value < 0 ? '−' : '') + (digits[places] as Intl.NumberFormat).format(size), STEPS[step] as string];
}

export function count(value: number): string {
  const [number, step] = scaled(value, 1000);
  return step ? number + NARROW + step : number;
}

export const exact = (value: number): string => whole.format(value);

export function bytes(value: number): string {
  const [number, step] = scaled(value, 1024);
  return number + NARROW + (step === '' ? 'B' : `${step === 'k' ? 'K' : step}iB`);
}

/** A rate of bytes or packets per second, in the unit that was chosen. */
export function rate(perSecond: number, unit: Unit): string {
  const [number, step] = scaled(unit === 'bits' ? perSecond * 8 : perSecond, 1000);
  const name = { bits: 'bit/s', bytes: 'B/s', packets: 'pkt/s' }[unit];
  return `${number}${NARROW}${step}${name}`;
}

export function amount(value: number, unit: string): string {
  return unit === 'bytes' ? bytes(value) : count(value);
}

export function share(part: number, all: number): string {
  if (all <= 0 || part <= 0) {
    return `0${NARROW}%`;
  }
  const percent = (100 * part) / all;
  const text =
    percent >= 99.95 ? '100' : percent >= 10 ? percent.toFixed(0) : percent >= 0.1 ? percent.toFixed(1) : '<0.1';
  return text + NARROW + '%';
}

export function duration(nanoseconds: number): string {
  const seconds = nanoseconds / 1e9;
  if (seconds < 1e-3) {
    return `${(seconds * 1e6).toFixed(0)}${NARROW}µs`;
  }
  if (seconds < 1) {
    return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)}${NARROW}ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)}${NARROW}s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes}${NARROW}m ${String(Math.floor(seconds % 60)).padStart(2, '0')}${NARROW}s`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? `${hours}${NARROW}h ${String(minutes % 60).padStart(2, '0')}${NARROW}m`
    : `${Math.floor(hours / 24)}${NARROW}d ${hours % 24}${NARROW}h`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

export const clock = (seconds: number): string => clockFormat.format(seconds * 1000);
export const clockOf = (iso: string | undefined): string => (iso ? clockFormat.format(new Date(iso)) : '');

/** How protocols and their parts are written by those who made them. */
const NAMES: Record<string, string> = {
  ethernet: 'Ethernet', arp: 'ARP', ipv4: 'IPv4', ipv6: 'IPv6', tcp: 'TCP', udp: 'UDP', sctp: 'SCTP',
  icmp: 'ICMP', icmpv6: 'ICMPv6', igmp: 'IGMP', vlan: 'VLAN', mpls: 'MPLS', gre: 'GRE', vxlan: 'VXLAN',
  geneve: 'GENEVE', gtpu: 'GTP-U', l2tp: 'L2TP', pppoe: 'PPPoE', ppp: 'PPP', esp: 'ESP', ah: 'AH',
  ospf: 'OSPF', lldp: 'LLDP', stp: 'STP', llc: 'LLC', sll: 'SLL', sll2: 'SLL2', fragment: 'Fragments',
  ip: 'IP', syn: 'SYN', syns: 'SYNs', ack: 'ACK', acks: 'ACKs', rtt: 'RTT',
};

/** "top_talkers" → "Top talkers", "ipv4_packets" → "IPv4 packets" */
export function title(name: string): string {
  const text = name.split('_').map((word) => NAMES[word] ?? word).join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
