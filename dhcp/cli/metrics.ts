import type { Service } from '../service.ts';

/** `dhcpv4.received.DISCOVER` of segment `blue` → `hawser_dhcp_events_total{segment="blue",event="dhcpv4.received.DISCOVER"}`. */
export function metricsText(services: ReadonlyMap<string, Pick<Service, 'tally'>>): string {
  const lines = [
    '# HELP hawser_dhcp_events_total Packets by protocol, direction and type, and what was not answered and why.',
    '# TYPE hawser_dhcp_events_total counter',
  ];
  for (const [segment, { tally }] of services) {
    for (const [event, count] of [...tally].sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`hawser_dhcp_events_total{segment=${JSON.stringify(segment)},event="${event}"} ${count}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
