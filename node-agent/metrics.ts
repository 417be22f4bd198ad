import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Tally } from '#dhcp/server/tally.ts';
import type { AddPhase } from './cni/add.ts';

/** What the agent counts; every metric name is in this file. */
export interface Metrics {
  /** Prometheus' text format. */
  text(): Promise<string>;
  addPhase(phase: AddPhase, seconds: number): void;
  request(verb: string, code: number, seconds: number): void;
  disconnected(database: string): void;
}

/** @param state read whenever the metrics are. */
export function createMetrics(state: {
  readonly portsPlugged: () => number;
  readonly portsRequested: () => number;
  readonly portsUnusable: () => number;
  /** What this node's tunnels carry; undefined while that is not known. */
  readonly tunnelMtuBytes: () => number | undefined;
  readonly portsTooLarge: () => number;
  /** What our own servers counted, by segment. */
  readonly guestServers: () => ReadonlyMap<string, Tally>;
}): Metrics {
  const registers = [new Registry()];
  const buckets = [0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30, 60, 120];
  const phases = new Histogram({
    name: 'hawser_cni_add_phase_seconds',
    help: 'Phases of CNI ADD: requested (waited for the port), plumbed (device and switch), installed (waited for ovn-installed)',
    labelNames: ['phase'],
    buckets,
    registers,
  });
  const requests = new Histogram({
    name: 'hawser_cni_request_seconds',
    help: 'CNI requests as the agent served them; code 0 is success, others are those of the CNI specification',
    labelNames: ['verb', 'code'],
    buckets,
    registers,
  });
  const disconnects = new Counter({
    name: 'hawser_database_disconnects_total',
    help: 'Connections to a database that failed or ended',
    labelNames: ['database'],
    registers,
  });
  gauge('hawser_ports_plugged', 'Ports of ours on the integration bridge', state.portsPlugged);
  gauge('hawser_ports_requested', 'Ports requested for this node that can be served', state.portsRequested);
  gauge(
    'hawser_tunnel_mtu_bytes',
    'MTU of the uplink less the tunnel: should be the same on every node',
    () => state.tunnelMtuBytes() ?? Number.NaN,
  );
  gauge('hawser_ports_above_tunnel_mtu', 'Ports whose MTU the tunnels of this node do not carry', state.portsTooLarge);
  gauge('hawser_ports_unusable', 'Ports requested for this node whose row cannot be served', state.portsUnusable);

  new Counter({
    name: 'hawser_guest_server_events_total',
    help: 'What our own server saw and did for guests of a segment: dhcpv4.received.DISCOVER, dhcpv6.sent.REPLY, ra.sent.unicast, transport.failed …',
    labelNames: ['segment', 'event'],
    registers,
    collect() {
      this.reset();
      for (const [segment, tally] of state.guestServers()) {
        for (const [event, count] of tally) this.inc({ segment, event }, count);
      }
    },
  });

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  return {
    text: async () => (await Promise.all(registers.map((registry) => registry.metrics()))).join(''),
    addPhase: (phase, seconds) => phases.observe({ phase }, seconds),
    request: (verb, code, seconds) => requests.observe({ verb, code }, seconds),
    disconnected: (database) => disconnects.inc({ database }),
  };
}
