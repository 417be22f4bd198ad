/** Where a client runs, and on what. */
export interface ClientPlace {
  readonly netns: string;
  readonly device: string;
}

/** What a client was told, by its own names; undefined when it got no answer in time. */
export type Told = Readonly<Record<string, string>> | undefined;
