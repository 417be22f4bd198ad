import { describe, expect, test } from 'vitest';
import * as kinds from '#controller/kube/kinds.ts';
import { refusal } from '../contract-client.ts';
import type { Ground } from './ground.ts';

/** What the schemas of custom resources make of what is written. */
export function describeSchemas({ client }: Ground): void {
  describe('schemas of custom resources', () => {
    const valid = { topology: 'overlay', subnets: ['10.0.0.0/16'] };
    const networks = (name: string, spec: object) => client(kinds.networks).create({ name }, { spec });

    test('defaults are filled in and unknown fields dropped', async () => {
      const made = await networks('defaults', { ...valid, colour: 'red' });
      expect(made.spec).toEqual({ ...valid, role: 'primary', egress: 'nodeNAT' });
    });

    const wrong: [what: string, spec: object][] = [
      ['a required field is missing', { subnets: ['10.0.0.0/16'] }],
      ['a word is not one of those known', { ...valid, topology: 'mesh' }],
      ['a field is of another type', { ...valid, subnets: '10.0.0.0/16' }],
      ['a number is out of range', { topology: 'underlay', physicalNetwork: 'phys', vlan: 4095 }],
      ['a text is too long', { topology: 'underlay', physicalNetwork: 'p'.repeat(64) }],
      ['a text does not match its pattern', { topology: 'underlay', physicalNetwork: '-phys' }],
      ['a list is too long', { ...valid, guest: { ntp: Array.from({ length: 9 }, () => '10.0.0.1') } }],
      ['something deep down is wrong', { ...valid, guest: { mtu: 100 } }],
    ];
    for (const [what, spec] of wrong) {
      test(`refused: ${what}`, async () => {
        expect(await refusal(networks('wrong', spec))).toBe('invalid');
      });
    }

    test('a change is checked like a new object', async () => {
      await networks('checked', valid);
      const change = client(kinds.networks).patch('checked', 'merge', { spec: { topology: null } });
      expect(await refusal(change)).toBe('invalid');
    });
  });
}
