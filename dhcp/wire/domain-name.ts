/** Names as RFC 1035 §3.1 writes them, one after the other, without compression. Names must be valid (labels ≤ 63). */
export function encodedDomains(names: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const name of names) {
    for (const label of name.split('.')) {
      bytes.push(label.length);
      for (let i = 0; i < label.length; i++) bytes.push(label.charCodeAt(i) & 0x7f);
    }
    bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

/**
 * The names in `bytes`, compression pointers followed (they may only point backwards, which bounds the work: RFC 1035
 * §4.1.4). Undefined when a label runs past the end, a pointer does not point back, or a name is longer than 255.
 */
export function decodedDomains(bytes: Uint8Array): readonly string[] | undefined {
  const names: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const name = nameAt(bytes, at);
    if (name === undefined) return undefined;
    names.push(name.text);
    at = name.end;
  }
  return names;
}

function nameAt(bytes: Uint8Array, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let lowest = start;
  let end: number | undefined;
  let length = 0;
  for (;;) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size === 0) return { text: labels.join('.'), end: end ?? at + 1 };
    if (size >= 0xc0) {
      const low = bytes[at + 1];
      const target = low === undefined ? lowest : ((size & 0x3f) << 8) | low;
      if (target >= lowest) return undefined;
      end ??= at + 2;
      lowest = target;
      at = target;
    } else {
      length += size + 1;
      if (size > 63 || length > 255 || at + size >= bytes.length) return undefined;
      labels.push(Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, size).toString('latin1'));
      at += size + 1;
    }
  }
}
