import { typeAndWait } from '#test/lab/guest/guest-shell.ts';

/** A guest that can be measured with: its console, and where qperf of another guest finds it. */
export interface MeasuringGuest {
  readonly consoleSocket: string;
  readonly ipv4: string;
}

export type Protocol = 'tcp' | 'udp';

/** Starts the side that waits for others; it goes with the guest. */
export async function serveQperf({ consoleSocket }: MeasuringGuest): Promise<void> {
  await typeAndWait(consoleSocket, '(qperf > /dev/null 2>&1 &)');
}

/** qperf(1)'s `tcp_lat` or `udp_lat` for a second: one way, half a request and its answer of the same size, in µs. */
export async function latencyUs(from: MeasuringGuest, to: MeasuringGuest, protocol: Protocol, bytes: number) {
  const printed = await qperf(from, to, `${protocol}_lat`, bytes);
  return readValue(printed, 'latency', { ns: 1e-3, us: 1, ms: 1e3, sec: 1e6 });
}

/** `tcp_bw` or `udp_bw` for a second: what arrived, in Mbit/s. */
export async function throughputMbits(from: MeasuringGuest, to: MeasuringGuest, protocol: Protocol, bytes: number) {
  const printed = await qperf(from, to, `${protocol}_bw`, bytes);
  const units = { 'bits/sec': 1e-6, 'Kb/sec': 1e-3, 'Mb/sec': 1, 'Gb/sec': 1e3 };
  return readValue(printed, protocol === 'tcp' ? 'bw' : 'recv_bw', units);
}

async function qperf(from: MeasuringGuest, to: MeasuringGuest, test: string, bytes: number): Promise<string> {
  // Without KVM the guests need longer than qperf's 5 s to find together.
  const options = `--time 1 --timeout 20 --precision 5 --use_bits_per_sec --msg_size ${bytes}`;
  return await typeAndWait(from.consoleSocket, `qperf ${to.ipv4} ${options} ${test}`);
}

function readValue(printed: string, name: string, factors: Readonly<Record<string, number>>): number {
  const [, value, unit = ''] = new RegExp(`\\b${name}\\s+=\\s+([\\d.,]+) (\\S+)`).exec(printed) ?? [];
  const factor = factors[unit];
  if (value === undefined || factor === undefined) throw new Error(`qperf printed no ${name}: ${printed}`);
  return Number(value.replaceAll(',', '')) * factor;
}
