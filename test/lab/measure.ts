import { gapProblems } from './gap-limits.ts';
import type { GuestReport } from './guest/report.ts';
import { expectedOfGuests } from './manifests.ts';
import { Pings } from './observation.ts';
import type { MigrationResult } from './results.ts';
import type { ScenarioContext, Step } from './scenarios/scenario.ts';

/** Runs a step and holds what guest and observer saw of it against what must not change. */
export async function measured(context: ScenarioContext, step: Step): Promise<MigrationResult> {
  const { lab, vm, observation, bystander } = context;
  const before = await vm.report();
  await using others = step.endsOn === step.from && bystander ? await Pings.start(bystander) : undefined;
  const began = Date.now();
  const { outcome, qemuDowntimeMs, stoppedMs } = await step.run();
  const chassis = await lab.history.chassisOf(vm.port, step.endsOn);
  // What a commit or roll-back does to the flows is over before some tens of pings have been answered.
  await observation.pings.untilReplies(30);
  const longestGapMs = observation.pings.longestGapMs(began);
  const bystanderGapMs = others?.longestGapMs(began) ?? null;
  const tcpLostBytes = await observation.lostBytes();
  const after = await vm.report();
  const commitMs = lab.history.commitMs(vm.port, began) ?? null;
  const seen = {
    ipsBefore: ipsOf(before),
    ipsAfter: ipsOf(after),
    macBefore: before.mac,
    macAfter: after.mac,
    gatewayBefore: gatewaysOf(before, 'ip'),
    gatewayAfter: gatewaysOf(after, 'ip'),
    gatewayMacBefore: gatewaysOf(before, 'mac'),
    gatewayMacAfter: gatewaysOf(after, 'mac'),
  };
  const problems = [
    ...(outcome === step.expected ? [] : [`it should have ${step.expected}, and it ${outcome}`]),
    ...differences(seen),
    ...(tcpLostBytes === 0 ? [] : [`the TCP stream lost ${tcpLostBytes} bytes`]),
    ...(chassis === step.endsOn ? [] : [`OVN forwards on ${chassis || 'no chassis'}, not on ${step.endsOn}`]),
    ...rebootProblems(step, before, after),
    ...gapProblems(step.expected, { longestGapMs, bystanderGapMs, qemuDowntimeMs }),
  ];
  const { kind, from, to } = step;
  const { name, attach } = vm;
  return {
    ...{
      vm: name,
      attach,
      kind,
      from,
      to,
      outcome,
      qemuDowntimeMs,
      stoppedMs,
      longestGapMs,
      bystanderGapMs,
      tcpLostBytes,
    },
    ...seen,
    ...{ chassis, commitMs, problems },
  };
}

/** What a guest should have been told and was not. */
export function guestProblems(report: GuestReport, hostName: string): readonly string[] {
  const { dns, search, ntp, mtu, route } = expectedOfGuests;
  const checks: [boolean, string][] = [
    [report.ipv4.length === 1 && report.ipv6.length === 1, `addresses ${[...report.ipv4, ...report.ipv6].join(' ')}`],
    [report.gateway.ipv4?.mac !== undefined, 'no IPv4 gateway that answers'],
    [report.gateway.ipv6?.mac !== undefined, 'no IPv6 gateway that answers'],
    [dns.every((server) => report.dns.includes(server)), `DNS servers ${report.dns.join(' ')}`],
    [report.search.includes(search), `search domains ${report.search.join(' ')}`],
    [report.ntp.includes(ntp), `NTP servers ${report.ntp.join(' ')}`],
    [report.mtu === mtu && report.mtu6 === mtu, `MTU ${report.mtu}, on IPv6 ${report.mtu6}`],
    [report.routes.ipv4.some((line) => line.startsWith(route)), `routes ${report.routes.ipv4.join('; ')}`],
    [report.hostName === hostName, `host name ${report.hostName}`],
  ];
  return checks.filter(([holds]) => !holds).map(([, sentence]) => `the guest reports ${sentence}`);
}

function ipsOf({ ipv4, ipv6 }: GuestReport): readonly string[] {
  return [...ipv4, ...ipv6];
}

function gatewaysOf({ gateway }: GuestReport, what: 'ip' | 'mac') {
  return { v4: gateway.ipv4?.[what], v6: gateway.ipv6?.[what] };
}

function differences(
  seen: Pick<
    MigrationResult,
    | 'ipsBefore'
    | 'ipsAfter'
    | 'macBefore'
    | 'macAfter'
    | 'gatewayBefore'
    | 'gatewayAfter'
    | 'gatewayMacBefore'
    | 'gatewayMacAfter'
  >,
): readonly string[] {
  const pairs: [string, unknown, unknown][] = [
    ['IPs', seen.ipsBefore, seen.ipsAfter],
    ['MAC', seen.macBefore, seen.macAfter],
    ['gateway', seen.gatewayBefore, seen.gatewayAfter],
    ['gateway MAC', seen.gatewayMacBefore, seen.gatewayMacAfter],
  ];
  return pairs
    .map(([what, before, after]) => [what, JSON.stringify(before), JSON.stringify(after)])
    .filter(([, before, after]) => before !== after)
    .map(([what, before, after]) => `the guest's ${what} changed from ${before} to ${after}`);
}

function rebootProblems(step: Step, before: GuestReport, after: GuestReport): readonly string[] {
  const hasBooted = before.bootId !== after.bootId;
  if (hasBooted === (step.expected === 'restarted')) return [];
  return [hasBooted ? 'the guest has booted in between' : 'the guest has not booted in between'];
}
