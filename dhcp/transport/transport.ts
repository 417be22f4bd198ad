import type { Dhcpv4Destination } from '../server/dhcpv4.ts';

/** Where a DHCPv6 answer goes. `mac` is known to transports that see frames. */
export interface Dhcpv6Destination {
  readonly address: string;
  readonly port: number;
  readonly mac?: string | undefined;
}

/** The way to the guests of one segment. Sending never throws: what the network refuses, it loses. */
export interface Transport {
  sendDhcpv4(bytes: Uint8Array, destination: Dhcpv4Destination): void;
  sendDhcpv6(bytes: Uint8Array, destination: Dhcpv6Destination): void;
  /** An ICMPv6 router advertisement to one guest, or to all without `to`; undefined on transports that cannot. */
  readonly sendAdvertisement?: (message: Uint8Array, to?: { readonly mac: string; readonly address: string }) => void;
  close(): Promise<void>;
}

export interface Sender {
  /** The Ethernet source; undefined on sockets. */
  readonly mac: string | undefined;
  /** Nobody asks for it over DHCPv4, where it may be 0.0.0.0 whatever it is. */
  readonly address: string;
  readonly port: number;
}

/** What a transport tells its owner. After `failed` it is dead and only wants to be closed. */
export interface TransportEvents {
  dhcpv4(bytes: Uint8Array, sender: Sender): void;
  dhcpv6(bytes: Uint8Array, sender: Sender): void;
  /** An ICMPv6 message of type 133. */
  solicitation(bytes: Uint8Array, sender: Sender & { readonly hopLimit: number }): void;
  failed(error: Error): void;
}

/** @throws TransportError when the interface, the namespace or the port cannot be had. */
export type OpenTransport = (events: TransportEvents) => Promise<Transport>;

/** The network or the system refuses; trying again later may help. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}
