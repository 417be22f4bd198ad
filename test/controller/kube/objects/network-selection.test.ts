import { describe, expect, test } from 'vitest';
import { networkSelections } from '#controller/kube/objects/network-selection.ts';

describe('the NetworkSelectionElements of an annotation are', () => {
  test('a JSON list', () => {
    const text =
      '[{"name":"blue","namespace":"net","ips":["10.0.0.5/24","fd00::5"],"mac":"02:00:00:00:00:05","interface":"e"}]';
    expect(networkSelections(text)).toEqual([
      { name: 'blue', namespace: 'net', ips: ['10.0.0.5/24', 'fd00::5'], mac: '02:00:00:00:00:05', interface: 'e' },
    ]);
  });

  test('a lone JSON object', () => {
    expect(networkSelections(' {"name":"blue"}')).toEqual([{ name: 'blue', ips: [] }]);
  });

  test('names, with a namespace and an interface or without', () => {
    expect(networkSelections('blue, net/green@eth1')).toEqual([
      { name: 'blue', ips: [] },
      { namespace: 'net', name: 'green', ips: [], interface: 'eth1' },
    ]);
  });

  test('none where KubeVirt leaves the empty string after the last hot-unplug', () => {
    expect(networkSelections('')).toEqual([]);
  });

  test.each([
    ['[{"name":"blue"', 'the annotation should be JSON, not "[{\\"name\\":\\"blue\\""'],
    ['blue,,green', 'the annotation should be names of networks, not ""'],
    ['[{"ips":[]}]', '[0].name should be a string, not absent'],
    ['[{"name":"blue","ips":[5]}]', '[0].ips[0] should be a string, not 5'],
  ])('not %s', (text, sentence) => {
    expect(() => networkSelections(text)).toThrow(sentence);
  });
});
