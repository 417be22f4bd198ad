/** `external_ids` that say a row is ours and what it is for (docs/bus.md). Rows without them are never touched. */
export function ownerMark(owner: string, uid: string): Readonly<Record<string, string>> {
  return { 'hawser:owner': owner, 'hawser:uid': uid };
}
