import { expect, test } from 'vitest';
import { conformanceResult, merged } from './report.ts';

const spec = (State: string, LeafNodeText: string, LeafNodeType = 'It') => ({
  ContainerHierarchyTexts: ['[sig-network] Networking'],
  LeafNodeType,
  LeafNodeText,
  State,
});

test('specs are told by their whole name; whatever did not pass and was not skipped has failed', () => {
  const report = [
    {
      SpecReports: [
        spec('passed', 'should reach'),
        spec('failed', 'should be reached'),
        spec('timedout', 'should end'),
        spec('skipped', 'should not run'),
        spec('pending', 'is to come'),
      ],
    },
  ];
  expect(conformanceResult(report)).toEqual({
    passed: ['[sig-network] Networking should reach'],
    failed: ['[sig-network] Networking should be reached', '[sig-network] Networking should end'],
    skipped: 2,
  });
});

test('a set-up of the suite counts only when it fails', () => {
  const setUp = (State: string) => ({ LeafNodeType: 'SynchronizedBeforeSuite', LeafNodeText: '', State });
  expect(conformanceResult([{ SpecReports: [setUp('passed')] }])).toEqual({ passed: [], failed: [], skipped: 0 });
  expect(conformanceResult([{ SpecReports: [setUp('failed')] }]).failed).toEqual(['SynchronizedBeforeSuite']);
});

test('something else than a report is refused', () => {
  expect(() => conformanceResult({ error: 'no' })).toThrow('this is not a report of ginkgo');
});

test('a spec that another run of the suite had is not among the skipped', () => {
  const one = { passed: ['a'], failed: [], skipped: 9 };
  const other = { passed: [], failed: ['b'], skipped: 9 };
  expect(merged([one, other])).toEqual({ passed: ['a'], failed: ['b'], skipped: 8 });
});
