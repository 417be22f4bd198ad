/**
 * Where a list-watch stands, after kube-rs (`kube-runtime/src/watcher.rs`: Empty, InitPage, InitListed, Watching). All that is
 * needed to go on is in the state, so a lost connection costs nothing but the connection.
 */
export type WatchState =
  /** Nothing is known: the first page of a list is next. */
  | { readonly name: 'empty'; readonly pageSize: number }
  /** Some pages have come: the one at `continueToken` is next. */
  | { readonly name: 'listing'; readonly pageSize: number; readonly continueToken: string }
  /** Everything up to `resourceVersion` is known: a watch from there is next. */
  | { readonly name: 'listed'; readonly resourceVersion: string }
  /** A watch is open and has told everything up to `resourceVersion`. */
  | { readonly name: 'watching'; readonly resourceVersion: string };

/** What happened in a state. */
export type Outcome =
  | { readonly type: 'page'; readonly resourceVersion: string; readonly continueToken?: string }
  | { readonly type: 'opened' }
  /** An event or bookmark was taken in. */
  | { readonly type: 'advanced'; readonly resourceVersion: string }
  /** The connection ended, of itself or by an error: what is known still holds. */
  | { readonly type: 'interrupted' }
  /** 410: the server has forgotten what comes after our version. */
  | { readonly type: 'expired' }
  /** The stream said something we cannot trust or the kind is not served: what is known may be wrong. */
  | { readonly type: 'lost' };

/** Objects asked for in one page of a list, as `kubectl` and kube-rs do. */
export const pageSize = 500;

export const initialState: WatchState = { name: 'empty', pageSize };

/** The only arrows there are; every other pair leaves the state as it is. */
export function nextState(state: WatchState, outcome: Outcome): WatchState {
  switch (outcome.type) {
    case 'page': {
      if (state.name !== 'empty' && state.name !== 'listing') return state;
      const { resourceVersion, continueToken } = outcome;
      return continueToken === undefined
        ? { name: 'listed', resourceVersion }
        : { name: 'listing', pageSize: state.pageSize, continueToken };
    }
    case 'opened':
      return state.name === 'listed' ? { ...state, name: 'watching' } : state;
    case 'advanced':
      return state.name === 'watching' ? { ...state, resourceVersion: outcome.resourceVersion } : state;
    case 'interrupted':
      return state.name === 'watching' ? { ...state, name: 'listed' } : state;
    case 'expired':
      // A token that expires between two pages will do so again when pages are slow: then all at once (limit 0), as client-go's pager.
      return { name: 'empty', pageSize: state.name === 'listing' ? 0 : pageSize };
    case 'lost':
      return initialState;
    default:
      return outcome satisfies never;
  }
}
